"""Every exception the hub raises on purpose, named after what to do next.

HubError
+- ConfigError          settings are wrong                     -> refuse to start
+- MappingError         a document does not fit its mapping    -> hold the record
+- Conflict             two writers, policy says ask           -> hold both
+- ChannelError         something a channel said or did not say
   +- Retry             worth repeating                        -> back off, keep the cursor
   |  +- Throttled      quota spent, carries delay_s           -> wait that long
   +- Reauthorize       credentials refused                    -> pause the connection, tell the merchant
   +- Forbidden         this ability not granted               -> switch it off, say which permission
   +- Rejected          this record refused                    -> hold it, go on
   +- Missing           what it refers to is not here yet      -> hold it, release when it comes
   +- InDoubt           a write may have landed                -> read back first
   +- ContractBroken    reply differs from the document        -> stop the stream, keep the raw reply

No message, hint or repr carries a secret or a person's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class HubError(Exception):
    """The root: `str(error)` is one sentence that names what, which, why and what to do."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(HubError):
    """Settings, a mapping file, a manifest or a credential form is wrong: refuse before anything starts.

    `known` lists what would have been allowed; it becomes part of the sentence.
    """

    def __init__(
        self,
        message: str,
        *,
        key: str | None = None,
        known: Iterable[str] = (),
        hint: str | None = None,
    ) -> None:
        allowed = sorted(known)
        if allowed:
            message = f"{message} Allowed: {', '.join(allowed)}."
        super().__init__(message, hint=hint)
        self.key = key
        self.known = allowed


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place where a document does not fit its mapping. `value` is short, and masked if personal."""

    why: str
    file: str
    line: int
    canonical: str
    native: str
    value: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: {self.canonical} <- {self.native}"
        return f"{where}: {self.why} (value {self.value})."


class MappingError(HubError):
    """A document does not fit its mapping: the record is held, the rest of the page goes on.

    `causes` names every pair that does not fit, in the order of the mapping; the error's own
    `why`, `file`, `line`, … are those of the first. `unnamed` counts what came after the last one
    named. `sentences()` says all of it, line by line.
    """

    def __init__(
        self,
        why: str,
        *,
        file: str,
        line: int,
        canonical: str,
        native: str,
        value: str,
        others: Sequence[Misfit] = (),
        unnamed: int = 0,
    ) -> None:
        first = Misfit(why, file, line, canonical, native, value)
        more = len(others) + unnamed
        super().__init__(f"{first} And {more} more." if more else str(first))
        self.why, self.file, self.line = why, file, line
        self.canonical, self.native, self.value = canonical, native, value
        self.causes = (first, *others)
        self.unnamed = unnamed

    @classmethod
    def of(cls, first: Misfit, *others: Misfit, unnamed: int = 0) -> MappingError:
        """Make the error of one or several places."""
        return cls(
            first.why, file=first.file, line=first.line, canonical=first.canonical,
            native=first.native, value=first.value, others=others, unnamed=unnamed,
        )  # fmt: skip

    @property
    def rest(self) -> str:
        """How many more places do not fit than are named; "" if all are."""
        return f"{self.unnamed} more places do not fit." if self.unnamed else ""

    def sentences(self) -> list[str]:
        """Return one sentence for each place, and one for those that are not named."""
        return [*map(str, self.causes), *filter(None, [self.rest])]


class Conflict(HubError):
    """Two writers changed the same thing and the policy says to look again before writing."""


class ChannelError(HubError):
    """Something a channel said, or did not say.

    `code` is the channel's own word, `request_id` is for its support desk,
    `hint` is our sentence for a person.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code, self.request_id = code, request_id


class Retry(ChannelError):
    """Worth repeating: the cursor stays, the job comes again after a back-off with jitter."""


class Throttled(Retry):
    """The quota is spent: wait exactly `delay_s` seconds, then go on."""

    def __init__(
        self,
        message: str,
        *,
        delay_s: float,
        code: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, code=code, request_id=request_id, hint=hint)
        self.delay_s = delay_s


class Reauthorize(ChannelError):
    """The credentials were refused: the connection pauses until a person signs in again."""


class Forbidden(ChannelError):
    """One ability is not granted: it is switched off for this connection and asked again daily."""

    def __init__(
        self,
        message: str,
        *,
        permission: str,
        code: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, code=code, request_id=request_id, hint=hint)
        self.permission = permission


class Rejected(ChannelError):
    """The channel refused this one record: it is held, its neighbours go on."""


class Missing(ChannelError):
    """What the record refers to is not here yet: held, and released when it comes."""


class InDoubt(ChannelError):
    """A write was sent and no answer came: it may have landed. Read back before anything else."""


class ContractBroken(ChannelError):
    """The reply is not what the platform's document says: stop the stream, keep the raw reply."""

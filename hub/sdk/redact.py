"""Keeping secrets out of sight: what a log, a repr or a stored attempt may show.

Allow-lists, not deny-lists: a header or field nobody thought of is masked.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

MASK: Final = "…"
TAIL: Final = 4  # characters of a secret that may be shown
TAIL_FROM: Final = 12  # a shorter secret shows nothing: four of six characters are no secret

SHOWN_HEADERS: Final = frozenset({
    "accept", "accept-encoding", "cache-control", "content-encoding", "content-length",
    "content-type", "date", "etag", "expires", "last-modified", "retry-after", "server",
    "transfer-encoding", "user-agent", "vary", "request-id", "x-request-id", "x-correlation-id",
})  # fmt: skip


class Secret:
    """A text that shows itself only through `reveal()`.

    `repr`, `str` and `format` show `…last4` at most; JSON encoders and pickle refuse it.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str | Secret) -> None:
        self.__text = text.reveal() if isinstance(text, Secret) else text

    def reveal(self) -> str:
        """Return the text itself. Call it where the secret is used, and nowhere else."""
        return self.__text

    def __repr__(self) -> str:
        """Show the last characters of a long secret, nothing of a short one."""
        return f"Secret({self!s})"

    def __str__(self) -> str:
        """Show the last characters of a long secret, nothing of a short one."""
        return masked(self.__text)

    def __format__(self, spec: str) -> str:
        """Format what `str` shows."""
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self.__text.encode(), other.reveal().encode()
        return hmac.compare_digest(mine, theirs)

    __hash__ = None  # type: ignore[assignment]  # a hash of a short secret is a way to guess it

    def __bool__(self) -> bool:
        """Tell whether there is any text."""
        return bool(self.__text)

    def __copy__(self) -> Secret:
        """Return itself: it never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        """Return itself: it never changes."""
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("a Secret is not pickled; seal it in the vault")


class Credentials(Mapping[str, Any]):
    """A filled-in connection form with its secrets open: its `repr` shows names, never a value."""

    __slots__ = ("__form",)

    def __init__(self, form: Mapping[str, Any]) -> None:
        self.__form = dict(form)

    def __getitem__(self, name: str) -> Any:
        """Return the field as it is, secrets in clear."""
        return self.__form[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the fields."""
        return iter(self.__form)

    def __len__(self) -> int:
        """Count the fields."""
        return len(self.__form)

    def __repr__(self) -> str:
        """Show the names of the fields only."""
        return f"Credentials({', '.join(sorted(self.__form))})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("credentials are not pickled; seal them in the vault")


def masked(text: str) -> str:
    """Return `…last4` for a long text, `…` for a short one, nothing for none."""
    if not text:
        return ""
    return MASK + (text[-TAIL:] if len(text) >= TAIL_FROM else "")


def headers(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return headers fit to be logged or stored: names in lower case, unknown values masked."""
    return {
        name.lower(): value if name.lower() in SHOWN_HEADERS else MASK
        for name, value in pairs.items()
    }


def fields(document: Mapping[str, Any], allow: Iterable[str]) -> dict[str, Any]:
    """Return the top-level fields with every one masked that is not in `allow`."""
    shown = set(allow)
    return {name: value if name in shown else MASK for name, value in document.items()}


class _NoAddress(logging.Filter):
    """httpx logs the whole URL at INFO; some platforms carry their token in the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


_QUIET = _NoAddress()
_TALKERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


def quiet_http_logs() -> None:
    """Silence the HTTP libraries' own log lines: they show URLs and headers. May be repeated."""
    for name in _TALKERS:
        logging.getLogger(name).addFilter(_QUIET)

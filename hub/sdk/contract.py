"""What a connector is: a manifest that declares, and a class that codes what it declares.

The engine calls at most six verbs: `pull`, `push`, `fetch`, `receive`, `renew`, `check`. A
connector codes `pull` or `push`; the manifest says which others exist, and `validate` refuses
a class whose code and manifest disagree. Connectors never retry, never open a database or a
socket of their own: they reach the world through what their `Connection` hands in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import httpx

from hub.errors import HubError
from hub.sdk.folder import Folder
from hub.sdk.http import Classify, Http
from hub.sdk.retry import RetryPolicy

Kind = Literal[
    "product", "inventory", "price", "order", "shipment",
    "after_sale", "member", "promotion", "settlement", "message",
]  # fmt: skip
KIND_NAMES: tuple[Kind, ...] = (
    "product", "inventory", "price", "order", "shipment",
    "after_sale", "member", "promotion", "settlement", "message",
)  # fmt: skip
Document = dict[str, Any]
"""One object in the channel's own shape, decoded from JSON."""
Cursor = dict[str, Any]
"""JSON owned by the connector. `{}`: from the beginning; `{"since": …, "until": …}`: back-fill."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A piece of a page that could not become a document: the engine holds it and goes on.

    `key` names it to a person (a receipt number, a row), `document` is what can be shown and
    tried again, `error` says why.
    """

    key: str
    document: Document
    error: HubError


@dataclass(frozen=True, slots=True)
class Source:
    """The file a page came from: the engine keeps it in `inbound_file` in the page's transaction.

    The counts are running totals of the file up to and with this page; `done` marks its last page.
    """

    name: str
    sha256: str
    size_bytes: int
    state: Literal["parsing", "imported", "imported_with_errors", "quarantined"]
    rows_total: int = 0
    rows_ok: int = 0
    rows_dup: int = 0
    rows_error: int = 0
    receipts: int = 0
    encoding: str | None = None
    dialect: str | None = None
    error_code: str | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Documents and the cursor that is true once they are stored.

    The engine writes both in one transaction. `done` is true on the last page of a walk: from
    it the freshness of the flow is counted.
    """

    documents: Sequence[Document]
    cursor: Cursor
    done: bool = False
    faults: Sequence[Fault] = ()
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One desired state. `document` is in the channel's shape.

    `seen` holds the canonical fields the channel last showed (empty if never seen): the value
    for a compare-and-set. `version` grows with every change of the desired state.
    """

    key: str
    document: Document
    seen: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change.

    `error`: None means the channel took it; a text means it refused this one (`Rejected`); else
    one of the error family. `observed`: canonical fields the channel shows now, if it said so
    (after a conflict: what a fresh read found).
    """

    key: str
    error: HubError | str | None = None
    observed: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook exactly as it came: raw bytes, headers with lower-case names."""

    topic: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a webhook tells: a document, or only the key to fetch."""

    kind: Kind
    key: str
    document: Document | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified delivery: what it tells and the reply the channel wants to hear."""

    notices: Sequence[Notice]
    reply: bytes = b""
    reply_type: str = "text/plain"
    dedupe_key: str | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """How a stream is read. Rules of the cursor: the connector's own channel sheet.

    `lag_s`: how long the channel may need to show a change in its lists. `page`: documents per
    page. `ahead`: pages that may be asked for before the ones in front of them are stored; with 0
    the generator goes on only when its last page is stored, so it may then put away what the
    page came from.
    """

    every_s: int = 300
    lag_s: int = 60
    page: int = 100
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Push:
    """How a stream is written.

    `batch`: changes per call. `absolute`: sending twice is harmless. `by_sku`: the channel has
    no listings of its own and is told by the merchant's SKU code (a till).
    """

    batch: int = 100
    every_s: int = 5
    absolute: bool = True
    by_sku: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """A kind on this channel."""

    pull: Pull | None = None
    push: Push | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What the channel allows per connection: `calls` (or points) per `per_s` seconds."""

    calls: float
    per_s: float
    burst: float | None = None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The topics a channel can send, by the kind each one touches."""

    topics: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a connector declares. `credentials` is the JSON Schema of the whole connection form.

    In that schema only `writeOnly` fields are secrets: sealed, redacted, blanked. `title` may
    be given per language: `{"en": …, "zh": …}`.
    """

    code: str
    title: str
    credentials: Mapping[str, Any]
    streams: Mapping[Kind, Stream]
    rate: Rate | None = None
    webhooks: Webhooks | None = None
    renews: bool = False
    mappings: str | None = None
    """Where the mapping files lie: import package / sub-folder. Default: by code."""


class Connection(Protocol):
    """One merchant's account on a channel, as the engine hands it to a connector."""

    @property
    def merchant_id(self) -> str:
        """Whose account it is."""

    @property
    def id(self) -> str:
        """Our id of the connection."""

    @property
    def credentials(self) -> Mapping[str, Any]:
        """The filled-in form, secrets opened. Its `repr` shows no value."""

    def open_http(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        policy: RetryPolicy | None = None,
        classify: Classify | None = None,
        timeout_s: float = 30.0,
    ) -> Http:
        """Return a client with breaker, retry, limiter and signing; its limits survive restarts."""

    def open_folder(self, path: str) -> Folder:
        """Return a folder (local or SFTP) rooted at `path`; nothing outside it can be reached."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one ability works with these credentials; `permission` names what is missing."""

    kind: Kind
    verb: Literal["pull", "push"]
    works: bool
    permission: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place where the channel keeps stock: its id there and the name people give it."""

    external_id: str
    name: str
    kind: Literal["warehouse", "store"] = "warehouse"


@dataclass(frozen=True, slots=True)
class Account:
    """Who the credentials belong to, and what they may do."""

    remote_id: str
    name: str
    places: Sequence[Place] = ()
    verdicts: Sequence[Verdict] = ()
    notes: Sequence[str] = ()


class Connector:
    """Base of every connector: one level of subclassing, no hidden protocol.

    An instance serves one connection and may be made anew at any time; keep nothing in it that
    must survive. All verbs may raise any `ChannelError`.
    """

    manifest: ClassVar[Manifest]

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def pull(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        """Walk the stream from `cursor`, oldest change first, and end when the walk is done.

        An async generator. Resuming from the cursor of any yielded page must lose nothing;
        giving something twice is fine.
        """
        raise ContractGap(self.manifest.code, "pull", kind)

    async def push(self, kind: Kind, changes: Sequence[Change]) -> Sequence[Outcome]:
        """Write desired states; answer every change exactly once, in any order."""
        raise ContractGap(self.manifest.code, "push", kind)

    async def fetch(self, kind: Kind, key: str) -> Document | None:
        """Read one object by its external id as the pull would show it; None if it is gone."""
        raise ContractGap(self.manifest.code, "fetch", kind)

    def receive(self, delivery: Delivery) -> Receipt:
        """Verify, then decode a webhook. Pure: no I/O. A bad signature raises `Rejected`."""
        raise ContractGap(self.manifest.code, "receive", delivery.topic)

    async def renew(self) -> Mapping[str, Any]:
        """Return the form's fields that a renewal changed (tokens). Refused: `Reauthorize`."""
        raise ContractGap(self.manifest.code, "renew", "credentials")

    async def check(self) -> Account:
        """Prove that the credentials work. Default: read the first page of the first stream."""
        for kind, stream in self.manifest.streams.items():
            if stream.pull is not None:
                async for _page in self.pull(kind, {}):
                    break
                break
        return Account(remote_id=self.connection.id, name=self.manifest.title)

    async def close(self) -> None:
        """Give back what the instance holds open. Called once by whoever made it."""


class ContractGap(HubError):  # noqa: N818 - reads as what it is, a gap
    """A verb was called that the connector does not code: its manifest promised too much."""

    def __init__(self, code: str, verb: str, kind: str) -> None:
        super().__init__(f"connector {code!r} has no {verb!r} for {kind!r}")


def codes(connector: type[Connector], verb: str) -> bool:
    """Tell whether the class itself codes the verb."""
    return getattr(connector, verb) is not getattr(Connector, verb)

"""Tables of the engine itself: who is connected, what was seen, what is wanted, what is held, what runs when.

Every row has `merchant_id` first; rows that belong to the installation carry the empty merchant.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Column, Index, UniqueConstraint

from hub.db.tables.meta import Field, SQLModel
from hub.db.types import Booleans, Bytes, Instants, Integers, Jsons, Texts


def _key() -> Any:
    return Field(sa_column=Column(Texts(), primary_key=True))


def _text(*, null: bool = False) -> Any:
    return Field(sa_column=Column(Texts(), nullable=null))


def _int() -> Any:
    return Field(sa_column=Column(Integers(), nullable=False))


def _instant(*, null: bool = True) -> Any:
    return Field(sa_column=Column(Instants(), nullable=null))


def _json(*, null: bool = True) -> Any:
    return Field(sa_column=Column(Jsons(), nullable=null))


def _bytes(*, null: bool = False) -> Any:
    return Field(sa_column=Column(Bytes(), nullable=null))


def _bool() -> Any:
    return Field(sa_column=Column(Booleans(), nullable=False))


# Small rows live in the key's own tree on SQLite: one tree less to write per row.
_SMALL: tuple[Any, ...] = ({"sqlite_with_rowid": False},)


class Instance(SQLModel, table=True):
    """Which installation this database belongs to: a copy that wakes up elsewhere writes nothing."""

    __tablename__: ClassVar[str] = "instance"
    merchant_id: str = _key()
    id: str = _key()
    created_at: str = _instant(null=False)
    adopted_at: str | None = _instant()


class Merchant(SQLModel, table=True):
    """A merchant. `catalogue_connection_id`: whose pulled products make our products (design, decision 22)."""

    __tablename__: ClassVar[str] = "merchant"
    merchant_id: str = _key()
    name: str = _text()
    currency: str = _text()
    timezone: str = _text()
    catalogue_connection_id: str | None = _text(null=True)
    created_at: str = _instant(null=False)


class DataKey(SQLModel, table=True):
    """A merchant's data or index key, wrapped under the master key."""

    __tablename__: ClassVar[str] = "data_key"
    merchant_id: str = _key()
    key_id: str = _key()
    purpose: str = _text()
    wrapped: bytes = _bytes()
    state: str = _text()
    seals: int = _int()
    created_at: str = _instant(null=False)


class ConnectionRow(SQLModel, table=True):
    """授权店铺: one merchant's account on a channel; secrets stand sealed in `connection_secret`."""

    __tablename__: ClassVar[str] = "connection"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        UniqueConstraint("merchant_id", "code", "remote_id"),
    )
    merchant_id: str = _key()
    id: str = _key()
    code: str = _text()
    name: str = _text()
    remote_id: str = _text()
    state: str = _text()
    settings: Any = _json(null=False)
    created_at: str = _instant(null=False)
    updated_at: str = _instant(null=False)


class ConnectionSecret(SQLModel, table=True):
    """One sealed field of a connection's form."""

    __tablename__: ClassVar[str] = "connection_secret"
    merchant_id: str = _key()
    connection_id: str = _key()
    field: str = _key()
    sealed: bytes = _bytes()
    updated_at: str = _instant(null=False)


class Schedule(SQLModel, table=True):
    """When a flow runs: one row per (connection, kind, verb). The clock only wakes; this decides."""

    __tablename__: ClassVar[str] = "schedule"
    __table_args__: ClassVar[tuple[Any, ...]] = (Index(None, "is_on", "next_at"),)
    merchant_id: str = _key()
    connection_id: str = _key()
    kind: str = _key()
    verb: str = _key()
    every_s: int = _int()
    next_at: str = _instant(null=False)
    is_on: bool = _bool()
    off_reason: str | None = _text(null=True)
    failures: int = _int()
    last_error: str | None = _text(null=True)
    last_started_at: str | None = _instant()
    last_finished_at: str | None = _instant()


class Lease(SQLModel, table=True):
    """One worker per key, by generation: a write under a lost lease changes nothing."""

    __tablename__: ClassVar[str] = "lease"
    merchant_id: str = _key()
    name: str = _key()
    holder: str = _text()
    generation: int = _int()
    expires_at: str = _instant(null=False)


class CursorRow(SQLModel, table=True):
    """Where a stream stands, written in the transaction of the page it is true for; and the flow's counts."""

    __tablename__: ClassVar[str] = "cursor"
    merchant_id: str = _key()
    connection_id: str = _key()
    kind: str = _key()
    value: Any = _json(null=False)
    walk_started_at: str | None = _instant()
    finished_walk_at: str | None = _instant()
    """Start of the last walk that reached its end: freshness counts from here."""
    updated_at: str = _instant(null=False)


class Tally(SQLModel, table=True):
    """received = applied + duplicate + held + dead, per connection and kind, always."""

    __tablename__: ClassVar[str] = "tally"
    merchant_id: str = _key()
    connection_id: str = _key()
    kind: str = _key()
    received: int = _int()
    applied: int = _int()
    duplicate: int = _int()
    held: int = _int()
    dead: int = _int()
    pushed: int = _int()


class ExternalRef(SQLModel, table=True):
    """One external id, byte for byte, and the one thing of ours it names. Member ids stand here as keyed hashes."""

    __tablename__: ClassVar[str] = "external_ref"
    __table_args__: ClassVar[tuple[Any, ...]] = _SMALL
    merchant_id: str = _key()
    connection_id: str = _key()
    kind: str = _key()
    external_id: str = _key()
    internal_id: str = _text()
    first_seen_at: str = _instant(null=False)
    last_seen_at: str = _instant(null=False)


class Observed(SQLModel, table=True):
    """What the channel last showed or confirmed: base of the merge, echo check, and `Change.seen`."""

    __tablename__: ClassVar[str] = "observed"
    __table_args__: ClassVar[tuple[Any, ...]] = _SMALL
    merchant_id: str = _key()
    connection_id: str = _key()
    kind: str = _key()
    external_id: str = _key()
    version: int = _int()
    hash: bytes = _bytes()
    source_updated_at: str | None = _instant()
    fields: Any = _json()
    archive_id: str | None = _text(null=True)
    seen_at: str = _instant(null=False)


class Drift(SQLModel, table=True):
    """A field where the channel shows something else than we keep: told, never overwritten in silence."""

    __tablename__: ClassVar[str] = "drift"
    merchant_id: str = _key()
    connection_id: str = _key()
    kind: str = _key()
    external_id: str = _key()
    field: str = _key()
    ours: Any = _json()
    theirs: Any = _json()
    first_at: str = _instant(null=False)
    last_at: str = _instant(null=False)


class Archive(SQLModel, table=True):
    """A raw document as it came or went, sealed; kept until `expires_at`."""

    __tablename__: ClassVar[str] = "archive"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(None, "merchant_id", "connection_id", "kind", "external_id"),
    )
    merchant_id: str = _key()
    id: str = _key()
    connection_id: str = _text()
    kind: str = _text()
    external_id: str = _text()
    direction: str = _text()
    hash: bytes = _bytes()
    body: bytes = _bytes()
    packing: str = _text()
    mapping_digest: str | None = _text(null=True)
    job_id: str | None = _text(null=True)
    at: str = _instant(null=False)
    expires_at: str = _instant(null=False)


class History(SQLModel, table=True):
    """Every change of a canonical row: field by field for a changed one, `created` for a new one."""

    __tablename__: ClassVar[str] = "history"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(None, "merchant_id", "record_id", "version"),
        *_SMALL,
    )
    merchant_id: str = _key()
    id: str = _key()
    table_name: str = _text()
    record_id: str = _text()
    version: int = _int()
    change: str = _text()
    fields: Any = _json()
    """`{field: [before, after]}`; personal fields show only that they changed."""
    connection_id: str | None = _text(null=True)
    archive_id: str | None = _text(null=True)
    job_id: str | None = _text(null=True)
    actor: str = _text()
    at: str = _instant(null=False)


class Outbox(SQLModel, table=True):
    """The newest desired state per (connection, kind, key). A version only grows; done rows stay as proof."""

    __tablename__: ClassVar[str] = "outbox"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(None, "merchant_id", "connection_id", "kind", "state", "not_before"),
    )
    merchant_id: str = _key()
    connection_id: str = _key()
    kind: str = _key()
    external_id: str = _key()
    version: int = _int()
    done_version: int = _int()
    desired: Any = _json(null=False)
    state: str = _text()
    """`waiting`, `done`, `held` (the channel refused this version)."""
    not_before: str | None = _instant()
    after_walk_at: str | None = _instant()
    """Wait until a finished walk of the order stream started after this instant (see the conflict gate)."""
    attempts: int = _int()
    last_error: str | None = _text(null=True)
    cause: str | None = _text(null=True)
    wanted_at: str = _instant(null=False)
    done_at: str | None = _instant()


class Held(SQLModel, table=True):
    """A record that waits for a person or for a cause to go away. Its document is sealed; nothing is lost."""

    __tablename__: ClassVar[str] = "held"
    __table_args__: ClassVar[tuple[Any, ...]] = (
        Index(None, "merchant_id", "connection_id", "kind", "external_id", "state"),
        Index(None, "merchant_id", "state", "cause"),
    )
    merchant_id: str = _key()
    id: str = _key()
    connection_id: str = _text()
    kind: str = _text()
    external_id: str = _text()
    verb: str = _text()
    state: str = _text()
    """`open`, `released`, `dead`."""
    cause: str = _text()
    causes: Any = _json(null=False)
    """All of them: `[{"class", "message", "file", "line", "canonical", "native", "value", "hint"}]`."""
    document: bytes | None = _bytes(null=True)
    hash: bytes | None = _bytes(null=True)
    attempts: int = _int()
    first_at: str = _instant(null=False)
    last_at: str = _instant(null=False)
    closed_at: str | None = _instant()


class InboundFile(SQLModel, table=True):
    """A file a connector read, as its pages told of it."""

    __tablename__: ClassVar[str] = "inbound_file"
    merchant_id: str = _key()
    connection_id: str = _key()
    sha256: str = _key()
    name: str = _text()
    size_bytes: int = _int()
    state: str = _text()
    rows_total: int = _int()
    rows_ok: int = _int()
    rows_dup: int = _int()
    rows_error: int = _int()
    receipts: int = _int()
    encoding: str | None = _text(null=True)
    dialect: str | None = _text(null=True)
    error_code: str | None = _text(null=True)
    first_at: str = _instant(null=False)
    last_at: str = _instant(null=False)


class Alert(SQLModel, table=True):
    """Said once when something breaks, once when it recovers. Open while `closed_at` is null."""

    __tablename__: ClassVar[str] = "alert"
    __table_args__: ClassVar[tuple[Any, ...]] = (Index(None, "merchant_id", "closed_at"),)
    merchant_id: str = _key()
    id: str = _key()
    connection_id: str = _text()
    subject: str = _text()
    cause: str = _text()
    message: str = _text()
    hint: str | None = _text(null=True)
    opened_at: str = _instant(null=False)
    closed_at: str | None = _instant()


class LimitState(SQLModel, table=True):
    """Saved state of a connection's limiter and breaker, so that a restart does not forget the quota spent."""

    __tablename__: ClassVar[str] = "limit_state"
    merchant_id: str = _key()
    connection_id: str = _key()
    name: str = _key()
    value: Any = _json(null=False)
    updated_at: str = _instant(null=False)


ENGINE: tuple[type[SQLModel], ...] = (
    Instance, Merchant, DataKey, ConnectionRow, ConnectionSecret, Schedule, Lease, CursorRow, Tally,
    ExternalRef, Observed, Drift, Archive, History, Outbox, Held, InboundFile, Alert, LimitState,
)  # fmt: skip

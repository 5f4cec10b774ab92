"""What the verbs of this package work with: one value, made by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import httpx

from hub.db import Database
from hub.db.trees import Sealer
from hub.mapping import Mapping as FieldMapping
from hub.records.time import now as real_now
from hub.sdk import Connector


class Seals(Sealer, Protocol):
    """Everything the engine seals for one merchant."""

    @property
    def active_key_id(self) -> str:
        """The data key that seals now."""

    @property
    def sealed(self) -> int:
        """How many values it sealed since it was opened."""

    def seal_blob(self, table: str, row_id: str, body: bytes) -> bytes:
        """Seal a raw document, bound to its row."""

    def open_blob(self, table: str, row_id: str, sealed: bytes) -> bytes:
        """Open a raw document."""

    def seal_secret(self, connection_id: str, name: str, value: str) -> bytes:
        """Seal a field of a connection's form, bound to connection and field."""

    def open_secret(self, connection_id: str, name: str, sealed: bytes) -> str:
        """Open a field of a connection's form."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures of the engine that a merchant can change. Seconds and days as the names say."""

    archive_days: int = 60
    push_batch: int = 250
    first_retry_s: float = 10.0
    last_retry_s: float = 900.0
    reconcile_s: int = 3600


@dataclass(frozen=True, slots=True)
class Engine:
    """Database, connectors, mappings and seals, and the rim: clock, events, transports for tests."""

    db: Database
    connectors: Mapping[str, type[Connector]]
    mappings: Mapping[str, Sequence[FieldMapping]]
    seals: Callable[[str], Seals]
    limits: Limits = Limits()
    now: Callable[[], datetime] = real_now
    observe: Callable[[str, Mapping[str, Any]], None] = lambda _event, _fields: None
    transport: Callable[[str], httpx.AsyncBaseTransport | None] = lambda _code: None
    loopback_ok: bool = False
    is_observe_only: bool = False
    sessions: dict[str, Any] = field(default_factory=dict)

    def heard_by(self, listener: Callable[[str, Mapping[str, Any]], None]) -> Engine:
        """Return the same engine with one more listener to its events."""

        def observe(event: str, fields: Mapping[str, Any]) -> None:
            self.observe(event, fields)
            listener(event, fields)

        return replace(self, observe=observe)

    def mappings_of(self, code: str, stream: str) -> list[FieldMapping]:
        """Return the mappings that read documents of a stream, the stream's own kind first."""
        found = [m for m in self.mappings.get(code, ()) if m.source_stream == stream]
        return sorted(found, key=lambda m: (m.kind != stream, m.kind))

    def mapping_of(self, code: str, kind: str) -> FieldMapping:
        """Return the mapping of a kind."""
        return next(m for m in self.mappings[code] if m.kind == kind)

    @property
    def by_sku(self) -> frozenset[str]:
        """Codes of connectors that are told about stock by SKU code instead of by listing."""
        return frozenset(
            code
            for code, connector in self.connectors.items()
            for stream in [connector.manifest.streams.get("inventory")]
            if stream and stream.push and stream.push.by_sku
        )

"""What one transaction of a flow works with: whose data, when, on whose behalf, and how to seal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import insert, json_text
from hub.db.flows import Flow
from hub.db.trees import Sealer
from hub.records.ids import new_ids


@dataclass(frozen=True, slots=True)
class Scope:
    """Values every step of the transaction needs; `now` is the transaction's one instant, as text."""

    flow: Flow
    now: str
    sealer: Sealer
    actor: str
    job_id: str | None = None
    is_catalogue_source: bool = False

    @property
    def merchant_id(self) -> str:
        """Whose data this is."""
        return self.flow.merchant_id


@dataclass(frozen=True, slots=True)
class Changed:
    """One canonical row that changed, for the history."""

    table: str
    record_id: str
    version: int
    fields: dict[str, Any] | None
    """None for a new row, else what differs."""
    archive_id: str | None = None


_COLUMNS = (
    "merchant_id", "id", "table_name", "record_id", "version", "change", "fields",
    "connection_id", "archive_id", "job_id", "actor", "at",
)  # fmt: skip


def write_history(conn: Connection, scope: Scope, changes: Sequence[Changed]) -> None:
    """Append one history row per change."""
    ids = new_ids("history", len(changes))
    insert(
        conn,
        "history",
        _COLUMNS,
        [
            (
                scope.merchant_id, row_id, c.table, c.record_id, c.version,
                "created" if c.fields is None else "changed", json_text(c.fields),
                scope.flow.connection_id, c.archive_id, scope.job_id, scope.actor, scope.now,
            )
            for row_id, c in zip(ids, changes, strict=True)
        ],
    )  # fmt: skip

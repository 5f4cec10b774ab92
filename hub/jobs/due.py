"""What is due, and may start: a first walk waits for what it will be matched against.

Orders are matched to SKUs and taken from counted shelves, so the first walk of orders waits for
the first walks of products and stock: its own connection's and the catalogue source's. Only the
first: a stream that once reached its end, or that fails, holds nobody up.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.db import Connection, flows
from hub.db.bulk import fetch
from hub.db.flows import Due

_BEFORE = {"inventory": ("product",), "order": ("product", "inventory", "member")}
_FROM_SOURCE = ("product", "inventory")


def ready(conn: Connection, now: str) -> list[Due]:
    """Return the due runs that need not wait for another stream's first walk."""
    found = flows.due(conn, now)
    if not found:
        return []
    unfinished = {
        (row[0], row[1], row[2])
        for row in fetch(
            conn,
            "SELECT s.merchant_id, s.connection_id, s.kind FROM schedule s LEFT JOIN cursor c "
            "ON c.merchant_id=s.merchant_id AND c.connection_id=s.connection_id AND c.kind=s.kind "
            "JOIN connection k ON k.merchant_id=s.merchant_id AND k.id=s.connection_id "
            "WHERE s.verb='pull' AND s.is_on AND s.off_reason IS NULL AND s.failures=0 "
            "AND c.finished_walk_at IS NULL AND k.state IN ('active','expiring','recovering')",
        )  # all merchants: the scheduler serves the whole installation
    }
    if not unfinished:
        return found
    sources = dict(fetch(conn, "SELECT merchant_id, catalogue_connection_id FROM merchant"))
    return [run for run in found if not _waits(run, unfinished, sources.get(run.flow.merchant_id))]


def _waits(run: Due, unfinished: set[tuple[str, str, str]], source: str | None) -> bool:
    if run.verb != "pull":
        return False
    return any(
        (run.flow.merchant_id, connection_id, kind) in unfinished
        for connection_id, kind in _needs(run, source)
    )


def _needs(run: Due, source: str | None) -> Iterable[tuple[str, str]]:
    for kind in _BEFORE.get(run.flow.kind, ()):
        yield run.flow.connection_id, kind
        if source and kind in _FROM_SOURCE and source != run.flow.connection_id:
            yield source, kind

"""Products and members of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.commerce import members, products
from hub.db import Connection, observed
from hub.db.bulk import fetch
from hub.db.scope import Scope
from hub.sync.conflict import merge
from hub.sync.kinds.orders import relink_orders
from hub.sync.kinds.room import Applied, Room, tell
from hub.sync.prepare import Unit


def apply_products(
    conn: Connection, scope: Scope, room: Room, units: Sequence[Unit], archive: Mapping[str, str]
) -> Applied:
    """Listings and, from the catalogue source, products; then what their stock should show."""
    done = products.store(
        conn,
        scope,
        [(u.key, u.fields) for u in units],
        archive,
        bases={u.key: u.seen.fields if u.seen else None for u in units},
        merge=_merge,
    )
    observed.note_drift(conn, scope.flow, done.drift, scope.now)
    rows = (
        fetch(
            conn,
            "SELECT variant_id, location_id FROM stock_level WHERE merchant_id=? AND opened_at IS NOT NULL",
            (scope.merchant_id,),
        )
        if done.variants
        else []
    )
    tell(conn, scope, room, {(v, p) for v, p in rows if v in done.variants}, cause="listing")
    if done.variants:
        relink_orders(conn, scope, room, done.variants)
    touched = {change.archive_id for change in done.changes}
    unchanged = {u.key for u in units if archive[u.key] not in touched}
    return Applied(unchanged=unchanged, fields=dict(done.shown), changes=done.changes)


def _merge(
    base: Mapping[str, Any] | None, ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Master data is the hub's: a change on one side alone is taken, of two the hub's stays."""
    merged = merge(base, ours, theirs, owner="hub")
    return merged.kept, merged.drift


def apply_members(
    conn: Connection, scope: Scope, _room: Room, units: Sequence[Unit], archive: Mapping[str, str]
) -> Applied:
    """People."""
    changes = members.store(conn, scope, [(u.key, u.fields) for u in units], archive)
    touched = {change.archive_id for change in changes}
    return Applied(
        unchanged={u.key for u in units if archive[u.key] not in touched}, changes=changes
    )

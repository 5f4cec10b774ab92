"""Stock figures a channel shows: the first count, or the comparison with what we want shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.commerce import stock
from hub.commerce.stock import Count
from hub.db import Connection, held, outbox
from hub.db.bulk import fetch, fetch_in
from hub.db.scope import Scope
from hub.records import Stock
from hub.records.shape import places
from hub.sync.kinds.room import Applied, Room, gate, tell
from hub.sync.prepare import Unit

Q = places(Stock)


def apply_stock(
    conn: Connection, scope: Scope, room: Room, units: Sequence[Unit], _archive: Mapping[str, str]
) -> Applied:
    """Stock figures a channel shows: opened from the catalogue source, else compared with what we want shown.

    A figure that is neither what we held for shown nor what we want was moved by someone else, most often by
    a sale we have not seen. Nothing is written over it until the order stream was walked once
    more (the conflict gate); what is still different then is drift and is put right.
    """
    out = Applied()
    known_places = stock.places_of(conn, scope.merchant_id, scope.flow.connection_id)
    if scope.is_catalogue_source:
        known_places = _make_places(conn, scope, units, known_places)
    variants = _variants_of_stock(conn, scope, [u.fields[Q.external_stock_id] for u in units])
    counts: list[Count] = []
    moved: list[str] = []
    out.held_before = set(held.open_ones(conn, scope.flow, [u.key for u in units]))
    for unit in units:
        row = unit.fields
        variant = variants.get(row[Q.external_stock_id])
        place = known_places.get(row[Q.external_location_id])
        if variant is None or place is None:
            out.missing[unit.key] = _missing(row, has_variant=variant is not None)
            continue
        shown = {name: _int(row[getattr(Q, name)]) for name in ("available", "on_hand")}
        out.fields[unit.key] = shown
        if (
            unit.seen is not None
            and (unit.seen.fields or {}).get("available") == shown["available"]
        ):
            out.unchanged.add(unit.key)
        else:
            moved.append(unit.key)
        if scope.is_catalogue_source and shown["on_hand"] is not None:
            counts.append(_count(scope, row, (variant, place), shown["on_hand"]))
    opened = stock.open_counts(conn, scope, counts)
    tell(conn, scope, room, opened, cause="opening", is_gated=True)
    check_shown(conn, scope, room, {k: out.fields[k] for k in moved})
    return out


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _count(scope: Scope, row: Sequence[Any], spot: tuple[str, str], on_hand: int) -> Count:
    # A figure is true when it is read; the channel's own stamp only says when it last moved.
    scale = row[Q.quantity_scale] if isinstance(row[Q.quantity_scale], int) else 0
    return Count(spot, scale, on_hand, _int(row[Q.unavailable]) or 0, scope.now)


def _missing(row: Sequence[Any], *, has_variant: bool) -> dict[str, Any]:
    what = "location" if has_variant else "SKU"
    return {
        "class": "Missing",
        "message": f"The stock figure belongs to a {what} the hub does not know yet; it is kept and taken in when "
        f"the {what} arrives.",
        "canonical": "external_location_id" if has_variant else "external_stock_id",
    }


def _make_places(
    conn: Connection, scope: Scope, units: Sequence[Unit], known: dict[str, str]
) -> dict[str, str]:
    fresh = {
        u.fields[Q.external_location_id]: u.fields[Q.location_name]
        for u in units
        if u.fields[Q.external_location_id] not in known
    }
    if not fresh:
        return known
    wanted = [
        stock.Place(external, name if isinstance(name, str) else external)
        for external, name in sorted(fresh.items())
    ]
    return stock.link_places(
        conn, scope.merchant_id, scope.flow.connection_id, wanted, scope.now, "warehouse"
    )


def _variants_of_stock(conn: Connection, scope: Scope, ids: Sequence[str]) -> dict[str, str]:
    rows = fetch_in(
        conn,
        "SELECT coalesce(external_stock_id, external_sku_id), variant_id FROM listing_sku WHERE merchant_id=? "
        "AND connection_id=? AND variant_id IS NOT NULL AND coalesce(external_stock_id, external_sku_id) IN ({})",
        (scope.merchant_id, scope.flow.connection_id),
        sorted(set(ids)),
    )
    return {row[0]: row[1] for row in rows}


def check_shown(
    conn: Connection, scope: Scope, room: Room, shown: Mapping[str, Mapping[str, Any]]
) -> None:
    """Compare what the channel shows with what we want shown; what differs is gated and asked for again."""
    wanted = outbox.desired(conn, scope.flow, list(shown))
    differs = [
        key
        for key, desired in wanted.items()
        if shown[key]["available"] is not None
        and desired.get("available") != shown[key]["available"]
    ]
    if not differs:
        return
    rows = fetch(
        conn,
        "SELECT code FROM connection WHERE merchant_id=? AND id=?",
        (scope.merchant_id, scope.flow.connection_id),
    )
    outbox.reopen(conn, scope.flow, differs, "drift", scope.now)
    gate(conn, scope.flow, room, rows[0][0], differs, scope.now)

"""After-sale cases of a page: tied to their orders, money and returned goods brought in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.commerce import orders, products, stock
from hub.commerce.stock import Entry
from hub.db import Connection, observed
from hub.db.scope import Changed, Scope
from hub.db.trees import Batch, differences, load, number_parts, overlay
from hub.records import ABSENT, AfterSale, AfterSaleLine
from hub.records.ids import new_ids
from hub.records.rows import ID, Row, thaw
from hub.records.shape import places
from hub.sync.kinds.room import Applied, Room, tell
from hub.sync.prepare import Unit

C = places(AfterSale)
K = places(AfterSaleLine)


def apply_cases(
    conn: Connection, scope: Scope, room: Room, units: Sequence[Unit], archive: Mapping[str, str]
) -> Applied:
    """After-sale cases: tied to their orders, money and returned goods brought in."""
    ids = observed.refs(conn, scope.flow, [u.key for u in units])
    before = load(conn, AfterSale, scope.merchant_id, list(ids.values()), scope.sealer)
    fresh_ids = iter(new_ids("after_sale", len(units)))
    rows: dict[str, Row] = {}
    for unit in units:
        known = before.get(ids.get(unit.key, ""))
        row = (
            overlay(AfterSale, unit.fields, known[1])
            if known
            else thaw(AfterSale, unit.fields, next(fresh_ids))
        )
        row[C.connection_id] = scope.flow.connection_id
        number_parts(AfterSale, row)
        rows[unit.key] = row
    out = _store_cases(conn, scope, room, rows, before, archive)
    observed.bind(conn, scope.flow, [(key, row[ID]) for key, row in rows.items()], scope.now)
    return out


def _store_cases(
    conn: Connection,
    scope: Scope,
    room: Room,
    rows: Mapping[str, Row],
    before: Mapping[str, tuple[int, Row]],
    archive: Mapping[str, str],
) -> Applied:
    names = [row[C.external_order_id] for row in rows.values() if row[C.external_order_id]]
    tied = observed.refs(conn, replace(scope.flow, kind="order"), names)
    orders.tie_cases(conn, scope, list(rows.values()), tied)
    _match_case_lines(conn, scope, list(rows.values()))
    out = Applied()
    batch = Batch(scope.merchant_id, scope.now, scope.sealer)
    changed_rows: list[Row] = []
    for key, row in rows.items():
        known = before.get(row[ID])
        changed = differences(AfterSale, known[1], row) if known else None
        if known and not changed:
            out.unchanged.add(key)
            continue
        version = known[0] + 1 if known else 1
        batch.add(AfterSale, row, version=version)
        if known:
            batch.drop_gone(AfterSale, known[1], row)
        changed_rows.append(row)
        out.changes.append(Changed("after_sale", row[ID], version, changed, archive.get(key)))
    batch.write(conn)
    orders.refresh_orders(conn, scope, [row[C.channel_order_id] for row in changed_rows])
    _take_back(conn, scope, room, changed_rows)
    return out


def _match_case_lines(conn: Connection, scope: Scope, rows: Sequence[Row]) -> None:
    lines = [line for row in rows for line in row[C.lines] if not line[K.variant_id]]
    refs = [products.Ref(line[K.external_sku_id], line[K.sku_snapshot], None) for line in lines]
    found = products.match(conn, scope.merchant_id, scope.flow.connection_id, refs)
    for line, ref in zip(lines, refs, strict=True):
        line[K.variant_id] = found[ref].variant_id


def _take_back(conn: Connection, scope: Scope, room: Room, rows: Sequence[Row]) -> None:
    places_here = stock.places_of(conn, scope.merchant_id, scope.flow.connection_id)
    only = next(iter(places_here.values())) if len(places_here) == 1 else None
    entries = []
    for row in rows:
        for line_id, variant, place, _scale, quantity, when in orders.back_in_stock(row):
            spot = places_here.get(place or "", only)
            if spot and quantity:
                entries.append(
                    Entry(
                        (variant, spot),
                        "return_in",
                        "after_sale",
                        row[ID],
                        line_id,
                        when or scope.now,
                        on_hand=quantity,
                    )
                )
    tell(conn, scope, room, stock.take_back(conn, scope, entries), cause="after_sale")


def adopt_cases(
    conn: Connection,
    scope: Scope,
    room: Room,
    waiting: Mapping[str, Sequence[str]],
) -> None:
    """Tie cases that came before their order."""
    here = replace(scope, flow=replace(scope.flow, kind="after_sale"))
    ids = [case for cases in waiting.values() for case in cases]
    before = load(conn, AfterSale, scope.merchant_id, ids, scope.sealer)
    again = {row_id: overlay(AfterSale, _absent(row), row) for row_id, (_v, row) in before.items()}
    _store_cases(conn, here, room, again, before, {})


def _absent(row: Row) -> Row:
    return [ABSENT] * (len(row) - 1)

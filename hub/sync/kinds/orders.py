"""Orders of a page: stored, linked, and what they claim from stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hub.commerce import orders, products, stock
from hub.commerce.stock import Claim
from hub.db import Connection, held, observed
from hub.db.scope import Changed, Scope, write_history
from hub.db.trees import Batch, differences, load, number_parts, overlay
from hub.records import ChannelOrder, OrderLine
from hub.records.ids import new_id
from hub.records.rows import ID, Row, thaw
from hub.records.shape import places
from hub.sync.kinds.cases import adopt_cases
from hub.sync.kinds.room import Applied, Room, tell
from hub.sync.prepare import Unit

O = places(ChannelOrder)  # noqa: E741 - the order's places
L = places(OrderLine)


def apply_orders(
    conn: Connection, scope: Scope, room: Room, units: Sequence[Unit], archive: Mapping[str, str]
) -> Applied:
    """Orders, what they claim from stock, and the cases that waited for them."""
    refused = {u.key: cause for u in units if (cause := _named_twice(u.fields))}
    units = [u for u in units if u.key not in refused]
    ids = observed.refs(conn, scope.flow, [u.key for u in units])
    before = load(conn, ChannelOrder, scope.merchant_id, list(ids.values()), scope.sealer)
    rows = {u.key: _order_row(scope, u, before.get(ids.get(u.key, ""))) for u in units}
    _link_orders(conn, scope, list(rows.values()))
    out, stored = _store_orders(conn, scope, rows, before, archive)
    if refused:
        out.missing, out.held_before = refused, set(held.open_ones(conn, scope.flow, refused))
    fresh = [key for key in rows if key not in ids]
    observed.bind(conn, scope.flow, [(key, row[ID]) for key, row in rows.items()], scope.now)
    _claim(conn, scope, room, stored, set(before))
    waiting = orders.waiting_cases(conn, scope, fresh)
    if waiting:
        adopt_cases(conn, scope, room, waiting)
    return out


def _named_twice(row: Sequence[Any]) -> dict[str, Any] | None:
    """Return why an order is held whose lines cannot be told apart: claims and refunds name lines."""
    names = [line[L.external_line_id] for line in row[O.lines] or ()]
    if len(set(names)) == len(names):
        return None
    twice = next(name for name in names if names.count(name) > 1)
    return {
        "class": "MappingError",
        "message": f"Two lines of the order have the same id {twice!r}: they cannot be told apart.",
        "canonical": "lines[].external_line_id",
        "value": repr(twice),
    }


def relink_orders(conn: Connection, scope: Scope, room: Room, variants: Collection[str]) -> None:
    """Take up the orders that named a SKU nobody knew, now that these variants are known.

    They may be any connection's: what the product's own channel calls it, or its code or barcode.
    """
    waiting = orders.waiting_for(
        conn, scope.merchant_id, products.names_of(conn, scope.merchant_id, variants)
    )
    for connection_id, ids in waiting.items():
        here = replace(scope, flow=replace(scope.flow, connection_id=connection_id, kind="order"))
        before = load(conn, ChannelOrder, scope.merchant_id, sorted(ids), scope.sealer)
        rows = {row_id: deepcopy(row) for row_id, (_version, row) in before.items()}
        for row in rows.values():
            _complete(row)
        _link_orders(conn, here, list(rows.values()))
        out, stored = _store_orders(conn, here, rows, before, {})
        write_history(conn, here, out.changes)
        _claim(conn, here, room, stored, set(before))


def begin_order(order: Row) -> None:
    """Give a new order its id and all that follows from its row alone."""
    order[ID] = new_id("channel_order")
    _complete(order)


def _complete(order: Row) -> None:
    """Fill the sums, number the parts and point them at their lines; repeating it changes nothing."""
    orders.fill_amounts(order)
    number_parts(ChannelOrder, order)
    orders.tie_parts(order)


def _order_row(scope: Scope, unit: Unit, known: tuple[int, Row] | None) -> Row:
    if known is None:
        row = unit.new or thaw(ChannelOrder, unit.fields)
        if not row[ID]:
            begin_order(row)
    else:
        row = overlay(ChannelOrder, unit.fields, known[1])
        orders.keep_vanished_lines(known[1], row)
        _complete(row)
    row[O.connection_id] = scope.flow.connection_id
    return row


def _link_orders(conn: Connection, scope: Scope, rows: Sequence[Row]) -> None:
    """Find variants, listing SKUs and members the orders speak of."""
    refs = {}
    for row in rows:
        for line in row[O.lines]:
            if not line[L.variant_id]:
                refs[id(line)] = products.Ref(
                    line[L.external_sku_id], line[L.sku_snapshot], line[L.barcode_snapshot]
                )
    found = products.match(
        conn, scope.merchant_id, scope.flow.connection_id, list(set(refs.values()))
    )
    people = _members(conn, scope, rows)
    for row in rows:
        for line in row[O.lines]:
            if id(line) in refs:
                hit = found[refs[id(line)]]
                line[L.variant_id], line[L.listing_sku_id] = hit.variant_id, hit.listing_sku_id
        customer = row[O.external_customer_id]
        if customer and not row[O.member_id]:
            row[O.member_id] = people.get(customer)


def _members(conn: Connection, scope: Scope, rows: Sequence[Row]) -> dict[str, str]:
    customers = {row[O.external_customer_id] for row in rows if row[O.external_customer_id]}
    hidden = {customer: scope.sealer.index("text", customer).hex() for customer in customers}
    known = observed.refs(conn, replace(scope.flow, kind="member"), hidden.values())
    return {customer: known[key] for customer, key in hidden.items() if key in known}


def _store_orders(
    conn: Connection,
    scope: Scope,
    rows: Mapping[str, Row],
    before: Mapping[str, tuple[int, Row]],
    archive: Mapping[str, str],
) -> tuple[Applied, list[tuple[Row, int]]]:
    out = Applied()
    stored: list[tuple[Row, int]] = []
    batch = Batch(scope.merchant_id, scope.now, scope.sealer)
    for key, row in rows.items():
        orders.fill_states(row)
        known = before.get(row[ID])
        changed = differences(ChannelOrder, known[1], row) if known else None
        if known and not changed:
            out.unchanged.add(key)
            continue
        version = known[0] + 1 if known else 1
        batch.add(ChannelOrder, row, version=version)
        if known:
            batch.drop_gone(ChannelOrder, known[1], row)
        stored.append((row, version))
        out.changes.append(Changed("channel_order", row[ID], version, changed, archive.get(key)))
    batch.write(conn)
    return out, stored


def _claim(
    conn: Connection, scope: Scope, room: Room, stored: Sequence[tuple[Row, int]], known: set[str]
) -> None:
    """Bring reservations to what the stored orders claim, and tell the channels."""
    places_here = stock.places_of(conn, scope.merchant_id, scope.flow.connection_id)
    only = next(iter(places_here.values())) if len(places_here) == 1 else None
    claims: list[Claim] = []
    for row, version in stored:
        for line_id, variant, place, scale, promised, left, since in orders.claims(row):
            spot = places_here.get(place or "", only)
            if spot:
                claims.append(
                    Claim(row[ID], version, line_id, (variant, spot), scale, promised, left, since)
                )
    lines = {line[ID]: v for row, v in stored if row[ID] in known for line in row[O.lines]}
    tell(conn, scope, room, stock.settle(conn, scope, claims, changed_lines=lines), cause="order")

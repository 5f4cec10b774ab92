"""售后: cases tied to their orders, what they bring back to the shelf, what they do to an order's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from hub.commerce.orders.states import payment_state, return_state
from hub.db.bulk import execute_many, fetch_in
from hub.db.scope import Scope
from hub.records import AfterSale, AfterSaleLine, OrderLine, Refund, RefundLine
from hub.records.rows import ID, Row
from hub.records.shape import places, shape

C = places(AfterSale)
K = places(AfterSaleLine)
R = places(Refund)
M = places(RefundLine)
L = places(OrderLine)

Return = tuple[str, str, str | None, int, int, str | None]
"""(case line id, variant id, external location id, scale, quantity, when if the channel said so)."""


def tie_cases(conn: Connection, scope: Scope, cases: Sequence[Row], orders: dict[str, str]) -> None:
    """Point cases, their lines and refunds at our orders; `orders` maps external to internal ids.

    A case whose order is unknown stands alone until the order comes.
    """
    for case in cases:
        case[C.channel_order_id] = orders.get(case[C.external_order_id] or "")
    lines = _order_lines(conn, scope.merchant_id, [c[C.channel_order_id] for c in cases])
    for case in cases:
        order_id = case[C.channel_order_id]
        tied: dict[str, str] = {}
        for line in case[C.lines]:
            known = lines.get((order_id, line[K.external_line_id])) or lines.get(
                (order_id, f"sku:{line[K.sku_snapshot]}")
            )
            if known:
                tied[line[K.external_line_id]] = line[K.order_line_id] = known[0]
                line[K.variant_id] = line[K.variant_id] or known[1]
        for refund in case[C.refunds]:
            refund[R.channel_order_id] = order_id
            for part in refund[R.lines]:
                known = lines.get((order_id, part[M.external_line_id]))
                part[M.order_line_id] = known[0] if known else tied.get(part[M.external_line_id])


def _order_lines(
    conn: Connection, merchant_id: str, order_ids: Iterable[str | None]
) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Return lines by (order, line id), and by (order, `sku:<code>`) where one line alone has the code.

    A till numbers the lines of a return anew: there only the SKU tells which line came back.
    """
    rows = fetch_in(
        conn,
        "SELECT channel_order_id, external_line_id, id, variant_id, sku_snapshot FROM order_line "
        "WHERE merchant_id=? AND channel_order_id IN ({})",
        (merchant_id,),
        sorted({i for i in order_ids if i}),
    )
    codes = Counter((row[0], row[4]) for row in rows)
    out = {
        (row[0], f"sku:{row[4]}"): (row[2], row[3])
        for row in rows
        if row[4] and codes[row[0], row[4]] == 1
    }
    return out | {(row[0], row[1]): (row[2], row[3]) for row in rows}


def back_in_stock(case: Row) -> list[Return]:
    """Return what a case puts back on the shelf: received, accepted and good to sell again."""
    when = case[C.succeeded_at] or case[C.requested_at] or case[C.source_updated_at]
    return [
        (
            line[ID],
            line[K.variant_id],
            line[K.external_location_id],
            line[K.quantity_scale],
            line[K.quantity],
            when,
        )
        for line in case[C.lines]
        if line[K.variant_id]
        and line[K.reception] == "received"
        and line[K.acceptance] == "accepted"
        and line[K.disposition] == "resalable"
    ]


def waiting_cases(
    conn: Connection, scope: Scope, external_order_ids: Sequence[str]
) -> dict[str, list[str]]:
    """Return the stand-alone cases (ids) that wait for one of these orders."""
    rows = fetch_in(
        conn,
        "SELECT external_order_id, id FROM after_sale WHERE merchant_id=? AND connection_id=? "
        "AND channel_order_id IS NULL AND external_order_id IN ({})",
        (scope.merchant_id, scope.flow.connection_id),
        external_order_ids,
    )
    out: dict[str, list[str]] = {}
    for order, case in rows:
        out.setdefault(order, []).append(case)
    return out


def refresh_orders(conn: Connection, scope: Scope, order_ids: Iterable[str]) -> None:
    """Bring refunds and returns into the figures and states of these orders; repeating it changes nothing."""
    ids = sorted({i for i in order_ids if i})
    if not ids:
        return
    _refresh_lines(conn, scope.merchant_id, ids)
    refunded = _sums(conn, scope.merchant_id, ids)
    cases = _case_states(conn, scope.merchant_id, ids)
    lines = _quantities(conn, scope.merchant_id, ids)
    orders = fetch_in(
        conn,
        "SELECT id, order_state, amount_payable, amount_paid, payment_state FROM channel_order "
        "WHERE merchant_id=? AND id IN ({})",
        (scope.merchant_id,),
        ids,
    )
    changes = []
    for order_id, state, payable, paid, before in orders:
        back = refunded.get(order_id, 0)
        after = payment_state(
            order_state=state,
            payable=payable,
            paid=paid,
            authorized=payable if before == "authorized" else 0,
            refunded=back,
        )
        returns = return_state(cases.get(order_id, []), lines.get(order_id, []))
        changes.append((back, after, returns, scope.now, scope.merchant_id, order_id))
    execute_many(
        conn,
        "UPDATE channel_order SET amount_refunded=?, payment_state=?, return_state=?, updated_at=? "
        "WHERE merchant_id=? AND id=?",
        changes,
    )


def _sums(conn: Connection, merchant_id: str, ids: list[str]) -> dict[str, int]:
    rows = fetch_in(
        conn,
        "SELECT channel_order_id, sum(amount) FROM refund WHERE merchant_id=? AND state='succeeded' "
        "AND channel_order_id IN ({}) GROUP BY channel_order_id",
        (merchant_id,),
        ids,
    )
    return {row[0]: int(row[1]) for row in rows}


def _case_states(conn: Connection, merchant_id: str, ids: list[str]) -> dict[str, list[str]]:
    rows = fetch_in(
        conn,
        "SELECT channel_order_id, state FROM after_sale WHERE merchant_id=? AND channel_order_id IN ({})",
        (merchant_id,),
        ids,
    )
    out: dict[str, list[str]] = {}
    for order_id, state in rows:
        out.setdefault(order_id, []).append(state)
    return out


def _quantities(conn: Connection, merchant_id: str, ids: list[str]) -> dict[str, list[Row]]:
    rows = fetch_in(
        conn,
        "SELECT channel_order_id, qty_shipped, qty_returned FROM order_line WHERE merchant_id=? "
        "AND channel_order_id IN ({})",
        (merchant_id,),
        ids,
    )
    out: dict[str, list[Row]] = {}
    for order_id, shipped, returned in rows:
        line: Row = [0] * shape(OrderLine).width
        line[L.qty_shipped], line[L.qty_returned] = shipped, returned
        out.setdefault(order_id, []).append(line)
    return out


def _refresh_lines(conn: Connection, merchant_id: str, ids: list[str]) -> None:
    facts = fetch_in(
        conn,
        "SELECT k.order_line_id, sum(CASE WHEN k.reception='received' THEN k.quantity ELSE 0 END), "
        "sum(CASE WHEN a.state IN ('requested','approved','awaiting_return','return_in_transit') "
        "THEN k.quantity ELSE 0 END) FROM after_sale_line k "
        "JOIN after_sale a ON a.merchant_id=k.merchant_id AND a.id=k.after_sale_id "
        "WHERE k.merchant_id=? AND k.order_line_id IS NOT NULL AND a.channel_order_id IN ({}) "
        "GROUP BY k.order_line_id",
        (merchant_id,),
        ids,
    )
    refunds = fetch_in(
        conn,
        "SELECT m.order_line_id, sum(m.quantity) FROM refund_line m "
        "JOIN refund r ON r.merchant_id=m.merchant_id AND r.id=m.refund_id "
        "WHERE m.merchant_id=? AND m.order_line_id IS NOT NULL AND r.state='succeeded' "
        "AND r.channel_order_id IN ({}) GROUP BY m.order_line_id",
        (merchant_id,),
        ids,
    )
    execute_many(
        conn,
        "UPDATE order_line SET qty_returned=?, qty_return_requested=? WHERE merchant_id=? AND id=?",
        [(int(back), int(asked), merchant_id, line) for line, back, asked in facts],
    )
    execute_many(
        conn,
        "UPDATE order_line SET qty_refunded=? WHERE merchant_id=? AND id=?",
        [(int(quantity), merchant_id, line) for line, quantity in refunds],
    )

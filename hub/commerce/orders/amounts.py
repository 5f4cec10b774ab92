"""The sums of an order. The channel's amounts win: what does not tie becomes an `unexplained` adjustment.

Identities L1, L2, A1, O1, O3 of the canonical model, section 4. All on thawed rows, integers only.
"""

from __future__ import annotations

from hub.records import Adjustment, AdjustmentAllocation, ChannelOrder, OrderLine, allocate
from hub.records.rows import Row
from hub.records.shape import places, shape

O = places(ChannelOrder)  # noqa: E741 - the order's places, named as the record is
L = places(OrderLine)
A = places(Adjustment)
S = places(AdjustmentAllocation)

UNEXPLAINED = "unexplained"


def fill_amounts(order: Row) -> int:
    """Fill every derived amount of a thawed order; returns what stayed unexplained, in minor units.

    Repeating it on its own result changes nothing.
    """
    _drop_unexplained(order)
    _allocate_missing(order)
    _fill_lines(order)
    adjustments = order[O.adjustments]
    order[O.order_discount] = sum(a[A.amount] for a in adjustments if a[A.target] == "order")
    rest: int = order[O.amount_payable] - expected_payable(order)
    if rest:
        adjustments.append(_unexplained(-rest))
    if order[O.merchant_receivable] is None:
        funded = sum(a[A.amount] for a in adjustments if a[A.funded_by] != "merchant")
        order[O.merchant_receivable] = order[O.amount_payable] + funded
    return rest


def expected_payable(order: Row) -> int:
    """Return what O1 says the buyer pays, before anything unexplained."""
    total: int = order[O.items_subtotal] - order[O.items_discount] - order[O.order_discount]
    total += order[O.shipping_subtotal] - order[O.shipping_discount]
    total += order[O.fee_total] + order[O.rounding]
    return total if order[O.tax_included] else total + order[O.tax_total]


def _drop_unexplained(order: Row) -> None:
    order[O.adjustments] = [a for a in order[O.adjustments] if a[A.kind] != UNEXPLAINED]


def _fill_lines(order: Row) -> None:
    subtotal = discount = 0
    taxed = not order[O.tax_included]
    for line in order[O.lines]:
        payable = line[L.line_subtotal] - line[L.line_discount] - line[L.allocated_order_discount]
        line[L.line_payable] = payable + line[L.tax_amount] if taxed else payable
        subtotal += line[L.line_subtotal]
        discount += line[L.line_discount]
    order[O.items_subtotal] = subtotal
    order[O.items_discount] = discount


def _allocate_missing(order: Row) -> None:
    """Give every order-level discount its allocations where the channel did not say how.

    What the lines carry already is dealt out first, in order; only the rest is spread by us.
    """
    lines = order[O.lines]
    pending = [
        a
        for a in order[O.adjustments]
        if a[A.target] == "order" and a[A.amount] > 0 and not a[A.allocations]
    ]
    if not lines or not pending:
        return
    told = _told_shares(order)
    for adjustment in pending:
        left = adjustment[A.amount]
        for line in lines:
            share = min(left, told[line[L.external_line_id]])
            if share:
                adjustment[A.allocations].append(_allocation(line, share))
                told[line[L.external_line_id]] -= share
                left -= share
        _spread(adjustment, lines, left)


def _told_shares(order: Row) -> dict[str, int]:
    """Return what each line carries beyond what the discounts' own allocations put on it."""
    shares = {line[L.external_line_id]: line[L.allocated_order_discount] for line in order[O.lines]}
    for adjustment in order[O.adjustments]:
        for part in adjustment[A.allocations]:
            name = part[S.external_line_id]
            if name in shares:
                shares[name] = max(0, shares[name] - part[S.amount])
    return shares


def _spread(adjustment: Row, lines: list[Row], amount: int) -> None:
    if not amount:
        return
    weights = [
        max(0, ln[L.line_subtotal] - ln[L.line_discount] - ln[L.allocated_order_discount])
        for ln in lines
    ]
    parts = {p[S.external_line_id]: p for p in adjustment[A.allocations]}
    shares = allocate(amount, weights, [ln[L.quantity] for ln in lines])
    for line, share in zip(lines, shares, strict=True):
        known = parts.get(line[L.external_line_id])
        if share and known is not None:
            known[S.amount] += share
        elif share:
            adjustment[A.allocations].append(_allocation(line, share))
        line[L.allocated_order_discount] += share


def _allocation(line: Row, amount: int) -> Row:
    row: Row = [None] * shape(AdjustmentAllocation).width + [""]
    row[S.external_line_id] = line[L.external_line_id]
    row[S.amount] = amount
    return row


def _unexplained(amount: int) -> Row:
    row: Row = [None] * shape(Adjustment).width + [""]
    row[A.external_ref] = UNEXPLAINED
    row[A.target] = "order"
    row[A.kind] = UNEXPLAINED
    row[A.amount] = amount
    row[A.funded_by] = "merchant"
    row[A.allocations] = []
    return row

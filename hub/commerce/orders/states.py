"""The derived states of an order; this module is their only writer. Canonical model, section 5.1.

payment_state     unpaid -> authorized -> partially_paid -> paid -> partially_refunded -> refunded
                  unpaid|authorized -> voided; overpaid
fulfilment_state  unfulfilled -> partially_shipped -> shipped -> partially_delivered -> delivered
                  not_required; cancelled
return_state      none -> requested -> in_progress -> partially_returned | returned
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.records import ChannelOrder, OrderLine, Payment
from hub.records.rows import Row
from hub.records.shape import places

O = places(ChannelOrder)  # noqa: E741 - the order's places
L = places(OrderLine)
P = places(Payment)

_RETURN_WAITING = {"requested"}
_RETURN_MOVING = {
    "approved", "awaiting_return", "return_in_transit", "received", "refunding", "disputed",
}  # fmt: skip


def payment_state(
    *, order_state: str, payable: int, paid: int, authorized: int, refunded: int
) -> str:
    """Derive the payment state from sums in minor units."""
    net = paid - refunded
    if order_state == "cancelled" and paid == 0:
        return "voided"
    if refunded > 0:
        return "refunded" if net <= 0 else "partially_refunded"
    if paid == 0:
        return _nothing_paid(order_state, payable, authorized)
    return "overpaid" if net > payable else "paid" if net == payable else "partially_paid"


def _nothing_paid(order_state: str, payable: int, authorized: int) -> str:
    if payable == 0 and order_state in {"confirmed", "completed"}:
        return "paid"
    return "authorized" if authorized > 0 else "unpaid"


def fulfilment_state(order_state: str, lines: Sequence[Row]) -> str:
    """Derive the fulfilment state from the quantities of the lines."""
    seen = live = shipped = delivered = all_shipped = all_delivered = 0
    for line in lines:
        if not line[L.requires_shipping]:
            continue
        seen += 1
        left = line[L.quantity] - line[L.qty_cancelled]
        if left > 0:
            live += 1
            shipped += line[L.qty_shipped] > 0
            delivered += line[L.qty_delivered] > 0
            all_shipped += line[L.qty_shipped] >= left
            all_delivered += line[L.qty_delivered] >= left
    if not live:
        return "cancelled" if seen else "not_required"
    farthest = (
        ("delivered", all_delivered == live),
        ("partially_delivered", delivered > 0),
        ("shipped", all_shipped == live),
        ("partially_shipped", shipped > 0),
        ("cancelled", order_state == "cancelled"),
    )
    return next((name for name, is_so in farthest if is_so), "unfulfilled")


def return_state(cases: Sequence[str], lines: Sequence[Row]) -> str:
    """Derive the return state from the states of the order's cases and what its lines say came back."""
    if any(state in _RETURN_WAITING for state in cases):
        return "requested"
    if any(state in _RETURN_MOVING for state in cases):
        return "in_progress"
    returned = sum(line[L.qty_returned] for line in lines)
    if not returned:
        return "none"
    shipped = sum(line[L.qty_shipped] for line in lines)
    return "returned" if returned >= shipped else "partially_returned"


def fill_states(order: Row) -> None:
    """Fill paid sums, the three derived states and the reasons that block shipping."""
    payments = order[O.payments]
    paid = sum(p[P.amount] for p in payments if p[P.state] == "captured")
    authorized = sum(p[P.amount] for p in payments if p[P.state] == "authorized")
    order[O.amount_paid] = paid
    order[O.payment_state] = payment_state(
        order_state=order[O.order_state],
        payable=order[O.amount_payable],
        paid=paid,
        authorized=authorized,
        refunded=order[O.amount_refunded],
    )
    order[O.fulfilment_state] = fulfilment_state(order[O.order_state], order[O.lines])
    order[O.hold_reasons] = _hold_reasons(order) or None


def _hold_reasons(order: Row) -> list[str]:
    if order[O.order_state] == "cancelled":
        return []
    return [
        f"sku_unknown:{line[L.external_line_id]}"
        for line in order[O.lines]
        if line[L.line_kind] == "goods" and line[L.requires_shipping] and not line[L.variant_id]
    ]

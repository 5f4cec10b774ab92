"""订单: amounts, states and what an order claims from stock."""

from hub.commerce.orders.aftersale import back_in_stock, refresh_orders, tie_cases, waiting_cases
from hub.commerce.orders.amounts import fill_amounts
from hub.commerce.orders.claims import claims
from hub.commerce.orders.states import fill_states, fulfilment_state, payment_state
from hub.commerce.orders.store import keep_vanished_lines, tie_parts, waiting_for

__all__ = [
    "back_in_stock",
    "claims",
    "fill_amounts",
    "fill_states",
    "fulfilment_state",
    "keep_vanished_lines",
    "payment_state",
    "refresh_orders",
    "tie_cases",
    "tie_parts",
    "waiting_cases",
    "waiting_for",
]

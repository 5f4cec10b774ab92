"""Money in: Shopify transactions as payments.

AUTHORIZATION holds money, CAPTURE takes what was held, SALE does both, VOID gives a hold up,
CHANGE is cash handed back. REFUND is money out and belongs to after-sale cases.

Facts: channel sheet, section 7.2 (OrderTransactionKind, OrderTransactionStatus).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from connectors.shopify.money import amount

Node = Mapping[str, Any]

_TAKING: Final = frozenset({"SALE", "CAPTURE"})
_HOLDING: Final = frozenset({"AUTHORIZATION", "EMV_AUTHORIZATION"})
_WAITING: Final = frozenset({"PENDING", "AWAITING_RESPONSE", "UNKNOWN"})
_PAID: Final = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})

# Gateway words -> canonical method, first hit counts. Gateways are named by their makers; what
# is not here is `other`.
_METHODS: Final = (
    ("alipay", "alipay"),
    ("wechat", "wechat"),
    ("gift_card", "gift_card"),
    ("store_credit", "stored_value"),
    ("cash on delivery", "cod"),
    ("cash_on_delivery", "cod"),
    ("cash", "cash"),
    ("shopify_payments", "card"),
    ("stripe", "card"),
    ("bogus", "card"),
)


def payments(order: Node) -> list[dict[str, Any]]:
    """Return one payment per sale, capture and hold that is still open.

    A hold that was captured is told by its captures; one that was given up is `voided`. Change
    lowers the cash payment it was given for, so that the captured payments add up to what stayed.
    """
    transactions = order["transactions"]
    currency = order["currencyCode"]
    captured, voided, change = _follow_ups(transactions, currency)
    found = []
    for entry in transactions:
        state = _state(entry, captured, voided)
        if state is None:
            continue
        value = amount(entry["amountSet"], currency)
        if change:
            value -= change.get(entry["id"], 0)
        payment = {
            "external_txn_id": entry["id"],
            "method": method(entry["gateway"]),
            "amount": value if value > 0 else 0,
            "state": state,
        }
        if state == "captured":
            payment["captured_at"] = entry["processedAt"]
        found.append(payment)
    return found


def _follow_ups(
    transactions: list[Node], currency: str
) -> tuple[set[str], set[str], dict[str, int]]:
    """Return which holds were captured, which given up, and the change given per payment."""
    captured, voided, change = set(), set(), dict[str, int]()
    for entry in transactions:
        if entry["parentTransaction"] is None or entry["status"] != "SUCCESS":
            continue
        parent = entry["parentTransaction"]["id"]
        if entry["kind"] == "CAPTURE":
            captured.add(parent)
        elif entry["kind"] == "VOID":
            voided.add(parent)
        elif entry["kind"] == "CHANGE":
            change[parent] = change.get(parent, 0) + amount(entry["amountSet"], currency)
    return captured, voided, change


def _state(entry: Node, captured: set[str], voided: set[str]) -> str | None:
    kind, status = entry["kind"], entry["status"]
    if kind not in _TAKING and kind not in _HOLDING:
        return None
    if status in _WAITING:
        return "pending"
    if status != "SUCCESS":
        return "failed"
    if kind in _TAKING:
        return "captured"
    if entry["id"] in captured:
        return None
    return "voided" if entry["id"] in voided else "authorized"


def is_captured(entry: Node) -> bool:
    """Tell whether a transaction brought money in."""
    return entry["kind"] in _TAKING and entry["status"] == "SUCCESS"


@lru_cache(maxsize=256)
def method(gateway: str | None) -> str:
    """Return the canonical method of a gateway's name."""
    name = (gateway or "").lower()
    return next((method for word, method in _METHODS if word in name), "other")


def paid_at(order: Node) -> str | None:
    """Return when the last money of a fully paid order came in."""
    if order["displayFinancialStatus"] not in _PAID:
        return None
    last: str | None = None
    for entry in order["transactions"]:
        at = entry["processedAt"]
        if at and (last is None or at > last) and is_captured(entry):
            last = at
    return last

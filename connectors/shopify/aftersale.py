"""Refunds of an order as after-sale cases. A Shopify refund is a fact: it exists once it was made.

The document is one entry of `order.refunds`; `hub.taxesIncluded` on it is the order's own flag,
put there by the connector because a refund is mapped without its order.

Facts: channel sheet, sections 7.1, 7.2, 7.4; states: canonical model 5.3. UNVERIFIED: that the
subtotal of a refunded line holds the tax exactly when the order's prices do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.shopify.money import own_amount

Node = Mapping[str, Any]

_BACK: Final = frozenset({"RETURN", "LEGACY_RESTOCK"})
_OPEN: Final = frozenset({"PENDING", "AWAITING_RESPONSE", "UNKNOWN"})


def case_kind(refund: Node) -> str:
    """Tell returns from cancellations before shipping and from money alone."""
    kinds = {entry["restockType"] for entry in refund["refundLineItems"]["nodes"]}
    if kinds & _BACK:
        return "return_refund"
    return "cancel_unshipped" if kinds == {"CANCEL"} else "refund_only"


def case_state(refund: Node) -> str:
    """Return `succeeded`, unless the money is still on its way or did not get there."""
    return {"pending": "refunding", "failed": "failed"}.get(_money_state(refund), "succeeded")


def succeeded_at(refund: Node) -> str | None:
    """Return when a refund that is through was made."""
    return str(refund["createdAt"]) if _money_state(refund) == "succeeded" else None


def case_lines(refund: Node) -> list[dict[str, Any]]:
    """Return what came back or was called off, one part per order line."""
    found: dict[str, dict[str, Any]] = {}
    for entry in refund["refundLineItems"]["nodes"]:
        line, is_back = entry["lineItem"], entry["restockType"] in _BACK
        part = found.setdefault(
            line["id"],
            {
                "external_line_id": line["id"],
                "sku_snapshot": line["sku"],
                "quantity": 0,
                "amount": 0,
                "reception": "awaiting",
                "acceptance": "accepted",
            },
        )
        part["quantity"] += entry["quantity"]
        part["amount"] += _worth(entry, refund)
        if is_back:
            place = (entry["location"] or {}).get("id")
            part |= {"reception": "received", "disposition": "resalable"}
            part["external_location_id"] = place
    return list(found.values())


def refunds(refund: Node) -> list[dict[str, Any]]:
    """Return the money of the case: one refund with its parts per order line."""
    state = _money_state(refund)
    money: dict[str, Any] = {
        "external_refund_id": refund["id"],
        "amount": own_amount(refund["totalRefundedSet"]),
        "shipping_amount": _shipping(refund),
        "state": state,
        "lines": [
            {name: part[name] for name in ("external_line_id", "quantity", "amount")}
            for part in case_lines(refund)
        ],
    }
    if state == "succeeded":
        money["succeeded_at"] = refund["createdAt"]
    return [money]


def _money_state(refund: Node) -> str:
    states = [entry["status"] for entry in refund["transactions"]["nodes"]]
    if any(state in _OPEN for state in states):
        return "pending"
    if states and not any(state == "SUCCESS" for state in states):
        return "failed"
    return "succeeded"


def _shipping(refund: Node) -> int:
    nodes: Sequence[Node] = refund["refundShippingLines"]["nodes"]
    net = sum(own_amount(entry["subtotalAmountSet"]) for entry in nodes)
    if refund["hub"]["taxesIncluded"]:
        return net
    return net + sum(own_amount(entry["taxAmountSet"]) for entry in nodes)


def _worth(entry: Node, refund: Node) -> int:
    net = own_amount(entry["subtotalSet"])
    return net if refund["hub"]["taxesIncluded"] else net + own_amount(entry["totalTaxSet"])

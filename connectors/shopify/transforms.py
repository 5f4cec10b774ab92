"""Mapping functions of Shopify documents that need more than a path: states, sums, discounts.

All pure. One that reads several places of a document stands at `native: .` and gets it whole.
Facts: channel sheet, sections 7 and 9; which amount means what: canonical model, sections 5.2
and 6 (Shopify).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from connectors.shopify.aftersale import (
    case_kind,
    case_lines,
    case_state,
    refunds,
    succeeded_at,
)
from connectors.shopify.fulfilment import departed, fulfilments, is_delivered
from connectors.shopify.member import addresses, consents, identities, phone
from connectors.shopify.money import amount, total
from connectors.shopify.payment import paid_at, payments
from hub.records.money import exponent, half_up, scaled
from hub.sdk import Transform

Node = Mapping[str, Any]

_PAID: Final = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
_CONFIRMED: Final = _PAID | {"AUTHORIZED", "PARTIALLY_PAID"}
_WAITING: Final = frozenset({"PENDING", "EXPIRED", "VOIDED"})
_SHIPPED: Final = frozenset({"FULFILLED", "FULFILLMENT_NOT_REQUIRED"})
_GRAMS: Final = {"GRAMS": 1.0, "KILOGRAMS": 1000.0, "OUNCES": 28.349523125, "POUNDS": 453.59237}
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_GTIN_TYPES: Final = {8: "EAN8", 12: "UPCA", 13: "EAN13", 14: "GTIN14"}


def order_state(order: Node) -> str:
    """Return the canonical order state; a financial status we do not know is `unknown`.

    `closedAt` is archiving, not completion: it counts only when the order is paid and shipped.
    """
    if order["cancelledAt"] is not None:
        return "cancelled"
    financial = order["displayFinancialStatus"]
    if financial is None or financial in _WAITING or not order["confirmed"]:
        return "pending"
    if financial not in _CONFIRMED:
        return "unknown"
    if _is_completed(order):
        return "completed"
    return "on_hold" if order["displayFulfillmentStatus"] == "ON_HOLD" else "confirmed"


def _is_completed(order: Node) -> bool:
    return (
        order["closedAt"] is not None
        and order["displayFinancialStatus"] in _PAID
        and order["displayFulfillmentStatus"] in _SHIPPED
    )


def raw_states(order: Node) -> dict[str, Any]:
    """Keep the channel's own words; the rarer ones only where they are said."""
    words: dict[str, Any] = {
        "financial": order["displayFinancialStatus"],
        "fulfillment": order["displayFulfillmentStatus"],
        "return": order["returnStatus"],
    }
    if order["cancelReason"] is not None:
        words["cancel_reason"] = order["cancelReason"]
    if order["edited"]:
        words["edited"] = True
    if order["test"]:
        words["test"] = True
    return words


def completed_at(order: Node) -> str | None:
    """Return when a paid and shipped order was archived."""
    if order["cancelledAt"] is not None or not _is_completed(order):
        return None
    return str(order["closedAt"])


def shipped_at(order: Node) -> str | None:
    """Return when the last parcel of a wholly shipped order left."""
    if order["displayFulfillmentStatus"] != "FULFILLED":
        return None
    return max([f["createdAt"] for f in order["fulfillments"] if departed(f)], default=None)


def delivered_at(order: Node) -> str | None:
    """Return when the last parcel of a wholly shipped and delivered order arrived."""
    if order["displayFulfillmentStatus"] != "FULFILLED":
        return None
    gone = [f for f in order["fulfillments"] if departed(f)]
    if not all(map(is_delivered, gone)):
        return None
    return max([f["deliveredAt"] for f in gone if f["deliveredAt"]], default=None)


def delivery_term(gateways: Sequence[str]) -> str:
    """Tell cash on delivery from the rest, by the name Shopify gives that manual method."""
    if any("cash on delivery" in name.lower().replace("_", " ") for name in gateways):
        return "cod"
    return "prepaid"


def street(address: Node | None) -> str | None:
    """Join the two address lines."""
    if address is None:
        return None
    return " ".join(part for part in (address["address1"], address["address2"]) if part) or None


def shipping_subtotal(order: Node) -> int:
    """Add up what shipping cost before discounts."""
    currency, found = order["currencyCode"], 0
    for line in order["shippingLines"]["nodes"]:
        found += amount(line["originalPriceSet"], currency)
    return found


def shipping_discount(order: Node) -> int:
    """Add up what was taken off shipping."""
    currency, found = order["currencyCode"], 0
    for line in order["shippingLines"]["nodes"]:
        found += amount(line["originalPriceSet"], currency)
        found -= amount(line["discountedPriceSet"], currency)
    return found


def fees(order: Node) -> int:
    """Add tips, duties and additional fees, as far as they are not inside the prices already.

    UNVERIFIED: that `totalPriceSet` contains duties and additional fees. A tip is told both by
    its own total and by a line of its own (channel sheet, trap 23): it is counted once.
    """
    currency = order["currencyCode"]
    extra = amount(order["originalTotalAdditionalFeesSet"], currency)
    if not order["dutiesIncluded"]:
        extra += amount(order["originalTotalDutiesSet"], currency)
    tips = amount(order["totalTipReceivedSet"], currency)
    if tips and _goods_and_shipping(order) + extra == amount(order["totalPriceSet"], currency):
        return extra
    return extra + tips


def _goods_and_shipping(order: Node) -> int:
    currency = order["currencyCode"]
    lines = order["lineItems"]["nodes"]
    worth = total(line["originalTotalSet"] for line in lines)
    worth -= sum(_allocated(line["discountAllocations"]) for line in lines)
    worth += shipping_subtotal(order) - shipping_discount(order)
    return worth + (0 if order["taxesIncluded"] else amount(order["totalTaxSet"], currency))


def line_discount(allocations: Sequence[Node]) -> int:
    """Add up the discounts that are the line's own (each unit, or this one entry)."""
    return _allocated([a for a in allocations if not _is_across(a)]) if allocations else 0


def order_discount(allocations: Sequence[Node]) -> int:
    """Add up the line's parts of discounts that go across the order."""
    return _allocated([a for a in allocations if _is_across(a)]) if allocations else 0


def _is_across(allocation: Node) -> bool:
    return bool(allocation["discountApplication"]["allocationMethod"] == "ACROSS")


def _allocated(allocations: Iterable[Node]) -> int:
    return total([a["allocatedAmountSet"] for a in allocations])


def adjustments(order: Node) -> list[dict[str, Any]]:
    """Make one adjustment per discount application, with its part on every line that carries one."""
    known = order["discountApplications"]["nodes"]
    if not known:
        return []
    currency = order["currencyCode"]
    shares: dict[int, dict[str | None, int]] = {}
    parts = [(line["id"], line["discountAllocations"]) for line in order["lineItems"]["nodes"]]
    parts += [(None, line["discountAllocations"]) for line in order["shippingLines"]["nodes"]]
    for owner, allocations in parts:  # two shipping lines are one *shipping* to the hub
        for entry in allocations:
            value = amount(entry["allocatedAmountSet"], currency)
            if value:
                by_owner = shares.setdefault(entry["discountApplication"]["index"], {})
                by_owner[owner] = by_owner.get(owner, 0) + value
    return [_adjustment(a, shares[a["index"]]) for a in known if a["index"] in shares]


def _adjustment(application: Node, shares: Mapping[str | None, int]) -> dict[str, Any]:
    return {
        "external_ref": f"discount:{application['index']}",
        "target": _target(application),
        "kind": _KIND_OF_APPLICATION.get(application["__typename"], "promotion"),
        "coupon_code": application.get("code"),
        "title": application.get("title") or application.get("code"),
        "amount": sum(shares.values()),
        "funded_by": "merchant",
        "allocations": [
            {"external_line_id": owner, "amount": value} for owner, value in shares.items()
        ],
    }


def _target(application: Node) -> str:
    if application["targetType"] == "SHIPPING_LINE":
        return "shipping"
    return "order" if application["allocationMethod"] == "ACROSS" else "line"


_KIND_OF_APPLICATION: Final = {
    "DiscountCodeApplication": "coupon",
    "AutomaticDiscountApplication": "promotion",
    "ScriptDiscountApplication": "promotion",
    "ManualDiscountApplication": "manual",
}


def tax_amount(lines: Sequence[Node]) -> int:
    """Add up the taxes of a line."""
    return total([line["priceSet"] for line in lines])


def tax_rate_bp(lines: Sequence[Node]) -> int | None:
    """Add up the tax rates of a line in basis points; None when Shopify tells none."""
    if len(lines) == 1 and lines[0]["rate"] is not None:
        return _basis_points(lines[0]["rate"])
    rates = [float(line["rate"]) for line in lines if line["rate"] is not None]
    return round(sum(rates) * 10_000) if rates else None


@lru_cache(maxsize=256)
def _basis_points(rate: str | float) -> int:
    return round(float(rate) * 10_000)


@lru_cache(maxsize=8192)
def _whole(text: str, currency: str) -> int | None:
    """Return a price in minor units, None when it is finer than one."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal number")
    return scaled(text, exponent(currency))


def unit_price(bag: Node) -> int:
    """Return a unit price in minor units, rounded: it is for display, totals are never made of it."""
    money = bag["shopMoney"]
    found = _whole(money["amount"], money["currencyCode"])
    if found is None:
        return half_up(Decimal(money["amount"]).scaleb(exponent(money["currencyCode"])))
    return found


def unit_price_exact(bag: Node) -> str | None:
    """Return a unit price as it is written when it is finer than a minor unit, else None."""
    money = bag["shopMoney"]
    text: str = money["amount"]
    return text if _whole(text, money["currencyCode"]) is None else None


def line_kind(is_gift_card: bool) -> str:
    """Tell a gift card from goods."""
    return "stored_value" if is_gift_card else "goods"


def option_list(options: Sequence[Node]) -> list[dict[str, Any]]:
    """Keep names and values of a product's options, in their order."""
    ordered = sorted(options, key=lambda option: option["position"])
    return [{"name": option["name"], "values": list(option["values"])} for option in ordered]


def option_values(selected: Sequence[Node]) -> dict[str, str]:
    """Return a variant's options by name."""
    return {option["name"]: option["value"] for option in selected}


def weight_g(weight: Node | None) -> int | None:
    """Return a weight in whole grams; None when none was entered or its unit is new to us."""
    if weight is None or weight["unit"] not in _GRAMS:
        return None
    return round(float(weight["value"]) * _GRAMS[weight["unit"]])


def variant_kind(variant: Node) -> str:
    """Tell bundles and things without stock from simple goods."""
    if variant["requiresComponents"]:
        return "bundle"
    item = variant["inventoryItem"]
    return "simple" if item["tracked"] or item["requiresShipping"] else "virtual"


def barcodes(barcode: str | None) -> list[dict[str, Any]]:
    """Make the list of codes of a variant from its one field; `gtin14` only for a right check digit."""
    code = (barcode or "").strip()
    if not code:
        return []
    if not (code.isascii() and code.isdecimal() and len(code) in _GTIN_TYPES and _checks(code)):
        return [{"type": "other", "value": code}]
    part: dict[str, Any] = {"type": _GTIN_TYPES[len(code)], "value": code}
    # GS1: 02 and 20-29 (of eight digits: 0 and 2) are for in-store use and name nothing outside.
    full = code.zfill(14)
    is_in_store = full[1:3] == "02" or full[1] == "2"
    if not is_in_store and (part["type"] != "EAN8" or code[0] not in "02"):
        part["gtin14"] = full
    return [part]


def _checks(code: str) -> bool:
    """Verify a GTIN's check digit: weights 3 and 1 from the right."""
    digits = [int(digit) for digit in reversed(code)]
    return sum(d * (3 if at % 2 else 1) for at, d in enumerate(digits)) % 10 == 0


def promised(quantities: Sequence[Node]) -> int | None:
    """Return what is promised to orders and drafts: `committed` and `reserved`."""
    return _named(quantities, ("committed", "reserved"))


def unavailable(quantities: Sequence[Node]) -> int | None:
    """Return what lies there and cannot be sold: `damaged` and `quality_control`."""
    return _named(quantities, ("damaged", "quality_control"))


def _named(quantities: Sequence[Node], names: Sequence[str]) -> int | None:
    found = [entry["quantity"] for entry in quantities if entry["name"] in names]
    return sum(found) if found else None


_FUNCTIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "addresses": addresses,
    "adjustments": adjustments,
    "barcodes": barcodes,
    "case_kind": case_kind,
    "case_lines": case_lines,
    "case_state": case_state,
    "completed_at": completed_at,
    "consents": consents,
    "delivered_at": delivered_at,
    "delivery_term": delivery_term,
    "fees": fees,
    "fulfilments": fulfilments,
    "identities": identities,
    "line_discount": line_discount,
    "line_kind": line_kind,
    "option_list": option_list,
    "option_values": option_values,
    "order_discount": order_discount,
    "order_state": order_state,
    "paid_at": paid_at,
    "payments": payments,
    "phone": phone,
    "promised": promised,
    "raw_states": raw_states,
    "refunds": refunds,
    "shipped_at": shipped_at,
    "shipping_discount": shipping_discount,
    "shipping_subtotal": shipping_subtotal,
    "street": street,
    "succeeded_at": succeeded_at,
    "tax_amount": tax_amount,
    "tax_rate_bp": tax_rate_bp,
    "unavailable": unavailable,
    "unit_price": unit_price,
    "unit_price_exact": unit_price_exact,
    "variant_kind": variant_kind,
    "weight_g": weight_g,
}

TRANSFORMS: Final[Mapping[str, Transform]] = {
    f"shopify_{name}": Transform(function) for name, function in _FUNCTIONS.items()
}
"""Every mapping function under the name mapping files use; all read only."""

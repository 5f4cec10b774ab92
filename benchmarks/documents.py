"""What the fake shop holds: orders, products and stock levels, in the shape our queries ask for.

Everything follows from a number, so two processes agree without talking, and amounts tie: lines
less discounts plus shipping is the total, taxes are inside the prices.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

Node = dict[str, Any]

SKUS = 300
PLACES = ("S01", "S02")
CUSTOMERS = 5_000
OPENED = datetime(2026, 1, 31, tzinfo=UTC)
FIRST = datetime(2026, 2, 1, tzinfo=UTC)
STEP_S = 30
SHIPPING = 1_000
_GATEWAYS = ("shopify_payments", "alipay", "wechat_pay")
_TOWNS = (("上海市", "Shanghai", "SH"), ("杭州市", "Zhejiang", "ZJ"), ("深圳市", "Guangdong", "GD"))


def gid(kind: str, number: int) -> str:
    """Write a global id."""
    return f"gid://shopify/{kind}/{number}"


def decimal(minor: int) -> str:
    """Write minor units as Shopify does: at least one digit behind the point."""
    whole, rest = divmod(abs(minor), 100)
    text = f"{whole}.{rest:02d}"
    return ("-" if minor < 0 else "") + text.removesuffix("0")


def at(number: int, after_s: int = 0) -> str:
    """Return when order `number` was last changed, or `after_s` later."""
    return (FIRST + timedelta(seconds=number * STEP_S + after_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _bag(minor: int) -> Node:
    return {"shopMoney": {"amount": decimal(minor)}}


def _named_bag(minor: int) -> Node:
    return {"shopMoney": {"amount": decimal(minor), "currencyCode": "CNY"}}


def _list(nodes: list[Node]) -> Node:
    return {
        "pageInfo": {"hasNextPage": False, "endCursor": "end" if nodes else None},
        "nodes": nodes,
    }


def _tax(minor: int) -> int:
    return (minor * 13 + 56) // 113


def _allocation(minor: int, index: int, method: str) -> Node:
    application = {"index": index, "allocationMethod": method}
    return {"allocatedAmountSet": _named_bag(minor), "discountApplication": application}


def price(sku: int) -> int:
    """Return a SKU's price in minor units."""
    return 990 + 37 * sku


def _line(number: int, place: int) -> tuple[Node, int]:
    """Return a line and what the buyer pays for it."""
    mix = (number * 2654435761 + place * 40503) & 0xFFFFFFFF
    sku = (mix >> 16) % SKUS * ((mix >> 4) % SKUS) // SKUS  # few SKUs sell most, as in a real shop
    quantity = 1 + mix % 3
    worth = quantity * price(sku)
    allocations, left = [], worth
    if number % 5 == 0 and place == 0:
        allocations.append(_allocation(worth // 10, 0, "EACH"))
        left -= worth // 10
    if number % 3 == 0:
        across = left // 20
        allocations.append(_allocation(across, 1 if number % 5 == 0 else 0, "ACROSS"))
        left -= across
    node: Node = {
        "id": gid("LineItem", number * 10 + place), "title": f"Demo article 示例商品 {sku // 3}",
        "variantTitle": f"Size {sku % 3}", "sku": f"SKU-{sku:04d}", "quantity": quantity,
        "currentQuantity": quantity, "unfulfilledQuantity": quantity, "requiresShipping": True,
        "isGiftCard": False, "variant": {"id": gid("ProductVariant", 300_000 + sku)},
        "originalUnitPriceSet": _named_bag(price(sku)), "originalTotalSet": _named_bag(worth),
        "discountAllocations": allocations,
        "taxLines": [{"title": "VAT", "rate": 0.13, "priceSet": _named_bag(_tax(left))}],
    }  # fmt: skip
    return node, left


def _applications(number: int) -> list[Node]:
    nodes: list[Node] = []
    if number % 5 == 0:
        nodes.append({"__typename": "AutomaticDiscountApplication", "index": 0, "allocationMethod": "EACH",
                      "targetType": "LINE_ITEM", "title": "Autumn 秋季"})  # fmt: skip
    if number % 3 == 0:
        nodes.append({"__typename": "DiscountCodeApplication", "index": len(nodes),
                      "allocationMethod": "ACROSS", "targetType": "LINE_ITEM", "code": "FIVE"})  # fmt: skip
    return nodes


def _work(number: int, lines: list[Node], *, shipped: bool) -> Node:
    place = number % 4 == 3
    return {
        "id": gid("FulfillmentOrder", number), "status": "CLOSED" if shipped else "OPEN",
        "requestStatus": "UNSUBMITTED", "updatedAt": at(number),
        "assignedLocation": {"name": PLACES[place], "location": {"id": gid("Location", 11 + place)}},
        "lineItems": _list([
            {"id": gid("FulfillmentOrderLineItem", number * 10 + i), "totalQuantity": line["quantity"],
             "remainingQuantity": 0 if shipped else line["quantity"], "lineItem": {"id": line["id"]}}
            for i, line in enumerate(lines)
        ]),
    }  # fmt: skip


def _parcel(number: int, lines: list[Node]) -> Node:
    track = {
        "company": "SF Express",
        "number": f"SF{number:010d}",
        "url": f"https://sf.example/{number}",
    }
    return {
        "id": gid("Fulfillment", number), "status": "SUCCESS", "displayStatus": "FULFILLED",
        "createdAt": at(number, -60), "updatedAt": at(number, -60), "deliveredAt": None,
        "trackingInfo": [track],
        "fulfillmentLineItems": _list([
            {"id": gid("FulfillmentLineItem", number * 10 + i), "quantity": line["quantity"],
             "lineItem": {"id": line["id"]}}
            for i, line in enumerate(lines)
        ]),
        "fulfillmentOrders": _list([{"id": gid("FulfillmentOrder", number)}]),
    }  # fmt: skip


def _refund(number: int, line: Node, minor: int) -> Node:
    money: Node = {"id": gid("OrderTransaction", number * 10 + 5), "kind": "REFUND", "status": "SUCCESS",
                   "processedAt": at(number), "amountSet": _named_bag(minor)}  # fmt: skip
    back = {
        "quantity": line["quantity"], "restockType": "RETURN", "location": {"id": gid("Location", 11)},
        "lineItem": {"id": line["id"], "sku": line["sku"]}, "subtotalSet": _named_bag(minor),
        "totalTaxSet": _named_bag(_tax(minor)),
    }  # fmt: skip
    return {
        "id": gid("Refund", number), "createdAt": at(number), "updatedAt": at(number), "note": None,
        "totalRefundedSet": _named_bag(minor), "refundLineItems": _list([back]),
        "refundShippingLines": _list([]), "orderAdjustments": _list([]), "transactions": _list([money]),
    }  # fmt: skip


def order(number: int, changed_at: str | None = None) -> Node:
    """Return order `number`; with `changed_at` as it looks after a later change (its note)."""
    lines, paid = [], []
    for place in range(1 + number % 4):
        line, left = _line(number, place)
        lines.append(line)
        paid.append(left)
    shipped, waits = number % 5 > 1, number % 10 == 9
    returned = paid[0] if number % 40 == 7 else 0
    if shipped:
        for line in lines:
            line["unfulfilledQuantity"] = 0
    if returned:
        lines[0]["currentQuantity"] = 0
    total = sum(paid) + SHIPPING
    sale = {
        "id": gid("OrderTransaction", number * 10), "kind": "SALE", "status": "PENDING" if waits else "SUCCESS",
        "gateway": _GATEWAYS[number % 3], "processedAt": at(number, -3_500), "test": False,
        "amountSet": _bag(total), "parentTransaction": None,
    }  # fmt: skip
    shipping = {
        "id": gid("ShippingLine", number), "title": "顺丰速运 SF Express", "code": "SF-STD",
        "originalPriceSet": _bag(SHIPPING), "discountedPriceSet": _bag(SHIPPING), "discountAllocations": [],
    }  # fmt: skip
    return {
        **_head(number, changed_at, shipped=shipped, waits=waits, returned=bool(returned)),
        "totalPriceSet": {**_bag(total), "presentmentMoney": {"amount": decimal(total)}},
        "currentTotalPriceSet": _bag(total - returned), "totalTaxSet": _bag(sum(map(_tax, paid))),
        "totalTipReceivedSet": _bag(0), "originalTotalDutiesSet": None, "originalTotalAdditionalFeesSet": None,
        "totalCashRoundingAdjustment": {"paymentSet": _bag(0), "refundSet": _bag(0)},
        "customer": {"id": gid("Customer", 70_000 + number * 7 % CUSTOMERS)}, "shippingAddress": _address(number),
        "lineItems": _list(lines), "discountApplications": _list(_applications(number)),
        "shippingLines": _list([shipping]), "transactions": [sale],
        "refunds": [_refund(number, lines[0], returned)] if returned else [],
        "fulfillmentOrders": _list([_work(number, lines, shipped=shipped)]),
        "fulfillments": [_parcel(number, lines)] if shipped else [],
    }  # fmt: skip


def _head(
    number: int, changed_at: str | None, *, shipped: bool, waits: bool, returned: bool
) -> Node:
    financial = "PENDING" if waits else "PARTIALLY_REFUNDED" if returned else "PAID"
    return {
        "id": gid("Order", 9_000_000 + number), "name": f"#{1000 + number}", "createdAt": at(number, -3_600),
        "updatedAt": changed_at or at(number), "processedAt": at(number, -3_600), "closedAt": None,
        "cancelledAt": None, "cancelReason": None, "test": False, "confirmed": True, "edited": False,
        "currencyCode": "CNY", "presentmentCurrencyCode": "CNY", "taxesIncluded": True, "dutiesIncluded": False,
        "sourceName": "web", "tags": ["vip"] if number % 6 == 0 else [],
        "note": f"changed {changed_at}" if changed_at else None, "paymentGatewayNames": [_GATEWAYS[number % 3]],
        "displayFinancialStatus": financial, "displayFulfillmentStatus": "FULFILLED" if shipped else "UNFULFILLED",
        "returnStatus": "RETURNED" if returned else "NO_RETURN",
    }  # fmt: skip


def _address(number: int) -> Node:
    city, province, code = _TOWNS[number % 3]
    return {
        "name": f"王伟 Buyer {number}", "address1": f"演示路 {number % 900 + 1} 号", "address2": None, "city": city,
        "province": province, "provinceCode": code, "countryCodeV2": "CN", "zip": f"{200_000 + number % 9_000}",
        "phone": f"+86139{number % 100_000_000:08d}",
    }  # fmt: skip


def product(number: int) -> Node:
    """Return product `number`, which has the three SKUs from `3 * number` on."""
    stamp = OPENED.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": gid("Product", 200_000 + number), "title": f"Demo article 示例商品 {number}",
        "handle": f"article-{number}", "status": "ACTIVE", "vendor": "Demo", "productType": "Shirts", "tags": [],
        "descriptionHtml": "<p>Demo</p>", "createdAt": stamp, "updatedAt": stamp, "onlineStoreUrl": None,
        "priceRangeV2": {"minVariantPrice": {"currencyCode": "CNY"}},
        "options": [{"id": gid("ProductOption", number), "name": "Size", "position": 1,
                     "values": ["Size 0", "Size 1", "Size 2"]}],
        "variants": _list([_variant(number * 3 + i, i, stamp) for i in range(3)]),
    }  # fmt: skip


def _variant(sku: int, place: int, stamp: str) -> Node:
    return {
        "id": gid("ProductVariant", 300_000 + sku), "title": f"Size {place}", "sku": f"SKU-{sku:04d}",
        "barcode": None, "price": decimal(price(sku)), "compareAtPrice": None, "position": place + 1,
        "taxable": True, "inventoryPolicy": "DENY", "inventoryQuantity": 2_000_000, "updatedAt": stamp,
        "requiresComponents": False, "selectedOptions": [{"name": "Size", "value": f"Size {place}"}],
        "inventoryItem": {
            "id": gid("InventoryItem", 400_000 + sku), "tracked": True, "sku": f"SKU-{sku:04d}",
            "requiresShipping": True, "unitCost": None, "measurement": {"weight": {"unit": "GRAMS", "value": 250}},
        },
    }  # fmt: skip


def level(sku: int, place: int) -> Node:
    """Return the stock of a SKU at a place: a million pieces, so that nothing runs out."""
    stamp = OPENED.strftime("%Y-%m-%dT%H:%M:%SZ")
    figures = {"available": 1_000_000, "on_hand": 1_000_000}
    names = (
        "available",
        "on_hand",
        "committed",
        "incoming",
        "reserved",
        "damaged",
        "safety_stock",
        "quality_control",
    )
    return {
        "id": f"{gid('InventoryLevel', 6_000 + place)}?inventory_item_id={400_000 + sku}", "isActive": True,
        "updatedAt": stamp, "item": {"id": gid("InventoryItem", 400_000 + sku), "sku": f"SKU-{sku:04d}",
                                     "tracked": True},
        "location": {"id": gid("Location", 11 + place), "name": PLACES[place]},
        "quantities": [{"name": name, "quantity": figures.get(name, 0), "updatedAt": stamp} for name in names],
    }  # fmt: skip

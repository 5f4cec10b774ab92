"""Shopify documents of a test, with only what matters changed."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]
NO_MORE = {"hasNextPage": False, "endCursor": None}


def several(*nodes: Node) -> Node:
    return {"pageInfo": NO_MORE, "nodes": list(nodes)}


def bag(amount: str, currency: str = "CNY") -> Node:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def a_line(number: int = 1, **changed: Any) -> Node:
    line = {
        "id": f"gid://shopify/LineItem/{number}", "title": "Mug", "variantTitle": "Red",
        "sku": f"MUG-{number}", "quantity": 1, "currentQuantity": 1, "unfulfilledQuantity": 1,
        "requiresShipping": True, "isGiftCard": False,
        "variant": {"id": f"gid://shopify/ProductVariant/{number}"},
        "originalUnitPriceSet": bag("15.0"), "originalTotalSet": bag("15.0"),
        "discountAllocations": [], "taxLines": [],
    }  # fmt: skip
    return line | changed


def an_allocation(index: int, amount: str, method: str = "ACROSS") -> Node:
    application = {"index": index, "allocationMethod": method}
    return {"allocatedAmountSet": bag(amount), "discountApplication": application}


def an_application(index: int, kind: str = "DiscountCodeApplication", **changed: Any) -> Node:
    application = {
        "__typename": kind, "index": index, "allocationMethod": "ACROSS", "targetType": "LINE_ITEM",
    }  # fmt: skip
    word = {"code": "TEN"} if kind == "DiscountCodeApplication" else {"title": "Sale"}
    return application | word | changed


def a_transaction(number: int, kind: str = "SALE", **changed: Any) -> Node:
    transaction = {
        "id": f"gid://shopify/OrderTransaction/{number}", "kind": kind, "status": "SUCCESS",
        "gateway": "shopify_payments", "processedAt": "2026-10-05T08:01:00Z", "test": False,
        "amountSet": bag("15.0"), "parentTransaction": None,
    }  # fmt: skip
    return transaction | changed


def a_work(number: int, *lines: tuple[int, int], **changed: Any) -> Node:
    work = {
        "id": f"gid://shopify/FulfillmentOrder/{number}", "status": "OPEN",
        "requestStatus": "UNSUBMITTED", "updatedAt": "2026-10-05T08:00:00Z",
        "assignedLocation": {"name": "East", "location": {"id": "gid://shopify/Location/11"}},
        "lineItems": several(*(
            {
                "id": f"gid://shopify/FulfillmentOrderLineItem/{number}{line}",
                "totalQuantity": units, "remainingQuantity": units,
                "lineItem": {"id": f"gid://shopify/LineItem/{line}"},
            }
            for line, units in lines
        )),
    }  # fmt: skip
    return work | changed


def a_parcel(number: int, work: int | None, *lines: tuple[int, int], **changed: Any) -> Node:
    owners = [] if work is None else [{"id": f"gid://shopify/FulfillmentOrder/{work}"}]
    parcel = {
        "id": f"gid://shopify/Fulfillment/{number}", "status": "SUCCESS",
        "displayStatus": "FULFILLED", "createdAt": "2026-10-06T09:00:00Z",
        "updatedAt": "2026-10-06T09:00:00Z", "deliveredAt": None,
        "trackingInfo": [{"company": "SF Express", "number": f"SF{number}", "url": None}],
        "fulfillmentLineItems": several(*(
            {
                "id": f"gid://shopify/FulfillmentLineItem/{number}{line}", "quantity": units,
                "lineItem": {"id": f"gid://shopify/LineItem/{line}"},
            }
            for line, units in lines
        )),
        "fulfillmentOrders": several(*owners),
    }  # fmt: skip
    return parcel | changed


def a_refund_line(line: int, units: int, kind: str = "RETURN", **changed: Any) -> Node:
    entry = {
        "quantity": units, "restockType": kind, "location": {"id": "gid://shopify/Location/11"},
        "lineItem": {"id": f"gid://shopify/LineItem/{line}", "sku": f"MUG-{line}"},
        "subtotalSet": bag("15.0"), "totalTaxSet": bag("1.5"),
    }  # fmt: skip
    return entry | changed


def a_refund(number: int, *lines: Node, **changed: Any) -> Node:
    refund = {
        "id": f"gid://shopify/Refund/{number}", "createdAt": "2026-10-08T10:00:00Z",
        "updatedAt": "2026-10-08T10:00:00Z", "note": None, "totalRefundedSet": bag("15.0"),
        "refundLineItems": several(*lines), "refundShippingLines": several(),
        "orderAdjustments": several(),
        "transactions": several({"status": "SUCCESS"}), "hub": {"taxesIncluded": True},
    }  # fmt: skip
    return refund | changed


def an_order(**changed: Any) -> Node:
    order = {
        "id": "gid://shopify/Order/9001", "name": "#1042", "createdAt": "2026-10-05T08:00:00Z",
        "updatedAt": "2026-10-05T08:03:11Z", "processedAt": "2026-10-05T08:00:00Z",
        "closedAt": None, "cancelledAt": None, "cancelReason": None, "test": False,
        "confirmed": True, "edited": False, "currencyCode": "CNY", "presentmentCurrencyCode": "CNY",
        "taxesIncluded": True, "dutiesIncluded": False, "sourceName": "web", "tags": [],
        "note": None, "paymentGatewayNames": ["shopify_payments"],
        "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
        "returnStatus": "NO_RETURN", "totalPriceSet": bag("15.0"),
        "currentTotalPriceSet": bag("15.0"), "totalTaxSet": bag("0.0"),
        "totalTipReceivedSet": bag("0.0"), "originalTotalDutiesSet": None,
        "originalTotalAdditionalFeesSet": None,
        "totalCashRoundingAdjustment": {"paymentSet": bag("0.0"), "refundSet": bag("0.0")},
        "customer": {"id": "gid://shopify/Customer/77"}, "shippingAddress": None,
        "lineItems": several(a_line()), "discountApplications": several(),
        "shippingLines": several(), "transactions": [a_transaction(1)], "refunds": [],
        "fulfillmentOrders": several(a_work(1, (1, 1))), "fulfillments": [],
    }  # fmt: skip
    return order | changed


def a_shipping_line(price: str, after: str, *allocations: Node) -> Node:
    return {
        "id": "gid://shopify/ShippingLine/1", "title": "SF", "code": "SF",
        "originalPriceSet": bag(price), "discountedPriceSet": bag(after),
        "discountAllocations": list(allocations),
    }  # fmt: skip

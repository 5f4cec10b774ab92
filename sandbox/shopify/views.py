"""Orders as GraphQL shows them (fact sheet, section 7)."""

from __future__ import annotations

from typing import Any

from sandbox.shopify import reckon
from sandbox.shopify.money import amount, bag, gid, one, when
from sandbox.shopify.store import Row
from sandbox.shopify.world import View, World


def order_view(world: World, row: Row) -> View:
    """Return the view of an order; what `total*` and `current*` mean is in the fact sheet."""
    currency = row["currency"]
    lines = {line["id"]: _line(row, line) for line in row["lines"]}
    payments = {t["id"]: _transaction(row, t) for t in row["transactions"]}
    for t in row["transactions"]:
        payments[t["id"]]["parentTransaction"] = payments.get(t["parent"])
    customer = world.views["customer"].get(row["customer"] or 0)
    view: View = {"__typename": "Order", "_id": row["id"], "_row": dict(row)}
    view |= {"id": gid("Order", row["id"]), "legacyResourceId": str(row["id"])}
    view |= _identity(row, customer)
    view |= _money(row, currency)
    view |= {
        "lineItems": list(lines.values()),
        "nonFulfillableLineItems": [v for v in lines.values() if not v["requiresShipping"]],
        "shippingLines": [_shipping_line(row, line) for line in row["shipping"]],
        "discountApplications": [_application(row, at) for at in range(len(row["apps"]))],
        "transactions": list(payments.values()),
        "transactionsCount": {"count": len(payments), "precision": "EXACT"},
        "refunds": [_refund(row, refund, lines, payments) for refund in row["refunds"]],
        "returns": [],
        "fulfillments": [_fulfillment(row, f, lines) for f in row["fulfillments"]],
        "fulfillmentsCount": {"count": len(row["fulfillments"]), "precision": "EXACT"},
        "fulfillmentOrders": [_fulfillment_order(row, fo, lines) for fo in row["fos"]],
    }
    view["shippingLine"] = view["shippingLines"][0] if view["shippingLines"] else None
    return _spoil(view, row.get("bad"))


def _identity(row: Row, customer: View | None) -> View:
    address = row["address"] and _address(row)
    return {
        "name": row["name"], "number": row["number"], "confirmationNumber": f"CN{row['number']}",
        "poNumber": None, "sourceName": row["source"], "sourceIdentifier": None, "test": False,
        "tags": row["tags"], "note": row["note"], "customAttributes": [],
        "createdAt": when(row["created"]), "updatedAt": when(row["updated"]),
        "processedAt": when(row["processed"]), "closedAt": when(row["closed"]),
        "cancelledAt": when(row["cancelled"]), "cancelReason": row["cancel_reason"],
        "cancellation": {"staffNote": row["staff_note"]} if row["cancelled"] else None,
        "closed": row["closed"] is not None, "confirmed": True, "edited": False,
        "displayFinancialStatus": reckon.financial_status(row),
        "displayFulfillmentStatus": reckon.fulfillment_status(row),
        "returnStatus": "NO_RETURN",
        "currencyCode": row["currency"], "presentmentCurrencyCode": row["currency"],
        "taxesIncluded": row["taxes_included"], "taxExempt": False, "estimatedTaxes": False,
        "dutiesIncluded": False, "customerLocale": "zh-CN",
        "email": customer["email"] if customer else None,
        "phone": customer["phone"] if customer else None,
        "shippingAddress": address, "billingAddress": address, "displayAddress": address,
        "billingAddressMatchesShippingAddress": True,
        "discountCodes": row["codes"], "discountCode": row["codes"][0] if row["codes"] else None,
        "paymentGatewayNames": sorted({t["gateway"] for t in row["transactions"]}),
        "requiresShipping": any(line["ship"] for line in row["lines"]),
        "fulfillable": any(fo["status"] in ("OPEN", "IN_PROGRESS") for fo in row["fos"]),
        "refundable": bool(reckon.refundable(row)), "merchantEditable": row["closed"] is None,
        "merchantEditableErrors": [],
    }  # fmt: skip


def _money(row: Row, currency: str) -> View:
    lines, ships = row["lines"], row["shipping"]
    subtotal = sum(reckon.net(line) for line in lines)
    shipping = sum(reckon.net(line) for line in ships)
    taxes = sum(reckon.tax(line) for line in [*lines, *ships])
    off = sum(a["amount"] for line in [*lines, *ships] for a in line["allocs"])
    total = reckon.total(row)
    booked = [line for refund in row["refunds"] for line in refund["lines"]]
    gone, ship_gone = sum(b["subtotal"] for b in booked), sum(r["shipping"] for r in row["refunds"])
    worth = sum(r["worth"] for r in row["refunds"])
    tax_gone = sum(b["tax"] for b in booked)
    if ship_gone and ship_gone >= shipping:
        tax_gone += sum(reckon.tax(line) for line in ships)
    came, went = reckon.received(row), reckon.refunded(row)
    current = max(0, total - worth) if not row["cancelled"] else 0
    off_now = sum(reckon.part_left(line, a["amount"]) for line in lines for a in line["allocs"]) + (
        0 if row["cancelled"] else sum(a["amount"] for s in ships for a in s["allocs"])
    )
    tips = sum(reckon.net(line) for line in lines if line["tip"])
    hold = reckon.authorization(row)
    held = hold["amount"] if hold else 0
    sums = {
        "totalPrice": total, "originalTotalPrice": total, "currentTotalPrice": current,
        "subtotalPrice": subtotal, "currentSubtotalPrice": subtotal - gone,
        "totalDiscounts": off, "currentTotalDiscounts": off_now,
        "cartDiscountAmount": off, "currentCartDiscountAmount": off_now,
        "totalTax": taxes, "currentTotalTax": 0 if row["cancelled"] else taxes - tax_gone,
        "totalShippingPrice": shipping, "currentShippingPrice": shipping - ship_gone,
        "totalRefunded": went, "totalRefundedShipping": ship_gone,
        "totalReceived": came, "netPayment": came - went,
        "totalOutstanding": max(0, current - came + went),
        "totalTipReceived": tips, "totalCapturable": held,
        "refundDiscrepancy": 0,
    }  # fmt: skip
    view: View = {f"{name}Set": bag(value, currency) for name, value in sums.items()}
    plain = (
        "totalPrice", "subtotalPrice", "totalDiscounts", "totalTax", "totalShippingPrice",
        "totalRefunded", "totalReceived", "netPayment", "totalCapturable",
        "cartDiscountAmount",
    )  # fmt: skip
    view |= {name: amount(sums[name], currency) for name in plain}
    zero = bag(0, currency)
    return view | {
        "totalTipReceived": one(tips, currency),
        "fullyPaid": came >= total, "unpaid": came == 0 and total > 0, "capturable": held > 0,
        "totalCashRoundingAdjustment": {"paymentSet": zero, "refundSet": zero},
        "currentTotalDutiesSet": None, "originalTotalDutiesSet": None,
        "currentTotalAdditionalFeesSet": None, "originalTotalAdditionalFeesSet": None,
        "subtotalLineItemsQuantity": sum(line["quantity"] for line in lines),
        "currentSubtotalLineItemsQuantity": sum(reckon.current(line) for line in lines),
        "taxLines": _tax_sums(row), "currentTaxLines": _tax_sums(row),
    }  # fmt: skip


def _tax_sums(row: Row) -> list[View]:
    sums: dict[tuple[str, int], int] = {}
    for line in [*row["lines"], *row["shipping"]]:
        for tax in line["taxes"]:
            key = tax["title"], tax["rate"]
            sums[key] = sums.get(key, 0) + tax["amount"]
    return [_tax_line(title, rate, value, row["currency"]) for (title, rate), value in sums.items()]


def _tax_line(title: str, rate: int, value: int, currency: str) -> View:
    return {
        "title": title, "rate": rate / 100, "ratePercentage": float(rate), "source": "Shopify",
        "price": amount(value, currency), "priceSet": bag(value, currency), "channelLiable": False,
    }  # fmt: skip


def _taxes(line: Row, currency: str) -> list[View]:
    return [_tax_line(t["title"], t["rate"], t["amount"], currency) for t in line["taxes"]]


def _allocations(row: Row, line: Row) -> list[View]:
    return [
        {
            "allocatedAmountSet": bag(a["amount"], row["currency"]),
            "allocatedAmount": one(a["amount"], row["currency"]),
            "discountApplication": _application(row, a["app"]),
        }
        for a in line["allocs"]
    ]


def _application(row: Row, at: int) -> View:
    app = row["apps"][at]
    if "percent" in app:
        value: View = {"__typename": "PricingPercentageValue", "percentage": app["percent"]}
    else:
        value = {"__typename": "MoneyV2", **one(app["amount"], row["currency"])}
    view = {"__typename": app["type"], "index": at, "allocationMethod": app["method"]}
    view |= {"targetSelection": app["selection"], "targetType": app["target"], "value": value}
    return view | {key: app[key] for key in ("code", "title") if key in app}


def _line(row: Row, line: Row) -> View:
    currency, units = row["currency"], line["quantity"]
    gross, left = line["price"] * units, reckon.current(line)
    off = gross - reckon.net(line)
    name = f"{line['title']} - {line['variant_title']}" if line["variant_title"] else line["title"]
    open_units = reckon.open_units(line)
    unit = reckon.net(line) // units if units else 0
    sums = {
        "originalTotal": gross, "originalUnitPrice": line["price"], "discountedTotal": gross - off,
        "discountedUnitPrice": unit, "totalDiscount": off,
        "unfulfilledOriginalTotal": line["price"] * open_units,
        "unfulfilledDiscountedTotal": unit * open_units,
    }  # fmt: skip
    view: View = {"__typename": "LineItem", "_id": line["id"], "id": gid("LineItem", line["id"])}
    for key, value in sums.items():
        view[key], view[f"{key}Set"] = amount(value, currency), bag(value, currency)
    return view | {
        "discountedUnitPriceAfterAllDiscountsSet": bag(unit, currency),
        "priceAfterAllDiscountsBeforeTaxesSet": bag(unit * left, currency),
        "title": line["title"], "variantTitle": line["variant_title"], "name": name,
        "sku": line["sku"], "vendor": line["vendor"], "quantity": units, "currentQuantity": left,
        "unfulfilledQuantity": open_units, "refundableQuantity": left,
        "nonFulfillableQuantity": line["removed"], "fulfillableQuantity": open_units,
        "fulfillmentStatus": "fulfilled" if not open_units else "unfulfilled",
        "requiresShipping": line["ship"], "isGiftCard": False, "taxable": line["taxable"],
        "restockable": line["item"] is not None, "canRestock": line["item"] is not None,
        "merchantEditable": True, "customAttributes": [], "duties": [], "image": None,
        "weight": None, "_variant": line["variant"], "_product": line["product"],
        "discountAllocations": _allocations(row, line), "taxLines": _taxes(line, currency),
    }  # fmt: skip


def _shipping_line(row: Row, line: Row) -> View:
    currency, price = row["currency"], line["price"]
    after = reckon.net(line)
    return {
        "_id": line["id"], "id": gid("ShippingLine", line["id"]), "title": line["title"],
        "code": line["code"], "source": "shopify", "custom": False, "isRemoved": False,
        "phone": None, "carrierIdentifier": None, "deliveryCategory": None,
        "shippingRateHandle": None, "price": amount(price, currency),
        "originalPrice": one(price, currency), "originalPriceSet": bag(price, currency),
        "discountedPrice": one(after, currency), "discountedPriceSet": bag(after, currency),
        "currentDiscountedPriceSet": bag(after, currency),
        "discountAllocations": _allocations(row, line), "taxLines": _taxes(line, currency),
    }  # fmt: skip


def _transaction(row: Row, t: Row) -> View:
    currency = row["currency"]
    return {
        "__typename": "OrderTransaction", "_id": t["id"], "id": gid("OrderTransaction", t["id"]),
        "kind": t["kind"], "status": t["status"], "gateway": t["gateway"],
        "formattedGateway": t["gateway"].title(), "test": False, "errorCode": None,
        "amount": amount(t["amount"], currency), "amountSet": bag(t["amount"], currency),
        "amountV2": one(t["amount"], currency), "createdAt": when(t["processed"]),
        "processedAt": when(t["processed"]), "paymentId": f"c{t['id']}.1", "fees": [],
        "authorizationCode": None, "authorizationExpiresAt": None, "accountNumber": None,
        "manualPaymentGateway": False, "multiCapturable": False, "amountRoundingSet": None,
        "manuallyCapturable": t["kind"] == "AUTHORIZATION", "_order": row["id"],
        "settlementCurrency": currency, "settlementCurrencyRate": None,
    }  # fmt: skip


def _refund(row: Row, refund: Row, lines: dict[int, View], payments: dict[int, View]) -> View:
    currency = row["currency"]
    booked = [
        {
            "_id": b["id"], "id": gid("RefundLineItem", b["id"]), "lineItem": lines[b["line"]],
            "quantity": b["quantity"], "restockType": b["restock"], "_location": b["location"],
            "restocked": b["location"] is not None,
            "price": lines[b["line"]]["originalUnitPrice"],
            "priceSet": lines[b["line"]]["originalUnitPriceSet"],
            "subtotal": amount(b["subtotal"], currency), "subtotalSet": bag(b["subtotal"], currency),
            "totalTax": amount(b["tax"], currency), "totalTaxSet": bag(b["tax"], currency),
        }
        for b in refund["lines"]
    ]  # fmt: skip
    return {
        "__typename": "Refund", "_id": refund["id"], "id": gid("Refund", refund["id"]),
        "legacyResourceId": str(refund["id"]), "createdAt": when(refund["created"]),
        "processedAt": when(refund["created"]), "updatedAt": when(refund["created"]),
        "note": refund["note"], "totalRefunded": one(refund["total"], currency),
        "totalRefundedSet": bag(refund["total"], currency), "refundLineItems": booked,
        "refundShippingLines": _refund_shipping(row, refund), "orderAdjustments": [],
        "transactions": [payments[key] for key in refund["transactions"]],
        "return": None, "_order": row["id"],
    }  # fmt: skip


def _refund_shipping(row: Row, refund: Row) -> list[View]:
    if not refund["shipping"] or not row["shipping"]:
        return []
    currency, key = row["currency"], refund["id"] + 1
    return [
        {
            "_id": key, "id": gid("RefundShippingLine", key),
            "shippingLine": _shipping_line(row, row["shipping"][0]),
            "subtotalAmountSet": bag(refund["shipping"], currency), "taxAmountSet": bag(0, currency),
        }
    ]  # fmt: skip


def _fulfillment(row: Row, f: Row, lines: dict[int, View]) -> View:
    items = [
        {
            "_id": part["id"], "id": gid("FulfillmentLineItem", part["id"]),
            "lineItem": lines[part["line"]], "quantity": part["quantity"],
        }
        for part in f["lines"]
    ]  # fmt: skip
    at = row["fulfillments"].index(f) + 1
    return {
        "__typename": "Fulfillment", "_id": f["id"], "id": gid("Fulfillment", f["id"]),
        "legacyResourceId": str(f["id"]), "name": f"{row['name']}-F{at}",
        "createdAt": when(f["created"]), "updatedAt": when(f["updated"]), "status": f["status"],
        "displayStatus": f["display"], "deliveredAt": None, "estimatedDeliveryAt": None,
        "inTransitAt": None, "requiresShipping": True, "service": None,
        "totalQuantity": sum(part["quantity"] for part in f["lines"]),
        "trackingInfo": f["tracking"], "fulfillmentLineItems": items, "_order": row["id"],
        "_location": f["location"], "_fos": f["fos"], "events": [],
    }  # fmt: skip


def _fulfillment_order(row: Row, fo: Row, lines: dict[int, View]) -> View:
    items = []
    for part in fo["lines"]:
        line = lines[part["line"]]
        items.append({
            "__typename": "FulfillmentOrderLineItem", "_id": part["id"],
            "id": gid("FulfillmentOrderLineItem", part["id"]), "lineItem": line,
            "sku": line["sku"], "totalQuantity": part["total"],
            "remainingQuantity": part["remaining"], "productTitle": line["title"],
            "variantTitle": line["variantTitle"], "vendor": line["vendor"], "image": None,
            "requiresShipping": True, "weight": None, "_variant": line["_variant"],
            "originalUnitPriceSet": line["originalUnitPriceSet"],
        })  # fmt: skip
    is_open = fo["status"] in ("OPEN", "IN_PROGRESS")
    actions = ["CREATE_FULFILLMENT", "HOLD", "MOVE"] if is_open else []
    return {
        "__typename": "FulfillmentOrder", "_id": fo["id"], "id": gid("FulfillmentOrder", fo["id"]),
        "status": fo["status"], "requestStatus": fo["request"], "createdAt": when(fo["created"]),
        "updatedAt": when(fo["updated"]), "_updated": fo["updated"], "lineItems": items,
        "orderId": gid("Order", row["id"]), "orderName": row["name"], "_order": row["id"],
        "orderProcessedAt": when(row["processed"]), "fulfillmentHolds": [], "fulfillAt": None,
        "fulfillBy": None, "channelId": None, "deliveryMethod": None, "_location": fo["location"],
        "supportedActions": [{"action": name} for name in actions],
    }  # fmt: skip


def _address(row: Row) -> View:
    return {"id": gid("MailingAddress", row["id"]) + "?model_name=Address", **row["address"]}


# What a planted order breaks: field, the value the platform's document rules out.
SPOILED: tuple[tuple[str, Any], ...] = (
    ("totalPriceSet.shopMoney.amount", "12.345"),
    ("currencyCode", None),
    ("lineItems.nodes[0].quantity", "three"),
)


def _spoil(view: View, kind: int | None) -> View:
    """Break one promise of the document in a planted order."""
    if kind is None:
        return view
    value = SPOILED[kind][1]
    if kind == 1:
        view["currencyCode"] = value
        names, key = [n for n in view if n.endswith("Set") and view[n]], "currencyCode"
    elif kind == 0:
        names, key = ["totalPriceSet", "currentTotalPriceSet"], "amount"
    else:
        view["lineItems"][0]["quantity"] = value
        return view
    for name in names:
        view[name] = {side: {**one, key: value} for side, one in view[name].items()}
    return view

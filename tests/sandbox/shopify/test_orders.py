"""Orders: what they add up to, and the writes of rule S14 (sections 7.3 and 7.4)."""

from decimal import Decimal

import pytest

GROUP = ("fulfillment", "lineItemsByFulfillmentOrder")
MONEY = """
query M($id: ID!) { order(id: $id) {
  displayFinancialStatus displayFulfillmentStatus closed cancelledAt cancelReason updatedAt
  taxesIncluded sku: lineItems(first: 1) { nodes { sku } }
  totalPriceSet { shopMoney { amount } } currentTotalPriceSet { shopMoney { amount } }
  subtotalPriceSet { shopMoney { amount } } currentSubtotalPriceSet { shopMoney { amount } }
  totalTaxSet { shopMoney { amount } } currentTotalTaxSet { shopMoney { amount } }
  totalDiscountsSet { shopMoney { amount } } totalRefundedSet { shopMoney { amount } }
  totalShippingPriceSet { shopMoney { amount } } totalReceivedSet { shopMoney { amount } }
  lineItems(first: 50) { nodes { id sku quantity currentQuantity unfulfilledQuantity refundableQuantity
    originalUnitPriceSet { shopMoney { amount } }
    discountAllocations { allocatedAmountSet { shopMoney { amount } } discountApplication { index } }
    taxLines { priceSet { shopMoney { amount } } } } }
  shippingLines(first: 5) { nodes { discountedPriceSet { shopMoney { amount } }
    discountAllocations { allocatedAmountSet { shopMoney { amount } } }
    taxLines { priceSet { shopMoney { amount } } } } }
  discountApplications(first: 9) { nodes { __typename index allocationMethod } }
  transactions(first: 20) { id kind status amountSet { shopMoney { amount } } parentTransaction { id } }
  refunds(first: 9) { totalRefundedSet { shopMoney { amount } }
    refundLineItems(first: 9) { nodes { quantity restockType location { id } lineItem { id } } } }
  fulfillmentOrders(first: 9) { nodes { id status assignedLocation { location { id } }
    lineItems(first: 9) { nodes { id totalQuantity remainingQuantity } } } }
} }
"""


def amount(bag):
    return Decimal(bag["shopMoney"]["amount"])


async def read(shop, order):
    return (await shop.ask(MONEY, id=order["order"]))["data"]["order"]


async def an_order(shop, units=2, **more):
    level = await shop.level()
    line = {"sku": level["sku"], "quantity": units, "location": level["location"]}
    return level, await shop.act("place_order", lines=[line], **more)


async def test_amounts_of_every_order_add_up(open_shop):
    shop = open_shop(orders=80, plan="enterprise")
    await shop.act("traffic", steps=120)
    kinds = set()
    for row in (await shop.truth())["orders"]:
        order = (await shop.ask(MONEY, id=row["id"]))["data"]["order"]
        lines, ships = order["lineItems"]["nodes"], order["shippingLines"]["nodes"]
        off = [a["allocatedAmountSet"] for x in lines for a in x["discountAllocations"]]
        ship_off = [a["allocatedAmountSet"] for x in ships for a in x["discountAllocations"]]
        goods = sum(amount(x["originalUnitPriceSet"]) * x["quantity"] for x in lines)
        shipping = sum(amount(x["discountedPriceSet"]) for x in ships)
        taxes = sum(amount(t["priceSet"]) for x in [*lines, *ships] for t in x["taxLines"])
        total = goods - sum(map(amount, off)) + shipping
        assert amount(order["subtotalPriceSet"]) == goods - sum(map(amount, off))
        assert amount(order["totalDiscountsSet"]) == sum(map(amount, [*off, *ship_off]))
        assert amount(order["totalTaxSet"]) == taxes
        assert amount(order["totalPriceSet"]) == total + (0 if order["taxesIncluded"] else taxes)
        assert 0 <= amount(order["currentTotalPriceSet"]) <= amount(order["totalPriceSet"])
        kinds |= {a["allocationMethod"] for a in order["discountApplications"]["nodes"]}
        kinds |= {order["taxesIncluded"], order["displayFinancialStatus"]}
    assert {"ACROSS", "EACH", True, False, "PAID", "REFUNDED", "PARTIALLY_REFUNDED"} <= kinds
    assert {"PENDING", "AUTHORIZED"} & kinds


async def test_a_sale_commits_stock_and_shipping_it_empties_the_shelf(shop):
    level, order = await an_order(shop)
    sold = await shop.stock(level["sku"], level["location"])
    assert (sold["available"], sold["committed"], sold["on_hand"]) == (
        level["available"] - 2,
        level["committed"] + 2,
        level["on_hand"],
    )

    await shop.act("fulfil", order=order["name"])

    gone = await shop.stock(level["sku"], level["location"])
    assert (gone["available"], gone["committed"], gone["on_hand"]) == (
        level["available"] - 2,
        level["committed"],
        level["on_hand"] - 2,
    )
    seen = await read(shop, order)
    assert seen["displayFulfillmentStatus"] == "FULFILLED"
    assert seen["fulfillmentOrders"]["nodes"][0]["status"] == "CLOSED"
    assert seen["closed"] is True


async def test_nobody_buys_what_is_not_available_unless_forced(shop):
    level = await shop.level()
    line = {"sku": level["sku"], "location": level["location"]}
    line["quantity"] = level["available"] + 1
    body = {"act": "place_order", "lines": [line]}
    reply = await shop.http.post("/_sandbox/act", json=body)
    assert reply.status_code == 400
    assert (await shop.truth())["orders"] == []

    await shop.act("place_order", lines=[line], force=True)
    truth = await shop.truth()
    assert truth["oversold"] == [
        {"sku": level["sku"], "location": level["location_name"], "units": 1}
    ]


async def test_payment_goes_from_authorised_to_captured(shop):
    _, order = await an_order(shop, pay="authorized")
    assert (await read(shop, order))["displayFinancialStatus"] == "AUTHORIZED"
    await shop.act("pay", order=order["order"])
    seen = await read(shop, order)
    hold, capture = seen["transactions"]
    assert (hold["kind"], capture["kind"]) == ("AUTHORIZATION", "CAPTURE")
    assert capture["parentTransaction"] == {"id": hold["id"]}
    assert seen["displayFinancialStatus"] == "PAID"


async def fo_of(shop, order):
    return (await read(shop, order))["fulfillmentOrders"]["nodes"][0]


def ship(fo, *lines, tracking=None):
    group = {"fulfillmentOrderId": fo["id"]}
    if lines:
        group["fulfillmentOrderLineItems"] = [{"id": k, "quantity": q} for k, q in lines]
    given = {"lineItemsByFulfillmentOrder": [group]}
    return given | ({"trackingInfo": tracking} if tracking else {})


async def test_shipping_a_part_leaves_the_rest(shop):
    _, order = await an_order(shop)
    fo = await fo_of(shop, order)
    line = fo["lineItems"]["nodes"][0]["id"]
    shop.time += 60
    tracking = {"company": "SF Express", "number": "SF1", "url": "https://example.test/SF1"}

    answer = await shop.ask("Ship", f=ship(fo, (line, 1), tracking=tracking))

    made = answer["data"]["fulfillmentCreate"]
    assert made["userErrors"] == []
    assert (made["fulfillment"]["status"], made["fulfillment"]["displayStatus"]) == (
        "SUCCESS",
        "FULFILLED",
    )
    assert made["fulfillment"]["trackingInfo"] == [tracking]
    seen = await read(shop, order)
    assert seen["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert seen["lineItems"]["nodes"][0]["unfulfilledQuantity"] == 1
    assert seen["updatedAt"] == "2026-09-21T14:14:20Z"
    assert (await fo_of(shop, order))["lineItems"]["nodes"][0]["remainingQuantity"] == 1

    await shop.ask("Ship", f=ship(fo))
    assert (await read(shop, order))["displayFulfillmentStatus"] == "FULFILLED"


@pytest.mark.parametrize(
    ("quantity", "field", "message"),
    [
        (
            0,
            [*GROUP, "0", "fulfillmentOrderLineItems", "0", "quantity"],
            "Quantity must be greater than 0",
        ),
        (3, ["fulfillment"], "Invalid fulfillment order line item quantity requested."),
    ],
)
async def test_a_wrong_quantity_ships_nothing(shop, quantity, field, message):
    _, order = await an_order(shop)
    fo = await fo_of(shop, order)
    line = fo["lineItems"]["nodes"][0]["id"]
    answer = await shop.ask("Ship", f=ship(fo, (line, quantity)))
    assert answer["data"]["fulfillmentCreate"] == {
        "fulfillment": None,
        "userErrors": [{"field": field, "message": message}],
    }
    assert (await fo_of(shop, order)) == fo


async def test_a_closed_unknown_or_foreign_fulfilment_order_is_refused(shop):
    _, first = await an_order(shop)
    _, second = await an_order(shop)
    fo, other = await fo_of(shop, first), await fo_of(shop, second)
    both = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": x["id"]} for x in (fo, other)]}
    refused = (await shop.ask("Ship", f=both))["data"]["fulfillmentCreate"]["userErrors"]
    assert refused[0]["message"].startswith("All fulfillment orders must belong to the same order.")

    await shop.ask("Ship", f=ship(fo))
    number = fo["id"].rsplit("/", 1)[1]
    again = (await shop.ask("Ship", f=ship(fo)))["data"]["fulfillmentCreate"]["userErrors"]
    assert again == [
        {
            "field": ["fulfillment"],
            "message": f"Fulfillment order {number} has an unfulfillable status= closed.",
        }
    ]
    unknown = {"id": "gid://shopify/FulfillmentOrder/1"}
    missing = (await shop.ask("Ship", f=ship(unknown)))["data"]["fulfillmentCreate"]
    assert missing["userErrors"][0]["message"] == "Fulfillment order does not exist."


async def test_two_locations_cannot_ship_in_one_parcel(shop):
    level = await shop.level()
    places = (await shop.truth())["locations"]
    lines = [{"sku": level["sku"], "quantity": 1, "location": p["name"]} for p in places]
    order = await shop.act("place_order", lines=lines, force=True)
    fos = (await read(shop, order))["fulfillmentOrders"]["nodes"]
    both = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": x["id"]} for x in fos]}
    refused = (await shop.ask("Ship", f=both))["data"]["fulfillmentCreate"]["userErrors"]
    assert len(fos) == 2
    assert refused[0]["message"].startswith(
        "All fulfillment orders must be assigned to a single location."
    )


async def refund(shop, order, key="r", **given):
    return await shop.ask("Refund", input={"orderId": order["order"], **given}, key=key)


async def test_a_refund_moves_money_only_through_its_transactions(shop):
    level, order = await an_order(shop)
    await shop.act("fulfil", order=order["order"])
    before = await read(shop, order)
    line = {"lineItemId": before["lineItems"]["nodes"][0]["id"], "quantity": 1}
    line |= {"restockType": "RETURN", "locationId": level["location"]}

    booked = (await refund(shop, order, refundLineItems=[line]))["data"]["refundCreate"]

    assert booked["userErrors"] == []
    assert booked["refund"]["totalRefundedSet"]["shopMoney"]["amount"] == "0.0"
    assert booked["order"]["displayFinancialStatus"] == "PAID"
    after = await read(shop, order)
    assert after["lineItems"]["nodes"][0]["currentQuantity"] == 1
    assert amount(after["currentTotalPriceSet"]) * 2 == amount(after["totalPriceSet"])
    stock = await shop.stock(level["sku"], level["location"])
    assert stock["available"] == level["available"] - 1
    (back,) = after["refunds"][0]["refundLineItems"]["nodes"]
    assert (back["restockType"], back["location"]) == ("RETURN", {"id": level["location"]})

    parent = before["transactions"][0]["id"]
    money = {"orderId": order["order"], "parentId": parent, "kind": "REFUND"}
    money |= {"gateway": "whatever", "amount": "10.00"}
    paid = (await refund(shop, order, "r2", transactions=[money]))["data"]["refundCreate"]
    assert paid["order"]["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert (await read(shop, order))["totalRefundedSet"]["shopMoney"]["amount"] == "10.0"


async def test_a_refund_with_the_same_key_happens_once(shop):
    _, order = await an_order(shop)
    parent = (await read(shop, order))["transactions"][0]["id"]
    money = {"orderId": order["order"], "parentId": parent, "kind": "REFUND"}
    money |= {"gateway": "alipay", "amount": "10.00"}
    first = await refund(shop, order, transactions=[money])
    again = await refund(shop, order, transactions=[money])
    assert again["data"] == first["data"]
    assert len((await read(shop, order))["refunds"]) == 1


async def test_a_refund_of_the_wrong_kind_or_of_too_much_is_refused(shop):
    _, order = await an_order(shop)
    before = await read(shop, order)
    money = {"orderId": order["order"], "parentId": before["transactions"][0]["id"]}
    money |= {"gateway": "alipay", "amount": "10.00", "kind": "AUTHORIZATION"}
    wrong = await refund(shop, order, "a", transactions=[money])
    assert wrong["data"]["refundCreate"]["userErrors"] == [
        {"field": None, "message": "Kind authorization is not a valid transaction"}
    ]
    foreign = money | {"kind": "REFUND", "parentId": "gid://shopify/OrderTransaction/1"}
    refused = await refund(shop, order, "b", transactions=[foreign])
    assert refused["data"]["refundCreate"]["userErrors"] == [
        {
            "field": ["transactions"],
            "message": "Transactions require a parent_id associated with the order",
        }
    ]
    much = money | {"kind": "REFUND", "amount": "1000000.00"}
    assert (await refund(shop, order, "c", transactions=[much]))["data"]["refundCreate"][
        "refund"
    ] is None
    assert await read(shop, order) == before


async def test_cancelling_gives_money_and_stock_back(shop):
    level, order = await an_order(shop, shipping=1000, code="WELCOME10")
    assert (await shop.stock(level["sku"], level["location"]))["committed"] == 2

    answer = await shop.ask("Cancel", id=order["order"], reason="CUSTOMER")

    assert answer["data"]["orderCancel"]["orderCancelUserErrors"] == []
    assert answer["data"]["orderCancel"]["job"]["done"] is True
    seen = await read(shop, order)
    assert seen["cancelReason"] == "CUSTOMER"
    assert seen["closed"] is True
    assert seen["displayFinancialStatus"] == "REFUNDED"
    assert seen["displayFulfillmentStatus"] == "UNFULFILLED"
    for name in ("currentTotalPriceSet", "currentSubtotalPriceSet", "currentTotalTaxSet"):
        assert amount(seen[name]) == 0
    assert amount(seen["totalRefundedSet"]) == amount(seen["totalPriceSet"])
    stock = await shop.stock(level["sku"], level["location"])
    assert (stock["available"], stock["committed"]) == (level["available"], level["committed"])

    again = await shop.ask("Cancel", id=order["order"], reason="CUSTOMER")
    assert again["data"]["orderCancel"] == {
        "job": None,
        "orderCancelUserErrors": [
            {
                "field": ["orderId"],
                "message": "Cannot cancel an order that has already been canceled",
                "code": "INVALID",
            }
        ],
    }


async def test_a_cancellation_is_done_some_time_later(open_shop):
    shop = open_shop(cancel_job_s=3.0)
    _, order = await an_order(shop)
    job = (await shop.ask("Cancel", id=order["order"], reason="OTHER"))["data"]["orderCancel"]
    poll = "query J($id: ID!) { job(id: $id) { done } }"
    assert job["job"]["done"] is False
    assert (await shop.ask(poll, id=job["job"]["id"]))["data"]["job"]["done"] is False
    assert (await read(shop, order))["cancelledAt"] is None

    shop.time += 3
    assert (await shop.ask(poll, id=job["job"]["id"]))["data"]["job"]["done"] is True
    assert (await read(shop, order))["cancelledAt"] == "2026-09-21T14:13:23Z"


async def test_a_shipped_order_cannot_be_cancelled(shop):
    _, order = await an_order(shop)
    await shop.act("fulfil", order=order["order"])
    answer = await shop.ask("Cancel", id=order["order"], reason="CUSTOMER")
    assert answer["data"]["orderCancel"]["orderCancelUserErrors"][0]["message"] == (
        "Cannot cancel an order that has outstanding fulfillments"
    )


async def test_cancelling_without_restock_takes_the_goods_off_the_shelf(shop):
    level, order = await an_order(shop)
    await shop.act("cancel", order=order["order"], restock=False)
    stock = await shop.stock(level["sku"], level["location"])
    assert (stock["available"], stock["committed"], stock["on_hand"]) == (
        level["available"] - 2,
        0,
        level["on_hand"] - 2,
    )
    assert stock["broken_laws"] == []


async def test_what_a_hub_must_agree_with_is_told(shop):
    level, order = await an_order(shop)
    await shop.act("cancel", order=order["order"])
    told = (await shop.truth())["agreement"]["shopify"]
    assert told["orders"] == {
        order["order"]: {"total": order["total"], "units": 2, "cancelled": True}
    }
    assert told["stock"][f"{level['item']}@{level['location']}"] == level["available"]
    assert len(told["stock"]) == 60


async def test_returning_more_than_was_shipped_gives_each_unit_back_once(shop):
    level, order = await an_order(shop)
    fo = await fo_of(shop, order)
    await shop.ask("Ship", f=ship(fo, (fo["lineItems"]["nodes"][0]["id"], 1)))
    line = {"lineItemId": (await read(shop, order))["lineItems"]["nodes"][0]["id"], "quantity": 2}

    await refund(shop, order, refundLineItems=[line | {"restockType": "RETURN"}])

    stock = await shop.stock(level["sku"], level["location"])
    assert (stock["available"], stock["committed"]) == (level["available"], 0)
    assert (stock["returned"], stock["released"], stock["broken_laws"]) == (1, 1, [])
    assert (await fo_of(shop, order))["status"] == "CLOSED"

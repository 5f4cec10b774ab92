"""Documents as canonical records: golden values, and sums that tie for every order of the shop."""

from __future__ import annotations

import re

import pytest

from connectors.shopify import whole
from connectors.shopify.transforms import TRANSFORMS
from hub.errors import MappingError
from hub.records import AfterSale, Catalogue, ChannelOrder, Member, Stock
from tests.connectors.shopify.builders import (
    a_line,
    a_parcel,
    a_refund,
    a_refund_line,
    a_shipping_line,
    a_transaction,
    a_work,
    an_allocation,
    an_application,
    an_order,
    bag,
    several,
)
from tests.connectors.shopify.shop import MAPPINGS, a_shop, documents, mapping

KINDS = ("order", "after_sale", "product", "inventory", "member")


def orders_of(document: dict) -> ChannelOrder:
    one = mapping("order")
    record = one.to_record(one.to_canonical(document)[0])
    assert isinstance(record, ChannelOrder)
    return record


def the_golden_order() -> dict:
    """An order with a coupon over the order, tax outside, a part shipped, a unit refunded."""
    tax = [{"title": "VAT", "rate": "0.1", "priceSet": bag("2.7")}]
    return whole.order(
        an_order(
            taxesIncluded=False,
            totalPriceSet=bag("46.3"),
            totalTaxSet=bag("4.3"),
            note="轻放",
            shippingAddress={
                "name": "王伟", "address1": "演示路1号", "address2": None, "city": "上海市",
                "province": "Shanghai", "provinceCode": "SH", "countryCodeV2": "CN",
                "zip": "200001", "phone": "+8613900000001",
            },
            lineItems=several(
                a_line(
                    1, quantity=2, currentQuantity=2, unfulfilledQuantity=1,
                    originalTotalSet=bag("30.0"), taxLines=tax,
                    discountAllocations=[an_allocation(0, "3.0")],
                ),
                a_line(
                    2, sku="", variant=None, currentQuantity=0, unfulfilledQuantity=0,
                    discountAllocations=[an_allocation(0, "1.5"), an_allocation(1, "3.5", "EACH")],
                    taxLines=[{"title": "VAT", "rate": "0.1", "priceSet": bag("1.0")}],
                ),
            ),
            discountApplications=several(
                an_application(0),
                an_application(1, "AutomaticDiscountApplication", allocationMethod="EACH"),
            ),
            shippingLines=several(a_shipping_line("5.0", "5.0")),
            transactions=[a_transaction(1, amountSet=bag("46.3"))],
            fulfillmentOrders=several(a_work(1, (1, 2), status="IN_PROGRESS")),
            fulfillments=[a_parcel(1, 1, (1, 1))],
            refunds=[
                a_refund(5, a_refund_line(2, 1, "CANCEL", location=None, subtotalSet=bag("10.0"),
                                          totalTaxSet=bag("1.0")), totalRefundedSet=bag("11.0"))
            ],
        )
    )  # fmt: skip


def test_the_golden_order() -> None:
    order = orders_of(the_golden_order())

    assert order.model_dump(exclude={"lines", "adjustments", "payments", "fulfilments", "raw_states"},
                            exclude_unset=True, mode="json") == {
        "external_order_id": "gid://shopify/Order/9001", "display_no": "#1042",
        "order_kind": "sale", "order_state": "confirmed", "currency": "CNY",
        "shipping_subtotal": 500, "shipping_discount": 0, "tax_total": 430, "tax_included": False,
        "fee_total": 0, "rounding": 0, "amount_payable": 4630, "merchant_receivable": 4630,
        "placed_at": "2026-10-05T08:00:00Z", "paid_at": "2026-10-05T08:01:00Z",
        "shipped_at": None, "delivered_at": None, "completed_at": None, "cancelled_at": None,
        "external_customer_id": "gid://shopify/Customer/77", "buyer_message": "轻放",
        "recipient_name": "王伟", "recipient_phone": "+8613900000001", "recipient_country": "CN",
        "recipient_province": "Shanghai", "recipient_city": "上海市",
        "recipient_street": "演示路1号", "recipient_zip": "200001", "delivery_term": "prepaid",
        "source_updated_at": "2026-10-05T08:03:11Z",
    }  # fmt: skip
    assert [line.model_dump(exclude_unset=True) for line in order.lines] == [
        {
            "external_line_id": "gid://shopify/LineItem/1", "line_kind": "goods",
            "external_sku_id": "gid://shopify/ProductVariant/1",
            "external_location_id": "gid://shopify/Location/11", "sku_snapshot": "MUG-1",
            "title_snapshot": "Mug", "options_snapshot": "Red", "quantity": 2, "qty_cancelled": 0,
            "qty_shipped": 1, "qty_delivered": 0, "unit_price_minor": 1500,
            "unit_price_exact": None, "line_subtotal": 3000,
            "line_discount": 0, "allocated_order_discount": 300, "tax_amount": 270,
            "tax_rate_bp": 1000, "requires_shipping": True,
        },
        {
            "external_line_id": "gid://shopify/LineItem/2", "line_kind": "goods",
            "external_sku_id": None, "external_location_id": None, "sku_snapshot": None,
            "title_snapshot": "Mug", "options_snapshot": "Red", "quantity": 1, "qty_cancelled": 1,
            "qty_shipped": 0, "qty_delivered": 0, "unit_price_minor": 1500,
            "unit_price_exact": None, "line_subtotal": 1500,
            "line_discount": 350, "allocated_order_discount": 150, "tax_amount": 100,
            "tax_rate_bp": 1000, "requires_shipping": True,
        },
    ]  # fmt: skip
    assert [(a.kind, a.target, a.amount) for a in order.adjustments] == [
        ("coupon", "order", 450), ("promotion", "line", 350),
    ]  # fmt: skip
    assert [(p.state, p.method, p.amount) for p in order.payments] == [("captured", "card", 4630)]
    assert [(f.state, f.raw_state, len(f.packages)) for f in order.fulfilments] == [
        ("released", "IN_PROGRESS", 1)
    ]


def test_the_golden_refund() -> None:
    one = mapping("after_sale")
    (row,) = one.to_canonical(the_golden_order())
    case = one.to_record(row)
    assert isinstance(case, AfterSale)

    assert one.source_stream == "order"
    assert one.keys(the_golden_order()) == ["gid://shopify/Refund/5"]
    assert case.model_dump(exclude_unset=True, mode="json") == {
        "external_id": "gid://shopify/Refund/5", "external_order_id": "gid://shopify/Order/9001",
        "kind": "cancel_unshipped", "state": "succeeded", "currency": "CNY",
        "requested_amount": 1100, "approved_amount": 1100,
        "requested_at": "2026-10-08T10:00:00Z", "succeeded_at": "2026-10-08T10:00:00Z",
        "source_updated_at": "2026-10-08T10:00:00Z",
        "lines": [{
            "external_line_id": "gid://shopify/LineItem/2", "sku_snapshot": "MUG-2",
            "quantity": 1, "amount": 1100, "reception": "awaiting", "acceptance": "accepted",
        }],
        "refunds": [{
            "external_refund_id": "gid://shopify/Refund/5", "amount": 1100, "shipping_amount": 0,
            "state": "succeeded", "succeeded_at": "2026-10-08T10:00:00Z",
            "lines": [{"external_line_id": "gid://shopify/LineItem/2", "quantity": 1, "amount": 1100}],
        }],
    }  # fmt: skip


def test_an_order_without_refunds_carries_no_case() -> None:
    assert mapping("after_sale").to_canonical(whole.order(an_order())) == []


@pytest.mark.parametrize(
    ("source", "kind"), [("web", "sale"), ("pos", "pos_sale"), ("580111", "sale"), (None, "sale")]
)
def test_a_till_of_the_shop_is_told_by_its_source(source: str | None, kind: str) -> None:
    assert orders_of(whole.order(an_order(sourceName=source))).order_kind == kind


def test_an_order_of_yen_has_no_decimals() -> None:
    line = a_line(originalUnitPriceSet=bag("1500.0", "JPY"), originalTotalSet=bag("1500.0", "JPY"))
    order = an_order(
        currencyCode="JPY", totalPriceSet=bag("1500.0"), lineItems=several(line),
        transactions=[a_transaction(1, amountSet=bag("1500.0"))],
    )  # fmt: skip

    record = orders_of(whole.order(order))

    assert (record.amount_payable, record.lines[0].line_subtotal) == (1500, 1500)
    assert record.payments[0].amount == 1500


def test_without_personal_data_an_order_is_whole() -> None:
    record = orders_of(whole.order(an_order(customer=None, shippingAddress=None)))

    assert (record.external_customer_id, record.recipient_name) == (None, None)
    assert record.amount_payable == 1500


async def test_the_sums_of_every_order_of_the_shop_tie() -> None:
    async with a_shop(orders=300, customers=20, products=12, variants=30) as shop:
        found = [orders_of(document) for document in await documents(shop.connector(), "order")]
        truth = {one["id"]: one for one in (await shop.truth())["orders"]}

    assert len(found) == len(truth) == 300
    assert {order.tax_included for order in found} == {True, False}
    assert {a.target for order in found for a in order.adjustments} == {"line", "order", "shipping"}
    for order in found:
        check_sums(order)
        known = truth[order.external_order_id]
        assert order.amount_payable == known["total"]
        assert sum(p.amount for p in order.payments if p.state == "captured") == known["received"]
        assert [line.quantity - line.qty_cancelled - line.qty_shipped for line in order.lines] == [
            line["unfulfilled"] for line in known["lines"]
        ]


def check_sums(order: ChannelOrder) -> None:
    """A1, L1, L2, O1 and Q1 of the canonical model, without an `unexplained` adjustment."""
    by_target = {"line": 0, "order": 0, "shipping": 0}
    for adjustment in order.adjustments:
        assert sum(part.amount for part in adjustment.allocations) == adjustment.amount > 0
        by_target[adjustment.target] += adjustment.amount
    payable = 0
    for line in order.lines:
        mine = line.line_subtotal - line.line_discount - line.allocated_order_discount
        mine += 0 if order.tax_included else line.tax_amount
        assert mine >= 0
        assert line.qty_delivered <= line.qty_shipped <= line.quantity - line.qty_cancelled
        payable += line.line_subtotal - line.line_discount
    assert by_target["line"] == sum(line.line_discount for line in order.lines)
    assert by_target["order"] == sum(line.allocated_order_discount for line in order.lines)
    assert by_target["shipping"] == order.shipping_discount
    payable += order.shipping_subtotal - order.shipping_discount + order.fee_total + order.rounding
    payable += 0 if order.tax_included else order.tax_total
    assert order.amount_payable == payable - by_target["order"]


async def test_the_refunds_of_the_shop_are_the_money_that_went_back() -> None:
    async with a_shop(orders=200, customers=20) as shop:
        found = await documents(shop.connector(), "order")
        truth = {one["id"]: one for one in (await shop.truth())["orders"]}

    one = mapping("after_sale")
    back: dict[str, int] = {}
    for document in found:
        for row in one.to_canonical(document):
            case = one.to_record(row)
            assert isinstance(case, AfterSale)
            order = str(case.external_order_id)
            back[order] = back.get(order, 0) + case.refunds[0].amount
    assert back == {key: order["refunded"] for key, order in truth.items() if order["refunds"]}
    assert len(back) > 5


async def test_products_stock_and_customers_read_as_what_the_shop_holds() -> None:
    async with a_shop() as shop:
        connector = shop.connector()
        shown = {
            kind: await documents(connector, kind) for kind in ("product", "inventory", "member")
        }
        truth = await shop.truth()

    def records(kind: str) -> list:
        one = mapping(kind)
        return [one.to_record(row) for d in shown[kind] for row in one.to_canonical(d)]

    products: list[Catalogue] = records("product")
    assert {
        (sku.listing_sku.external_sku_id, sku.variant.sku, sku.listing_sku.price_minor,
         sku.listing_sku.external_stock_id)
        for product in products for sku in product.skus
    } == {
        (v["id"], v["sku"], v["price"], v["item"]) for p in truth["products"] for v in p["variants"]
    }  # fmt: skip
    assert {p.listing.status for p in products} == {"on_shelf"}
    assert {s.listing_sku.currency for p in products for s in p.skus} == {"CNY"}
    stock: list[Stock] = records("inventory")
    assert {
        (s.external_stock_id, s.external_location_id, s.available, s.on_hand, s.reserved, s.sku)
        for s in stock
    } == {
        (s["item"], s["location"], s["available"], s["on_hand"], s["committed"], s["sku"])
        for s in truth["stock"]
    }
    members: list[Member] = records("member")
    assert {m.external_id for m in members} == {c["id"] for c in truth["customers"]}
    granted = {
        (m.external_id, c.channel) for m in members for c in m.consents if c.state == "granted"
    }
    assert granted == {
        (c["id"], channel)
        for c in truth["customers"]
        for channel in ("email", "sms")
        if c[f"{channel}_consent"] == "SUBSCRIBED"
    }


async def test_a_planted_bad_order_is_refused_with_its_field_and_the_others_are_not() -> None:
    async with a_shop(orders=3, bad=3) as shop:
        found = await documents(shop.connector(), "order")
        planted = {one["id"]: one["field"] for one in (await shop.truth())["planted_bad"]}

    said = {}
    for document in found:
        try:
            orders_of(document)
        except MappingError as error:
            said[document["id"]] = error.native
    assert said.keys() == planted.keys()
    assert sorted(re.sub(r"\[\d*\]", "[]", field) for field in said.values()) == sorted(
        re.sub(r"\[\d*\]", "[]", field) for field in planted.values()
    )


def test_the_status_of_a_product_that_is_new_to_us_is_unknown_not_refused() -> None:
    variants = several()
    document = {
        "id": "gid://shopify/Product/1", "title": "Mug", "handle": "mug", "status": "MYSTERY",
        "vendor": "", "productType": "", "tags": [], "descriptionHtml": "", "onlineStoreUrl": None,
        "createdAt": "2026-10-05T08:00:00Z", "updatedAt": "2026-10-05T08:00:00Z",
        "priceRangeV2": {"minVariantPrice": {"currencyCode": "CNY"}}, "options": [],
        "variants": variants,
    }  # fmt: skip
    one = mapping("product")

    record = one.to_record(one.to_canonical(document)[0])

    assert isinstance(record, Catalogue)
    assert (record.listing.status, record.listing.raw_status) == ("unknown", "MYSTERY")


def test_no_function_is_there_for_nothing() -> None:
    texts = "".join((MAPPINGS / f"{kind}.yaml").read_text("utf-8") for kind in KINDS)

    assert set(re.findall(r"as: (shopify_\w+)", texts)) == TRANSFORMS.keys()

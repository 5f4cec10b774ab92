"""The mapping functions, value by value."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.shopify import aftersale, fulfilment, member, payment, transforms, whole
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

# Order states


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, "confirmed"),
        ({"displayFinancialStatus": "AUTHORIZED"}, "confirmed"),
        ({"displayFinancialStatus": "PARTIALLY_PAID"}, "confirmed"),
        ({"displayFinancialStatus": "PARTIALLY_REFUNDED"}, "confirmed"),
        ({"displayFinancialStatus": "PENDING"}, "pending"),
        ({"displayFinancialStatus": "EXPIRED"}, "pending"),
        ({"displayFinancialStatus": "VOIDED"}, "pending"),
        ({"displayFinancialStatus": None}, "pending"),
        ({"confirmed": False}, "pending"),
        ({"displayFinancialStatus": "ON_THE_MOON"}, "unknown"),
        ({"displayFulfillmentStatus": "ON_HOLD"}, "on_hold"),
        ({"displayFulfillmentStatus": "SCHEDULED"}, "confirmed"),
        ({"closedAt": "2026-10-09T08:00:00Z"}, "confirmed"),
        (
            {"closedAt": "2026-10-09T08:00:00Z", "displayFulfillmentStatus": "FULFILLED"},
            "completed",
        ),
        ({"displayFulfillmentStatus": "FULFILLED"}, "confirmed"),
        (
            {
                "closedAt": "2026-10-09T08:00:00Z",
                "displayFulfillmentStatus": "FULFILLED",
                "displayFinancialStatus": "PENDING",
            },
            "pending",
        ),
        (
            {"closedAt": "2026-10-09T08:00:00Z", "cancelledAt": "2026-10-09T08:00:00Z"},
            "cancelled",
        ),
    ],
)
def test_the_state_of_an_order(changed: dict[str, Any], state: str) -> None:
    assert transforms.order_state(an_order(**changed)) == state


def test_an_order_is_complete_when_archived_paid_and_shipped() -> None:
    shipped = {"closedAt": "2026-10-09T08:00:00Z", "displayFulfillmentStatus": "FULFILLED"}

    assert transforms.completed_at(an_order(**shipped)) == "2026-10-09T08:00:00Z"
    assert transforms.completed_at(an_order(closedAt="2026-10-09T08:00:00Z")) is None
    assert transforms.completed_at(an_order(**shipped, cancelledAt="2026-10-09T08:00:00Z")) is None


def test_the_channels_own_words_are_kept() -> None:
    words = {"financial": "PAID", "fulfillment": "UNFULFILLED", "return": "NO_RETURN"}

    assert transforms.raw_states(an_order()) == words
    assert transforms.raw_states(an_order(cancelReason="CUSTOMER", edited=True, test=True)) == {
        **words, "cancel_reason": "CUSTOMER", "edited": True, "test": True,
    }  # fmt: skip


# Money


def test_shipping_before_and_its_discount() -> None:
    order = an_order(
        shippingLines=several(a_shipping_line("12.0", "7.5"), a_shipping_line("3.0", "3.0"))
    )

    assert transforms.shipping_subtotal(order) == 1500
    assert transforms.shipping_discount(order) == 450


def test_fees_are_tips_duties_and_additional_fees() -> None:
    order = an_order(
        totalTipReceivedSet=bag("2.0"),
        originalTotalDutiesSet=bag("3.0"),
        originalTotalAdditionalFeesSet=bag("0.5"),
        totalPriceSet=bag("20.5"),
    )

    assert transforms.fees(order) == 550


def test_duties_inside_the_prices_are_not_added() -> None:
    order = an_order(originalTotalDutiesSet=bag("3.0"), dutiesIncluded=True)

    assert transforms.fees(order) == 0


def test_a_tip_that_is_a_line_of_its_own_is_counted_once() -> None:
    tip = a_line(2, variant=None, sku=None, requiresShipping=False, originalTotalSet=bag("2.0"))
    order = an_order(
        lineItems=several(a_line(), tip),
        totalTipReceivedSet=bag("2.0"),
        totalPriceSet=bag("17.0"),
    )

    assert transforms.fees(order) == 0


def test_discounts_of_the_line_and_of_the_order_are_kept_apart() -> None:
    allocations = [
        an_allocation(0, "1.5", "EACH"),
        an_allocation(1, "2.25"),
        an_allocation(2, "0.1"),
    ]

    assert transforms.line_discount(allocations) == 150
    assert transforms.order_discount(allocations) == 235
    assert (transforms.line_discount([]), transforms.order_discount([])) == (0, 0)


def test_each_application_is_one_adjustment_with_its_part_on_every_line() -> None:
    order = an_order(
        lineItems=several(
            a_line(
                1, discountAllocations=[an_allocation(0, "1.0", "EACH"), an_allocation(1, "2.0")]
            ),
            a_line(2, discountAllocations=[an_allocation(1, "1.0")]),
        ),
        shippingLines=several(a_shipping_line("5.0", "0.0", an_allocation(2, "5.0"))),
        discountApplications=several(
            an_application(0, "AutomaticDiscountApplication", allocationMethod="EACH"),
            an_application(1),
            an_application(2, code="SHIP", targetType="SHIPPING_LINE"),
            an_application(3, "ManualDiscountApplication"),
        ),
    )

    assert transforms.adjustments(order) == [
        {
            "external_ref": "discount:0", "target": "line", "kind": "promotion",
            "coupon_code": None, "title": "Sale", "amount": 100, "funded_by": "merchant",
            "allocations": [{"external_line_id": "gid://shopify/LineItem/1", "amount": 100}],
        },
        {
            "external_ref": "discount:1", "target": "order", "kind": "coupon",
            "coupon_code": "TEN", "title": "TEN", "amount": 300, "funded_by": "merchant",
            "allocations": [
                {"external_line_id": "gid://shopify/LineItem/1", "amount": 200},
                {"external_line_id": "gid://shopify/LineItem/2", "amount": 100},
            ],
        },
        {
            "external_ref": "discount:2", "target": "shipping", "kind": "coupon",
            "coupon_code": "SHIP", "title": "SHIP", "amount": 500, "funded_by": "merchant",
            "allocations": [{"external_line_id": None, "amount": 500}],
        },
    ]  # fmt: skip


def test_taxes_of_a_line_add_up_with_their_rates() -> None:
    lines = [
        {"title": "State", "rate": "0.0625", "priceSet": bag("0.94")},
        {"title": "City", "rate": "0.01", "priceSet": bag("0.15")},
    ]

    assert transforms.tax_amount(lines) == 109
    assert transforms.tax_rate_bp(lines) == 725
    assert transforms.tax_rate_bp([{"rate": None, "priceSet": bag("0.0")}]) is None
    assert transforms.tax_rate_bp([]) is None


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "exact"),
    [
        ("15.0", "CNY", 1500, None),
        ("0.335", "CNY", 34, "0.335"),
        ("0.3350", "KWD", 335, None),
        ("1500.0", "JPY", 1500, None),
        ("12.5", "JPY", 13, "12.5"),
    ],
)
def test_a_unit_price_may_be_finer_than_a_cent(
    amount: str, currency: str, minor: int, exact: str | None
) -> None:
    assert transforms.unit_price(bag(amount, currency)) == minor
    assert transforms.unit_price_exact(bag(amount, currency)) == exact


def test_a_unit_price_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        transforms.unit_price(bag("free"))


# Payments


def test_sales_captures_and_open_holds_are_payments() -> None:
    order = an_order(
        transactions=[
            a_transaction(1, "AUTHORIZATION"),
            a_transaction(2, "CAPTURE", parentTransaction={"id": a_transaction(1)["id"]}),
            a_transaction(3, "AUTHORIZATION", gateway="paypal"),
            a_transaction(4, "AUTHORIZATION"),
            a_transaction(5, "VOID", parentTransaction={"id": a_transaction(4)["id"]}),
            a_transaction(6, "SALE", status="PENDING", gateway="Cash on Delivery (COD)"),
            a_transaction(7, "SALE", status="FAILURE", gateway="alipay_global"),
            a_transaction(8, "REFUND"),
            a_transaction(9, "SUGGESTED_REFUND"),
        ]
    )

    found = payment.payments(order)

    assert [(p["external_txn_id"][-1], p["state"], p["method"], p["amount"]) for p in found] == [
        ("2", "captured", "card", 1500),
        ("3", "authorized", "other", 1500),
        ("4", "voided", "card", 1500),
        ("6", "pending", "cod", 1500),
        ("7", "failed", "alipay", 1500),
    ]
    assert [p.get("captured_at") for p in found] == ["2026-10-05T08:01:00Z", None, None, None, None]


def test_change_given_back_lowers_the_cash_that_came_in() -> None:
    cash = a_transaction(1, "SALE", gateway="cash", amountSet=bag("20.0"))
    change = a_transaction(2, "CHANGE", amountSet=bag("5.0"), parentTransaction={"id": cash["id"]})

    (found,) = payment.payments(an_order(transactions=[cash, change]))

    assert (found["method"], found["amount"]) == ("cash", 1500)


def test_an_order_is_paid_when_its_last_money_came() -> None:
    both = [a_transaction(1), a_transaction(2, processedAt="2026-10-07T00:00:00Z")]

    assert payment.paid_at(an_order(transactions=both)) == "2026-10-07T00:00:00Z"
    assert payment.paid_at(an_order(displayFinancialStatus="PARTIALLY_PAID")) is None
    assert payment.paid_at(an_order(transactions=[])) is None


@pytest.mark.parametrize(
    ("gateways", "term"),
    [
        (["shopify_payments"], "prepaid"),
        ([], "prepaid"),
        (["Cash on Delivery (COD)"], "cod"),
        (["gift_card", "cash_on_delivery"], "cod"),
        (["cash"], "prepaid"),
    ],
)
def test_cash_on_delivery_is_told_by_its_name(gateways: list[str], term: str) -> None:
    assert transforms.delivery_term(gateways) == term


# Fulfilment


def line_facts(**changed: Any) -> dict[str, Any]:
    order = whole.order(an_order(**changed))
    facts: dict[str, Any] = order["lineItems"]["nodes"][0]["hub"]
    return facts


def test_an_open_line_waits_at_its_location() -> None:
    assert line_facts() == {
        "shipped": 0, "delivered": 0, "cancelled": 0, "location": "gid://shopify/Location/11",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "current", "waiting", "shipped", "cancelled"),
    [
        (3, 3, 3, 0, 0),  # nothing happened
        (3, 0, 0, 0, 3),  # cancelled, nothing waits any more
        (3, 0, 3, 0, 3),  # cancelled, still counted as waiting
        (3, 2, 2, 0, 1),  # one taken off
        (3, 3, 1, 2, 0),  # two left
        (3, 1, 1, 2, 0),  # two left and came back, one waits
        (3, 2, 0, 3, 0),  # all left, one came back
        (3, 2, 0, 2, 1),  # two left, one taken off
        (1, 1, 0, 0, 0),  # a tip: never shipped, never waiting
    ],
)
def test_units_taken_off_before_they_left(
    quantity: int, current: int, waiting: int, shipped: int, cancelled: int
) -> None:
    line = a_line(quantity=quantity, currentQuantity=current, unfulfilledQuantity=waiting)

    assert fulfilment.cancelled_units(line, shipped) == cancelled


def test_shipped_counts_parcels_that_left_delivered_only_those_that_arrived() -> None:
    facts = line_facts(
        lineItems=several(a_line(quantity=5, currentQuantity=5, unfulfilledQuantity=1)),
        fulfillments=[
            a_parcel(1, 1, (1, 2), displayStatus="DELIVERED"),
            a_parcel(2, 1, (1, 1), displayStatus="IN_TRANSIT"),
            a_parcel(3, 1, (1, 1), displayStatus="PICKED_UP"),
            a_parcel(4, 1, (1, 1), status="CANCELLED"),
            a_parcel(5, 1, (1, 1), displayStatus="CANCELED"),
        ],
    )

    assert (facts["shipped"], facts["delivered"], facts["cancelled"]) == (4, 3, 0)


def test_a_line_is_served_from_where_most_of_it_lies() -> None:
    west = {"name": "West", "location": {"id": "gid://shopify/Location/12"}}
    facts = line_facts(
        fulfillmentOrders=several(a_work(1, (1, 1)), a_work(2, (1, 2), assignedLocation=west))
    )

    assert facts["location"] == "gid://shopify/Location/12"


def test_a_line_without_a_fulfilment_order_or_a_deleted_place_has_no_location() -> None:
    nowhere = {"name": "Gone", "location": None}

    assert line_facts(fulfillmentOrders=several())["location"] is None
    assert line_facts(fulfillmentOrders=several(a_work(1, (1, 1), assignedLocation=nowhere))) == {
        "shipped": 0, "delivered": 0, "cancelled": 0, "location": None,
    }  # fmt: skip


def test_fulfilment_orders_carry_their_lines_and_parcels() -> None:
    order = an_order(
        fulfillmentOrders=several(a_work(1, (1, 2), (2, 0), status="CLOSED"), a_work(2, (2, 1))),
        fulfillments=[
            a_parcel(7, 1, (1, 2), displayStatus="DELIVERED", deliveredAt="2026-10-07T00:00:00Z")
        ],
    )

    assert fulfilment.fulfilments(order) == [
        {
            "external_id": "gid://shopify/FulfillmentOrder/1",
            "external_location_id": "gid://shopify/Location/11",
            "state": "delivered", "raw_state": "CLOSED",
            "lines": [{"external_line_id": "gid://shopify/LineItem/1", "quantity": 2}],
            "packages": [{
                "external_id": "gid://shopify/Fulfillment/7", "carrier_code": "SF Express",
                "tracking_no": "SF7", "shipped_at": "2026-10-06T09:00:00Z",
                "delivered_at": "2026-10-07T00:00:00Z",
            }],
        },
        {
            "external_id": "gid://shopify/FulfillmentOrder/2",
            "external_location_id": "gid://shopify/Location/11",
            "state": "pending", "raw_state": "OPEN",
            "lines": [{"external_line_id": "gid://shopify/LineItem/2", "quantity": 1}],
            "packages": [],
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("OPEN", "pending"), ("SCHEDULED", "pending"), ("ON_HOLD", "pending"),
        ("IN_PROGRESS", "released"), ("INCOMPLETE", "exception"), ("CANCELLED", "cancelled"),
        ("CLOSED", "cancelled"), ("BRAND_NEW", "exception"),
    ],
)  # fmt: skip
def test_the_state_of_a_fulfilment_order_without_a_parcel(status: str, state: str) -> None:
    order = an_order(fulfillmentOrders=several(a_work(1, (1, 1), status=status)))

    assert [one["state"] for one in fulfilment.fulfilments(order)] == [state]


def test_two_tracking_numbers_are_two_packages_and_none_is_one() -> None:
    two = [{"company": "SF", "number": "A"}, {"company": "SF", "number": "B"}]
    order = an_order(
        fulfillments=[a_parcel(1, 1, (1, 1), trackingInfo=two), a_parcel(2, 1, trackingInfo=[])]
    )

    packages = fulfilment.fulfilments(order)[0]["packages"]

    assert [(p["external_id"], p["tracking_no"]) for p in packages] == [
        ("gid://shopify/Fulfillment/1", "A"),
        ("gid://shopify/Fulfillment/1#2", "B"),
        ("gid://shopify/Fulfillment/2", None),
    ]


def test_a_parcel_without_a_fulfilment_order_makes_one_of_its_own() -> None:
    order = an_order(fulfillmentOrders=several(), fulfillments=[a_parcel(3, None, (1, 1))])

    (found,) = fulfilment.fulfilments(order)

    assert (found["external_id"], found["state"]) == ("gid://shopify/Fulfillment/3", "shipped")
    assert found["lines"] == [{"external_line_id": "gid://shopify/LineItem/1", "quantity": 1}]


def test_an_order_is_shipped_and_delivered_when_its_last_parcel_is() -> None:
    parcels = [
        a_parcel(1, 1, (1, 1), displayStatus="DELIVERED", deliveredAt="2026-10-08T00:00:00Z"),
        a_parcel(2, 1, (1, 1), createdAt="2026-10-07T09:00:00Z", displayStatus="DELIVERED",
                 deliveredAt="2026-10-09T00:00:00Z"),
    ]  # fmt: skip
    order = an_order(displayFulfillmentStatus="FULFILLED", fulfillments=parcels)

    assert transforms.shipped_at(order) == "2026-10-07T09:00:00Z"
    assert transforms.delivered_at(order) == "2026-10-09T00:00:00Z"
    parcels[0]["displayStatus"] = "IN_TRANSIT"
    assert transforms.delivered_at(order) is None
    order["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED"
    assert transforms.shipped_at(order) is None


# After-sale


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        (["RETURN"], "return_refund"), (["RETURN", "NO_RESTOCK"], "return_refund"),
        (["CANCEL"], "cancel_unshipped"), (["CANCEL", "NO_RESTOCK"], "refund_only"),
        (["NO_RESTOCK"], "refund_only"), ([], "refund_only"), (["LEGACY_RESTOCK"], "return_refund"),
    ],
)  # fmt: skip
def test_the_kind_of_a_case(kinds: list[str], kind: str) -> None:
    lines = [a_refund_line(at, 1, one) for at, one in enumerate(kinds)]

    assert aftersale.case_kind(a_refund(1, *lines)) == kind


@pytest.mark.parametrize(
    ("statuses", "state", "money"),
    [
        (["SUCCESS"], "succeeded", "succeeded"), ([], "succeeded", "succeeded"),
        (["PENDING"], "refunding", "pending"), (["SUCCESS", "PENDING"], "refunding", "pending"),
        (["FAILURE"], "failed", "failed"), (["FAILURE", "SUCCESS"], "succeeded", "succeeded"),
    ],
)  # fmt: skip
def test_a_case_is_where_its_money_is(statuses: list[str], state: str, money: str) -> None:
    refund = a_refund(1, transactions=several(*({"status": one} for one in statuses)))

    assert aftersale.case_state(refund) == state
    assert aftersale.refunds(refund)[0]["state"] == money
    assert (aftersale.succeeded_at(refund) is not None) == (money == "succeeded")


def test_returned_units_are_received_at_their_place_called_off_ones_are_not() -> None:
    refund = a_refund(1, a_refund_line(1, 2), a_refund_line(2, 1, "CANCEL"))

    assert aftersale.case_lines(refund) == [
        {
            "external_line_id": "gid://shopify/LineItem/1", "sku_snapshot": "MUG-1", "quantity": 2,
            "amount": 1500, "reception": "received", "acceptance": "accepted",
            "disposition": "resalable", "external_location_id": "gid://shopify/Location/11",
        },
        {
            "external_line_id": "gid://shopify/LineItem/2", "sku_snapshot": "MUG-2", "quantity": 1,
            "amount": 1500, "reception": "awaiting", "acceptance": "accepted",
        },
    ]  # fmt: skip


def test_two_entries_of_one_line_are_one_part() -> None:
    refund = a_refund(1, a_refund_line(1, 1), a_refund_line(1, 2, "NO_RESTOCK"))

    (part,) = aftersale.case_lines(refund)

    assert (part["quantity"], part["amount"]) == (3, 3000)


def test_tax_is_added_to_a_refunded_line_only_when_prices_leave_it_out() -> None:
    shipping = several({"id": "x", "subtotalAmountSet": bag("5.0"), "taxAmountSet": bag("0.3")})
    refund = a_refund(1, a_refund_line(1, 1), refundShippingLines=shipping)
    outside = refund | {"hub": {"taxesIncluded": False}}

    assert [r["lines"][0]["amount"] for r in aftersale.refunds(refund)] == [1500]
    assert [r["lines"][0]["amount"] for r in aftersale.refunds(outside)] == [1650]
    assert [aftersale.refunds(one)[0]["shipping_amount"] for one in (refund, outside)] == [500, 530]


# Products and stock


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (None, []),
        ("  ", []),
        (
            "6901234567892",
            [{"type": "EAN13", "value": "6901234567892", "gtin14": "06901234567892"}],
        ),
        ("6901234567893", [{"type": "other", "value": "6901234567893"}]),
        ("036000291452", [{"type": "UPCA", "value": "036000291452", "gtin14": "00036000291452"}]),
        ("96385074", [{"type": "EAN8", "value": "96385074", "gtin14": "00000096385074"}]),
        ("2012345678903", [{"type": "EAN13", "value": "2012345678903"}]),
        ("20123451", [{"type": "EAN8", "value": "20123451"}]),
        ("A-1", [{"type": "other", "value": "A-1"}]),
        ("６９０１", [{"type": "other", "value": "６９０１"}]),
    ],
)
def test_a_barcode_and_what_it_is(code: str | None, found: list[dict[str, Any]]) -> None:
    assert transforms.barcodes(code) == found


@pytest.mark.parametrize(
    ("weight", "grams"),
    [
        (None, None),
        ({"unit": "GRAMS", "value": "250.0"}, 250),
        ({"unit": "KILOGRAMS", "value": "1.2345"}, 1234),
        ({"unit": "OUNCES", "value": 2}, 57),
        ({"unit": "POUNDS", "value": "1.5"}, 680),
        ({"unit": "STONES", "value": "1.0"}, None),
    ],
)
def test_a_weight_in_grams(weight: dict[str, Any] | None, grams: int | None) -> None:
    assert transforms.weight_g(weight) == grams


@pytest.mark.parametrize(
    ("bundle", "tracked", "ships", "kind"),
    [
        (True, True, True, "bundle"), (False, True, True, "simple"), (False, False, True, "simple"),
        (False, True, False, "simple"), (False, False, False, "virtual"),
    ],
)  # fmt: skip
def test_the_kind_of_a_variant(bundle: bool, tracked: bool, ships: bool, kind: str) -> None:
    item = {"tracked": tracked, "requiresShipping": ships}

    assert transforms.variant_kind({"requiresComponents": bundle, "inventoryItem": item}) == kind


def test_options_keep_their_order() -> None:
    options = [
        {"name": "Size", "position": 2, "values": ["S", "M"]},
        {"name": "颜色", "position": 1, "values": ["红"]},
    ]

    assert transforms.option_list(options) == [
        {"name": "颜色", "values": ["红"]}, {"name": "Size", "values": ["S", "M"]},
    ]  # fmt: skip
    assert transforms.option_values([{"name": "Size", "value": "M"}]) == {"Size": "M"}


def test_quantities_are_told_apart_by_name() -> None:
    quantities = [
        {"name": name, "quantity": n}
        for n, name in enumerate(
            ("available", "on_hand", "committed", "reserved", "damaged", "quality_control"), 1
        )
    ]

    assert transforms.promised(quantities) == 3 + 4
    assert transforms.unavailable(quantities) == 5 + 6
    assert transforms.promised([]) is None


# Customers


def a_customer(**changed: Any) -> dict[str, Any]:
    contact = {"marketingState": "SUBSCRIBED", "marketingOptInLevel": "SINGLE_OPT_IN",
               "marketingUpdatedAt": "2026-10-01T00:00:00Z"}  # fmt: skip
    return {
        "id": "gid://shopify/Customer/77", "verifiedEmail": True, "hub": {"shop": "a.myshopify.com"},
        "defaultEmailAddress": {"emailAddress": "Li@Example.test", **contact},
        "defaultPhoneNumber": {"phoneNumber": "+8613800000001", **contact},
    } | changed  # fmt: skip


def test_a_customer_is_known_by_id_inside_its_shop_by_email_and_phone() -> None:
    found = member.identities(a_customer())

    assert [(i["kind"], i.get("namespace"), i["value"], i["strength"]) for i in found] == [
        ("shopify_customer_gid", "a.myshopify.com", "gid://shopify/Customer/77", "strong"),
        ("email", None, "li@example.test", "strong"),
        ("phone", None, "+8613800000001", "weak"),
    ]


def test_an_unverified_email_is_weaker_and_a_masked_phone_is_none() -> None:
    masked = {"phoneNumber": "+86138****0001", "marketingState": "SUBSCRIBED",
              "marketingUpdatedAt": None, "marketingOptInLevel": None}  # fmt: skip
    customer = a_customer(verifiedEmail=False, defaultPhoneNumber=masked)

    assert [(i["kind"], i["strength"]) for i in member.identities(customer)] == [
        ("shopify_customer_gid", "strong"), ("email", "medium"),
    ]  # fmt: skip
    assert member.phone(masked) is None
    assert member.phone(None) is None
    assert member.phone({"phoneNumber": "+8613800000001"}) == "+8613800000001"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("SUBSCRIBED", "granted"), ("UNSUBSCRIBED", "withdrawn"), ("NOT_SUBSCRIBED", "unknown"),
        ("PENDING", "unknown"), ("INVALID", "unknown"), ("REDACTED", "unknown"),
    ],
)  # fmt: skip
def test_only_an_own_yes_is_permission(said: str, state: str) -> None:
    contact = {"emailAddress": "a@b.test", "marketingState": said, "marketingOptInLevel": None,
               "marketingUpdatedAt": None}  # fmt: skip
    customer = a_customer(defaultEmailAddress=contact, defaultPhoneNumber=None)

    assert member.consents(customer) == [
        {"purpose": "marketing", "channel": "email", "state": state, "at": None, "evidence": None}
    ]


def test_an_address_keeps_its_two_lines() -> None:
    address = {
        "id": "gid://shopify/MailingAddress/1?model_name=CustomerAddress", "name": "王伟",
        "phone": None, "address1": "演示路1号", "address2": "2楼", "city": "上海市",
        "province": "Shanghai", "provinceCode": "SH", "countryCodeV2": "CN", "zip": "200001",
    }  # fmt: skip

    (found,) = member.addresses(address)

    assert (found["street"], found["is_default"]) == ("演示路1号 2楼", True)
    assert transforms.street(address) == "演示路1号 2楼"
    assert transforms.street({"address1": "", "address2": None}) is None
    assert transforms.street(None) is None
    assert member.addresses(None) == []


def test_every_function_a_mapping_may_name_is_named_after_the_channel() -> None:
    assert all(name.startswith("shopify_") for name in transforms.TRANSFORMS)
    assert transforms.line_kind(True) == "stored_value"
    assert transforms.line_kind(False) == "goods"

"""Invariants M1, L1, L2, A1, O1-O3, P1, Q1 of the canonical model, on generated orders."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings

from hub.commerce.orders import fill_amounts, fill_states, fulfilment_state, payment_state
from hub.commerce.orders.states import return_state
from hub.mapping import rows
from hub.records import Adjustment, AdjustmentAllocation, ChannelOrder, OrderLine, Payment
from hub.records.rows import Row
from hub.records.shape import places, shape
from tests.records.orders import a_row, mapped, thawed

O = places(ChannelOrder)  # noqa: E741 - the order's places
L = places(OrderLine)
A = places(Adjustment)
S = places(AdjustmentAllocation)
P = places(Payment)


def filled(row: tuple[Any, ...]) -> Row:
    order = thawed(row)
    fill_amounts(order)
    fill_states(order)
    return order


def frozen(record: Any, row: Row) -> tuple[Any, ...]:
    """A thawed row without ids, as the record's own row."""
    out = list(row[:-1])
    for part in shape(record).parts:
        out[part.position] = [frozen(part.record, item) for item in out[part.position]]
    return tuple(out)


@given(mapped())
def test_m1_amounts_are_whole_and_a_filled_order_is_a_valid_record(row: tuple[Any, ...]) -> None:
    order = rows.to_record(ChannelOrder, frozen(ChannelOrder, filled(row)))

    assert isinstance(order, ChannelOrder)
    assert order.currency == "CNY"
    assert rows.to_row(order)[O.external_order_id] == "O1"


@given(mapped())
def test_l1_l2_a_line_pays_what_its_discounts_leave(row: tuple[Any, ...]) -> None:
    order = filled(row)
    shares: dict[str, int] = {}
    for adjustment in order[O.adjustments]:
        for part in adjustment[A.allocations]:
            shares[part[S.external_line_id]] = (
                shares.get(part[S.external_line_id], 0) + part[S.amount]
            )

    for line in order[O.lines]:
        tax = 0 if order[O.tax_included] else line[L.tax_amount]
        left = line[L.line_subtotal] - line[L.line_discount] - line[L.allocated_order_discount]
        assert line[L.line_payable] == left + tax
        assert line[L.line_payable] >= 0
        assert line[L.allocated_order_discount] == shares.get(line[L.external_line_id], 0)


@given(mapped())
def test_a1_every_discount_is_allocated_exactly(row: tuple[Any, ...]) -> None:
    order = filled(row)

    for adjustment in order[O.adjustments]:
        if adjustment[A.kind] != "unexplained":
            assert adjustment[A.amount] > 0
            assert sum(part[S.amount] for part in adjustment[A.allocations]) == adjustment[A.amount]
    for line in order[O.lines]:
        assert line[L.line_discount] + line[L.allocated_order_discount] <= line[L.line_subtotal]


@given(mapped())
def test_o1_o3_the_channels_total_stands_and_what_does_not_tie_is_named(
    row: tuple[Any, ...],
) -> None:
    order = thawed(row)
    sent = order[O.amount_payable]
    rest = fill_amounts(order)
    unexplained = [a[A.amount] for a in order[O.adjustments] if a[A.kind] == "unexplained"]
    tax = 0 if order[O.tax_included] else order[O.tax_total]
    o1 = order[O.items_subtotal] - order[O.items_discount] - order[O.order_discount]
    o1 += (
        order[O.shipping_subtotal]
        - order[O.shipping_discount]
        + order[O.fee_total]
        + order[O.rounding]
        + tax
    )

    assert order[O.amount_payable] == sent
    assert order[O.amount_payable] == o1 - sum(unexplained)
    assert unexplained == ([-rest] if rest else [])


@given(mapped())
def test_o2_lines_shipping_and_fees_add_up_to_the_same(row: tuple[Any, ...]) -> None:
    order = thawed(row)
    rest = fill_amounts(order)
    lines = sum(line[L.line_payable] for line in order[O.lines])
    line_tax = sum(line[L.tax_amount] for line in order[O.lines])
    other_tax = 0 if order[O.tax_included] else order[O.tax_total] - line_tax
    shipping = order[O.shipping_subtotal] - order[O.shipping_discount]

    assert (
        order[O.amount_payable]
        == lines + shipping + order[O.fee_total] + other_tax + order[O.rounding] + rest
    )


@given(mapped())
def test_p1_paid_is_what_was_captured(row: tuple[Any, ...]) -> None:
    order = filled(row)

    captured = sum(p[P.amount] for p in order[O.payments] if p[P.state] == "captured")
    assert order[O.amount_paid] == captured
    assert order[O.amount_refunded] == 0


@given(mapped())
def test_filling_its_own_result_changes_nothing(row: tuple[Any, ...]) -> None:
    order = filled(row)
    before = deepcopy(order)

    fill_amounts(order)
    fill_states(order)

    assert order == before


@settings(max_examples=50)
@given(mapped())
def test_q1_what_left_is_never_more_than_what_was_ordered_and_states_follow(
    row: tuple[Any, ...],
) -> None:
    order = filled(row)
    live = [
        line for line in order[O.lines]
        if line[L.requires_shipping] and line[L.quantity] > line[L.qty_cancelled]
    ]  # fmt: skip

    for line in order[O.lines]:
        assert (
            0
            <= line[L.qty_delivered]
            <= line[L.qty_shipped]
            <= line[L.quantity] - line[L.qty_cancelled]
        )
    if order[O.fulfilment_state] == "delivered":
        assert all(
            line[L.qty_delivered] == line[L.quantity] - line[L.qty_cancelled] for line in live
        )
    if order[O.fulfilment_state] == "unfulfilled":
        assert not any(line[L.qty_shipped] for line in live)


# --- discounts the channel allocated itself -------------------------------------------------------


def an_order(*discounts: tuple[int, dict[str, int]], shares: tuple[int, int]) -> Row:
    """Two lines of 100; discounts as (amount, allocations), the lines' own shares beside them."""
    return thawed(
        a_row(
            ChannelOrder,
            external_order_id="O1",
            order_state="confirmed",
            currency="CNY",
            amount_payable=200 - sum(amount for amount, _ in discounts),
            placed_at="2026-10-05T08:00:00.000000Z",
            lines=[
                a_row(OrderLine, external_line_id=f"L{n}", quantity=1, line_subtotal=100, allocated_order_discount=s)
                for n, s in enumerate(shares)
            ],
            adjustments=[
                a_row(
                    Adjustment, external_ref=f"D{n}", target="order", kind="promotion", amount=amount,
                    allocations=[
                        a_row(AdjustmentAllocation, external_line_id=name, amount=part) for name, part in parts.items()
                    ],
                )
                for n, (amount, parts) in enumerate(discounts)
            ],
        )
    )  # fmt: skip


def shares_of(order: Row) -> tuple[list[int], list[dict[str, int]]]:
    parts = [
        {p[S.external_line_id]: p[S.amount] for p in a[A.allocations]} for a in order[O.adjustments]
    ]
    return [line[L.allocated_order_discount] for line in order[O.lines]], parts


def test_a_discount_without_shares_beside_one_with_shares_is_allocated_too() -> None:
    order = an_order((30, {"L0": 30}), (5, {}), shares=(30, 0))

    assert fill_amounts(order) == 0

    assert shares_of(order) == ([32, 3], [{"L0": 30}, {"L0": 2, "L1": 3}])


def test_shares_the_channel_put_on_the_lines_alone_become_the_discounts_allocations() -> None:
    order = an_order((30, {}), shares=(10, 20))

    assert fill_amounts(order) == 0

    assert shares_of(order) == ([10, 20], [{"L0": 10, "L1": 20}])


def test_shares_on_the_lines_of_two_discounts_are_dealt_out_in_order() -> None:
    order = an_order((12, {}), (18, {}), shares=(10, 20))

    assert fill_amounts(order) == 0

    assert shares_of(order) == ([10, 20], [{"L0": 10, "L1": 2}, {"L1": 18}])


# --- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order_state", "payable", "paid", "authorized", "refunded", "state"),
    [
        ("cancelled", 100, 0, 0, 0, "voided"),
        ("cancelled", 100, 100, 0, 100, "refunded"),
        ("cancelled", 100, 100, 0, 0, "paid"),
        ("confirmed", 100, 100, 0, 100, "refunded"),
        ("confirmed", 100, 100, 0, 40, "partially_refunded"),
        ("confirmed", 100, 0, 0, 0, "unpaid"),
        ("confirmed", 100, 0, 100, 0, "authorized"),
        ("confirmed", 100, 120, 0, 0, "overpaid"),
        ("confirmed", 100, 100, 0, 0, "paid"),
        ("pending", 100, 40, 0, 0, "partially_paid"),
        ("confirmed", 0, 0, 0, 0, "paid"),
        ("completed", 0, 0, 0, 0, "paid"),
        ("pending", 0, 0, 0, 0, "unpaid"),
    ],
)
def test_payment_state_follows_from_the_sums(
    order_state: str, payable: int, paid: int, authorized: int, refunded: int, state: str
) -> None:
    found = payment_state(
        order_state=order_state,
        payable=payable,
        paid=paid,
        authorized=authorized,
        refunded=refunded,
    )

    assert found == state


def goods(
    quantity: int, cancelled: int = 0, shipped: int = 0, delivered: int = 0, *, ships: bool = True
) -> Row:
    line: Row = [0] * shape(OrderLine).width
    line[L.quantity], line[L.qty_cancelled], line[L.qty_shipped] = quantity, cancelled, shipped
    line[L.qty_delivered], line[L.requires_shipping] = delivered, ships
    return line


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([goods(2)], "unfulfilled"),
        ([goods(2, shipped=1)], "partially_shipped"),
        ([goods(2, shipped=2), goods(1)], "partially_shipped"),
        ([goods(2, shipped=2), goods(1, shipped=1)], "shipped"),
        ([goods(2, 1, shipped=1)], "shipped"),
        ([goods(2, shipped=2, delivered=1)], "partially_delivered"),
        ([goods(2, shipped=2, delivered=2)], "delivered"),
        ([goods(2, shipped=2, delivered=2), goods(1)], "partially_delivered"),
        ([goods(2, 2)], "cancelled"),
        ([goods(2, 2), goods(1, shipped=1)], "shipped"),
        ([goods(1, ships=False)], "not_required"),
        ([], "not_required"),
    ],
)
def test_fulfilment_state_follows_from_the_lines(lines: list[Row], state: str) -> None:
    assert fulfilment_state("confirmed", lines) == state


def returned(shipped: int, back: int) -> Row:
    line = goods(shipped, shipped=shipped)
    line[L.qty_returned] = back
    return line


@pytest.mark.parametrize(
    ("cases", "lines", "state"),
    [
        ([], [returned(2, 0)], "none"),
        (["rejected", "cancelled"], [returned(2, 0)], "none"),
        (["requested"], [returned(2, 1)], "requested"),
        (["awaiting_return"], [returned(2, 0)], "in_progress"),
        (["succeeded"], [returned(2, 1)], "partially_returned"),
        (["succeeded"], [returned(2, 2)], "returned"),
        (["succeeded"], [returned(2, 0)], "none"),
    ],
)
def test_return_state_follows_from_cases_and_lines(
    cases: list[str], lines: list[Row], state: str
) -> None:
    assert return_state(cases, lines) == state

"""Generated orders, as rows a mapping would give: tied or not, with every kind of discount."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hub.records import ABSENT, Adjustment, ChannelOrder, OrderLine, Payment
from hub.records.rows import Row, thaw

ROW_ID = "ord_1"
small = st.integers(0, 100_000)


def a_row(record: Any, **values: Any) -> tuple[Any, ...]:
    """A mapped row: what is not named is absent."""
    unknown = set(values) - set(record.model_fields)
    assert not unknown, unknown
    return tuple(values.get(name, ABSENT) for name in record.model_fields)


@st.composite
def lines(draw: st.DrawFn, number: int) -> tuple[Any, ...]:
    """A line whose own discount never passes its value, and whose quantities are as Q1 wants them."""
    quantity = draw(st.integers(1, 5))
    cancelled = draw(st.integers(0, quantity))
    shipped = draw(st.integers(0, quantity - cancelled))
    subtotal = draw(small)
    return a_row(
        OrderLine,
        external_line_id=f"L{number}",
        quantity=quantity,
        qty_cancelled=cancelled,
        qty_shipped=shipped,
        qty_delivered=draw(st.integers(0, shipped)),
        line_subtotal=subtotal,
        line_discount=draw(st.integers(0, subtotal)),
        tax_amount=draw(st.integers(0, 500)),
        requires_shipping=draw(st.booleans()),
    )


@st.composite
def mapped(draw: st.DrawFn) -> tuple[Any, ...]:
    """An order as a channel sends it; its total ties, or is off by a little."""
    own = [draw(lines(n)) for n in range(draw(st.integers(0, 5)))]
    at = list(OrderLine.model_fields).index
    worth = [row[at("line_subtotal")] - row[at("line_discount")] for row in own]
    wanted = draw(st.lists(st.integers(1, 1000), max_size=3)) if own else []
    discounts, left = [], sum(worth)
    for number, amount in enumerate(wanted):
        if amount <= left:
            left -= amount
            discounts.append(
                a_row(Adjustment, external_ref=f"D{number}", target="order", kind="promotion", amount=amount,
                      funded_by=draw(st.sampled_from(["merchant", "platform"])))
            )  # fmt: skip
    included, tax = draw(st.booleans()), sum(row[at("tax_amount")] for row in own)
    freight, fee, rounding = draw(small), draw(st.integers(0, 500)), draw(st.integers(-50, 50))
    payable = left + freight + fee + rounding + (0 if included else tax)
    payable = max(0, payable + draw(st.sampled_from([0, 0, 1, -3, 250])))
    payments = [
        a_row(Payment, external_txn_id=f"P{n}", amount=draw(small), state=state)
        for n, state in enumerate(
            draw(st.lists(st.sampled_from(["captured", "authorized", "failed"]), max_size=3))
        )
    ]
    return a_row(
        ChannelOrder,
        external_order_id="O1",
        order_state=draw(
            st.sampled_from(
                ["pending", "confirmed", "on_hold", "completed", "cancelled", "unknown"]
            )
        ),
        currency="CNY",
        shipping_subtotal=freight,
        fee_total=fee,
        rounding=rounding,
        tax_total=tax,
        tax_included=included,
        amount_payable=payable,
        placed_at="2026-10-05T08:00:00.000000Z",
        lines=own,
        adjustments=discounts,
        payments=payments,
    )


def thawed(row: tuple[Any, ...]) -> Row:
    """The row as the engine works on it."""
    return thaw(ChannelOrder, row, ROW_ID)

"""Money, quantity, time, ids: exact, refused when not exact, and one form each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.records import Money, Quantity, allocate, money, quantity
from hub.records import time as instants
from hub.records.ids import PREFIXES, new_id, new_ids

CURRENCIES = {"CNY": 2, "USD": 2, "JPY": 0, "KWD": 3}
amounts = st.integers(-(2**63) + 1, 2**63 - 1)
offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=offsets,
)


@given(amounts, st.sampled_from(sorted(CURRENCIES)))
def test_money_reads_back_what_it_wrote(minor: int, currency: str) -> None:
    text = money.to_text(minor, currency)

    assert money.to_minor(text, currency) == minor
    assert len(text.partition(".")[2]) == CURRENCIES[currency]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.30", "CNY", 1230), ("-0.01", "CNY", -1), ("12", "JPY", 12), ("1.2340", "KWD", 1234), ("19.99", "CNY", 1999),
     ("0.29", "CNY", 29), ("1.15", "CNY", 115), ("92233720368547758.07", "CNY", 2**63 - 1)],
)  # fmt: skip
def test_money_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert money.to_minor(text, currency) == minor


NO_NUMBERS = [
    "",
    "ten",
    "NaN",
    "Infinity",
    "1,000",
    "0x10",
    "1_000",
    "１２",
    "٣",
    "1e999999",
    "-1e999999",
    "12 3",
]


@pytest.mark.parametrize(
    "text",
    [
        *NO_NUMBERS,
        "1.001",
        "1.0000000000000000000000000000000000001",
        "92233720368547758.08",
        "1e30",
    ],
)
def test_money_refuses_what_is_no_amount_of_the_currency(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a|more decimals|beyond 64"):
        money.to_minor(text, "CNY")


@pytest.mark.parametrize("text", [*NO_NUMBERS, "0.0001", "0.5350000000000000000000000000000000001"])
def test_a_quantity_refuses_what_is_no_number_of_steps(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a|more than|beyond 64"):
        quantity.to_steps(text, 3)


@given(amounts, st.integers(0, 4))
def test_a_quantity_reads_back_what_it_wrote(steps: int, scale: int) -> None:
    assert quantity.to_steps(quantity.to_text(steps, scale), scale) == steps


@pytest.mark.parametrize(
    ("price", "steps", "scale", "total"),
    [(1000, 535, 3, 535), (999, 500, 3, 500), (1, 5, 1, 1), (1, 4, 1, 0)],
)
def test_a_line_total_is_rounded_half_up_once(
    price: int, steps: int, scale: int, total: int
) -> None:
    assert quantity.line_total(price, steps, scale) == total


def test_two_currencies_and_two_scales_do_not_add() -> None:
    assert Money(1, "CNY") + Money(2, "CNY") == Money(3, "CNY")
    assert Quantity(1, 3) + Quantity(2, 3) == Quantity(3, 3)
    with pytest.raises(ValueError, match="cannot add USD to CNY"):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(ValueError, match="cannot add scale 0 to scale 3"):
        Quantity(1, 3) + Quantity(1, 0)


# --- allocation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "weights", "quantities", "shares"),
    [
        (1000, [3333, 3333, 3334], [], [333, 333, 334]),
        (1, [100, 100, 100], [], [1, 0, 0]),
        (100, [1, 0, 999], [], [0, 0, 100]),
        (5, [0, 0], [1, 1], [3, 2]),
        (5, [0, 0], [], [3, 2]),
        (0, [7, 0], [], [0, 0]),
        (0, [], [], []),
    ],
)
def test_allocation_gives_the_shares_of_the_canonical_model(
    total: int, weights: list[int], quantities: list[int], shares: list[int]
) -> None:
    assert allocate(total, weights, quantities) == shares


weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)


@given(st.integers(0, 10**12), weights)
def test_allocation_neither_makes_nor_loses_money(total: int, by_line: list[int]) -> None:
    shares = allocate(total, by_line)

    assert sum(shares) == total
    assert min(shares) >= 0


@given(weights, st.integers(0, 10**9))
def test_no_line_carries_more_than_it_is_worth_while_the_lines_can_carry_it(
    by_line: list[int], total: int
) -> None:
    total = min(total, sum(by_line))

    shares = allocate(total, by_line)

    assert (
        all(share <= weight for share, weight in zip(shares, by_line, strict=True))
        or sum(by_line) == 0
    )


@given(st.integers(0, 10**6), weights)
def test_a_heavier_line_never_carries_less(total: int, by_line: list[int]) -> None:
    shares = allocate(total, by_line)

    for i, left in enumerate(by_line):
        for j, right in enumerate(by_line):
            assert not (left > right and shares[i] < shares[j])


def test_nothing_cannot_carry_something() -> None:
    with pytest.raises(ValueError, match="nothing to allocate to"):
        allocate(1, [])


# --- time -----------------------------------------------------------------------------------------


@given(moments, moments)
def test_the_text_of_instants_sorts_as_time_does(left: datetime, right: datetime) -> None:
    assert (instants.to_text(left) < instants.to_text(right)) == (left < right)
    assert instants.from_text(instants.to_text(left)) == left


@given(moments)
def test_the_normal_form_is_one_for_every_way_to_write_an_instant(value: datetime) -> None:
    told = value.isoformat()

    assert instants.normal(told) == instants.to_text(value)
    assert instants.normal(instants.to_text(value)) == instants.to_text(value)


def test_the_short_form_of_a_whole_second_is_the_long_one() -> None:
    assert instants.normal("2026-10-05T08:00:00Z") == "2026-10-05T08:00:00.000000Z"
    with pytest.raises(ValueError, match=r"hour|isoformat|range"):
        instants.normal("2026-10-05T99:00:00Z")


@pytest.mark.parametrize("text", ["2026-10-05T08:00:00", "2026-10-05", "2026-10-05 08:00"])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time without a zone"):
        instants.from_text(text)


def test_wall_time_is_read_in_its_zone_and_an_hour_told_twice_is_the_first() -> None:
    assert instants.from_local("2026-10-05 08:00:00", "Asia/Shanghai") == datetime(
        2026, 10, 5, 0, tzinfo=UTC
    )
    assert instants.from_local("2026-11-01 01:30", "America/New_York") == datetime(
        2026, 11, 1, 5, 30, tzinfo=UTC
    )
    assert (
        instants.to_local(datetime(2026, 10, 5, tzinfo=UTC), "Asia/Shanghai")
        == "2026-10-05 08:00:00"
    )
    with pytest.raises(ValueError, match="unknown time zone 'Mars/Base'"):
        instants.zone("Mars/Base")


def test_an_offset_is_kept_out_of_the_text() -> None:
    east = datetime(2026, 10, 5, 8, tzinfo=timezone(timedelta(hours=8)))
    assert instants.to_text(east) == "2026-10-05T00:00:00.000000Z"


# --- ids ------------------------------------------------------------------------------------------


def test_ids_are_unique_and_ascend_among_themselves() -> None:
    many = new_ids("channel_order", 10_000)

    assert many == sorted(set(many))
    assert {len(row_id) for row_id in many} == {len("ord_") + 32}


def test_ids_sort_by_birth_and_say_what_they_name() -> None:
    born = new_id("member")

    assert born.startswith("mem_")
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert born[16] == "7", "RFC 9562, version 7"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    )
)
def test_half_goes_away_from_zero(value: Decimal) -> None:
    rounded = money.half_up(value)

    assert abs(Decimal(rounded) - value) <= Decimal("0.5")
    if abs(value) % 1 == Decimal("0.5"):
        assert abs(rounded) > abs(value)

"""Every transform: what it reads, what it writes, what it refuses, and its quick way."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import MappingError
from hub.mapping.codec import scaled_reader
from hub.mapping.shape import instant, instant_text, shape
from hub.records import ABSENT, ChannelOrder
from hub.records.money import to_minor
from hub.records.time import from_text, to_text

from .test_engine import at

EIGHT = "2026-10-05T08:00:00.000000Z"
HALF_PAST = "2026-10-05T08:00:00.500000Z"
FIELD = shape(ChannelOrder).get("rounding")


@pytest.mark.parametrize(
    ("name", "options", "native", "canonical", "back"),
    [
        ("display_no", "as: text", "x", "x", "x"),
        ("display_no", "as: text", 12, "12", "12"),
        ("display_no", "as: text, number: true", "12", "12", 12),
        ("seller_flag", "as: integer", 3, 3, 3),
        ("seller_flag", "as: integer, text: true", "3", 3, "3"),
        ("tax_included", "as: boolean", True, True, True),
        ("tax_included", "as: enum, table: {Y: true, N: false}", "N", False, "N"),
        ("tax_included", "as: enum, table: {1: true, 0: false}", 1, True, 1),
        ("tax_total", "as: money, currency: CNY", "12.3", 1230, "12.30"),
        ("tax_total", "as: money, currency: JPY", "12", 12, "12"),
        ("tax_total", "as: money, currency: KWD", "1.234", 1234, "1.234"),
        ("tax_total", "as: money, currency: CNY", 12, 1200, "12.00"),
        ("tax_total", "as: money, currency: CNY", Decimal("0.1"), 10, "0.10"),
        ("tax_total", "as: money, currency: CNY, number: true", 0.29, 29, 0.29),
        ("tax_total", "as: money, currency: CNY, unit: minor", 29, 29, 29),
        ("tax_total", "as: money, currency: CNY, unit: minor, text: true", "29", 29, "29"),
        ("rounding", "as: money, currency: CNY", "-0.05", -5, "-0.05"),
        ("seller_flag", "as: steps, scale: 0", 3, 3, 3),
        ("seller_flag", "as: steps, scale: 0, text: true", "3", 3, "3"),
        ("seller_flag", "as: steps, scale: 3", "1.5", 1500, "1.5"),
        ("seller_flag", "as: steps, scale: 3, number: true", 0.535, 535, 0.535),
        ("paid_at", "as: instant", "2026-10-05T16:00:00+08:00", EIGHT, "2026-10-05T08:00:00Z"),
        ("paid_at", "as: instant", "2026-10-05T08:00:00.5Z", HALF_PAST, HALF_PAST),
        ("paid_at", "as: local_time, zone: Asia/Shanghai", "2026-10-05 16:00:00", EIGHT, "2026-10-05 16:00:00"),
        ("paid_at", "as: epoch_s", 1_790_000_000, "2026-09-21T14:13:20.000000Z", 1_790_000_000),
        ("paid_at", "as: epoch_s, text: true", "1790000000", "2026-09-21T14:13:20.000000Z", "1790000000"),
        ("paid_at", "as: epoch_ms", 1_790_000_000_123, "2026-09-21T14:13:20.123000Z", 1_790_000_000_123),
        ("business_date", "as: date", "2026-10-05", "2026-10-05", "2026-10-05"),
        ("business_date", "as: decimal", "45.0", "45.0", "45.0"),
        ("business_date", "as: decimal, number: true", 45.5, "45.5", 45.5),
        ("attribution", "as: json", {"a": [1, None]}, {"a": [1, None]}, {"a": [1, None]}),
        ("order_kind", "as: text", "presale", "presale", "presale"),
        ("display_no", "as: text, empty: 'null'", "", None, None),
        ("display_no", "as: text, empty: absent", "", ABSENT, ABSENT),
        ("tax_total", "as: money, currency: CNY, 'null': absent", None, ABSENT, ABSENT),
    ],
)  # fmt: skip
def test_values_go_both_ways(order, an_order, name, options, native, canonical, back):
    mapping = order(f"  {name}: {{native: x, {options}}}\n")

    row = mapping.to_canonical(an_order(x=native))[0]

    assert at(mapping, row, name) == canonical
    assert type(at(mapping, row, name)) is type(canonical)
    assert row == mapping.read_slowly(an_order(x=native))[0]
    written = mapping.to_native(row).get("x", ABSENT)
    assert (written, type(written)) == (back, type(back))
    assert mapping.to_native(row, onto=an_order(x=native)) == an_order(x=native)


@pytest.mark.parametrize(
    ("name", "options", "native", "why"),
    [
        ("display_no", "as: text", 1.5, "expected text, found a decimal number"),
        ("display_no", "as: text", True, "expected text, found true or false"),
        ("seller_flag", "as: integer", "3.0", "expected a whole number, found text"),
        ("seller_flag", "as: integer", 2**63, "more than 9223372036854775807"),
        ("tax_included", "as: boolean", 1, "expected true or false, found a number"),
        ("tax_total", "as: money, currency: CNY", 0.29, "a JSON number with decimals"),
        ("tax_total", "as: money, currency: CNY", "1e999999999", ""),
        ("tax_total", "as: money, currency: CNY", "NaN", "not a finite number"),
        ("tax_total", "as: money, currency: CNY", "99999999999999999999", "beyond 64 bits"),
        ("tax_total", "as: money, currency: {native: cur}", "1", "its currency is nothing"),
        ("seller_flag", "as: steps, scale: 2", "0.535", "more than 2 decimals"),
        ("seller_flag", "as: steps, scale: {native: cur}", "1", "its scale is nothing, not 0 to 4"),
        ("paid_at", "as: local_time, zone: {native: cur}", "2026-10-05 16:00:00", "its time zone is nothing"),
        ("paid_at", "as: epoch_s", 10**18, "a time beyond the year 9999"),
        ("paid_at", "as: epoch_s", 1.5, "expected a whole number, found a decimal number"),
        ("paid_at", "as: instant", 5, "expected a time as text, found a number"),
        ("business_date", "as: date", "05.10.2026", "Invalid isoformat string"),
        ("business_date", "as: decimal", "many", "not a decimal number"),
        ("attribution", "as: json", [1], "expected JSON of the form"),
        ("attribution", "as: json", {"a": "\x00"}, "text with a NUL character"),
        ("order_kind", "as: text", "gone", "not one of sale, presale"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(order, an_order, name, options, native, why):
    mapping = order(f"  {name}: {{native: x, {options}}}\n")

    with pytest.raises(MappingError) as caught:
        mapping.to_canonical(an_order(x=native))

    assert caught.value.canonical == name
    assert caught.value.why.startswith(why)


numbers = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.builds("{}.{}".format, st.integers(0, 10**17), st.integers(0, 999)),
    st.integers(-(10**20), 10**20).map(str),
    st.text("0123456789.-+eE_ ٣３²", max_size=8),
)


@given(numbers, st.sampled_from(["CNY", "JPY", "KWD"]))
def test_the_quick_amount_reader_agrees_with_the_rule_for_money(text, currency):
    places = {"CNY": 2, "JPY": 0, "KWD": 3}[currency]
    quick = scaled_reader(partial(to_minor, currency=currency), places, FIELD, number=False)

    assert outcome(quick, text) == outcome(lambda value: to_minor(value, currency), text)


def outcome(function, value):
    try:
        return function(value)
    except (ValueError, ArithmeticError):
        return "refused"


@given(st.datetimes(timezones=st.timezones()), st.booleans())
def test_the_quick_time_reader_agrees_with_the_rule_for_instants(moment, whole):
    if not 1001 <= moment.year <= 9998:
        return
    text = (moment.replace(microsecond=0) if whole else moment).isoformat()
    if moment.utcoffset().seconds % 60 or moment.utcoffset().microseconds:
        return

    assert instant(text) == to_text(from_text(text)) == instant_text(from_text(text))


@pytest.mark.parametrize("text", ["2026-W41-1T08:00:00Z", "2026-10-05T080000.1Z"])
def test_odd_but_valid_forms_of_the_usual_length_are_normalised(text):
    assert instant(text) == to_text(from_text(text))
    assert len(instant(text)) == 27

"""Cells to values: numbers, dates, codes and what spreadsheets do to them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.pos_csv.errors import RowProblem
from connectors.pos_csv.values import (
    business_date,
    clock_is_doubtful,
    gtin_is_wrong,
    guarded,
    id_text,
    local_time,
    minor,
    money,
    number,
    unguarded,
)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12.50", "12.50"), ("1,234.50", "1234.50"), ("￥1,234.50", "1234.50"), ("-$12.00", "-12.00"),
        ("(12.00)", "-12.00"), ("１２．５", "12.5"), ("12.5元", "12.5"), (" 7 ", "7"), ("+3", "3"), (".5", "0.5"),
        ("€ 19.90", "19.90"),
    ],
)  # fmt: skip
def test_numbers_as_tills_write_them(cell: str, value: str) -> None:
    assert number(cell, "net") == Decimal(value)


@pytest.mark.parametrize("cell", ["", "-", "—", "NULL", "n/a", "  "])
def test_null_words_are_no_number(cell: str) -> None:
    assert number(cell, "net") is None


@pytest.mark.parametrize(
    ("cell", "value"), [("1.234", 1234), ("1.234,50", Decimal("1234.50")), ("0,5", Decimal("0.5"))]
)
def test_decimal_comma_as_configured(cell: str, value: Decimal) -> None:
    assert number(cell, "net", ",", ".") == value


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.2E+05", "EXCEL_SCI"), ("两件", "NUMBER"), ("#N/A", "NUMBER"), ("########", "NUMBER"),
        ("1,23", "NUMBER"), ("12,34,567.00", "NUMBER"), ("1.5,000", "NUMBER"), ("NaN", "NUMBER"),
        ("Infinity", "NUMBER"), ("1 2", "NUMBER"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(cell: str, code: str) -> None:
    with pytest.raises(RowProblem) as caught:
        number(cell, "net")
    assert (caught.value.code, caught.value.column) == (code, "net")


def test_money_is_exact_and_never_rounded() -> None:
    assert minor("1.15", "net", 2) == 115
    assert minor("1.1500", "net", 2) == 115
    assert minor("5", "net", 0) == 5
    with pytest.raises(RowProblem) as caught:
        minor("1.155", "net", 2)
    assert caught.value.code == "PRECISION"


@given(st.integers(min_value=-(10**12), max_value=10**12), st.sampled_from([0, 2, 3]))
def test_money_text_and_back_is_the_identity(amount: int, exponent: int) -> None:
    assert minor(money(amount, exponent), "net", exponent) == amount


@pytest.mark.parametrize(
    ("cell", "order", "local"),
    [
        ("7/28/26 1:33 PM", "MDY", "2026-07-28 13:33:00"),
        ("08/08/2026 18:00", "DMY", "2026-08-08 18:00:00"),
        ("31/12/2025 14:05", "DMY", "2025-12-31 14:05:00"),
        ("2026-01-01 08:00:00", "", "2026-01-01 08:00:00"),
        ("2025/6/1 9:05", "", "2025-06-01 09:05:00"),
        ("2025/6/1 星期日 9:05", "", "2025-06-01 09:05:00"),
        ("2025年6月1日 下午 1:05", "", "2025-06-01 13:05:00"),
        ("20250601 090507", "", "2025-06-01 09:05:07"),
        ("2026-01-01T08:00:00.500", "", "2026-01-01 08:00:00"),
        ("12/1/26 12:00 AM", "MDY", "2026-12-01 00:00:00"),
        ("２０２５/６/１", "", "2025-06-01 00:00:00"),
    ],
)
def test_dates_as_tills_write_them(cell: str, order: str, local: str) -> None:
    assert local_time(cell, order) == local


@pytest.mark.parametrize(
    "cell",
    ["2026-13-45", "31/31/2026 1:00", "soon", "1/2/26 25:00", "2026-02-30 08:00:00", "13:05"],
)
def test_no_such_date(cell: str) -> None:
    with pytest.raises(RowProblem) as caught:
        local_time(cell, "DMY")
    assert caught.value.code == "DATE"


@pytest.mark.parametrize(
    ("cell", "text", "repaired"),
    [
        ("'0012", "0012", False), ('="0012"', "0012", False), ("6900000002373\t", "6900000002373", False),
        ("6900000002373.0", "6900000002373", True), ("NA", "NA", False), ("001", "001", False),
        ("  X-1   ", "X-1", False), ("ＴＥＥ－１", "TEE-1", False), ("'=A1", "=A1", False), ("''a", "'a", False),
    ],
)  # fmt: skip
def test_codes_keep_every_digit(cell: str, text: str, *, repaired: bool) -> None:
    assert id_text(cell, "sku") == (text, repaired)


@pytest.mark.parametrize(
    ("cell", "code"),
    [("6.90123E+12", "EXCEL_SCI"), ("2.1E+11", "EXCEL_SCI"), ("3月4日", "EXCEL_NUM"), ("Mar-04", "EXCEL_NUM"),
     ("2025/3/4", "EXCEL_NUM"), ("#REF!", "EXCEL_NUM")],
)  # fmt: skip
def test_a_damaged_code_is_never_restored(cell: str, code: str) -> None:
    with pytest.raises(RowProblem) as caught:
        id_text(cell, "sku")
    assert caught.value.code == code


def test_check_digit_of_retail_codes_only() -> None:
    assert not gtin_is_wrong("6901234567892")
    assert gtin_is_wrong("6901234567893")
    assert not gtin_is_wrong("2106013040089")  # in-store codes have their own rules
    assert not gtin_is_wrong("123")


def test_business_day_of_a_store_that_closes_at_two() -> None:
    assert business_date("2026-06-02 01:30:00", "02:00") == "2026-06-01"
    assert business_date("2026-06-02 02:00:00", "02:00") == "2026-06-02"
    assert business_date("2026-06-02 00:00:00", "00:00") == "2026-06-02"


def test_a_clock_change_makes_a_time_doubtful() -> None:
    assert clock_is_doubtful("2026-10-25 02:30:00", "Europe/Berlin")
    assert clock_is_doubtful("2026-03-29 02:30:00", "Europe/Berlin")
    assert not clock_is_doubtful("2026-10-25 04:30:00", "Europe/Berlin")
    assert not clock_is_doubtful("2026-10-25 02:30:00", "Asia/Shanghai")


@given(st.text(max_size=30) | st.from_regex(r"\A'{0,3}[=+\-@\t\r\n＝＋－＠].{0,5}\Z"))
def test_export_guard_and_import_are_the_identity(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(
        ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    )

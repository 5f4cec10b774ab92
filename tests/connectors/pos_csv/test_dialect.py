"""How a file is to be read: header, delimiter, order of dates; refused before any row is believed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.pos_csv.errors import FileProblem
from connectors.pos_csv.settings import settings
from hub.errors import ConfigError
from tests.connectors.pos_csv.conftest import FORM, LOYVERSE_HEADER, Read


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_chosen_by_the_header(
    read: Callable[..., Read], sheet: Callable[..., str], delimiter: str
) -> None:
    text = sheet({"商品名称": "红"}).replace(",", delimiter)
    assert read(text).plan.delimiter == delimiter


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_the_same_receipt_in_every_encoding(
    read: Callable[..., Read], sheet: Callable[..., str], encoding: str
) -> None:
    got = read(sheet({"商品名称": "红色T恤"}), encoding=encoding)
    assert got.sale["lines"][0]["name"] == "红色T恤"


def test_title_rows_above_and_total_rows_below_are_no_receipts(
    read: Callable[..., Read], sheet: Callable[..., str]
) -> None:
    text = (
        "XX超市销售明细表\r\n日期:2026-06-01 至 2026-06-01,,,\r\n"
        + sheet({})
        + "合计,,,,,1,,,,,,\r\n"
    )
    got = read(text, encoding="gb18030")
    assert (got.tally.total, got.tally.receipts, len(got.tally.footers)) == (1, 1, 1)
    assert got.held == []


def test_bom_inside_a_quoted_header_is_taken_off(read: Callable[..., Read]) -> None:
    text = (
        '\ufeff"流水号","销售时间","数量","金额","商品编码"\r\nA1,2026-06-01 09:05:00,1,5,TEE\r\n'
    )
    assert read(text).tally.receipts == 1


def test_headers_are_compared_without_decoration(read: Callable[..., Read]) -> None:
    text = "＊流水号（必填）, 销售时间：,数量*,金额,商品编码\r\nA1,2026-06-01 09:05:00,1,5,TEE\r\n".replace(
        "＊", "*"
    )
    assert read(text).tally.receipts == 1


def test_a_connections_own_columns_replace_the_presets(read: Callable[..., Read]) -> None:
    text = "No,When,Pieces,Money,Code\r\nA1,2026-06-01 09:05:00,2,5.00,TEE\r\n"
    columns = {
        "receipt_no": ["No"],
        "sold_at": ["When"],
        "quantity": ["Pieces"],
        "gross": ["Money"],
        "sku": ["Code"],
    }
    got = read(text, layout="custom", columns=columns)
    assert got.sale["lines"][0]["price"] == "2.50"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "HEADER_MISSING"),
        ("a,b,c\r\n1,2,3\r\n", "HEADER_MISSING"),
        ("流水号,数量,金额\r\nA1,1,5\r\n", "HEADER_MISSING"),
        ("流水号,销售时间,数量,数量,金额\r\n", "HEADER_DUP"),
        ("流水号,销售时间,数量,金额\r\nA1,2026-06-01 09:05:00,1,5.00\r\nA2,2026-06-", "INCOMPLETE"),
    ],
)
def test_files_that_cannot_be_read_at_all(read: Callable[..., Read], text: str, code: str) -> None:
    with pytest.raises(FileProblem) as caught:
        read(text)
    assert caught.value.code == code


def test_header_only_is_a_day_without_sales(read: Callable[..., Read]) -> None:
    got = read("流水号,销售时间,数量,金额\r\n")
    assert (got.tally.total, got.documents, got.held) == (0, [], [])


def test_digits_lost_to_a_spreadsheet_refuse_the_file(
    read: Callable[..., Read], sheet: Callable[..., str]
) -> None:
    rows = [{"流水号": f"20260601000{n:04d}000"} for n in range(12)]
    with pytest.raises(FileProblem) as caught:
        read(sheet(*rows))
    assert caught.value.code == "EXCEL_15DIGIT"


def dated(*cells: str) -> str:
    rows = [
        f"{cell},1-{n},Sale,,TEE,Tee,,,1,5,0,5,0,5,0,POS 1,一店,Li,,,,Closed"
        for n, cell in enumerate(cells)
    ]
    return "\r\n".join([LOYVERSE_HEADER, *rows]) + "\r\n"


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["7/28/26 1:33 PM"], "2026-07-28 13:33:00"),
        (["08/08/2026 18:00"], "2026-08-08 18:00:00"),
        (["31/12/2025 14:05"], "2025-12-31 14:05:00"),
        (["2026-01-01 08:00:00"], "2026-01-01 08:00:00"),
        (["02/03/2026 18:00", "25/03/2026 18:00"], "2026-03-02 18:00:00"),
        (["02/03/2026 18:00", "02/25/2026 18:00"], "2026-02-03 18:00:00"),
    ],
)
def test_day_and_month_are_told_apart_by_the_whole_file(
    read: Callable[..., Read], cells: list[str], first: str
) -> None:
    got = read(dated(*cells), layout="loyverse")
    assert got.documents[0]["sales"][0]["sold_at"] == first


def test_a_late_row_decides_for_all(read: Callable[..., Read]) -> None:
    got = read(dated(*["02/03/2026 18:00"] * 3000, "02/25/2026 18:00"), layout="loyverse")
    assert {d["business_date"] for d in got.documents} == {"2026-02-03", "2026-02-25"}


def test_an_undecidable_file_is_never_guessed(read: Callable[..., Read]) -> None:
    with pytest.raises(FileProblem) as caught:
        read(dated("02/03/2026 18:00", "03/04/2026 18:00"), layout="loyverse")
    assert caught.value.code == "DATE_AMBIGUOUS"
    got = read(
        dated("02/03/2026 18:00", "03/04/2026 18:00"), layout="loyverse", date_formats=["DMY"]
    )
    assert got.documents[0]["business_date"] == "2026-03-02"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"timezone": "Mars/Base"}, "timezone"), ({"stores": []}, "stores"), ({"columns": {"price": ["x"]}}, "columns"),
        ({"layout": "custom"}, "columns"), ({"decimal": ","}, "thousands"), ({"name_pattern": "("}, "name_pattern"),
        ({"stores": [{"code": "A"}, {"code": "A"}]}, "stores"), ({"currency": ""}, "currency"),
    ],
)  # fmt: skip
def test_a_wrong_form_names_the_field(change: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings({**FORM, **change})
    assert caught.value.key == key

"""Rows to receipts: what belongs together, what it adds up to, and what is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.pos_csv.errors import FileProblem
from tests.connectors.pos_csv.conftest import Read

Reader = Callable[..., Read]
Sheet = Callable[..., str]


def test_lines_of_one_number_are_one_receipt(read: Reader, sheet: Sheet) -> None:
    got = read(
        sheet(
            {"商品编码": "TEE"}, {"商品编码": "CAP", "单价": "5.00", "数量": "3"}, {"流水号": "A2"}
        )
    )

    assert [d["receipt_key"] for d in got.documents] == ["S1/A1", "S1/A2"]
    assert got.documents[0]["sales"][0]["total"] == "25.00"
    assert (got.tally.total, got.tally.ok, got.tally.receipts) == (3, 3, 2)


def test_numbers_that_restart_every_day_are_other_receipts(read: Reader, sheet: Sheet) -> None:
    rows = [
        {"流水号": "1", "销售时间": "2026-06-01 23:59:00"},
        {"流水号": "1", "销售时间": "2026-06-02 00:01:00"},
        {"流水号": "1", "销售时间": "2026-06-02 23:01:00"},
    ]
    got = read(sheet(*rows), unique_receipt_no=False)
    assert [d["receipt_key"] for d in got.documents] == ["S1//2026-06-01/1", "S1//2026-06-02/1"]
    late = read(sheet(*rows[:2]), unique_receipt_no=False, day_starts_at="02:00")
    assert [d["business_date"] for d in late.documents] == ["2026-06-01"]


def test_line_ids_do_not_depend_on_the_order_of_rows(read: Reader, sheet: Sheet) -> None:
    rows = [
        {"商品编码": "A"},
        {"商品编码": "B"},
        {"商品编码": "A"},
        {"商品编码": "A", "单价": "9.00"},
    ]
    ids = [
        {line["id"] for line in read(sheet(*order)).sale["lines"]} for order in (rows, rows[::-1])
    ]
    assert ids[0] == ids[1] == {"A@10.00#1", "B@10.00#1", "A@10.00#2", "A@9.00#1"}


def test_discounts_rounding_and_tenders_add_up(read: Reader, sheet: Sheet) -> None:
    got = read(sheet(
        {"数量": "2", "金额": "20.00", "优惠": "1.00", "实收金额": "19.00", "整单优惠": "3", "抹零": "0.05",
         "整单金额": "20.95", "支付方式": "现金:15;微信:10.95", "找零": "5"},
        {"商品编码": "CAP", "数量": "1", "单价": "5.00"},
    ))  # fmt: skip
    sale = got.sale

    assert (sale["total"], sale["rounding"]) == ("20.95", "-0.05")
    assert [(t["method"], t["amount"]) for t in sale["tenders"]] == [
        ("cash", "10.00"),
        ("wechat", "10.95"),
    ]
    assert [line["share"] for line in sale["lines"]] == ["2.38", "0.62"]
    assert [(d["target"], d["amount"]) for d in sale["discounts"]] == [
        ("line", "1.00"),
        ("order", "3.00"),
    ]


def test_weighed_goods_count_in_thousandths(read: Reader, sheet: Sheet) -> None:
    line = read(sheet({"数量": "0.535", "单价": "12.80"})).sale["lines"][0]
    assert (line["quantity"], line["scale"], line["gross"]) == ("0.535", 3, "6.85")


def test_a_price_below_the_cent_is_kept_exactly(read: Reader, sheet: Sheet) -> None:
    line = read(sheet({"数量": "3", "单价": "", "金额": "10.00"})).sale["lines"][0]
    assert (line["price"], line["price_exact"], line["gross"]) == ("3.33", "3.333333", "10.00")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"整单金额": "11.00"}, "TOTAL_MISMATCH"),
        ({"金额": "10.00", "优惠": "1.00", "实收金额": "8.00"}, "TOTAL_MISMATCH"),
        ({"支付方式": "现金:5;微信:4"}, "TENDER_MISMATCH"),
        ({"数量": "1.00001"}, "PRECISION"),
        ({"单价": "10.001", "金额": "10.001"}, "PRECISION"),
        ({"商品编码": "6.9E+12"}, "EXCEL_SCI"),
        ({"商品编码": "3月4日"}, "EXCEL_NUM"),
        ({"数量": ""}, "REQUIRED"),
        ({"数量": "x"}, "NUMBER"),
        ({"销售时间": "2026-06-31 09:00:00"}, "DATE"),
        ({"类型": "预售"}, "REQUIRED"),
        ({"金额": "-10.00"}, "NUMBER"),
        ({"数量": "0", "金额": "10.00"}, "NUMBER"),
        ({"单价": "", "金额": ""}, "REQUIRED"),
        ({"商品名称": "a\0b"}, "NUL"),
    ],
)
def test_a_bad_row_holds_its_whole_receipt_and_nothing_else(
    read: Reader, sheet: Sheet, row: dict[str, str], code: str
) -> None:
    got = read(sheet({"流水号": "A0"}, {"商品编码": "GOOD"}, {**row}, {"流水号": "A2"}))

    assert [d["receipt_no"] for d in got.documents] == ["A0", "A2"]
    assert [(h.key, h.code) for h in got.held] == [("S1/A1", code)]
    assert (got.tally.total, got.tally.ok, got.tally.error) == (4, 2, 2)
    assert len(got.report.rejected) == 2
    assert got.report.errors == 1


@pytest.mark.parametrize(
    "bad", ["A1,2026-06-01 09:05:00,销售", 'A1,2026-06-01 09:05:00,销售,"5" TV,x,1,1.00,,,,,,,,,,']
)
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_row_out_of_shape_holds_the_receipt_around_it(
    read: Reader, sheet: Sheet, bad: str, place: int
) -> None:
    lines = sheet({"流水号": "A0"}, {"商品编码": "X"}, {"商品编码": "Y"}, {"流水号": "A2"}).split(
        "\r\n"
    )
    lines.insert(place + 1, bad)
    got = read("\r\n".join(lines))

    assert [d["receipt_no"] for d in got.documents] == ["A0", "A2"]
    assert [h.key for h in got.held] == ["S1/A1"]
    assert got.tally.error == 3


def test_a_shifted_row_is_known_by_the_number_that_stands_in_it(read: Reader, sheet: Sheet) -> None:
    lines = sheet({"流水号": "R-77001"}, {"流水号": "R-77002"}).split("\r\n")
    lines.insert(2, "extra,R-77001,2026-06-01 09:05:00,销售,TEE,T恤,1,10.00,,,,,,,,,,x")
    got = read("\r\n".join(lines))

    assert [d["receipt_no"] for d in got.documents] == ["R-77002"]
    assert [(h.key, h.code) for h in got.held] == [("S1/R-77001", "RAGGED")]


def test_a_row_of_nobody_stands_alone(read: Reader, sheet: Sheet) -> None:
    lines = sheet({}, {"流水号": "A2"}).split("\r\n")
    lines.insert(2, "???,,")
    got = read("\r\n".join(lines))

    assert [d["receipt_no"] for d in got.documents] == ["A1", "A2"]
    assert [h.code for h in got.held] == ["RAGGED"]


def test_an_unbalanced_receipt_can_be_released_as_it_is(read: Reader, sheet: Sheet) -> None:
    (held,) = read(sheet({"整单金额": "9.00", "支付方式": "现金"})).held
    assert held.code == "TOTAL_MISMATCH"
    assert held.document["sales"][0]["total"] == "9.00"
    assert held.document["sales"][0]["lines"][0]["gross"] == "10.00"


def test_tolerance_is_per_line(read: Reader, sheet: Sheet) -> None:
    text = sheet({"整单金额": "20.02"}, {"商品编码": "B"})
    assert read(text).codes == ["TOTAL_MISMATCH"]
    assert read(text, tolerance_minor=1).sale["total"] == "20.02"


def test_a_return_is_a_case_with_positive_quantities(read: Reader, sheet: Sheet) -> None:
    got = read(
        sheet(
            {
                "类型": "退货",
                "数量": "-2",
                "金额": "-20.00",
                "优惠": "-1",
                "实收金额": "-19.00",
                "原单号": "A0",
            }
        )
    )
    (document,) = got.documents

    assert document["sales"] == []
    case = document["returns"][0]
    assert (case["original"], case["total"], case["status"]) == ("S1/A0", "19.00", "done")
    assert [(x["id"], x["quantity"], x["amount"], x["location"]) for x in case["lines"]] == [
        ("TEE@10.00#1", "2", "19.00", "S1")
    ]
    assert [(r["state"], r["amount"]) for r in case["refunds"]] == [("succeeded", "19.00")]


@pytest.mark.parametrize(
    ("sign", "row", "kind"),
    [
        ("auto", {"类型": "退货", "数量": "2"}, "returns"), ("auto", {"类型": "", "数量": "-2"}, "returns"),
        ("auto", {"类型": "B", "数量": "-2"}, "returns"), ("positive", {"类型": "B", "数量": "2"}, "returns"),
        ("negative", {"类型": "销售", "数量": "-2"}, "returns"), ("positive", {"类型": "A", "数量": "2"}, "sales"),
    ],
)  # fmt: skip
def test_how_returns_are_told(
    read: Reader, sheet: Sheet, sign: str, row: dict[str, str], kind: str
) -> None:
    (document,) = read(sheet(row), return_sign=sign).documents
    assert len(document[kind]) == 1
    assert document[kind][0]["lines"][0]["quantity"] == "2"


@pytest.mark.parametrize(
    ("sign", "row"), [("positive", {"数量": "-1"}), ("negative", {"类型": "退货", "数量": "1"})]
)
def test_a_sign_against_the_rule_is_refused(
    read: Reader, sheet: Sheet, sign: str, row: dict[str, str]
) -> None:
    assert read(sheet(row), return_sign=sign).codes == ["NUMBER"]


def test_a_return_without_its_original_stands_alone(read: Reader, sheet: Sheet) -> None:
    (document,) = read(sheet({"类型": "退货", "数量": "-1"})).documents
    assert document["returns"][0]["original"] is None


def test_an_original_that_restarts_daily_needs_its_date(read: Reader, sheet: Sheet) -> None:
    row = {"类型": "退货", "数量": "-1", "原单号": "7", "原单日期": "2026/5/30"}
    got = read(
        sheet(row, header="流水号,销售时间,类型,商品编码,数量,单价,原单号,原单日期"),
        unique_receipt_no=False,
    )
    assert got.documents[0]["returns"][0]["original"] == "S1//2026-05-30/7"
    bare = read(
        sheet(row, header="流水号,销售时间,类型,商品编码,数量,单价,原单号"), unique_receipt_no=False
    )
    assert bare.documents[0]["returns"][0]["original"] is None


def test_an_exchange_is_a_sale_and_a_case_under_one_key(read: Reader, sheet: Sheet) -> None:
    got = read(sheet(
        {"类型": "换货", "数量": "1", "单价": "30.00", "整单金额": "20.00", "支付方式": "微信", "原单号": "A0"},
        {"类型": "换货", "商品编码": "CAP", "数量": "-1", "单价": "10.00"},
    ))  # fmt: skip
    (document,) = got.documents
    sale, case = document["sales"][0], document["returns"][0]

    assert sale["id"] == case["id"] == "S1/A1"
    assert (sale["total"], case["total"], case["original"]) == ("30.00", "10.00", "S1/A0")
    assert [(t["method"], t["amount"]) for t in sale["tenders"]] == [
        ("wechat", "20.00"),
        ("other", "10.00"),
    ]


def test_a_rounded_refund_gives_back_what_was_paid_out(read: Reader, sheet: Sheet) -> None:
    got = read(
        sheet({"类型": "退货", "数量": "-1", "单价": "9.97", "抹零": "0.07", "整单金额": "-9.90"})
    )
    case = got.documents[0]["returns"][0]
    assert (case["total"], case["lines"][0]["amount"]) == ("9.90", "9.90")


def test_a_void_receipt_is_cancelled_and_moves_nothing(read: Reader, sheet: Sheet) -> None:
    sale = read(sheet({"类型": "作废", "数量": "2"})).sale
    assert (sale["status"], sale["done_at"], sale["void_at"]) == (
        "void",
        None,
        "2026-06-01 09:05:00",
    )
    assert [(x["shipped"], x["cancelled"]) for x in sale["lines"]] == [("0", "2")]
    assert [t["state"] for t in sale["tenders"]] == ["voided"]


def test_parked_receipts_are_no_receipts(read: Reader, sheet: Sheet) -> None:
    got = read(sheet({"类型": "挂单"}, {"流水号": "A2"}))
    assert [d["receipt_no"] for d in got.documents] == ["A2"]
    assert (got.tally.total, got.tally.ok, got.tally.receipts, got.held) == (2, 2, 1, [])


def test_loyverse_sale_refund_and_cancelled(read: Reader, loyverse: Sheet) -> None:
    got = read(loyverse(
        ("7/28/26 1:33 PM", "1-1001", "Sale", "TEE", "2.000", "20.00", "2.00", "Closed"),
        ("7/28/26 1:40 PM", "1-1002", "Refund", "TEE", "-1.000", "-10.00", "-1.00", "Closed"),
        ("7/28/26 1:41 PM", "1-1003", "Sale", "CAP", "1.000", "5.00", "0.00", "Voided"),
    ), layout="loyverse")  # fmt: skip

    assert got.held == []
    sold, back, void = got.documents
    assert (sold["sales"][0]["total"], sold["sales"][0]["lines"][0]["name"]) == (
        "18.00",
        "Tee, red",
    )
    assert [(t["method"], t["amount"]) for t in sold["sales"][0]["tenders"]] == [("other", "18.00")]
    assert (back["returns"][0]["total"], back["returns"][0]["original"]) == ("9.00", None)
    assert void["sales"][0]["status"] == "void"


def test_a_header_value_that_changes_within_a_receipt(read: Reader, sheet: Sheet) -> None:
    assert read(sheet({"会员卡号": "C1"}, {"商品编码": "B", "会员卡号": "C2"})).codes == [
        "HEADER_CONFLICT"
    ]
    assert read(sheet({"会员卡号": "C1"}, {"商品编码": "B"})).sale["customer"] == "C1"


def test_a_card_names_a_member_and_a_masked_phone_does_not(read: Reader, sheet: Sheet) -> None:
    header = "流水号,销售时间,商品编码,数量,单价,会员卡号,会员姓名,会员手机"
    rows = (
        {"会员卡号": "C1", "会员姓名": "李雷", "会员手机": "13800001234"},
        {"流水号": "A2", "会员卡号": "C2", "会员手机": "138****1234"},
    )
    kinds = [
        [i["kind"] for i in d["members"][0]["identities"]]
        for d in read(sheet(*rows, header=header)).documents
    ]
    assert kinds == [["pos_card_no", "phone"], ["pos_card_no"]]


@pytest.mark.parametrize(
    ("stores", "cell", "form", "store"),
    [
        ([{"code": "S1", "name": "一店"}], "一店", {}, "S1"), ([{"code": "S1", "name": "一店"}], "s1", {}, "S1"),
        ([{"code": "S1"}], "", {}, "S1"),
        ([{"code": "S1"}, {"code": "S2"}], "", {"name_pattern": "(?P<store>S[0-9])", "file_name": "S2_x.csv"}, "S2"),
    ],
)  # fmt: skip
def test_which_store(
    read: Reader, sheet: Sheet, stores: list[Any], cell: str, form: dict[str, Any], store: str
) -> None:
    text = sheet({"门店": cell}, header="流水号,销售时间,商品编码,数量,单价,门店")
    assert read(text, stores=stores, **form).documents[0]["store"] == store


@pytest.mark.parametrize(("cell", "code"), [("二店", "STORE_UNKNOWN"), ("", "REQUIRED")])
def test_a_store_nobody_knows(read: Reader, sheet: Sheet, cell: str, code: str) -> None:
    text = sheet({"门店": cell}, header="流水号,销售时间,商品编码,数量,单价,门店")
    assert read(text, stores=[{"code": "S1"}, {"code": "S2"}]).codes == [code]


def test_the_same_receipt_twice_in_one_file_is_counted_as_duplicate(
    read: Reader, sheet: Sheet
) -> None:
    got = read(sheet({}, {"流水号": "A2"}, {}))
    assert [d["receipt_no"] for d in got.documents] == ["A1", "A2"]
    assert (got.tally.ok, got.tally.dup, got.tally.error) == (2, 1, 0)
    assert got.report.codes == {"warning:DUP_LINE": 1}


def test_a_receipt_whose_rows_stand_apart_is_merged(read: Reader, sheet: Sheet) -> None:
    got = read(sheet({"商品编码": "A"}, {"流水号": "A2"}, {"商品编码": "B"}))

    assert [len(d["sales"][0]["lines"]) for d in got.documents] == [1, 1, 2]
    assert got.documents[2]["receipt_key"] == "S1/A1"
    assert got.documents[2]["file_at"] > got.documents[0]["file_at"]
    assert got.report.codes == {"warning:SPLIT_RECEIPT": 1}
    assert (got.tally.ok, got.tally.total) == (3, 3)


def test_a_file_sorted_by_article_is_refused_instead_of_read_for_hours(
    read: Reader, sheet: Sheet
) -> None:
    rows = [{"流水号": f"A{n % 300}", "商品编码": f"X{n // 300}"} for n in range(600)]
    with pytest.raises(FileProblem) as caught:
        read(sheet(*rows))
    assert caught.value.code == "TOO_MANY_ERRORS"


def test_a_hopeless_file_is_refused(read: Reader, sheet: Sheet) -> None:
    rows = [{"流水号": f"A{n}", "数量": "x" if n >= 10 else "1"} for n in range(100)]
    with pytest.raises(FileProblem) as caught:
        read(sheet(*rows))
    assert caught.value.code == "TOO_MANY_ERRORS"


def test_a_wrong_clock_is_a_warning_and_the_file_name_gives_the_day(
    read: Reader, sheet: Sheet
) -> None:
    got = read(
        sheet({"销售时间": "1970-01-01 00:00:10"}),
        unique_receipt_no=False, name_pattern="(?P<date>[0-9-]{10})", file_name="2026-06-01.csv",
    )  # fmt: skip
    assert got.documents[0]["business_date"] == "2026-06-01"
    assert got.report.codes == {"warning:FUTURE_DATE": 1}


def test_the_night_the_clock_goes_back_is_a_warning(read: Reader, sheet: Sheet) -> None:
    got = read(sheet({"销售时间": "2026-10-25 02:30:00"}), timezone="Europe/Berlin")
    assert (got.tally.receipts, got.report.codes) == (1, {"warning:DATE": 1})


def test_the_report_masks_people_and_disarms_formulas(read: Reader, sheet: Sheet) -> None:
    header = "流水号,销售时间,商品编码,数量,单价,会员手机,备注"
    got = read(
        sheet(
            {"数量": "=1+1", "会员手机": "13800001234", "备注": "李雷家"},
            {"流水号": "+A2", "数量": "x"},
            header=header,
        )
    )
    report = got.report.errors_csv().decode("utf-8-sig")

    assert "'=1+1" in report
    assert ",'+A2," in report
    assert "13800001234" not in report + str(got.held)
    assert "李雷" not in report + str(got.held)


def test_rejected_rows_keep_the_files_encoding_and_can_be_dropped_in_again(
    read: Reader, sheet: Sheet
) -> None:
    got = read(
        sheet({"商品名称": "红𠮷"}, {"流水号": "A2", "数量": "x", "商品名称": "蓝𠮷"}),
        encoding="gb18030",
    )
    rejected = got.report.rejected_csv(got.plan)

    assert "蓝𠮷" in rejected.decode("gb18030")
    mended = read(rejected.replace(b",x,", b",1,"))
    assert [d["receipt_key"] for d in mended.documents] == ["S1/A2"] == [h.key for h in got.held]

"""What must hold for every till and every day: sums, mapping, and importing in any order and often."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.pos_csv.dialect import plan
from connectors.pos_csv.lines import Reading
from connectors.pos_csv.receipts import Receipts
from connectors.pos_csv.report import Report
from connectors.pos_csv.settings import settings as rules_of
from connectors.pos_csv.values import unguarded
from hub.mapping import load
from hub.records import AfterSale, ChannelOrder, Member, Record
from tests.connectors.pos_csv.conftest import FORM, HEADER, Read

ROOT = Path(__file__).parents[3] / "mappings" / "pos_csv"
MAPPINGS = {kind: load(ROOT / f"{kind}.yaml") for kind in ("order", "after_sale", "member")}

Row = dict[str, str]


def yuan(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"


@st.composite
def receipts(draw: st.DrawFn) -> list[list[Row]]:
    """Receipts as a correct till writes them: sales, returns, exchanges; discounts of both sorts; rounding."""
    out: list[list[Row]] = []
    for number in range(draw(st.integers(1, 6))):
        rows: list[Row] = []
        signed = 0
        kind = draw(st.sampled_from(["销售", "退货", "换货"]))
        for n in range(draw(st.integers(1, 4))):
            quantity, price = draw(st.integers(1, 5)), draw(st.integers(1, 50_000))
            back = kind == "退货" or (kind == "换货" and n % 2 == 1)
            gross = quantity * price
            discount = draw(st.integers(0, gross))
            sign = -1 if back else 1
            signed += sign * (gross - discount)
            rows.append({
                "流水号": f"A{number}", "销售时间": "2026-06-01 09:05:00", "类型": kind,
                "商品编码": draw(st.sampled_from(["TEE", "CAP", "MUG"])), "数量": str(sign * quantity),
                "单价": yuan(price), "金额": yuan(sign * gross), "优惠": yuan(sign * discount),
                "实收金额": yuan(sign * (gross - discount)),
            })  # fmt: skip
        if kind == "销售":
            off = draw(st.integers(0, signed))
            rounding = (signed - off) % 10
            rows[0] |= {
                "整单优惠": yuan(off),
                "抹零": yuan(rounding),
                "整单金额": yuan(signed - off - rounding),
            }
        else:
            rows[0]["整单金额"] = yuan(signed)
        out.append(rows)
    return out


def text(groups: list[list[Row]]) -> str:
    names = HEADER.split(",")
    lines = [",".join(row.get(name, "") for name in names) for rows in groups for row in rows]
    return "\r\n".join([HEADER, *lines]) + "\r\n"


def imported(
    path: Path, groups: list[list[Row]], file_at: str = "2026-06-02T00:00:00.000Z"
) -> dict[str, Any]:
    """Read a file and map it; receipts by (kind, key)."""
    path.write_text(text(groups), encoding="utf-8", newline="")
    rules = rules_of(FORM)
    how = plan(path, rules)
    found = Receipts(
        path, how, Reading(rules, how.order), Report(1000, 0.02), name="x.csv", file_at=file_at
    )
    out: dict[str, Any] = {}
    for item in found:
        assert isinstance(item, dict), item
        for kind, mapping in MAPPINGS.items():
            for key, row in zip(mapping.keys(item), mapping.to_canonical(item), strict=True):
                out[kind, key] = mapping.to_record(row)
    return out


def content(records: dict[Any, Record]) -> dict[Any, Any]:
    return {key: one.model_dump(exclude={"source_updated_at"}) for key, one in records.items()}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws") / "x.csv"


@given(groups=receipts())
@settings(max_examples=80, deadline=None)
def test_every_order_ties_by_the_invariants(path: Path, groups: list[list[Row]]) -> None:
    for record in imported(path, groups).values():
        if isinstance(record, ChannelOrder):
            _ties(record)
        elif isinstance(record, AfterSale):
            assert record.approved_amount == sum(line.amount for line in record.lines)
            assert all(line.quantity > 0 for line in record.lines)
            assert sum(refund.amount for refund in record.refunds) == record.approved_amount


def _ties(order: ChannelOrder) -> None:
    lines = {line.external_line_id: line for line in order.lines}
    payable = {
        key: line.line_subtotal - line.line_discount - line.allocated_order_discount
        for key, line in lines.items()
    }
    assert all(amount >= 0 for amount in payable.values())  # L1
    for adjustment in order.adjustments:
        assert adjustment.amount > 0
        assert sum(part.amount for part in adjustment.allocations) == adjustment.amount  # A1
    for key, line in lines.items():  # L2
        parts = [
            (adjustment.target, part.amount)
            for adjustment in order.adjustments
            for part in adjustment.allocations
            if part.external_line_id == key
        ]
        assert sum(amount for target, amount in parts if target == "line") == line.line_discount
        assert (
            sum(amount for target, amount in parts if target == "order")
            == line.allocated_order_discount
        )
    assert order.amount_payable == sum(payable.values()) + order.rounding  # O1, O2
    assert sum(payment.amount for payment in order.payments) == order.amount_payable  # P1
    assert all(line.qty_delivered == line.qty_shipped == line.quantity for line in order.lines)


@given(groups=receipts())
@settings(max_examples=40, deadline=None)
def test_documents_survive_the_way_to_canonical_and_back(
    path: Path, groups: list[list[Row]]
) -> None:
    imported(path, groups)
    rules = rules_of(FORM)
    how = plan(path, rules)
    for item in Receipts(
        path,
        how,
        Reading(rules, how.order),
        Report(9, 1.0),
        name="x",
        file_at="2026-06-02T00:00:00.000Z",
    ):
        assert isinstance(item, dict)
        for mapping in MAPPINGS.values():
            for row in mapping.to_canonical(item):
                assert mapping.to_native(row, item) == item


@given(groups=receipts(), seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_the_order_of_receipts_and_rows_does_not_matter(
    path: Path, groups: list[list[Row]], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - a seeded shuffle
    shuffled = [list(rows) for rows in groups]
    rng.shuffle(shuffled)
    for rows in shuffled:
        head = {
            k: v for row in rows for k, v in row.items() if k in ("整单优惠", "抹零", "整单金额")
        }
        rng.shuffle(rows)
        rows[:] = [{k: v for k, v in row.items() if k not in head} for row in rows]
        rows[0] |= head

    def unordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: unordered(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return sorted((unordered(v) for v in value), key=repr)
        return value

    def totals(records: dict[Any, Record]) -> Any:
        """Shares of a receipt discount may fall to another equal line: compare what the receipt says."""
        return {
            key: (one.amount_payable, sorted((x.external_line_id, x.quantity) for x in one.lines))
            for key, one in records.items()
            if isinstance(one, ChannelOrder)
        } | {
            key: unordered(one.model_dump())
            for key, one in records.items()
            if isinstance(one, Member)
        }

    one, two = imported(path, groups), imported(path, shuffled)
    assert one.keys() == two.keys()
    assert totals(one) == totals(two)


@given(groups=receipts(), cut=st.integers(0, 6), overlap=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_overlapping_files_give_what_one_file_gives(
    path: Path, groups: list[list[Row]], cut: int, overlap: int
) -> None:
    cut = min(cut, len(groups))
    once = imported(path, groups)
    first = imported(path, groups[:cut]) if cut else {}
    again = groups[max(cut - overlap, 0) :]
    both = first | (imported(path, again, "2026-06-03T00:00:00.000Z") if again else {})
    assert content(both) == content(once)


@given(groups=receipts())
@settings(max_examples=20, deadline=None)
def test_importing_twice_is_importing_once(path: Path, groups: list[list[Row]]) -> None:
    assert content(imported(path, groups) | imported(path, groups)) == content(
        imported(path, groups)
    )


@given(
    words=st.lists(
        st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
        min_size=1,
        max_size=5,
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_in_a_quoted_cell_arrives_unchanged(
    read: Callable[..., Read], words: list[str]
) -> None:
    rows = [
        f'A{n},2026-06-01 09:05:00,TEE,1,1.00,"{word.replace(chr(34), chr(34) * 2)}"'
        for n, word in enumerate(words)
    ]
    got = read("流水号,销售时间,商品编码,数量,单价,商品名称\r\n" + "\r\n".join(rows) + "\r\n")
    names = [d["sales"][0]["lines"][0]["name"] for d in got.documents]
    nulls = {"", "-", "--", "—", "null", "n/a", "none", "无"}
    assert len(names) + len(got.held) == len(words)
    expected = [word.strip() for word in words]
    assert names == [None if word.lower() in nulls else unguarded(word) for word in expected]

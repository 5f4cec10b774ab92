"""A shop's folder and a till's files, built the way each test needs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.pos_csv import PosCsv
from connectors.pos_csv.dialect import Plan, plan
from connectors.pos_csv.lines import Reading
from connectors.pos_csv.receipts import Held, Receipts, Tally
from connectors.pos_csv.report import Report
from connectors.pos_csv.settings import settings
from hub.sdk import Change, Page
from hub.sdk.fakes import FakeConnection

FORM: dict[str, Any] = {
    "path": "/pos", "timezone": "Asia/Shanghai", "currency": "CNY", "layout": "chinese",
    "stores": [{"code": "S1", "name": "一店"}], "unique_receipt_no": True,
}  # fmt: skip
LOYVERSE_HEADER = (
    "Date,Receipt number,Receipt type,Category,SKU,Item,Variant,Modifiers applied,Quantity,Gross sales,Discounts,"
    "Net sales,Cost of goods,Gross profit,Taxes,POS,Store,Cashier name,Customer name,Customer contacts,Comment,Status"
)


@dataclass
class Read:
    """What one file gave."""

    documents: list[dict[str, Any]]
    held: list[Held]
    tally: Tally
    report: Report
    plan: Plan

    @property
    def codes(self) -> list[str]:
        return [one.code for one in self.held]

    @property
    def sale(self) -> dict[str, Any]:
        (document,) = self.documents
        return document["sales"][0]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """Read a file's text or bytes by a connection form."""

    def _read(content: str | bytes, *, encoding: str = "utf-8", **form: Any) -> Read:
        path = tmp_path / "sales.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        rules = settings({**FORM, **form})
        how = plan(path, rules)
        report = Report(rules.max_row_errors, rules.max_row_error_ratio)
        said = rules.name_pattern.search(form.get("file_name", "")) if rules.name_pattern else None
        words = said.groupdict() if said else {}
        reading = Reading(
            rules, how.order, store=words.get("store", ""), date=words.get("date", "")
        )
        receipts = Receipts(
            path, how, reading, report, name="sales.csv", file_at="2026-06-02T00:00:00.000Z"
        )
        items = list(receipts)
        return Read(
            [one for one in items if isinstance(one, dict)],
            [one for one in items if isinstance(one, Held)],
            receipts.tally,
            report,
            how,
        )

    return _read


@dataclass
class Shop:
    """A till's folder and the connector on it."""

    root: Path
    form: dict[str, Any]
    clock: int = 1_790_000_000
    made: list[str] = field(default_factory=list)

    def connector(self) -> PosCsv:
        return PosCsv(FakeConnection(self.form, folder=self.root))

    def drop(
        self,
        name: str,
        content: str | bytes,
        *,
        marker: str | None = "{}",
        age_s: float | None = None,
    ) -> Path:
        """Put a file into `in/`, each a second younger than the one before."""
        path = self.root / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.clock += 1
        when = self.clock if age_s is None else path.stat().st_mtime - age_s
        os.utime(path, (when, when))
        if marker is not None:
            path.with_name(f"{name}.done").write_text(marker)
        return path

    async def pull(
        self, cursor: Mapping[str, Any] | None = None, *, most: int | None = None
    ) -> list[Page]:
        pages: list[Page] = []
        async with aclosing(self.connector().pull("order", dict(cursor or {}))) as walk:
            async for page in walk:
                pages.append(page)
                if len(pages) == most:
                    break
        return pages

    async def push(self, changes: Sequence[Change]) -> Any:
        return await self.connector().push("inventory", changes)

    def files(self, under: str) -> list[str]:
        return sorted(
            p.relative_to(self.root / under).as_posix()
            for p in (self.root / under).rglob("*")
            if p.is_file()
        )


@pytest.fixture
def a_shop(tmp_path: Path) -> Callable[..., Shop]:
    """Open a shop; keywords go into the connection form."""

    def make(**form: Any) -> Shop:
        root = tmp_path / "pos"
        root.mkdir(exist_ok=True)
        return Shop(root, {**FORM, **form, "path": str(root)})

    return make


@pytest.fixture
def shop(a_shop: Callable[..., Shop]) -> Shop:
    return a_shop()


HEADER = (
    "流水号,销售时间,类型,商品编码,商品名称,数量,单价,金额,优惠,实收金额,整单优惠,抹零,整单金额,"
    "支付方式,找零,会员卡号,原单号"
)


@pytest.fixture
def sheet() -> Callable[..., str]:
    """Write a Chinese sales file; each row a mapping of header to cell, with defaults for a small sale."""

    def write(*rows: Mapping[str, str], header: str = HEADER, end: str = "\r\n") -> str:
        names = header.split(",")
        small = {"流水号": "A1", "销售时间": "2026-06-01 09:05:00", "类型": "销售", "商品编码": "TEE",
                 "商品名称": "T恤", "数量": "1", "单价": "10.00"}  # fmt: skip
        lines = [",".join({**small, **row}.get(name, "") for name in names) for row in rows]
        return end.join([header, *lines]) + end

    return write


def documents(pages: Sequence[Page]) -> list[dict[str, Any]]:
    return [document for page in pages for document in page.documents]


@pytest.fixture
def loyverse() -> Callable[..., str]:
    """Write a Loyverse file from (date, number, type, sku, quantity, gross, discount, status) rows."""

    def write(*rows: tuple[str, ...]) -> str:
        out = [LOYVERSE_HEADER]
        for when, no, kind, sku, quantity, gross, discount, status in rows:
            net = f"{float(gross) - float(discount):.2f}"
            out.append(
                f'{when},{no},{kind},,{sku},"Tee, red",,,{quantity},{gross},{discount},{net},0,{net},0.00,'
                f"POS 1,一店,Li,,,,{status}"
            )
        return "\ufeff" + "\r\n".join(out) + "\r\n"

    return write

"""The conformance suite, over both layouts, on files the simulated tills wrote."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from connectors.pos_csv import PosCsv
from hub.errors import Forbidden, Retry
from hub.mapping import load
from hub.sdk import Change, Document, Kind
from hub.sdk.fakes import FakeConnection
from hub.sdk.testing import ConnectorSuite
from sandbox.pos_csv import app

ROOT = Path(__file__).parents[3] / "mappings" / "pos_csv"
MAPPINGS = [load(ROOT / f"{kind}.yaml") for kind in ("order", "after_sale", "member")]


def round_trip(kind: Kind, document: Document) -> list[str]:
    """Name the mappings that do not give a document back as it was."""
    return [
        str(mapping)
        for mapping in MAPPINGS
        if mapping.source_stream == kind
        for row in mapping.to_canonical(document)
        if mapping.to_native(row, document) != document
    ]


def _filled(folder: Path, code: str) -> None:
    """Let a till play a day and leave its files, with times that are the same every time."""
    sim = app(
        dir=folder / ".till",
        seed=7,
        traffic=0,
        faults="title=1,overlap=0.5",
        stores="SH01=A,SH02=B",
    )
    world = sim.world
    world.now = lambda: 1_790_000_000.0
    till = next(i for i, t in enumerate(world.tills) if t.code == code)
    for day in range(3):
        for _ in range(15):
            world.tills[till].serve(world.now(), f"2026-09-{20 + day} 10:00:00")
        world.flush()
    for n, path in enumerate(sorted((folder / ".till" / "pos" / code / "in").iterdir())):
        target = folder / "in" / path.name
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
        os.utime(target, (1_790_000_000 + n, 1_790_000_000 + n))


def _form(code: str, **more: Any) -> dict[str, Any]:
    return {
        "path": "/", "timezone": "Asia/Shanghai", "currency": "CNY", "unique_receipt_no": True,
        "stores": [{"code": code, "name": {"SH01": "A", "SH02": "B"}[code]}], "commit_every_receipts": 4, **more,
    }  # fmt: skip


def _stock(code: str) -> list[Change]:
    return [
        Change(
            f"TEE@{code}", {"sku": "TEE", "store": code, "qty_available": "3", "scale": 0}, {}, 1
        ),
        Change(
            f"=CMD@{code}", {"sku": "=CMD", "store": code, "qty_available": "0", "scale": 0}, {}, 2
        ),
        Change("TEE@NOWHERE", {"sku": "TEE", "store": "NOWHERE", "qty_available": "1"}, {}, 1),
    ]


class TestLoyverse(ConnectorSuite):
    connector = PosCsv
    credentials = _form("SH01", layout="loyverse", date_formats=["MDY"])
    stock = _stock("SH01")
    refused = frozenset({"TEE@NOWHERE"})

    @staticmethod
    def folder(path: Path) -> None:
        _filled(path, "SH01")


class TestChinese(ConnectorSuite):
    connector = PosCsv
    credentials = _form("SH02", layout="chinese", out_encoding="gb18030")
    stock = _stock("SH02")
    refused = frozenset({"TEE@NOWHERE"})

    @staticmethod
    def folder(path: Path) -> None:
        _filled(path, "SH02")


@pytest.mark.parametrize("spot", ["in", "out"])
def test_a_folder_that_does_not_answer_is_a_retry_or_a_missing_right(
    tmp_path: Path, spot: str
) -> None:
    (tmp_path / spot).write_text("a file where a folder belongs")
    one = PosCsv(FakeConnection(TestChinese.credentials, folder=tmp_path))

    async def use() -> None:
        if spot == "out":
            await one.push("inventory", TestChinese.stock)
        else:
            (tmp_path / "in").unlink()
            (tmp_path / "work").write_text("")
            _filled(tmp_path, "SH02")
            async for _ in one.pull("order", {}):
                pass

    with pytest.raises((Retry, Forbidden)):
        asyncio.run(use())

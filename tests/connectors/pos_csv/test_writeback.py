"""Stock files for the till: absolute, numbered, whole, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import Rejected
from hub.sdk import Change
from tests.connectors.pos_csv.conftest import Shop

COLUMNS = [
    "seq",
    "store_code",
    "sku",
    "barcode",
    "qty_available",
    "qty_on_hand",
    "safety_stock",
    "unit",
    "as_of",
]


def change(sku: str = "TEE", store: str = "S1", available: str | None = "7", **more: Any) -> Change:
    document = {"sku": sku, "store": store, "qty_available": available, "scale": 0, **more}
    return Change(f"{sku}@{store}", document, {}, 1)


def rows(shop: Shop, name: str, encoding: str = "utf-8") -> list[list[str]]:
    text = (shop.root / "out" / name).read_bytes().decode(encoding)
    return list(csv.reader(io.StringIO(text, newline="")))


def written(shop: Shop) -> list[str]:
    return [n for n in shop.files("out") if n.endswith(".csv")]


async def test_a_push_writes_one_whole_file_per_store_with_its_marker(
    a_shop: Callable[..., Shop],
) -> None:
    shop = a_shop(stores=[{"code": "S1"}, {"code": "S2"}])
    full = change(
        barcode="6901234567892",
        qty_on_hand="9",
        safety_stock="2",
        unit="件",
        as_of="2026-06-01T08:00:00Z",
    )

    outcomes = await shop.push([full, change(store="S2", available="-1"), change("CAP")])

    assert {o.key: (o.error, dict(o.observed or {})) for o in outcomes} == {
        "TEE@S1": (None, {"available": 7, "on_hand": 9, "safety_stock": 2}),
        "TEE@S2": (None, {"available": -1}),
        "CAP@S1": (None, {"available": 7}),
    }
    first, second = written(shop)
    assert first.startswith("stock_S1_")
    assert first.endswith("_000001.csv")
    header, tee, cap = rows(shop, first)
    assert header == COLUMNS
    assert tee == ["1", "S1", "TEE", "6901234567892", "7", "9", "2", "件", "2026-06-01T08:00:00Z"]
    assert cap[:7] == ["1", "S1", "CAP", "", "7", "", ""]
    assert cap[8].endswith("Z")
    content = (shop.root / "out" / first).read_bytes()
    assert content.endswith(b"\r\n")
    told = json.loads((shop.root / "out" / f"{first}.done").read_bytes())
    assert told == {"rows": 2, "sha256": hashlib.sha256(content).hexdigest(), "seq": 1}
    assert second.startswith("stock_S2_")


async def test_numbers_grow_by_one_per_store_also_when_the_till_takes_the_files_away(
    shop: Shop,
) -> None:
    for expected in range(1, 4):
        await shop.push([change()])
        (name,) = written(shop)
        assert name.endswith(f"_{expected:06d}.csv")
        for path in (shop.root / "out").glob("stock_*"):
            path.unlink()


async def test_a_lost_counter_goes_on_behind_what_lies_there(shop: Shop) -> None:
    await shop.push([change()])
    await shop.push([change()])
    (shop.root / "out" / ".seq_S1.json").unlink()
    await shop.push([change()])
    assert [n.rsplit("_", 1)[1] for n in written(shop)] == [
        "000001.csv",
        "000002.csv",
        "000003.csv",
    ]


async def test_a_crash_between_number_and_file_leaves_a_gap_and_never_a_number_twice(
    shop: Shop,
) -> None:
    connector = shop.connector()
    write = connector.folder.write

    def dying(name: str) -> Any:
        if "stock_" in name:
            raise OSError("gone")
        return write(name)

    connector.folder.write = dying  # type: ignore[method-assign]  # the disk dies, not the connector
    with pytest.raises(OSError, match="gone"):
        await connector.push("inventory", [change()])
    await shop.push([change()])
    assert [n.rsplit("_", 1)[1] for n in written(shop)] == ["000002.csv"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (change(store="S9"), "STORE_UNKNOWN"), (change(""), "REQUIRED"), (change(available=None), "NUMBER"),
        (change(available="=1+1"), "NUMBER"), (change(available="1e5"), "NUMBER"),
        (change(qty_on_hand="many"), "NUMBER"),
    ],
)  # fmt: skip
async def test_a_figure_that_cannot_be_written_is_refused_alone(
    shop: Shop, bad: Change, code: str
) -> None:
    outcomes = {o.key: o.error for o in await shop.push([bad, change("GOOD")])}

    assert isinstance(outcomes[bad.key], Rejected)
    assert outcomes[bad.key].code == code  # type: ignore[union-attr]
    assert outcomes["GOOD@S1"] is None
    (name,) = written(shop)
    assert [row[2] for row in rows(shop, name)[1:]] == ["GOOD"]


async def test_nothing_to_write_writes_no_file(shop: Shop) -> None:
    assert await shop.push([]) == []
    await shop.push([change(store="S9")])
    assert shop.files("out") == []


async def test_a_character_the_till_lacks_is_reported_and_never_replaced(
    a_shop: Callable[..., Shop],
) -> None:
    shop = a_shop(out_encoding="gbk")
    outcomes = {
        o.key: o.error for o in await shop.push([change("𠮷-1"), change("红-1", unit="件")])
    }

    assert isinstance(outcomes["𠮷-1@S1"], Rejected)
    assert outcomes["𠮷-1@S1"].code == "ENCODING"
    assert "𠮷" not in str(outcomes["𠮷-1@S1"])
    (name,) = written(shop)
    assert [row[2] for row in rows(shop, name, "gbk")[1:]] == ["红-1"]


@pytest.mark.parametrize("sku", ["=1+1", "+1", "-1", "@a", "＝a", "＋a", "－a", "＠a", "'=a"])
async def test_text_is_never_a_formula_and_numbers_stay_numbers(shop: Shop, sku: str) -> None:
    await shop.push([change(sku, available="-3")])
    (name,) = written(shop)
    row = rows(shop, name)[1]
    assert row[2] == f"'{sku}"
    assert row[4] == "-3"


async def test_encoding_bom_and_line_ending_as_the_till_needs_them(
    a_shop: Callable[..., Shop],
) -> None:
    shop = a_shop(out_bom=True, out_line_ending="lf")
    await shop.push([change()])
    content = (shop.root / "out" / written(shop)[0]).read_bytes()
    assert content.startswith(b"\xef\xbb\xbfseq,")
    assert b"\r" not in content


async def test_quantities_are_read_back_in_steps(shop: Shop) -> None:
    (outcome,) = await shop.push([change(available="1.535", scale=3)])
    assert outcome.observed == {"available": 1535}

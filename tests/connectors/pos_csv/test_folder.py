"""The life of a file: ready, claimed, read in pages, archived or set aside; crashes at every step."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Rejected
from hub.sdk import Page
from tests.connectors.pos_csv.conftest import Shop, documents

Sheet = Callable[..., str]


def keys(pages: list[Page]) -> list[str]:
    return [d["receipt_key"] for d in documents(pages)]


def sales(sheet: Sheet, *numbers: str, **more: str) -> str:
    return sheet(*({"流水号": no, **more} for no in numbers))


async def test_a_file_is_read_and_archived_with_its_marker_and_counts(
    shop: Shop, sheet: Sheet
) -> None:
    content = sales(sheet, "A1", "A2")
    shop.drop("x.csv", content)

    pages = await shop.pull()

    assert keys(pages) == ["S1/A1", "S1/A2"]
    source = pages[0].source
    assert source is not None
    assert (source.name, source.state, source.done) == ("x.csv", "imported", True)
    assert source.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert (source.rows_total, source.rows_ok, source.receipts, source.encoding) == (
        2,
        2,
        2,
        "utf-8",
    )
    assert shop.files("in") == []
    assert shop.files("work") == []
    day, data, *sidecars = (*shop.files("archive"),)[0].rsplit("/", 1)[:1] + shop.files("archive")
    assert day.endswith("/S1")
    assert data.endswith(f"_{source.sha256[:8]}_x.csv")
    assert sidecars == [f"{data}.done", f"{data}.done.json"]
    assert json.loads((shop.root / "archive" / f"{data}.done.json").read_bytes())["rows_ok"] == 2


async def test_nothing_there_leaves_the_cursor_identical(shop: Shop, sheet: Sheet) -> None:
    shop.drop("x.csv", sales(sheet, "A1"))
    cursor = (await shop.pull())[-1].cursor

    (page,) = await shop.pull(cursor)

    assert (page.documents, page.cursor, page.done, page.source) == ((), cursor, True, None)


async def test_pages_hold_whole_receipts(a_shop: Callable[..., Shop], sheet: Sheet) -> None:
    shop = a_shop(commit_every_receipts=2)
    rows = [{"流水号": f"A{n}", "商品编码": code} for n in range(5) for code in ("X", "Y", "Z")]
    shop.drop("x.csv", sheet(*rows))

    pages = await shop.pull()

    assert [len(p.documents) for p in pages] == [2, 2, 1, 0]
    assert {len(d["sales"][0]["lines"]) for d in documents(pages)} == {3}
    assert [p.cursor.get("file", {}).get("receipts") for p in pages] == [2, 4, None, None]
    assert [(p.source.rows_total, p.source.state) for p in pages if p.source] == [
        (6, "parsing"), (12, "parsing"), (15, "imported"),
    ]  # fmt: skip


# Ready or not


@pytest.mark.parametrize(
    "name",
    ["x.csv.tmp", "x.csv.part", "x.csv.filepart", "~$x.csv", ".x.csv", "x.uploading", "x.txt"],
)
@pytest.mark.parametrize("mode", ["rename", "stable"])
async def test_unfinished_names_are_left_alone(
    a_shop: Callable[..., Shop], sheet: Sheet, name: str, mode: str
) -> None:
    shop = a_shop(ready_mode=mode, settle_seconds=0)
    shop.drop(name, sales(sheet, "A1"), marker=None)
    assert keys(await shop.pull()) == []
    assert shop.files("in") == [name]


async def test_without_its_marker_a_file_is_not_taken(shop: Shop, sheet: Sheet) -> None:
    path = shop.drop("x.csv", sales(sheet, "A1"), marker=None)
    assert keys(await shop.pull()) == []
    path.with_name("x.csv.ok").touch()
    assert keys(await shop.pull()) == ["S1/A1"]


async def test_a_growing_file_is_left_until_it_rests(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(ready_mode="stable", settle_seconds=30)
    path = shop.drop("x.csv", sales(sheet, "A1"), marker=None, age_s=0)
    assert keys(await shop.pull()) == []
    with path.open("ab") as file:
        file.write(sales(sheet, "A2").split("\r\n", 1)[1].encode())
    assert keys(await shop.pull()) == []
    os.utime(path, (path.stat().st_mtime - 31,) * 2)
    assert keys(await shop.pull()) == ["S1/A1", "S1/A2"]


async def test_a_writer_with_a_fast_clock_is_watched_by_size(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(ready_mode="stable", settle_seconds=0.05)
    shop.drop("x.csv", sales(sheet, "A1"), marker=None, age_s=-3600)
    connector = shop.connector()

    async def poll() -> list[str]:
        return keys([page async for page in connector.pull("order", {})])

    assert await poll() == []
    await asyncio.sleep(0.06)
    assert await poll() == ["S1/A1"]


async def test_a_half_written_row_goes_back_until_the_writer_is_done(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(ready_mode="rename")
    whole = sales(sheet, "A1", "A2").encode()
    path = shop.drop("x.csv", whole[:-40], marker=None, age_s=0)
    assert keys(await shop.pull()) == []
    assert shop.files("in") == ["x.csv"]
    path.write_bytes(whole)
    assert keys(await shop.pull()) == ["S1/A1", "S1/A2"]


async def test_a_half_written_row_is_set_aside_when_nobody_goes_on(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(ready_mode="rename", marker_grace_s=60)
    shop.drop("x.csv", sales(sheet, "A1", "A2")[:-40], marker=None, age_s=61)
    (page, _) = await shop.pull()
    assert page.source is not None
    assert (page.source.state, page.source.error_code) == ("quarantined", "INCOMPLETE")
    assert page.documents == []
    assert [name.split("/")[0] for name in shop.files("quarantine")] == ["INCOMPLETE"] * 3


async def test_a_marker_with_another_hash_means_wait(shop: Shop, sheet: Sheet) -> None:
    content = sales(sheet, "A1")
    path = shop.drop("x.csv", content, marker='{"sha256": "00"}', age_s=0)
    assert keys(await shop.pull()) == []
    assert shop.files("in") == ["x.csv", "x.csv.done"]
    told = {"sha256": hashlib.sha256(content.encode()).hexdigest(), "rows": 1}
    path.with_name("x.csv.done").write_text(json.dumps(told))
    assert keys(await shop.pull()) == ["S1/A1"]


async def test_a_marker_whose_file_never_came_is_set_aside(a_shop: Callable[..., Shop]) -> None:
    shop = a_shop(marker_grace_s=60)
    marker = shop.root / "in" / "x.csv.done"
    marker.parent.mkdir(parents=True)
    marker.touch()
    await shop.pull()
    assert shop.files("in") == ["x.csv.done"]
    os.utime(marker, (marker.stat().st_mtime - 61,) * 2)
    await shop.pull()
    assert shop.files("in") == []
    assert len(shop.files("quarantine")) == 1


# The same again


async def test_the_same_bytes_again_are_archived_and_counted(shop: Shop, sheet: Sheet) -> None:
    shop.drop("x.csv", sales(sheet, "A1", "A2"))
    cursor = (await shop.pull())[-1].cursor
    shop.drop("y.csv", sales(sheet, "A1", "A2"))

    pages = await shop.pull(cursor)

    assert keys(pages) == []
    assert [p.cursor for p in pages] == [cursor, cursor]
    assert pages[0].source is not None
    assert (pages[0].source.rows_dup, pages[0].source.rows_total) == (2, 2)
    assert len([n for n in shop.files("archive") if n.endswith(".csv")]) == 2


async def test_the_same_bytes_can_be_read_again_on_request(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(on_duplicate_file="reprocess")
    shop.drop("x.csv", sales(sheet, "A1"))
    cursor = (await shop.pull())[-1].cursor
    shop.drop("x.csv", sales(sheet, "A1"))
    assert keys(await shop.pull(cursor)) == ["S1/A1"]


async def test_a_correction_comes_later_and_says_so(shop: Shop, sheet: Sheet) -> None:
    shop.drop("b.csv", sales(sheet, "A1"))
    shop.drop("a.csv", sales(sheet, "A1", 单价="9.00"))

    first, second = documents(await shop.pull())

    assert [d["sales"][0]["total"] for d in (first, second)] == ["10.00", "9.00"]
    assert first["file_at"] < second["file_at"]


async def test_hashes_are_forgotten_with_age_but_only_when_a_file_is_done(
    shop: Shop, sheet: Sheet
) -> None:
    old = {"seen": {"f" * 64: "2020-01-01"}}
    assert (await shop.pull(old))[-1].cursor == old
    shop.drop("x.csv", sales(sheet, "A1"))
    cursor = (await shop.pull(old))[-1].cursor
    assert "f" * 64 not in cursor["seen"]
    assert len(cursor["seen"]) == 1


# Bad rows, bad files


async def test_one_bad_row_holds_its_receipt_loads_the_rest_and_is_reported(
    shop: Shop, sheet: Sheet
) -> None:
    shop.drop("x.csv", sheet({"流水号": "A1"}, {"流水号": "A2", "数量": "x"}, {"流水号": "A3"}))

    page, _ = await shop.pull()

    assert keys([page]) == ["S1/A1", "S1/A3"]
    (fault,) = page.faults
    assert fault.key == "S1/A2"
    assert isinstance(fault.error, Rejected)
    assert fault.error.code == "NUMBER"
    assert fault.document["rows"][0]["cells"]["quantity"] == "x"
    assert page.source is not None
    assert (page.source.state, page.source.rows_total, page.source.rows_ok, page.source.rows_error) == (
        "imported_with_errors", 3, 2, 1,
    )  # fmt: skip
    tails = sorted(name.split("x.csv", 1)[1] for name in shop.files("archive"))
    assert tails == ["", ".done", ".done.json", ".errors.csv", ".errors.json", ".rejected.csv"]


async def test_a_hopeless_file_is_refused_from_there_and_what_was_taken_stays(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(commit_every_receipts=10, max_row_errors=5)
    rows = [{"流水号": f"A{n}", "数量": "x" if n >= 25 else "1"} for n in range(50)]
    shop.drop("x.csv", sheet(*rows))

    pages = await shop.pull()

    assert len(documents(pages)) == 25
    assert [p.source.state for p in pages if p.source] == [
        "parsing",
        "parsing",
        "parsing",
        "quarantined",
    ]
    assert "file" not in pages[-1].cursor
    assert pages[-1].cursor["seen"] == {}
    assert [n.split("/")[0] for n in shop.files("quarantine")] == ["TOO_MANY_ERRORS"] * 5


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "HEADER_MISSING"),
        (b"PK\x03\x04xlsx", "UNSUPPORTED"),
        (b"a,b\r\n\xff\xff\xff\r\n", "ENCODING"),
        (b"<html>", "UNSUPPORTED"),
    ],
)
async def test_a_file_that_cannot_be_read_is_set_aside_and_the_next_is_taken(
    shop: Shop, sheet: Sheet, content: bytes, code: str
) -> None:
    shop.drop("bad.csv", content)
    shop.drop("good.csv", sales(sheet, "A1"))

    pages = await shop.pull()

    assert keys(pages) == ["S1/A1"]
    assert [p.source.error_code for p in pages if p.source] == [code, None]
    assert all(n.startswith(f"{code}/") for n in shop.files("quarantine"))
    assert any(n.endswith("bad.csv") for n in shop.files("quarantine"))


async def test_a_file_that_changes_while_it_is_read_goes_back_and_is_read_again(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(commit_every_receipts=1)
    shop.drop("x.csv", sales(sheet, "A1", "A2", "A3"))
    seen: list[Page] = []
    async for page in shop.connector().pull("order", {}):
        seen.append(page)
        if len(seen) == 1:
            (work,) = (shop.root / "work").rglob("x.csv")
            work.write_bytes(sales(sheet, "A1", "A2", "A3", "A4").encode())

    assert [p.source.error_code for p in seen if p.source][-1] == "CHANGED_WHILE_READING"
    assert "file" not in seen[-1].cursor
    assert shop.files("in") == ["x.csv", "x.csv.done"]
    assert keys(await shop.pull(seen[-1].cursor)) == ["S1/A1", "S1/A2", "S1/A3", "S1/A4"]


async def test_links_are_not_followed(shop: Shop, sheet: Sheet, tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text(sales(sheet, "A1"))
    shop.drop("real.csv", sales(sheet, "A2"))
    (shop.root / "in" / "link.csv").symlink_to(outside)
    (shop.root / "in" / "link.csv.done").touch()
    assert keys(await shop.pull()) == ["S1/A2"]


# Crashes


class Crash(BaseException):
    """The process is gone."""


async def _crash_at(
    shop: Shop, step: int, cursor: dict[str, Any]
) -> tuple[dict[str, Any], list[str], bool]:
    """Run a pull whose folder dies at its n-th change; return the last stored cursor and what was stored."""
    connector = shop.connector()
    left = step
    rename, write = connector.folder.rename, connector.folder.write

    def spend() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Crash

    async def dying_rename(old: str, new: str) -> bool:
        spend()
        return await rename(old, new)

    def dying_write(name: str) -> Any:
        spend()
        return write(name)

    connector.folder.rename = dying_rename  # type: ignore[method-assign]  # the folder dies, not the test
    connector.folder.write = dying_write  # type: ignore[method-assign]
    stored: list[str] = []
    try:
        async for page in connector.pull("order", cursor):
            stored += [d["receipt_key"] for d in page.documents] + [f.key for f in page.faults]
            cursor = json.loads(json.dumps(page.cursor))
    except Crash:
        return cursor, stored, False
    return cursor, stored, True


async def test_a_crash_at_any_step_loses_nothing_and_ends_in_the_archive(
    tmp_path: Path, sheet: Sheet
) -> None:
    content = sheet(*({"流水号": f"A{n}", "数量": "x" if n == 3 else "1"} for n in range(7)))
    for step in range(40):
        root = tmp_path / f"run{step}"
        form = {"path": str(root), "timezone": "Asia/Shanghai", "currency": "CNY", "layout": "chinese",
                "stores": [{"code": "S1"}], "unique_receipt_no": True, "commit_every_receipts": 3}  # fmt: skip
        root.mkdir()
        shop = Shop(root, form)
        shop.drop("x.csv", content)
        shop.drop("y.csv", sales(sheet, "B1"))

        cursor, stored, finished = await _crash_at(shop, step, {})
        while not finished:
            cursor, more, finished = await _crash_at(shop, 1000, cursor)
            stored += more

        assert set(stored) == {*(f"S1/A{n}" for n in range(7)), "S1/B1"}, f"step {step}"
        assert shop.files("in") == []
        assert shop.files("work") == []
        kept = [n.rsplit("_", 1)[1] for n in shop.files("archive")]
        assert sorted(n for n in kept if n.endswith((".csv", ".done", ".done.json"))) == sorted(
            ["x.csv", "x.csv.done", "x.csv.done.json", "x.csv.errors.csv", "x.csv.rejected.csv",
             "y.csv", "y.csv.done", "y.csv.done.json"]
        ), f"step {step}"  # fmt: skip
        assert set(cursor) == {"seen"}
        if step > 30 and finished and len(stored) == 8:
            break


async def test_a_file_cut_in_the_middle_goes_on_from_its_checkpoint(
    a_shop: Callable[..., Shop], sheet: Sheet
) -> None:
    shop = a_shop(commit_every_receipts=2)
    shop.drop("x.csv", sales(sheet, *(f"A{n}" for n in range(7))))

    before = await shop.pull(most=2)
    after = await shop.pull(before[-1].cursor)

    assert keys(before) + keys(after) == [f"S1/A{n}" for n in range(7)]
    assert [p.source.rows_total for p in after if p.source] == [6, 7]


async def test_two_claimers_never_break_each_other(shop: Shop, sheet: Sheet) -> None:
    for n in range(20):
        shop.drop(f"x{n}.csv", sales(sheet, f"A{n}"))

    async def one() -> set[str]:
        return {
            key
            for page in [p async for p in shop.connector().pull("order", {})]
            for key in keys([page])
        }

    first, second = await asyncio.gather(one(), one())

    assert first | second == {f"S1/A{n}" for n in range(20)}
    assert shop.files("in") == []


async def test_check_proves_the_folder_and_takes_no_file(shop: Shop, sheet: Sheet) -> None:
    shop.drop("x.csv", sales(sheet, "A1"))
    account = await shop.connector().check()
    assert all(verdict.works for verdict in account.verdicts)
    assert [(p.external_id, p.name, p.kind) for p in account.places] == [("S1", "一店", "store")]
    assert shop.files("in") == ["x.csv", "x.csv.done"]
    assert shop.files("work") == []

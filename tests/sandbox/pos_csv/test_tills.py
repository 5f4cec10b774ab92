"""The simulated tills: honest books, files a hub must cope with, and no sale of what is not there."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.pos_csv import Settings, World, app
from sandbox.pos_csv.drops import put
from sandbox.pos_csv.world import UnknownFault, chances

SEEDED = random.Random(1)  # noqa: S311 - a seeded play
STOCK_COLUMNS = [
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


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def a_world(folder: Path, clock: Clock, **options: Any) -> World:
    world = World(Settings(dir=folder, rate=1.0, every_s=2.0, **options), clock)
    world.open_doors()
    return world


def play(world: World, clock: Clock) -> None:
    for _ in range(2_000):
        clock.now += 1
        world.tick()
        if world.traffic["finished"]:
            return
    raise AssertionError("the play does not end")


def take_all(world: World, clock: Clock) -> list[Path]:
    """Archive everything in `in/`, the way a hub does."""
    taken = []
    for drop in world.drops:
        for path in sorted((drop.root / "in").glob("*.csv")):
            stamp = f"{datetime.fromtimestamp(clock.now, UTC):%Y%m%dT%H%M%S}000Z"
            target = drop.root / "archive" / "2026" / f"{stamp}_00000000_{path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
            path.with_name(path.name + ".done").unlink()
            taken.append(target)
    return taken


def tell_stock(world: World, seq: int, figures: dict[str, int], as_of: float) -> None:
    """Write a stock file for the first store."""
    drop = world.drops[0]
    rows = [[str(seq), drop.till.code, sku, "", str(n), "", "", "", f"{datetime.fromtimestamp(as_of, UTC):%FT%T}Z"]
            for sku, n in figures.items()]  # fmt: skip
    out = io.StringIO(newline="")
    csv.writer(out).writerows([STOCK_COLUMNS, *rows])
    content = out.getvalue().encode()
    path = drop.root / "out" / f"stock_{drop.till.code}_20260921000000_{seq:06d}.csv"
    put(path, content)
    told = {"rows": len(rows), "sha256": hashlib.sha256(content).hexdigest(), "seq": seq}
    put(path.with_name(path.name + ".done"), json.dumps(told).encode())


def test_the_same_seed_plays_the_same_day(tmp_path: Path) -> None:
    told = []
    for name in ("a", "b"):
        clock = Clock()
        world = a_world(tmp_path / name, clock, seed=5, traffic=60, bad=3)
        play(world, clock)
        told.append(world.truth())
    assert told[0] == told[1]
    assert len(told[0]["planted_bad"]) == 3
    assert told[0]["traffic"] == {"planned": 60, "done": 60, "finished": True}


def test_nobody_comes_in_before_the_doors_open(tmp_path: Path) -> None:
    clock = Clock()
    world = World(Settings(dir=tmp_path, rate=1.0, traffic=10), clock)
    clock.now += 60
    world.tick()
    assert world.traffic["done"] == 0
    world.open_doors()
    clock.now += 3
    world.tick()
    assert world.traffic["done"] == 3


def test_books_balance_and_nothing_is_oversold(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock, traffic=240)
    play(world, clock)
    truth = world.truth()

    assert truth["oversold"] == []
    for store in truth["stock"].values():
        for spot in store.values():
            assert spot["shelf"] == spot["opening"] - spot["sold"] + spot["returned"] >= 0
    sold: dict[str, int] = {}
    for order in truth["orders"].values():
        if order["state"] == "completed":
            for line in order["lines"]:
                sold[line["sku"]] = sold.get(line["sku"], 0) + line["quantity"]
    for back in truth["returns"].values():
        for line in back["lines"]:
            sold[line["sku"]] = sold.get(line["sku"], 0) - line["quantity"]
    net = {
        sku: sum(store[sku]["opening"] - store[sku]["shelf"] for store in truth["stock"].values())
        for sku in sold
    }
    assert net == sold


def test_two_layouts_in_two_encodings_with_markers(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock, traffic=40)
    play(world, clock)
    for drop, encoding, head in zip(
        world.drops, ("utf-8-sig", "gb18030"), ("Date,", "流水号,"), strict=True
    ):
        files = sorted((drop.root / "in").glob("*.csv"))
        assert files
        for path in files:
            content = path.read_bytes()
            assert content.decode(encoding).startswith(head)
            told = json.loads(path.with_name(path.name + ".done").read_bytes())
            assert told["sha256"] == hashlib.sha256(content).hexdigest()
    first, second = world.connections()
    assert first["credentials"]["layout"] == "loyverse"
    assert second["credentials"]["layout"] == "chinese"


def test_a_figure_is_corrected_by_what_the_hub_cannot_know(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock, stores="SH01=A,SH02=B")
    till = world.tills[0]
    sku = max(till.items, key=lambda one: till.state["stock"][one]["shelf"])
    shelf = till.state["stock"][sku]["shelf"]
    line = {**till._line(SEEDED, till.items[sku], 2)}

    tell_stock(world, 1, {sku: shelf}, clock.now)
    world.tick()
    assert till.believes(sku, clock.now) == shelf

    clock.now += 1
    till._keep(till._new("sale", world.local(), [line]))
    assert till.believes(sku, clock.now) == shelf - 2  # not in a file yet
    world.flush()
    assert till.believes(sku, clock.now) == shelf - 2  # waits in in/

    clock.now += 1
    tell_stock(world, 2, {sku: shelf - 3}, clock.now)  # a web sale; our file is still not counted
    world.drops[0].read_stock()
    assert till.believes(sku, clock.now) == shelf - 5

    clock.now += 1
    take_all(world, clock)
    world.drops[0].look()
    assert till.believes(sku, clock.now) == shelf - 5  # taken after that figure was made

    clock.now += 1
    tell_stock(world, 3, {sku: shelf - 5}, clock.now)
    world.drops[0].read_stock()
    assert till.believes(sku, clock.now) == shelf - 5  # this one counts it

    assert world.truth()["stock_files"]["SH01"] == {"last_seq": 3, "gaps": 0}


def test_a_taken_file_without_a_new_figure_is_in_the_last_one(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock)
    till = world.tills[0]
    sku = max(till.items, key=lambda one: till.state["stock"][one]["shelf"])
    till._keep(till._new("sale", world.local(), [till._line(SEEDED, till.items[sku], 1)]))
    world.flush()
    take_all(world, clock)
    tell_stock(world, 1, {sku: 7}, clock.now - 0.5)  # made in the moment the file was taken
    world.drops[0].look()
    world.drops[0].read_stock()
    assert till.believes(sku, clock.now) == 6
    clock.now += till.grace_s + 1
    assert till.believes(sku, clock.now) == 7


def test_a_till_refuses_what_its_stock_shows_as_gone(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock, traffic=50)
    tell_stock(world, 1, dict.fromkeys(world.tills[0].items, 0), clock.now)
    play(world, clock)
    truth = world.truth()
    assert not [o for o in truth["orders"].values() if o["store"] == "SH01"]
    assert truth["refused"] == 25


def test_a_stock_file_without_marker_or_with_a_wrong_hash_is_not_believed(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock)
    tell_stock(world, 1, {"TEE-RED-M": 1}, clock.now)
    (data,) = (world.drops[0].root / "out").glob("*.csv")
    data.write_bytes(data.read_bytes() + b"x")
    world.tick()
    assert world.tills[0].state["hub_seq"] == 0
    tell_stock(world, 3, {"TEE-RED-M": 1}, clock.now)
    world.tick()
    assert (world.tills[0].state["hub_seq"], world.tills[0].state["gaps"]) == (3, 1)


def test_faults_show_in_the_files(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(
        tmp_path, clock, traffic=200, faults="duplicate=1,title=1,newline=1,overlap=1,correction=1"
    )
    play(world, clock)
    drop = world.drops[1]
    texts = [p.read_bytes().decode("gb18030") for p in sorted((drop.root / "in").glob("*.csv"))]
    assert all("销售明细表" in text and "\r\n合计," in text for text in texts)
    assert any('"加急, ""今天""\r\n请包装"' in text for text in texts)
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    assert len(set(hashes)) < len(hashes)


def test_a_growing_file_has_no_marker_until_it_is_whole(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock, faults="growing=1")
    world.tills[0].serve(clock.now, world.local())
    world.flush()
    world.flush()
    (path,) = (world.drops[0].root / "in").iterdir()
    half = path.stat().st_size
    world.flush()
    assert path.stat().st_size > half
    for _ in range(5):
        world.flush()
    assert [p.suffix for p in sorted((world.drops[0].root / "in").iterdir())] == [".csv", ".done"]


def test_quiet_finishes_every_file_and_stops_the_buyers(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock, traffic=500, faults="growing=1")
    for _ in range(20):
        clock.now += 1
        world.tick()
    world.quiet()
    before = world.truth()
    for _ in range(5):
        clock.now += 1
        world.tick()
    after = world.truth()
    assert before["orders"] == after["orders"]
    assert after["traffic"]["finished"]
    assert all(not t.state["pending"] and not t.state["growing"] for t in world.tills)


def test_a_restart_goes_on_with_the_same_books(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock, traffic=100, seed=9)
    for _ in range(30):
        clock.now += 1
        world.tick()
    before = world.truth()
    again = a_world(tmp_path, clock, traffic=100, seed=9)
    assert again.truth() == before
    play(again, clock)
    assert again.truth()["traffic"]["done"] == 100


def test_a_planned_file_is_written_after_a_crash(tmp_path: Path) -> None:
    clock = Clock()
    world = a_world(tmp_path, clock)
    world.tills[0].serve(clock.now, world.local())
    name = world.drops[0].flush(clock.now)
    world.save()  # and the process dies before the file is dropped
    assert not list((world.drops[0].root / "in").iterdir())
    a_world(tmp_path, clock)
    assert sorted(p.name for p in (world.drops[0].root / "in").iterdir()) == [name, f"{name}.done"]


def test_the_shops_own_catalogue_is_sold(tmp_path: Path) -> None:
    item = {
        "sku": "TEE-RED-M",
        "barcode": "6901234567892",
        "title": "Red / M",
        "price": 9900,
        "stock": {"Store A": 3},
    }
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps({"currency": "CNY", "items": [item]}))
    clock = Clock()
    world = a_world(
        tmp_path / "run", clock, catalogue=path, stores="SH01=Store A,SH02=Store B", traffic=30
    )
    play(world, clock)
    truth = world.truth()
    assert truth["stock"]["SH01"]["TEE-RED-M"]["opening"] == 3
    assert {line["sku"] for order in truth["orders"].values() for line in order["lines"]} == {
        "TEE-RED-M"
    }


@pytest.mark.parametrize("spec", ["rain=0.1", "growing=2", "growing=x"])
def test_an_unknown_fault_is_refused(spec: str) -> None:
    with pytest.raises(UnknownFault):
        chances(spec)


def test_the_dial_reads_names_and_chances() -> None:
    assert chances("growing=0.5, title") == {"growing": 0.5, "title": 0.2}
    assert set(chances("all=0.1").values()) == {0.1}


async def test_the_door_answers_truth_quiet_and_acts(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(app(dir=tmp_path, seed=2))
    async with httpx.AsyncClient(transport=transport, base_url="http://till.test") as client:
        served = await client.post(
            "/_sandbox/act", json={"do": "serve", "store": "SH01", "count": 3}
        )
        assert served.status_code == 200
        assert (
            await client.post("/_sandbox/act", json={"do": "bad", "store": "SH02"})
        ).status_code == 200
        assert (await client.post("/_sandbox/act", json={"do": "dance"})).status_code == 400
        assert (await client.get("/nothing")).status_code == 404
        quiet = (await client.post("/_sandbox/quiet")).json()
        truth = (await client.get("/_sandbox/truth")).json()
    assert quiet["quiet"] is True
    assert len(truth["orders"]) == 3
    assert [bad["store"] for bad in truth["planted_bad"]] == ["SH02"]
    assert truth["files"]["SH01"]["written"] == 1


def test_the_process_says_where_it_is_and_survives_being_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.pos_csv", "--dir", str(tmp_path), "--traffic", "40", "--rate", "400",
               "--every", "0.3", "--bad", "2", "--faults", "growing=0.5"]  # fmt: skip
    seen = 0
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            assert told == json.loads((tmp_path / "pos_csv.json").read_text())
            assert told["pid"] == process.pid
            assert [c["credentials"]["stores"][0]["code"] for c in told["connections"]] == [
                "SH01",
                "SH02",
            ]
            urllib.request.urlopen(f"{told['address']}/_sandbox/open", data=b"").close()  # noqa: S310
            until = time.monotonic() + 20
            while time.monotonic() < until:
                with urllib.request.urlopen(f"{told['address']}/_sandbox/truth") as reply:  # noqa: S310
                    truth = json.load(reply)
                if truth["traffic"]["finished"]:
                    break
                time.sleep(0.05)
            assert truth["traffic"] == {"planned": 40, "done": 40, "finished": True}
            assert len(truth["planted_bad"]) == 2
            assert seen in (0, len(truth["orders"]))
            seen = len(truth["orders"])
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

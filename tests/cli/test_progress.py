"""How far long work is: what a terminal shows, what a pipe gets, and what a machine must not get."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from connectors.shopify import Shopify
from hub import config, log
from hub.app import Hub, open_hub
from hub.cli import app
from hub.cli.flows import Run, run_all
from hub.cli.progress import Stretch, bars
from hub.config import LogSettings
from hub.db import flows
from hub.db.connections import ConnectionInfo
from hub.records.time import now as real_now
from hub.sync import connect
from sandbox.shopify import Settings
from sandbox.shopify import app as simulated

QUIET = LogSettings(level="warning", format="console")
ADDRESS = "http://127.0.0.1:8080"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
FRAME = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
UNTIL = "2026-01-11T00:00:00.000000Z"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    yield
    log.configure(level="warning", form="console", stream=sys.__stderr__)


def a_terminal(width: int = 120) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=30, color_system=None,
        _environ={},
    )  # fmt: skip


def frames(console: Console, words: str) -> list[str]:
    """What the terminal showed of one line, picture by picture, equal neighbours once."""
    assert isinstance(console.file, io.StringIO)
    out: list[str] = []
    for text in FRAME.sub("\n", console.file.getvalue()).split("\n"):
        if words in text and (not out or out[-1] != text.rstrip()):
            out.append(text.rstrip())
    return out


def counts(shown: list[str], unit: str = "records") -> list[int]:
    found = [re.search(rf"([\d,]+)(?: of [\d,]+)? {unit}", text) for text in shown]
    out: list[int] = []
    for count in (int(m[1].replace(",", "")) for m in found if m):
        if not out or out[-1] != count:
            out.append(count)
    return out


def page(received: int, at: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"received": received, "at": at, "file": None, "rows": 0, **more}


def day(number: int) -> str:
    return f"2026-01-{number:02}T00:00:00.000000Z"


def test_a_walk_in_order_of_time_stands_where_its_last_record_stands() -> None:
    stretch = Stretch(UNTIL)

    stretch.take(day(1), day(2))
    after_one_page = stretch.part
    stretch.take(day(2), day(6))

    assert after_one_page is None
    assert stretch.part == 0.5


def test_a_record_changed_after_the_walk_began_is_not_further_than_its_end() -> None:
    stretch = Stretch(UNTIL)

    stretch.take(day(1), day(5))
    stretch.take(day(5), day(20))

    assert stretch.part == 1.0


@pytest.mark.parametrize(
    "pages",
    [
        [(day(1), day(5)), (day(4), day(6))],
        [(day(1), day(5)), (day(4), day(6)), (day(6), day(7))],
        [(day(3), day(3)), (day(3), day(3))],
        [(day(12), day(13)), (day(13), day(14))],
    ],
    ids=["overlapping", "overlapping once", "all of one time", "beyond the end"],
)
def test_a_walk_without_a_place_in_time_claims_none(pages: list[tuple[str, str]]) -> None:
    stretch = Stretch(UNTIL)

    for earliest, latest in pages:
        stretch.take(earliest, latest)

    assert stretch.part is None


def test_an_unknown_end_shows_count_and_rate_and_no_percentage() -> None:
    console = a_terminal()

    with bars(["shop: pull inventory"], json=False, log=QUIET, console=console) as shown:
        line = shown.line("shop: pull inventory", "records", stretch=Stretch(UNTIL))
        line.hear("page.applied", page(90, (day(1), day(9))))
        line.hear("page.applied", page(90, (day(2), day(8))))
        line.end()

    seen = frames(console, "shop: pull inventory")
    assert counts(seen) == [0, 90, 180]
    assert not [text for text in seen if "%" in text]
    assert re.search(r"done +180 records +[\d,]+/s", seen[-1])


def test_an_end_that_turns_out_unknown_is_taken_back() -> None:
    console = a_terminal()

    with bars(["shop: pull order"], json=False, log=QUIET, console=console) as shown:
        line = shown.line("shop: pull order", "records", stretch=Stretch(UNTIL))
        line.hear("page.applied", page(1, (day(1), day(2))))
        line.hear("page.applied", page(1, (day(2), day(6))))
        known = line.part
        line.hear("page.applied", page(1, (day(1), day(7))))
        unknown = line.part
        line.end(failed=True)

    seen = frames(console, "shop: pull order")
    assert (known, unknown) == (0.5, None)
    assert any("50 %" in text for text in seen)
    assert "failed" in seen[-1]
    assert "%" not in seen[-1]
    assert "3 records" in seen[-1]


def test_a_counted_total_fills_the_bar_and_a_new_arrival_makes_it_longer() -> None:
    console = a_terminal()

    with bars(["till: push inventory"], json=False, log=QUIET, console=console) as shown:
        line = shown.line("till: push inventory", "changes", total=4)
        line.hear("push.sent", {"documents": 1, "pushed": 1, "unchanged": 1})
        half = line.part
        line.hear("push.sent", {"documents": 3, "pushed": 3, "unchanged": 0})
        line.end()

    seen = frames(console, "till: push inventory")
    assert half == 0.5
    assert counts(seen, "changes") == [0, 2, 5]
    assert any("50 %" in text and "2 of 4 changes" in text for text in seen)
    assert "done" in seen[-1]
    assert "5 of 5 changes" in seen[-1]


def test_a_narrow_terminal_keeps_everything_on_one_row() -> None:
    console = a_terminal(80)
    label = "my quite long shop name: pull inventory"

    with bars([label], json=False, log=QUIET, console=console) as shown:
        line = shown.line(label, "records", total=1_000_000)
        line.add(123_456)

    [*_, last] = frames(console, "my quite long shop")
    assert len(last) <= 80
    assert "123,456 of 1,000,000 records" in last


def test_a_warning_is_printed_above_the_bar_and_the_log_is_put_back() -> None:
    console = a_terminal()
    before = sys.stderr
    told = LogSettings(level="info", format="console")

    with bars(["a"], json=False, log=told, console=console) as shown:
        line = shown.line("a", "records")
        log.get_logger().info("page.applied", documents=1)
        log.get_logger().warning("run.failed", kind="order")
        line.end()

    assert sys.stderr is before
    assert len(frames(console, "run.failed")) == 1
    assert frames(console, "page.applied") == []


class World:
    """A hub in a folder and one connection of it."""

    def __init__(self, hub: Hub, info: ConnectionInfo) -> None:
        self.hub, self.info = hub, info

    async def run(self, console: Console | None, verb: str, *kinds: str) -> list[dict[str, Any]]:
        runs = [Run(self.info, verb, kind) for kind in kinds]
        labels = [run.label for run in runs]
        with bars(labels, json=False, log=QUIET, console=console) as shown:
            return await run_all(self.hub, runs, shown)

    def change(self, **fields: Any) -> None:
        self.hub = replace(self.hub, engine=replace(self.hub.engine, **fields))

    async def received(self, *kinds: str) -> int:
        tallies = await self.hub.db.read(flows.tallies, self.info.merchant_id)
        return sum(t["received"] for t in tallies if t["kind"] in kinds)


@asynccontextmanager
async def a_world(
    home: Path, code: str, form: dict[str, Any], transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[World]:
    log.configure(level="warning", form="console")
    settings = config.load(home, {"HUB_HTTP__ALLOW_LOOPBACK": "true"})
    hub = await open_hub(settings, exclusive=True, transport=lambda _code: transport)
    try:
        merchant = await hub.add_merchant("Shop", currency="CNY", timezone="Asia/Shanghai")
        done = await connect.register(hub.engine, merchant, code, "shop", form)
        yield World(hub, done.info)
    finally:
        await hub.close()


def shop(tmp_path: Path, **options: int) -> Any:
    settings = Settings(plan="plus", **options)
    form = {"shop": settings.shop, "token": settings.token, "address": ADDRESS}
    transport = httpx.ASGITransport(simulated(settings=settings))
    return a_world(tmp_path / "home", "shopify", form, transport)


class OneByOne(Shopify):
    """Asks for a page when the one before is stored, so that a walk has the same steps every time."""

    manifest = replace(
        Shopify.manifest,
        streams={
            kind: replace(stream, pull=stream.pull and replace(stream.pull, ahead=0))
            for kind, stream in Shopify.manifest.streams.items()
        },
    )


async def test_a_first_load_shows_its_count_rise_and_how_far_in_time_it_is(tmp_path: Path) -> None:
    console = a_terminal()

    async with shop(tmp_path, orders=300, days=60) as world:
        world.change(connectors={"shopify": OneByOne})
        await world.run(None, "pull", "product", "inventory")
        problems = await world.run(console, "pull", "order")
        received = await world.received("order", "after_sale")

    seen = frames(console, "shop: pull order")
    shares = [int(m[1]) for text in seen if (m := re.search(r"(\d+) %", text))]
    rising = counts(seen)
    assert problems == []
    assert len(rising) >= 4
    assert rising == sorted(rising)
    assert rising[-1] == received
    assert len(set(shares)) > 1
    assert shares == sorted(shares)
    assert any(re.search(r"up to \d{4}-\d\d-\d\d \d\d:\d\d$", text) for text in seen)
    assert re.search(rf"done +{received:,} records", seen[-1])


async def test_a_walk_that_the_channel_breaks_off_ends_as_failed(tmp_path: Path) -> None:
    console = a_terminal()

    async with shop(tmp_path, orders=10) as world:
        world.hub.engine.sessions.clear()
        world.change(transport=lambda _code: REFUSING)
        problems = await world.run(console, "pull", "order")

    seen = frames(console, "shop: pull order")
    assert [(p["connection"], p["kind"], p["verb"]) for p in problems] == [
        ("shop", "order", "pull")
    ]
    assert re.search(r"failed +0 records", seen[-1])


async def test_a_push_counts_what_was_waiting(tmp_path: Path) -> None:
    console = a_terminal()

    async with shop(tmp_path, orders=5, variants=30) as world:
        await world.run(None, "pull", "product", "inventory", "order")
        world.change(now=lambda: real_now() + timedelta(minutes=10))
        await world.run(None, "pull", "order")  # opens the gate behind what the first walk met
        [waiting] = await world.hub.db.read(
            _rows, "SELECT count(*) FROM outbox WHERE done_version<version"
        )
        await world.run(console, "push", "inventory")

    seen = frames(console, "shop: push inventory")
    assert waiting > 0
    assert counts(seen, "changes") == [0, waiting]
    assert f"{waiting} of {waiting} changes" in seen[-1]


def _rows(conn: Any, statement: str) -> list[int]:
    return [row[0] for row in conn.exec_driver_sql(statement)]


REFUSING = httpx.MockTransport(lambda _request: httpx.Response(403, json={"errors": "no"}))
HEADER = "流水号,销售时间,类型,商品编码,商品名称,数量,单价,金额,支付方式"


def a_till(folder: Path, receipts: int, **more: Any) -> dict[str, Any]:
    (folder / "in").mkdir(parents=True)
    rows = [
        f"A{n},2026-06-01 09:{n // 60:02}:{n % 60:02},销售,TEE,T恤,1,10.00,10.00,现金"
        for n in range(receipts)
    ]
    (folder / "in" / "day.csv").write_text("\r\n".join([HEADER, *rows, ""]), encoding="utf-8")
    (folder / "in" / "day.csv.done").touch()
    return {
        "path": str(folder), "layout": "chinese", "timezone": "Asia/Shanghai", "currency": "CNY",
        "stores": [{"code": "S1", "name": "Store One"}], **more,
    }  # fmt: skip


async def test_a_file_shows_its_name_and_the_rows_read_so_far(tmp_path: Path) -> None:
    console = a_terminal()
    form = a_till(tmp_path / "till", 250, commit_every_receipts=100)

    async with a_world(tmp_path / "home", "pos_csv", form) as world:
        problems = await world.run(console, "pull", "order")
        received = await world.received("order")

    seen = frames(console, "shop: pull order")
    notes = [int(m[1]) for text in seen if (m := re.search(r"day\.csv: ([\d,]+) rows", text))]
    assert problems == []
    assert received == 250
    assert counts(seen) == [0, 100, 200, 250]
    assert notes == sorted(notes)
    assert notes[-1] == 250
    assert not [text for text in seen if "%" in text]


Hub_ = Callable[..., Result]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub_:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUB_LOG__LEVEL", "warning")
    monkeypatch.delenv("HUB_MASTER_KEY", raising=False)

    def run(*args: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(args), input=stdin)

    form = a_till(tmp_path / "till", 30)
    added = run(
        "connect", "add", "pos_csv", "--name", "Till", "--form", "-", stdin=json.dumps(form)
    )
    assert added.exit_code == 0, added.stderr
    return run


def test_a_pipe_gets_a_line_at_the_start_and_one_at_the_end_of_each_flow(hub: Hub_) -> None:
    synced = hub("sync")

    lines = synced.stderr.splitlines()
    assert [re.sub(r"in [\d.]+ s \([\d,]+/s\)", "in T", line) for line in lines] == [
        "Till: pull order: started",
        "Till: pull order: done, 30 records in T",
        "Till: push inventory: started",
        "Till: push inventory: done, 0 changes in T",
    ]
    assert not CONTROL.search(synced.stderr + synced.stdout)
    assert "Till: pull" not in synced.stdout


def test_json_is_one_object_and_nothing_moves_beside_it(hub: Hub_) -> None:
    synced = hub("sync", "--json")
    rotated = hub("vault", "rotate", "--json")
    compared = hub("reconcile", "--json")

    assert {f["kind"]: f["received"] for f in json.loads(synced.stdout)["flows"]}["order"] == 30
    assert json.loads(rotated.stdout)["resealed"] > 0
    assert json.loads(compared.stdout)["problems"] == []
    assert synced.stderr + rotated.stderr + compared.stderr == ""


def test_rotation_counts_every_value_and_then_looks_through_them(hub: Hub_) -> None:
    hub("sync")

    rotated = hub("vault", "rotate")

    moved = re.match(r"(\d+) sealed", rotated.stdout)
    assert moved
    assert [re.sub(r" in .*", "", line) for line in rotated.stderr.splitlines()] == [
        "vault: seal anew: started",
        f"vault: seal anew: done, {moved[1]} values",
        "vault: look through: started",
        f"vault: look through: done, {moved[1]} values",
    ]

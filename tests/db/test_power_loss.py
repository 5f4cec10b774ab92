"""FLT-03, reliability 3: the WAL cut at every half frame; each cut opens, and what it says is true."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from hub.db import Database
from hub.db.bulk import fetch
from hub.sync import checkup
from tests.sync.channels import a_line, a_product, an_order
from tests.sync.world import World, a_world

_HEADER, _FRAME_HEADER = 32, 24


async def _trade(world: World) -> list[int]:
    """Pull, in pages of one, what ends in the WAL; returns how many orders each durable commit had seen."""
    world.shop.page = 1
    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 50)
    await world.walk("product", "inventory", "order")
    world.clock.forward(60)
    for number in range(5):
        world.shop.show("order", an_order(f"O{number}", a_line(n=1), placed=world.clock.text))
    await world.walk("order")
    await world.push()
    return [count for (count,) in await world.rows("SELECT count(*) FROM channel_order")]


async def test_whatever_the_power_cut_left_of_the_log_the_database_is_true(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with a_world(f"sqlite:///{path}", joins=("shop",)) as world:
        with world.db.engine.connect() as conn:
            raw = conn.connection.driver_connection
            assert raw is not None
            assert raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
        orders = await _trade(world)
        log = path.with_name("hub.db-wal").read_bytes()
        whole = tmp_path / "whole.db"
        shutil.copyfile(path, whole)
        page = world.db.engine.connect().exec_driver_sql("PRAGMA page_size").scalar()
    assert orders == [5]

    states: dict[str, tuple[int, int]] = {}
    frame = _FRAME_HEADER + int(page or 0)
    for cut in range(0, len(log) + 1, frame // 2):
        copy, print_ = _opened(whole, log[: min(len(log), _HEADER + cut)], tmp_path / "cut.db")
        if print_ not in states:
            states[print_] = await _proved(copy)

    assert {orders_seen for orders_seen, _at in states.values()} == set(range(6)), (
        "a page is whole or not there"
    )
    assert all(at == orders_seen for orders_seen, at in states.values()), (
        "the cursor is never ahead"
    )


def _opened(whole: Path, log: bytes, copy: Path) -> tuple[Path, str]:
    """Open a cut copy as SQLite finds it; returns it and a print of everything a commit may change."""
    for name in (copy, copy.with_name("cut.db-wal"), copy.with_name("cut.db-shm")):
        name.unlink(missing_ok=True)
    shutil.copyfile(whole, copy)
    copy.with_name("cut.db-wal").write_bytes(log)
    raw = sqlite3.connect(copy)
    assert raw.execute("PRAGMA quick_check").fetchone() == ("ok",)
    print_ = repr([raw.execute(sql).fetchall() for sql in _PRINT])
    raw.close()
    return copy, print_


_PRINT = (
    "SELECT external_order_id, version FROM channel_order ORDER BY 1",
    "SELECT seq, delta_on_hand, delta_reserved FROM stock_ledger ORDER BY 1",
    "SELECT kind, value, finished_walk_at FROM cursor ORDER BY 1",
    "SELECT kind, received, applied, pushed FROM tally ORDER BY 1",
    "SELECT external_id, version, done_version, state FROM outbox ORDER BY 1",
)


async def _proved(copy: Path) -> tuple[int, int]:
    """Prove what must hold on a copy; returns (orders, where the cursor stands)."""
    db = Database(f"sqlite:///{copy}")
    try:
        assert await db.read(checkup.check_merchant, "mer_1") == []
        orders = (await db.read(fetch, "SELECT count(*) FROM channel_order"))[0][0]
        cursor = await db.read(fetch, "SELECT value FROM cursor WHERE kind='order'")
        reserved = await db.read(fetch, "SELECT coalesce(sum(reserved),0) FROM stock_level")
        assert reserved == [(orders,)]
        return orders, json.loads(cursor[0][0])["at"] if cursor else 0
    finally:
        await db.close()

"""Our own pull, whole: the real connector, mapping, engine and database, with another channel listening.

Before the clock starts: a merchant with keys, a shop with 300 counted SKUs at two places, and a
till that is told about stock. Then every order page is applied with matching, reservations,
ledger, history, sealed archive and outbox.

`python -m benchmarks.ours <address> <folder> <database or -> <first> <mode>` prints one JSON line;
mode is `pull`, `small` (also walks that find nothing or little) or `profile` (costs by function to stderr).
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from benchmarks import documents
from benchmarks.measure import Span, memory_mb, reset_peak
from benchmarks.profiling import profiled
from connectors.shopify import reading
from hub import config
from hub.app import Hub, open_hub
from hub.db import Connection
from hub.db.bulk import fetch
from hub.db.connections import ConnectionInfo
from hub.log import configure
from hub.sync import connect
from hub.sync.pull import Walk, pull


class World:
    """The hub, its shop, and a clock that stands where the orders say."""

    def __init__(self, hub: Hub, shop: ConnectionInfo, address: str, clock: list[datetime]) -> None:
        self.hub, self.shop, self.address, self.clock = hub, shop, address, clock

    async def walk(self, kind: str = "order") -> Walk:
        """Pull one stream from where it stands."""
        return await pull(self.hub.engine, self.shop, kind, job_id="bench")

    async def stats(self) -> dict[str, int]:
        """Ask the shop how many orders it has and how many GraphQL calls it answered."""
        async with httpx.AsyncClient(trust_env=False) as client:
            found: dict[str, int] = (await client.get(f"{self.address}/_bench/stats")).json()
            return found


async def made(address: str, folder: Path, database: str, first: int) -> World:
    """Set the scene: everything that is there before the first order comes."""
    streams = cast("dict[str, Any]", reading.STREAMS)
    streams["order"] = replace(streams["order"], first=first)
    env = {"HUB_HTTP__ALLOW_LOOPBACK": "true"}
    if database != "-":
        env["HUB_DATABASE__URL"] = database
    configure(level="info")
    clock = [documents.OPENED]
    hub = await open_hub(config.load(folder / "hub", env), exclusive=True, now=lambda: clock[0])
    merchant = await hub.add_merchant("Benchmark", currency="CNY", timezone="Asia/Shanghai")
    form = {"shop": "bench.myshopify.com", "token": "benchmark-token", "address": address}
    shop = (await connect.register(hub.engine, merchant, "shopify", "shop", form)).info
    world = World(hub, shop, address, clock)
    for kind in ("product", "inventory"):
        await world.walk(kind)
    for name in ("in", "out"):
        (folder / "till" / name).mkdir(parents=True, exist_ok=True)
    stores = [{"code": place, "name": place} for place in documents.PLACES]
    till = {
        "path": str(folder / "till"),
        "timezone": "Asia/Shanghai",
        "currency": "CNY",
        "stores": stores,
    }
    await connect.register(hub.engine, merchant, "pos_csv", "till", till)
    return world


def _proof(conn: Connection) -> dict[str, int]:
    """Count what the pull left behind."""
    tables = ("channel_order", "order_line", "after_sale", "reservation", "stock_ledger", "history", "archive",
              "outbox", "held")  # fmt: skip
    return {table: fetch(conn, f'SELECT count(*) FROM "{table}"')[0][0] for table in tables}  # noqa: S608 - our own names


async def _small(world: World) -> dict[str, float]:
    """Measure walks that find nothing new, then one that finds 200 changed orders."""
    idle, before = [], (await world.stats())["requests"]
    commits = 0
    for _ in range(5):
        with Span() as nothing:
            commits = max(commits, (await world.walk()).commits)
        idle.append(nothing)
    asked = (await world.stats())["requests"] - before
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{world.address}/_bench/touch", json={"count": 200})
    with Span() as changed:
        done = await world.walk()
    return {
        "nothing_requests": asked / len(idle), "nothing_commits": commits,
        "nothing_ms": sorted(s.wall_s for s in idle)[2] * 1000,
        "nothing_cpu_ms": sorted(s.cpu_s for s in idle)[2] * 1000,
        "changed": done.counts["order"].applied, "changed_ms": changed.wall_s * 1000,
        "changed_cpu_ms": changed.cpu_s * 1000,
    }  # fmt: skip


async def main(address: str, folder: Path, database: str, first: int, mode: str) -> dict[str, Any]:
    """Run once."""
    world = await made(address, folder, database, first)
    orders = (await world.stats())["orders"]
    world.clock[0] = documents.FIRST + timedelta(seconds=orders * documents.STEP_S, hours=1)
    idle_mb = memory_mb()
    reset_peak()
    with profiled() if mode == "profile" else nullcontext(), Span() as span:
        walk = await world.walk()
    tally = walk.counts["order"]
    figures: dict[str, Any] = {
        "orders": tally.received, "wall_s": span.wall_s, "cpu_s": span.cpu_s, "pages": walk.pages,
        "commits": walk.commits, "peak_mb": memory_mb("VmHWM") - idle_mb, "idle_mb": idle_mb,
    }  # fmt: skip
    proof = await world.hub.db.read(_proof)
    assert tally.applied == orders and proof["held"] == 0, (tally, proof)
    assert min(proof.values()) >= 0 and proof["outbox"] and proof["stock_ledger"] > orders, proof
    figures["left"] = proof
    if mode == "small":
        figures |= await _small(world)
    await world.hub.close()
    return figures


if __name__ == "__main__":
    given = (sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5])
    print(json.dumps(asyncio.run(main(*given))))

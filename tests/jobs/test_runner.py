"""The runner: what may start, how each end is written down, and that nothing runs twice at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.db import alerts, connections, flows, leases
from hub.db.bulk import change
from hub.errors import Forbidden, HubError, Reauthorize, Retry, Throttled
from hub.jobs import Clock, Runner
from hub.jobs.due import ready
from hub.records.time import from_text, to_text
from hub.sdk import Page
from tests.sync.channels import a_product, an_order
from tests.sync.world import World


async def due_now(world: World) -> set[tuple[str, str, str]]:
    """Return what may start now: (connection, kind, verb)."""
    names = {info.id: name for name, info in world.infos.items()}
    found = await world.db.read(ready, world.clock.text)
    return {(names[run.flow.connection_id], run.flow.kind, run.verb) for run in found}


async def schedule(
    world: World, kind: str, verb: str = "pull", who: str = "shop"
) -> dict[str, Any]:
    for row in await world.db.read(flows.freshness, world.merchant_id):
        if (row["connection_id"], row["kind"], row["verb"]) == (world.infos[who].id, kind, verb):
            return row
    raise AssertionError(kind)


async def tick_to_rest(world: World, runner: Runner) -> int:
    started = 0
    while more := await runner.tick():
        started += more
        await runner.settle()
    return started


# --- what may start -------------------------------------------------------------------------------


async def test_orders_wait_for_the_first_walks_of_what_they_are_matched_against(
    world: World,
) -> None:
    pulls = {run for run in await due_now(world) if run[2] == "pull"}
    assert pulls == {("shop", "product", "pull"), ("shop", "member", "pull")}

    await world.walk("product")
    assert ("shop", "inventory", "pull") in await due_now(world)
    assert ("till", "order", "pull") not in await due_now(world)

    await world.walk("inventory")
    assert ("till", "order", "pull") in await due_now(world)
    assert ("shop", "order", "pull") not in await due_now(world)

    await world.walk("member")
    assert ("shop", "order", "pull") in await due_now(world)


async def test_a_stream_that_fails_holds_nobody_up(world: World) -> None:
    world.shop.raises["pull"] = [Retry("down")]
    assert isinstance(await world.run("shop", "product", "pull"), Retry)

    assert {("shop", "inventory", "pull"), ("till", "order", "pull")} & await due_now(world) == {
        ("shop", "inventory", "pull")
    }
    await world.walk("inventory", "member")
    assert {("shop", "order", "pull"), ("till", "order", "pull")} <= await due_now(world)


async def test_a_paused_connection_runs_nothing_and_holds_nobody_up(world: World) -> None:
    shop = world.infos["shop"].id
    await world.db.write(
        connections.set_state, world.merchant_id, shop, "needs_reauth", world.clock.text
    )

    assert await due_now(world) == {
        ("till", "order", "pull"), ("till", "inventory", "push"), ("till", "inventory", "reconcile"),
    }  # fmt: skip


async def test_longest_overdue_comes_first_and_nothing_before_its_time(world: World) -> None:
    await world.walk("product")

    assert ("shop", "product", "pull") not in await due_now(world)
    world.clock.forward(299)
    assert ("shop", "product", "pull") not in await due_now(world)
    world.clock.forward(2)
    runs = await world.db.read(ready, world.clock.text)
    assert runs[-1].flow.kind == "product"


# --- how a run ends -------------------------------------------------------------------------------


async def test_a_good_run_comes_again_in_its_interval(world: World) -> None:
    await world.walk("product")

    row = await schedule(world, "product")
    assert row["next_at"] == to_text(world.clock.at + timedelta(seconds=300))
    assert (row["failures"], row["last_error"]) == (0, None)
    assert (row["last_started_at"], row["last_finished_at"]) == (world.clock.text, world.clock.text)


async def test_a_passing_fault_backs_off_is_said_after_five_and_unsaid_once_it_works(
    world: World,
) -> None:
    waits = []
    for turn in range(1, 6):
        world.shop.raises["pull"] = [Retry("The shop is down.")]
        await world.run("shop", "product", "pull")
        row = await schedule(world, "product")
        waits.append((from_text(row["next_at"]) - world.clock.at).total_seconds())
        assert (row["failures"], row["last_error"]) == (turn, "The shop is down.")
        open_now = await world.db.read(alerts.open_alerts, world.merchant_id)
        assert len(open_now) == (1 if turn == 5 else 0)
    assert all(5 * 2**n <= wait <= 10 * 2**n for n, wait in enumerate(waits))

    await world.walk("product")

    assert await world.db.read(alerts.open_alerts, world.merchant_id) == []
    assert (await schedule(world, "product"))["failures"] == 0


async def test_a_throttled_run_comes_again_exactly_when_the_channel_says(world: World) -> None:
    world.shop.raises["pull"] = [Throttled("Slow down.", delay_s=77.5)]

    await world.run("shop", "product", "pull")

    assert (await schedule(world, "product"))["next_at"] == to_text(
        world.clock.at + timedelta(seconds=77.5)
    )
    assert await world.db.read(alerts.open_alerts, world.merchant_id) == []


async def test_refused_credentials_pause_the_connection_with_one_alert(world: World) -> None:
    await only_products(world)
    world.shop.raises["pull"] = [Reauthorize("The token was refused.", hint="Sign in again.")] * 9
    runner = Runner(world.engine)
    for _ in range(5):
        await tick_to_rest(world, runner)
        world.clock.forward(1000)

    info = await world.db.read(connections.one, world.merchant_id, world.infos["shop"].id)
    open_now = await world.db.read(alerts.open_alerts, world.merchant_id)
    assert info is not None
    assert info.state == "needs_reauth"
    assert [(a["cause"], a["message"], a["hint"]) for a in open_now] == [
        ("Reauthorize", "The token was refused.", "Sign in again.")
    ]
    assert world.shop.calls == [("pull", "product")]


async def test_refused_credentials_are_one_alert_however_many_flows_meet_them(
    world: World,
) -> None:
    world.shop.raises["pull"] = [Reauthorize("The token was refused.")] * 9
    for kind in ("product", "member"):
        await world.run("shop", kind, "pull")

    assert len(await world.db.read(alerts.open_alerts, world.merchant_id)) == 1


async def test_signing_in_again_lets_a_paused_connection_go_on(world: World) -> None:
    world.shop.raises["pull"] = [Reauthorize("The token was refused.")]
    await world.run("shop", "product", "pull")
    world.shop.raises["pull"] = []

    again = await world.join("shop")
    await world.run("shop", "product", "pull")

    assert again.id == (await world.db.read(connections.listing, world.merchant_id))[0].id
    assert again.state == "active"
    assert await world.db.read(alerts.open_alerts, world.merchant_id) == []
    assert len(await world.db.read(connections.listing, world.merchant_id)) == 2


async def test_a_missing_permission_switches_one_ability_off_and_asks_again_in_a_day(
    world: World,
) -> None:
    world.shop.raises["pull"] = [Forbidden("Not granted.", permission="read_products")]
    await world.run("shop", "product", "pull")

    row = await schedule(world, "product")
    assert (row["off_reason"], row["next_at"]) == (
        "read_products",
        to_text(world.clock.at + timedelta(days=1)),
    )
    [alert] = await world.db.read(alerts.open_alerts, world.merchant_id)
    assert alert["cause"] == "Forbidden"
    await world.walk("inventory", "member")
    assert ("shop", "order", "pull") in await due_now(world), "the other abilities go on"

    world.clock.forward(86_401)
    assert ("shop", "product", "pull") in await due_now(world)
    await world.walk("product")
    assert (await schedule(world, "product"))["off_reason"] is None
    assert await world.db.read(alerts.open_alerts, world.merchant_id) == []


async def test_a_bug_is_a_failed_run_that_shows_no_value(world: World) -> None:
    world.shop.raises["pull"] = [ZeroDivisionError("canary")]  # type: ignore[list-item] # a bug is no HubError

    failure = await world.run("shop", "product", "pull")

    row = await schedule(world, "product")
    assert type(failure) is HubError
    assert row["failures"] == 1
    assert row["last_error"] == "Unexpected ZeroDivisionError in the hub itself."


# --- never twice at once --------------------------------------------------------------------------


class Gate:
    """Holds every pull of a shop until it is opened, and counts how many stand in it together."""

    def __init__(self, world: World) -> None:
        self.open, self.stood_in = asyncio.Event(), asyncio.Event()
        self.inside = self.most = self.entered = 0
        connector: Any = world.engine.connectors["shop"]
        whole: Callable[..., AsyncIterator[Page]] = connector.pull

        async def pull(this: Any, kind: Any, cursor: Any) -> AsyncIterator[Page]:
            self.inside, self.entered = self.inside + 1, self.entered + 1
            self.most = max(self.most, self.inside)
            self.stood_in.set()
            try:
                await self.open.wait()
                async for page in whole(this, kind, cursor):
                    yield page
            finally:
                self.inside -= 1

        connector.pull = pull


async def only_products(world: World) -> None:
    await world.db.write(change, "UPDATE schedule SET is_on=? WHERE kind<>'product'", (False,))


async def test_one_flow_never_runs_twice_at_once(world: World) -> None:
    await only_products(world)
    gate, runner = Gate(world), Runner(world.engine)

    started = [await runner.tick() for _ in range(4)]
    await asyncio.sleep(0.05)
    gate.open.set()
    await runner.settle()

    assert started == [1, 0, 0, 0]
    assert (gate.most, gate.entered, runner.stats.runs) == (1, 1, 1)


async def test_two_processes_on_one_database_run_a_flow_once(world: World) -> None:
    """On SQLite the file has one process; on PostgreSQL the lease decides."""
    if world.db.is_sqlite:
        assert (
            await world.db.write(
                leases.take, "m", "n", "a", now=world.clock.text, until=world.clock.text
            )
            == 1
        )
        return
    await only_products(world)
    gate = Gate(world)
    runners = [Runner(world.engine), Runner(world.engine)]

    assert [await runner.tick() for runner in runners] == [1, 1]
    await gate.stood_in.wait()
    await asyncio.sleep(0.1)
    gate.open.set()
    for runner in runners:
        await runner.settle()

    assert (gate.most, gate.entered) == (1, 1)
    assert sorted(runner.stats.runs for runner in runners) == [0, 1]


async def test_no_more_flows_run_together_than_allowed(world: World) -> None:
    await world.walk("product", "inventory", "member", "order")
    world.clock.forward(400)
    gate, runner = Gate(world), Runner(world.engine, max_flows=2)

    await runner.tick()
    await asyncio.sleep(0.1)
    held_inside = gate.inside
    gate.open.set()
    await runner.settle()
    await tick_to_rest(world, runner)

    assert held_inside <= 2
    assert gate.most <= 2
    assert {
        (await schedule(world, kind))["failures"] for kind in ("product", "inventory", "order")
    } == {0}


# --- the end --------------------------------------------------------------------------------------


async def test_stopping_lets_what_runs_end_and_starts_nothing_more(world: World) -> None:
    await only_products(world)
    world.shop.show("product", a_product(1))
    gate, runner = Gate(world), Runner(world.engine)
    await runner.tick()
    await gate.stood_in.wait()

    stopping = asyncio.create_task(runner.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    gate.open.set()
    await stopping

    assert runner.is_idle
    assert await runner.tick() == 0
    assert await world.rows("SELECT title FROM product") == [("Thing 1",)]
    assert (await schedule(world, "product"))["last_finished_at"] is not None


async def test_what_does_not_end_is_cancelled_and_leaves_no_half_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await only_products(world)
    world.shop.show("product", a_product(1))
    gate, runner = Gate(world), Runner(world.engine)
    # The grace is twenty seconds of real time; here it is none.
    monkeypatch.setattr("hub.jobs.runner.GRACE_S", 0.05)
    await runner.tick()
    await gate.stood_in.wait()

    await runner.stop()

    assert (runner.is_idle, gate.inside) == (True, 0)
    assert await world.rows("SELECT title FROM product") == []
    gate.open.set()
    await world.walk("product")
    assert await world.rows("SELECT title FROM product") == [("Thing 1",)]


async def test_the_clock_wakes_the_runner_until_it_is_stopped(world: World) -> None:
    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 10)
    world.shop.show("order", an_order("O1", placed=world.clock.text))
    engine = replace(world.engine, now=world.clock)
    clock = Clock(Runner(engine), tick_s=0.05)

    clock.start()
    for _ in range(200):
        await asyncio.sleep(0.05)
        if await world.rows("SELECT id FROM channel_order"):
            break
    await clock.stop()

    assert clock.runner.is_idle
    assert len(await world.rows("SELECT id FROM channel_order")) == 1
    assert await world.problems() == []

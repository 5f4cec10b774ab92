"""INV-3, FLT-03, FLT-04: killed at any point, started again, the end is as if nothing had happened.

SQLite's own method: side effects are counted from outside, the scenario runs with "die at the n-th"
for n = 1, 2, … until one run ends unharmed, so that every crash point is covered and none is listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from hub.db import Database
from tests.sync.channels import (
    MAIN,
    START,
    a_case,
    a_line,
    a_product,
    a_receipt,
    an_order,
)
from tests.sync.world import World, a_world, again, picture

WRITES = {"INSERT", "UPDATE", "DELETE"}
AT = ("S1-1", MAIN)


class Killed(BaseException):
    """The process is gone: nothing below may catch this."""


class Fuse:
    """Burns one step per side effect and kills at the n-th; 0 never kills."""

    def __init__(self) -> None:
        self.left, self.burnt = 0, 0

    def burn(self, _name: str = "") -> None:
        self.burnt += 1
        self.left -= 1
        if self.left == 0:
            raise Killed


FUSE = Fuse()


class Fragile(Database):
    """A database that may die before its first write, before its commit, and after it."""

    def _write(self, durable: bool, fn: Any, *args: Any, **kwargs: Any) -> Any:
        done = super()._write(durable, fn, *args, **kwargs)
        FUSE.burn("after commit")
        return done


@contextmanager
def fused(db: Database, nth: int) -> Iterator[None]:
    """Let the n-th side effect from here be the last."""
    first: set[int] = set()

    def executing(conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip()[:6].upper() in WRITES and id(conn) not in first:
            first.add(id(conn))
            conn.info["wrote"] = True
            FUSE.burn("before the first write")

    def committing(conn: Any) -> None:
        first.discard(id(conn))
        if conn.info.pop("wrote", False):
            FUSE.burn("before commit")

    event.listen(db.engine, "before_cursor_execute", executing)
    event.listen(db.engine, "commit", committing)
    FUSE.left, FUSE.burnt = nth, 0
    try:
        yield
    finally:
        FUSE.left = 0
        event.remove(db.engine, "before_cursor_execute", executing)
        event.remove(db.engine, "commit", committing)


def trade(world: World) -> None:
    """What the channels did while the hub was not looking: more than one page of everything."""
    world.shop.page = world.till.page = 2
    world.shop.show("product", a_product(1))
    world.shop.show("product", a_product(2))
    world.shop.put("S1-1", 10)
    world.shop.put("S9-9", 1)
    world.shop.put("S2-1", 5)


def more_trade(world: World) -> None:
    """Orders, a return, a void, a bad one, after the first count."""
    at = world.clock.text
    world.shop.show("order", an_order("O1", a_line(n=2, sent=2), placed=at, shipped=at))
    world.shop.show("order", an_order("O2", a_line(n=1), placed=at))
    world.shop.show("order", an_order("O3", placed=at) | {"total": "ten"})
    world.clock.forward(60)
    now = world.clock.text
    case = a_case("R1", "O1", n=1, done=now)
    world.shop.show(
        "order", an_order("O1", a_line(n=2, sent=2), placed=at, shipped=at, refunds=[case])
    )
    world.till.show("order", a_receipt("T1", n=1, sold=at))
    world.till.show("order", a_receipt("T2", n=3, sold=at))
    world.till.show("order", a_receipt("T1", n=1, sold=at, voided=now))
    world.shop.stock[AT] -= 3
    world.shop.show("inventory", world.shop.figure(*AT))


TRADE = 3
STEPS = (
    ("shop", "product", "pull"), ("shop", "inventory", "pull"), ("shop", "order", "pull"),
    ("shop", "inventory", "pull"), ("shop", "order", "pull"), ("till", "order", "pull"),
    ("shop", "inventory", "push"), ("till", "inventory", "push"),
    ("shop", "order", "pull"), ("shop", "inventory", "push"),
)  # fmt: skip
"""One after the other, minutes apart; after the first three the channels trade."""


async def run(world: World, start: int, reached: list[int]) -> None:
    """Go through the steps, each at its own hour; a step that is done again is a minute late."""
    for number, (who, kind, verb) in enumerate(STEPS[start:], start):
        late = 1 if number == reached[0] > 0 else 0
        reached[0] = number
        if number == TRADE and not world.till.feed["order"]:
            world.clock.at = START + timedelta(minutes=10 * number - 5)
            more_trade(world)
        world.clock.at = START + timedelta(minutes=10 * number + late)
        failure = await world.run(who, kind, verb)
        assert failure is None, failure


async def lived(url: str, nth: int) -> tuple[dict[str, Any], tuple[int, int], int]:
    """Live through the steps with a death at the n-th side effect; returns the end and its figures."""
    async with a_world(url, kind=Fragile) as world:
        trade(world)
        world.shop.operation = world.till.operation = FUSE.burn
        reached = [0]
        try:
            with fused(world.db, nth):
                await run(world, 0, reached)
            died = False
        except Killed:
            died = True
        burnt = FUSE.burnt
        if died:
            await world.db.close()
            async with again(world) as fresh:
                await run(fresh, reached[0], reached)
                return await ending(fresh), figures(fresh), burnt
        return await ending(world), figures(world), 0


def figures(world: World) -> tuple[int, int]:
    return world.shop.stock[AT], world.till.stock["SKU-1-1", MAIN]


async def ending(world: World) -> dict[str, Any]:
    """Return everything that must not depend on a crash; counts of what was told twice may grow."""
    assert await world.problems() == []
    end = await picture(world, exact=True)
    end["tally"] = [
        (name, kind, applied, held) for name, kind, _r, applied, _d, held, _x in end["tally"]
    ]
    return end


async def test_killed_at_any_side_effect_it_ends_as_if_nothing_had_happened(kept_url: str) -> None:
    undisturbed, shown, _ = await lived(kept_url, 0)
    assert shown == (5, 5)
    assert undisturbed["stock"] == [("SKU-1-1", "Main", 6, 1, 0), ("SKU-2-1", "Main", 5, 0, 0)]

    # SQLite dies at every one; PostgreSQL, where a life takes three times as long, at every third.
    stride = 1 if kept_url.startswith("sqlite") else 3
    nth, points = 1, 0
    while True:
        end, figures_shown, burnt = await lived(kept_url, nth)
        assert end == undisturbed, f"killed at side effect {nth}"
        assert figures_shown == shown, f"killed at side effect {nth}"
        if not burnt:
            break
        nth, points = nth + stride, points + 1

    assert points * stride > 40

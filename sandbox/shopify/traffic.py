"""The buyers and the staff: a seeded script of acts, one after the other.

Act *n* draws from its own generator, so a simulator that was killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from sandbox.shopify import basket, orders, reckon, seed
from sandbox.shopify.store import Row
from sandbox.shopify.world import World

Step = Callable[[World, random.Random], bool]


def plan(world: World, acts: int) -> None:
    """Plan this many acts, unless a plan is under way."""
    if "traffic" not in world.store.meta:
        world.store.meta["traffic"] = {"planned": acts, "done": 0}
        world.commit()


def progress(world: World) -> dict[str, int | bool]:
    """Return how far the script is."""
    state = world.store.meta.get("traffic", {"planned": 0, "done": 0})
    return {**state, "finished": state["done"] >= state["planned"]}


def step(world: World) -> str | None:
    """Do the next act of the script; return its name, None when the script is over."""
    state = world.store.meta.get("traffic", {"planned": 0, "done": 0})
    if state["done"] >= state["planned"]:
        return None
    rng = random.Random(f"{world.settings.seed}:act:{state['done']}")  # noqa: S311 - a script
    name = _one(world, rng)
    world.store.meta["traffic"] = {**state, "done": state["done"] + 1}
    world.commit()
    return name


def open_doors(world: World) -> None:
    """Let the buyers in; whoever counts the shelves first opens afterwards."""
    world.store.meta["open"] = True
    world.commit()


async def play(world: World) -> None:
    """Play the script in real time, once the doors are open."""
    pause = 1 / max(world.settings.rate, 0.001)
    while not world.store.meta.get("open"):  # noqa: ASYNC110 - the door is a row in the store
        await asyncio.sleep(0.05)
    while step(world) is not None:  # noqa: ASYNC110 - a script in real time waits for no event
        await asyncio.sleep(pause)


def _one(world: World, rng: random.Random) -> str:
    """Do one act; one that finds nothing to act on becomes a purchase, or a sign-up."""
    names = list(_ACTS)
    name = rng.choices(names, [_ACTS[n][1] for n in names])[0]
    if _ACTS[name][0](world, rng):
        return name
    if name != "buy" and _buy(world, rng):
        return "buy"
    return "sign_up" if _sign_up(world, rng) else "idle"


def _buy(world: World, rng: random.Random) -> bool:
    wish = basket.drawn(world, rng)
    if not wish.wants:
        return False
    orders.place(world, wish)
    return True


def _some(world: World, rng: random.Random, fits: Callable[[Row], bool]) -> Row | None:
    found = [row for row in world.rows("order").values() if "bad" not in row and fits(row)]
    return rng.choice(found) if found else None


def _pay(world: World, rng: random.Random) -> bool:
    states = ("PENDING", "AUTHORIZED")
    order = _some(world, rng, lambda o: not o["cancelled"] and reckon.financial_status(o) in states)
    if order is not None:
        orders.pay(world, order)
    return order is not None


def _cancel(world: World, rng: random.Random) -> bool:
    order = _some(world, rng, lambda o: not o["cancelled"] and not o["fulfillments"])
    if order is not None:
        reason = rng.choice(("CUSTOMER", "OTHER", "FRAUD"))
        orders.cancel(world, order, orders.Cancellation(reason))
    return order is not None


def _fulfil(world: World, rng: random.Random) -> bool:
    def ready(order: Row) -> bool:
        paid = reckon.financial_status(order) in ("PAID", "PARTIALLY_REFUNDED")
        return paid and any(line["remaining"] for fo in order["fos"] for line in fo["lines"])

    order = _some(world, rng, ready)
    if order is None:
        return False
    fo = next(fo for fo in order["fos"] if any(line["remaining"] for line in fo["lines"]))
    parts = [(fo, line, line["remaining"]) for line in fo["lines"] if line["remaining"]]
    if basket.likely(rng, 0.3):
        parts = [(fo, parts[0][1], rng.randint(1, parts[0][2]))]
    orders.fulfil(world, order, parts, [basket.parcel(rng)])
    return True


def _refund(world: World, rng: random.Random) -> bool:
    order = _some(
        world, rng, lambda o: any(line["fulfilled"] > line["returned"] for line in o["lines"])
    )
    return order is not None and basket.send_back(world, rng, order) is not None


def _sign_up(world: World, rng: random.Random) -> bool:
    seed.new_customer(world, rng, len(world.rows("customer")))
    return True


def _edit_customer(world: World, rng: random.Random) -> bool:
    rows = list(world.rows("customer").values())
    if not rows:
        return False
    row = rng.choice(rows)
    at = world.stamp()
    if row["email"]:
        state = rng.choice(("SUBSCRIBED", "UNSUBSCRIBED"))
        row["email_consent"] = {"state": state, "level": "SINGLE_OPT_IN", "at": at}
    else:
        row["note"] = f"回访 {rng.randint(1, 999)}"
    row["updated"] = at
    world.store.put("customer", row)
    return True


def _edit_product(world: World, rng: random.Random) -> bool:
    row = rng.choice(list(world.rows("product").values()))
    at = world.stamp()
    row["updated"] = at
    if basket.likely(rng, 0.6):
        variant = rng.choice(row["variants"])
        variant["price"] = max(100, variant["price"] + rng.choice((-500, 500, 1000)))
        variant["updated"] = at
    else:
        row["tags"] = sorted({*row["tags"], f"season-{rng.randint(1, 4)}"})
    world.store.put("product", row)
    return True


_ACTS: dict[str, tuple[Step, int]] = {
    "buy": (_buy, 55),
    "pay": (_pay, 9),
    "fulfil": (_fulfil, 14),
    "cancel": (_cancel, 5),
    "refund": (_refund, 6),
    "sign_up": (_sign_up, 4),
    "edit_customer": (_edit_customer, 4),
    "edit_product": (_edit_product, 3),
}

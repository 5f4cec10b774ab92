"""What buyers put in their baskets; they only buy what the shop shows as available."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sandbox.shopify import orders, reckon
from sandbox.shopify.orders import Back, Basket, Goods, Want
from sandbox.shopify.store import Row
from sandbox.shopify.world import World

CODE = ("WELCOME10", 10.0)
MEMBER_DAY = ("会员日 Member Day", 500)
FREE_SHIPPING = "SHIPFREE"
SHIPPING = 1000
_FEW = 4


def likely(rng: random.Random, chance: float) -> bool:
    """Draw whether something of this chance happens."""
    return rng.random() < chance


def drawn(world: World, rng: random.Random, *, history: bool = False) -> Basket:
    """Draw a basket; it may be empty when everything is sold out."""
    wants = _wants(world, rng, history=history)
    kind = rng.choices(("none", "code", "both", "automatic", "ship"), (59, 15, 10, 10, 6))[0]
    if wants and likely(rng, 0.04):
        wants.append(Want(quantity=1, title="小费 Tip", price=800, tip=True))
    customer = someone(world, rng)
    row = world.rows("customer").get(customer or 0)
    return Basket(
        wants=wants,
        customer=customer,
        code=CODE if kind in ("code", "both") else None,
        automatic=MEMBER_DAY if kind in ("automatic", "both") else None,
        free_shipping=FREE_SHIPPING if kind == "ship" else None,
        shipping=SHIPPING if likely(rng, 0.7) else 0,
        taxes_included=likely(rng, 0.8),
        pay=rng.choices(("paid", "pending", "authorized"), (75, 15, 10))[0],
        note="请尽快发货" if likely(rng, 0.1) else None,
        tags=("vip",) if likely(rng, 0.1) else (),
        address=row["address"] if row else None,
    )


def someone(world: World, rng: random.Random) -> int | None:
    """Return a customer, None for a guest."""
    keys = list(world.rows("customer"))
    return rng.choice(keys) if keys and likely(rng, 0.9) else None


def _wants(world: World, rng: random.Random, *, history: bool) -> list[Want]:
    """Draw one to four lines; scarce goods draw buyers, so that sell-outs happen."""
    levels = [
        row
        for row in world.rows("level").values()
        if row["available"] > 0
        and row["active"]
        and world.item_rows[row["item"]][0]["status"] == "ACTIVE"
    ]
    wants: list[Want] = []
    taken: set[int] = set()
    for _ in range(rng.choices((1, 2, 3, 4), (50, 28, 15, 7))[0]):
        choice = [row for row in levels if row["item"] not in taken]
        if not choice:
            break
        weights = [3 if row["available"] <= _FEW and not history else 1 for row in choice]
        row = rng.choices(choice, weights)[0]
        taken.add(row["item"])
        units = min(row["available"], rng.choices((1, 2, 3), (75, 18, 7))[0])
        variant = world.item_rows[row["item"]][1]
        wants.append(Want(quantity=units, variant=variant["id"], location=row["location"]))
    return wants


def parcel(rng: random.Random) -> Row:
    """Return the tracking of a parcel."""
    number = f"SF{rng.randint(10**11, 10**12 - 1)}"
    return {"company": "SF Express", "number": number, "url": f"https://example.test/t/{number}"}


def send_back(world: World, rng: random.Random, order: Row) -> Row | None:
    """Refund one shipped line, with or without the goods going back on sale."""
    lines = [
        line
        for line in order["lines"]
        if line["item"] and line["fulfilled"] - line["returned"] > 0 and reckon.current(line) > 0
    ]
    if not lines:
        return None
    line = rng.choice(lines)
    units = rng.randint(1, min(line["fulfilled"] - line["returned"], reckon.current(line)))
    kind = "RETURN" if likely(rng, 0.7) else "NO_RESTOCK"
    if kind == "NO_RESTOCK" and reckon.open_units(line):
        kind = "RETURN"
    return refund_goods(world, order, [Goods(line, units, kind, line["location"])])


def refund_goods(world: World, order: Row, goods: Sequence[Goods]) -> Row:
    """Refund goods with what they are worth, as far as money came in."""
    worth = 0
    for one in goods:
        worth += reckon.part(one.line, reckon.net(one.line), one.units)
        if not order["taxes_included"]:
            worth += reckon.part(one.line, reckon.tax(one.line), one.units)
    money = []
    for row, left in reckon.refundable(order):
        if worth > 0:
            money.append((row, min(worth, left)))
            worth -= money[-1][1]
    return orders.refund(world, order, Back(goods, money=money, note="退货 return"))

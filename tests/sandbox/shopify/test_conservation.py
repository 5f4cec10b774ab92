"""The laws of stock hold after any acts of buyers, staff and hub."""

import random
from collections import Counter

import pytest

from sandbox.shopify import app, stock, traffic


def world_after(seed, steps):
    """Let the script and a hub that sets stock take turns."""
    shop = app(seed=seed, orders=12, bad=2, traffic=steps)
    world = shop.world
    rng = random.Random(seed)  # noqa: S311 - a script
    acts = Counter()
    while (name := traffic.step(world)) is not None:
        acts[name] += 1
        if rng.random() < 0.2:
            row = rng.choice(list(world.rows("level").values()))
            stock.adjust(world, row, rng.randint(0, 5) - row["available"])
            world.commit()
    return world, acts


@pytest.mark.parametrize("seed", range(8))
def test_stock_is_conserved(seed):
    world, acts = world_after(seed, 250)

    assert sum(acts.values()) == 250
    assert acts["buy"] > 80
    for row in world.rows("level").values():
        assert stock.broken_laws(row) == []
        assert row["available"] >= 0
        assert "oversold" not in row


@pytest.mark.parametrize("seed", range(3))
def test_what_is_committed_is_what_open_orders_want(seed):
    world, _ = world_after(seed, 200)
    wanted = Counter()
    for order in world.rows("order").values():
        for fo in order["fos"]:
            lines = {line["id"]: line for line in order["lines"]}
            for part in fo["lines"]:
                wanted[lines[part["line"]]["item"], fo["location"]] += part["remaining"]
    for row in world.rows("level").values():
        assert row["committed"] == wanted[row["item"], row["location"]]


def test_some_goods_sell_out():
    world, _ = world_after(1, 300)
    assert sum(1 for row in world.rows("level").values() if row["available"] == 0) >= 3


def test_the_same_seed_is_the_same_shop():
    def story(seed):
        shop = app(seed=seed, orders=10, traffic=60, now=lambda: 1_790_000_000.0)
        names = []
        while (name := traffic.step(shop.world)) is not None:
            names.append(name)
        return names, shop.world.store.rows

    assert story(5) == story(5)
    assert story(5) != story(6)

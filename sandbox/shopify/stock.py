"""Stock of an item at a location, and the laws it obeys (fact sheet, section 8.2).

Every movement is one of these functions, and each also counts what it moved, so that the
conservation law can be checked at any moment::

    available = opening + adjusted - sold + released + returned
    committed = sold - released - shipped - dropped
    on_hand   = available + committed + reserved + damaged + safety_stock + quality_control
"""

from __future__ import annotations

from sandbox.shopify.store import Row
from sandbox.shopify.world import World

HELD = ("reserved", "damaged", "safety_stock", "quality_control")
NAMES = ("available", "committed", "incoming", "on_hand", *HELD)


def new_level(world: World, item: int, location: int, available: int = 0) -> Row:
    """Stock an item at a location."""
    at = world.stamp()
    row: Row = {"id": world.store.new_id(), "item": item, "location": location, "active": True}
    row |= dict.fromkeys(NAMES, 0) | {"available": available}
    del row["on_hand"]
    row |= {"created": at, "updated": at, "opening": available}
    row |= dict.fromkeys(("adjusted", "sold", "released", "returned", "shipped", "dropped"), 0)
    world.level_ids[item, location] = row["id"]
    return world.store.put("level", row)


def on_hand(row: Row) -> int:
    """Return what lies on the shelf."""
    return int(row["available"] + row["committed"] + sum(row[name] for name in HELD))


def quantity(row: Row, name: str) -> int:
    """Return one of the named quantities."""
    return on_hand(row) if name == "on_hand" else int(row[name])


def adjust(world: World, row: Row, delta: int) -> None:
    """Change ``available`` (and ``on_hand`` with it) by a count, a delivery, the hub."""
    row["available"] += delta
    row["adjusted"] += delta
    _touch(world, row)


def hold(world: World, row: Row, name: str, delta: int) -> None:
    """Change one of the held states or ``incoming``."""
    row[name] += delta
    _touch(world, row)


def sell(world: World, row: Row, units: int) -> None:
    """Commit units to an order; remember when nothing was there to sell."""
    row["available"] -= units
    row["committed"] += units
    row["sold"] += units
    if row["available"] < 0:
        row["oversold"] = row.get("oversold", 0) + min(units, -row["available"])
    _touch(world, row)


def release(world: World, row: Row, units: int) -> None:
    """Give back units that an order no longer wants."""
    row["available"] += units
    row["committed"] -= units
    row["released"] += units
    _touch(world, row)


def drop(world: World, row: Row, units: int) -> None:
    """Cancel units without putting them back on sale."""
    row["committed"] -= units
    row["dropped"] += units
    _touch(world, row)


def ship(world: World, row: Row, units: int) -> None:
    """Let units leave the building."""
    row["committed"] -= units
    row["shipped"] += units
    _touch(world, row)


def take_back(world: World, row: Row, units: int) -> None:
    """Put returned units back on sale."""
    row["available"] += units
    row["returned"] += units
    _touch(world, row)


def _touch(world: World, row: Row) -> None:
    row["updated"] = world.stamp()
    world.store.put("level", row)


def broken_laws(row: Row) -> list[str]:
    """Return the laws a level breaks; empty means sound."""
    laws = {
        "available": row["opening"]
        + row["adjusted"]
        - row["sold"]
        + row["released"]
        + row["returned"],
        "committed": row["sold"] - row["released"] - row["shipped"] - row["dropped"],
    }
    broken = [
        f"{name} is {row[name]}, not {want}" for name, want in laws.items() if row[name] != want
    ]
    return broken + [f"{name} is negative" for name in ("committed", *HELD) if row[name] < 0]

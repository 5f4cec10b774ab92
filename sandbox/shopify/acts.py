"""Things a test or a demo can make happen in the shop: ``POST /_sandbox/act``.

The body names the act and its particulars, for example ``{"act": "place_order", "lines":
[{"sku": "MUG-RED", "quantity": 2}]}``. An order is named by its name or global id, a place by its
name or global id. What cannot be done is refused with a sentence and changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sandbox.shopify import basket, orders, reckon, seed, stock, traffic
from sandbox.shopify.faults import NAMES, Dial, UnknownFault, chances
from sandbox.shopify.money import MICROS, gid
from sandbox.shopify.store import Row
from sandbox.shopify.world import World

Given = dict[str, Any]


class Impossible(Exception):  # noqa: N818 - read as an instruction
    """The act cannot be done; the text says why."""


def act(world: World, dial: Dial, given: Given) -> Given:
    """Do one act and make it durable."""
    name = given.get("act")
    if name == "faults":
        return _faults(dial, given)
    if name == "quiet":
        dial.quiet()
        return {"quiet": True}
    if name not in _ACTS:
        known = ", ".join(sorted([*_ACTS, "faults", "quiet"]))
        raise Impossible(f"unknown act {name!r}: use {known}")
    try:
        answer = _ACTS[name](world, given)
    except KeyError as missing:
        raise Impossible(f"{name}: {missing.args[0]!r} is missing") from None
    world.commit()
    return answer


def _faults(dial: Dial, given: Given) -> Given:
    coming = [str(name) for name in given.get("next", [])]
    wrong = [name for name in coming if name not in NAMES]
    if wrong:
        raise UnknownFault(f"{wrong[0]!r}: use one of {', '.join(NAMES)}")
    if "spec" in given:
        dial.chances = chances(given["spec"])
    dial.next += coming
    return {"faults": dial.chances, "next": dial.next}


def _order(world: World, given: Given) -> Row:
    wanted = given["order"]
    for row in world.rows("order").values():
        if wanted in (row["name"], gid("Order", row["id"]), row["id"]):
            return row
    raise Impossible(f"no order {wanted!r}")


def _variant(world: World, sku: str) -> tuple[Row, Row]:
    for product, variant in world.variant_rows.values():
        if variant["sku"] == sku:
            return product, variant
    raise Impossible(f"no SKU {sku!r}")


def _place(world: World, given: Given, item: int, units: int = 0) -> int:
    wanted = given.get("location")
    rows = world.rows("location").values()
    for row in rows:
        if wanted in (row["name"], gid("Location", row["id"]), row["id"]):
            return int(row["id"])
    if wanted is not None:
        raise Impossible(f"no location {wanted!r}")
    levels = [level for row in rows if (level := world.level(item, row["id"])) is not None]
    if not levels:
        raise Impossible("stocked nowhere")
    best = max(levels, key=lambda level: (level["available"] >= units, level["available"]))
    return int(best["location"])


def _place_order(world: World, given: Given) -> Given:
    wants = []
    for line in given["lines"]:
        if "sku" not in line:
            wants.append(orders.Want(quantity=line["quantity"], price=line.get("price", 0)))
            continue
        variant = _variant(world, line["sku"])[1]
        place = _place(world, line, variant["item"], line["quantity"])
        level = world.level(variant["item"], place)
        have = level["available"] if level else 0
        if have < line["quantity"] and not given.get("force"):
            raise Impossible(f"only {have} of {line['sku']} available")
        wants.append(orders.Want(line["quantity"], variant["id"], place))
    code, automatic = given.get("code"), given.get("automatic")
    order = orders.place(
        world,
        orders.Basket(
            wants=wants,
            customer=_customer_key(world, given["customer"]) if given.get("customer") else None,
            code=(code, float(given.get("percent", 10))) if code else None,
            automatic=(automatic, int(given.get("off", 500))) if automatic else None,
            shipping=given.get("shipping", 0),
            taxes_included=given.get("taxes_included", True),
            pay=given.get("pay", "paid"),
            note=given.get("note"),
            tags=given.get("tags", ()),
        ),
    )
    return _told(order)


def _told(order: Row) -> Given:
    return {"order": gid("Order", order["id"]), "name": order["name"], "total": reckon.total(order)}


def _pay(world: World, given: Given) -> Given:
    order = _order(world, given)
    orders.pay(world, order)
    return _told(order)


def _cancel(world: World, given: Given) -> Given:
    order = _order(world, given)
    if order["cancelled"] or order["fulfillments"]:
        raise Impossible(f"{order['name']} is cancelled or shipped")
    wish = orders.Cancellation(
        given.get("reason", "CUSTOMER"), given.get("restock", True), given.get("refund", True)
    )
    orders.cancel(world, order, wish)
    return _told(order)


def _fulfil(world: World, given: Given) -> Given:
    order = _order(world, given)
    units = {line["sku"]: line["quantity"] for line in given.get("lines", ())}
    skus = {line["id"]: line["sku"] for line in order["lines"]}
    for fo in order["fos"]:
        parts = []
        for line in fo["lines"]:
            most = line["remaining"]
            count = min(most, units.get(skus[line["line"]], 0)) if units else most
            if count:
                parts.append((fo, line, count))
        if parts:
            number = given.get("number", "SF1234567890")
            tracking = {"company": given.get("company", "SF Express"), "number": number}
            orders.fulfil(world, order, parts, [tracking | {"url": None}])
    return _told(order)


def _refund(world: World, given: Given) -> Given:
    order = _order(world, given)
    lines = []
    for wish in given["lines"]:
        line = next((one for one in order["lines"] if one["sku"] == wish["sku"]), None)
        if line is None or not 0 < wish["quantity"] <= reckon.current(line):
            raise Impossible(f"{order['name']} has no {wish['quantity']} of {wish['sku']}")
        kind = wish.get("restock", "RETURN" if line["fulfilled"] else "CANCEL")
        lines.append(orders.Goods(line, wish["quantity"], kind, line["location"]))
    basket.refund_goods(world, order, lines)
    return _told(order)


def _edit_product(world: World, given: Given) -> Given:
    product, variant = _variant(world, given["sku"])
    at = world.stamp()
    for name in ("title", "status", "vendor", "tags"):
        if name in given:
            product[name] = given[name]
    for name, own in (("price", "price"), ("barcode", "barcode"), ("new_sku", "sku")):
        if name in given:
            variant[own] = given[name]
            variant["updated"] = variant["item_updated"] = at
    product["updated"] = at
    world.store.put("product", product)
    return {"product": gid("Product", product["id"])}


def _adjust_stock(world: World, given: Given) -> Given:
    item = _variant(world, given["sku"])[1]["item"]
    place = _place(world, given, item)
    level = world.level(item, place) or stock.new_level(world, item, place)
    delta = given["available"] - level["available"] if "available" in given else given["delta"]
    stock.adjust(world, level, delta)
    return {"available": level["available"], "on_hand": stock.on_hand(level)}


def _customer_key(world: World, wanted: str | int) -> int:
    for key in world.rows("customer"):
        if wanted in (key, gid("Customer", key)):
            return key
    raise Impossible(f"no customer {wanted!r}")


def _edit_customer(world: World, given: Given) -> Given:
    key = _customer_key(world, given["customer"])
    row = world.rows("customer")[key]
    at = world.stamp()
    for name in ("first", "last", "email", "phone", "note", "tags"):
        if name in given:
            row[name] = given[name]
    for name in ("email_consent", "sms_consent"):
        if name in given:
            row[name] = {"state": given[name], "level": "SINGLE_OPT_IN", "at": at}
    row["updated"] = at
    world.store.put("customer", row)
    return {"customer": gid("Customer", key)}


def _new_customer(world: World, _given: Given) -> Given:
    rng = random.Random(f"{world.settings.seed}:{len(world.rows('customer'))}")  # noqa: S311 - a script
    row = seed.new_customer(world, rng, len(world.rows("customer")))
    return {"customer": gid("Customer", row["id"])}


def _clock(world: World, given: Given) -> Given:
    """Freeze the clock (``at``, epoch seconds; null lets it run) or move it (``move`` seconds)."""
    if "at" in given:
        world.store.meta["frozen_at"] = given["at"]
    world.store.meta["clock_s"] = world.store.meta.get("clock_s", 0.0) + given.get("move", 0)
    return {"now": int(world.now() * MICROS) / MICROS}


def _traffic(world: World, given: Given) -> Given:
    """Play ``steps`` acts of the buyers' script at once, planning them if need be."""
    state = world.store.meta.setdefault("traffic", {"planned": 0, "done": 0})
    state["planned"] = max(state["planned"], state["done"] + given["steps"])
    return {"acts": [traffic.step(world) for _ in range(given["steps"])]}


_ACTS: dict[str, Callable[[World, Given], Given]] = {
    "place_order": _place_order,
    "pay": _pay,
    "cancel": _cancel,
    "fulfil": _fulfil,
    "refund": _refund,
    "edit_product": _edit_product,
    "adjust_stock": _adjust_stock,
    "edit_customer": _edit_customer,
    "new_customer": _new_customer,
    "clock": _clock,
    "traffic": _traffic,
}

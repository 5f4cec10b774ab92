"""What is really in the shop, for the ones who check the hub against it."""

from __future__ import annotations

from typing import Any

from sandbox.shopify import reckon, stock, traffic
from sandbox.shopify.money import gid, when
from sandbox.shopify.store import Row
from sandbox.shopify.views import SPOILED
from sandbox.shopify.world import World


def told(world: World) -> dict[str, Any]:
    """Return the shop's state; amounts in minor units of its currency."""
    rows = world.rows("order").values()
    return {
        "code": "shopify",
        "shop": world.settings.shop,
        "currency": world.settings.currency,
        "now": when(int(world.now() * 1_000_000)),
        "orders": [_order(row) for row in rows if "bad" not in row],
        "planted_bad": [_bad(row) for row in rows if "bad" in row],
        "products": [_product(row) for row in world.rows("product").values()],
        "customers": [_customer(row) for row in world.rows("customer").values()],
        "locations": [
            {"id": gid("Location", row["id"]), "name": row["name"]}
            for row in world.rows("location").values()
        ],
        "stock": [_level(world, row) for row in world.rows("level").values()],
        "oversold": [
            {"sku": _sku(world, row), "location": _place(world, row), "units": row["oversold"]}
            for row in world.rows("level").values()
            if row.get("oversold")
        ],
        "traffic": traffic.progress(world),
        "agreement": {"shopify": _agreement(world)},
        "counters": dict(world.counters),
    }


def _agreement(world: World) -> dict[str, Any]:
    """Return what a hub must agree with: orders by id, and the figure shown per item and place."""
    orders = {
        gid("Order", row["id"]): {
            "total": reckon.total(row),
            "units": sum(line["quantity"] for line in row["lines"]),
            "cancelled": row["cancelled"] is not None,
        }
        for row in world.rows("order").values()
        if "bad" not in row
    }
    stock_shown = {
        f"{gid('InventoryItem', row['item'])}@{gid('Location', row['location'])}": row["available"]
        for row in world.rows("level").values()
    }
    return {"orders": orders, "stock": stock_shown}


def _sku(world: World, row: Row) -> Any:
    return world.item_rows[row["item"]][1]["sku"]


def _place(world: World, row: Row) -> Any:
    return world.rows("location")[row["location"]]["name"]


def _order(row: Row) -> dict[str, Any]:
    lines = [
        {
            "id": gid("LineItem", line["id"]), "sku": line["sku"], "quantity": line["quantity"],
            "current": reckon.current(line), "unfulfilled": reckon.open_units(line),
            "price": line["price"], "net": reckon.net(line), "tax": reckon.tax(line),
            "location": gid("Location", line["location"]) if line["location"] else None,
        }
        for line in row["lines"]
    ]  # fmt: skip
    return {
        "id": gid("Order", row["id"]), "name": row["name"], "lines": lines,
        "customer": gid("Customer", row["customer"]) if row["customer"] else None,
        "cancelled": row["cancelled"] is not None,
        "fulfilled": reckon.fulfillment_status(row) == "FULFILLED",
        "financial_status": reckon.financial_status(row),
        "fulfillment_status": reckon.fulfillment_status(row),
        "taxes_included": row["taxes_included"], "total": reckon.total(row),
        "received": reckon.received(row), "refunded": reckon.refunded(row),
        "refunds": len(row["refunds"]), "fulfillments": len(row["fulfillments"]),
        "createdAt": when(row["created"]), "updatedAt": when(row["updated"]),
    }  # fmt: skip


def _bad(row: Row) -> dict[str, Any]:
    field, value = SPOILED[row["bad"]]
    return {"id": gid("Order", row["id"]), "name": row["name"], "field": field, "value": value}


def _product(row: Row) -> dict[str, Any]:
    variants = [
        {
            "id": gid("ProductVariant", v["id"]), "sku": v["sku"], "barcode": v["barcode"],
            "price": v["price"], "item": gid("InventoryItem", v["item"]),
        }
        for v in row["variants"]
    ]  # fmt: skip
    return {
        "id": gid("Product", row["id"]), "title": row["title"], "status": row["status"],
        "updatedAt": when(row["updated"]), "variants": variants,
    }  # fmt: skip


def _customer(row: Row) -> dict[str, Any]:
    return {
        "id": gid("Customer", row["id"]),
        "email_consent": row["email_consent"]["state"] if row["email"] else None,
        "sms_consent": row["sms_consent"]["state"] if row["phone"] else None,
        "updatedAt": when(row["updated"]),
    }


def _level(world: World, row: Row) -> dict[str, Any]:
    start = row.get("start") or {}
    since = {
        key: row[key] - start.get(key, 0)
        for key in ("sold", "released", "returned", "shipped", "dropped")
    }
    begun = {
        "available": start.get("available", row["opening"]),
        "committed": start.get("committed", 0),
    }
    return {
        "item": gid("InventoryItem", row["item"]), "sku": _sku(world, row),
        "location": gid("Location", row["location"]), "location_name": _place(world, row),
        "available": row["available"], "committed": row["committed"],
        "on_hand": stock.on_hand(row), "adjusted": row["adjusted"],
        "opening": begun | {"on_hand": begun["available"] + begun["committed"]}, **since,
        "broken_laws": stock.broken_laws(row), "updatedAt": when(row["updated"]),
    }  # fmt: skip

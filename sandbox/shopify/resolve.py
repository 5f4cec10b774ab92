"""What the queries of the hub reach: root fields, and the ways from one object to another."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.shopify import stock
from sandbox.shopify.execute import Resolver, Run
from sandbox.shopify.lists import LISTS, Listing, found, matching
from sandbox.shopify.money import gid, when
from sandbox.shopify.paging import by_id, page
from sandbox.shopify.world import Refused, View, World

_GID = re.compile(r"gid://shopify/(\w+)/(\d+)(\?.*)?$")
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")


def key_of(text: str, kind: str) -> int:
    """Return the number in a global id of this kind; another kind is refused."""
    match = _GID.match(text)
    if match is None or match.group(1) != kind:
        raise Refused(f"Invalid id: {text}", "RESOURCE_NOT_FOUND")
    return int(match.group(2))


def is_gid(text: str) -> bool:
    """Say whether a text is well formed as a global id."""
    return _GID.match(text) is not None


def variant(world: World, key: int | None) -> View | None:
    """Return the view of a variant that still exists."""
    owner = world.variant_rows.get(key or 0)
    product = world.views["product"].get(owner[0]["id"]) if owner else None
    return next((v for v in product["variants"] if v["_id"] == key), None) if product else None


def item(world: World, key: int) -> View | None:
    """Return the view of an inventory item."""
    owner = world.item_rows.get(key)
    view = variant(world, owner[1]["id"]) if owner else None
    return view["inventoryItem"] if view else None


def part(world: World, kind: str, name: str, key: int) -> View | None:
    """Return a part of an order: a refund, a fulfilment, a fulfilment order, a line."""
    order = world.views["order"].get(world.owners.get((kind, key), 0))
    return next((one for one in order[name] if one["_id"] == key), None) if order else None


def group(world: World, key: int) -> View | None:
    """Return an inventory adjustment group."""
    row = world.rows("group").get(key)
    return row and {
        "__typename": "InventoryAdjustmentGroup", "id": gid("InventoryAdjustmentGroup", key),
        "createdAt": when(row["created"]), "reason": row["reason"],
        "referenceDocumentUri": row["uri"], "_changes": row["changes"],
    }  # fmt: skip


def _changes(_run: Run, view: View, args: dict[str, Any]) -> list[View]:
    names = args.get("quantityNames")
    items, places = args.get("inventoryItemIds"), args.get("locationIds")
    return [
        change
        for change in view["_changes"]
        if (names is None or change["name"] in names)
        and (items is None or gid("InventoryItem", change["_item"]) in items)
        and (places is None or gid("Location", change["_location"]) in places)
    ]


def _whole(kind: str) -> Callable[[World, int], View | None]:
    return lambda world, key: world.views[kind].get(key)


def _part(kind: str, name: str) -> Callable[[World, int], View | None]:
    return lambda world, key: part(world, kind, name, key)


BY_ID: dict[str, Callable[[World, int], View | None]] = {
    "Order": _whole("order"),
    "Product": _whole("product"),
    "Customer": _whole("customer"),
    "Location": _whole("location"),
    "InventoryLevel": _whole("level"),
    "ProductVariant": variant,
    "InventoryItem": item,
    "Refund": _part("refunds", "refunds"),
    "Fulfillment": _part("fulfillments", "fulfillments"),
    "FulfillmentOrder": _part("fos", "fulfillmentOrders"),
    "LineItem": _part("lines", "lineItems"),
    "OrderTransaction": _part("transactions", "transactions"),
    "InventoryAdjustmentGroup": group,
}


def by_gid(world: World, text: str) -> View | None:
    """Return any object by its global id, None when there is none."""
    match = _GID.match(text)
    if match is None:
        raise Refused(f"Invalid id: {text}", "RESOURCE_NOT_FOUND")
    look = BY_ID.get(match.group(1))
    return look(world, int(match.group(2))) if look else None


def _one(kind: str) -> Resolver:
    return lambda run, _view, args: BY_ID[kind](run.world, key_of(args["id"], kind))


def _many(listing: Listing) -> Resolver:
    def resolve(run: Run, _view: View, args: dict[str, Any]) -> Any:
        return found(run.world, listing, args, run.search)

    return resolve


def _count(listing: Listing) -> Resolver:
    def resolve(run: Run, _view: View, args: dict[str, Any]) -> Any:
        # productVariantsCount ignores its filter and still says EXACT (fact sheet, 6.1).
        given = {} if listing.root == "productVariants" else {"query": args.get("query")}
        whole, _ = matching(run.world, listing, given, run.search)
        count, limit = len(whole), args.get("limit", 10_000)
        if limit is not None and count > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": count, "precision": "EXACT"}

    return resolve


def _location(run: Run, _view: View, args: dict[str, Any]) -> View | None:
    if args.get("id") is None:
        return next(iter(run.world.views["location"].values()))
    return run.world.views["location"].get(key_of(args["id"], "Location"))


def _job(run: Run, _view: View, args: dict[str, Any]) -> View:
    row = run.world.rows("job").get(key_of(args["id"], "Job"))
    return {"id": args["id"], "done": row is None or row["due"] <= run.world.now()}


def _shop(run: Run, _view: View, _args: dict[str, Any]) -> View:
    shop = run.world.settings
    plan = {"standard": "Shopify", "advanced": "Advanced", "plus": "Plus"}.get(shop.plan, "Plus")
    return {
        "__typename": "Shop", "id": gid("Shop", 5811), "name": "Channel Hub Demo 渠道中台演示店",
        "myshopifyDomain": shop.shop, "currencyCode": shop.currency, "ianaTimezone": shop.zone,
        "email": "owner@example.test", "contactEmail": "owner@example.test",
        "url": f"https://{shop.shop}", "taxesIncluded": True, "taxShipping": True,
        "weightUnit": "KILOGRAMS", "unitSystem": "METRIC_SYSTEM", "setupRequired": False,
        "enabledPresentmentCurrencies": [shop.currency], "orderNumberFormatPrefix": "#",
        "orderNumberFormatSuffix": "", "description": None,
        "plan": {
            "displayName": plan, "publicDisplayName": plan, "shopifyPlus": plan == "Plus",
            "partnerDevelopment": False,
        },
    }  # fmt: skip


def _installation(run: Run, _view: View, _args: dict[str, Any]) -> View:
    scopes = [{"handle": s, "description": s} for s in run.world.settings.scopes.split(",")]
    return {"__typename": "AppInstallation", "id": gid("AppInstallation", 5812),
            "accessScopes": scopes, "launchUrl": "https://example.test/app",
            "uninstallUrl": None}  # fmt: skip


def _versions(_run: Run, _view: View, _args: dict[str, Any]) -> list[View]:
    named = [{"handle": v, "displayName": v, "supported": True} for v in VERSIONS]
    return [*named, {"handle": "unstable", "displayName": "unstable", "supported": False}]


def _levels(owner: str) -> Resolver:
    """Return the levels of an item or a location, with their own filter (fact sheet, 6.1)."""

    def resolve(run: Run, view: View, args: dict[str, Any]) -> Any:
        listing = LISTS["inventoryLevels"]
        return found(run.world, listing, args, run.search, only=(owner, view["_id"]))

    return resolve


def _quantities(_run: Run, view: View, args: dict[str, Any]) -> list[View]:
    row = view["_row"]
    unknown = [name for name in args["names"] if name not in stock.NAMES]
    if unknown:
        # UNVERIFIED: text for a quantity name that does not exist.
        raise Refused(f"Invalid quantity name: {unknown[0]}", "INVALID_FIELD_ARGUMENTS")
    return [
        {
            "id": f"{gid('InventoryQuantity', row['id'])}?name={name}",
            "name": name,
            "quantity": stock.quantity(row, name),
            "updatedAt": when(row["updated"]),
        }
        for name in args["names"]
    ]


def _available(world: World, item_key: int) -> int:
    keys = (world.level(item_key, place) for place in world.rows("location"))
    return sum(row["available"] for row in keys if row is not None)


def _variant_stock(run: Run, view: View, _args: dict[str, Any]) -> int:
    return _available(run.world, view["inventoryItem"]["_id"])


def _product_stock(run: Run, view: View, _args: dict[str, Any]) -> int:
    return sum(_available(run.world, v["inventoryItem"]["_id"]) for v in view["variants"])


def _sold_out(run: Run, view: View, _args: dict[str, Any]) -> bool:
    return any(_available(run.world, v["inventoryItem"]["_id"]) <= 0 for v in view["variants"])


def _level_at(run: Run, view: View, args: dict[str, Any]) -> View | None:
    row = run.world.level(view["_id"], key_of(args["locationId"], "Location"))
    return run.world.views["level"].get(row["id"]) if row else None


def _same_sku(run: Run, view: View, _args: dict[str, Any]) -> int:
    return sum(1 for _, v in run.world.item_rows.values() if v["sku"] == view["sku"] and v["sku"])


def _metafield(_run: Run, view: View, args: dict[str, Any]) -> View | None:
    space, name = args.get("namespace") or "custom", args["key"]
    value = view.get("_metafields", {}).get(f"{space}.{name}")
    if value is None:
        return None
    key = view["_id"] * 10 + 1
    return {"__typename": "Metafield", "id": gid("Metafield", key), "namespace": space,
            "key": name, "value": value, "jsonValue": value, "description": None,
            "type": "single_line_text_field", "legacyResourceId": str(key)}  # fmt: skip


def _ref(kind: str, key: str) -> Resolver:
    def resolve(run: Run, view: View, _args: dict[str, Any]) -> View | None:
        target = view.get(key)
        return BY_ID[kind](run.world, target) if target else None

    return resolve


def _assigned(run: Run, view: View, _args: dict[str, Any]) -> View:
    place = run.world.views["location"].get(view["_location"])
    address = place["address"] if place else {}
    wanted = ("address1", "address2", "city", "countryCode", "phone", "province", "zip")
    return {"location": place, "name": place["name"] if place else ""} | {
        key: address.get(key) for key in wanted
    }


def _order_customer(run: Run, view: View, _args: dict[str, Any]) -> View | None:
    return run.world.views["customer"].get(view["_row"]["customer"] or 0)


def _customer_orders(run: Run, view: View, args: dict[str, Any]) -> Any:
    views = run.world.index["order"].values()
    mine = [v for v in views if v["_row"]["customer"] == view["_id"]]
    return page(sorted(mine, key=by_id), args)


def _node(run: Run, _view: View, args: dict[str, Any]) -> View | None:
    return by_gid(run.world, args["id"])


def _nodes(run: Run, _view: View, args: dict[str, Any]) -> list[View | None]:
    return [by_gid(run.world, text) for text in args["ids"]]


def _fulfilled_orders(run: Run, view: View, args: dict[str, Any]) -> Any:
    fos = [part(run.world, "fos", "fulfillmentOrders", key) for key in view["_fos"]]
    return page([fo for fo in fos if fo], args)


def _fo_shipments(run: Run, view: View, args: dict[str, Any]) -> Any:
    order = run.world.views["order"][view["_order"]]
    return page([f for f in order["fulfillments"] if view["_id"] in f["_fos"]], args)


def _returned_none(_run: Run, _view: View, _args: dict[str, Any]) -> None:
    return None


def _query_root() -> dict[str, Resolver]:
    table: dict[str, Resolver] = {
        name[0].lower() + name[1:]: _one(name)
        for name in BY_ID
        if name not in ("LineItem", "OrderTransaction", "Location", "InventoryAdjustmentGroup")
    }
    for name, listing in LISTS.items():
        if name != "inventoryLevels":
            table[name] = _many(listing)
    for name in ("orders", "products", "customers", "productVariants", "locations"):
        table[f"{name}Count"] = _count(LISTS[name])
    return table | {
        "location": _location, "job": _job, "shop": _shop, "node": _node, "nodes": _nodes,
        "currentAppInstallation": _installation, "publicApiVersions": _versions,
        "shopifyPaymentsAccount": _returned_none,
    }  # fmt: skip


QUERIES: Mapping[str, Mapping[str, Resolver]] = {
    "QueryRoot": _query_root(),
    "Order": {"customer": _order_customer, "metafield": _metafield},
    "LineItem": {"variant": _ref("ProductVariant", "_variant"), "product": _ref("Product", "_product")},
    "FulfillmentOrder": {
        "assignedLocation": _assigned,
        "order": _ref("Order", "_order"),
        "fulfillments": _fo_shipments,
    },
    "FulfillmentOrderLineItem": {"variant": _ref("ProductVariant", "_variant")},
    "Fulfillment": {
        "location": _ref("Location", "_location"),
        "order": _ref("Order", "_order"),
        "fulfillmentOrders": _fulfilled_orders,
    },
    "Refund": {"order": _ref("Order", "_order")},
    "RefundLineItem": {"location": _ref("Location", "_location")},
    "OrderTransaction": {"order": _ref("Order", "_order")},
    "Product": {
        "totalInventory": _product_stock,
        "hasOutOfStockVariants": _sold_out,
        "metafield": _metafield,
    },
    "ProductVariant": {
        "product": _ref("Product", "_product"),
        "inventoryQuantity": _variant_stock,
        "sellableOnlineQuantity": _variant_stock,
        "availableForSale": lambda run, view, args: _variant_stock(run, view, args) > 0,
        "metafield": _metafield,
    },
    "InventoryItem": {
        "variant": _ref("ProductVariant", "_variant"),
        "inventoryLevels": _levels("_item"),
        "inventoryLevel": _level_at,
        "duplicateSkuCount": _same_sku,
    },
    "InventoryLevel": {
        "item": _ref("InventoryItem", "_item"),
        "location": _ref("Location", "_location"),
        "quantities": _quantities,
    },
    "InventoryAdjustmentGroup": {"changes": _changes},
    "InventoryChange": {
        "item": _ref("InventoryItem", "_item"),
        "location": _ref("Location", "_location"),
    },
    "Location": {
        "inventoryLevels": _levels("_location"),
        "inventoryLevel": lambda run, view, args: run.world.views["level"].get(
            (run.world.level(key_of(args["inventoryItemId"], "InventoryItem"), view["_id"]) or {})
            .get("id", 0)
        ),
        "hasUnfulfilledOrders": lambda run, view, _args: any(
            row["committed"] > 0
            for row in run.world.rows("level").values()
            if row["location"] == view["_id"]
        ),
    },
    "Customer": {
        "metafield": _metafield,
        "lastOrder": _ref("Order", "_last_order"),
        "orders": _customer_orders,
    },
}  # fmt: skip

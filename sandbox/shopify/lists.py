"""The lists a query can page through: what each holds, how it sorts, what can be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.shopify import search
from sandbox.shopify.money import MICROS
from sandbox.shopify.paging import Page, page, stamp_text
from sandbox.shopify.search import Field
from sandbox.shopify.world import View, World

_60_DAYS_S = 60 * 86400


@dataclass(frozen=True, slots=True)
class Listing:
    """One list."""

    root: str
    kind: str
    of: Callable[[Mapping[int, View]], Iterable[View]]
    default_sort: str
    sorts: Mapping[str, Callable[[View], Any]]
    fields: Mapping[str, Field]
    free: Field
    keep: Callable[[View, dict[str, Any]], bool] | None = field(default=None)


def _row(name: str) -> Callable[[View], Any]:
    return lambda view: view["_row"][name]


def _seen(name: str) -> Callable[[View], Any]:
    return lambda view: view[name]


def _stamp(read: Callable[[View], Any]) -> Callable[[View], str]:
    return lambda view: stamp_text(read(view))


def _order_status(view: View) -> list[str]:
    row = view["_row"]
    if row["cancelled"]:
        return ["cancelled"]
    return ["closed"] if row["closed"] else ["open", "not_closed"]


_SHIPPED = {
    "UNFULFILLED": ["unfulfilled", "unshipped"],
    "PARTIALLY_FULFILLED": ["partial"],
    "FULFILLED": ["fulfilled", "shipped"],
}
_CLOCKS = {
    "updated_at": Field("time", _row("updated")),
    "created_at": Field("time", _row("created")),
    "id": Field("number", _seen("_id")),
}

LISTS: dict[str, Listing] = {}


def _add(listing: Listing) -> None:
    LISTS[listing.root] = listing


_add(
    Listing(
        "orders", "order", lambda views: views.values(), "PROCESSED_AT",
        {
            "PROCESSED_AT": _stamp(_row("processed")), "UPDATED_AT": _stamp(_row("updated")),
            "CREATED_AT": _stamp(_row("created")), "ID": _seen("_id"),
            "ORDER_NUMBER": _row("number"),
        },
        {
            **_CLOCKS,
            "processed_at": Field("time", _row("processed")), "name": Field("text", _row("name")),
            "status": Field("word", _order_status),
            "financial_status": Field("word", _seen("displayFinancialStatus")),
            "fulfillment_status": Field("word", lambda v: _SHIPPED[v["displayFulfillmentStatus"]]),
            "return_status": Field("word", _seen("returnStatus")), "tag": Field("word", _row("tags")),
            "test": Field("word", lambda _v: "false"), "source_name": Field("word", _row("source")),
            "email": Field("text", _seen("email")), "customer_id": Field("number", _row("customer")),
            "sku": Field("word", lambda v: [line["sku"] for line in v["_row"]["lines"]]),
        },
        Field("text", lambda v: [v["name"], v["email"], *v["tags"]]),
    )
)  # fmt: skip
_add(
    Listing(
        "products", "product", lambda views: views.values(), "ID",
        {
            "ID": _seen("_id"), "UPDATED_AT": _stamp(_row("updated")),
            "CREATED_AT": _stamp(_row("created")), "TITLE": _row("title"),
            "VENDOR": _row("vendor"), "PRODUCT_TYPE": _row("type"),
        },
        {
            **_CLOCKS,
            "status": Field("word", _row("status")), "handle": Field("word", _row("handle")),
            "title": Field("text", _row("title")), "vendor": Field("text", _row("vendor")),
            "product_type": Field("text", _row("type")), "tag": Field("word", _row("tags")),
            "sku": Field("word", lambda v: [x["sku"] for x in v["variants"]]),
            "barcode": Field("word", lambda v: [x["barcode"] for x in v["variants"]]),
        },
        Field("text", lambda v: [v["title"], v["handle"], *(x["sku"] for x in v["variants"])]),
    )
)  # fmt: skip


def _variants(views: Mapping[int, View]) -> Iterable[View]:
    return (variant for view in views.values() for variant in view["variants"])


def _items(views: Mapping[int, View]) -> Iterable[View]:
    return (variant["inventoryItem"] for variant in _variants(views))


_add(
    Listing(
        "productVariants", "product", _variants, "ID",
        {"ID": _seen("_id"), "SKU": lambda v: v["sku"] or "", "TITLE": _seen("title")},
        {
            "updated_at": Field("time", _seen("_updated")), "id": Field("number", _seen("_id")),
            "product_id": Field("number", _seen("_product")), "sku": Field("word", _seen("sku")),
            "barcode": Field("word", _seen("barcode")),
        },
        Field("text", lambda v: [v["sku"], v["title"]]),
    )
)  # fmt: skip
_add(
    Listing(
        "inventoryItems", "product", _items, "ID", {"ID": _seen("_id")},
        {
            "updated_at": Field("time", _seen("_updated")), "id": Field("number", _seen("_id")),
            "created_at": Field("time", _seen("_created")), "sku": Field("word", _seen("sku")),
        },
        Field("text", _seen("sku")),
    )
)  # fmt: skip
_add(
    Listing(
        "inventoryLevels", "level", lambda views: views.values(), "ID", {"ID": _seen("_id")},
        {**_CLOCKS, "inventory_item_id": Field("number", _row("item"))},
        Field("text", lambda _v: None),
        lambda view, args: bool(args.get("includeInactive")) or view["_row"]["active"],
    )
)  # fmt: skip
_add(
    Listing(
        "customers", "customer", lambda views: views.values(), "ID",
        {
            "ID": _seen("_id"), "UPDATED_AT": _stamp(_row("updated")),
            "CREATED_AT": _stamp(_row("created")), "NAME": _seen("displayName"),
        },
        {
            "updated_at": Field("time", _row("updated")), "id": Field("number", _seen("_id")),
            "customer_date": Field("time", _row("created")), "email": Field("text", _row("email")),
            "phone": Field("text", _row("phone")), "tag": Field("word", _row("tags")),
            "state": Field("word", _row("state")), "orders_count": Field("number", _row("orders")),
            "total_spent": Field("number", lambda v: v["_row"]["spent"] / 100),
        },
        Field("text", lambda v: [v["displayName"], v["email"], v["phone"]]),
    )
)  # fmt: skip
_add(
    Listing(
        "locations", "location", lambda views: views.values(), "NAME",
        {"NAME": _row("name"), "ID": _seen("_id")},
        {
            "id": Field("number", _seen("_id")), "name": Field("text", _row("name")),
            "created_at": Field("time", _row("created")),
            "active": Field("word", lambda v: str(v["isActive"]).lower()),
        },
        Field("text", _row("name")),
    )
)  # fmt: skip


def _fos(views: Mapping[int, View]) -> Iterable[View]:
    return (fo for view in views.values() for fo in view["fulfillmentOrders"])


_add(
    Listing(
        "fulfillmentOrders", "order", _fos, "ID",
        {"ID": _seen("_id"), "UPDATED_AT": _stamp(_seen("_updated"))},
        {
            "updated_at": Field("time", _seen("_updated")), "id": Field("number", _seen("_id")),
            "status": Field("word", _seen("status")),
            "assigned_location_id": Field("number", _seen("_location")),
        },
        Field("text", _seen("orderName")),
        lambda view, args: bool(args.get("includeClosed")) or view["status"] != "CLOSED",
    )
)  # fmt: skip


def found(
    world: World,
    listing: Listing,
    args: dict[str, Any],
    notes: list[dict[str, Any]],
    only: tuple[str, int] | None = None,
) -> Page:
    """Return the page a list answers with; add to the notes what the search warned of.

    ``only`` narrows the list to the parts of one owner: the name of the reference, its id.
    """
    views, place = matching(world, listing, args, notes, only)
    return page(views, args, place)


def matching(
    world: World,
    listing: Listing,
    args: dict[str, Any],
    notes: list[dict[str, Any]],
    only: tuple[str, int] | None = None,
) -> tuple[list[View], Callable[[View], tuple[Any, int]]]:
    """Return the whole list that matches, sorted, with its sort places."""
    world.settle()
    sort = args.get("sortKey") or listing.default_sort
    value = listing.sorts.get(sort) or listing.sorts["ID"]
    text = args.get("query") or ""
    understood = _understood(world, listing, text)
    if understood is not None and understood.warnings:
        note = {"path": [listing.root], "query": text, "parsed": understood.parsed}
        notes.append(note | {"warnings": understood.warnings})

    def place(view: View) -> tuple[Any, int]:
        return value(view), view["_id"]

    views = _sorted(world, listing, sort, place)
    views = _kept(world, listing, args, views, only)
    if understood is not None:
        views = [view for view in views if understood.test(view)]
    return views, place


def _understood(world: World, listing: Listing, text: str) -> search.Filter | None:
    if not text.strip():
        return None
    return search.parse(text, listing.fields, listing.free, world.zone)


def _sorted(
    world: World, listing: Listing, sort: str, place: Callable[[View], tuple[Any, int]]
) -> list[View]:
    version = world.version[listing.kind]
    known = world.lists.get((listing.root, sort))
    if known is not None and known[0] == version:
        return known[1]
    views = sorted(listing.of(world.index[listing.kind]), key=place)
    world.lists[listing.root, sort] = version, views
    return views


def _kept(
    world: World,
    listing: Listing,
    args: dict[str, Any],
    views: list[View],
    only: tuple[str, int] | None,
) -> list[View]:
    if only is not None:
        name, key = only
        views = [view for view in views if view[name] == key]
    if listing.keep is not None:
        keep = listing.keep
        views = [view for view in views if keep(view, args)]
    if listing.root == "orders" and "read_all_orders" not in world.settings.scopes.split(","):
        oldest = (world.now() - _60_DAYS_S) * MICROS
        views = [view for view in views if view["_row"]["created"] >= oldest]
    return views

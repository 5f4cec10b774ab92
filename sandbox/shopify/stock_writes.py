"""Writes on stock: set, adjust, activate (rule S13; fact sheet, section 8.2).

Everything is checked first; one bad row refuses the whole call.
"""

from __future__ import annotations

import re
from collections import Counter

from sandbox.shopify import stock
from sandbox.shopify.answers import Answer, ref, wrong
from sandbox.shopify.resolve import key_of
from sandbox.shopify.store import Row
from sandbox.shopify.world import Refused, World

_REASONS = """
correction cycle_count_available damaged movement_canceled movement_created movement_received
movement_updated other promotion quality_control received reservation_created
reservation_deleted reservation_updated restock safety_stock shrinkage
"""
REASONS = tuple(_REASONS.split())
ADJUSTABLE = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://?.+")
_MOST = 1_000_000_000
_MAX_ROWS = 250
Places = list[tuple[int, int]]


def set_quantities(world: World, args: Row) -> Answer:
    """Set `available` or `on_hand` to a value, guarded by what the caller last saw."""
    given = args["input"]
    rows = given["quantities"]
    _check_rows(rows, "InventoryQuantityInput")
    places = _places(rows)
    problems = _head(given, ("available", "on_hand"), set_names=True)
    for at, row in enumerate(rows):
        problems += _unknown(world, "quantities", at, places[at])
        problems += _bounds(given["name"], at, row["quantity"])
    problems += _twice("quantities", places)
    problems = problems or _stale(world, given, "quantities", places)
    if problems:
        return {"inventoryAdjustmentGroup": None, "userErrors": problems}
    changes = []
    for row, place in zip(rows, places, strict=True):
        delta = row["quantity"] - _now(world, place, given["name"])
        if delta:
            changes += _mirrored(world, place, delta, given["name"])
    return _group(world, given, changes)


def adjust_quantities(world: World, args: Row) -> Answer:
    """Move a named quantity by a difference."""
    given = args["input"]
    rows = given["changes"]
    _check_rows(rows, "InventoryChangeInput")
    places = _places(rows)
    problems = _head(given, ADJUSTABLE, set_names=False)
    for at, row in enumerate(rows):
        problems += _unknown(world, "changes", at, places[at])
        problems += _ledger(given["name"], at, row.get("ledgerDocumentUri"))
    problems = problems or _stale(world, given, "changes", places)
    if problems:
        return {"inventoryAdjustmentGroup": None, "userErrors": problems}
    changes = []
    for row, place in zip(rows, places, strict=True):
        if not row["delta"]:
            continue
        if given["name"] == "available":
            changes += _mirrored(world, place, row["delta"], "available")
        else:
            stock.hold(world, _level(world, place), given["name"], row["delta"])
            changes.append(_change(given["name"], row["delta"], place))
            if given["name"] in stock.HELD:
                changes.append(_change("on_hand", row["delta"], place))
    return _group(world, given, changes)


def activate(world: World, args: Row) -> Answer:
    """Stock an item at a location; one that is stocked already is left as it is."""
    item = key_of(args["inventoryItemId"], "InventoryItem")
    location = key_of(args["locationId"], "Location")
    if item not in world.item_rows:
        text = "The specified inventory item could not be found."
        return {"inventoryLevel": None, "userErrors": [wrong(["inventoryItemId"], text)]}
    if location not in world.rows("location"):
        text = "The specified location could not be found."
        return {"inventoryLevel": None, "userErrors": [wrong(["locationId"], text)]}
    level = world.level(item, location)
    if level is None:
        level = stock.new_level(world, item, location, args.get("available") or 0)
    return {"inventoryLevel": ref("InventoryLevel", level["id"]), "userErrors": []}


def _check_rows(rows: list[Row], kind: str) -> None:
    if len(rows) > _MAX_ROWS:
        # UNVERIFIED: exact text; the code and the limit are documented.
        raise Refused(
            f"The input array size of {len(rows)} is greater than the maximum allowed of "
            f"{_MAX_ROWS}.",
            "MAX_INPUT_SIZE_EXCEEDED",
        )
    if any("changeFromQuantity" not in row for row in rows):
        raise Refused(
            f"{kind} must include the following argument: changeFromQuantity.",
            "INVALID_FIELD_ARGUMENTS",
        )


def _places(rows: list[Row]) -> Places:
    return [
        (key_of(row["inventoryItemId"], "InventoryItem"), key_of(row["locationId"], "Location"))
        for row in rows
    ]


def _head(given: Row, names: tuple[str, ...], *, set_names: bool) -> list[Answer]:
    problems = []
    if given["name"] not in names and set_names:
        text = "The quantity name must be either 'available' or 'on_hand'."
        problems.append(wrong(["input", "name"], text, "INVALID_NAME"))
    elif given["name"] not in names:
        # UNVERIFIED: exact text.
        text = f"The quantity name must be one of: {', '.join(names)}."
        problems.append(wrong(["input", "name"], text, "INVALID_QUANTITY_NAME"))
    if given["reason"] not in REASONS:
        # UNVERIFIED: the words around the list.
        text = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
        problems.append(wrong(["input", "reason"], text, "INVALID_REASON"))
    uri = given.get("referenceDocumentUri")
    if uri is not None and not _URI.match(uri):
        # UNVERIFIED: exact text.
        text = "The specified reference document is invalid."
        path = ["input", "referenceDocumentUri"]
        problems.append(wrong(path, text, "INVALID_REFERENCE_DOCUMENT"))
    return problems


def _unknown(world: World, name: str, at: int, place: tuple[int, int]) -> list[Answer]:
    path = ["input", name, str(at)]
    problems = []
    if place[0] not in world.item_rows:
        text = "The specified inventory item could not be found."
        problems.append(wrong([*path, "inventoryItemId"], text, "INVALID_INVENTORY_ITEM"))
    if place[1] not in world.rows("location"):
        text = "The specified location could not be found."
        problems.append(wrong([*path, "locationId"], text, "INVALID_LOCATION"))
    return problems


def _bounds(name: str, at: int, quantity: int) -> list[Answer]:
    path = ["input", "quantities", str(at), "quantity"]
    if quantity > _MOST:
        text = "The quantity can't be higher than 1,000,000,000."
        return [wrong(path, text, "INVALID_QUANTITY_TOO_HIGH")]
    if quantity < -_MOST:
        text = "The quantity can't be lower than -1,000,000,000."
        return [wrong(path, text, "INVALID_QUANTITY_TOO_LOW")]
    if quantity < 0 and name == "on_hand":
        return [wrong(path, "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE")]
    return []


def _twice(name: str, places: Places) -> list[Answer]:
    often = Counter(places)
    # UNVERIFIED: exact text; the code and one error per row are recorded.
    text = "The combination of inventoryItemId and locationId must be unique."
    code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    return [
        wrong(["input", name, str(at), "locationId"], text, code)
        for at, place in enumerate(places)
        if often[place] > 1
    ]


def _ledger(name: str, at: int, uri: str | None) -> list[Answer]:
    """Check the ledger document: forbidden for `available`, else required and not Shopify's."""
    path = ["input", "changes", str(at), "ledgerDocumentUri"]
    # UNVERIFIED: exact texts; the codes are the schema's.
    if name == "available":
        text = "A ledger document URI is not allowed when adjusting available."
        return [wrong(path, text, "INVALID_AVAILABLE_DOCUMENT")] if uri is not None else []
    if uri is None:
        text = "A ledger document URI is required except when adjusting available."
        return [wrong(path, text, "INVALID_QUANTITY_DOCUMENT")]
    if uri.startswith("gid://shopify/"):
        text = "The specified ledger document is internal."
        return [wrong(path, text, "INTERNAL_LEDGER_DOCUMENT")]
    if not _URI.match(uri):
        return [wrong(path, "The specified ledger document is invalid.", "INVALID_LEDGER_DOCUMENT")]
    return []


def _stale(world: World, given: Row, name: str, places: Places) -> list[Answer]:
    problems = []
    for at, (row, place) in enumerate(zip(given[name], places, strict=True)):
        seen = row["changeFromQuantity"]
        if seen is not None and seen != _now(world, place, given["name"]):
            # The path is an assumption of the fact sheet; code and text are the schema's.
            path = ["input", name, str(at), "changeFromQuantity"]
            text = "The changeFromQuantity value does not match persisted value."
            problems.append(wrong(path, text, "CHANGE_FROM_QUANTITY_STALE"))
    return problems


def _now(world: World, place: tuple[int, int], name: str) -> int:
    level = world.level(*place)
    return 0 if level is None else stock.quantity(level, name)


def _level(world: World, place: tuple[int, int]) -> Row:
    level = world.level(*place)
    return stock.new_level(world, *place) if level is None else level


def _mirrored(world: World, place: tuple[int, int], delta: int, name: str) -> list[Row]:
    """Change `available` and `on_hand` together; the asked one is named first."""
    stock.adjust(world, _level(world, place), delta)
    names = ("available", "on_hand") if name == "available" else ("on_hand", "available")
    return [_change(one, delta, place) for one in names]


def _change(name: str, delta: int, place: tuple[int, int]) -> Row:
    change: Row = {"name": name, "delta": delta, "quantityAfterChange": None}
    return change | {"_item": place[0], "_location": place[1], "ledgerDocumentUri": None}


def _group(world: World, given: Row, changes: list[Row]) -> Answer:
    if not changes:
        return {"inventoryAdjustmentGroup": None, "userErrors": []}
    row = {"id": world.store.new_id(), "created": world.stamp(), "reason": given["reason"]}
    row |= {"uri": given.get("referenceDocumentUri"), "changes": changes}
    world.store.put("group", row)
    return {
        "inventoryAdjustmentGroup": ref("InventoryAdjustmentGroup", row["id"]),
        "userErrors": [],
    }

"""Goods out: fulfilment orders, parcels, and what became of each line's units.

Shopify says `FULFILLED` when a parcel left. *Delivered* is told only by the fulfilment's own
display status (DELIVERED, PICKED_UP). A fulfilment order that is CLOSED without a parcel was
emptied by a refund, a move or a cancellation.

Facts: channel sheet, sections 7.1 to 7.3; states: canonical model, 5.1 and 5.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Node = Mapping[str, Any]

_ARRIVED: Final = frozenset({"DELIVERED", "PICKED_UP"})
_STATES: Final = {
    "OPEN": "pending",
    "SCHEDULED": "pending",
    "ON_HOLD": "pending",
    "IN_PROGRESS": "released",
    "INCOMPLETE": "exception",
    "CANCELLED": "cancelled",
}


def departed(fulfilment: Node) -> bool:
    """Tell whether a fulfilment's goods left: it succeeded and was not called back."""
    return bool(fulfilment["status"] == "SUCCESS" and fulfilment["displayStatus"] != "CANCELED")


def is_delivered(fulfilment: Node) -> bool:
    """Tell whether a fulfilment's goods arrived."""
    return fulfilment["displayStatus"] in _ARRIVED


def units(fulfilments: Iterable[Node]) -> dict[str, int]:
    """Add up the units per order line in some fulfilments."""
    found: dict[str, int] = {}
    for fulfilment in fulfilments:
        for entry in fulfilment["fulfillmentLineItems"]["nodes"]:
            line = entry["lineItem"]["id"]
            found[line] = found.get(line, 0) + (entry["quantity"] or 0)
    return found


def cancelled_units(line: Node, shipped: int) -> int:
    """Return the units taken off a line before they left.

    `currentQuantity` counts out what was removed and what came back; of the latter none was
    still open, so what is neither shipped nor open bounds the first.
    """
    quantity: int = line["quantity"]
    current: int = line["currentQuantity"]
    waiting = min(int(line["unfulfilledQuantity"]), current)
    return max(0, min(quantity - current, quantity - shipped - waiting))


def places(order: Node) -> dict[str, str | None]:
    """Return where each line is served from: the location that carries most of it."""
    most: dict[str, tuple[int, str | None]] = {}
    for work in order["fulfillmentOrders"]["nodes"]:
        location = (work["assignedLocation"]["location"] or {}).get("id")
        for entry in work["lineItems"]["nodes"]:
            line = entry["lineItem"]["id"]
            if line not in most or entry["totalQuantity"] > most[line][0]:
                most[line] = (entry["totalQuantity"], location)
    return {line: location for line, (_, location) in most.items()}


def fulfilments(order: Node) -> list[dict[str, Any]]:
    """Return one fulfilment order per place, with its lines and parcels.

    Parcels that Shopify ties to no fulfilment order (old orders) make one of their own.
    """
    parcels: dict[str, list[Node]] = {}
    loose = []
    works = order["fulfillmentOrders"]["nodes"]
    known = {work["id"] for work in works}
    for fulfilment in order["fulfillments"]:
        if not departed(fulfilment):
            continue
        owners = [n["id"] for n in fulfilment["fulfillmentOrders"]["nodes"] if n["id"] in known]
        if owners:
            parcels.setdefault(owners[0], []).append(fulfilment)
        else:
            loose.append(fulfilment)
    return [_work(work, parcels.get(work["id"], [])) for work in works] + [_own(f) for f in loose]


def _work(work: Node, gone: list[Node]) -> dict[str, Any]:
    return {
        "external_id": work["id"],
        "external_location_id": (work["assignedLocation"]["location"] or {}).get("id"),
        "state": _state(work["status"], gone),
        "raw_state": work["status"],
        "lines": _lines(
            (n["lineItem"]["id"], n["totalQuantity"]) for n in work["lineItems"]["nodes"]
        ),
        "packages": [package for parcel in gone for package in _packages(parcel)],
    }


def _own(parcel: Node) -> dict[str, Any]:
    return {
        "external_id": parcel["id"],
        "state": _state("CLOSED", [parcel]),
        "raw_state": parcel["status"],
        "lines": _lines(units([parcel]).items()),
        "packages": _packages(parcel),
    }


def _state(status: str, gone: list[Node]) -> str:
    if status != "CLOSED":
        return _STATES.get(status, "exception")
    if not gone:
        return "cancelled"
    return "delivered" if all(map(is_delivered, gone)) else "shipped"


def _lines(entries: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    by_line: dict[str, int] = {}
    for line, quantity in entries:
        by_line[line] = by_line.get(line, 0) + quantity
    return [{"external_line_id": i, "quantity": n} for i, n in by_line.items() if n > 0]


def _packages(parcel: Node) -> list[dict[str, Any]]:
    """Return one package per tracking number; one without a number if there is none."""
    tracks = parcel["trackingInfo"] or [{"company": None, "number": None}]
    return [
        {
            "external_id": parcel["id"] if at == 0 else f"{parcel['id']}#{at + 1}",
            "carrier_code": track["company"],
            "tracking_no": track["number"],
            "shipped_at": parcel["createdAt"],
            "delivered_at": parcel["deliveredAt"] if is_delivered(parcel) else None,
        }
        for at, track in enumerate(tracks)
    ]

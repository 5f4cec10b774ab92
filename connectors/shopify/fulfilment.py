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
            line, quantity = entry["lineItem"]["id"], entry["quantity"] or 0
            found[line] = found[line] + quantity if line in found else quantity
    return found


def cancelled_units(line: Node, shipped: int) -> int:
    """Return the units taken off a line before they left.

    `currentQuantity` counts out what was removed and what came back; of the latter none was
    still open, so what is neither shipped nor open bounds the first.
    """
    quantity: int = line["quantity"]
    current: int = line["currentQuantity"]
    if current == quantity:
        return 0
    waiting = min(int(line["unfulfilledQuantity"]), current)
    return max(0, min(quantity - current, quantity - shipped - waiting))


def places(order: Node) -> dict[str, str | None]:
    """Return where each line is served from: the location that carries most of it."""
    most: dict[str, int] = {}
    found: dict[str, str | None] = {}
    for work in order["fulfillmentOrders"]["nodes"]:
        location = _location(work)
        for entry in work["lineItems"]["nodes"]:
            line, quantity = entry["lineItem"]["id"], entry["totalQuantity"]
            if line not in most or quantity > most[line]:
                most[line], found[line] = quantity, location
    return found


def _location(work: Node) -> str | None:
    location = work["assignedLocation"]["location"]
    return None if location is None else location["id"]


def fulfilments(order: Node) -> list[dict[str, Any]]:
    """Return one fulfilment order per place, with its lines and parcels.

    Parcels that Shopify ties to no fulfilment order (old orders) make one of their own.
    """
    parcels: dict[str, list[Node]] = {}
    loose = []
    works = order["fulfillmentOrders"]["nodes"]
    if not order["fulfillments"]:
        return [_work(work, []) for work in works]
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
        "external_location_id": _location(work),
        "state": _state(work["status"], gone),
        "raw_state": work["status"],
        "lines": _lines(work["lineItems"]["nodes"]),
        "packages": [package for parcel in gone for package in _packages(parcel)],
    }


def _own(parcel: Node) -> dict[str, Any]:
    return {
        "external_id": parcel["id"],
        "state": _state("CLOSED", [parcel]),
        "raw_state": parcel["status"],
        "lines": _parts(units([parcel])),
        "packages": _packages(parcel),
    }


def _state(status: str, gone: list[Node]) -> str:
    if status != "CLOSED":
        return _STATES.get(status, "exception")
    if not gone:
        return "cancelled"
    return "delivered" if all(map(is_delivered, gone)) else "shipped"


def _lines(entries: Iterable[Node]) -> list[dict[str, Any]]:
    by_line: dict[str, int] = {}
    for entry in entries:
        line, quantity = entry["lineItem"]["id"], entry["totalQuantity"]
        by_line[line] = by_line[line] + quantity if line in by_line else quantity
    return _parts(by_line)


def _parts(by_line: Mapping[str, int]) -> list[dict[str, Any]]:
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

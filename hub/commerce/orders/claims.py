"""What an order claims from stock: per line and place, how much is promised and how much has left."""

from __future__ import annotations

from hub.records import ChannelOrder, FulfilmentLine, FulfilmentOrder, OrderLine
from hub.records.rows import ID, Row
from hub.records.shape import places

O = places(ChannelOrder)  # noqa: E741 - the order's places
L = places(OrderLine)
F = places(FulfilmentOrder)
G = places(FulfilmentLine)

Claim = tuple[str, str, str | None, int, int, int, str]
"""(line id, variant id, external location id, scale, promised, left the shelf, since when)."""


def claims(order: Row) -> list[Claim]:
    """Return the claims of a stored order. A line without a known variant claims nothing yet.

    A promise stands from the order's first sight until it ships or is cancelled; a cancelled
    order keeps only what has left. Splitting over places follows the fulfilment orders.
    """
    cancelled = order[O.order_state] == "cancelled"
    by_line = _places_of_lines(order)
    out: list[Claim] = []
    for line in order[O.lines]:
        if not line[L.variant_id] or line[L.line_kind] != "goods":
            continue
        shipped = line[L.qty_shipped]
        promised = 0 if cancelled else max(0, line[L.quantity] - line[L.qty_cancelled] - shipped)
        since = _since(order, is_gone=bool(shipped), is_back=cancelled and not shipped)
        spread = by_line.get(line[L.external_line_id]) or [(line[L.external_location_id], None)]
        out += _spread(line, spread, promised, shipped, since)
    return out


def _since(order: Row, *, is_gone: bool, is_back: bool) -> str:
    """Return when the goods moved last: shipped, or back with the void; a count after it has seen it."""
    moved = order[O.shipped_at] if is_gone else order[O.cancelled_at] if is_back else None
    when: str = moved or order[O.placed_at]
    return when


def _places_of_lines(order: Row) -> dict[str, list[tuple[str | None, int | None]]]:
    out: dict[str, list[tuple[str | None, int | None]]] = {}
    for fulfilment in order[O.fulfilments]:
        if fulfilment[F.state] == "cancelled":
            continue
        for line in fulfilment[F.lines]:
            out.setdefault(line[G.external_line_id], []).append(
                (fulfilment[F.external_location_id], line[G.quantity])
            )
    return out


def _spread(
    line: Row, spread: list[tuple[str | None, int | None]], promised: int, left: int, since: str
) -> list[Claim]:
    """Hand the line's figures to its places in order, each up to its own quantity; the last takes the rest."""
    out: list[Claim] = []
    merged: dict[str | None, int | None] = {}
    for place, quantity in spread:
        before = merged.get(place, 0)
        merged[place] = None if quantity is None or before is None else before + quantity
    parts = list(merged.items())
    for i, (place, quantity) in enumerate(parts):
        last = i == len(parts) - 1
        gone = left if last or quantity is None else min(left, quantity)
        kept = promised if last or quantity is None else min(promised, quantity - gone)
        left -= gone
        promised -= kept
        out.append((line[ID], line[L.variant_id], place, line[L.quantity_scale], kept, gone, since))
    return out

"""Small steps between a mapped order and a stored one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from hub.db.bulk import fetch_in
from hub.records import (
    Adjustment,
    AdjustmentAllocation,
    ChannelOrder,
    FulfilmentLine,
    FulfilmentOrder,
    OrderLine,
)
from hub.records.rows import ID, Row
from hub.records.shape import places

O = places(ChannelOrder)  # noqa: E741 - the order's places
L = places(OrderLine)
F = places(FulfilmentOrder)
G = places(FulfilmentLine)
A = places(Adjustment)
S = places(AdjustmentAllocation)


def keep_vanished_lines(before: Row, after: Row) -> None:
    """Keep a line the channel no longer lists, as cancelled: what was promised for it is given back."""
    listed = {line[ID] for line in after[O.lines]}
    for line in before[O.lines]:
        if line[ID] not in listed:
            kept = list(line)
            kept[L.qty_cancelled] = kept[L.quantity] - kept[L.qty_shipped]
            after[O.lines].append(kept)


def tie_parts(order: Row) -> None:
    """Point allocations and fulfilment lines at the order's own lines, and number the lines once."""
    ids = {}
    for line in order[O.lines]:
        ids[line[L.external_line_id]] = line[ID]
        if line[L.line_no] is None:
            line[L.line_no] = int(line[ID].rsplit("-l", 1)[1])
    for adjustment in order[O.adjustments]:
        for part in adjustment[A.allocations]:
            part[S.order_line_id] = ids.get(part[S.external_line_id])
    for fulfilment in order[O.fulfilments]:
        for part in fulfilment[F.lines]:
            part[G.order_line_id] = ids.get(part[G.external_line_id])


def waiting_for(
    conn: Connection, merchant_id: str, names: Mapping[str, Iterable[str]]
) -> dict[str, set[str]]:
    """Return the orders (ids by connection) with a line that no variant was found for under these names.

    `names`: what a line may call a variant, by the line's own field.
    """
    out: dict[str, set[str]] = {}
    for field, wanted in names.items():
        rows = fetch_in(
            conn,
            "SELECT o.connection_id, o.id FROM order_line l JOIN channel_order o "
            "ON o.merchant_id=l.merchant_id AND o.id=l.channel_order_id WHERE l.merchant_id=? "
            f"AND l.variant_id IS NULL AND l.line_kind='goods' AND l.{field} IN ({{}})",
            (merchant_id,),
            wanted,
        )
        for connection_id, order_id in rows:
            out.setdefault(connection_id, set()).add(order_id)
    return out

"""Small steps between a mapped order and a stored one."""

from __future__ import annotations

from hub.db.trees import ID, Row
from hub.records import (
    Adjustment,
    AdjustmentAllocation,
    ChannelOrder,
    FulfilmentLine,
    FulfilmentOrder,
    OrderLine,
)
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

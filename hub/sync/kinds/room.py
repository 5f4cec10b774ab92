"""What every kind's step shares: the world around a connection, what it did, and telling the channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hub.commerce import stock
from hub.commerce.stock import Audience
from hub.db import Connection, flows, outbox
from hub.db.bulk import fetch
from hub.db.flows import Flow
from hub.db.scope import Changed, Scope
from hub.records.time import from_text, to_text
from hub.sync.prepare import Unit


@dataclass(frozen=True, slots=True)
class Room:
    """What applying needs to know of the world around one connection."""

    by_sku: frozenset[str]
    order_lag_s: Mapping[str, int]
    """Per connector code: seconds its order list may lag behind; codes that pull no orders are absent."""


@dataclass(slots=True)
class Applied:
    """What applying the units of one kind did."""

    unchanged: set[str] = field(default_factory=set)
    missing: dict[str, dict[str, Any]] = field(default_factory=dict)
    held_before: set[str] = field(default_factory=set)
    fields: dict[str, Any] = field(default_factory=dict)
    changes: list[Changed] = field(default_factory=list)


Apply = Callable[[Connection, Scope, Room, Sequence[Unit], Mapping[str, str]], Applied]


def audiences(conn: Connection, room: Room, merchant_id: str) -> list[tuple[Audience, str]]:
    """Return every connection that is told about stock, with its connector's code."""
    pushing = set(flows.pushing(conn, merchant_id, "inventory"))
    rows = fetch(
        conn, "SELECT id, code FROM connection WHERE merchant_id=? ORDER BY id", (merchant_id,)
    )
    return [
        (Audience(row_id, code in room.by_sku), code) for row_id, code in rows if row_id in pushing
    ]


def tell(
    conn: Connection,
    scope: Scope,
    room: Room,
    spots: set[tuple[str, str]],
    *,
    cause: str,
    is_gated: bool = False,
) -> int:
    """Put what every channel should show for these spots into the outbox; returns how many rows changed."""
    if not spots:
        return 0
    listeners = audiences(conn, room, scope.merchant_id)
    by_connection: dict[str, list[outbox.Wanted]] = {}
    for shown in stock.shown(conn, scope.merchant_id, [a for a, _code in listeners], spots):
        by_connection.setdefault(shown.connection_id, []).append(
            outbox.Wanted(shown.external_id, shown.figures, cause)
        )
    changed = 0
    codes = {audience.connection_id: code for audience, code in listeners}
    for connection_id, wanted in by_connection.items():
        flow = Flow(scope.merchant_id, connection_id, "inventory")
        count = outbox.want(conn, flow, wanted, scope.now)
        changed += count
        if is_gated:
            gate(conn, flow, room, codes[connection_id], [w.external_id for w in wanted], scope.now)
        if count:
            flows.hasten(conn, flow, "push", scope.now)
    return changed


def gate(
    conn: Connection, flow: Flow, room: Room, code: str, keys: Sequence[str], now: str
) -> None:
    """Hold figures back until orders placed up to now are known, where the channel has orders at all."""
    lag = room.order_lag_s.get(code)
    if lag is not None:
        outbox.gate(conn, flow, keys, to_text(from_text(now) + timedelta(seconds=lag)))
        flows.hasten(
            conn,
            replace(flow, kind="order"),
            "pull",
            to_text(from_text(now) + timedelta(seconds=lag)),
        )

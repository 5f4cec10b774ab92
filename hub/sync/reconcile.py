"""Reconcile: the push's comparison over everything, on a slow schedule.

It asks again for what should be shown everywhere (healing an outbox row that was never
written), and reopens what was delivered but is shown differently now.
"""

from __future__ import annotations

from typing import Any

from hub.commerce import stock
from hub.db import Connection, flows, observed, outbox
from hub.db.connections import ConnectionInfo
from hub.db.flows import Flow
from hub.db.outbox import Wanted
from hub.records.time import to_text
from hub.sync.engine import Engine
from hub.sync.kinds import Room, audiences, gate
from hub.sync.pull import room_of


async def reconcile(engine: Engine, info: ConnectionInfo, kind: str) -> dict[str, int]:
    """Compare all of one flow; returns how many states were asked for anew, and how many drifted."""
    flow = Flow(info.merchant_id, info.id, kind)
    found = await engine.db.write(_compare, flow, room_of(engine), info.code, to_text(engine.now()))
    engine.observe(
        "flow.compared",
        {
            "connection": info.id,
            "kind": kind,
            "queued": found["wanted"],
            "changed": found["drifted"],
        },
    )
    return found


def _compare(conn: Connection, flow: Flow, room: Room, code: str, now: str) -> dict[str, int]:
    mine = [
        a
        for a, _code in audiences(conn, room, flow.merchant_id)
        if a.connection_id == flow.connection_id
    ]
    wanted = [
        Wanted(s.external_id, s.figures, "reconcile")
        for s in stock.shown_everywhere(conn, flow.merchant_id, mine)
    ]
    fresh = outbox.want(conn, flow, wanted, now)
    drifted = _drifted(conn, flow)
    outbox.reopen(conn, flow, drifted, "drift", now)
    gate(conn, flow, room, code, drifted, now)
    if fresh or drifted:
        flows.hasten(conn, flow, "push", now)
    return {"wanted": fresh, "drifted": len(drifted)}


def _drifted(conn: Connection, flow: Flow) -> list[str]:
    desired = outbox.everything(conn, flow)
    seen = observed.seen(conn, flow, list(desired))
    return [
        key
        for key, wanted in desired.items()
        if key in seen and _differs(wanted, dict(seen[key].fields or {}))
    ]


def _differs(wanted: dict[str, Any], shown: dict[str, Any]) -> bool:
    """Compare the one figure every channel shows: what can be bought."""
    available = shown.get("available")
    return available is not None and wanted.get("available") != available

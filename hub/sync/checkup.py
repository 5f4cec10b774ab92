"""The proofs `hub doctor` runs: ledgers fold to their levels, counts add up, held rows match their counts."""

from __future__ import annotations

from typing import Any

from hub.commerce import stock
from hub.db import Connection, alerts, connections, flows
from hub.db.bulk import fetch
from hub.sync.engine import Engine


async def checkup(engine: Engine) -> list[str]:
    """Return one sentence per thing that is not as it should be."""
    out: list[str] = []
    for merchant in await engine.db.read(connections.merchants):
        out += await engine.db.read(check_merchant, merchant.merchant_id)
    if engine.db.is_sqlite:
        out += await engine.db.read(_integrity)
    return out


def check_merchant(conn: Connection, merchant_id: str) -> list[str]:
    """Return what does not hold for one merchant."""
    out = stock.prove(conn, merchant_id)
    for tally in flows.tallies(conn, merchant_id):
        parts = tally["applied"] + tally["duplicate"] + tally["held"] + tally["dead"]
        if tally["received"] != parts:
            out.append(
                f"flow {tally['connection_id']} {tally['kind']}: received {tally['received']}, "
                f"but {parts} accounted for"
            )

    out += _held_match(conn, merchant_id)
    out += [f"{a['message']}" for a in alerts.open_alerts(conn, merchant_id)]
    return out


def _held_match(conn: Connection, merchant_id: str) -> list[str]:
    counted = {(t["connection_id"], t["kind"]): t["held"] for t in flows.tallies(conn, merchant_id)}
    rows = fetch(
        conn,
        "SELECT connection_id, kind, count(*) FROM held WHERE merchant_id=? AND state='open' AND verb='pull' "
        "GROUP BY connection_id, kind",
        (merchant_id,),
    )
    standing = {(row[0], row[1]): row[2] for row in rows}
    return [
        f"flow {key[0]} {key[1]}: {counted.get(key, 0)} counted as held, {standing.get(key, 0)} stand on the desk"
        for key in sorted(set(counted) | set(standing))
        if counted.get(key, 0) != standing.get(key, 0)
    ]


def _integrity(conn: Connection) -> list[str]:
    found: list[Any] = fetch(conn, "PRAGMA quick_check")  # SQLite only; the caller asks first
    return [f"database: {row[0]}" for row in found if row[0] != "ok"]

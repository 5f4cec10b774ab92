"""Do hub and channels agree? Counted from what the channels say is true, not from what the hub remembers.

A simulator's truth carries `agreement`: per account name its `orders` (external id to total in
minor units, units sold, whether cancelled) and its `stock` (the outbox's key to the figure shown).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.app import Hub
from hub.cli.demo.channels import Channel
from hub.db import Connection, connections, flows, held
from hub.db.bulk import fetch, from_json
from hub.db.connections import ConnectionInfo
from hub.sync.checkup import checkup


async def judge(hub: Hub, merchant_id: str, channels: Sequence[Channel]) -> dict[str, Any]:
    """Return the summary of the demo; `agrees` says whether all is as it should be."""
    infos = {i.name: i for i in await hub.db.read(connections.listing, merchant_id)}
    differences: list[str] = []
    oversold = planted = 0
    orders: dict[str, int] = {}
    pushed: dict[str, int] = {}
    tallies = await hub.db.read(flows.tallies, merchant_id)
    for channel in channels:
        truth = await channel.truth()
        oversold += sum(int(o.get("units", 1)) for o in truth["oversold"])
        planted += len(truth["planted_bad"])
        for name, _form in channel.accounts:
            info = infos[name]
            told = truth["agreement"][name]
            differences += await hub.db.read(_compare_orders, info, told["orders"])
            differences += await hub.db.read(_compare_stock, info, told["stock"])
            count = await hub.db.read(_count, merchant_id, "channel_order", info.id)
            orders[channel.code] = orders.get(channel.code, 0) + count
            pushed[channel.code] = pushed.get(channel.code, 0) + sum(
                t["pushed"] for t in tallies if t["connection_id"] == info.id
            )
    waiting = await hub.db.read(held.listing, merchant_id)
    findings = await checkup(hub.engine)
    summary: dict[str, Any] = {
        "orders": orders,
        "members": await hub.db.read(_count, merchant_id, "member", None),
        "variants": await hub.db.read(_count, merchant_id, "variant", None),
        "after_sales": await hub.db.read(_count, merchant_id, "after_sale", None),
        "pushed": pushed,
        "received": sum(t["received"] for t in tallies),
        "applied": sum(t["applied"] for t in tallies),
        "duplicate": sum(t["duplicate"] for t in tallies),
        "held": len(waiting),
        "planted_bad": planted,
        "oversold": oversold,
        "disagreements": len(differences),
        "differences": differences[:20],
        "findings": findings,
    }
    summary["agrees"] = (
        not differences and not oversold and not findings and len(waiting) == planted
    )
    return summary


def _count(conn: Connection, merchant_id: str, table: str, connection_id: str | None) -> int:
    where = " AND connection_id=?" if connection_id else ""
    values = (merchant_id, connection_id) if connection_id else (merchant_id,)
    rows = fetch(conn, f'SELECT count(*) FROM "{table}" WHERE merchant_id=?{where}', values)  # noqa: S608 - a table of ours
    return int(rows[0][0])


def _compare_orders(conn: Connection, info: ConnectionInfo, told: dict[str, Any]) -> list[str]:
    rows = fetch(
        conn,
        "SELECT o.external_order_id, o.amount_payable, o.order_state, "
        "(SELECT sum(l.quantity) FROM order_line l WHERE l.merchant_id=o.merchant_id AND l.channel_order_id=o.id) "
        "FROM channel_order o WHERE o.merchant_id=? AND o.connection_id=?",
        (info.merchant_id, info.id),
    )
    ours = {
        row[0]: {"total": row[1], "cancelled": row[2] == "cancelled", "units": int(row[3] or 0)}
        for row in rows
    }
    out = [f"{info.name}: order {key} is missing here" for key in sorted(told.keys() - ours.keys())]
    out += [
        f"{info.name}: order {key} is not on the channel"
        for key in sorted(ours.keys() - told.keys())
    ]
    for key in sorted(ours.keys() & told.keys()):
        wrong = {
            n: [told[key][n], ours[key][n]] for n in ours[key] if told[key].get(n) != ours[key][n]
        }
        if wrong:
            out.append(f"{info.name}: order {key} differs (channel, hub): {wrong}")
    return out


def _compare_stock(conn: Connection, info: ConnectionInfo, told: dict[str, int]) -> list[str]:
    rows = fetch(
        conn,
        "SELECT external_id, desired FROM outbox WHERE merchant_id=? AND connection_id=? AND kind='inventory'",
        (info.merchant_id, info.id),
    )
    wanted = {row[0]: from_json(row[1])["available"] for row in rows}
    return [
        f"{info.name}: stock {key} shows {told.get(key)}, should show {wanted.get(key)}"
        for key in sorted(told.keys() | wanted.keys())
        if told.get(key) != wanted.get(key)
    ]

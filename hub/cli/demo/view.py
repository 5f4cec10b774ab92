"""What the live demo shows: flows and counts, the newest orders, what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from hub.app import Hub
from hub.cli.demo.channels import Channel
from hub.db import Connection, connections, flows, held, outbox
from hub.db.bulk import fetch
from hub.records.money import to_text as money


async def drawn(hub: Hub, merchant_id: str, _channels: Sequence[Channel]) -> Group:
    """Return the picture of this moment."""
    names = {i.id: i.name for i in await hub.db.read(connections.listing, merchant_id)}
    tallies = await hub.db.read(flows.tallies, merchant_id)
    rows = await hub.db.read(flows.freshness, merchant_id)
    backlog = await hub.db.read(outbox.backlog, merchant_id)
    waiting = await hub.db.read(held.listing, merchant_id)
    orders = await hub.db.read(_newest, merchant_id)
    return Group(
        f"Outbox: {backlog.get('waiting', 0)} waiting, {backlog.get('done', 0)} done.   "
        f"Held for a person: {len(waiting)} (hub held list)",
        _flows(names, tallies, rows, hub),
        _orders(names, orders),
    )


def _flows(names: dict[str, str], tallies: list[Any], rows: list[Any], hub: Hub) -> Table:
    table = Table(title="Flows 同步", title_justify="left")
    for head in (
        "connection",
        "kind",
        "received",
        "applied",
        "duplicate",
        "held",
        "pushed",
        "last pull",
    ):
        table.add_column(head, justify="left" if head in {"connection", "kind"} else "right")
    last = {
        (r["connection_id"], r["kind"]): r["last_finished_at"] for r in rows if r["verb"] == "pull"
    }
    for tally in tallies:
        age = flows.age_s(last.get((tally["connection_id"], tally["kind"])), hub.engine.now())
        table.add_row(
            names.get(tally["connection_id"], "?"), tally["kind"],
            *(str(tally[n]) for n in ("received", "applied", "duplicate", "held", "pushed")),
            "" if age is None else f"{age:.0f} s ago",
        )  # fmt: skip
    return table


def _orders(names: dict[str, str], rows: list[Any]) -> Table:
    table = Table(title="Newest orders 最新订单", title_justify="left")
    for head in ("channel", "order", "state", "payment", "fulfilment", "payable"):
        table.add_column(head)
    for connection_id, display, state, payment, fulfilment, amount, currency in rows:
        table.add_row(
            names.get(connection_id, "?"),
            display,
            state,
            payment,
            fulfilment,
            f"{money(amount, currency)} {currency}",
        )
    return table


def _newest(conn: Connection, merchant_id: str) -> list[Any]:
    return fetch(
        conn,
        "SELECT connection_id, coalesce(display_no, external_order_id), order_state, payment_state, fulfilment_state, "
        "amount_payable, currency FROM channel_order WHERE merchant_id=? ORDER BY placed_at DESC LIMIT 8",
        (merchant_id,),
    )

"""INV-9: no query of one merchant sees or touches a row of another, even where every other id is equal."""

from __future__ import annotations

from hub.db import Connection, Database, alerts, connections, flows, held, keys, observed, outbox
from hub.db.bulk import fetch
from hub.db.connections import ConnectionInfo, MerchantRow
from hub.db.flows import Counts, Flow
from hub.db.held import Hold
from hub.db.observed import Seen
from hub.db.outbox import Wanted

MINE, THEIRS = Flow("mer_1", "con_1", "inventory"), Flow("mer_2", "con_1", "inventory")
NOW = "2026-10-05T08:00:00.000000Z"


def fill(conn: Connection, flow: Flow) -> None:
    """One row of everything, under the same connection, kind and key."""
    merchant = flow.merchant_id
    connections.add_merchant(
        conn, MerchantRow(merchant, merchant, "CNY", "Asia/Shanghai", None), NOW
    )
    info = ConnectionInfo(
        merchant, "con_1", "shop", "shop", "r", "active", {}, is_catalogue_source=True
    )
    connections.add(conn, info, {"token": merchant.encode()}, NOW)
    connections.save_limit_state(conn, merchant, "con_1", {"limiter": {"of": merchant}}, NOW)
    observed.bind(conn, flow, [("K", f"of_{merchant}")], NOW)
    observed.note(conn, flow, [("K", Seen(1, b"h", NOW, {"of": merchant}, None, NOW))])
    flows.move(conn, flow, {"of": merchant}, walk_started_at=NOW, done=True, now=NOW)
    flows.count(conn, flow, Counts(received=1, held=1))
    flows.ensure_schedule(conn, flow, "push", every_s=1, now=NOW)
    outbox.want(conn, flow, [Wanted("K", {"of": merchant})], NOW)
    held.hold(conn, flow, [Hold("K", "pull", [{"class": merchant}], b"d", b"h")], NOW)
    alerts.raise_alert(
        conn, merchant, "con_1", "s", cause=merchant, message="m", hint=None, now=NOW
    )
    keys.put_keys(conn, [(merchant, "k1", "data", merchant.encode(), "active", 0)], NOW)


def seen_by(conn: Connection, flow: Flow) -> dict[str, object]:
    """Ask every query what it sees for one merchant, as plain values."""
    merchant = flow.merchant_id
    return {
        "refs": observed.refs(conn, flow, ["K"]),
        "all refs": observed.all_refs(conn, flow),
        "seen": {k: dict(s.fields or {}) for k, s in observed.seen(conn, flow, ["K"]).items()},
        "position": flows.position(conn, flow).value,
        "tallies": [row["held"] for row in flows.tallies(conn, merchant)],
        "pushing": flows.pushing(conn, merchant, "inventory"),
        "freshness": len(flows.freshness(conn, merchant)),
        "desired": outbox.desired(conn, flow, ["K"]),
        "everything": outbox.everything(conn, flow),
        "waiting": [
            row.desired for row in outbox.waiting(conn, flow, now=NOW, order_walk_at=None, limit=9)
        ],
        "backlog": outbox.backlog(conn, merchant),
        "held": [row["cause"] for row in held.listing(conn, merchant)],
        "open": len(held.open_ones(conn, flow, ["K"])),
        "alerts": [row["cause"] for row in alerts.open_alerts(conn, merchant)],
        "keys": [row[3] for row in keys.keys(conn, merchant)],
        "secrets": connections.secrets(conn, merchant, "con_1"),
        "listing": len(connections.listing(conn, merchant)),
        "one": connections.one(conn, merchant, "con_1") is not None,
        "by remote": connections.by_remote(conn, merchant, "shop", "r") is not None,
        "limits": connections.limit_state(conn, merchant, "con_1"),
    }


async def test_a_merchant_sees_nothing_of_another_with_the_same_ids(db: Database) -> None:
    empty = await db.read(seen_by, MINE)
    await db.write(fill, THEIRS)

    assert await db.read(seen_by, MINE) == empty

    theirs = await db.read(seen_by, THEIRS)
    await db.write(fill, MINE)
    assert await db.read(seen_by, THEIRS) == theirs
    assert "mer_2" not in repr(await db.read(seen_by, MINE))


async def test_what_a_merchant_changes_changes_nothing_of_another(db: Database) -> None:
    await db.write(fill, THEIRS)
    await db.write(fill, MINE)
    theirs = await db.read(seen_by, THEIRS)
    [(row_id,)] = await db.read(fetch, "SELECT id FROM held WHERE merchant_id='mer_2'")

    def everything(conn: Connection) -> None:
        outbox.put_off(conn, MINE, ["K"], not_before=NOW, error="e")
        outbox.gate(conn, MINE, ["K"], NOW)
        outbox.refuse(conn, MINE, "K", 1, "e")
        outbox.release(conn, MINE, ["K"])
        outbox.done(conn, MINE, [("K", 1)], NOW)
        outbox.reopen(conn, MINE, ["K"], "drift", NOW)
        assert held.close(conn, MINE, ["K"], NOW) == 1
        assert held.set_aside(conn, "mer_1", row_id, NOW) is False
        assert held.document(conn, "mer_1", row_id) is None
        held.blame(conn, "mer_1", row_id, {"class": "x"}, NOW)
        flows.settle(conn, MINE, applied=1)
        flows.switch_off(conn, MINE, "push", "r", ask_again_at=NOW)
        assert alerts.close_alert(conn, "mer_1", "con_1", "s", NOW)
        assert connections.set_state(conn, "mer_1", "con_1", "paused", NOW)
        keys.forget_keys(conn, "mer_1", ["k1"])

    await db.write(everything)

    assert await db.read(seen_by, THEIRS) == theirs

"""The whole engine on a real database, around channels in memory. No socket, no real time.

`async with a_world(url) as world`: one merchant with a shop (its catalogue source) and a till.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as SqlEngine
from sqlalchemy import event

from hub.db import Connection, Database, connections, flows, held, keys
from hub.db.bulk import fetch
from hub.db.connections import ConnectionInfo, MerchantRow
from hub.db.flows import Due, Flow
from hub.db.migrate import migrate
from hub.db.tables import metadata
from hub.errors import ChannelError, HubError
from hub.jobs import Runner
from hub.mapping import Mapping, load
from hub.sdk import Place
from hub.sync import checkup, connect
from hub.sync.engine import Engine
from hub.vault import Keyring, MasterKey, Vault, WrappedKey
from tests.sync.channels import MAIN, Channel, Clock, connectors_of

TOKEN = "canary-token-of-the-shop"
VAULT = Vault([MasterKey(bytes(range(32)))])
_FOLDER = Path(__file__).with_name("mappings")
MAPPINGS: dict[str, Sequence[Mapping]] = {
    code: [load(path) for path in sorted((_FOLDER / code).glob("*.yaml"))]
    for code in ("shop", "till")
}
SHOP_KINDS = ("product", "inventory", "member", "order")


@dataclass
class World:
    """A merchant, the engine and the channels."""

    db: Database
    clock: Clock
    channels: dict[str, Channel]
    engine: Engine
    merchant_id: str = "mer_1"
    infos: dict[str, ConnectionInfo] = field(default_factory=dict)
    rings: dict[str, Keyring] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def shop(self) -> Channel:
        return self.channels["shop"]

    @property
    def till(self) -> Channel:
        return self.channels["till"]

    def flow(self, kind: str, who: str = "shop") -> Flow:
        return Flow(self.merchant_id, self.infos[who].id, kind)

    async def add_merchant(self, merchant_id: str) -> None:
        """Register a merchant with keys of its own."""
        row = MerchantRow(merchant_id, merchant_id, "CNY", "Asia/Shanghai", None)
        made = VAULT.new_keys(merchant_id)
        stored = [(k.merchant_id, k.key_id, k.purpose, k.wrapped, k.state, k.seals) for k in made]

        def add(conn: Connection) -> None:
            connections.add_merchant(conn, row, self.clock.text)
            keys.put_keys(conn, stored, self.clock.text)

        await self.db.write(add)
        await self.open_keys(merchant_id)

    async def open_keys(self, merchant_id: str) -> None:
        """Open, or open anew, a merchant's keys."""
        rows = await self.db.read(keys.keys, merchant_id)
        self.rings[merchant_id] = VAULT.open(merchant_id, [WrappedKey(*row) for row in rows])  # type: ignore[arg-type] # the vault checks

    async def join(self, code: str, channel: str | None = None) -> ConnectionInfo:
        """Register a connection to a channel."""
        name = channel or code
        form = {"name": name, "token": TOKEN}
        done = await connect.register(self.engine, self.merchant_id, code, name, form)
        self.infos[name] = done.info
        return done.info

    async def run(self, who: str, kind: str, verb: str) -> HubError | None:
        """Run one flow the way the runner does, bookkeeping included."""
        flow = self.flow(kind, who)
        rows = await self.db.read(flows.freshness, flow.merchant_id)
        failures = next(
            row["failures"]
            for row in rows
            if (row["connection_id"], row["kind"], row["verb"]) == (flow.connection_id, kind, verb)
        )
        return await Runner(self.engine).run(Due(flow, verb, 300, failures))

    async def walk(self, *kinds: str, who: str = "shop") -> None:
        """Pull these streams, which must succeed; every walk starts a second later."""
        for kind in kinds:
            self.clock.forward(1)
            failure = await self.run(who, kind, "pull")
            if failure is not None:
                raise failure

    async def push(self, who: str = "shop") -> ChannelError | None:
        """Deliver what may go; returns what the channel said against it, and raises anything else."""
        self.clock.forward(1)
        failure = await self.run(who, "inventory", "push")
        if failure is None or isinstance(failure, ChannelError):
            return failure
        raise failure

    async def round(self) -> None:
        """Let every flow run once, long enough after the last time that no gate holds."""
        self.clock.forward(180)
        await self.walk(*SHOP_KINDS)
        if "till" in self.infos:
            await self.walk("order", who="till")
            await self.push("till")
        await self.push("shop")

    async def open(self) -> None:
        """Bring the world to where trade starts: the catalogue is known and counted."""
        await self.walk("product", "inventory", "order", "member")
        await self.round()

    # --- what stands in the database --------------------------------------------------------------

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return await self.db.read(fetch, sql, values)

    async def level(self, sku: str = "SKU-1-1") -> tuple[int, int]:
        """Return (on hand, reserved) of a SKU at the main place."""
        found = await self.rows(
            "SELECT l.on_hand, l.reserved FROM stock_level l JOIN variant v ON v.merchant_id=l.merchant_id "
            "AND v.id=l.variant_id JOIN location o ON o.merchant_id=l.merchant_id AND o.id=l.location_id "
            "WHERE v.merchant_id=? AND v.sku=? AND o.name='Main'",
            self.merchant_id,
            sku,
        )
        assert len(found) == 1, found
        return found[0][0], found[0][1]

    async def tally(self, kind: str, who: str = "shop") -> dict[str, int]:
        """Return the counts of a flow."""
        for row in await self.db.read(flows.tallies, self.merchant_id):
            if (row["connection_id"], row["kind"]) == (self.infos[who].id, kind):
                return {
                    name: row[name] for name in ("received", "applied", "duplicate", "held", "dead")
                }
        return {}

    async def held(self, state: str = "open") -> list[dict[str, Any]]:
        return await self.db.read(held.listing, self.merchant_id, state=state)

    async def problems(self) -> list[str]:
        """Return what does not hold: ledgers, counts, held rows, open alerts (INV-6)."""
        return await self.db.read(checkup.check_merchant, self.merchant_id)

    async def outbox(self, who: str = "shop") -> dict[str, tuple[int, int, str, int]]:
        """Return key to (version, delivered version, state, figure)."""
        rows = await self.rows(
            "SELECT external_id, version, done_version, state, desired FROM outbox WHERE merchant_id=? "
            "AND connection_id=? ORDER BY external_id",
            self.merchant_id,
            self.infos[who].id,
        )
        return {r[0]: (r[1], r[2], r[3], decoded(r[4])["available"]) for r in rows}


def decoded(value: Any) -> Any:
    import msgspec  # noqa: PLC0415 - one helper

    return msgspec.json.decode(value) if isinstance(value, str) else value


def an_engine(db: Database, clock: Clock, channels: dict[str, Channel]) -> World:
    """Build the engine around a migrated database."""
    rings: dict[str, Keyring] = {}
    events: list[tuple[str, dict[str, Any]]] = []
    engine = Engine(
        db=db,
        connectors=connectors_of(channels),
        mappings=MAPPINGS,
        seals=rings.__getitem__,
        now=clock,
        observe=lambda name, fields: events.append((name, dict(fields))),
    )
    return World(db, clock, channels, engine, rings=rings, events=events)


def some_channels(clock: Clock) -> dict[str, Channel]:
    places = (Place(MAIN, "Main"),)
    return {name: Channel(name, clock, places) for name in ("shop", "till")}


@asynccontextmanager
async def a_world(
    url: str, *, joins: Sequence[str] = ("shop", "till"), kind: type[Database] = Database
) -> AsyncIterator[World]:
    """Open a fresh world on an empty or used database; what stood in it is gone."""
    clock = Clock()
    db = kind(url)
    try:
        migrate(db.engine)
        wipe(db.engine)
        world = an_engine(db, clock, some_channels(clock))
        await world.add_merchant(world.merchant_id)
        for code in joins:
            await world.join(code)
        yield world
    finally:
        await db.close()


@asynccontextmanager
async def again(world: World, *, kind: type[Database] = Database) -> AsyncIterator[World]:
    """Open the database of a world anew, as after a restart: the channels went on, memory is empty."""
    db = kind(world.db.url.render_as_string(hide_password=False))
    try:
        fresh = an_engine(db, world.clock, world.channels)
        fresh.merchant_id, fresh.infos = world.merchant_id, world.infos
        for merchant in await db.read(connections.merchants):
            await fresh.open_keys(merchant.merchant_id)
        yield fresh
    finally:
        await db.close()


def wipe(engine: SqlEngine) -> None:
    """Empty every table."""
    with engine.begin() as conn:
        for table in metadata.sorted_tables:
            conn.execute(table.delete())


@contextmanager
def counting_commits(db: Database) -> Iterator[list[int]]:
    """Count the transactions that changed something; `[n]` in the list it gives."""
    count = [0]

    def executed(conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}:
            conn.info["changed"] = True

    def committed(conn: Any) -> None:
        count[0] += bool(conn.info.pop("changed", False))

    event.listen(db.engine, "after_cursor_execute", executed)
    event.listen(db.engine, "commit", committed)
    try:
        yield count
    finally:
        event.remove(db.engine, "after_cursor_execute", executed)
        event.remove(db.engine, "commit", committed)


# --- the picture: everything canonical, by natural keys, without ids and times --------------------

_PICTURE = {
    "order": (
        "SELECT c.name, o.external_order_id, o.order_state, o.payment_state, o.fulfilment_state, o.return_state, "
        "o.amount_payable, o.amount_paid, o.amount_refunded, o.source_updated_at, l.external_line_id, l.line_no, "
        "v.sku, l.quantity, l.qty_cancelled, l.qty_shipped, l.qty_returned, l.qty_refunded, l.line_payable "
        "FROM channel_order o JOIN connection c ON c.merchant_id=o.merchant_id AND c.id=o.connection_id "
        "LEFT JOIN order_line l ON l.merchant_id=o.merchant_id AND l.channel_order_id=o.id "
        "LEFT JOIN variant v ON v.merchant_id=o.merchant_id AND v.id=l.variant_id WHERE o.merchant_id=?"
    ),
    "case": (
        "SELECT a.external_id, o.external_order_id, a.state, a.approved_amount, k.quantity, k.reception, v.sku, "
        "r.amount, r.state FROM after_sale a LEFT JOIN channel_order o ON o.merchant_id=a.merchant_id "
        "AND o.id=a.channel_order_id LEFT JOIN after_sale_line k ON k.merchant_id=a.merchant_id "
        "AND k.after_sale_id=a.id LEFT JOIN variant v ON v.merchant_id=a.merchant_id AND v.id=k.variant_id "
        "LEFT JOIN refund r ON r.merchant_id=a.merchant_id AND r.after_sale_id=a.id WHERE a.merchant_id=?"
    ),
    "stock": (
        "SELECT v.sku, o.name, l.on_hand, l.reserved, l.unavailable FROM stock_level l JOIN variant v "
        "ON v.merchant_id=l.merchant_id AND v.id=l.variant_id JOIN location o ON o.merchant_id=l.merchant_id "
        "AND o.id=l.location_id WHERE l.merchant_id=?"
    ),
    "promise": (
        "SELECT v.sku, r.quantity, r.consumed, r.state FROM reservation r JOIN variant v "
        "ON v.merchant_id=r.merchant_id AND v.id=r.variant_id WHERE r.merchant_id=? AND r.quantity+r.consumed>0"
    ),
    "product": (
        "SELECT p.title, p.brand, v.sku, v.title FROM product p LEFT JOIN variant v "
        "ON v.merchant_id=p.merchant_id AND v.product_id=p.id WHERE p.merchant_id=?"
    ),
    "listing": (
        "SELECT g.external_product_id, g.title, k.external_sku_id, k.stock_sync_enabled, v.sku FROM listing g "
        "LEFT JOIN listing_sku k ON k.merchant_id=g.merchant_id AND k.listing_id=g.id LEFT JOIN variant v "
        "ON v.merchant_id=k.merchant_id AND v.id=k.variant_id WHERE g.merchant_id=?"
    ),
    "member": (
        "SELECT m.state, i.kind, i.namespace, i.strength, s.purpose, s.channel, s.state "
        "FROM member m LEFT JOIN member_identity i ON i.merchant_id=m.merchant_id AND i.member_id=m.id "
        "LEFT JOIN consent s ON s.merchant_id=m.merchant_id AND s.member_id=m.id WHERE m.merchant_id=?"
    ),
    "held": "SELECT kind, external_id, verb, state, cause FROM held WHERE merchant_id=? AND state='open'",
    "wanted": "SELECT c.name, x.external_id, x.state, x.desired FROM outbox x JOIN connection c "
    "ON c.merchant_id=x.merchant_id AND c.id=x.connection_id WHERE x.merchant_id=?",
}
_EXACT = {
    "tally": "SELECT c.name, t.kind, received, applied, duplicate, held, dead FROM tally t JOIN connection c "
    "ON c.merchant_id=t.merchant_id AND c.id=t.connection_id WHERE t.merchant_id=?",
    "ledger": "SELECT v.sku, e.seq, e.entry_type, e.delta_on_hand, e.delta_reserved FROM stock_ledger e "
    "JOIN variant v ON v.merchant_id=e.merchant_id AND v.id=e.variant_id WHERE e.merchant_id=?",
    "cursor": "SELECT c.name, t.kind, t.value FROM cursor t JOIN connection c ON c.merchant_id=t.merchant_id "
    "AND c.id=t.connection_id WHERE t.merchant_id=?",
}


async def picture(world: World, *, exact: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """Return what is true, comparable between runs; `exact` adds counts, movements and cursors."""
    out = {}
    for name, sql in (_PICTURE | _EXACT if exact else _PICTURE).items():
        rows = await world.rows(sql, world.merchant_id)
        out[name] = sorted((tuple(_plain(v) for v in row) for row in rows), key=repr)
    return out


def _plain(value: Any) -> Any:
    value = decoded(value) if isinstance(value, str) and value[:1] in {"{", "["} else value
    if isinstance(value, bool):
        return int(value)
    return repr(sorted(value.items())) if isinstance(value, dict) else value

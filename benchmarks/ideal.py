"""The hand-written ideal: what one person would write for one shop and one table layout, and nothing more.

httpx, typed msgspec structs, tuples, `executemany` upserts (or COPY into a staging table and one
upsert), one transaction per page with the cursor row inside. No ledger, no history, no archive
but the raw text, no seals, no conflicts, no mapping file: the floor our semantics are paid on.

`python -m benchmarks.ideal <variant> <address> <database> [first]` prints one JSON line.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import httpx
import msgspec
import psycopg

from benchmarks.measure import Span, memory_mb, reset_peak
from benchmarks.structs import Bag, Order, RawReply, Reply
from connectors.shopify.documents import documents

_whole = msgspec.json.Decoder(Reply).decode
_raw = msgspec.json.Decoder(RawReply).decode
_one = msgspec.json.Decoder(Order).decode

ORDER = (
    "id", "name", "created_at", "updated_at", "processed_at", "closed_at", "cancelled_at", "cancel_reason",
    "is_test", "currency", "presentment_currency", "taxes_included", "source", "note", "financial", "fulfilment",
    "return_status", "total", "current_total", "tax", "customer_id", "ship_name", "ship_phone", "ship_country",
    "ship_province", "ship_city", "ship_street", "ship_zip",
)  # fmt: skip
LINE = (
    "id", "order_id", "title", "sku", "variant_id", "quantity", "current_quantity", "unit_price", "subtotal", "tax",
    "discount",
)  # fmt: skip
_NUMBERS = {
    "total",
    "current_total",
    "tax",
    "unit_price",
    "subtotal",
    "discount",
    "quantity",
    "current_quantity",
}
_FLAGS = {"is_test", "taxes_included"}
TABLES = {
    "orders": ORDER,
    "order_lines": LINE,
    "customers": ("id", "last_order_id"),
    "payloads": ("id", "body"),
}
Rows = dict[str, list[tuple[Any, ...]]]


def minor(bag: Bag | None) -> int:
    """Return an amount in minor units, exactly."""
    if bag is None:
        return 0
    whole, _, rest = bag.shop.amount.partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])


def rows_of(orders: Sequence[Order]) -> Rows:
    """Turn orders into tuples."""
    heads, lines, customers = [], [], {}
    for o in orders:
        to = o.shipping_address
        customer = o.customer.id if o.customer else None
        heads.append((
            o.id, o.name, o.created_at, o.updated_at, o.processed_at, o.closed_at, o.cancelled_at, o.cancel_reason,
            o.test, o.currency_code, o.presentment_currency_code, o.taxes_included, o.source_name, o.note,
            o.display_financial_status, o.display_fulfillment_status, o.return_status, minor(o.total_price_set),
            minor(o.current_total_price_set), minor(o.total_tax_set), customer,
            *((to.name, to.phone, to.country, to.province, to.city, to.address1, to.zip) if to else (None,) * 7),
        ))  # fmt: skip
        if customer:
            customers[customer] = (customer, o.id)
        for n in o.line_items.nodes:
            lines.append((
                n.id, o.id, n.title, n.sku, n.variant.id if n.variant else None, n.quantity, n.current_quantity,
                minor(n.original_unit_price_set), minor(n.original_total_set),
                sum(minor(t.price_set) for t in n.tax_lines),
                sum(minor(a.allocated_amount_set) for a in n.discount_allocations),
            ))  # fmt: skip
    return {"orders": heads, "order_lines": lines, "customers": list(customers.values())}


class Store(Protocol):
    """Where pages go."""

    def save(self, rows: Rows, cursor: str) -> None:
        """Write a page and its cursor in one transaction."""


def _columns(names: Sequence[str]) -> str:
    kinds = {**dict.fromkeys(_NUMBERS, "bigint"), **dict.fromkeys(_FLAGS, "boolean")}
    return ", ".join(f"{name} {kinds.get(name, 'text')}" for name in names)


def _changes(names: Sequence[str]) -> str:
    return ", ".join(f"{name}=excluded.{name}" for name in names[1:])


class Sqlite:
    """SQLite, WAL, synchronous NORMAL."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA cache_size=-16384")
        for table, names in TABLES.items():
            ending = "" if table == "payloads" else " WITHOUT ROWID"  # the quicker way for each
            self._db.execute(f"CREATE TABLE {table} ({_columns(names)}, PRIMARY KEY (id)){ending}")
        self._db.execute("CREATE TABLE place (id integer PRIMARY KEY, value text)")
        self._sql = {
            table: f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))}) "  # noqa: S608 - our own names
            f"ON CONFLICT (id) DO UPDATE SET {_changes(names)}"
            for table, names in TABLES.items()
        }

    def save(self, rows: Rows, cursor: str) -> None:
        """Write a page and its cursor in one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        for table, values in rows.items():
            self._db.executemany(self._sql[table], values)
        self._db.execute(
            "INSERT INTO place VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET value=excluded.value",
            (cursor,),
        )
        self._db.execute("COMMIT")


class Postgres:
    """PostgreSQL: COPY into a staging table, then one upsert."""

    def __init__(self, dsn: str) -> None:
        self._db = psycopg.connect(dsn)
        with self._db.cursor() as cursor:
            for table, names in TABLES.items():
                cursor.execute(
                    f"CREATE TABLE {table} ({_columns(names)}, PRIMARY KEY (id))".encode()
                )
                cursor.execute(f"CREATE TEMP TABLE new_{table} ({_columns(names)})".encode())
            cursor.execute(b"CREATE TABLE place (id integer PRIMARY KEY, value text)")
        self._db.commit()

    def save(self, rows: Rows, cursor: str) -> None:
        """Write a page and its cursor in one transaction."""
        with self._db.cursor() as sql:
            for table, values in rows.items():
                with sql.copy(f"COPY new_{table} FROM STDIN".encode()) as copy:
                    for row in values:
                        copy.write_row(row)
                sql.execute(
                    f"INSERT INTO {table} SELECT * FROM new_{table} ON CONFLICT (id) DO UPDATE SET "  # noqa: S608 - our own names
                    f"{_changes(TABLES[table])}".encode()
                )
                sql.execute(f"TRUNCATE new_{table}".encode())
            sql.execute(
                b"INSERT INTO place VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET value=excluded.value",
                (cursor,),
            )
        self._db.commit()


class Puller:
    """One shop's orders into one store."""

    def __init__(self, address: str, store: Store, *, first: int, keep_raw: bool) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False)
        self._store, self._first, self._keep_raw = store, first, keep_raw
        self._query = documents()["OrdersPage"]
        self.mark = ""

    def walk(self) -> int:
        """Pull everything changed since the last walk; returns how many orders came."""
        total, after, more = 0, None, True
        bound = f"updated_at:>='{self.mark}'" if self.mark else None
        while more:
            body = self._ask(after, bound)
            if self._keep_raw:
                found = _raw(body).data.orders
                orders = [_one(raw) for raw in found.nodes]
                rows = rows_of(orders)
                rows["payloads"] = [
                    (o.id, str(raw, "utf-8")) for o, raw in zip(orders, found.nodes, strict=True)
                ]
                info = found.page_info
            else:
                page = _whole(body).data.orders
                orders, info = page.nodes, page.page_info
                rows = rows_of(orders)
            after, more = info.end_cursor, info.has_next_page
            if orders:
                self.mark = max(self.mark, orders[-1].updated_at)
            self._store.save(rows, after or self.mark)
            total += len(orders)
        return total

    def _ask(self, after: str | None, bound: str | None) -> bytes:
        variables = {"first": self._first, "after": after, "q": bound}
        reply = self._client.post(
            "/admin/api/2026-10/graphql.json",
            content=msgspec.json.encode(
                {"query": self._query, "variables": variables, "operationName": "OrdersPage"}
            ),
        )
        reply.raise_for_status()
        return reply.content


def _read_only(address: str, first: int) -> Iterator[int]:
    """Fetch every page and throw it away: the fake shop's own ceiling."""
    puller = Puller(address, Sqlite(":memory:"), first=first, keep_raw=False)
    after: str | None = None
    while True:
        info = _raw(puller._ask(after, None)).data.orders
        yield len(info.nodes)
        if not info.page_info.has_next_page:
            return
        after = info.page_info.end_cursor


def _small(puller: Puller, address: str) -> dict[str, float]:
    """Measure walks that find nothing new, then one that finds 200 changed orders."""
    figures: dict[str, float] = {}
    idle = []
    for _ in range(5):
        with Span() as nothing:
            puller.walk()
        idle.append(nothing)
    figures["nothing_ms"] = sorted(s.wall_s for s in idle)[2] * 1000
    figures["nothing_cpu_ms"] = sorted(s.cpu_s for s in idle)[2] * 1000
    httpx.post(f"{address}/_bench/touch", json={"count": 200}, trust_env=False)
    with Span() as changed:
        figures["changed"] = puller.walk()
    figures["changed_ms"], figures["changed_cpu_ms"] = changed.wall_s * 1000, changed.cpu_s * 1000
    return figures


def main(variant: str, address: str, database: str, first: int, mode: str) -> dict[str, Any]:
    """Run one variant once."""
    if variant == "ceiling":
        with Span() as span:
            orders = sum(_read_only(address, first))
        return {"orders": orders, "wall_s": span.wall_s, "cpu_s": span.cpu_s}
    store: Store = Postgres(database) if variant == "ideal-pg-copy" else Sqlite(database)
    puller = Puller(address, store, first=first, keep_raw=variant == "ideal-sqlite-raw")
    idle_mb = memory_mb()
    reset_peak()
    with Span() as span:
        orders = puller.walk()
    figures = {"orders": orders, "wall_s": span.wall_s, "cpu_s": span.cpu_s}
    figures["peak_mb"] = memory_mb("VmHWM") - idle_mb
    if mode == "small":
        figures |= _small(puller, address)
    return figures


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])))

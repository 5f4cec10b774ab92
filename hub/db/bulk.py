"""Rows in bulk: one prepared statement and a list of tuples, on both databases.

SQL text is made only from our own table and column names; values are always bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection

# SQLite takes 32,766 bound values a statement since 3.32; PostgreSQL 65,535.
CHUNK = 900

_json_encoder = msgspec.json.Encoder()


def json_text(value: Any) -> str | None:
    """Encode a JSON column's value for a bulk statement."""
    return None if value is None else _json_encoder.encode(value).decode()


def from_json(value: Any) -> Any:
    """Decode a JSON column read by a plain query: text on SQLite, already decoded on PostgreSQL."""
    return msgspec.json.decode(value) if isinstance(value, str | bytes) else value


@lru_cache(maxsize=512)
def _insert_sql(
    dialect: str,
    table: str,
    columns: tuple[str, ...],
    key: tuple[str, ...] | None,
    update: tuple[str, ...] | None,
) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    sql = (
        f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({", ".join([mark] * len(columns))})'
    )
    if key is None:
        return sql
    if not update:
        return f"{sql} ON CONFLICT ({', '.join(key)}) DO NOTHING"
    changes = ", ".join(f"{name}=excluded.{name}" for name in update)
    return f"{sql} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


def insert(
    conn: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows; a key that exists raises."""
    if rows:
        sql = _insert_sql(conn.dialect.name, table, tuple(columns), None, None)
        conn.exec_driver_sql(sql, _tuples(rows))


def upsert(
    conn: Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    key: Sequence[str],
    update: Sequence[str] | None = None,
) -> None:
    """Insert rows, or change `update` (default: all but the key) where the key exists; `()` keeps the old row."""
    if not rows:
        return
    changed = (
        tuple(update) if update is not None else tuple(name for name in columns if name not in key)
    )
    sql = _insert_sql(conn.dialect.name, table, tuple(columns), tuple(key), changed)
    conn.exec_driver_sql(sql, _tuples(rows))


def _tuples(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return (
        rows if isinstance(rows, list) and isinstance(rows[0], tuple) else [tuple(r) for r in rows]
    )


def execute_many(conn: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run one statement of ours with `?` marks for many rows."""
    if rows:
        conn.exec_driver_sql(_marked(conn, sql), list(rows))


def fetch(conn: Connection, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one query of ours with `?` marks and return plain tuples."""
    return [tuple(row) for row in conn.exec_driver_sql(_marked(conn, sql), tuple(values))]


def fetch_in(
    conn: Connection, sql: str, before: Sequence[Any], keys: Iterable[Any]
) -> list[tuple[Any, ...]]:
    """Run a query with one `IN ({})` list, in chunks, and return all rows.

    `{}` stands where the marks of the list go; `before` are the values in front of it.
    """
    wanted = list(keys)
    out: list[tuple[Any, ...]] = []
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        out += fetch(conn, sql.format(", ".join("?" * len(part))), (*before, *part))
    return out


def change(conn: Connection, sql: str, values: Sequence[Any] = ()) -> int:
    """Run one statement of ours with `?` marks and return how many rows it changed."""
    return conn.exec_driver_sql(_marked(conn, sql), tuple(values)).rowcount


@lru_cache(maxsize=512)
def _percent(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


def _marked(conn: Connection, sql: str) -> str:
    return sql if conn.dialect.name == "sqlite" else _percent(sql)

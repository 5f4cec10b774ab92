"""Rows in bulk: few statements for many rows, on both databases.

SQL text is made only from our own table and column names; values are always bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Connection

# SQLite takes 32,766 bound values a statement since 3.32; PostgreSQL 65,535.
CHUNK = 900
_MOST_MARKS = 32_000
_MOST_ROWS = 64

_json_encoder = msgspec.json.Encoder()


def json_text(value: Any) -> str | None:
    """Encode a JSON column's value for a bulk statement."""
    return None if value is None else _json_encoder.encode(value).decode()


def from_json(value: Any) -> Any:
    """Decode a JSON column read by a plain query: text on SQLite, already decoded on PostgreSQL."""
    return msgspec.json.decode(value) if isinstance(value, str | bytes) else value


@dataclass(frozen=True, slots=True)
class _Form:
    """The shape of one insert statement for many rows.

    `names` are the columns it writes: first those whose value is the same in every row (bound
    once, whatever the number of rows), then those that vary. Columns that are null in every row
    are left out: no column of ours has a default but null.
    """

    table: str
    names: tuple[str, ...]
    same: int
    ending: str


@lru_cache(maxsize=128)
def _rows_sql(form: _Form, rows: int) -> str:
    """Return the text for a number of rows, in the numbered marks of SQLite."""
    fixed = [f"?{i + 1}" for i in range(form.same)]
    varying = len(form.names) - form.same
    at = form.same
    tuples = []
    for _ in range(rows):
        tuples.append(f"({', '.join(fixed + [f'?{at + i + 1}' for i in range(varying)])})")
        at += varying
    return f'INSERT INTO "{form.table}" ({", ".join(form.names)}) VALUES {", ".join(tuples)}{form.ending}'


@lru_cache(maxsize=512)
def _row_sql(table: str, names: tuple[str, ...], ending: str) -> str:
    """Return the text for one row, in the marks of PostgreSQL."""
    marks = ", ".join(["%s"] * len(names))
    return f'INSERT INTO "{table}" ({", ".join(names)}) VALUES ({marks}){ending}'


@lru_cache(maxsize=512)
def _conflict(key: tuple[str, ...], update: tuple[str, ...]) -> str:
    """Return what follows the values of an upsert."""
    if not update:
        return f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
    changes = ", ".join(f"{name}=excluded.{name}" for name in update)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


def insert(
    conn: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows; a key that exists raises."""
    upsert(conn, table, columns, rows, key=(), update=None)


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
    if key and update is None:
        update = [name for name in columns if name not in key]
    values = list(zip(columns, zip(*rows, strict=True), strict=True))
    write_columns(conn, table, {}, values, key=key, update=update)


Values = tuple[str, Sequence[Any]]
"""A column's name and its value in every row."""


def write_columns(
    conn: Connection,
    table: str,
    same: Mapping[str, Any],
    columns: Sequence[Values],
    *,
    key: Sequence[str],
    update: Sequence[str] | None,
) -> None:
    """Write rows given as columns: `same` has one value for all rows, `columns` one per row.

    `update` None inserts, and a key that exists raises; else these columns are changed where the
    key exists.
    """
    ending = "" if update is None else _conflict(tuple(key), tuple(update))
    if conn.dialect.name == "sqlite":
        _write_together(conn, table, dict(same), columns, ending)
        return
    names = (*same, *(name for name, _ in columns))
    fixed = tuple(same.values())
    rows = [(*fixed, *row) for row in zip(*(values for _, values in columns), strict=True)]
    conn.exec_driver_sql(_row_sql(table, names, ending), rows)


def _write_together(
    conn: Connection, table: str, same: dict[str, Any], columns: Sequence[Values], ending: str
) -> None:
    """Write many rows by few statements.

    `executemany` costs more than SQLite itself: it binds every value of every row anew, nulls
    slowest of all, and hands the interpreter lock over at every row.
    """
    count = len(columns[0][1])
    varying: list[Values] = []
    for name, values in columns:
        first = values[0]
        if values[-1] == first and values.count(first) == count:
            same[name] = first
        else:
            varying.append((name, values))
    fixed = {name: value for name, value in same.items() if value is not None}
    form = _Form(table, (*fixed, *(name for name, _ in varying)), len(fixed), ending)
    flat = list(chain.from_iterable(zip(*(values for _, values in varying), strict=True)))
    width, start = len(varying), 0
    for rows in _portions(count, (_MOST_MARKS - len(fixed)) // max(width, 1)):
        end = start + rows * width
        conn.exec_driver_sql(_rows_sql(form, rows), (*fixed.values(), *flat[start:end]))
        start = end


def _portions(count: int, most: int) -> Iterator[int]:
    """Cut a number of rows into powers of two, so that few texts serve all numbers."""
    size = _MOST_ROWS
    while count:
        while size > count or size > most:
            size //= 2
        yield size
        count -= size


def execute_many(conn: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run one statement of ours with `?` marks for many rows."""
    if rows:
        conn.exec_driver_sql(_marked(conn, sql), list(rows))


def fetch(conn: Connection, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one query of ours with `?` marks and return plain tuples."""
    result = conn.exec_driver_sql(_marked(conn, sql), tuple(values))
    # The driver's own tuples: a row object per row costs more than the query.
    rows = result.cursor.fetchall()
    result.close()
    return list(rows)


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

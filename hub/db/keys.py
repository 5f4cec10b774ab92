"""Wrapped keys of merchants, and the identity of the installation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import change, fetch, upsert

KeyRow = tuple[str, str, str, bytes, str, int]
"""(merchant id, key id, purpose, wrapped, state, seals)."""

_COLUMNS = ("merchant_id", "key_id", "purpose", "wrapped", "state", "seals", "created_at")


def keys(conn: Connection, merchant_id: str) -> list[KeyRow]:
    """Return a merchant's wrapped keys."""
    rows = fetch(
        conn,
        "SELECT merchant_id, key_id, purpose, wrapped, state, seals FROM data_key WHERE merchant_id=? ORDER BY key_id",
        (merchant_id,),
    )
    return [(row[0], row[1], row[2], bytes(row[3]), row[4], row[5]) for row in rows]


def put_keys(conn: Connection, rows: Sequence[KeyRow], now: str) -> None:
    """Store wrapped keys; an existing key id takes the new wrapping, state and count."""
    upsert(
        conn,
        "data_key",
        _COLUMNS,
        [(*row, now) for row in rows],
        key=("merchant_id", "key_id"),
        update=("wrapped", "state", "seals"),
    )


def instance(conn: Connection) -> tuple[str, str | None] | None:
    """Return the identity the database carries and when it was last adopted."""
    rows = fetch(conn, "SELECT id, adopted_at FROM instance WHERE merchant_id=''")
    return (rows[0][0], rows[0][1]) if rows else None


def set_instance(conn: Connection, identity: str, now: str) -> None:
    """Give the database an identity, replacing the one it carries."""
    change(conn, "DELETE FROM instance WHERE merchant_id=''")
    change(
        conn,
        "INSERT INTO instance (merchant_id, id, created_at, adopted_at) VALUES ('',?,?,?)",
        (identity, now, now),
    )


def sealed_rows(conn: Connection, table: str, column: str, row_id: str, merchant_id: str, after: str, limit: int) -> list[Any]:  # noqa: PLR0913, E501 - one page of one sealed column
    """Return a page of sealed values `(row id, sealed)` of one column, for rotation."""
    return fetch(
        conn,
        f'SELECT {row_id}, {column} FROM "{table}" WHERE merchant_id=? AND {column} IS NOT NULL '  # noqa: S608
        f"AND {row_id}>? ORDER BY {row_id} LIMIT ?",
        (merchant_id, after, limit),
    )

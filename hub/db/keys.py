"""Wrapped keys of merchants, and the identity of the installation."""

from __future__ import annotations

from collections.abc import Sequence

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


def count_seals(conn: Connection, merchant_id: str, key_id: str, more: int) -> None:
    """Add to what a key has sealed: a key has its limit, and a restart must not forget the count."""
    if more:
        change(
            conn,
            "UPDATE data_key SET seals=seals+? WHERE merchant_id=? AND key_id=?",
            (more, merchant_id, key_id),
        )


def forget_keys(conn: Connection, merchant_id: str, key_ids: Sequence[str]) -> None:
    """Delete keys that no row needs any more."""
    for key_id in key_ids:
        change(
            conn,
            "DELETE FROM data_key WHERE merchant_id=? AND key_id=? AND state='retiring'",
            (merchant_id, key_id),
        )


def sealed_page(
    conn: Connection,
    merchant_id: str,
    table: str,
    column: str,
    row_key: str,
    after: tuple[str, ...],
    limit: int,
) -> list[tuple[str, str, bytes]]:
    """Return a page of `(row, place key, sealed)` of one sealed column, in the order of its key."""
    owner = "connection_id" if row_key == "field" else "id"
    rows = fetch(
        conn,
        f'SELECT {owner}, {row_key}, {column} FROM "{table}" WHERE merchant_id=? AND {column} IS NOT NULL '
        f"AND ({owner}>? OR ({owner}=? AND {row_key}>?)) ORDER BY {owner}, {row_key} LIMIT ?",
        (merchant_id, after[0], after[0], after[1], limit),
    )
    return [(row[0], row[1], bytes(row[2])) for row in rows]

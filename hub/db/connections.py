"""Connections and merchants: rows, states, sealed form fields. Secrets come and go sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import change, fetch, from_json, insert, json_text, upsert


@dataclass(frozen=True, slots=True)
class MerchantRow:
    """A merchant as stored."""

    merchant_id: str
    name: str
    currency: str
    timezone: str
    catalogue_connection_id: str | None


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A connection as stored, its secrets left out."""

    merchant_id: str
    id: str
    code: str
    name: str
    remote_id: str
    state: str
    settings: Mapping[str, Any]
    is_catalogue_source: bool


def add_merchant(conn: Connection, row: MerchantRow, now: str) -> None:
    """Add a merchant; an existing one keeps its row."""
    upsert(
        conn,
        "merchant",
        ("merchant_id", "name", "currency", "timezone", "created_at"),
        [(row.merchant_id, row.name, row.currency, row.timezone, now)],
        key=("merchant_id",),
        update=(),
    )


def merchants(conn: Connection) -> list[MerchantRow]:
    """Return all merchants of the installation, oldest first."""
    rows = fetch(
        conn,
        "SELECT merchant_id, name, currency, timezone, catalogue_connection_id FROM merchant ORDER BY created_at",
    )
    return [MerchantRow(*row) for row in rows]


def add(conn: Connection, info: ConnectionInfo, secrets: Mapping[str, bytes], now: str) -> None:
    """Store a new connection; the merchant's first becomes the catalogue source if it can be one."""
    insert(
        conn,
        "connection",
        ("merchant_id", "id", "code", "name", "remote_id", "state", "settings", "created_at", "updated_at"),
        [
            (
                info.merchant_id, info.id, info.code, info.name, info.remote_id, info.state,
                json_text(dict(info.settings)), now, now,
            )
        ],
    )  # fmt: skip
    put_secrets(conn, info.merchant_id, info.id, secrets, now)
    if info.is_catalogue_source:
        change(
            conn,
            "UPDATE merchant SET catalogue_connection_id=? WHERE merchant_id=? "
            "AND catalogue_connection_id IS NULL",
            (info.id, info.merchant_id),
        )


def put_secrets(
    conn: Connection, merchant_id: str, connection_id: str, secrets: Mapping[str, bytes], now: str
) -> None:
    """Store sealed form fields, replacing what stood there."""
    names = ("merchant_id", "connection_id", "field", "sealed", "updated_at")
    upsert(
        conn,
        "connection_secret",
        names,
        [(merchant_id, connection_id, name, sealed, now) for name, sealed in secrets.items()],
        key=names[:3],
    )


def put_settings(
    conn: Connection, merchant_id: str, connection_id: str, settings: Mapping[str, Any], now: str
) -> None:
    """Replace the plain fields of a connection's form."""
    change(
        conn,
        "UPDATE connection SET settings=?, updated_at=? WHERE merchant_id=? AND id=?",
        (json_text(dict(settings)), now, merchant_id, connection_id),
    )


def secrets(conn: Connection, merchant_id: str, connection_id: str) -> dict[str, bytes]:
    """Return the sealed form fields of one connection."""
    rows = fetch(
        conn,
        "SELECT field, sealed FROM connection_secret WHERE merchant_id=? AND connection_id=?",
        (merchant_id, connection_id),
    )
    return {row[0]: bytes(row[1]) for row in rows}


_INFO = (
    "SELECT c.merchant_id, c.id, c.code, c.name, c.remote_id, c.state, c.settings, m.catalogue_connection_id "
    "FROM connection c JOIN merchant m ON m.merchant_id=c.merchant_id WHERE c.merchant_id=?"
)


def _info(row: tuple[Any, ...]) -> ConnectionInfo:
    merchant_id, row_id, code, name, remote_id, state, settings, source = row
    return ConnectionInfo(
        merchant_id, row_id, code, name, remote_id, state, from_json(settings), source == row_id
    )


def listing(conn: Connection, merchant_id: str) -> list[ConnectionInfo]:
    """Return a merchant's connections, oldest first."""
    return [_info(row) for row in fetch(conn, f"{_INFO} ORDER BY c.id", (merchant_id,))]


def one(conn: Connection, merchant_id: str, connection_id: str) -> ConnectionInfo | None:
    """Return one connection of this merchant."""
    rows = fetch(conn, f"{_INFO} AND c.id=?", (merchant_id, connection_id))
    return _info(rows[0]) if rows else None


def by_remote(
    conn: Connection, merchant_id: str, code: str, remote_id: str
) -> ConnectionInfo | None:
    """Return the connection that already stands for this account."""
    rows = fetch(conn, f"{_INFO} AND c.code=? AND c.remote_id=?", (merchant_id, code, remote_id))
    return _info(rows[0]) if rows else None


def set_state(conn: Connection, merchant_id: str, connection_id: str, state: str, now: str) -> bool:
    """Move a connection to a state; True if it was in another one."""
    return bool(
        change(
            conn,
            "UPDATE connection SET state=?, updated_at=? WHERE merchant_id=? AND id=? AND state<>?",
            (state, now, merchant_id, connection_id, state),
        )
    )


def limit_state(conn: Connection, merchant_id: str, connection_id: str) -> dict[str, Any]:
    """Return the saved states of limiter and breaker, by name."""
    rows = fetch(
        conn,
        "SELECT name, value, updated_at FROM limit_state WHERE merchant_id=? AND connection_id=?",
        (merchant_id, connection_id),
    )
    return {row[0]: {"value": from_json(row[1]), "at": row[2]} for row in rows}


def save_limit_state(
    conn: Connection, merchant_id: str, connection_id: str, states: Mapping[str, Any], now: str
) -> None:
    """Save states of limiter and breaker."""
    names = ("merchant_id", "connection_id", "name", "value", "updated_at")
    upsert(
        conn,
        "limit_state",
        names,
        [
            (merchant_id, connection_id, name, json_text(value), now)
            for name, value in states.items()
        ],
        key=names[:3],
    )

"""Alerts: said once when something breaks, once when it recovers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import change, fetch, insert
from hub.records.ids import new_id


def raise_alert(
    conn: Connection,
    merchant_id: str,
    connection_id: str,
    subject: str,
    *,
    cause: str,
    message: str,
    hint: str | None,
    now: str,
) -> bool:
    """Open an alert unless one is open for the subject; True if it is new."""
    if fetch(
        conn,
        "SELECT id FROM alert WHERE merchant_id=? AND connection_id=? AND subject=? AND closed_at IS NULL",
        (merchant_id, connection_id, subject),
    ):
        return False
    insert(
        conn,
        "alert",
        ("merchant_id", "id", "connection_id", "subject", "cause", "message", "hint", "opened_at"),
        [(merchant_id, new_id("alert"), connection_id, subject, cause, message, hint, now)],
    )
    return True


def close_alert(
    conn: Connection, merchant_id: str, connection_id: str, subject: str, now: str
) -> bool:
    """Close what is open for the subject; True if something was."""
    return bool(
        change(
            conn,
            "UPDATE alert SET closed_at=? WHERE merchant_id=? AND connection_id=? AND subject=? AND closed_at IS NULL",
            (now, merchant_id, connection_id, subject),
        )
    )


def open_alerts(conn: Connection, merchant_id: str) -> list[dict[str, Any]]:
    """Return open alerts, oldest first."""
    names = ("id", "connection_id", "subject", "cause", "message", "hint", "opened_at")
    rows = fetch(
        conn,
        f"SELECT {', '.join(names)} FROM alert WHERE merchant_id=? AND closed_at IS NULL ORDER BY id",
        (merchant_id,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]

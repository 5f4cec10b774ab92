"""Leases: one worker per name, by generation and database time.

On SQLite the process holds the file's OS lock, so a lease needs no row: the runner's own set is
the truth of its one process. On PostgreSQL it is a row that any process may take over once it
has lapsed.
"""

from __future__ import annotations

from sqlalchemy import Connection

from hub.db.bulk import change, fetch


def take(
    conn: Connection, merchant_id: str, name: str, holder: str, *, now: str, until: str
) -> int | None:
    """Take a lease that is free, lapsed or one's own; returns its generation, or None."""
    change(
        conn,
        "INSERT INTO lease (merchant_id, name, holder, generation, expires_at) VALUES (?,?,?,1,?) "
        "ON CONFLICT (merchant_id, name) DO UPDATE SET holder=excluded.holder, generation=lease.generation+1, "
        "expires_at=excluded.expires_at WHERE lease.expires_at<? OR lease.holder=?",
        (merchant_id, name, holder, until, now, holder),
    )
    rows = fetch(
        conn,
        "SELECT holder, generation, expires_at FROM lease WHERE merchant_id=? AND name=?",
        (merchant_id, name),
    )
    return rows[0][1] if rows and rows[0][0] == holder and rows[0][2] == until else None


def renew(conn: Connection, merchant_id: str, name: str, generation: int, *, until: str) -> bool:
    """Keep a lease one still holds; False means it was lost."""
    return bool(
        change(
            conn,
            "UPDATE lease SET expires_at=? WHERE merchant_id=? AND name=? AND generation=?",
            (until, merchant_id, name, generation),
        )
    )


def give_back(conn: Connection, merchant_id: str, name: str, generation: int, *, now: str) -> None:
    """Free a lease at once, if one still holds it."""
    change(
        conn,
        "UPDATE lease SET expires_at=? WHERE merchant_id=? AND name=? AND generation=?",
        (now, merchant_id, name, generation),
    )

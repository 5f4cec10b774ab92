"""The outbox: per (connection, kind, key) the newest desired state, and a version that only grows.

A row says what should be true at the channel, never what to do. A push marks the version it
delivered; if a newer one came meanwhile the row stays waiting, so an older value can never be
the last one to land.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import change, execute_many, fetch, fetch_in, from_json, json_text
from hub.db.flows import Flow


@dataclass(frozen=True, slots=True)
class Wanted:
    """One desired state on its way in."""

    external_id: str
    desired: Mapping[str, Any]
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One desired state on its way out."""

    external_id: str
    version: int
    desired: dict[str, Any]
    attempts: int


def want(conn: Connection, flow: Flow, wanted: Sequence[Wanted], now: str) -> int:
    """Put desired states in; equal to what already stands there is nothing. Returns how many changed."""
    known = desired(conn, flow, [w.external_id for w in wanted])
    fresh = [w for w in wanted if known.get(w.external_id) != dict(w.desired)]
    execute_many(
        conn,
        "INSERT INTO outbox (merchant_id, connection_id, kind, external_id, version, done_version, desired, "
        "state, attempts, cause, wanted_at) VALUES (?,?,?,?,1,0,?,'waiting',0,?,?) "
        "ON CONFLICT (merchant_id, connection_id, kind, external_id) DO UPDATE SET "
        "version=outbox.version+1, desired=excluded.desired, state='waiting', attempts=0, not_before=NULL, "
        "last_error=NULL, cause=excluded.cause, wanted_at=excluded.wanted_at",
        [(*flow.key, w.external_id, json_text(dict(w.desired)), w.cause, now) for w in fresh],
    )
    return len(fresh)


def desired(conn: Connection, flow: Flow, external_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the desired state of these keys, waiting or done."""
    rows = fetch_in(
        conn,
        "SELECT external_id, desired FROM outbox WHERE merchant_id=? AND connection_id=? AND kind=? "
        "AND external_id IN ({})",
        flow.key,
        external_ids,
    )
    return {row[0]: from_json(row[1]) for row in rows}


def everything(conn: Connection, flow: Flow) -> dict[str, dict[str, Any]]:
    """Return all desired states of a flow, for reconcile."""
    rows = fetch(
        conn,
        "SELECT external_id, desired FROM outbox WHERE merchant_id=? AND connection_id=? AND kind=?",
        flow.key,
    )
    return {row[0]: from_json(row[1]) for row in rows}


def waiting(
    conn: Connection, flow: Flow, *, now: str, order_walk_at: str | None, limit: int
) -> list[Waiting]:
    """Return what may be pushed now, longest waiting first.

    A row behind the conflict gate (`after_walk_at`) waits until a walk of the order stream that
    started after that instant has finished.
    """
    rows = fetch(
        conn,
        "SELECT external_id, version, desired, attempts FROM outbox WHERE merchant_id=? AND connection_id=? "
        "AND kind=? AND state='waiting' AND (not_before IS NULL OR not_before<=?) "
        "AND (after_walk_at IS NULL OR after_walk_at<?) ORDER BY wanted_at, external_id LIMIT ?",
        (*flow.key, now, order_walk_at, limit),
    )
    return [Waiting(row[0], row[1], from_json(row[2]), row[3]) for row in rows]


def done(conn: Connection, flow: Flow, delivered: Sequence[tuple[str, int]], now: str) -> None:
    """Mark versions delivered. A row that grew a newer version meanwhile keeps waiting."""
    execute_many(
        conn,
        "UPDATE outbox SET done_version=?, done_at=?, attempts=0, last_error=NULL, after_walk_at=NULL, "
        "state=CASE WHEN version=? THEN 'done' ELSE 'waiting' END "
        "WHERE merchant_id=? AND connection_id=? AND kind=? AND external_id=? AND done_version<?",
        [(version, now, version, *flow.key, key, version) for key, version in delivered],
    )


def put_off(
    conn: Connection, flow: Flow, keys: Sequence[str], *, not_before: str | None, error: str
) -> None:
    """Leave rows waiting until `not_before`, with the reason."""
    execute_many(
        conn,
        "UPDATE outbox SET attempts=attempts+1, not_before=?, last_error=? WHERE merchant_id=? "
        "AND connection_id=? AND kind=? AND external_id=?",
        [(not_before, error, *flow.key, key) for key in keys],
    )


def gate(conn: Connection, flow: Flow, keys: Sequence[str], after_walk_at: str) -> None:
    """Hold rows back until the order stream has been walked once more after this instant."""
    execute_many(
        conn,
        "UPDATE outbox SET after_walk_at=? WHERE merchant_id=? AND connection_id=? AND kind=? AND external_id=?",
        [(after_walk_at, *flow.key, key) for key in keys],
    )


def reopen(conn: Connection, flow: Flow, keys: Sequence[str], cause: str, now: str) -> None:
    """Ask for a delivered state again, as a new version: the channel shows something else."""
    execute_many(
        conn,
        "UPDATE outbox SET version=version+1, state='waiting', attempts=0, not_before=NULL, cause=?, wanted_at=? "
        "WHERE merchant_id=? AND connection_id=? AND kind=? AND external_id=? AND state='done'",
        [(cause, now, *flow.key, key) for key in keys],
    )


def refuse(conn: Connection, flow: Flow, key: str, version: int, error: str) -> None:
    """Stop pushing this version: the channel refused it. A newer version starts afresh."""
    change(
        conn,
        "UPDATE outbox SET state='held', last_error=? WHERE merchant_id=? AND connection_id=? AND kind=? "
        "AND external_id=? AND version=?",
        (error, *flow.key, key, version),
    )


def release(conn: Connection, flow: Flow, keys: Sequence[str]) -> None:
    """Let refused rows try again."""
    execute_many(
        conn,
        "UPDATE outbox SET state='waiting', attempts=0, not_before=NULL WHERE merchant_id=? AND connection_id=? "
        "AND kind=? AND external_id=? AND state='held'",
        [(*flow.key, key) for key in keys],
    )


def backlog(conn: Connection, merchant_id: str) -> dict[str, int]:
    """Return how many rows stand in each state."""
    rows = fetch(
        conn,
        "SELECT state, count(*) FROM outbox WHERE merchant_id=? GROUP BY state",
        (merchant_id,),
    )
    return dict(rows)

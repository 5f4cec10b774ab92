"""Flows: a kind on a connection. Where it stands (cursor), what it counted (tally), when it runs (schedule)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import change, fetch, from_json, json_text, upsert
from hub.errors import HubError
from hub.records.time import from_text, to_text


@dataclass(frozen=True, slots=True)
class Flow:
    """Names a flow; also the name of its lock: `merchant:connection:kind`."""

    merchant_id: str
    connection_id: str
    kind: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The primary key of the flow's rows."""
        return self.merchant_id, self.connection_id, self.kind

    @property
    def lock(self) -> str:
        """The name that only one worker holds at a time."""
        return ":".join(self.key)


@dataclass(slots=True)
class Counts:
    """What one page, or one run, did: received = applied + duplicate + held + dead."""

    received: int = 0
    applied: int = 0
    duplicate: int = 0
    held: int = 0
    dead: int = 0
    pushed: int = 0

    def add(self, other: Counts) -> None:
        """Add another's figures."""
        self.received += other.received
        self.applied += other.applied
        self.duplicate += other.duplicate
        self.held += other.held
        self.dead += other.dead
        self.pushed += other.pushed

    @property
    def is_balanced(self) -> bool:
        """Whether nothing was dropped."""
        return self.received == self.applied + self.duplicate + self.held + self.dead

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing to write down."""
        return not (self.received or self.pushed or self.held or self.dead)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream stands."""

    value: dict[str, Any]
    walk_started_at: str | None
    finished_walk_at: str | None


START = Position({}, None, None)


def position(conn: Connection, flow: Flow) -> Position:
    """Return where the flow stands; the beginning for one that never ran."""
    rows = fetch(
        conn,
        "SELECT value, walk_started_at, finished_walk_at FROM cursor "
        "WHERE merchant_id=? AND connection_id=? AND kind=?",
        flow.key,
    )
    return Position(from_json(rows[0][0]), rows[0][1], rows[0][2]) if rows else START


def move(
    conn: Connection,
    flow: Flow,
    value: dict[str, Any],
    *,
    walk_started_at: str,
    done: bool,
    now: str,
) -> None:
    """Store the cursor; called in the transaction of the page it is true for."""
    names = ["merchant_id", "connection_id", "kind", "value", "walk_started_at", "updated_at"]
    row = [*flow.key, json_text(value), walk_started_at, now]
    if done:
        names.append("finished_walk_at")
        row.append(walk_started_at)
    upsert(conn, "cursor", names, [row], key=names[:3])


_TALLY = ("received", "applied", "duplicate", "held", "dead", "pushed")


def count(conn: Connection, flow: Flow, counts: Counts) -> None:
    """Add to the flow's figures."""
    if counts.is_zero:
        return
    if not counts.is_balanced:
        raise HubError(f"The counts of {flow.kind} do not add up: {counts}.")
    figures = [getattr(counts, name) for name in _TALLY]
    adds = ", ".join(f"{name}=tally.{name}+excluded.{name}" for name in _TALLY)
    change(
        conn,
        f"INSERT INTO tally (merchant_id, connection_id, kind, {', '.join(_TALLY)}) "
        f"VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (merchant_id, connection_id, kind) DO UPDATE SET {adds}",
        (*flow.key, *figures),
    )


def settle(
    conn: Connection, flow: Flow, *, applied: int = 0, duplicate: int = 0, dead: int = 0
) -> None:
    """Move records that were held to what became of them; the sum stays."""
    change(
        conn,
        "UPDATE tally SET held=held-?, applied=applied+?, duplicate=duplicate+?, dead=dead+? "
        "WHERE merchant_id=? AND connection_id=? AND kind=?",
        (applied + duplicate + dead, applied, duplicate, dead, *flow.key),
    )


def tallies(conn: Connection, merchant_id: str) -> list[dict[str, Any]]:
    """Return the figures of every flow of a merchant."""
    names = ("connection_id", "kind", *_TALLY)
    rows = fetch(
        conn,
        f"SELECT {', '.join(names)} FROM tally WHERE merchant_id=? ORDER BY connection_id, kind",
        (merchant_id,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


@dataclass(frozen=True, slots=True)
class Due:
    """One scheduled run."""

    flow: Flow
    verb: str
    every_s: int
    failures: int

    @property
    def lock(self) -> str:
        """Pull and push of a flow exclude each other only with themselves."""
        return f"{self.flow.lock}:{self.verb}"


def ensure_schedule(conn: Connection, flow: Flow, verb: str, *, every_s: int, now: str) -> None:
    """Put a flow on the schedule, due at once; an existing one keeps its row."""
    columns = (
        "merchant_id", "connection_id", "kind", "verb", "every_s", "next_at", "is_on", "failures",
    )  # fmt: skip
    upsert(
        conn,
        "schedule",
        columns,
        [(*flow.key, verb, every_s, now, True, 0)],
        key=columns[:4],
        update=(),
    )


def due(conn: Connection, now: str) -> list[Due]:
    """Return what should run, longest overdue first, of connections that are not paused."""
    rows = fetch(
        conn,
        "SELECT s.merchant_id, s.connection_id, s.kind, s.verb, s.every_s, s.failures FROM schedule s "
        "JOIN connection c ON c.merchant_id=s.merchant_id AND c.id=s.connection_id "
        "WHERE s.is_on AND s.next_at<=? AND c.state IN ('active','expiring','recovering') "
        "ORDER BY s.next_at",
        (now,),
    )
    return [Due(Flow(*row[:3]), *row[3:]) for row in rows]


def next_due_at(conn: Connection) -> str | None:
    """Return when the next run is due."""
    found = fetch(conn, "SELECT min(next_at) FROM schedule WHERE is_on")
    return found[0][0] if found else None


def finished(
    conn: Connection, run: Due, *, started_at: str, now: datetime, delay_s: float, error: str | None
) -> None:
    """Write down the end of a run and when the next one is due."""
    failures = run.failures + 1 if error else 0
    change(
        conn,
        "UPDATE schedule SET next_at=?, failures=?, last_error=?, last_started_at=?, last_finished_at=? "
        "WHERE merchant_id=? AND connection_id=? AND kind=? AND verb=?",
        (
            to_text(now + timedelta(seconds=delay_s)), failures, error, started_at,
            to_text(now), *run.flow.key, run.verb,
        ),
    )  # fmt: skip


def hasten(conn: Connection, flow: Flow, verb: str, now: str) -> None:
    """Make a flow due now, if it is on the schedule and later than now."""
    change(
        conn,
        "UPDATE schedule SET next_at=? WHERE merchant_id=? AND connection_id=? AND kind=? AND verb=? "
        "AND is_on AND next_at>?",
        (now, *flow.key, verb, now),
    )


def switch_off(conn: Connection, flow: Flow, verb: str, reason: str, *, ask_again_at: str) -> None:
    """Stop one ability of one connection, saying why; it is asked again at `ask_again_at`."""
    change(
        conn,
        "UPDATE schedule SET off_reason=?, next_at=? WHERE merchant_id=? AND connection_id=? AND kind=? "
        "AND verb=?",
        (reason, ask_again_at, *flow.key, verb),
    )


def switch_on(conn: Connection, flow: Flow, verb: str) -> None:
    """Forget why an ability was off: it works again."""
    change(
        conn,
        "UPDATE schedule SET off_reason=NULL WHERE merchant_id=? AND connection_id=? AND kind=? AND verb=? "
        "AND off_reason IS NOT NULL",
        (*flow.key, verb),
    )


def pushing(conn: Connection, merchant_id: str, kind: str) -> list[str]:
    """Return the connections of a merchant that are told about a kind."""
    rows = fetch(
        conn,
        "SELECT connection_id FROM schedule WHERE merchant_id=? AND kind=? AND verb='push' AND is_on "
        "ORDER BY connection_id",
        (merchant_id, kind),
    )
    return [row[0] for row in rows]


def freshness(conn: Connection, merchant_id: str) -> list[dict[str, Any]]:
    """Return every schedule of a merchant with its last end and error, for people."""
    names = (
        "connection_id", "kind", "verb", "every_s", "next_at", "is_on", "off_reason", "failures",
        "last_error", "last_started_at", "last_finished_at",
    )  # fmt: skip
    rows = fetch(
        conn,
        f"SELECT {', '.join(names)} FROM schedule WHERE merchant_id=? ORDER BY connection_id, kind, verb",
        (merchant_id,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def age_s(instant: str | None, now: datetime) -> float | None:
    """Return seconds since a stored instant; None for never."""
    return None if instant is None else (now - from_text(instant)).total_seconds()

"""Held records: what could not become a record, or was refused, with every cause and the sealed document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import change, execute_many, fetch, fetch_in, from_json, insert, json_text
from hub.db.flows import Flow
from hub.records.ids import new_ids


@dataclass(frozen=True, slots=True)
class Hold:
    """One record to hold. `document` is sealed."""

    external_id: str
    verb: str
    causes: Sequence[dict[str, Any]]
    document: bytes | None
    hash: bytes | None


_COLUMNS = (
    "merchant_id", "id", "connection_id", "kind", "external_id", "verb", "state", "cause", "causes",
    "document", "hash", "attempts", "first_at", "last_at",
)  # fmt: skip


def open_ones(
    conn: Connection, flow: Flow, external_ids: Iterable[str], *, verb: str = "pull"
) -> dict[str, tuple[str, bytes | None]]:
    """Return the open held row (id, hash) of each external id that has one.

    What the channel told (`pull`) and what it refused (`push`) are held apart: a stock figure
    may be both, under one key.
    """
    rows = fetch_in(
        conn,
        "SELECT external_id, id, hash FROM held WHERE merchant_id=? AND connection_id=? AND kind=? "
        "AND state='open' AND verb=? AND external_id IN ({})",
        (*flow.key, verb),
        external_ids,
    )
    return {row[0]: (row[1], None if row[2] is None else bytes(row[2])) for row in rows}


def hold(conn: Connection, flow: Flow, holds: Sequence[Hold], now: str) -> int:
    """Hold records of one verb; one that is held already gets the newer document and causes.

    Returns how many are new.
    """
    if not holds:
        return 0
    known = open_ones(conn, flow, [h.external_id for h in holds], verb=holds[0].verb)
    fresh = [h for h in holds if h.external_id not in known]
    ids = new_ids("held", len(fresh))
    insert(
        conn,
        "held",
        _COLUMNS,
        [
            (
                flow.merchant_id, row_id, flow.connection_id, flow.kind, h.external_id, h.verb, "open",
                h.causes[0]["class"], json_text(list(h.causes)), h.document, h.hash, 1, now, now,
            )
            for row_id, h in zip(ids, fresh, strict=True)
        ],
    )  # fmt: skip
    execute_many(
        conn,
        "UPDATE held SET causes=?, cause=?, document=?, hash=?, attempts=attempts+1, last_at=? "
        "WHERE merchant_id=? AND id=?",
        [
            (
                json_text(list(h.causes)), h.causes[0]["class"], h.document, h.hash, now,
                flow.merchant_id, known[h.external_id][0],
            )
            for h in holds
            if h.external_id in known
        ],
    )  # fmt: skip
    return len(fresh)


def close(
    conn: Connection, flow: Flow, external_ids: Iterable[str], now: str, *, verb: str = "pull"
) -> int:
    """Release what is held for these ids, because a good version came or went; returns how many were open."""
    closed = 0
    for row_id, _hash in open_ones(conn, flow, external_ids, verb=verb).values():
        closed += change(
            conn,
            "UPDATE held SET state='released', closed_at=?, last_at=? WHERE merchant_id=? AND id=? AND state='open'",
            (now, now, flow.merchant_id, row_id),
        )
    return closed


def listing(conn: Connection, merchant_id: str, *, state: str = "open") -> list[dict[str, Any]]:
    """Return held records for people, newest last, without their documents."""
    names = (
        "id", "connection_id", "kind", "external_id", "verb", "state", "cause", "causes", "attempts",
        "first_at", "last_at",
    )  # fmt: skip
    rows = fetch(
        conn,
        f"SELECT {', '.join(names)} FROM held WHERE merchant_id=? AND state=? ORDER BY id",
        (merchant_id, state),
    )
    out = [dict(zip(names, row, strict=True)) for row in rows]
    for row in out:
        row["causes"] = from_json(row["causes"])
    return out


def document(
    conn: Connection, merchant_id: str, held_id: str
) -> tuple[Flow, str, str, bytes | None] | None:
    """Return (flow, external id, verb, sealed document) of one open held record."""
    rows = fetch(
        conn,
        "SELECT connection_id, kind, external_id, verb, document FROM held WHERE merchant_id=? AND id=? "
        "AND state='open'",
        (merchant_id, held_id),
    )
    if not rows:
        return None
    connection_id, kind, external_id, verb, sealed = rows[0]
    body = None if sealed is None else bytes(sealed)
    return Flow(merchant_id, connection_id, kind), external_id, verb, body


def blame(
    conn: Connection, merchant_id: str, held_id: str, cause: dict[str, Any], now: str
) -> None:
    """Write down why a held record could not even be tried; its document stays as it is."""
    change(
        conn,
        "UPDATE held SET cause=?, causes=?, attempts=attempts+1, last_at=? WHERE merchant_id=? AND id=? "
        "AND state='open'",
        (cause["class"], json_text([cause]), now, merchant_id, held_id),
    )


def set_aside(conn: Connection, merchant_id: str, held_id: str, now: str) -> bool:
    """Give one held record up for good: it counts as dead from here."""
    return bool(
        change(
            conn,
            "UPDATE held SET state='dead', closed_at=? WHERE merchant_id=? AND id=? AND state='open'",
            (now, merchant_id, held_id),
        )
    )

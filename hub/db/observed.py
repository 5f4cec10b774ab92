"""What channels last showed: hashes to skip the unchanged, fields to compare, raw documents to come back to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import change, execute_many, fetch, fetch_in, from_json, insert, json_text, upsert
from hub.db.flows import Flow


@dataclass(frozen=True, slots=True)
class Seen:
    """One row of `observed`."""

    version: int
    hash: bytes
    source_updated_at: str | None
    fields: Mapping[str, Any] | None
    archive_id: str | None
    seen_at: str


def seen(conn: Connection, flow: Flow, external_ids: Iterable[str]) -> dict[str, Seen]:
    """Return what is known of these external ids."""
    rows = fetch_in(
        conn,
        "SELECT external_id, version, hash, source_updated_at, fields, archive_id, seen_at FROM observed "
        "WHERE merchant_id=? AND connection_id=? AND kind=? AND external_id IN ({})",
        flow.key,
        external_ids,
    )
    return {
        row[0]: Seen(row[1], bytes(row[2]), row[3], from_json(row[4]), row[5], row[6])
        for row in rows
    }


_COLUMNS = (
    "merchant_id", "connection_id", "kind", "external_id", "version", "hash", "source_updated_at",
    "fields", "archive_id", "seen_at",
)  # fmt: skip


def note(conn: Connection, flow: Flow, rows: Sequence[tuple[str, Seen]]) -> None:
    """Write what was seen, in the transaction of the page or outcome."""
    upsert(
        conn,
        "observed",
        _COLUMNS,
        [
            (
                *flow.key,
                key,
                s.version,
                s.hash,
                s.source_updated_at,
                json_text(s.fields),
                s.archive_id,
                s.seen_at,
            )
            for key, s in rows
        ],
        key=_COLUMNS[:4],
    )


_DRIFT = (
    "merchant_id", "connection_id", "kind", "external_id", "field", "ours", "theirs", "first_at", "last_at",
)  # fmt: skip


def note_drift(
    conn: Connection, flow: Flow, drift: Mapping[str, Mapping[str, tuple[Any, Any]]], now: str
) -> None:
    """Write down, per external id, the fields that differ as `{field: (ours, theirs)}`; what agrees again goes."""
    known = fetch_in(
        conn,
        "SELECT external_id, field FROM drift WHERE merchant_id=? AND connection_id=? AND kind=? "
        "AND external_id IN ({})",
        flow.key,
        drift,
    )
    execute_many(
        conn,
        "DELETE FROM drift WHERE merchant_id=? AND connection_id=? AND kind=? AND external_id=? AND field=?",
        [(*flow.key, key, name) for key, name in known if name not in drift[key]],
    )
    upsert(
        conn,
        "drift",
        _DRIFT,
        [
            (*flow.key, key, name, json_text(ours), json_text(theirs), now, now)
            for key, fields in drift.items()
            for name, (ours, theirs) in fields.items()
        ],
        key=_DRIFT[:5],
        update=("ours", "theirs", "last_at"),
    )


def drifts(conn: Connection, merchant_id: str) -> list[dict[str, Any]]:
    """Return every field that differs, oldest first."""
    names = ("connection_id", "kind", "external_id", "field", "ours", "theirs", "first_at")
    rows = fetch(
        conn,
        f"SELECT {', '.join(names)} FROM drift WHERE merchant_id=? ORDER BY first_at",
        (merchant_id,),
    )
    out = [dict(zip(names, row, strict=True)) for row in rows]
    for row in out:
        row["ours"], row["theirs"] = from_json(row["ours"]), from_json(row["theirs"])
    return out


REFS = (
    "merchant_id",
    "connection_id",
    "kind",
    "external_id",
    "internal_id",
    "first_seen_at",
    "last_seen_at",
)


def refs(conn: Connection, flow: Flow, external_ids: Iterable[str]) -> dict[str, str]:
    """Return external id to internal id."""
    rows = fetch_in(
        conn,
        "SELECT external_id, internal_id FROM external_ref WHERE merchant_id=? AND connection_id=? AND kind=? "
        "AND external_id IN ({})",
        flow.key,
        external_ids,
    )
    return {row[0]: row[1] for row in rows}


def all_refs(conn: Connection, flow: Flow) -> dict[str, str]:
    """Return every reference of a small kind (locations)."""
    rows = fetch(
        conn,
        "SELECT external_id, internal_id FROM external_ref WHERE merchant_id=? AND connection_id=? AND kind=?",
        flow.key,
    )
    return {row[0]: row[1] for row in rows}


def bind(conn: Connection, flow: Flow, pairs: Iterable[tuple[str, str]], now: str) -> None:
    """Bind external ids to internal ones; a bound one stays bound and is only seen again."""
    upsert(
        conn,
        "external_ref",
        REFS,
        [(*flow.key, external, internal, now, now) for external, internal in pairs],
        key=REFS[:4],
        update=("last_seen_at",),
    )


@dataclass(frozen=True, slots=True)
class Raw:
    """One sealed raw document on its way into the archive."""

    id: str
    external_id: str
    hash: bytes
    body: bytes


ARCHIVE = (
    "merchant_id", "id", "connection_id", "kind", "external_id", "direction", "hash", "body",
    "packing", "mapping_digest", "job_id", "at", "expires_at",
)  # fmt: skip


def archive(
    conn: Connection,
    flow: Flow,
    raws: Sequence[Raw],
    *,
    direction: str,
    mapping_digest: str | None,
    job_id: str,
    now: str,
    expires_at: str,
) -> None:
    """Store raw documents in the transaction that applies them. Packing (compression) is a later job."""
    insert(
        conn,
        "archive",
        ARCHIVE,
        [
            (
                flow.merchant_id, raw.id, flow.connection_id, flow.kind, raw.external_id, direction, raw.hash,
                raw.body, "none", mapping_digest, job_id, now, expires_at,
            )
            for raw in raws
        ],
    )  # fmt: skip


def archived(conn: Connection, merchant_id: str, archive_id: str) -> tuple[bytes, str] | None:
    """Return one sealed body and its packing."""
    rows = fetch(
        conn,
        "SELECT body, packing FROM archive WHERE merchant_id=? AND id=?",
        (merchant_id, archive_id),
    )
    return (bytes(rows[0][0]), rows[0][1]) if rows else None


def purge(conn: Connection, now: str) -> int:
    """Delete raw documents past their time; returns how many."""
    return change(
        conn, "DELETE FROM archive WHERE expires_at<=?", (now,)
    )  # every merchant's, by age; a rare walk over the table, worth no index

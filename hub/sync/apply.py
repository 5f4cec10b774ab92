"""One page, one transaction: records, ledger, history, archive, outbox, held ones, counts and cursor.

All of it commits together or not at all; a crash repeats the page and never skips it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hub.db import Connection, flows, held, observed
from hub.db.bulk import change
from hub.db.flows import Counts, Flow
from hub.db.observed import Raw, Seen
from hub.db.scope import Scope, write_history
from hub.records.ids import new_ids
from hub.records.time import from_text, to_text
from hub.sdk import Source
from hub.sync.engine import Seals
from hub.sync.kinds import APPLY, Applied, Room
from hub.sync.prepare import Bad, Prepared, Unit


@dataclass(frozen=True, slots=True)
class Step:
    """The cursor that becomes true with the page."""

    cursor: dict[str, Any] | None
    walk_started_at: str
    done: bool
    is_retry: bool = False
    """The page holds records that were held, and counted, before."""


def apply_page(  # noqa: PLR0913 - the page and the values it needs
    conn: Connection,
    scope: Scope,
    seals: Seals,
    room: Room,
    prepared: Prepared,
    step: Step,
    *,
    source: Source | None,
    digests: Mapping[str, str],
    archive_days: int,
) -> dict[str, Counts]:
    """Apply a prepared page; returns the counts by kind. Runs on the writer."""
    counts = {kind: Counts(received=n, duplicate=n) for kind, n in prepared.duplicates.items()}
    raws = Raws(scope)
    for kind in sorted(prepared.units, key=_order):
        here = replace(scope, flow=replace(scope.flow, kind=kind))
        units, stale = _fresh(prepared.units[kind])
        applied = APPLY[kind](conn, here, room, units, {u.key: raws.id_of(u) for u in units})
        _write_down(conn, here, seals, units, raws, applied)
        tally = counts.setdefault(kind, Counts())
        tally.add(_tally(units, applied, stale))
        taken = [u.key for u in units if u.key not in applied.missing]
        # What a connector could not read at all is held under the stream, whatever it was.
        for flow in {here.flow, scope.flow}:
            superseded = held.close(conn, flow, taken, scope.now)
            if step.is_retry:
                flows.settle(conn, flow, applied=superseded)
            else:
                flows.settle(conn, flow, duplicate=superseded)
    raws.write(
        conn,
        seals,
        digests.get(scope.flow.kind),
        to_text(from_text(scope.now) + timedelta(days=archive_days)),
    )
    _hold(conn, scope, seals, prepared.bad, counts)
    if source is not None:
        _note_file(conn, scope, source)
    for kind, tally in counts.items():
        if not step.is_retry:
            flows.count(conn, replace(scope.flow, kind=kind), tally)
    if step.cursor is not None:
        flows.move(
            conn,
            scope.flow,
            step.cursor,
            walk_started_at=step.walk_started_at,
            done=step.done,
            now=scope.now,
        )
    if step.done and scope.flow.kind == "order":
        # Figures that waited for this walk (the conflict gate) may go now.
        flows.hasten(conn, replace(scope.flow, kind="inventory"), "push", scope.now)
    return counts


_FIRST = ("product", "inventory", "member", "order", "after_sale")


def _order(kind: str) -> int:
    return _FIRST.index(kind)


def _fresh(units: Sequence[Unit]) -> tuple[list[Unit], int]:
    """Leave out what is older than what was seen (by the source's own clock)."""
    fresh = [
        u
        for u in units
        if u.seen is None
        or not (
            u.seen.source_updated_at and u.updated_at and u.updated_at < u.seen.source_updated_at
        )
    ]
    return fresh, len(units) - len(fresh)


class Raws:
    """The raw documents of a page: each archived once, whatever number of records it carries."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._ids: dict[bytes, str] = {}
        self._kept: dict[bytes, Unit] = {}

    def id_of(self, unit: Unit) -> str:
        """Return the archive id of a record's document."""
        known = self._ids.get(unit.digest)
        if known is None:
            known = self._ids[unit.digest] = new_ids("archive", 1)[0]
        return known

    def keep(self, unit: Unit) -> None:
        """Archive a record's document: the record was taken in."""
        self._kept.setdefault(unit.digest, unit)

    def write(self, conn: Connection, seals: Seals, digest: str | None, expires: str) -> None:
        """Seal and store what is kept."""
        scope = self._scope
        observed.archive(
            conn,
            scope.flow,
            [
                Raw(self._ids[d], u.key, d, seals.seal_blob("archive", self._ids[d], u.body))
                for d, u in self._kept.items()
            ],
            direction="in",
            mapping_digest=digest,
            job_id=scope.job_id or "",
            now=scope.now,
            expires_at=expires,
        )


def _write_down(
    conn: Connection,
    scope: Scope,
    seals: Seals,
    units: Sequence[Unit],
    raws: Raws,
    applied: Applied,
) -> None:
    for unit in units:
        if unit.key not in applied.missing:
            raws.keep(unit)
    observed.note(
        conn,
        scope.flow,
        [
            (
                u.key,
                Seen(
                    u.seen.version if u.seen else 0, u.digest, u.updated_at, applied.fields.get(u.key), raws.id_of(u),
                    scope.now,
                ),
            )
            for u in units
            if u.key not in applied.missing
        ],
    )  # fmt: skip
    write_history(conn, scope, applied.changes)
    holds = [
        held.Hold(
            u.key,
            "pull",
            [applied.missing[u.key]],
            seals.seal_blob("held", u.key, u.body),
            u.digest,
        )
        for u in units
        if u.key in applied.missing
    ]
    held.hold(conn, scope.flow, holds, scope.now)


def _tally(units: Sequence[Unit], applied: Applied, stale: int) -> Counts:
    missing = len(applied.missing)
    unchanged = len(applied.unchanged)
    received = len(units) + stale
    again = sum(1 for u in units if u.key in applied.missing and u.key in applied.held_before)
    return Counts(
        received=received,
        applied=len(units) - missing - unchanged,
        duplicate=stale + unchanged + again,
        held=missing - again,
    )


def _hold(
    conn: Connection, scope: Scope, seals: Seals, bad: Sequence[Bad], counts: dict[str, Counts]
) -> None:
    by_kind: dict[str, list[Bad]] = {}
    for item in bad:
        by_kind.setdefault(item.kind, []).append(item)
    for kind, items in by_kind.items():
        flow: Flow = replace(scope.flow, kind=kind)
        unique = list({item.key: item for item in items}.values())
        known = held.open_ones(conn, flow, [item.key for item in unique])
        changed = [item for item in unique if known.get(item.key, ("", None))[1] != item.digest]
        fresh = held.hold(
            conn,
            flow,
            [
                held.Hold(i.key, "pull", i.causes, seals.seal_blob("held", i.key, i.body), i.digest)
                for i in changed
            ],
            scope.now,
        )
        tally = counts.setdefault(kind, Counts())
        tally.add(Counts(received=len(items), held=fresh, duplicate=len(items) - fresh))


_FILE = (
    "merchant_id", "connection_id", "sha256", "name", "size_bytes", "state", "rows_total", "rows_ok",
    "rows_dup", "rows_error", "receipts", "encoding", "dialect", "error_code", "first_at", "last_at",
)  # fmt: skip


def _note_file(conn: Connection, scope: Scope, source: Source) -> None:
    row = (
        scope.merchant_id, scope.flow.connection_id, source.sha256, source.name, source.size_bytes, source.state,
        source.rows_total, source.rows_ok, source.rows_dup, source.rows_error, source.receipts, source.encoding,
        source.dialect, source.error_code, scope.now, scope.now,
    )  # fmt: skip
    names = [n for n in _FILE[3:] if n != "first_at"]
    # The same bytes again tell nothing new: what the first import counted stays.
    change(
        conn,
        f"INSERT INTO inbound_file ({', '.join(_FILE)}) VALUES ({', '.join('?' * len(_FILE))}) "  # noqa: S608 - our own columns
        f"ON CONFLICT ({', '.join(_FILE[:3])}) DO UPDATE SET {', '.join(f'{n}=excluded.{n}' for n in names)} "
        "WHERE inbound_file.state='parsing' OR excluded.rows_dup<excluded.rows_total",
        row,
    )

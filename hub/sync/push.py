"""Push: desired minus observed, in batches, one outcome per change.

Equal to what the channel shows means no call. A change the channel refused is held with its
words. A change whose figure moved under us (compare-and-set failed) learns what is there now
and waits until the orders up to that moment are known. A write that may have landed is read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hub.db import Connection, flows, held, observed, outbox
from hub.db.bulk import json_text
from hub.db.connections import ConnectionInfo
from hub.db.flows import Counts, Flow
from hub.db.observed import Seen
from hub.db.outbox import Waiting
from hub.errors import ChannelError, Conflict, ContractBroken, HubError, InDoubt, Rejected, Retry
from hub.mapping import Mapping as FieldMapping
from hub.records import ABSENT
from hub.records.time import from_text, to_text
from hub.sdk import Change, Connector, Kind, Outcome
from hub.sync.engine import Engine
from hub.sync.kinds import gate
from hub.sync.pull import room_of
from hub.sync.reading import cause_of
from hub.sync.session import connector_of, open_session

_PAUSE = timedelta(seconds=10)
"""How long one change rests after a try that led nowhere; the job's own back-off comes on top."""


@dataclass(slots=True)
class Pushed:
    """What a push did."""

    sent: int = 0
    equal: int = 0
    conflicts: int = 0
    refused: int = 0
    put_off: int = 0
    calls: int = 0
    failure: HubError | None = field(default=None, repr=False)


async def push(engine: Engine, info: ConnectionInfo, kind: Kind, *, job_id: str) -> Pushed:
    """Deliver what waits in the outbox of one flow until nothing is left that may go now.

    An error of the whole channel is raised after its rows were put off; nothing is lost.
    """
    out = Pushed()
    if engine.is_observe_only:
        return out
    session = await open_session(engine, info)
    connector = connector_of(engine, session)
    pusher = _Pusher(engine, info, kind, connector, out, job_id)
    try:
        while await pusher.once():
            pass
    finally:
        await connector.close()
    if out.failure is not None:
        raise out.failure
    return out


async def plan(engine: Engine, info: ConnectionInfo, kind: Kind) -> list[dict[str, Any]]:
    """Return what a push would do now, change by change, without doing it."""
    flow = Flow(info.merchant_id, info.id, kind)
    now = to_text(engine.now())
    batch, seen = await engine.db.read(_next_batch, flow, now, 10_000)
    fields = compared(engine.mapping_of(info.code, kind))
    out = []
    for row in batch:
        shown = seen.get(row.external_id)
        before = dict(shown.fields or {}) if shown else {}
        changes = {
            name: [before.get(name), row.desired[name]]
            for name in fields
            if name in row.desired and before.get(name) != row.desired[name]
        }
        out.append(
            {
                "key": row.external_id,
                "sku": row.desired.get("sku"),
                "version": row.version,
                "changes": changes,
            }
        )
    return [item for item in out if item["changes"]]


def compared(mapping: FieldMapping) -> list[str]:
    """Return the plain canonical fields a push writes, keys left out: what *equal* is judged by."""
    keys = set(mapping.record.key) | {"as_of", "sku", "barcode", "unit", "quantity_scale"}
    return [n for n in (*mapping.fields.two_way, *mapping.fields.way_out) if n not in keys]


def _next_batch(
    conn: Connection, flow: Flow, now: str, limit: int
) -> tuple[list[Waiting], dict[str, Seen]]:
    walked = flows.position(conn, replace(flow, kind="order")).finished_walk_at
    batch = outbox.waiting(conn, flow, now=now, order_walk_at=walked, limit=limit)
    return batch, observed.seen(conn, flow, [row.external_id for row in batch])


class _Pusher:
    """One push in progress."""

    def __init__(
        self,
        engine: Engine,
        info: ConnectionInfo,
        kind: Kind,
        connector: Connector,
        out: Pushed,
        job_id: str,
    ) -> None:
        self.engine, self.info, self.kind = engine, info, kind
        self.connector, self.out, self.job_id = connector, out, job_id
        self.flow = Flow(info.merchant_id, info.id, kind)
        self.mapping = engine.mapping_of(info.code, kind)
        self.fields = compared(self.mapping)
        stream = connector.manifest.streams[kind]
        if stream.push is None:
            raise ContractBroken(f"{info.code!r} does not take {kind!r}.")
        self.batch = min(stream.push.batch, engine.limits.push_batch)
        self.room = room_of(engine)
        self.seals = engine.seals(info.merchant_id)

    async def once(self) -> bool:
        """Deliver one batch; False when nothing more may go now."""
        now = to_text(self.engine.now())
        rows, seen = await self.engine.db.read(_next_batch, self.flow, now, self.batch)
        if not rows:
            return False
        equal = [row for row in rows if self._is_equal(row, seen.get(row.external_id))]
        skip = {row.external_id for row in equal}
        changes = [
            self._change(row, seen.get(row.external_id))
            for row in rows
            if row.external_id not in skip
        ]
        before = self.out.sent
        outcomes = await self._send(changes)
        await self.engine.db.write(self._record, rows, equal, outcomes, to_text(self.engine.now()))
        self.engine.observe(
            "push.sent",
            {
                "connection": self.info.id,
                "kind": self.kind,
                "documents": len(changes),
                "unchanged": len(equal),
                "pushed": self.out.sent - before,
            },
        )
        return self.out.failure is None

    def _is_equal(self, row: Waiting, seen: Seen | None) -> bool:
        shown = seen.fields if seen else None
        return shown is not None and all(
            shown.get(name) == row.desired[name] for name in self.fields if name in row.desired
        )

    def _change(self, row: Waiting, seen: Seen | None) -> Change:
        values = {**row.desired, "as_of": to_text(self.engine.now())}
        fields = self.mapping.record.model_fields
        record = tuple(values.get(name, ABSENT) for name in fields)
        document = self.mapping.to_native(record)
        return Change(row.external_id, document, (seen.fields or {}) if seen else {}, row.version)

    async def _send(self, changes: Sequence[Change]) -> list[Outcome]:
        if not changes:
            return []
        self.out.calls += 1
        try:
            outcomes = list(await self.connector.push(self.kind, changes))
        except InDoubt as error:
            return await self._read_back(changes, error)
        except ChannelError as error:
            self.out.failure = error
            return [Outcome(change.key, error) for change in changes]
        answered = {outcome.key for outcome in outcomes}
        silent = [c.key for c in changes if c.key not in answered]
        if silent:
            gap = ContractBroken(
                f"The connector left {len(silent)} of {len(changes)} changes unanswered."
            )
            self.out.failure = gap
            outcomes += [Outcome(key, gap) for key in silent]
        return outcomes

    async def _read_back(self, changes: Sequence[Change], doubt: InDoubt) -> list[Outcome]:
        """Ask the channel what it shows now, before anything is repeated."""
        out = []
        for change in changes:
            try:
                document = await self.connector.fetch(self.kind, change.key)
            except ChannelError as error:
                self.out.failure = error
                out.append(Outcome(change.key, error))
                continue
            row = self.mapping.to_canonical(document)[0] if document else None
            shown = self._shown(row) if row else None
            out.append(Outcome(change.key, Retry(str(doubt)), observed=shown))
        return out

    def _shown(self, row: Sequence[Any]) -> dict[str, Any]:
        names = list(self.mapping.record.model_fields)
        return {n: row[names.index(n)] for n in self.fields if row[names.index(n)] is not ABSENT}

    def _record(
        self,
        conn: Connection,
        rows: Sequence[Waiting],
        equal: Sequence[Waiting],
        outcomes: Sequence[Outcome],
        now: str,
    ) -> None:
        """Write every outcome down in one transaction: what was delivered, refused, put off, and what was seen."""
        versions = {row.external_id: row for row in rows}
        delivered = [(row.external_id, row.version) for row in equal]
        self.out.equal += len(equal)
        sightings: dict[str, Mapping[str, Any]] = {}
        gated: list[str] = []
        later = to_text(from_text(now) + _PAUSE)
        for outcome in outcomes:
            row = versions[outcome.key]
            error = Rejected(outcome.error) if isinstance(outcome.error, str) else outcome.error
            if outcome.observed is not None:
                sightings[outcome.key] = outcome.observed
            if error is None:
                delivered.append((outcome.key, row.version))
                sightings.setdefault(
                    outcome.key, {n: row.desired[n] for n in self.fields if n in row.desired}
                )
            elif isinstance(error, Conflict):
                self.out.conflicts += 1
                gated.append(outcome.key)
                # Where the channel has orders their next walk opens the gate; elsewhere only time does.
                rest = None if self.info.code in self.room.order_lag_s else later
                outbox.put_off(conn, self.flow, [outcome.key], not_before=rest, error=str(error))
            elif isinstance(error, Retry | ContractBroken | InDoubt):
                self.out.put_off += 1
                outbox.put_off(conn, self.flow, [outcome.key], not_before=later, error=str(error))
            else:
                self.out.refused += 1
                outbox.refuse(conn, self.flow, outcome.key, row.version, str(error))
                body = self.seals.seal_blob("held", outcome.key, _bytes(row.desired))
                held.hold(
                    conn,
                    self.flow,
                    [held.Hold(outcome.key, "push", [cause_of(error)], body, None)],
                    now,
                )
        self.out.sent += len(delivered) - len(equal)
        outbox.done(conn, self.flow, delivered, now)
        held.close(conn, self.flow, [key for key, _v in delivered], now, verb="push")
        _note(conn, self.flow, sightings, versions, now)
        if gated:
            gate(conn, self.flow, self.room, self.info.code, gated, now)
        flows.count(conn, self.flow, Counts(pushed=len(delivered) - len(equal)))


def _bytes(value: Mapping[str, Any]) -> bytes:
    return (json_text(dict(value)) or "").encode()


def _note(
    conn: Connection,
    flow: Flow,
    sightings: Mapping[str, Mapping[str, Any]],
    versions: Mapping[str, Waiting],
    now: str,
) -> None:
    known = observed.seen(conn, flow, list(sightings))
    rows = []
    for key, fields in sightings.items():
        before = known.get(key)
        merged = {**(before.fields or {} if before else {}), **fields}
        rows.append(
            (
                key,
                Seen(
                    versions[key].version, b"", before.source_updated_at if before else None, merged,
                    before.archive_id if before else None, now,
                ),
            )
        )  # fmt: skip
    observed.note(conn, flow, rows)

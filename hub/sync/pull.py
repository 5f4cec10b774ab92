"""Pull: walk a stream page by page; where the stream allows it, pages are fetched ahead.

The cursor is stored in the transaction that applies its page. A walk that finds nothing new
costs one commit, at its end, for the cursor and the freshness.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from hub.db import Connection, flows, keys
from hub.db.connections import ConnectionInfo
from hub.db.flows import Counts, Flow
from hub.db.scope import Scope
from hub.errors import ContractBroken
from hub.records.time import to_text
from hub.sdk import Connector, Cursor, Document, Page
from hub.sdk.quiet import QUIET
from hub.sdk.texts import joined
from hub.sync.apply import Step, apply_page
from hub.sync.engine import Engine, Seals
from hub.sync.kinds import BEGIN, Room
from hub.sync.prepare import Hide, Prepared, prepare
from hub.sync.reading import Named, Reading
from hub.sync.session import connector_of, open_session

MERGE_DOCUMENTS = 1000
"""Waiting pages are merged into one transaction up to about this many documents."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk did: counts by kind, pages read, commits made."""

    counts: dict[str, Counts]
    pages: int
    commits: int


def room_of(engine: Engine) -> Room:
    """Return what applying must know of the installed connectors."""
    lags = {
        code: stream.pull.lag_s
        for code, connector in engine.connectors.items()
        for stream in [connector.manifest.streams.get("order")]
        if stream and stream.pull
    }
    return Room(engine.by_sku, lags)


Closing = Callable[[Connection], None]


async def pull(
    engine: Engine,
    info: ConnectionInfo,
    kind: str,
    *,
    job_id: str,
    cursor: Cursor | None = None,
    closing: Closing | None = None,
) -> Walk:
    """Walk one stream from where it stands, or from `cursor` (a back-fill, which moves nothing).

    Errors of the channel go up; what was applied before stays, and the next walk goes on there.
    `closing` runs inside the walk's last transaction, so that ending a run costs no other.
    """
    session = await open_session(engine, info)
    flow = Flow(info.merchant_id, info.id, kind)
    place = await engine.db.read(flows.position, flow)
    connector = connector_of(engine, session)
    walker = Walker(engine, info, flow, job_id, place.value, moves=cursor is None)
    try:
        async with ahead(connector, kind, dict(place.value) if cursor is None else cursor) as pages:
            async for page in pages:
                await walker.take(page)
    finally:
        await connector.close()
    await walker.finish(closing)
    return Walk(walker.counts, walker.pages, walker.commits)


@asynccontextmanager
async def ahead(
    connector: Connector, kind: str, cursor: Cursor
) -> AsyncIterator[AsyncIterator[Page]]:
    """Give the pages of a pull, asked for ahead of their storing as far as the stream allows.

    Pages that wait are merged into one, so that a walk whose bottleneck is the database commits
    less often; nothing ever waits for others to come.
    """
    generator: Any = connector.pull(kind, cursor)  # type: ignore[arg-type] # a kind of the manifest
    depth = _depth(connector, kind)
    async with aclosing(generator):
        if depth == 0:
            yield generator
            return
        waiting: asyncio.Queue[Page | None] = asyncio.Queue(depth)
        task = asyncio.create_task(_fill(generator, waiting))
        try:
            yield _merged(waiting, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _depth(connector: Connector, kind: str) -> int:
    """Return how many pages of a stream may be asked for before the ones in front are stored."""
    stream = connector.manifest.streams.get(kind)  # type: ignore[call-overload] # a kind of the manifest
    return stream.pull.ahead if stream and stream.pull else 0


async def _fill(generator: AsyncIterator[Page], waiting: asyncio.Queue[Page | None]) -> None:
    """Ask for pages until the walk ends; a failure ends it too, after the pages in front of it."""
    try:
        async for page in generator:
            await waiting.put(page)
    except Exception:
        await waiting.put(None)
        raise
    await waiting.put(None)


async def _merged(
    waiting: asyncio.Queue[Page | None], task: asyncio.Task[None]
) -> AsyncIterator[Page]:
    is_over = False
    while not is_over:
        first = await waiting.get()
        if first is None:
            break
        pages = [first]
        while not waiting.empty() and sum(len(p.documents) for p in pages) < MERGE_DOCUMENTS:
            following = waiting.get_nowait()
            if following is None:
                is_over = True
                break
            pages.append(following)
        yield pages[0] if len(pages) == 1 else _one_page(pages)
    await task


def _one_page(pages: Sequence[Page]) -> Page:
    return Page(
        documents=joined([page.documents for page in pages]),
        cursor=pages[-1].cursor,
        done=pages[-1].done,
        faults=[fault for page in pages for fault in page.faults],
    )


class Walker:
    """One walk in progress: takes pages, applies them, counts."""

    def __init__(
        self,
        engine: Engine,
        info: ConnectionInfo,
        flow: Flow,
        job_id: str,
        cursor: Cursor,
        *,
        moves: bool,
        is_retry: bool = False,
    ) -> None:
        self.engine, self.info, self.flow, self.job_id = engine, info, flow, job_id
        self.is_retry = is_retry
        self.started_at = to_text(engine.now())
        self.moves = moves
        self.counts: dict[str, Counts] = {}
        self.pages = self.commits = 0
        self._cursor = cursor
        self._left: dict[str, int] = {}
        self._seals = engine.seals(info.merchant_id)
        self._hide = hide(self._seals)
        self._reading = Reading(engine.mappings_of(info.code, flow.kind), BEGIN)
        self._room = room_of(engine)
        self._is_first_sight = not cursor
        if not any(m.kind == flow.kind for m in self._reading.mappings):
            raise ContractBroken(f"No mapping file reads {flow.kind!r} documents of {info.code!r}.")

    async def take(self, page: Page) -> None:
        """Apply one page; one that holds nothing new is only counted.

        Reading the next page on another thread meanwhile gained nothing (decision 0009).
        """
        self.pages += 1
        prepared = await self._prepare(page)
        if prepared.is_empty and page.source is None:
            for kind, n in prepared.duplicates.items():
                self._left[kind] = self._left.get(kind, 0) + n
            self._cursor = page.cursor
            return
        for kind, n in self._left.items():
            prepared.duplicates[kind] = prepared.duplicates.get(kind, 0) + n
        self._left = {}
        self._cursor = page.cursor
        await self._write(prepared, page, done=False)

    async def finish(self, closing: Closing | None = None) -> None:
        """Write down that the walk reached its end."""
        await self._write(Prepared(duplicates=self._left), None, done=True, closing=closing)

    async def _prepare(self, page: Page) -> Prepared:
        named = await self._name(page)
        prepared: Prepared = await self.engine.db.read(
            _prepare_quietly, self.flow, page, named, self._reading, self._hide
        )
        found = sum(len(units) for units in prepared.units.values())
        self._is_first_sight = 2 * found > len(page.documents)
        return prepared

    async def _name(self, page: Page) -> list[Named]:
        """Read a page; eagerly, every record at once, as long as most of what came was new."""
        return await asyncio.to_thread(
            _name_quietly, self._reading, page.documents, eagerly=self._is_first_sight
        )

    async def _write(
        self,
        prepared: Prepared,
        page: Page | None,
        *,
        done: bool,
        closing: Closing | None = None,
    ) -> None:
        scope = Scope(
            flow=self.flow,
            now=to_text(self.engine.now()),
            sealer=self._seals,
            actor="sync",
            job_id=self.job_id,
            is_catalogue_source=self.info.is_catalogue_source,
        )
        counts = await self.engine.db.write_page(
            _apply_quietly,
            closing,
            scope,
            self._seals,
            self._room,
            prepared,
            Step(self._cursor if self.moves else None, self.started_at, done, self.is_retry),
            source=page.source if page else None,
            digests={m.kind: m.digest for m in self._reading.mappings},
            archive_days=self.engine.limits.archive_days,
        )
        self.commits += 1
        for kind, tally in counts.items():
            self.counts.setdefault(kind, Counts()).add(tally)
        self.engine.observe(
            "page.applied",
            {
                "connection": self.info.id,
                "kind": self.flow.kind,
                "documents": len(page.documents) if page else 0,
                "applied": sum(c.applied for c in counts.values()),
                "duplicate": sum(c.duplicate for c in counts.values()),
                "held": sum(c.held for c in counts.values()),
                "received": 0 if self.is_retry else sum(c.received for c in counts.values()),
                "at": _source_times(prepared, self.flow.kind),
                "file": page.source.name if page and page.source else None,
                "rows": page.source.rows_total if page and page.source else 0,
            },
        )


def _source_times(prepared: Prepared, kind: str) -> tuple[str, str] | None:
    """Return the earliest and the latest time the channel gave what is new; None if it gives none."""
    times = [u.updated_at for u in prepared.units.get(kind, ()) if u.updated_at is not None]
    return (min(times), max(times)) if times else None


def hide(seals: Seals) -> Hide:
    """Return by kind what hides keys that are personal."""
    return {"member": lambda key: seals.index("text", key).hex()}


def _name_quietly(reading: Reading, documents: Sequence[Document], *, eagerly: bool) -> list[Named]:
    with QUIET:
        return reading.name(documents, eagerly=eagerly)


def _prepare_quietly(conn: Connection, *args: Any) -> Prepared:
    with QUIET:
        return prepare(conn, *args)


def _apply_quietly(conn: Connection, *args: Any, **kwargs: Any) -> dict[str, Counts]:
    with QUIET:
        return _apply_and_close(conn, *args, **kwargs)


def _apply_and_close(
    conn: Connection, closing: Closing | None, scope: Scope, seals: Seals, *args: Any, **kwargs: Any
) -> dict[str, Counts]:
    before = seals.sealed
    counts = apply_page(conn, scope, seals, *args, **kwargs)
    keys.count_seals(conn, scope.merchant_id, seals.active_key_id, seals.sealed - before)
    if closing is not None:
        closing(conn)
    return counts

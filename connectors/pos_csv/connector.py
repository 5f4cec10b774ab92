"""POS by CSV file (门店收银文件): receipts in from a watched folder, stock files back out.

Pulls `order`: every document is one till receipt, which also carries its returns (`after_sale`)
and its member by their own mapping files. Pushes `inventory`: absolute stock files per store.
Facts and rules: `channels/pos_csv.md` (seen 2026-11).

The cursor: `seen` holds the hashes of finished files (younger than `max_age_days`), `file` the
checkpoint inside the one being read: how many receipts of it are stored. A page is one
transaction of whole receipts; after a crash the file is found in `work/` and read on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from connectors.pos_csv import claims
from connectors.pos_csv.claims import Claim, Watch
from connectors.pos_csv.decode import sha256
from connectors.pos_csv.errors import FileProblem
from connectors.pos_csv.form import FORM
from connectors.pos_csv.reading import Batch, FileReading, State
from connectors.pos_csv.settings import settings
from connectors.pos_csv.writeback import StockFiles
from hub.errors import Forbidden
from hub.records.time import now
from hub.sdk import (
    Account,
    Change,
    Connection,
    Connector,
    ContractGap,
    Cursor,
    Kind,
    Manifest,
    Outcome,
    Page,
    Pull,
    Push,
    Stream,
    Verdict,
)  # fmt: skip
from hub.sdk.contract import Place

MOST_SEEN: Final = 2000


@dataclass(slots=True)
class Progress:
    """The cursor, opened."""

    seen: dict[str, str]
    file: dict[str, Any] | None

    @classmethod
    def of(cls, cursor: Cursor) -> Progress:
        """Read a cursor; `{}` starts with an empty memory."""
        return cls(dict(cursor.get("seen", {})), cursor.get("file"))

    def cursor(self) -> Cursor:
        """Return the cursor that is true now."""
        return {"seen": dict(self.seen), **({"file": dict(self.file)} if self.file else {})}

    def skip(self, digest: str) -> int:
        """Return how many receipts of this file are stored already."""
        return int(self.file["receipts"]) if self.file and self.file["sha256"] == digest else 0

    def advance(self, name: str, digest: str, receipts: int) -> None:
        """Note that the first `receipts` receipts of a file are stored."""
        self.file = {"name": name, "sha256": digest, "receipts": receipts}

    def finish(self, digest: str, today: datetime, max_age_days: int, *, remember: bool) -> None:
        """Note that a file is done, and forget the oldest ones."""
        if self.file and self.file["sha256"] == digest:
            self.file = None
        if remember:
            oldest = f"{today - timedelta(days=max_age_days):%Y-%m-%d}"
            kept = {k: v for k, v in self.seen.items() if v >= oldest and k != digest}
            kept[digest] = f"{today:%Y-%m-%d}"
            self.seen = dict(list(kept.items())[-MOST_SEEN:])


class PosCsv(Connector):
    """One folder that a till, or several, share with the hub."""

    manifest: ClassVar[Manifest] = Manifest(
        code="pos_csv",
        title="Store POS by CSV file",
        credentials=FORM,
        streams={
            "order": Stream(pull=Pull(every_s=60, lag_s=0, page=500)),
            "inventory": Stream(push=Push(batch=1000, every_s=5, by_sku=True)),
        },
    )

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.rules = settings(connection.credentials)
        self.folder = connection.open_folder(self.rules.path)
        self.watch = Watch()

    async def pull(self, kind: Kind, cursor: Cursor) -> AsyncGenerator[Page, None]:
        if kind != "order":
            raise ContractGap(self.manifest.code, "pull", kind)
        progress, moved = Progress.of(cursor), False
        async with aclosing(self._files()) as files:
            async for claim in files:
                async with aclosing(self._file(claim, progress)) as pages:
                    async for page in pages:
                        moved = True
                        yield page
        yield Page((), progress.cursor() if moved else cursor, done=True)

    async def _files(self) -> AsyncGenerator[Claim, None]:
        """Give what an earlier run left first, then what is ready."""
        for left in await claims.adopt(self.folder):
            yield left
        for entry in await claims.ready(self.folder, self.rules, self.watch, now()):
            taken = await claims.claim(self.folder, entry, now())
            if taken is not None:
                yield taken
        for marker in await claims.lost_markers(self.folder, self.rules, now()):
            lost = await claims.claim(self.folder, marker, now())
            if lost is not None:
                await claims.quarantine(self.folder, lost, code="INCOMPLETE", now=now())

    async def _file(self, claim: Claim, progress: Progress) -> AsyncGenerator[Page, None]:
        path = await self.folder.fetch(claim.at)
        digest = await asyncio.to_thread(sha256, path)
        reading = FileReading(claim, path, digest, self.rules)
        if digest in progress.seen and not self.rules.reprocess:
            if not claim.adopted:
                yield await self._known(reading, progress)
            await claims.archive(self.folder, claim, sha256=digest, store=reading.store, now=now())
            return
        try:
            await claims.refuse_unconfirmed(self.folder, claim, digest)
            await asyncio.to_thread(reading.open)
        except FileProblem as problem:
            if (
                problem.partial
                and now().timestamp() - claim.entry.mtime_s < self.rules.marker_grace_s
            ):
                await claims.give_back(self.folder, claim, digest)
                return
            async with aclosing(self._refuse(reading, problem, progress)) as pages:
                async for page in pages:
                    yield page
            return
        try:
            async with aclosing(self._receipts(reading, progress)) as pages:
                async for page in pages:
                    yield page
        finally:
            reading.close()

    async def _known(self, reading: FileReading, progress: Progress) -> Page:
        """Count a file whose very bytes were taken before."""
        rows = await asyncio.to_thread(reading.count_rows)
        source = reading.source("imported", done=True)
        fields = {name: getattr(source, name) for name in source.__slots__}
        return Page(
            (),
            progress.cursor(),
            source=type(source)(**{**fields, "rows_total": rows, "rows_dup": rows}),
        )

    async def _receipts(
        self, reading: FileReading, progress: Progress
    ) -> AsyncGenerator[Page, None]:
        claim, digest = reading.claim, reading.sha256
        count = progress.skip(digest)
        if count:
            await asyncio.to_thread(reading.take, count)
        while True:
            batch = await asyncio.to_thread(reading.take, self.rules.page)
            if batch.last:
                break
            count += len(batch)
            progress.advance(claim.name, digest, count)
            yield self._page(batch, progress, reading, "parsing")
        if await asyncio.to_thread(sha256, await self.folder.fetch(claim.at)) != digest:
            progress.finish(digest, now(), self.rules.max_age_days, remember=False)
            yield self._page(batch, progress, reading, "parsing", error="CHANGED_WHILE_READING")
            await claims.give_back(self.folder, claim, digest)
            return
        if batch.problem is not None:
            async with aclosing(self._refuse(reading, batch.problem, progress, batch)) as pages:
                async for page in pages:
                    yield page
            return
        self._write_sidecars(claim, reading)
        progress.finish(digest, now(), self.rules.max_age_days, remember=True)
        state: State = "imported_with_errors" if reading.report.errors else "imported"
        yield self._page(batch, progress, reading, state, done=True)
        await claims.archive(self.folder, claim, sha256=digest, store=reading.store, now=now())

    async def _refuse(
        self,
        reading: FileReading,
        problem: FileProblem,
        progress: Progress,
        batch: Batch | None = None,
    ) -> AsyncGenerator[Page, None]:
        """Quarantine a file; what was read of it before stays."""
        self._write_sidecars(reading.claim, reading, problem)
        progress.finish(reading.sha256, now(), self.rules.max_age_days, remember=False)
        batch = batch or Batch([], [], last=True)
        yield self._page(batch, progress, reading, "quarantined", done=True, error=problem.code)
        await claims.quarantine(self.folder, reading.claim, code=problem.code, now=now())

    def _page(
        self, batch: Batch, progress: Progress, reading: FileReading, state: State, *, done: bool = False,
        error: str | None = None,
    ) -> Page:  # fmt: skip
        return Page(
            batch.documents, progress.cursor(), faults=batch.faults,
            source=reading.source(state, done=done, error=error),
        )  # fmt: skip

    def _write_sidecars(
        self, claim: Claim, reading: FileReading, problem: FileProblem | None = None
    ) -> None:
        for ending, content in reading.sidecars(problem=problem).items():
            with self.folder.write(claim.at + ending) as file:
                file.write(content)

    async def push(self, kind: Kind, changes: Sequence[Change]) -> Sequence[Outcome]:
        if kind != "inventory":
            raise ContractGap(self.manifest.code, "push", kind)
        return await StockFiles(self.folder, self.rules.out).write(changes, now())

    async def check(self) -> Account:
        """Prove that the folder can be read and written; take no file."""
        waiting = len(await self.folder.list("in/*"))
        permission = await self._unwritable()
        works = permission is None
        reason = None if works else "the folder is read-only"
        verdicts = [
            Verdict("order", "pull", works=works, permission=permission, reason=reason),
            Verdict("inventory", "push", works=works, permission=permission, reason=reason),
        ]
        places = [
            Place(code, name, "store") for code, name in sorted(self.rules.out.stores.items())
        ]
        title = "POS " + ", ".join(place.name for place in places)
        return Account(
            self.rules.path, title, places, verdicts, notes=[f"{waiting} files wait in in/"]
        )

    async def _unwritable(self) -> str | None:
        """Return the missing right, if a file cannot be written and deleted."""
        try:
            with self.folder.write("work/.check") as file:
                file.write(b"")
            await self.folder.delete("work/.check")
        except Forbidden as error:
            return error.permission
        return None

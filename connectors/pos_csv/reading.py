"""One claimed file, read to its end page by page on a thread, and told as a `Source`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from connectors.pos_csv.claims import Claim
from connectors.pos_csv.dialect import Plan, plan
from connectors.pos_csv.errors import FIX, FileProblem, RowProblem
from connectors.pos_csv.layouts import COLUMNS
from connectors.pos_csv.lines import GROSS, NET, Reading, header_minor
from connectors.pos_csv.receipts import Held, Item, Receipts
from connectors.pos_csv.report import Report, dump
from connectors.pos_csv.rows import Record
from connectors.pos_csv.settings import Settings
from connectors.pos_csv.values import money
from hub.errors import Rejected
from hub.sdk import Document, Fault, Source

_DATE: Final = re.compile(r"(\d{4})\D?(\d{2})\D?(\d{2})")
_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
State = Literal["parsing", "imported", "imported_with_errors", "quarantined"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some receipts in the file's order; `problem` when the file turned out to be unusable behind them."""

    documents: list[Document]
    faults: list[Fault]
    last: bool
    problem: FileProblem | None = None

    def __len__(self) -> int:
        return len(self.documents) + len(self.faults)


class FileReading:
    """Reads one file. `taken` batches are deterministic: the same file gives the same again."""

    def __init__(self, claim: Claim, path: Path, sha256: str, rules: Settings) -> None:
        self.claim, self.sha256 = claim, sha256
        self._path, self._rules = path, rules
        self.report = Report(rules.max_row_errors, rules.max_row_error_ratio)
        self.plan: Plan | None = None
        self._receipts: Receipts | None = None
        self._items: Iterator[Item] | None = None

    def open(self) -> None:
        """Decide how the file is to be read. Raises `FileProblem`."""
        if self.claim.entry.size_bytes > self._rules.max_file_bytes:
            raise FileProblem("UNSUPPORTED", "larger than max_file_mb")
        self.plan = plan(self._path, self._rules)
        modified = datetime.fromtimestamp(self.claim.entry.mtime_s, UTC)
        self._receipts = Receipts(
            self._path, self.plan, self._how(self.plan, modified), self.report,
            name=self.claim.name, file_at=f"{modified:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        )  # fmt: skip
        self._items = iter(self._receipts)

    def _how(self, found: Plan, modified: datetime) -> Reading:
        said = (
            self._rules.name_pattern.search(self.claim.name) if self._rules.name_pattern else None
        )
        words = said.groupdict() if said else {}
        day = _DATE.search(words.get("date") or "")
        latest = modified + timedelta(days=2)  # a day for the zone, a day for the clock
        return Reading(
            self._rules, found.order, store=words.get("store") or "",
            date="-".join(day.groups()) if day else "", newest=f"{latest:%Y-%m-%d %H:%M:%S}",
        )  # fmt: skip

    def take(self, most: int) -> Batch:
        """Read the next receipts, at most `most`."""
        assert self._items is not None  # noqa: S101 - `open` comes first
        documents: list[Document] = []
        faults: list[Fault] = []
        try:
            for item in self._items:
                if isinstance(item, Held):
                    faults.append(self._fault(item))
                else:
                    documents.append(item)
                if len(documents) + len(faults) >= most:
                    return Batch(documents, faults, last=False)
        except FileProblem as problem:
            return Batch(documents, faults, last=True, problem=problem)
        except UnicodeDecodeError:  # the whole file decoded a moment ago
            changed = FileProblem("CHANGED_WHILE_READING", "the writer has changed the file")
            return Batch(documents, faults, last=True, problem=changed)
        self._hold_against_footer()
        return Batch(documents, faults, last=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._items is not None and hasattr(self._items, "close"):
            self._items.close()

    def _fault(self, held: Held) -> Fault:
        why = f"{self.claim.name}: receipt {held.key}: {held.code}: {held.why}."
        return Fault(
            held.key, held.document, Rejected(why, code=held.code, hint=FIX.get(held.code))
        )

    def _hold_against_footer(self) -> None:
        """Compare the file's own last 合计 row with the sum of its rows; a difference is a warning."""
        receipts, found = self._receipts, self.plan
        if receipts is None or found is None or not receipts.tally.footers or receipts.tally.error:
            return
        cells = receipts.tally.footers[-1]
        for column in (NET, GROSS):
            at = found.index[column]
            if at >= min(found.width, len(cells)) or not cells[at].strip():
                continue
            try:
                said = header_minor(cells[at], COLUMNS[column], self._rules)
            except RowProblem:
                return
            if column == NET and said != receipts.tally.net:
                problem = RowProblem(
                    "TOTAL_MISMATCH", COLUMNS[column], "the file's total row differs from its rows"
                )
                self.report.warning(Record(0, []), 0, problem, receipt="", value=cells[at])
            return

    @property
    def store(self) -> str:
        """The store of the file's receipts, or nothing when there are several."""
        stores = self._receipts.tally.stores if self._receipts else set()
        return next(iter(stores)) if len(stores) == 1 else ""

    def source(self, state: State, *, done: bool, error: str | None = None) -> Source:
        """Tell the engine about the file as far as it has been read."""
        tally = self._receipts.tally if self._receipts else None
        return Source(
            name=self.claim.name, sha256=self.sha256, size_bytes=self.claim.entry.size_bytes,
            state=state, done=done, error_code=error,
            rows_total=tally.ok + tally.dup + tally.error if tally else 0,
            rows_ok=tally.ok if tally else 0, rows_dup=tally.dup if tally else 0,
            rows_error=tally.error if tally else 0, receipts=tally.receipts if tally else 0,
            encoding=self.plan.encoding if self.plan else None,
            dialect=_NAMES.get(self.plan.delimiter, self.plan.delimiter) if self.plan else None,
        )  # fmt: skip

    def count_rows(self) -> int:
        """Count the rows of a file that is known already, without reading them."""
        try:
            return sum(1 for _ in plan(self._path, self._rules).rows(self._path))
        except FileProblem:
            return 0

    def sidecars(self, *, problem: FileProblem | None = None) -> dict[str, bytes]:
        """Return the files to put beside this one, by their ending."""
        facts = self.source("imported", done=True)
        told = {
            "name": facts.name, "sha256": facts.sha256, "rows_total": facts.rows_total,
            "rows_ok": facts.rows_ok, "rows_dup": facts.rows_dup, "rows_error": facts.rows_error,
            "receipts": facts.receipts, "encoding": facts.encoding, "dialect": facts.dialect,
        }  # fmt: skip
        if self._receipts is not None:
            told["net_total"] = money(self._receipts.tally.net, self._rules.exponent)
        out: dict[str, bytes] = {}
        if problem is None:
            out[".done.json"] = dump(told)
        if self.report.codes or problem:
            error = {"file_error": problem.code, "why": problem.why} if problem else {}
            out[".errors.csv"] = self.report.errors_csv()
            out[".errors.json"] = self.report.errors_json(**error, **told)
        if self.report.rejected and self.plan:
            out[".rejected.csv"] = self.report.rejected_csv(self.plan)
        return out

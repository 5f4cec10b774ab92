"""Rows become receipts: consecutive rows of one number, whole or held, in the file's order.

A row that cannot be read holds the receipt it belongs to, with all its rows; everything else goes
on. A receipt whose rows do not stand together (`SPLIT_RECEIPT`) is given again, merged, when its
later part comes. Memory holds one receipt and 8 bytes' worth of every receipt already given.
Reading the same file again gives the same items in the same order: a resume counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connectors.pos_csv.dialect import Cells, Plan, is_footer
from connectors.pos_csv.documents import Json, Unbalanced, build, receipt_key
from connectors.pos_csv.errors import Code, FileProblem, RowProblem
from connectors.pos_csv.layouts import COLUMNS
from connectors.pos_csv.lines import Reading, Row, RowReader, raw_key
from connectors.pos_csv.report import Report, masked
from connectors.pos_csv.rows import Record, lenient
from connectors.pos_csv.values import clock_is_doubtful

MOST_SPLITS: Final = 100


@dataclass(frozen=True, slots=True)
class Held:
    """A receipt that is not given to the hub as a document, and why."""

    key: str
    document: Json
    code: Code
    why: str


Item = Json | Held


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be read."""

    record: Record
    row_no: int
    cells: Cells
    problem: RowProblem
    words: frozenset[str] | None = None
    """Set when columns cannot be trusted (ragged, broken quote): everything that stands in it."""


@dataclass(slots=True)
class Tally:
    """What became of the rows: `total = ok + dup + error`, always."""

    total: int = 0
    ok: int = 0
    dup: int = 0
    error: int = 0
    receipts: int = 0
    net: int = 0
    """Sum of the rows' net amounts with the file's own signs: to hold against its 合计 row."""
    stores: set[str] = field(default_factory=set)
    footers: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    key: Cells
    rows: list[Row] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)

    @property
    def date(self) -> str | None:
        return self.rows[0].when.date if self.rows else None

    def add(self, row: Row | Bad) -> None:
        if isinstance(row, Row):
            self.rows.append(row)
        else:
            self.bad.append(row)


def _sorted_out(
    strays: list[Bad], group: _Group | None, key: Cells | None
) -> tuple[list[Bad], list[_Group], list[Bad]]:
    """Give rows whose columns cannot be trusted to the receipt before or behind them, or to nobody."""
    before: list[Bad] = []
    alone: list[_Group] = []
    after: list[Bad] = []
    for bad in strays:
        last, coming = (group.key[-1] if group else None), (key[-1] if key else None)
        said, words = bad.cells[0].strip(), bad.words or frozenset()
        if last is not None and (said == last or (said != coming and last in words)):
            before.append(bad)
        elif coming is not None and (said == coming or coming in words):
            after.append(bad)
        else:
            alone.append(_Group(bad.cells, bad=[bad]))
    return before, alone, after


class Receipts:
    """One file's receipts. Iterate it once; `tally` and `report` fill as it goes."""

    def __init__(
        self, path: Path, plan: Plan, how: Reading, report: Report, *, name: str, file_at: str
    ) -> None:
        self._path, self._plan, self._how = path, plan, how
        self._reader = RowReader(how)
        self._report, self._name, self._file_at = report, name, file_at
        self.tally = Tally()
        self._given: set[int] = set()
        self._splits = 0

    def __iter__(self) -> Iterator[Item]:
        for group in self._groups(self.tally):
            yield from self._finish(group)
            self._report.refuse_if_hopeless(self.tally.total)

    def _groups(self, tally: Tally) -> Iterator[_Group]:
        group: _Group | None = None
        strays: list[Bad] = []
        for row in self._rows(tally):
            key = raw_key(row.cells)
            if isinstance(row, Bad) and (row.words is not None or key is None):
                strays.append(row)
                continue
            assert key is not None  # noqa: S101 - a row without a number is never good
            if group is not None and self._continues(group, key, row):
                group.bad.extend(strays)  # in the middle of a receipt: it must be one of its rows
            else:
                before, alone, after = _sorted_out(strays, group, key)
                if group is not None:
                    group.bad.extend(before)
                    yield group
                yield from alone
                group = _Group(key, bad=after)
            strays = []
            group.add(row)
        before, alone, _ = _sorted_out(strays, group, None)
        if group is not None:
            group.bad.extend(before)
            yield group
        yield from alone

    def _continues(self, group: _Group, key: Cells, row: Row | Bad) -> bool:
        if key != group.key:
            return False
        if self._how.rules.unique_receipt_no or isinstance(row, Bad) or group.date is None:
            return True
        return row.when.date == group.date

    def _rows(self, tally: Tally) -> Iterator[Row | Bad]:
        pick, width, most = self._plan.picker(), self._plan.width, self._how.rules.max_rows
        read = self._reader.read
        for record in self._plan.rows(self._path):
            cells = record.cells
            if cells and not cells[0] and not any(cell.strip() for cell in cells):
                continue
            if record.problem != "QUOTE" and is_footer(cells):
                tally.footers.append(cells)
                continue
            tally.total += 1
            if tally.total > most:
                raise FileProblem("UNSUPPORTED", f"more than {most} rows")
            if record.problem is not None:
                yield self._unreadable(record, tally.total, pick, width)
                continue
            cells.append("")
            picked = pick(cells)
            try:
                yield read(record, tally.total, picked)
            except RowProblem as problem:
                yield Bad(record, tally.total, picked, problem)

    def _unreadable(self, record: Record, row_no: int, pick: Any, width: int) -> Bad:
        cells = record.cells or lenient(record.raw, self._plan.delimiter)
        padded = [*cells[:width], *[""] * (width + 1 - min(len(cells), width))]
        why = {
            "RAGGED": f"{len(cells)} cells where the header has {width}",
            "NUL": "a NUL character",
        }.get(record.problem or "", "a quote that does not close, or text behind one")
        assert record.problem is not None  # noqa: S101 - callers ask first
        words = frozenset(cell.strip() for cell in cells)
        return Bad(record, row_no, pick(padded), RowProblem(record.problem, "row", why), words)

    def _finish(self, group: _Group) -> Iterator[Item]:
        rows = [row for row in group.rows if row.kind != "skip"]
        skipped = len(group.rows) - len(rows)
        self.tally.ok += skipped
        if group.bad:
            yield self._hold_bad(group, rows)
        elif rows:
            yield from self._receipt(rows)

    def _receipt(self, rows: list[Row]) -> Iterator[Item]:
        rules = self._how.rules
        revision = 0
        key = ""
        try:
            key = receipt_key(rows[0], rules)
            mark = hash(key)
            if mark in self._given:
                earlier = self._earlier(rows[0], key)
                if [row.cells for row in earlier] == [row.cells for row in rows]:
                    self._repeat(rows)
                    return
                revision, count = self._splits, len(rows)
                self._warn(rows[0], RowProblem("SPLIT_RECEIPT", "receipt_no", "rows stand apart"))
                rows = [*earlier, *rows]
            else:
                count = len(rows)
                self._given.add(mark)
            at = f"{self._file_at[:-1]}{revision:03d}Z"
            document = build(rows, rules, key=key, order=self._how.order, file_at=at)
        except RowProblem as problem:
            yield self._hold(rows, problem, key)
            return
        self._note(rows[-count:])
        self.tally.ok += count
        self.tally.net += sum(
            -row.figures.net if row.figures.negative else row.figures.net for row in rows[-count:]
        )
        self.tally.receipts += 1
        self.tally.stores.add(rows[0].store)
        yield document

    def _earlier(self, row: Row, key: str) -> list[Row]:
        """Read the file again up to `row` for what was already seen of its receipt."""
        self._splits += 1
        if self._splits > MOST_SPLITS:
            raise FileProblem(
                "TOO_MANY_ERRORS", "the rows of receipts do not stand together: sort the file"
            )
        out: list[Row] = []
        for group in self._groups(Tally()):
            if group.rows and group.rows[0].row_no >= row.row_no:
                break
            good = [item for item in group.rows if item.kind != "skip"]
            if not good or group.bad or receipt_key(good[0], self._how.rules) != key:
                continue
            if [item.cells for item in out] != [item.cells for item in good]:
                out += good
        return out

    def _repeat(self, rows: list[Row]) -> None:
        self.tally.dup += len(rows)
        self._warn(rows[0], RowProblem("DUP_LINE", "receipt_no", "the same receipt once more"))

    def _warn(self, row: Row, problem: RowProblem, action: str = "ignored") -> None:
        receipt = row.cells[0]
        self._report.warning(row.record, row.row_no, problem, receipt=receipt, action=action)

    def _note(self, rows: list[Row]) -> None:
        for row in rows:
            for problem in row.marks:
                self._warn(row, problem, "repaired" if problem.code == "EXCEL_NUM" else "ignored")
        if clock_is_doubtful(rows[0].when.sold_at[:15] + "0", self._how.rules.timezone):
            self._warn(
                rows[0], RowProblem("DATE", "sold_at", "a clock change repeats or skips this time")
            )

    def _hold_bad(self, group: _Group, rows: list[Row]) -> Held:
        for bad in group.bad:
            column = bad.problem.column
            value = bad.record.raw if column == "row" else bad.cells[COLUMNS.index(column)]
            self._report.error(
                bad.record, bad.row_no, bad.problem, receipt=bad.cells[0], value=value
            )
        first = group.bad[0]
        everything: list[Row | Bad] = [*rows, *group.bad]
        everything.sort(key=lambda row: row.row_no)
        return self._held(self._key_of(rows, first), everything, first.problem)

    def _hold(self, rows: list[Row], problem: RowProblem, key: str) -> Held:
        first = rows[0]
        value = first.cells[COLUMNS.index(problem.column)] if problem.column in COLUMNS else ""
        self._report.error(first.record, first.row_no, problem, receipt=first.cells[0], value=value)
        held = self._held(key or f"{self._name}:{first.row_no}", list(rows), problem)
        if isinstance(problem, Unbalanced):
            return Held(held.key, problem.document, held.code, held.why)
        return held

    def _key_of(self, rows: list[Row], bad: Bad) -> str:
        """Name a broken receipt as it will be named once it is mended, if enough of it can be read."""
        try:
            if rows:
                return receipt_key(rows[0], self._how.rules)
            if bad.words is None and bad.cells[0].strip():
                row = self._reader.skeleton(bad.record, bad.row_no, bad.cells)
                return receipt_key(row, self._how.rules)
        except RowProblem:
            pass
        no = bad.cells[0].strip()
        return (
            f"{self._name}:{masked(no, 'receipt_no')}" if no else f"{self._name}:row {bad.row_no}"
        )

    def _held(self, key: str, rows: list[Row | Bad], problem: RowProblem) -> Held:
        self.tally.error += len(rows)
        for row in rows:
            self._report.reject(row.record.raw)
        shown = [
            {
                "row_no": row.row_no,
                "problem": str(row.problem) if isinstance(row, Bad) else None,
                "cells": {
                    name: masked(cell, name)
                    for name, cell in zip(COLUMNS, row.cells, strict=True)
                    if cell
                },
            }
            for row in rows
        ]
        document = {
            "file": self._name,
            "receipt_no": rows[0].cells[0].strip() or None,
            "rows": shown,
        }
        return Held(key, document, problem.code, problem.why)

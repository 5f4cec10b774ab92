"""How one file is to be read: encoding, delimiter, header row, which column is which, order of dates.

Decided before the first row is believed, from the file alone and the connection form, never per
row (channels/pos_csv.md, sections 3 and 4). The same file always gives the same plan, so that a
reading that was interrupted can be repeated exactly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Final, cast

from connectors.pos_csv.decode import candidates
from connectors.pos_csv.errors import FileProblem
from connectors.pos_csv.layouts import COLUMNS, REQUIRED, plain
from connectors.pos_csv.rows import Record, lenient, opened, records
from connectors.pos_csv.settings import Settings
from connectors.pos_csv.values import date_parts

DELIMITERS: Final = (",", ";", "\t", "|")
MOST_PREAMBLE: Final = 10
_SAMPLE: Final = 60
_FOOTERS: Final = frozenset({"合计", "总计", "小计", "total", "grand total", "sum"})
_FOOTER_HEADS: Final = frozenset("合总小TtGgSs ")
_ID_COLUMNS: Final = ("receipt_no", "sku", "barcode", "original_no", "customer_no")
_TAIL_BYTES: Final = 1 << 16

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is decided about a file before its rows are read."""

    encoding: str
    delimiter: str
    header: Record
    width: int
    index: tuple[int, ...]
    """For each of `COLUMNS` its position in a record, or `width` when the file has no such column."""
    order: str = ""

    def has(self, column: str) -> bool:
        """Tell whether the file has a column."""
        return self.index[COLUMNS.index(column)] < self.width

    def picker(self) -> Callable[[list[str]], Cells]:
        """Return what takes our columns, in our order, out of a record that was padded by one empty cell."""
        return cast("Callable[[list[str]], Cells]", itemgetter(*self.index))

    def rows(self, path: Path) -> Iterator[Record]:
        """Yield the records behind the header."""
        with opened(path, self.encoding) as file:
            for record in records(file, delimiter=self.delimiter, width=self.width):
                if record.line > self.header.line:
                    yield record


def is_footer(cells: list[str]) -> bool:
    """Tell whether a record is a total line: its first filled cell is 合计 or the like."""
    first = cells[0] or next((cell for cell in cells if cell.strip()), "")
    return first[:1] in _FOOTER_HEADS and plain(first) in _FOOTERS


def plan(path: Path, rules: Settings) -> Plan:
    """Decide how to read a file. Raises `FileProblem`."""
    best = _best(path, rules)
    missing = [name for name in REQUIRED if not best.has(name)]
    if missing:
        raise FileProblem("HEADER_MISSING", f"no column for {', '.join(missing)}")
    _refuse_cut_tail(path, best)
    _refuse_lost_digits(path, best)
    return Plan(
        best.encoding,
        best.delimiter,
        best.header,
        best.width,
        best.index,
        _order(path, best, rules),
    )


def _best(path: Path, rules: Settings) -> Plan:
    delimiters = DELIMITERS if rules.delimiter == "auto" else (rules.delimiter,)
    for encoding in candidates(path, rules.encoding):
        found = [_try(path, encoding, delimiter, rules.aliases) for delimiter in delimiters]
        good = [item for item in found if item is not None]
        if good:
            return max(good, key=itemgetter(0))[1]
    raise FileProblem("HEADER_MISSING", f"no known column name in the first {MOST_PREAMBLE} rows")


def _try(
    path: Path, encoding: str, delimiter: str, aliases: Mapping[str, str]
) -> tuple[tuple[int, int], Plan] | None:
    with opened(path, encoding) as file:
        sample = list(islice(records(file, delimiter=delimiter), _SAMPLE))
    scored = [
        (sum(plain(cell) in aliases for cell in record.cells), -position, record)
        for position, record in enumerate(sample[:MOST_PREAMBLE])
    ]
    matches, position, header = max(scored, key=itemgetter(0, 1), default=(0, 0, Record(0, [])))
    if not matches:
        return None
    cells = list(header.cells)
    while cells and not cells[-1].strip():
        cells.pop()
    width = len(cells)
    even = sum(len(record.cells) == len(header.cells) for record in sample[-position:])
    index = _columns(cells, aliases)
    return (matches, even), Plan(encoding, delimiter, header, width, index)


def _columns(header: list[str], aliases: Mapping[str, str]) -> tuple[int, ...]:
    names = [plain(cell) for cell in header]
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise FileProblem("HEADER_DUP", f"{len(twice)} column name(s) stand twice in the header")
    place = {name: position for position, name in enumerate(names)}
    where: dict[str, int] = {}
    for alias, column in aliases.items():  # in order of preference
        if alias in place:
            where.setdefault(column, place[alias])
    return tuple(where.get(column, len(header)) for column in COLUMNS)


def _refuse_cut_tail(path: Path, found: Plan) -> None:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        start = max(size - _TAIL_BYTES, 0)
        file.seek(start - start % 2)
        tail = file.read().decode(found.encoding, "ignore")
    if not tail or tail[-1] in "\r\n":
        return
    last = tail.replace("\r", "\n").rpartition("\n")[2]
    cells = lenient(last, found.delimiter)
    if len(cells) < found.width and any(cells) and not is_footer(cells):
        raise FileProblem("INCOMPLETE", "the last row stops half-way", partial=True)


def _sample_cells(path: Path, found: Plan, column: str, most: int | None) -> Iterator[str]:
    at = found.index[COLUMNS.index(column)]
    for record in islice(found.rows(path), most):
        if record.problem is None and at < len(record.cells) and record.cells[at].strip():
            yield record.cells[at].strip()


def _refuse_lost_digits(path: Path, found: Plan) -> None:
    for column in _ID_COLUMNS:
        if not found.has(column):
            continue
        cells = list(_sample_cells(path, found, column, 200))
        lost = sum(len(c) >= 16 and c.isdecimal() and c.endswith("000") for c in cells)
        if len(cells) >= 10 and lost * 2 > len(cells):
            raise FileProblem(
                "EXCEL_15DIGIT", f"{column}: a spreadsheet has zeroed the last digits"
            )


def _order(path: Path, found: Plan, rules: Settings) -> str:
    wanted = [name for name in rules.date_formats if name != "YMD"]
    if len(wanted) == 1:
        return wanted[0]
    if rules.date_formats == ("YMD",):
        return "YMD"
    doubtful = False
    for count, cell in enumerate(_sample_cells(path, found, "sold_at", None)):
        parts = date_parts(cell)
        if parts is None or len(parts[2]) == 4:
            if count > 200 and not doubtful:
                return ""
            continue
        first, second = parts[:2]
        if first > 12 or second > 12:
            return "DMY" if first > 12 else "MDY"
        doubtful = doubtful or first != second
    if doubtful and not wanted:
        raise FileProblem("DATE_AMBIGUOUS", "no date in the file tells day from month")
    return wanted[0] if wanted else "DMY"

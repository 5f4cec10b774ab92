"""Text to records: the standard csv reader, strict, with a way back after a broken quote.

`csv` in strict mode refuses a bad record but cannot say where the next good one starts: an
unclosed quote swallows everything behind it. So the physical lines of the record being read are
kept; when it fails, or is ragged over several lines, all lines after its first are pushed back
and read anew. A record longer than `MOST_CHARS` is such a failure, which bounds both memory and
the cost of the way back (channels/pos_csv.md, section 4; csv.field_size_limit is not used since
it belongs to the whole process).
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from connectors.pos_csv.errors import Code

MOST_CHARS: Final = 64_000


class _TooLong(Exception):  # noqa: N818 - caught in this module
    """A record grew past `MOST_CHARS`."""


@dataclass(slots=True)
class Record:
    """One record as read. `problem` is set when `cells` cannot be trusted; `raw` is its text."""

    line: int
    """Physical line of its first line, from 1."""
    cells: list[str]
    problem: Code | None = None
    raw: str = ""


class _Lines:
    """Physical lines with a memory of the current record and a way to push lines back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._back: deque[str] = deque()
        self.held: list[str] = []
        self.taken = 0
        self._chars = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._file.readline(MOST_CHARS)
        if not line:
            raise StopIteration
        self.taken += 1
        self.held.append(line)
        self._chars += len(line)
        if self._chars >= MOST_CHARS:
            if len(self.held) == 1:
                self._skip_rest(line)
            raise _TooLong
        return line

    def _skip_rest(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._file.readline(MOST_CHARS)

    def forget(self) -> None:
        """Start a new record."""
        self.held.clear()
        self._chars = 0

    def give_back(self) -> str:
        """Push back all lines after the first of the record and return that first line."""
        first, rest = self.held[0], self.held[1:]
        self._back.extendleft(reversed(rest))
        self.taken -= len(rest)
        return first


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open a file for strict reading with its line endings untouched."""
    with path.open(encoding=encoding, errors="strict", newline="") as file:
        yield file


def records(file: TextIO, *, delimiter: str, width: int | None = None) -> Iterator[Record]:
    """Yield every record, good or bad, in order; blank lines are left out.

    With `width`, a record of another length is `RAGGED` (empty cells at its end are cut off);
    without it every length is good (to find the header).
    """
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.forget()
        start = lines.taken + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong):
            yield Record(start, [], "QUOTE", lines.give_back())
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if width is not None and len(cells) != width and not _fit(cells, width):
            if not any(cells):
                continue
            if len(lines.held) > 1:
                yield Record(start, [], "QUOTE", lines.give_back())
                reader = csv.reader(lines, delimiter=delimiter, strict=True)
                continue
            yield Record(start, cells, "RAGGED", lines.held[0])
        elif cells:
            yield _seen(start, cells, lines.held)


def _seen(start: int, cells: list[str], held: list[str]) -> Record:
    raw = held[0] if len(held) == 1 else "".join(held)
    return Record(start, cells, "NUL" if "\0" in raw else None, raw)


def _fit(cells: list[str], width: int) -> bool:
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    return len(cells) == width


def lenient(raw: str, delimiter: str) -> list[str]:
    """Split one broken physical line as well as possible: only to guess whose row it was."""
    try:
        return next(csv.reader([raw.rstrip("\r\n")], delimiter=delimiter, strict=False), [])
    except csv.Error:
        return []

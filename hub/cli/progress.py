"""How far long work is: a line that moves while a piece of work runs, and stays when it has ended.

On a terminal that is a bar with count and rate; where nobody watches (a pipe, CI) one plain line
at the start and one at the end, without control characters; with `--json` nothing. All on stderr.

A bar fills only where the end is known: a counted total, or, for a walk whose records come in the
order of their own time, the stretch from its first record to the moment the walk began. Any other
bar pulses, beside a true count.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from hub.records.time import from_text

if TYPE_CHECKING:
    from hub.config import LogSettings

_WIDE = 104
"""Columns from which a terminal has room for the time and a long bar."""
_STEPS = 1000
_REFRESH_PER_S = 5


@dataclass(slots=True)
class Stretch:
    """Where a walk stands between the time of its first record and `until`, the end of the stretch.

    Known only while every page begins no earlier than the one before it ended, and not before a
    second page has shown it: a list that is sorted otherwise has no place in time. Texts are
    instants in the one sortable form.
    """

    until: str
    begin: str | None = None
    reached: str | None = None
    _pages: int = 0
    _is_sorted: bool = True

    def take(self, earliest: str, latest: str) -> None:
        """Take the source times of a page."""
        if self.reached is not None and earliest < self.reached:
            self._is_sorted = False
        self.begin = self.begin or earliest
        self.reached = max(self.reached or latest, latest)
        self._pages += 1

    @property
    def part(self) -> float | None:
        """Return how much of the stretch lies behind, 0 to 1; None where that cannot be known."""
        if self.begin is None or self.reached is None or not self._is_sorted or self._pages == 1:
            return None
        if self.begin >= min(self.reached, self.until):  # all of one time, or a clock that is wrong
            return None
        begin, until = from_text(self.begin), from_text(self.until)
        return min(1.0, (from_text(self.reached) - begin) / (until - begin))


class Display(Protocol):
    """Where lines are shown."""

    def begun(self, line: Line) -> None:
        """Show a line that has just begun."""

    def moved(self, line: Line) -> None:
        """Show what has changed about it."""

    def ended(self, line: Line) -> None:
        """Leave its end standing."""


class Line:
    """One piece of work: what was done so far, and of how much where that is known."""

    def __init__(
        self,
        display: Display,
        label: str,
        unit: str,
        *,
        total: int | None = None,
        stretch: Stretch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label, self.unit, self.total, self.stretch = label, unit, total or None, stretch
        self.count = 0
        self.note = ""
        self.state = ""
        self._display, self._clock = display, clock
        self._started, self._took_s = clock(), 0.0
        display.begun(self)

    @property
    def took_s(self) -> float:
        """Return the seconds since it began, up to its end."""
        return self._took_s if self.state else self._clock() - self._started

    @property
    def rate(self) -> float:
        """Return the mean rate since it began, in units per second."""
        return self.count / max(self.took_s, 0.001)

    @property
    def part(self) -> float | None:
        """Return how much lies behind, 0 to 1; None where the end is not known."""
        if self.state == "done":
            return 1.0
        if self.total:
            return self.count / self.total
        return self.stretch.part if self.stretch else None

    def add(self, count: int, note: str | None = None) -> None:
        """Count what was done since the last call."""
        self.count += count
        if self.total:
            self.total = max(self.total, self.count)
        self.note = self.note if note is None else note
        self._display.moved(self)

    def of(self, count: int, total: int) -> None:
        """Set both figures at once, where another keeps the count."""
        self.count, self.total = count, total or None
        self._display.moved(self)

    def hear(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take an event of the engine that tells of this work."""
        if event == "page.applied":
            self._page(fields)
        elif event == "push.sent":
            self.add(fields["pushed"] + fields["unchanged"])
        elif event == "flow.compared":
            self.add(fields["queued"] + fields["changed"])

    def _page(self, fields: Mapping[str, Any]) -> None:
        note = None
        if fields["file"]:
            note = f"{fields['file']}: {fields['rows']:,} rows"
        elif fields["at"] and self.stretch:
            self.stretch.take(*fields["at"])
            note = "" if self.stretch.part is None else f"up to {_moment(fields['at'][1])}"
        self.add(fields["received"], note)

    def end(self, *, failed: bool = False) -> None:
        """Stop the clock and leave the figures standing; ending it again changes nothing."""
        if not self.state:
            self._took_s, self.state = self.took_s, "failed" if failed else "done"
            self._display.ended(self)


def _moment(text: str) -> str:
    """Return an instant for a person, in the zone of the terminal."""
    return f"{from_text(text).astimezone():%Y-%m-%d %H:%M}"


class Silent:
    """Shows nothing: a machine reads."""

    def begun(self, line: Line) -> None:
        """Show nothing."""

    moved = ended = begun


class Plain:
    """A line at the start and one at the end, for a pipe or a log."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def begun(self, line: Line) -> None:
        """Say that it has begun."""
        self._write(f"{line.label}: started")

    def moved(self, line: Line) -> None:
        """Say nothing in between: a log is no place for a moving figure."""

    def ended(self, line: Line) -> None:
        """Say how it ended."""
        figures = f"{line.count:,} {line.unit} in {line.took_s:.1f} s ({line.rate:,.0f}/s)"
        self._write(f"{line.label}: {line.state}, {figures}")


class Live:
    """Bars on a terminal. What runs moves at the bottom; what has ended stands above it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[Line, Any] = {}

    def begun(self, line: Line) -> None:
        """Draw its bar."""
        self._tasks[line] = self._progress.add_task(line.label, total=None, line=line)
        self.moved(line)

    def moved(self, line: Line) -> None:
        """Draw its bar anew."""
        part = line.part
        if part is None:
            # Once there was an end and now there is none: `update` cannot take a total away.
            self._task(line).total = None
        else:
            self._progress.update(self._tasks[line], total=_STEPS, completed=round(part * _STEPS))
        self._progress.refresh()

    def ended(self, line: Line) -> None:
        """Print its last figures above the bars that still move."""
        if line.part is None:
            self._progress.update(self._tasks[line], total=_STEPS, completed=0)
        else:
            self.moved(line)
        task = self._task(line)
        self._progress.stop_task(task.id)
        last = self._progress.make_tasks_table([task])
        self._progress.remove_task(task.id)
        del self._tasks[line]
        self._progress.refresh()  # else the print below would draw the line that has gone once more
        self._progress.console.print(last)

    def _task(self, line: Line) -> Task:
        return next(t for t in self._progress.tasks if t.id == self._tasks[line])


class _Spinner(SpinnerColumn):
    def render(self, task: Task) -> Any:
        return Text(" ") if task.fields["line"].state else super().render(task)


class _Far(ProgressColumn):
    """How far: the end, a share, or nothing."""

    def render(self, task: Task) -> Text:
        line: Line = task.fields["line"]
        if line.state:
            return Text(line.state, style="red" if line.state == "failed" else "green")
        return Text("" if line.part is None else f"{int(line.part * 100)} %")


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        line: Line = task.fields["line"]
        of = f" of {line.total:,}" if line.total else ""
        return Text(f"{line.count:,}{of} {line.unit}")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.fields['line'].rate:,.0f}/s")


class _Note(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(task.fields["line"].note, style="dim")


def _columns(labels: Sequence[str], width: int) -> list[ProgressColumn]:
    is_wide = width >= _WIDE
    longest = min(max(map(len, labels), default=0), 36 if is_wide else 24)
    columns: list[ProgressColumn] = [
        _Spinner("line"),
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(width=longest, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=20 if is_wide else 10),
        _Far(Column(width=6, no_wrap=True)),
        _Count(Column(min_width=14, no_wrap=True, justify="right")),
        _Rate(Column(min_width=7, no_wrap=True, justify="right")),
    ]
    if is_wide:
        columns += [TimeElapsedColumn(), _Note(Column(no_wrap=True, overflow="ellipsis"))]
    return columns


class Bars:
    """Gives lines, all on one display."""

    def __init__(self, display: Display, *, is_live: bool) -> None:
        self._display = display
        self.is_live = is_live

    def line(
        self, label: str, unit: str, *, total: int | None = None, stretch: Stretch | None = None
    ) -> Line:
        """Begin a line. `total`: how many units there are, if it is known."""
        return Line(self._display, label, unit, total=total, stretch=stretch)


@contextmanager
def bars(
    labels: Sequence[str], *, json: bool, log: LogSettings, console: Console | None = None
) -> Iterator[Bars]:
    """Show progress as fits who watches. `labels`: those to come, for the width of their column.

    While bars move, what is logged is printed above them, and what the bars show already (level
    info) is left out.
    """
    chosen = console or Console(stderr=True)
    if json:
        yield Bars(Silent(), is_live=False)
    elif chosen.is_interactive and (console is not None or sys.stderr.isatty()):
        progress = Progress(
            *_columns(labels, chosen.width), console=chosen,
            refresh_per_second=_REFRESH_PER_S, redirect_stdout=False,
        )  # fmt: skip
        with _above(progress, log):
            yield Bars(Live(progress), is_live=True)
    else:
        yield Bars(Plain(_to_stderr), is_live=False)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command line speaks here


@contextmanager
def _above(progress: Progress, log: LogSettings) -> Iterator[None]:
    """Send the log through what rich puts in the place of stderr, and back in the end."""
    from hub.log import configure

    stderr = sys.stderr
    try:
        with progress:
            level = "warning" if log.level == "info" else log.level
            configure(level=level, form=log.format, stream=sys.stderr)
            yield
    finally:
        configure(level=log.level, form=log.format, stream=stderr)

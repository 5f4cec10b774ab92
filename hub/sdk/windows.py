"""Time windows for channels that are read by "changed between A and B". Pure.

A walk reads `[mark - overlap, now - lag]` in pieces no wider than the channel allows. Pieces
touch: each begins where the one before ended, so a channel that counts its bounds as closed
shows an edge twice and one that counts them half-open shows it once; none skips it.

The mark moves to a window's end when all its pages are applied, empty or not, and never back.
`now` is the channel's clock where it tells (`Reply.skew_s`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time with `start < end`, both aware instants."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse an empty stretch and times without a zone."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs times with a zone")
        if self.start >= self.end:
            raise ValueError("a window needs start < end")

    @property
    def width_s(self) -> float:
        """Return its length in seconds."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Windows:
    """A channel's rule for windows, in seconds.

    `width_s`: the widest it answers. `overlap_s`: how far a walk reaches back before its mark,
    for changes stamped late. `lag_s`: how long a change may take to show up in its lists.
    `smallest_s`: where halving ends.
    """

    width_s: float
    overlap_s: float = 300.0
    lag_s: float = 60.0
    smallest_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a rule under which a walk that is cut short again and again makes no way."""
        if not 0 <= self.overlap_s < self.width_s:
            raise ValueError("windows need 0 <= overlap_s < width_s")
        if self.lag_s < 0 or not 0 < self.smallest_s <= self.width_s:
            raise ValueError("windows need lag_s >= 0 and 0 < smallest_s <= width_s")

    def after(
        self, mark: datetime, now: datetime, *, until: datetime | None = None
    ) -> Iterator[Window]:
        """Yield the windows of a walk from `mark`, oldest first; none if nothing is due yet.

        `until` ends a back-fill early; it is read to exactly there, and never past `now - lag`.
        """
        start = mark - timedelta(seconds=self.overlap_s)
        stop = now - timedelta(seconds=self.lag_s)
        if until is not None:
            stop = min(stop, until)
        width = timedelta(seconds=self.width_s)
        while start < stop:
            end = min(start + width, stop)
            yield Window(start, end)
            start = end

    def halves(self, window: Window) -> tuple[Window, Window] | None:
        """Split a window that holds too much for the channel; None when it cannot get smaller."""
        if window.width_s < 2 * self.smallest_s:
            return None
        middle = window.start + (window.end - window.start) / 2
        return Window(window.start, middle), Window(middle, window.end)


def moved(mark: datetime, window: Window) -> datetime:
    """Return the mark after a window is done: its end, unless the mark is past that already."""
    return max(mark, window.end)

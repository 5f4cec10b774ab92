"""Laws of time windows: they cover everything, leave no gap, move forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.sdk.windows import Window, Windows, moved

START = datetime(2026, 10, 5, tzinfo=UTC)
NAIVE = START.replace(tzinfo=None)
moments = st.floats(-400_000, 400_000).map(lambda s: START + timedelta(seconds=round(s)))
rules = st.builds(
    Windows,
    width_s=st.integers(1000, 90_000),
    overlap_s=st.integers(0, 999),
    lag_s=st.integers(0, 600),
)


@given(rules, moments, moments)
def test_windows_cover_everything_from_overlap_to_lag_without_a_gap(rule, mark, now):
    got = list(rule.after(mark, now))
    first, last = mark - timedelta(seconds=rule.overlap_s), now - timedelta(seconds=rule.lag_s)

    if first >= last:
        assert got == []
        return
    assert (got[0].start, got[-1].end) == (first, last)
    assert all(one.end == two.start for one, two in pairwise(got))
    assert all(0 < one.width_s <= rule.width_s for one in got)


@given(rules, moments, moments, st.integers(0, 5))
def test_a_walk_cut_after_any_window_makes_way_and_misses_nothing(rule, mark, now, cut):
    done = list(rule.after(mark, now))[: cut + 1]
    assume(done)
    place = mark
    for window in done:
        place = moved(place, window)
    assume(done[-1].end - mark > timedelta(0))

    again = list(rule.after(place, now))

    assert place > mark
    assert place == done[-1].end
    assert not again or again[0].start <= done[-1].end


@given(rules, moments, moments)
def test_the_mark_never_goes_back(rule, mark, now):
    for window in rule.after(mark, now):
        assert moved(mark, window) >= mark


@given(rules, moments, st.integers(1, 500_000))
def test_a_back_fill_ends_exactly_where_it_was_told(rule, mark, length):
    until = mark + timedelta(seconds=length)

    got = list(rule.after(mark, until + timedelta(days=30), until=until))

    assert got[-1].end == until
    assert list(rule.after(mark, mark + timedelta(seconds=1), until=until)) == list(
        rule.after(mark, mark + timedelta(seconds=1))
    )


@given(st.integers(1, 100_000))
def test_halving_covers_the_same_and_ends(width):
    rule = Windows(width_s=100_000)
    left = [Window(START, START + timedelta(seconds=width))]
    steps = 0
    while left:
        window = left.pop()
        halves = rule.halves(window)
        steps += 1
        if halves is None:
            assert window.width_s < 2
        else:
            assert (halves[0].start, halves[0].end, halves[1].end) == (
                window.start,
                halves[1].start,
                window.end,
            )
            left += halves[:1]
    assert steps <= 20


@pytest.mark.parametrize(
    "wrong",
    [
        {"width_s": 300},
        {"width_s": 600, "overlap_s": 600},
        {"width_s": 600, "overlap_s": -1},
        {"width_s": 600, "lag_s": -1},
        {"width_s": 600, "smallest_s": 0},
        {"width_s": 600, "smallest_s": 601},
    ],
)
def test_a_rule_that_makes_no_way_is_refused(wrong):
    with pytest.raises(ValueError, match="windows need"):
        Windows(**wrong)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, START),
        (START + timedelta(seconds=1), START),
        (NAIVE, START),
        (START, NAIVE),
    ],
)
def test_a_window_needs_length_and_zones(start, end):
    with pytest.raises(ValueError, match="a window needs"):
        Window(start, end)

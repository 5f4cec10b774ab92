"""The breaker's steps as values, and one probe at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Throttled
from hub.sdk.breaker import (
    FAILURES,
    OPEN_MAX_S,
    OPEN_S,
    PROBE_S,
    Breaker,
    BreakerState,
    failed,
    open_s,
)
from tests.sdk.wire import Clock


def opened(clock):
    breaker = Breaker(now=clock)
    for _ in range(FAILURES):
        breaker.failed()
    return breaker


def test_it_opens_at_the_fifth_failure_in_a_row_and_an_answer_starts_over():
    breaker = Breaker(now=Clock())
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert breaker.phase == "closed"
    breaker.answered()
    for _ in range(FAILURES - 1):
        breaker.failed()

    breaker.admit()
    assert breaker.phase == "closed"
    breaker.failed()
    assert breaker.phase == "open"


def test_open_refuses_with_the_time_left():
    clock = Clock()
    breaker = opened(clock)
    clock.at += 12

    with pytest.raises(Throttled) as caught:
        breaker.admit()

    assert caught.value.delay_s == OPEN_S - 12
    assert caught.value.code == "breaker_open"


def test_half_open_lets_one_probe_through_whose_answer_closes_it():
    clock = Clock()
    breaker = opened(clock)
    clock.at += OPEN_S
    assert breaker.phase == "half_open"

    breaker.admit()
    with pytest.raises(Throttled):
        breaker.admit()
    breaker.answered()

    breaker.admit()
    assert breaker.state == BreakerState()


def test_each_failed_probe_doubles_the_time_up_to_a_limit():
    clock = Clock()
    breaker = opened(clock)
    lengths = []
    for _ in range(8):
        lengths.append(breaker.state.left_s(clock()))
        clock.at += lengths[-1]
        breaker.admit()
        breaker.failed()

    assert lengths == [30, 60, 120, 240, 480, 900, 900, 900]
    assert open_s(10**6) == OPEN_MAX_S


def test_a_probe_that_never_reports_is_taken_for_lost():
    clock = Clock()
    breaker = opened(clock)
    clock.at += OPEN_S
    breaker.admit()

    clock.at += PROBE_S
    breaker.admit()

    with pytest.raises(Throttled):
        breaker.admit()


@given(st.integers(1, 50), st.floats(-1e6, 1e6))
def test_no_clock_jump_keeps_it_open_longer_than_one_opening(failures, jump_s):
    state = BreakerState()
    for _ in range(failures):
        state = failed(state, 1e9)

    assert 0 <= state.left_s(1e9 + jump_s) <= OPEN_MAX_S


def test_the_state_goes_on_in_another_process():
    clock = Clock()
    state = opened(clock).state
    other = Breaker(state, now=clock)

    with pytest.raises(Throttled):
        other.admit()
    assert state == BreakerState(failures=5, openings=1, open_until_s=1030.0)

"""The limiter: exact, fair, bounded, and it survives being saved."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Throttled
from hub.sdk.limits import MAX_PENALTY_S, BucketState, TokenBucket
from tests.sdk.wire import Clock


def bucket(capacity=10, per_s=2, **options):
    clock = Clock()
    return TokenBucket(capacity, per_s, clock=clock, sleep=clock.sleep, **options), clock


async def test_a_full_bucket_lets_its_capacity_through_at_once_then_paces():
    limiter, clock = bucket()

    for _ in range(10):
        await limiter.acquire()
    await limiter.acquire()
    await limiter.acquire(3)

    assert clock.slept == [0.5, 1.5]


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=30))
def test_never_more_than_capacity_plus_rate_times_time_is_spent(costs):
    async def spend():
        limiter, clock = bucket(capacity=20, per_s=5, max_wait_s=1e9)
        start, spent = clock(), 0.0
        for cost in costs:
            await limiter.acquire(cost)
            spent += cost
            assert spent <= 20 + 5 * (clock() - start) + 1e-6

    asyncio.run(spend())


async def test_waiters_are_served_in_the_order_they_came():
    limiter = TokenBucket(1, 200)
    await limiter.acquire()
    served = []

    async def caller(name, cost):
        await limiter.acquire(cost)
        served.append(name)

    async with asyncio.TaskGroup() as group:
        for name, cost in [("big", 1), ("small", 0.1), ("tiny", 0.01)]:
            group.create_task(caller(name, cost))

    assert served == ["big", "small", "tiny"]


async def test_a_wait_that_is_too_long_is_refused_at_once_with_its_length():
    limiter, clock = bucket(max_wait_s=5)
    await limiter.acquire(10)

    with pytest.raises(Throttled) as caught:
        await limiter.acquire(10.2)
    with pytest.raises(Throttled) as sooner:
        await limiter.acquire(4, within_s=1)

    assert caught.value.delay_s == pytest.approx(5.1)
    assert sooner.value.delay_s == pytest.approx(2)
    assert clock.slept == []
    assert limiter.state().tokens == 0


async def test_those_who_wait_already_count_for_those_who_come():
    limiter = TokenBucket(1, 10, max_wait_s=0.25)
    await limiter.acquire()
    first = asyncio.create_task(limiter.acquire(1))
    second = asyncio.create_task(limiter.acquire(1))
    await asyncio.sleep(0)

    with pytest.raises(Throttled):
        await limiter.acquire(1)
    await asyncio.gather(first, second)


async def test_a_cancelled_waiter_takes_nothing():
    limiter = TokenBucket(1, 0.01)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire(0.2))
    await asyncio.sleep(0.01)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert limiter.state().tokens == pytest.approx(0, abs=0.01)
    with pytest.raises(Throttled) as caught:
        await limiter.acquire(1)
    assert caught.value.delay_s == pytest.approx(100, abs=1)


async def test_a_cost_above_the_capacity_waits_for_a_full_bucket_and_owes_the_rest():
    limiter, clock = bucket(capacity=10, per_s=2)

    await limiter.acquire(14)
    await limiter.acquire(1)

    assert clock.slept == [2.5]


async def test_the_channels_own_figures_replace_ours_also_as_text():
    limiter, clock = bucket()

    limiter.learn(available="3", capacity="2000.0", per_s="100.0")
    await limiter.acquire(53)

    assert clock.slept == [0.5]
    assert limiter.state() == BucketState(tokens=0, capacity=2000, per_s=100)


@pytest.mark.parametrize("figure", [0, -1, float("inf"), float("nan")])
def test_figures_that_make_no_sense_are_left_aside(figure):
    limiter, _ = bucket()

    limiter.learn(capacity=figure, per_s=figure)

    assert limiter.state() == BucketState(tokens=10, capacity=10, per_s=2)


async def test_a_penalty_stops_everybody_and_is_never_shortened():
    limiter, clock = bucket(max_wait_s=100)

    limiter.penalise(30)
    limiter.penalise(10)
    limiter.penalise(-5)
    await limiter.acquire(1)

    assert clock.slept == [30.5]


async def test_a_penalty_that_comes_while_one_waits_is_kept():
    limiter = TokenBucket(1, 20)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    limiter.penalise(300)

    with pytest.raises(Throttled) as caught:
        await waiting

    assert caught.value.delay_s > 299


def test_a_penalty_is_clamped():
    limiter, _ = bucket()

    limiter.penalise(1e9)

    assert limiter.state().blocked_s == MAX_PENALTY_S


async def test_a_saved_bucket_goes_on_where_it_was():
    limiter, _ = bucket(max_wait_s=100)
    await limiter.acquire(10)
    limiter.penalise(20)
    saved = limiter.state()
    fresh, clock = bucket(max_wait_s=100)

    fresh.restore(saved, age_s=15)
    await fresh.acquire(1)

    assert saved == BucketState(tokens=0, capacity=10, per_s=2, blocked_s=20)
    assert clock.slept == [5.5]


@pytest.mark.parametrize(("age_s", "tokens"), [(-100, 0), (0, 0), (3, 6), (1000, 10)])
def test_time_that_passed_while_saved_fills_the_bucket(age_s, tokens):
    limiter, _ = bucket()

    limiter.restore(BucketState(tokens=0, capacity=10, per_s=2), age_s=age_s)

    assert limiter.state().tokens == tokens


@pytest.mark.parametrize(
    ("capacity", "per_s"), [(0, 1), (1, 0), (-1, 1), (float("inf"), 1), (1, float("nan"))]
)
def test_a_bucket_without_capacity_or_rate_is_refused(capacity, per_s):
    with pytest.raises(ValueError, match="above 0"):
        TokenBucket(capacity, per_s)

"""The retry policy as a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Rejected, Retry, Throttled
from hub.sdk.retry import ONCE, RetryPolicy
from tests.sdk.wire import Clock


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_pause_grows_with_jitter_between_half_and_whole_step_up_to_the_limit(attempt, share):
    step = min(10.0, 0.5 * 2.0 ** min(attempt - 1, 60))

    wait = RetryPolicy().wait_s(attempt, None, share)

    assert step / 2 <= wait <= step


def test_what_the_channel_asked_for_is_kept_exactly():
    assert RetryPolicy().wait_s(3, Throttled("x", delay_s=42.5), 0.9) == 42.5


async def attempt(policy, *errors):
    clock, left = Clock(), list(errors)

    async def work():
        if left:
            raise left.pop(0)
        return "done"

    result = await policy.retrying(clock=clock, sleep=clock.sleep)(work)
    return result, clock.slept


async def test_a_wait_that_does_not_fit_goes_up_without_sleeping():
    error = Throttled("x", delay_s=60)

    with pytest.raises(Throttled) as caught:
        await attempt(RetryPolicy(), error)

    assert caught.value is error
    assert await attempt(RetryPolicy(), Throttled("x", delay_s=59)) == ("done", [59])


async def test_only_the_retry_family_is_repeated():
    with pytest.raises(Rejected):
        await attempt(RetryPolicy(), Rejected("no"))
    result, slept = await attempt(RetryPolicy(), Retry("x"), Retry("x"))

    assert (result, len(slept)) == ("done", 2)


async def test_once_is_one_attempt():
    with pytest.raises(Retry):
        await attempt(ONCE, Retry("x"))


@pytest.mark.parametrize(
    "wrong",
    [{"tries": 0}, {"total_s": 0}, {"first_s": 0}, {"first_s": 5, "max_s": 1}, {"max_s": -1}],
)
def test_a_policy_without_an_end_or_a_pause_is_refused(wrong):
    with pytest.raises(ValueError, match="a retry policy needs"):
        RetryPolicy(**wrong)

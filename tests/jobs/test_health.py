"""What an error means, as values: no runner, no database."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import (
    ContractBroken,
    Forbidden,
    HubError,
    MappingError,
    Reauthorize,
    Retry,
    Throttled,
)
from hub.sync.health import DAY_S, LOUD_AFTER, Verdict, judge


def judged(error: HubError, failures: int = 1, seed: int = 1) -> Verdict:
    rng = random.Random(seed)  # noqa: S311 - jitter, not a secret
    return judge(error, failures=failures, first_s=10.0, last_s=900.0, rng=rng)


@given(st.integers(1, 10_000), st.integers())
def test_a_passing_fault_backs_off_doubling_with_jitter_and_never_beyond_the_last(
    failures: int, seed: int
) -> None:
    whole = min(900.0, 10.0 * 2 ** min(failures - 1, 20))

    verdict = judged(Retry("down"), failures, seed)

    assert whole / 2 <= verdict.delay_s <= whole
    assert (verdict.pause, verdict.off_reason) == (None, None)
    assert verdict.alert is (failures >= LOUD_AFTER)


def test_two_workers_that_fail_together_do_not_come_back_together() -> None:
    assert judged(Retry("down"), 5, seed=1).delay_s != judged(Retry("down"), 5, seed=2).delay_s


@given(st.floats(0.1, 10_000))
def test_a_throttled_run_waits_exactly_as_long_as_the_channel_says(delay_s: float) -> None:
    assert judged(Throttled("slow", delay_s=delay_s), failures=9) == Verdict(delay_s)


def test_an_open_breaker_is_said_aloud() -> None:
    assert judged(Throttled("open", delay_s=30.0, code="breaker_open")).alert


def test_refused_credentials_pause_the_connection_and_a_missing_permission_one_ability() -> None:
    assert judged(Reauthorize("no")) == Verdict(900.0, pause="needs_reauth", alert=True)
    refused = judged(Forbidden("no", permission="write_inventory"))
    assert refused == Verdict(DAY_S, off_reason="write_inventory", alert=True)


@pytest.mark.parametrize(
    "error",
    [
        ContractBroken("odd reply"),
        MappingError("bad", file="f", line=1, canonical="c", native="n", value="v"),
    ],
)
def test_a_broken_contract_is_said_at_once(error: HubError) -> None:
    assert judged(error).alert
    assert 5.0 <= judged(error).delay_s <= 10.0

"""How often one call is repeated: a value, so that a policy can be tested without a network.

The kit repeats a call a few times within a minute; everything longer is the job runner's.
A wait that does not fit in what is left of `total_s` is not slept: the error goes up, and a
`Throttled` carries its `delay_s` with it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import tenacity

from hub.errors import Retry, Throttled


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `tries` attempts in `total_s` seconds, waits doubling from `first_s` to `max_s`."""

    tries: int = 3
    total_s: float = 60.0
    first_s: float = 0.5
    max_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a policy that could repeat for ever or without a pause."""
        if self.tries < 1 or self.total_s <= 0 or not 0 < self.first_s <= self.max_s:
            raise ValueError(
                "a retry policy needs tries >= 1, total_s > 0 and 0 < first_s <= max_s"
            )

    def wait_s(self, attempt: int, error: BaseException | None, share: float) -> float:
        """Return the pause after failed attempt number `attempt` (from 1).

        `share` in [0, 1] is the jitter: the pause lies in the upper half of the doubling step.
        What a channel asked for (`Throttled.delay_s`) is kept exactly.
        """
        if isinstance(error, Throttled):
            return error.delay_s
        step_s = min(self.max_s, self.first_s * 2.0 ** min(attempt - 1, 60))
        return step_s * (0.5 + share / 2)

    def retrying(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> tenacity.AsyncRetrying:
        """Build the loop for one call, its total time counted from now.

        Only the `Retry` family is repeated; the last error is raised as it was.
        """
        dice = rng or random.Random()  # noqa: S311 - jitter, not a secret
        until = clock() + self.total_s

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return self.wait_s(state.attempt_number, error, dice.random())

        def stop(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= self.tries or clock() + state.upcoming_sleep >= until

        return tenacity.AsyncRetrying(
            stop=stop,
            wait=wait,
            sleep=sleep,
            retry=tenacity.retry_if_exception_type(Retry),
            reraise=True,
        )


ONCE = RetryPolicy(tries=1)
"""One attempt, no repetition."""

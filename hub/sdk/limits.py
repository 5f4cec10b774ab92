"""How fast one connection may call: a token bucket that is fair, bounded and can be saved.

A bucket holds up to `capacity` points and gains `per_s` points a second; a call takes its
cost. Callers are served in the order they came. One that would have to wait longer than it
may is refused at once with `Throttled` and the wait, instead of sleeping in a queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from hub.errors import Throttled

MAX_WAIT_S = 60.0  # seconds a caller may queue: the total time of one call with its tries
MAX_PENALTY_S = 900.0  # seconds: no word of a channel stops a connection longer than 15 min at once
MIN_SLEEP_S = 0.001  # seconds: floor of one sleep, so that rounding never makes a busy loop
SLACK_S = 0.05  # seconds a sleep may overshoot before a waiter counts as late


class Limiter(Protocol):
    """What the HTTP kit asks before every attempt; kept in memory or in a table."""

    async def acquire(self, cost: float = 1.0, *, within_s: float | None = None) -> None:
        """Take `cost` points, waiting in turn; `Throttled` if that takes longer than allowed."""

    def learn(
        self,
        *,
        available: float | str | None = None,
        capacity: float | str | None = None,
        per_s: float | str | None = None,
    ) -> None:
        """Take over what the channel says about its bucket; None leaves a figure as it is."""

    def penalise(self, delay_s: float) -> None:
        """Let nobody through for `delay_s` seconds: the channel said so."""


@dataclass(frozen=True, slots=True)
class BucketState:
    """A bucket as plain values, true at the moment it was taken."""

    tokens: float
    capacity: float
    per_s: float
    blocked_s: float = 0.0


class TokenBucket:
    """The limiter of one process. Cancelled waiters leave the queue and take nothing."""

    def __init__(
        self,
        capacity: float,
        per_s: float,
        *,
        max_wait_s: float = MAX_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not (0 < capacity < float("inf") and 0 < per_s < float("inf")):
            raise ValueError("a bucket needs a capacity and a rate above 0")
        self._capacity, self._per_s, self._max_wait_s = float(capacity), float(per_s), max_wait_s
        self._clock, self._sleep = clock, sleep
        self._tokens = self._capacity
        self._at = self._blocked_until = clock()
        self._turn = asyncio.Lock()  # wakes waiters first in, first out
        self._queued = 0.0

    async def acquire(self, cost: float = 1.0, *, within_s: float | None = None) -> None:
        """Take `cost` points in turn. A cost above the capacity waits for a full bucket."""
        most_s = self._max_wait_s if within_s is None else min(within_s, self._max_wait_s)
        self._refuse_over(most_s, self._wait_s(self._queued + cost))
        until = self._clock() + most_s
        self._queued += cost
        try:
            async with self._turn:
                while (wait_s := self._wait_s(min(cost, self._capacity))) > 0:
                    self._refuse_over(until - self._clock(), wait_s)
                    await self._sleep(max(wait_s, MIN_SLEEP_S))
                self._tokens -= cost
        finally:
            self._queued -= cost

    def learn(
        self,
        *,
        available: float | str | None = None,
        capacity: float | str | None = None,
        per_s: float | str | None = None,
    ) -> None:
        """Take over the channel's own figures; one that is no positive number is left aside."""
        self._refill()
        for name, figure in (("_capacity", capacity), ("_per_s", per_s)):
            if figure is not None and 0 < float(figure) < float("inf"):
                setattr(self, name, float(figure))
        if available is not None and float(available) < float("inf"):
            self._tokens = float(available)
        self._tokens = min(self._tokens, self._capacity)

    def penalise(self, delay_s: float) -> None:
        """Empty the bucket and start filling it after `delay_s` seconds; never shortens a wait."""
        now_s = self._clock()
        until = now_s + min(max(delay_s, 0.0), MAX_PENALTY_S)
        self._refill()
        self._tokens = min(self._tokens, 0.0)
        self._blocked_until = max(self._blocked_until, until)
        self._at = max(self._at, self._blocked_until)

    def state(self) -> BucketState:
        """Return the bucket as plain values, to be kept."""
        self._refill()
        blocked_s = max(0.0, self._blocked_until - self._clock())
        return BucketState(self._tokens, self._capacity, self._per_s, blocked_s)

    def restore(self, state: BucketState, *, age_s: float = 0.0) -> None:
        """Go on from values taken `age_s` seconds ago (a negative age counts as none)."""
        now_s, age_s = self._clock(), max(age_s, 0.0)
        self._capacity, self._per_s, self._tokens = state.capacity, state.per_s, state.tokens
        self._blocked_until = now_s - age_s + min(state.blocked_s, MAX_PENALTY_S)
        self._at = max(now_s - age_s, self._blocked_until)
        self._refill()

    def _refill(self) -> None:
        now_s = self._clock()
        if now_s > self._at:
            gained = (now_s - self._at) * self._per_s
            self._tokens = min(self._capacity, self._tokens + gained)
            self._at = now_s

    def _wait_s(self, cost: float) -> float:
        self._refill()
        blocked_s = max(0.0, self._at - self._clock())
        return blocked_s + max(0.0, cost - self._tokens) / self._per_s

    def _refuse_over(self, most_s: float, wait_s: float) -> None:
        if wait_s > max(most_s, 0.0) + SLACK_S:
            raise Throttled(
                f"The call quota of this connection is spent for {wait_s:.1f} s.",
                delay_s=wait_s,
                code="quota",
            )

"""The breaker of one connection: stop asking a channel that does not answer.

closed --FAILURES in a row--> open --its time is over--> half-open --answer--> closed
                                ^------------- no answer, twice as long ------'

The state is a plain value and the steps are pure functions, so the engine can keep it in its
database; `Breaker` holds one such value for a client. Times are wall-clock seconds because
the state outlives the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from hub.errors import Throttled

FAILURES = 5  # unanswered calls in a row that open the breaker
OPEN_S = 30.0  # seconds the first opening lasts
OPEN_MAX_S = 900.0  # seconds the longest opening lasts: 15 min, the longest wait of the job runner
PROBE_S = 120.0  # seconds after which a probe that never reported is taken for lost


@dataclass(frozen=True, slots=True)
class BreakerState:
    """All that must survive: failures in a row, openings in a row, and shut until when."""

    failures: int = 0
    openings: int = 0
    open_until_s: float = 0.0

    def left_s(self, now_s: float) -> float:
        """Return the seconds until a probe may go out; 0 when it may go now.

        A clock that was set back cannot keep the breaker open longer than one opening.
        """
        return max(0.0, min(self.open_until_s - now_s, open_s(self.openings)))


def open_s(openings: int) -> float:
    """Return how long the opening number `openings` (from 1) lasts; doubles up to a limit."""
    return min(OPEN_MAX_S, OPEN_S * 2.0 ** min(max(openings - 1, 0), 30))


def failed(state: BreakerState, now_s: float) -> BreakerState:
    """Return the state after a call without an answer."""
    failures = state.failures + 1
    if state.openings == 0 and failures < FAILURES:
        return replace(state, failures=failures)
    openings = state.openings + 1
    return BreakerState(failures, openings, now_s + open_s(openings))


def answered() -> BreakerState:
    """Return the state after any answer, also a refusal: the channel is there."""
    return BreakerState()


class Breaker:
    """The breaker of one client; keep `state` in the database, give it back at the next start."""

    def __init__(
        self, state: BreakerState | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        self.state = state or BreakerState()
        self._now = now
        self._probe_at: float | None = None

    @property
    def phase(self) -> Literal["closed", "open", "half_open"]:
        """Say where it stands."""
        if self.state.openings == 0:
            return "closed"
        return "open" if self.state.left_s(self._now()) > 0 else "half_open"

    def admit(self) -> None:
        """Let a call through, or raise `Throttled` with code `breaker_open` and the time left.

        When half-open one call goes through as the probe; the others wait for its answer.
        """
        if self.phase == "closed":
            return
        now_s = self._now()
        left_s = self.state.left_s(now_s)
        if left_s == 0 and self._probe_at is not None and 0 <= now_s - self._probe_at < PROBE_S:
            left_s = OPEN_S
        if left_s > 0:
            raise Throttled(
                f"The channel did not answer {self.state.failures} times in a row; "
                f"next try in {left_s:.0f} s.",
                delay_s=left_s,
                code="breaker_open",
                hint="The channel seems to be down. Nothing is lost; the hub tries again.",
            )
        self._probe_at = now_s

    def answered(self) -> None:
        """Note that the channel answered, be it with a refusal."""
        self._probe_at = None
        self.state = answered()

    def failed(self) -> None:
        """Note that no answer came."""
        self._probe_at = None
        self.state = failed(self.state, self._now())

    def abandoned(self) -> None:
        """Note that the call ended without a word about the channel (cancelled, queued out)."""
        self._probe_at = None

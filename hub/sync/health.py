"""What a failed run means: when to try again, whose state changes, what a person is told, once.

Retry            10 s doubling to 15 min, jitter            nothing, until it has lasted (breaker)
Throttled        exactly as long as the channel says        nothing
Reauthorize      connection -> needs_reauth, no retries     alert
Forbidden        this ability off, asked again in a day     alert naming the permission
ContractBroken   as Retry, the stream waits                 alert
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from hub.errors import ContractBroken, Forbidden, HubError, MappingError, Reauthorize, Throttled

DAY_S = 86_400.0
LOUD_AFTER = 5
"""Failures in a row after which a person is told even of a passing fault."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a failed run."""

    delay_s: float
    pause: Literal["needs_reauth"] | None = None
    off_reason: str | None = None
    alert: bool = False


def judge(
    error: HubError, *, failures: int, first_s: float, last_s: float, rng: random.Random
) -> Verdict:
    """Decide by the error's class and how often in a row it failed (1 for the first time)."""
    if isinstance(error, Throttled):
        return Verdict(max(0.1, error.delay_s), alert=error.code == "breaker_open")
    if isinstance(error, Reauthorize):
        return Verdict(last_s, pause="needs_reauth", alert=True)
    if isinstance(error, Forbidden):
        return Verdict(DAY_S, off_reason=error.permission, alert=True)
    backoff = min(last_s, first_s * 2 ** min(failures - 1, 20))
    loud = isinstance(error, ContractBroken | MappingError) or failures >= LOUD_AFTER
    return Verdict(backoff * rng.uniform(0.5, 1.0), alert=loud)

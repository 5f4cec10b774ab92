"""The fault dial (rule S5): what goes wrong, how often, drawn from the seed.

``429=0.02,500=0.03,timeout=0.01,cut=0.02,throttle=0.02,commit_then_cut=0.02,slow=0.01``: each
number is the chance that one request meets the fault. ``cut`` breaks the connection before the
work, ``commit_then_cut`` after it, ``timeout`` is silence after it, ``html`` a login page with
HTTP 200.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

NAMES = (
    "402", "423", "429", "430", "500", "502", "503", "html", "cut",  # before the work
    "throttle", "internal", "concurrent",  # inside an HTTP 200
    "timeout", "commit_then_cut", "slow",  # after the work
)  # fmt: skip


class UnknownFault(ValueError):  # noqa: N818 - read as an instruction
    """A fault specification that names something the dial does not have."""


USUAL = "429=0.02,500=0.03,timeout=0.01,cut=0.02,throttle=0.02,commit_then_cut=0.02,slow=0.01,internal=0.01"


def chances(spec: str) -> dict[str, float]:
    """Read a specification; an unknown name or a chance outside 0..1 is refused.

    `usual` is a bad but ordinary day.
    """
    found: dict[str, float] = {}
    if spec == "usual":
        spec = USUAL
    for entry in filter(None, (one.strip() for one in spec.split(","))):
        name, _, value = entry.partition("=")
        try:
            chance = float(value)
        except ValueError:
            chance = -1.0
        if name not in NAMES or not 0 <= chance <= 1:
            raise UnknownFault(f"{entry!r}: use name=chance with a name of {', '.join(NAMES)}")
        found[name] = chance
    return found


@dataclass(slots=True)
class Dial:
    """Draws at most one fault for a request."""

    rng: random.Random
    chances: dict[str, float] = field(default_factory=dict)
    next: list[str] = field(default_factory=list)
    burst: int = 0

    def draw(self) -> str | None:
        """Return the fault of this request; those ordered by a test come first, in order."""
        if self.next:
            return self.next.pop(0)
        if self.burst > 0:
            self.burst -= 1
            return "throttle"
        draw = self.rng.random()
        for name, chance in self.chances.items():
            if draw < chance:
                if name == "throttle":
                    self.burst = self.rng.randint(0, 2)
                return name
            draw -= chance
        return None

    def quiet(self) -> None:
        """Switch everything off."""
        self.chances, self.next, self.burst = {}, [], 0

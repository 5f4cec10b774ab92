"""What a query costs, and the bucket that pays for it (fact sheet, sections 4.1 to 4.3).

The formula reproduces 99 % of recorded costs; ``charge`` is the same formula with the number of
nodes really returned. Admission looks at the requested cost, the bucket pays the actual one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sandbox.shopify.plan import FREE, Compiled, Selection, Step, Variables

MAX_COST = 1000
PLANS = {  # restoreRate per second, maximumAvailable (fact sheet, section 4.1)
    "standard": (100.0, 2000.0),
    "advanced": (200.0, 4000.0),
    "plus": (1000.0, 20000.0),
    "enterprise": (2000.0, 40000.0),
}
_MUTATION_BASE = {
    "refundCreate": 20,
    "orderCapture": 20,
    "fulfillmentTrackingInfoUpdate": 50,
    "productCreateMedia": 20,
}


def k(count: int) -> int:
    """Return what a page of ``count`` nodes multiplies its node by."""
    return 0 if count <= 0 else max(1, math.floor(2 * math.log(count)))


def requested(plan: Compiled, variables: Variables) -> int:
    """Return the cost of an operation before it runs."""
    steps = [s for s in plan.root.steps(plan.root.type.name) if s.wanted(variables)]
    if plan.is_mutation:
        return sum(mutation_base(s.name) + _payload(s, variables) for s in steps)
    return sum(root_cost(s, _step(s, variables)) for s in steps)


def mutation_base(name: str) -> int:
    """Return what calling a mutation costs, whatever it answers."""
    return _MUTATION_BASE.get(name, 10)


def root_cost(step: Step, cost: int) -> int:
    """Return the cost of a root field; counting a whole list is dearer than one object."""
    return 10 if step.name.endswith("Count") else cost


def _payload(step: Step, variables: Variables) -> int:
    """Payload objects are free, what hangs below them is not."""
    total = 0
    for part in _parts(step.below, variables):
        if part.shape == "object" or (part.shape != "leaf" and part.name != "userErrors"):
            total += _children(part.below, variables)
    return total


def _parts(below: Selection | None, variables: Variables) -> list[Step]:
    if below is None:
        return []
    return [s for s in below.steps(below.type.name) if s.wanted(variables)]


def _children(below: Selection | None, variables: Variables) -> int:
    """Return the cost of the dearest alternative of a selection."""
    if below is None:
        return 0
    return max(
        sum(_step(s, variables) for s in below.steps(name) if s.wanted(variables))
        for name in below.possible()
    )


def _step(step: Step, variables: Variables) -> int:
    if step.shape == "leaf":
        return 1 if (step.parent, step.name) == ("Location", "hasUnfulfilledOrders") else 0
    if step.target in FREE:
        return 0
    if step.shape == "connection":
        arguments = step.arguments(variables)
        size = arguments.get("first") or arguments.get("last") or 0
        return 2 + k(size) * (1 + _nodes(step, variables))
    return 1 + _children(step.below, variables)


def _nodes(step: Step, variables: Variables) -> int:
    """Return the cost below a node, asked for by ``nodes`` or by ``edges``."""
    total = 0
    for part in _parts(step.below, variables):
        if part.name == "nodes":
            total += _children(part.below, variables)
        elif part.name == "edges":
            total += sum(
                _children(edge.below, variables)
                for edge in _parts(part.below, variables)
                if edge.name == "node"
            )
    return total


@dataclass(slots=True)
class Bucket:
    """A leaky bucket that refills continuously."""

    rate: float
    capacity: float
    level: float
    at: float

    @classmethod
    def full(cls, plan: str, now: float) -> Bucket:
        """Return a full bucket of a plan."""
        rate, capacity = PLANS[plan]
        return cls(rate, capacity, capacity, now)

    def refill(self, now: float) -> None:
        """Move the bucket to ``now``; a clock set back adds nothing."""
        self.level = min(self.capacity, self.level + max(0.0, now - self.at) * self.rate)
        self.at = now

    def admits(self, cost: int, now: float) -> bool:
        """Say whether a query of this requested cost may run."""
        self.refill(now)
        return cost <= self.level

    def drain(self, cost: int, now: float) -> None:
        """Let others empty the bucket, so that this cost has to wait about a second."""
        self.refill(now)
        self.level = min(self.level, max(0.0, cost - self.rate))
        if cost <= self.level:
            self.level = 0.0

    def charge(self, cost: int) -> None:
        """Pay for a query that ran."""
        self.level -= cost

    def status(self) -> dict[str, float | int]:
        """Return ``throttleStatus`` as Shopify writes it."""
        return {
            "maximumAvailable": self.capacity,
            "currentlyAvailable": max(0, math.floor(self.level)),
            "restoreRate": self.rate,
        }

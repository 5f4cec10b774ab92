"""What a benchmark hands back: figures of this machine, ratios that travel, limits that must hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.measure import figure

TOLERANCE = 0.10
"""How much worse a ratio may get before `make bench-check` fails."""


@dataclass(slots=True)
class Ratio:
    """A figure that means the same on every machine. `aim` is what we promised, None for no promise."""

    value: float
    aim: float | None = None
    is_more_better: bool = True
    tolerance: float = TOLERANCE

    def meets_aim(self) -> bool:
        """Tell whether the promise is kept."""
        if self.aim is None:
            return True
        return self.value >= self.aim if self.is_more_better else self.value <= self.aim

    def is_worse_than(self, before: float) -> bool:
        """Tell whether the ratio fell by more than its tolerance."""
        if self.is_more_better:
            return self.value < before * (1 - self.tolerance)
        return self.value > before * (1 + self.tolerance)


@dataclass(slots=True)
class Limit:
    """A figure with a ceiling."""

    value: float
    most: float
    unit: str = ""

    def holds(self) -> bool:
        """Tell whether it stays below."""
        return self.value <= self.most


@dataclass(slots=True)
class Report:
    """Everything one benchmark found."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    limits: dict[str, Limit] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values, figures at three digits."""
        found: dict[str, Any] = rounded(asdict(self))
        return found


def rounded(value: Any) -> Any:
    """Round every float inside to three significant digits."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return figure(value) if isinstance(value, float) else value


def table(reports: list[Report]) -> str:
    """Write ratios and limits as lines for people."""
    lines = [f"{'':38}{'found':>10}{'promised':>12}"]
    for report in reports:
        lines.append(report.name)
        for name, ratio in report.ratios.items():
            sign = "≥" if ratio.is_more_better else "≤"
            aim = "" if ratio.aim is None else f"{sign} {ratio.aim:g}"
            lines.append(_line(name, f"{ratio.value:.3g}", aim, holds=ratio.meets_aim()))
        for name, limit in report.limits.items():
            found, most = f"{limit.value:.3g} {limit.unit}", f"≤ {limit.most:g} {limit.unit}"
            lines.append(_line(name, found.strip(), most.strip(), holds=limit.holds()))
    return "\n".join(lines)


def _line(name: str, found: str, aim: str, *, holds: bool) -> str:
    return f"  {name:36}{found:>10}{aim:>12}{'' if holds else '   not yet'}"

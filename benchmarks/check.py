"""Compare ratios with the saved baseline: `python -m benchmarks.check` is `python -m benchmarks --check`.

Only ratios are kept: they mean the same on another machine. A ratio that is worse than the
baseline by more than its tolerance (10 %, rates 20 %) fails the check.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.report import Report, rounded

BASELINE = Path(__file__).parent / "baseline.json"


def save(reports: list[Report]) -> None:
    """Keep the ratios of these benchmarks; those of the others stay."""
    known = _baseline()
    for report in reports:
        if report.ratios:
            known[report.name] = {
                name: rounded(ratio.value) for name, ratio in report.ratios.items()
            }
    BASELINE.write_text(
        json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
    )


def compare(reports: list[Report]) -> int:
    """Print what got worse; 1 if anything did."""
    known, worse = _baseline(), []
    for report in reports:
        for name, ratio in report.ratios.items():
            before = known.get(report.name, {}).get(name)
            if before is not None and ratio.is_worse_than(before):
                worse.append(f"{report.name}: {name} was {before:g} and is {ratio.value:.3g}")
    print("\n".join(worse) if worse else "No ratio is worse than the baseline.")
    return 1 if worse else 0


def _baseline() -> dict[str, dict[str, float]]:
    if not BASELINE.exists():
        return {}
    found: dict[str, dict[str, float]] = json.loads(BASELINE.read_text("utf-8"))
    return found


if __name__ == "__main__":
    from benchmarks.__main__ import main

    sys.argv.append("--check")
    raise SystemExit(main())

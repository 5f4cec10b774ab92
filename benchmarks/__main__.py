"""Run benchmarks: `python -m benchmarks [names…] [--quick] [--check] [--save-baseline] [--page]`.

Figures go to `benchmarks/results/latest.json`, a table of ratios to the screen. `--check` compares
the ratios with `benchmarks/baseline.json` (see `benchmarks.check`). `--page` writes the figures into
`docs/reference/performance.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import check, page
from benchmarks.catalogue import BENCHMARKS
from benchmarks.measure import WorkerError
from benchmarks.report import Report, table

RESULTS = Path(__file__).parent / "results"


def run(names: list[str], *, quick: bool) -> tuple[list[Report], list[str]]:
    """Run benchmarks one after the other, each written down at once; returns reports and failures."""
    reports, failures = [], []
    for name in names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            reports.append(BENCHMARKS[name](quick=quick))
        except WorkerError as failure:
            failures.append(f"{name}: {failure}")
        else:
            keep(reports[-1:], quick=quick)
    return reports, failures


def keep(reports: list[Report], *, quick: bool) -> dict[str, Any]:
    """Write the figures down; those of benchmarks that did not run now stay. Returns all of them."""
    file = RESULTS / "latest.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    about = {"at": datetime.now(UTC).date().isoformat(), "quick": quick, "machine": page.machine()}
    found |= {report.name: {**report.plain(), **about} for report in reports}
    found = {name: found[name] for name in BENCHMARKS if name in found}
    RESULTS.mkdir(exist_ok=True)
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return found


def main() -> int:
    """Run, print, and with `--check` compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--quick", action="store_true", help="small runs, once: under a minute and a half"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail when a ratio fell by more than it may"
    )
    parser.add_argument(
        "--save-baseline", action="store_true", help="keep these ratios to compare with"
    )
    parser.add_argument(
        "--page", action="store_true", help="write the figures into the documentation"
    )
    said = parser.parse_args()
    unknown = sorted(set(said.names) - set(BENCHMARKS))
    if unknown:
        parser.error(
            f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}"
        )
    reports, failures = run(said.names, quick=said.quick)
    print(table(reports))
    if said.page:
        page.write(keep(reports, quick=said.quick))
    if said.save_baseline:
        check.save(reports)
    worse = check.compare(reports) if said.check else 0
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else worse


if __name__ == "__main__":
    raise SystemExit(main())

"""Every benchmark by name; what does not live here is run as a program and its JSON line taken over."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks import measure, pull
from benchmarks.report import Limit, Ratio, Report


def mapping(*, quick: bool) -> Report:
    """Compare the compiled mapping with hand-written Python."""
    runs = [measure.run("benchmarks.mapping") for _ in range(1 if quick else 3)]
    found = sorted(runs, key=lambda run: run["ratio"])[len(runs) // 2]
    return Report("mapping", found, {"of hand-written": Ratio(found["ratio"], 0.4)})


def pos_csv(*, quick: bool) -> Report:
    """Compare the reading of a till's file with the barest pipeline."""
    found = measure.run("benchmarks.pos_csv", "--rows", 50_000 if quick else 1_000_000, "--json")
    report = Report(
        "pos_csv", found, {"of the reference": Ratio(found["share"], found["wanted_share"])}
    )
    report.limits["peak memory"] = Limit(found["connector"]["peak_mib"], found["most_mib"], "MiB")
    return report


def cold_start(*, quick: bool) -> Report:
    """Time `hub --help` and the bare interpreter, each in fresh processes."""
    hub = str(Path(sys.executable).with_name("hub"))
    times = 3 if quick else 7
    commands = {"help_s": [hub, "--help"], "interpreter_s": [sys.executable, "-c", "pass"]}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own command
            taken[name].append(time.perf_counter() - started)
    found = {name: statistics.median(values) for name, values in taken.items()}
    return Report("cold_start", found, limits={"hub --help": Limit(found["help_s"], 0.7, "s")})


BENCHMARKS: Final[Mapping[str, Callable[..., Report]]] = {
    "mapping": mapping,
    "pull": pull.bulk,
    "pull_page_90": pull.shipped_page,
    "pull_postgres": pull.postgres,
    "nothing_changed": pull.nothing_changed,
    "memory": pull.memory,
    "pos_csv": pos_csv,
    "cold_start": cold_start,
}

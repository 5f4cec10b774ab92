"""Writes the figures of the last runs into docs/reference/performance.md, between two marks."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.measure import ROOT

PAGE = ROOT / "docs" / "reference" / "performance.md"
_BLOCK = re.compile(r"(<!-- figures: begin -->\n).*(<!-- figures: end -->)", re.DOTALL)
Found = Mapping[str, Mapping[str, Any]]


def machine() -> str:
    """Name what the figures were measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _text("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({cpu}), {gigabytes:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def write(found: Found) -> None:
    """Replace the block of figures."""
    seen = sorted({report["machine"] for report in found.values()})
    body = "\n".join([*_promises(found), "", *_rates(found), "", *_small(found), "", *seen])
    text = PAGE.read_text("utf-8")
    PAGE.write_text(_BLOCK.sub(lambda m: f"{m[1]}\n{body}\n\n{m[2]}", text), "utf-8")


def _promises(found: Found) -> Iterator[str]:
    yield "| benchmark | what | found | promised | measured on |"
    yield "| --- | --- | ---: | ---: | --- |"
    for name, report in found.items():
        for what, ratio in report["ratios"].items():
            sign = "≥" if ratio["is_more_better"] else "≤"
            aim = "" if ratio["aim"] is None else f"{sign} {ratio['aim']:g}"
            yield f"| {name} | {what} | {ratio['value']:g} | {aim} | {_when(report)} |"
        for what, limit in report["limits"].items():
            unit = f" {limit['unit']}" if limit["unit"] else ""
            yield f"| {name} | {what} | {limit['value']:g}{unit} | ≤ {limit['most']:g}{unit} | {_when(report)} |"


def _when(report: Mapping[str, Any]) -> str:
    return f"{report['at']}{', quick run' if report['quick'] else ''}"


def _rates(found: Found) -> Iterator[str]:
    yield "| pull | worker | orders/s | processor s per 1,000 orders | peak memory above idle |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for name, report in found.items():
        for worker, figures in report["figures"].items():
            if isinstance(figures, dict) and "orders_per_s" in figures:
                rate, cost, peak = (
                    figures[k] for k in ("orders_per_s", "cpu_s_per_1000", "peak_mb")
                )
                yield f"| {name} | {worker} | {rate:,.0f} | {cost:g} | {peak:.0f} MB |"


def _small(found: Found) -> Iterator[str]:
    yield "| one walk inside a running service | ours | ideal |"
    yield "| --- | ---: | ---: |"
    figures = found.get("nothing_changed", {}).get("figures")
    if figures is None:
        return
    ours, ideal, each = figures["ours"], figures["ideal"], figures["cpu_us_per_changed_order"]
    yield f"| nothing changed | {ours['nothing_ms']:g} ms | {ideal['nothing_ms']:g} ms |"
    yield f"| 200 orders changed | {ours['changed_ms']:g} ms | {ideal['changed_ms']:g} ms |"
    yield f"| processor time per changed order | {each['ours']:g} µs | {each['ideal']:g} µs |"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a file of the kernel, not of ours
            return file.read()
    except OSError:
        return ""

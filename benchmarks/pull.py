"""The pull of Shopify orders beside the hand-written ideal: bulk, incremental, memory.

Each worker is a process of its own, so that imports, collector and memory do not mix; runs are
interleaved and medians taken, so that a slow minute of the machine hits all of them.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from benchmarks import measure
from benchmarks.report import Limit, Ratio, Report

PAGE = 250
SHIPPED_PAGE = 90
"""Orders a page that our connector asks for: what Shopify's cost limit allows."""
Worker = Callable[[], dict[str, Any]]


def bulk(*, quick: bool) -> Report:
    """Pull everything into SQLite: ours, the ideal, the ideal that also keeps each payload."""
    orders, times = (3_000, 1) if quick else (15_000, 3)
    with measure.shop(orders) as shop:
        runs = _interleaved(_sqlite_workers(shop["address"], PAGE), times)
        ceiling = _ideal("ceiling", shop["address"], ":memory:", PAGE)
    report = Report(
        "pull", {"orders": orders, "page": PAGE, "bytes_per_order": shop["bytes_per_order"]}
    )
    report.figures["shop_ceiling_orders_per_s"] = ceiling["orders"] / ceiling["wall_s"]
    _compare(report, runs, "ideal-sqlite", aim=0.3)
    _compare(report, runs, "ideal-sqlite-raw", aim=0.4)
    report.figures["left_behind"] = runs["ours"][0]["left"]
    return report


def shipped_page(*, quick: bool) -> Report:
    """Compare at the page size the connector really asks for, for ours and for the ideal."""
    orders, times = (1_500, 1) if quick else (9_000, 3)
    with measure.shop(orders) as shop:
        runs = _interleaved(_sqlite_workers(shop["address"], SHIPPED_PAGE), times)
    report = Report("pull_page_90", {"orders": orders, "page": SHIPPED_PAGE})
    _compare(report, runs, "ideal-sqlite")
    _compare(report, runs, "ideal-sqlite-raw")
    return report


def postgres(*, quick: bool) -> Report:
    """Pull everything into PostgreSQL, beside COPY into a staging table and one upsert a page."""
    orders, times = (2_000, 1) if quick else (10_000, 3)
    report = Report("pull_postgres", {"orders": orders, "page": PAGE})
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-postgres-"))
    try:
        with measure.postgres(folder) as dsn, measure.shop(orders) as shop:
            if dsn is None:
                report.figures["left_out"] = "no PostgreSQL could be started"
                return report
            fresh, address = _databases(dsn), shop["address"]
            workers: dict[str, Worker] = {
                "ours": lambda: _ours(
                    address, next(fresh).replace("postgresql:", "postgresql+psycopg:"), PAGE
                ),
                "ideal-pg-copy": lambda: _ideal("ideal-pg-copy", address, next(fresh), PAGE),
            }
            _compare(report, _interleaved(workers, times), "ideal-pg-copy", aim=0.45)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def nothing_changed(*, quick: bool) -> Report:
    """Walk again when nothing changed, then when 200 orders did: what each run costs inside a running service."""
    orders, times = (1_500, 1) if quick else (5_000, 3)
    ours, ideal = [], []
    for _ in range(times):
        with measure.shop(orders) as shop, _folder() as folder:
            ideal.append(
                _run_ideal("ideal-sqlite", shop["address"], str(folder / "ideal.db"), PAGE, "small")
            )
        with measure.shop(orders) as shop:
            ours.append(_ours(shop["address"], "-", PAGE, "small"))
    mine, best = measure.medians(_numbers(ours)), measure.medians(_numbers(ideal))
    assert mine["changed"] == 200
    report = Report("nothing_changed", {"ours": mine, "ideal": best})
    report.limits["requests"] = Limit(mine["nothing_requests"], 1)
    report.limits["commits"] = Limit(mine["nothing_commits"], 1)
    report.limits["nothing changed"] = Limit(mine["nothing_ms"], 100, "ms")
    each = {
        name: (found["changed_cpu_ms"] - found["nothing_cpu_ms"]) / found["changed"] * 1e3
        for name, found in (("ours", mine), ("ideal", best))
    }
    report.figures["cpu_us_per_changed_order"] = each
    # One page and a half: short enough to wobble.
    report.ratios["changed order, of ideal-sqlite"] = Ratio(
        each["ideal"] / each["ours"], tolerance=0.3
    )
    return report


def memory(*, quick: bool) -> Report:
    """Measure peak memory above the idle process at two sizes: it may not grow with the number of orders."""
    small, large = (2_000, 5_000) if quick else (20_000, 60_000)
    peaks = []
    for orders in (small, large):
        with measure.shop(orders) as shop:
            peaks.append(_ours(shop["address"], "-", PAGE)["peak_mb"])
    report = Report("memory", {"orders": [small, large], "peak_mb": peaks})
    report.limits["peak above idle"] = Limit(max(peaks), 120, "MB")
    most = 25 if quick else 5  # a short run is still filling the caches at its end
    report.limits["growth"] = Limit((peaks[1] / peaks[0] - 1) * 100, most, "%")
    return report


def _sqlite_workers(address: str, page: int) -> dict[str, Worker]:
    def ideal(variant: str) -> dict[str, Any]:
        with _folder() as folder:
            return _ideal(variant, address, str(folder / "ideal.db"), page)

    return {
        "ideal-sqlite": lambda: ideal("ideal-sqlite"),
        "ours": lambda: _ours(address, "-", page),
        "ideal-sqlite-raw": lambda: ideal("ideal-sqlite-raw"),
    }


def _interleaved(workers: dict[str, Worker], times: int) -> dict[str, list[dict[str, Any]]]:
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
    for _ in range(times):
        for name, work in workers.items():
            runs[name].append(work())
    return runs


def _compare(
    report: Report, runs: dict[str, list[dict[str, Any]]], ideal: str, aim: float | None = None
) -> None:
    """Set our rate and processor time beside an ideal's. Rates wobble more, so they may fall further."""
    mine, best = (measure.medians(_numbers(runs[name])) for name in ("ours", ideal))
    for name, found in (("ours", mine), (ideal, best)):
        report.figures[name] = {
            "orders_per_s": found["orders"] / found["wall_s"],
            "cpu_s_per_1000": found["cpu_s"] / found["orders"] * 1000,
            "peak_mb": found["peak_mb"],
        }
    report.ratios[f"R rate, of {ideal}"] = Ratio(
        best["wall_s"] / mine["wall_s"], aim, tolerance=0.2
    )
    report.ratios[f"R processor, of {ideal}"] = Ratio(best["cpu_s"] / mine["cpu_s"])


def _numbers(runs: list[dict[str, Any]]) -> list[dict[str, float]]:
    return [{k: v for k, v in run.items() if isinstance(v, int | float)} for run in runs]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        yield Path(name)


def _ours(address: str, database: str, page: int, mode: str = "pull") -> dict[str, Any]:
    with _folder() as folder:
        return measure.run("benchmarks.ours", address, folder, database, page, mode)


def _ideal(variant: str, address: str, database: str, page: int) -> dict[str, Any]:
    return _run_ideal(variant, address, database, page, "pull")


def _run_ideal(variant: str, address: str, database: str, page: int, mode: str) -> dict[str, Any]:
    return measure.run("benchmarks.ideal", variant, address, database, page, mode)


def _databases(dsn: str) -> Iterator[str]:
    """Make an empty database for each run."""
    for number in itertools.count(1):
        name = f"bench_{number}"
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode()
            )
        url = make_url(dsn).set(drivername="postgresql", database=name)
        yield url.render_as_string(hide_password=False)

"""How fast a till's file becomes pages of whole receipts, and how much memory it takes.

Writes a GB18030 file of a million rows (about 286,000 receipts, 17 columns), then reads it through
the connector as the engine would, in a process of its own: rows per second and peak RSS. Beside it
the reference pipeline of channels/pos_csv.md section 11 in its barest form: strict csv, four
fields to integers, a timestamp, a hash per row, grouping; no checks, no documents. The share is
taken from CPU seconds, since the machine may be busy with other things.

    python benchmarks/pos_csv.py [--rows N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.pos_csv import PosCsv
from hub.sdk.fakes import FakeConnection

HEADER = (
    "流水号,销售时间,类型,门店,收银机,收银员,商品编码,商品条码,商品名称,数量,单价,金额,优惠,实收金额,支付方式,"
    "会员卡号,备注"
)
SHARE_OF_REFERENCE = 0.6
MOST_MIB = 100


def write(path: Path, rows: int) -> int:
    """Write the file; return how many receipts are in it."""
    written = receipts = 0
    with path.open("w", encoding="gb18030", newline="") as file:
        file.write(HEADER + "\r\n")
        while written < rows:
            receipts += 1
            at = f"2026-06-{receipts % 28 + 1:02d} {receipts % 13 + 9:02d}:{receipts % 60:02d}:00"
            for line in range(min(1 + receipts * 7 % 6, rows - written)):
                sku = (receipts * 31 + line * 17) % 5000
                price, quantity = 990 + sku % 500 * 10, 1 + sku % 3
                gross, off = price * quantity, price // 10 if sku % 4 == 0 else 0
                name = f'"加大码, 红色T恤 {sku}"' if sku % 5 == 0 else f"红色T恤 {sku}"
                file.write(
                    f"{receipts:08d},{at},销售,一店,02,韩梅梅,SKU-{sku},,{name},{quantity},{_yuan(price)},"
                    f"{_yuan(gross)},{_yuan(off)},{_yuan(gross - off)},微信,,\r\n"
                )
                written += 1
    return receipts


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def reference(root: str) -> dict[str, Any]:
    """Do the least that any reader of such a file must do."""
    started = (time.perf_counter(), time.process_time())
    rows = receipts = 0
    last = ""
    with (Path(root) / "in" / "sales.csv").open(encoding="gb18030", newline="") as file:
        reader = csv.reader(file, strict=True)
        next(reader)
        for cells in reader:
            rows += 1
            for at in (9, 11, 12, 13):
                int(Decimal(cells[at]).scaleb(2))
            datetime.fromisoformat(cells[1])
            hashlib.sha256("\x1f".join(cells).encode()).digest()
            if cells[0] != last:
                last = cells[0]
                receipts += 1
    return _figures(started, rows, receipts)


def connector(root: str) -> dict[str, Any]:
    """Pull the file through the connector."""
    form = {
        "path": root, "timezone": "Asia/Shanghai", "currency": "CNY", "layout": "chinese", "ready_mode": "rename",
        "stores": [{"code": "S1", "name": "一店"}],
    }  # fmt: skip

    async def walk() -> tuple[int, int]:
        rows = receipts = 0
        async for page in PosCsv(FakeConnection(form, folder=Path(root))).pull("order", {}):
            receipts += len(page.documents)
            rows = page.source.rows_ok if page.source else rows
        return rows, receipts

    started = (time.perf_counter(), time.process_time())
    rows, receipts = asyncio.run(walk())
    return _figures(started, rows, receipts)


def _figures(started: tuple[float, float], rows: int, receipts: int) -> dict[str, Any]:
    took, busy = time.perf_counter() - started[0], time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "rows": rows, "receipts": receipts, "took_s": round(took, 2), "cpu_s": round(busy, 2),
        "rows_per_s": round(rows / took), "rows_per_cpu_s": round(rows / busy), "peak_mib": round(peak, 1),
    }  # fmt: skip


def _alone(work: Callable[[str], dict[str, Any]], root: Path) -> dict[str, Any]:
    """Run in a fresh process, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (str(root),))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "in").mkdir()
        path = root / "in" / "sales.csv"
        receipts = write(path, said.rows)
        size = path.stat().st_size / 1_048_576
        bare = _alone(reference, root)
        ours = _alone(connector, root)
    assert (ours["rows"], ours["receipts"]) == (said.rows, receipts), ours
    share = round(ours["rows_per_cpu_s"] / bare["rows_per_cpu_s"], 2)
    result = {
        "file_mib": round(size, 1), "reference": bare, "connector": ours, "share": share,
        "wanted_share": SHARE_OF_REFERENCE, "most_mib": MOST_MIB,
    }  # fmt: skip
    if said.json:
        print(json.dumps(result))
        return
    print(f"{said.rows:,} rows, {receipts:,} receipts, {size:.0f} MiB GB18030")
    for label, figures in (("reference", bare), ("connector", ours)):
        print(
            f"{label:10} {figures['took_s']:7.2f} s {figures['rows_per_s']:>9,} rows/s "
            f"{figures['rows_per_cpu_s']:>9,} rows per CPU second {figures['peak_mib']:7.1f} MiB"
        )
    print(
        f"share of the reference {share} (wanted {SHARE_OF_REFERENCE}), memory limit {MOST_MIB} MiB"
    )


if __name__ == "__main__":
    main()

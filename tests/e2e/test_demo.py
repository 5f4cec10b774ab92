"""The demo as its users meet it: whole processes, faults on, killed at random."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

HUB = [sys.executable, "-m", "hub.cli"]
KILLS = 50


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "demo"

    for line in (tmp_path / "demo" / "channels").glob("*.json"):
        told = json.loads(line.read_text(encoding="utf-8"))
        if isinstance(told, dict) and "pid" in told:
            try:
                os.kill(told["pid"], signal.SIGTERM)
            except ProcessLookupError:
                continue


def start(folder: Path, seed: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*HUB, "demo", "--once", "--json", "--dir", str(folder), "--seed", str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, err = process.communicate(timeout=400)
    assert out, err.decode()[-2000:]
    summary: dict[str, Any] = json.loads(out)
    assert process.returncode == 0, summary
    return summary


def assert_all_is_well(summary: dict[str, Any]) -> None:
    assert summary["disagreements"] == 0, summary["differences"]
    assert summary["oversold"] == 0
    assert summary["findings"] == []
    assert summary["held"] == summary["planted_bad"] > 0
    assert all(summary["orders"].values())
    assert all(summary["pushed"].values())
    assert summary["received"] == summary["applied"] + summary["duplicate"] + summary["held"]


# Everything a channel decides about an order and its lines; our own ids, times and sealed bytes left out.
ORDERS = """
SELECT o.external_order_id, o.order_state, o.payment_state, o.fulfilment_state, o.return_state, o.currency,
 o.items_subtotal, o.items_discount, o.order_discount, o.shipping_subtotal, o.tax_total, o.amount_payable,
 o.amount_paid, o.amount_refunded, o.placed_at, o.cancelled_at, v.sku, l.quantity, l.qty_cancelled,
 l.qty_shipped, l.qty_delivered, l.qty_returned, l.qty_refunded, l.line_payable
FROM channel_order o JOIN order_line l ON l.channel_order_id = o.id LEFT JOIN variant v ON v.id = l.variant_id
JOIN connection c ON c.id = o.connection_id WHERE c.code = 'shopify'
ORDER BY o.external_order_id, l.external_line_id
"""
CASES = """
SELECT a.external_id, a.external_order_id, a.kind, a.state, a.approved_amount, k.sku_snapshot, k.quantity,
 k.reception, k.disposition FROM after_sale a JOIN after_sale_line k ON k.after_sale_id = a.id
JOIN connection c ON c.id = a.connection_id WHERE c.code = 'shopify' ORDER BY a.external_id, k.external_line_id
"""
CATALOGUE = """
SELECT p.title, v.sku, b.gtin14, s.external_sku_id, s.price_minor, s.match_state FROM variant v
JOIN product p ON p.id = v.product_id JOIN listing_sku s ON s.variant_id = v.id
LEFT JOIN barcode b ON b.variant_id = v.id ORDER BY v.sku
"""


def canonical(folder: Path) -> list[list[tuple[Any, ...]]]:
    with sqlite3.connect(folder / "hub" / "hub.db") as db:
        return [db.execute(query).fetchall() for query in (ORDERS, CASES, CATALOGUE)]


def test_the_demo_ends_in_agreement_under_faults(folder: Path) -> None:
    summary = finish(start(folder, seed=3))

    assert_all_is_well(summary)


def test_killed_at_fifty_random_moments_it_ends_in_the_same_state(folder: Path) -> None:
    rng = random.Random(20261124)  # noqa: S311 - moments, not secrets
    killed = 0
    while killed < KILLS:
        process = start(folder, seed=11)
        time.sleep(rng.uniform(0.2, 2.6))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()

    summary = finish(start(folder, seed=11))

    assert_all_is_well(summary)
    disturbed = canonical(folder)
    # A hub that was never killed, meeting the same shop: the simulators go on from their own files.
    (folder / "hub").rename(folder / "killed")
    fresh = start(folder, seed=11)
    fresh.communicate(timeout=400)
    assert canonical(folder) == disturbed

"""A made-up channel, and a way to load a few lines of YAML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.mapping import Mapping, load

HERE = Path(__file__).parent
ORDER = """kind: order
key: id
pairs:
  external_order_id: {native: id, as: text}
  order_state: {native: state, as: enum, table: {new: pending, done: completed}}
  currency: {const: CNY}
  amount_payable: {native: total, as: money, currency: CNY}
  placed_at: {native: at, as: instant}
"""
LINES = """  "lines[].external_line_id": {native: "items[].id", as: text}
  "lines[].quantity": {native: "items[].n", as: steps, scale: 0}
  "lines[].line_subtotal": {native: "items[].sum", as: money, currency: CNY}
"""


@pytest.fixture(scope="session")
def acme() -> Mapping:
    return load(HERE / "acme" / "order.yaml")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "order.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def order(file: Callable[[str], Path]) -> Callable[..., Mapping]:
    """Load the five pairs every order needs, and what a test adds."""

    def loaded(more: str = "", **options: Any) -> Mapping:
        return load(file(ORDER + more), **options)

    return loaded


@pytest.fixture
def an_order() -> Callable[..., dict[str, Any]]:
    def made(**more: Any) -> dict[str, Any]:
        return {"id": "7", "state": "new", "total": "45.0", "at": "2026-10-05T08:00:00Z"} | more

    return made

"""The simulated shop: its settings, its clock, its rows and the views that queries read.

A *view* is the row as GraphQL shows it, rebuilt when the row changes and never altered afterwards,
so that the search index can hold an older view of a record while reads by id see the newest
(rule S8).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.shopify.money import MICROS
from sandbox.shopify.store import Row, Store

View = dict[str, Any]
INDEXED = ("product", "customer", "order", "level", "location")
# Operations the app may do; `write_x` implies `read_x` (fact sheet, section 3).
SCOPES = (
    "read_orders,write_orders,read_all_orders,read_products,write_products,read_inventory,"
    "write_inventory,read_locations,read_customers,write_customers,read_discounts,"
    "write_discounts,read_returns,read_merchant_managed_fulfillment_orders,"
    "write_merchant_managed_fulfillment_orders"
)


@dataclass(slots=True)
class Settings:
    """What can be chosen when the simulator starts."""

    shop: str = "channel-hub-demo.myshopify.com"
    token: str = "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"  # noqa: S105 - a simulated shop
    client_id: str = "c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6"
    client_secret: str = "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"  # noqa: S105 - as above
    plan: str = "standard"
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"
    scopes: str = SCOPES
    index_lag_s: float = 0.0
    cancel_job_s: float = 0.0
    seed: int = 1
    products: int = 12
    variants: int = 30
    customers: int = 40
    orders: int = 60
    days: int = 30
    bad: int = 0
    odd: int = 0  # history orders with a line whose product was deleted (rule S21)
    locations: tuple[str, ...] = ("Store Nanjing Rd", "Store Wukang Rd")
    catalogue: Path | None = None
    timeout_s: float = 3.0
    faults: str = ""
    traffic: int = 0
    rate: float = 2.0


class World:
    """Everything the simulator knows."""

    def __init__(
        self,
        settings: Settings,
        *,
        folder: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.zone = ZoneInfo(settings.zone)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.store = Store(folder / "shopify.sqlite" if folder else None)
        self.views: dict[str, dict[int, View]] = {kind: {} for kind in INDEXED}
        self.index: dict[str, dict[int, View]] = {kind: {} for kind in INDEXED}
        self.pending: list[tuple[float, str, int, View | None]] = []
        self.version: dict[str, int] = dict.fromkeys(INDEXED, 0)
        self.level_ids: dict[tuple[int, int], int] = {}
        self.variant_rows: dict[int, tuple[Row, Row]] = {}
        self.item_rows: dict[int, tuple[Row, Row]] = {}
        self.owners: dict[tuple[str, int], int] = {}
        self.counters: dict[str, int] = {}
        self._clock = now
        self._render: Mapping[str, Callable[[World, Row], View]] = {}
        self.rng = random.Random(settings.seed)  # noqa: S311 - a seeded script, not a secret
        self.keys: dict[str, Row] = {}
        self.past: int | None = None
        self.lists: dict[Any, tuple[int, list[View]]] = {}

    def open(self, render: Mapping[str, Callable[[World, Row], View]]) -> None:
        """Build the views of a store that was there before."""
        self._render = render
        for kind in INDEXED:
            for key in self.store.rows[kind]:
                self._refresh(kind, key)
        for kind in INDEXED:
            self.index[kind] = dict(self.views[kind])

    def now(self) -> float:
        """Return the shop's time in seconds; tests may set it or move it."""
        frozen = self.store.meta.get("frozen_at")
        moved = float(self.store.meta.get("clock_s", 0.0))
        return (self._clock() if frozen is None else float(frozen)) + moved

    def stamp(self) -> int:
        """Return the shop's time in microseconds, never the same twice.

        While history is being written (``past`` is set) time is what the writer says it is.
        """
        if self.past is not None:
            self.past += 1
            return self.past
        at = max(int(self.now() * MICROS), int(self.store.meta.get("last_stamp", 0)) + 1)
        self.store.meta["last_stamp"] = at
        return at

    def rows(self, kind: str) -> dict[int, Row]:
        """Return the rows of a kind by id."""
        return self.store.rows[kind]

    def commit(self) -> None:
        """Make every change durable and show it."""
        at = self.now() + self.settings.index_lag_s
        for kind, key in sorted(self.store.commit()):
            if kind not in self.views:
                continue
            view = self._refresh(kind, key)
            if self.settings.index_lag_s:
                self.pending.append((at, kind, key, view))
            else:
                self._show(kind, key, view)

    def settle(self) -> None:
        """Let the index catch up with what is due."""
        if not self.pending:
            return
        now = self.now()
        due = [entry for entry in self.pending if entry[0] <= now]
        self.pending = [entry for entry in self.pending if entry[0] > now]
        for _, kind, key, view in due:
            self._show(kind, key, view)

    def _show(self, kind: str, key: int, view: View | None) -> None:
        self.version[kind] += 1
        if view is None:
            self.index[kind].pop(key, None)
        else:
            self.index[kind][key] = view

    def _refresh(self, kind: str, key: int) -> View | None:
        row = self.store.rows[kind].get(key)
        if row is None:
            self.views[kind].pop(key, None)
            return None
        self._remember(kind, row)
        view = self.views[kind][key] = self._render[kind](self, row)
        return view

    def _remember(self, kind: str, row: Row) -> None:
        """Keep the ways from a part to its owner."""
        if kind == "level":
            self.level_ids[row["item"], row["location"]] = row["id"]
        elif kind == "product":
            for variant in row["variants"]:
                self.variant_rows[variant["id"]] = (row, variant)
                self.item_rows[variant["item"]] = (row, variant)
        elif kind == "order":
            for part in ("fos", "fulfillments", "refunds", "transactions", "lines"):
                for child in row[part]:
                    self.owners[part, child["id"]] = row["id"]

    def level(self, item: int, location: int) -> Row | None:
        """Return the stock row of an item at a location."""
        key = self.level_ids.get((item, location))
        return None if key is None else self.store.rows["level"][key]

    def hit(self, name: str, by: int = 1) -> None:
        """Move a counter that only this process keeps."""
        self.counters[name] = self.counters.get(name, 0) + by


@dataclass(frozen=True, slots=True)
class Refused(Exception):  # noqa: N818 - it is Shopify's answer, not our failure
    """A run-time refusal: an ``errors`` entry with a path, the field null (fact sheet, section 5)."""

    message: str
    code: str = "BAD_REQUEST"
    extra: dict[str, Any] = field(default_factory=dict)
    path: list[str | int] = field(default_factory=list)


class Unserved(Exception):  # noqa: N818 - read as an instruction
    """A field of the schema that this simulator does not answer; better loud than invented."""

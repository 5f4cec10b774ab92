"""Two stores with a till each, the buyers who come in, and what is true about all of it.

The books lie in one JSON file of the folder and are saved before a sales file is dropped, so a
simulator that was killed goes on where it stood.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.pos_csv import goods, sheets
from sandbox.pos_csv.drops import Drops, put
from sandbox.pos_csv.till import Till

FAULTS = ("duplicate", "growing", "overlap", "correction", "newline", "title")
STORES = "SH01=Store Nanjing Rd,SH02=Store Wukang Rd"
_LAYOUTS = ("loyverse", "chinese")


class UnknownFault(ValueError):  # noqa: N818 - read as an instruction
    """A fault specification that names something the dial does not have."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen when the simulator starts. `rate`: buyers per second over all stores."""

    dir: Path
    seed: int = 1
    faults: str = ""
    catalogue: Path | None = None
    traffic: int = 0
    rate: float = 2.0
    stores: str = STORES
    bad: int = 0
    every_s: float = 2.0
    grace_s: float = 15.0
    zone: str = "Asia/Shanghai"
    currency: str = "CNY"


def chances(spec: str) -> dict[str, float]:
    """Read `name=chance,…` (chance per sales file); a bare name means 0.2, `all` means every fault.

    `usual` is a bad but ordinary day.
    """
    found: dict[str, float] = {}
    if spec == "usual":
        spec = "all=0.1"
    for entry in filter(None, (one.strip() for one in spec.split(","))):
        name, _, value = entry.partition("=")
        names = FAULTS if name == "all" else (name,)
        try:
            chance = float(value or 0.2)
        except ValueError:
            chance = -1.0
        if not set(names) <= set(FAULTS) or not 0 <= chance <= 1:
            raise UnknownFault(f"{entry!r}: use name=chance with a name of {', '.join(FAULTS)}")
        found |= dict.fromkeys(names, chance)
    return found


class World:
    """Everything the simulator knows."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self.settings, self.now = settings, now
        self._file = settings.dir / "pos_csv.state.json"
        stores = [entry.split("=", 1) for entry in settings.stores.split(",")]
        books = self._books([name for _, name in stores])
        items = {one[0]: goods.Item(*one) for one in books["items"]}
        self.traffic: dict[str, Any] = books["traffic"]
        self.is_quiet = bool(books["quiet"])
        self.tills: list[Till] = []
        self.drops: list[Drops] = []
        dial = {} if self.is_quiet else chances(settings.faults)
        for n, (code, name) in enumerate(stores):
            state = books["tills"].setdefault(code, Till.fresh(books["opening"][name]))
            till = Till(code, name, _LAYOUTS[n % 2], items, state, settings.seed, settings.grace_s)
            till.is_quiet = self.is_quiet
            till.reopen()
            self.tills.append(till)
            self.drops.append(Drops(settings.dir / "pos" / code, till, dial))
        self._books_kept = books
        self._last_file = self._last_tick = now()
        self._due = 0.0
        for drop in self.drops:
            drop.finish()
        self.save()

    def _books(self, places: list[str]) -> dict[str, Any]:
        if self._file.exists():
            kept: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
            return kept
        made = self.settings
        items, opening = goods.load(made.catalogue, made.seed, places)
        planned = {
            "planned": made.traffic,
            "done": 0,
            "bad": made.bad,
            "finished": not made.traffic and not made.bad,
        }
        return {
            "items": [[i.sku, i.barcode, i.name, i.price] for i in items], "opening": opening, "tills": {},
            "traffic": planned, "quiet": False,
        }  # fmt: skip

    def save(self) -> None:
        """Keep the books."""
        self._books_kept["quiet"] = self.is_quiet
        put(self._file, json.dumps(self._books_kept, ensure_ascii=False).encode(), sync=False)

    def local(self) -> str:
        """Return the stores' wall time, in the till's own grain."""
        at = datetime.fromtimestamp(self.now(), ZoneInfo(self.settings.zone))
        return f"{at:%Y-%m-%d %H:%M:%S}"

    # The play

    def tick(self) -> None:
        """Let a moment pass: read stock, serve who came in, drop files."""
        now = self.now()
        for drop in self.drops:
            drop.look()
            drop.read_stock()
            drop.till.forget_old(now)
        self._serve(now)
        if now - self._last_file >= self.settings.every_s or self._is_played():
            self._last_file = now
            self.flush()
        self._last_tick = now
        self.traffic["finished"] = self._is_played() and not self._open_files()
        self.save()

    def open_doors(self) -> dict[str, Any]:
        """Let the buyers in. Whoever counts the shelves first opens the doors afterwards."""
        self._books_kept["open"] = True
        self.save()
        return {"open": True}

    def _serve(self, now: float) -> None:
        if not self._books_kept.get("open"):
            return
        self._due += (now - self._last_tick) * self.settings.rate
        while self._due >= 1 and not self._is_played():
            self._due -= 1
            self.buyer()

    def buyer(self) -> None:
        """Serve one planned buyer, or plant one of the bad receipts among them."""
        traffic = self.traffic
        spread = max(traffic["planned"] // (traffic["bad"] + 1), 1) if traffic["planned"] else 1
        planted = sum(len(self._planted(till)) for till in self.tills)
        till = self.tills[(traffic["done"] + planted) % len(self.tills)]
        due = traffic["done"] >= spread * (planted + 1) or traffic["done"] >= traffic["planned"]
        if planted < traffic["bad"] and due:
            self.tills[planted % len(self.tills)].plant_bad(self.local())
        elif traffic["done"] < traffic["planned"]:
            till.serve(self.now(), self.local())
            traffic["done"] += 1

    def _planted(self, till: Till) -> list[dict[str, Any]]:
        return [r for r in till.state["receipts"].values() if r["bad"]]

    def _is_played(self) -> bool:
        planted = sum(len(self._planted(till)) for till in self.tills)
        return bool(
            self.traffic["done"] >= self.traffic["planned"] and planted >= self.traffic["bad"]
        )

    def _open_files(self) -> bool:
        return any(
            till.state["pending"] or till.state["growing"] or till.state.get("planned")
            for till in self.tills
        )

    def flush(self) -> None:
        """Write what is pending; the books first."""
        now = self.now()
        for drop in self.drops:
            drop.flush(now)
        self.save()
        for drop in self.drops:
            drop.finish()

    def quiet(self) -> dict[str, Any]:
        """Close the shops: nobody comes any more, no fault happens, all files are finished."""
        self.is_quiet = True
        self.traffic["planned"] = self.traffic["done"]
        self.traffic["bad"] = sum(len(self._planted(till)) for till in self.tills)
        for drop in self.drops:
            drop.chances, drop.till.is_quiet = {}, True
        while self._open_files():
            self.flush()
        for drop in self.drops:
            drop.look()
            drop.read_stock()
        self.traffic["finished"] = True
        self.save()
        return {"quiet": True, "traffic": self.traffic}

    # Truth

    def truth(self) -> dict[str, Any]:
        """Return what is so, in minor units and pieces."""
        now = self.now()
        for drop in self.drops:
            drop.look()
            drop.read_stock()
        sales: dict[str, Any] = {}
        returns: dict[str, Any] = {}
        planted = []
        for till in self.tills:
            for receipt in till.state["receipts"].values():
                key = f"{till.code}/{receipt['no']}"
                if receipt["bad"]:
                    names = {
                        "store": till.code,
                        "receipt_no": receipt["no"],
                        "kind": receipt["bad"],
                    }
                    planted.append({"key": key, **names})
                    continue
                sale, came_back = _told(till, receipt)
                sales |= {key: sale} if sale else {}
                returns |= {key: came_back} if came_back else {}
        return {
            "code": "pos_csv", "currency": self.settings.currency, "orders": sales, "returns": returns,
            "stock": {till.code: self._stock(till, now) for till in self.tills},
            "stores": [{"code": t.code, "name": t.name, "layout": t.layout} for t in self.tills],
            "oversold": [
                {"store": t.code, "sku": sku, "units": -spot["shelf"]}
                for t in self.tills for sku, spot in t.state["stock"].items() if spot["shelf"] < 0
            ],
            "planted_bad": planted,
            "agreement": {till.name: self._agreement(till, now) for till in self.tills},
            "traffic": {k: self.traffic[k] for k in ("planned", "done", "finished")},
            "refused": sum(t.state["refused"] for t in self.tills),
            "files": {t.code: self._files(t) for t in self.tills},
            "stock_files": {t.code: {"last_seq": t.state["hub_seq"], "gaps": t.state["gaps"]} for t in self.tills},
        }  # fmt: skip

    def _agreement(self, till: Till, now: float) -> dict[str, Any]:
        """Return what a hub must agree with: sales by receipt, and what the till believes it may sell."""
        orders = {}
        for receipt in till.state["receipts"].values():
            sale = None if receipt["bad"] else _told(till, receipt)[0]
            if sale:
                orders[f"{till.code}/{receipt['no']}"] = {
                    "total": sale["total_minor"],
                    "units": sum(line["quantity"] for line in sale["lines"]),
                    "cancelled": sale["state"] == "cancelled",
                }
        shown = {f"{sku}@{till.code}": till.believes(sku, now) for sku in till.state["stock"]}
        return {"orders": orders, "stock": shown}

    def _stock(self, till: Till, now: float) -> dict[str, Any]:
        out = {}
        for sku, spot in till.state["stock"].items():
            moved = [e["deltas"].get(sku, 0) for e in till.state["events"]]
            out[sku] = {
                "opening": spot["opening"], "sold": -sum(d for d in moved if d < 0),
                "returned": sum(d for d in moved if d > 0), "shelf": spot["shelf"],
                "figure": spot["figure"] and spot["figure"]["qty"], "available": till.believes(sku, now),
            }  # fmt: skip
        return out

    def _files(self, till: Till) -> dict[str, int]:
        files = till.state["files"].values()
        taken = sum(f["taken_at"] is not None for f in files)
        return {
            "written": sum(f["written"] for f in files),
            "taken": taken,
            "again": sum(f["again"] for f in files),
        }

    # Who we are

    def connections(self) -> list[dict[str, Any]]:
        """Return what a merchant types in: one connection per till, with its own folder."""
        out = []
        for till, drop in zip(self.tills, self.drops, strict=True):
            form = {
                "path": str(drop.root.resolve()), "timezone": self.settings.zone,
                "currency": self.settings.currency, "layout": till.layout, "unique_receipt_no": True,
                "stores": [{"code": till.code, "name": till.name}], "ready_mode": "marker",
            }  # fmt: skip
            if till.layout == "loyverse":
                form["date_formats"] = ["MDY"]
            else:
                form["out_encoding"] = "gb18030"
            out.append({"name": till.name, "credentials": form})
        return out


def _told(
    till: Till, receipt: dict[str, Any]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return what was sold and what came back on one receipt."""
    lines = [
        {"sku": x["sku"], "quantity": x["qty"], "amount_minor": sheets.net(x)}
        for x in receipt["lines"]
    ]
    sold = [line for line in lines if line["quantity"] > 0]
    back = [
        {**x, "quantity": -x["quantity"], "amount_minor": -x["amount_minor"]}
        for x in lines
        if x["quantity"] < 0
    ]
    told = {"store": till.code, "receipt_no": receipt["no"], "sold_at": receipt["at"]}
    sale = came_back = None
    if sold:
        due = sum(line["amount_minor"] for line in sold) - receipt["rounding"]
        state = "cancelled" if receipt["void"] else "completed"
        sale = {**told, "state": state, "total_minor": due, "lines": sold}
    if back:
        original = f"{till.code}/{receipt['original']}" if receipt["original"] else None
        total = sum(line["amount_minor"] for line in back)
        came_back = {**told, "original": original, "total_minor": total, "lines": back}
    return sale, came_back

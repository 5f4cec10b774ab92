"""One store's till: what lies on its shelf, what it believes it may sell, and the receipts it makes.

The hub's stock figure for an item is right for the moment it names (`as_of`). Sales the hub cannot
have counted by then - not in a file yet, in a file still waiting, or in one taken later - are
taken off it. Absolute figures are sent again whenever they change, so a file that was taken
`grace_s` ago without a new figure is in the last one. Returns raise the belief only by a new figure.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from sandbox.pos_csv import sheets
from sandbox.pos_csv.goods import Item
from sandbox.pos_csv.sheets import BAD_KINDS, Receipt

State = dict[str, Any]
_BAG = Item("BAG-1", "", "购物袋 Bag", 50)


@dataclass(slots=True)
class Till:
    """A till and its books. `state` is JSON: everything that must survive a restart."""

    code: str
    name: str
    layout: str
    items: dict[str, Item]
    state: State
    seed: int
    grace_s: float
    is_quiet: bool = False
    open_events: list[dict[str, Any]] = field(default_factory=list)

    @staticmethod
    def fresh(opening: dict[str, int]) -> State:
        """Return the books of a till that opens for the first time."""
        shelf = {sku: {"opening": n, "shelf": n, "figure": None} for sku, n in opening.items()}
        return {"stock": shelf, "receipts": {}, "events": [], "pending": [], "files": {}, "made": 0,
                "file_no": 0, "hub_seq": 0, "gaps": 0, "refused": 0, "growing": None}  # fmt: skip

    def reopen(self) -> None:
        """Find the events that may still be unknown to the hub, after a restart."""
        self.open_events = list(self.state["events"])

    # What may be sold

    def processed_at(self, event: dict[str, Any]) -> float | None:
        """Return when the hub took the first file that tells of an event."""
        times = [self.state["files"][name]["taken_at"] for name in event["files"]]
        known = [at for at in times if at is not None]
        return min(known) if known else None

    def believes(self, sku: str, now: float) -> int:
        """Return how many units the till shows."""
        spot = self.state["stock"][sku]
        figure = spot["figure"]
        if figure is None:
            return int(spot["shelf"])
        unknown = sum(
            event["deltas"][sku]
            for event in self.open_events
            if event["deltas"].get(sku, 0) < 0 and not self._is_counted(event, figure["as_of"], now)
        )
        return int(figure["qty"] + unknown)

    def _is_counted(self, event: dict[str, Any], as_of: float, now: float) -> bool:
        at = self.processed_at(event)
        if at is None:
            return False
        return at <= as_of or self.is_quiet or now - at > self.grace_s

    def forget_old(self, now: float) -> None:
        """Drop events that every later figure counts."""
        self.open_events = [
            e
            for e in self.open_events
            if (at := self.processed_at(e)) is None or now - at <= 2 * self.grace_s
        ]

    def sellable(self, sku: str, now: float) -> int:
        """Return how many units it would hand over: never more than lie on the shelf."""
        return min(self.believes(sku, now), int(self.state["stock"][sku]["shelf"]))

    # Receipts

    def serve(self, now: float, local: str) -> Receipt | None:
        """Serve one buyer; None when nothing could be sold."""
        self.state["made"] += 1
        rng = random.Random(f"{self.seed}:{self.code}:{self.state['made']}")  # noqa: S311 - seeded play
        roll = rng.random()
        sold = [
            r
            for r in self.state["receipts"].values()
            if r["kind"] == "sale" and not r["void"] and not r["bad"]
        ]
        if roll < 0.06 and sold:
            return self._bring_back(rng, rng.choice(sold), local)
        if roll < 0.08 and sold and self.layout == "chinese":
            return self._exchange(rng, rng.choice(sold), now, local)
        if roll < 0.10 and sold:
            return self._void(rng.choice(sold[-20:]))
        return self._sell(rng, now, local)

    def _new(self, kind: str, local: str, lines: list[dict[str, Any]], **more: Any) -> Receipt:
        n = len(self.state["receipts"]) + 1
        no = (
            f"1-{1000 + n}"
            if self.layout == "loyverse"
            else f"{self.code}-{local[:10].replace('-', '')}-{n:05d}"
        )
        receipt: Receipt = {
            "no": no, "at": local, "kind": kind, "lines": lines, "rounding": 0, "tender": "", "card": "",
            "original": "", "memo": "", "void": False, "bad": None, **more,
        }  # fmt: skip
        return receipt

    def _keep(self, receipt: Receipt) -> Receipt:
        self.state["receipts"][receipt["no"]] = receipt
        self.state["pending"].append(receipt["no"])
        if not receipt["bad"]:
            deltas: dict[str, int] = {}
            for line in receipt["lines"]:
                deltas[line["sku"]] = deltas.get(line["sku"], 0) - line["qty"]
            self._happen(receipt, deltas)
        return receipt

    def _happen(self, receipt: Receipt, deltas: dict[str, int]) -> None:
        event = {"no": receipt["no"], "deltas": deltas, "files": []}
        for sku, delta in deltas.items():
            self.state["stock"][sku]["shelf"] += delta
        self.state["events"].append(event)
        self.open_events.append(event)

    def _line(self, rng: random.Random, item: Item, qty: int) -> dict[str, Any]:
        gross = item.price * abs(qty)
        discount = gross // 10 if qty > 0 and rng.random() < 0.25 else 0
        return {"sku": item.sku, "barcode": item.barcode, "name": item.name, "qty": qty, "price": item.price,
                "discount": discount}  # fmt: skip

    def _sell(self, rng: random.Random, now: float, local: str) -> Receipt | None:
        wanted = rng.sample(sorted(self.items), min(len(self.items), rng.randint(1, 5)))
        lines = []
        for sku in wanted:
            qty = min(rng.choice((1, 1, 1, 2)), self.sellable(sku, now))
            if qty > 0:
                lines.append(self._line(rng, self.items[sku], qty))
        if not lines:
            self.state["refused"] += 1
            return None
        receipt = self._new("sale", local, lines)
        if self.layout == "chinese":
            receipt["rounding"] = sheets.total(receipt) % 10 if rng.random() < 0.5 else 0
            receipt["tender"] = sheets.tender(rng, sheets.total(receipt))
            receipt["card"] = f"VIP{rng.randint(1, 30):05d}" if rng.random() < 0.4 else ""
        return self._keep(receipt)

    def _bring_back(self, rng: random.Random, sold: Receipt, local: str) -> Receipt | None:
        if sold.get("back"):
            return None
        sold["back"] = True
        line = rng.choice(sold["lines"])
        one = {**line, "qty": -1, "discount": line["discount"] // line["qty"]}
        linked = self.layout == "chinese" and rng.random() < 0.7
        return self._keep(
            self._new("return", local, [one], tender="现金", original=sold["no"] if linked else "")
        )

    def _exchange(
        self, rng: random.Random, sold: Receipt, now: float, local: str
    ) -> Receipt | None:
        other = rng.choice(sorted(self.items))
        if sold.get("back") or self.sellable(other, now) < 1:
            return None
        sold["back"] = True
        line = sold["lines"][0]
        one = {**line, "qty": -1, "discount": line["discount"] // line["qty"]}
        lines = [self._line(rng, self.items[other], 1), one]
        return self._keep(self._new("exchange", local, lines, tender="微信", original=sold["no"]))

    def _void(self, sold: Receipt) -> Receipt | None:
        if sold.get("back"):
            return None
        sold["back"] = sold["void"] = True
        self.state["pending"].append(sold["no"])
        deltas: dict[str, int] = {}
        for line in sold["lines"]:
            deltas[line["sku"]] = deltas.get(line["sku"], 0) + line["qty"]
        self._happen(sold, deltas)
        return sold

    def plant_bad(self, local: str) -> Receipt:
        """Make a receipt that the hub must hold; it sells bags only, which are not counted."""
        n = sum(1 for r in self.state["receipts"].values() if r["bad"])
        line = {
            "sku": _BAG.sku,
            "barcode": "",
            "name": _BAG.name,
            "qty": 1,
            "price": _BAG.price,
            "discount": 0,
        }
        receipt = self._new(
            "sale", local, [line, dict(line)], tender="微信", bad=BAD_KINDS[n % len(BAD_KINDS)]
        )
        return self._keep(receipt)

    def correct(self, rng: random.Random) -> Receipt | None:
        """Give one more discount on a receipt that was sent already."""
        sent = [
            r for r in self.state["receipts"].values()
            if r["kind"] == "sale" and not (r["void"] or r["bad"] or r.get("back"))
            and r["no"] not in self.state["pending"]
        ]  # fmt: skip
        if not sent:
            return None
        receipt: Receipt = rng.choice(sent[-30:])
        line = receipt["lines"][0]
        if line["price"] * line["qty"] - line["discount"] < 200:
            return None
        line["discount"] += 100
        receipt["rounding"] = 0
        receipt["tender"] = "微信" if self.layout == "chinese" else ""
        self.state["pending"].append(receipt["no"])
        return receipt

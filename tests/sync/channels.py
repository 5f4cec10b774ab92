"""Two channels in memory, and the connectors that reach them: a shop and a till.

The shop lists products, shows its stock, sells, knows its customers, and takes a stock figure only
while it still shows what the hub last saw (compare-and-set). The till sells and takes figures by
SKU code. What goes wrong is switched on by the test: page cuts, repeated documents, errors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub import sdk
from hub.errors import Conflict, HubError, InDoubt, Rejected
from hub.records.time import to_text
from hub.sdk import Account, Change, Connector, Cursor, Document, Kind, Outcome, Page, Place, Texts

START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
LAG_S = 60
MAIN, SECOND = "P1", "P2"
FORM_SCHEMA = {
    "type": "object",
    "required": ["name", "token"],
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "token": {"type": "string", "writeOnly": True, "title": "Token"},
    },
}


@dataclass
class Clock:
    """The only time there is; it moves when a test says so."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    @property
    def text(self) -> str:
        return to_text(self.at)

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Channel:
    """What a channel holds. `feed` is every version of every document, in the order it was shown."""

    name: str
    clock: Clock
    places: Sequence[Place] = (Place(MAIN, "Main"),)
    feed: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    stock: dict[tuple[str, str], int] = field(default_factory=dict)
    on_hand: dict[tuple[str, str], int] = field(default_factory=dict)
    page: int = 3
    repeat: int = 1
    raises: dict[str, list[HubError | None]] = field(default_factory=lambda: defaultdict(list))
    as_text: bool = False
    """Whether pages hand their documents over as JSON text."""
    garbled: str = ""
    """The id of a document whose text is cut short."""
    refuses: dict[str, HubError | str] = field(default_factory=dict)
    lost: str = ""
    """`reply`: the write lands and no answer comes; `write`: it never arrives; both in doubt."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    written: list[tuple[str, int]] = field(default_factory=list)
    operation: Callable[[str], None] = lambda _name: None

    def show(self, kind: str, document: Document) -> Document:
        """Show a version of a document, stamped with the channel's own clock unless it is stamped."""
        shown = {"updated": self.clock.text, **deepcopy(document)}
        self.feed[kind].append(shown)
        return shown

    def put(
        self, item: str, available: int, *, on_hand: int | None = None, place: str = MAIN
    ) -> None:
        """Hold stock of an item at a place, and show it."""
        self.stock[item, place] = available
        self.on_hand[item, place] = available if on_hand is None else on_hand
        self.show("inventory", self.figure(item, place))

    def figure(self, item: str, place: str) -> Document:
        """Return the stock document of an item at a place."""
        available = self.stock[item, place]
        names = {p.external_id: p.name for p in self.places}
        return {
            "key": f"{item}@{place}",
            "item": item,
            "place": place,
            "place_name": names[place],
            "available": available,
            "on_hand": self.on_hand[item, place],
        }

    def pushes(self) -> int:
        """Return how many write calls came."""
        return sum(1 for verb, _kind in self.calls if verb == "push")

    def fail(self, verb: str) -> None:
        """Raise what was planted for the next call of a verb."""
        planted = self.raises[verb].pop(0) if self.raises[verb] else None
        if planted is not None:
            raise planted

    def pages(self, kind: str, start: int) -> list[Page]:
        """Cut what was shown since `start` into pages."""
        told = [document for document in self.feed[kind][start:] for _ in range(self.repeat)]
        cut = self.page * self.repeat
        out = []
        for first in range(0, len(told), cut):
            at = start + min(first + cut, len(told)) // self.repeat
            documents = deepcopy(told[first : first + cut])
            out.append(Page(self._told(documents) if self.as_text else documents, {"at": at}))
        return out or [Page([], {"at": start}, done=True)]

    def _told(self, documents: list[Document]) -> Texts:
        texts = [(one["id"], msgspec.json.encode(one)) for one in documents]
        return Texts([t[:-9] if key == self.garbled else t for key, t in texts], lambda one: one)

    def take(self, key: str, wanted: int, seen: Mapping[str, Any], at: tuple[str, str]) -> Outcome:
        """Write one figure where it still stands as it was seen."""
        if key in self.refuses:
            return Outcome(key, self.refuses[key])
        shown = self.stock.get(at)
        if shown is None:
            return Outcome(key, Rejected("There is no such item.", code="NOT_FOUND"))
        if "available" in seen and seen["available"] != shown:
            said = Conflict("The figure moved.")
            return Outcome(key, said, observed={"available": shown})
        self.written.append((key, wanted))
        self.stock[at] = wanted
        if at in self.on_hand:
            self.show("inventory", self.figure(*at))
        return Outcome(key)


class _Told(Connector):
    """What both connectors share: pages of a feed, stock written, planted errors."""

    channels: ClassVar[Mapping[str, Channel]]

    @property
    def channel(self) -> Channel:
        return self.channels[self.connection.credentials["name"]]

    async def check(self) -> Account:
        return Account(self.channel.name, self.channel.name.title(), self.channel.places)

    async def pull(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        self.channel.calls.append(("pull", kind))
        for page in self.channel.pages(kind, cursor.get("at", 0)):
            self.channel.fail("pull")
            yield page

    async def push(self, kind: Kind, changes: Sequence[Change]) -> Sequence[Outcome]:
        channel = self.channel
        channel.calls.append(("push", kind))
        channel.operation("before the call")
        channel.fail("push")
        if channel.lost == "write":
            raise InDoubt("No answer came.")
        outcomes = [channel.take(c.key, *self.addressed(c)) for c in changes]
        channel.operation("after the call")
        if channel.lost == "reply":
            raise InDoubt("No answer came.")
        return outcomes

    def addressed(self, change: Change) -> tuple[int, Mapping[str, Any], tuple[str, str]]:
        raise AssertionError("each connector says how it names a figure")


def connectors_of(channels: Mapping[str, Channel]) -> dict[str, type[Connector]]:
    """Return the shop's and the till's connector, both reaching these channels by name."""
    told = channels
    day = sdk.Pull(every_s=300, lag_s=LAG_S)

    class Shop(_Told):
        channels = told
        manifest = sdk.Manifest(
            code="shop",
            title="Shop",
            credentials=FORM_SCHEMA,
            streams={
                "product": sdk.Stream(pull=day),
                "inventory": sdk.Stream(pull=day, push=sdk.Push(batch=50)),
                "order": sdk.Stream(pull=day),
                "member": sdk.Stream(pull=day),
            },
        )

        def addressed(self, change: Change) -> tuple[int, Mapping[str, Any], tuple[str, str]]:
            document = change.document
            return document["available"], change.seen, (document["item"], document["place"])

        async def fetch(self, kind: Kind, key: str) -> Document | None:
            self.channel.calls.append(("fetch", kind))
            self.channel.fail("fetch")
            item, _at, place = key.partition("@")
            return self.channel.figure(item, place) if kind == "inventory" else None

    class Till(_Told):
        channels = told
        manifest = sdk.Manifest(
            code="till",
            title="Till",
            credentials=FORM_SCHEMA,
            streams={
                "order": sdk.Stream(pull=day),
                "inventory": sdk.Stream(push=sdk.Push(batch=50, by_sku=True)),
            },
        )

        def addressed(self, change: Change) -> tuple[int, Mapping[str, Any], tuple[str, str]]:
            document = change.document
            at = (document["sku"], document["store"])
            self.channel.stock.setdefault(at, 0)
            return document["left"], {}, at

        async def fetch(self, kind: Kind, key: str) -> Document | None:
            sku, _at, store = key.partition("@")
            return {"sku": sku, "store": store, "left": self.channel.stock.get((sku, store), 0)}

    return {"shop": Shop, "till": Till}


# --- documents ------------------------------------------------------------------------------------


def a_product(number: int, *, skus: Sequence[int] = (1,), **more: Any) -> Document:
    """A product with SKUs `<number>-<n>`: id, own stock id and code follow from the numbers."""
    return {
        "id": f"G{number}",
        "title": f"Thing {number}",
        "brand": "Own",
        "skus": [
            {
                "id": f"S{number}-{n}",
                "code": f"SKU-{number}-{n}",
                "name": f"size {n}",
                "barcode": None,
            }
            for n in skus
        ],
        **more,
    }


def a_line(
    number: int = 1, *, n: int = 2, sent: int = 0, cancelled: int = 0, **more: Any
) -> Document:
    """An order line of SKU `1-1` unless said otherwise."""
    return {
        "id": str(number), "sku_id": "S1-1", "code": "SKU-1-1", "n": n, "cancelled": cancelled,
        "sent": sent, "sum": f"{10 * n}.00", "place": MAIN, **more,
    }  # fmt: skip


def an_order(
    name: str, *lines: Document, state: str = "paid", placed: str = "", **more: Any
) -> Document:
    """A shop's order, paid in full, that no one has shipped."""
    held = list(lines) or [a_line()]
    total = f"{sum(10 * line['n'] for line in held)}.00"
    captured = [{"id": f"{name}-T", "amount": total, "state": "captured"}]
    return {
        "id": name,
        "state": state,
        "currency": "CNY",
        "total": total,
        "freight": "0.00",
        "placed": placed,
        "buyer": {"id": "C1", "name": "Li Lei", "phone": "+8613800138000"},
        "lines": held,
        "tenders": captured if state != "new" else [],
        "refunds": [],
        **more,
    }


def a_case(
    name: str, order: str, *, n: int = 1, reception: str = "received", done: str | None = None
) -> Document:
    """A refund with goods that came back, of line 1 of an order."""
    amount = f"{10 * n}.00"
    return {
        "id": name, "order": order, "state": "succeeded", "amount": amount, "asked": done, "done": done,
        "updated": done,
        "lines": [{"line": "1", "code": "SKU-1-1", "n": n, "reception": reception, "place": MAIN}],
        "money": [
            {"id": f"{name}-M", "amount": amount, "state": "succeeded", "lines": [{"line": "1", "n": n}]}
        ],
    }  # fmt: skip


def a_receipt(name: str, *, n: int = 1, sold: str, voided: str | None = None) -> Document:
    """A till's sale of SKU `1-1`; the goods are gone with it, or back with its void."""
    gone = 0 if voided else n
    return {
        "id": name, "state": "void" if voided else "done", "total": f"{10 * n}.00", "sold": sold,
        "voided": voided,
        "lines": [
            {"id": "1", "code": "SKU-1-1", "store": MAIN, "n": n, "cancelled": n - gone, "gone": gone,
             "sum": f"{10 * n}.00"}
        ],
        "tenders": [{"id": f"{name}-T", "amount": f"{10 * n}.00"}],
    }  # fmt: skip


def a_member(
    row_id: str, *, known: Sequence[Document] = (), says: Sequence[Document] = (), **more: Any
) -> Document:
    """A customer of the shop."""
    return {
        "id": row_id,
        "name": f"Person {row_id}",
        "phone": None,
        "known": list(known),
        "says": list(says),
        **more,
    }

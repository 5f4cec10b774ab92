"""Walks over a shop's lists, so that nothing is lost between two of them.

Orders, products and customers are walked ascending by `updatedAt` without an upper bound: what
changes during the walk moves to the end, so it comes twice and is never missed. The mark of the
next walk is the greatest `updatedAt` seen, less an overlap; it moves only when a walk is done.

Stock has no list sorted by time (`inventoryItems` and `inventoryLevels` take no sort key), so it
is walked by place: locations by id, and inside each the levels by id, filtered by the levels' own
`updated_at` (the clock that moves with a quantity). Ids do not move, so a page's cursor is safe
to resume from. But a level may change after its page was read and before the last page shows a
later time: there the mark is the greatest time seen *or the start of the walk*, whichever is
earlier. With nothing changed that is one request for all places, where walking items would read
every item of the shop each time.

Cursors: `{}` all; `{"mark"}` between walks; `{"since", "until"}` a back-fill; in mid-walk
`after` and `high` (orders, products, customers) or `started`, `open` and `next` (stock) besides.
Facts: channel sheet, sections 6.1, 6.2 and 8.2.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from connectors.shopify import whole
from connectors.shopify.admin import Admin
from hub.errors import ContractBroken
from hub.records.time import from_text
from hub.sdk import Cursor, Document, Fault, Kind, Page, Texts, decode

OVERLAP: Final = timedelta(minutes=5)
_MOST_FOLLOW_UPS: Final = 200  # 200 x 244 entries: beyond what any document holds


@dataclass(frozen=True, slots=True)
class Stream:
    """A list that is sorted by `updatedAt`: its operations and the parts that may be cut short.

    `first` is a page size where the cost formula steps; requested points per page stand in
    tests/connectors/shopify.
    """

    pages: str
    root: str
    single: str
    single_root: str
    first: int
    parts: tuple[whole.Part, ...]


STREAMS: Final[Mapping[Kind, Stream]] = {
    "order": Stream("OrdersPage", "orders", "OrderById", "order", 90, whole.ORDER),
    "product": Stream("ProductsPage", "products", "ProductById", "product", 90, whole.PRODUCT),
    "member": Stream("CustomersPage", "customers", "CustomerById", "customer", 244, ()),
}


class Reader:
    """Reads one shop. `finish` adds to a complete document what the connector knows besides."""

    def __init__(
        self,
        admin: Admin,
        finish: Mapping[Kind, Callable[[Document], Document]],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._admin, self._now = admin, now
        self._finish = {kind: partial(finished, function) for kind, function in finish.items()}

    async def pages(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        """Walk a list that is sorted by `updatedAt`."""
        stream = STREAMS[kind]
        while True:
            found = await self._admin.listing(
                stream.pages,
                stream.root,
                first=stream.first,
                after=cursor.get("after"),
                q=search(cursor),
            )
            documents, faults = await self._complete(kind, found.nodes)
            # Sorted by `updatedAt`: the last is the latest. A mark that is too early only reads twice.
            high = _latest(cursor.get("high"), [decode(node) for node in found.nodes[-1:]])
            after = found.pageInfo["endCursor"] if found.pageInfo["hasNextPage"] else None
            if after is None:
                yield Page(documents, _finished(cursor, high), done=True, faults=faults)
                return
            cursor = {**cursor, "after": after, "high": high}
            yield Page(documents, cursor, faults=faults)

    async def one(self, kind: Kind, key: str) -> Document | None:
        """Read one object by its id, whole."""
        stream = STREAMS[kind]
        node = (await self._admin.ask(stream.single, id=key))[stream.single_root]
        if node is None:
            return None
        return self._finish[kind](await self._whole(kind, node))

    async def stock(self, cursor: Cursor) -> AsyncIterator[Page]:
        """Walk the stock of every place."""
        cursor = {**cursor, "started": cursor.get("started") or _text(self._now())}
        while True:
            step = self._next_place if cursor.get("open") else self._next_places
            levels, cursor = await step(cursor)
            cursor["high"] = _latest(cursor.get("high"), levels)
            documents = [self._finish["inventory"](level) for level in levels]
            if not cursor.get("open") and cursor["next"] is None:
                high = min(cursor["high"] or cursor["started"], cursor["started"])
                yield Page(documents, _finished(cursor, high), done=True)
                return
            yield Page(documents, cursor)

    async def _next_places(self, cursor: Cursor) -> tuple[list[Document], Cursor]:
        """Read the first levels of the next few locations."""
        data = await self._admin.ask("LevelsPage", q=search(cursor), after=cursor.get("next"))
        found = data["locations"]
        levels, waiting = [], []
        for place in found["nodes"]:
            inside = place["inventoryLevels"]
            levels += inside["nodes"]
            if inside["pageInfo"]["hasNextPage"]:
                waiting.append([place["id"], inside["pageInfo"]["endCursor"]])
        after = found["pageInfo"]["endCursor"] if found["pageInfo"]["hasNextPage"] else None
        return levels, {**cursor, "open": waiting, "next": after}

    async def _next_place(self, cursor: Cursor) -> tuple[list[Document], Cursor]:
        """Read on in the first location that showed more than its first levels."""
        (place, after), *waiting = cursor["open"]
        data = await self._admin.ask("LocationLevels", id=place, q=search(cursor), after=after)
        if data["location"] is None:  # gone since; its levels went with it
            return [], {**cursor, "open": waiting}
        inside = data["location"]["inventoryLevels"]
        if inside["pageInfo"]["hasNextPage"]:
            waiting = [[place, inside["pageInfo"]["endCursor"]], *waiting]
        return inside["nodes"], {**cursor, "open": waiting}

    async def _complete(
        self, kind: Kind, nodes: Iterable[msgspec.Raw]
    ) -> tuple[Texts, list[Fault]]:
        """Complete the documents of a page; one that cannot be completed becomes a fault.

        What cannot have been cut short stays text.
        """
        documents: list[msgspec.Raw | Document] = []
        faults = []
        parts = STREAMS[kind].parts
        for text in nodes:
            if not parts or not whole.may_be_cut(text):
                documents.append(text)
                continue
            node = decode(text)
            if whole.shows_all(node, parts):
                documents.append(text)
                continue
            try:
                document = await self._again(kind, node)
            except _TooMuch as error:
                faults.append(Fault(node["id"], node, error))
            else:
                documents.append(self._finish[kind](document))
        return Texts(documents, self._finish[kind]), faults

    async def _again(self, kind: Kind, node: Document) -> Document:
        """Read a document alone and whole."""
        stream = STREAMS[kind]
        again = (await self._admin.ask(stream.single, id=node["id"]))[stream.single_root]
        return await self._whole(kind, node if again is None else again)

    async def _whole(self, kind: Kind, node: Document) -> Document:
        """Read on in every list of a document that shows less than there is."""
        parts = STREAMS[kind].parts
        for _ in range(_MOST_FOLLOW_UPS):
            cut = next(whole.cuts(node, parts), None)
            if cut is None:
                return node
            if cut.part.more is None:
                raise _TooMuch(f"{node['id']} has more {cut.part.field} than can be read.")
            await self._read_on(cut, cut.part.more)
        raise _TooMuch(f"{node['id']} does not end.")

    async def _read_on(self, cut: whole.Cut, operation: str) -> None:
        shown = cut.owner[cut.part.field]
        before = shown["pageInfo"]["endCursor"]
        data = await self._admin.ask(operation, id=cut.owner["id"], after=before)
        owner = data[cut.part.root]
        if owner is None:  # gone since: what was seen is all there is
            shown["pageInfo"] = {"hasNextPage": False, "endCursor": before}
            return
        more = owner[cut.part.field]
        if more["pageInfo"]["hasNextPage"] and more["pageInfo"]["endCursor"] == before:
            raise ContractBroken(f"Shopify pages {cut.part.field} in a circle.", code="same_cursor")
        shown["nodes"] += more["nodes"]
        shown["pageInfo"] = more["pageInfo"]


def finished(finish: Callable[[Document], Document], document: Document) -> Document:
    """Add what the connector knows; a document too broken for that goes on as it came.

    Its mapping then says which field is wrong, and the record is held with that.
    """
    try:
        return finish(document)
    except (TypeError, ValueError):
        return document


class _TooMuch(ContractBroken):
    """A document holds more than the API lets anyone read: it is held, its neighbours go on."""


def search(cursor: Cursor) -> str | None:
    """Return the filter of a walk, None for everything.

    Quoted: an unquoted timestamp is read as a date and a stray word, and silently returns other
    records. Bounds are whole seconds, stored times have hidden fractions: the upper one gets a
    second more.
    """
    if "since" in cursor or "until" in cursor:
        since, until = cursor.get("since"), cursor.get("until")
        terms = [f"updated_at:>='{_text(from_text(since))}'"] if since else []
        if until:
            terms.append(f"updated_at:<='{_text(from_text(until) + timedelta(seconds=1))}'")
        return " AND ".join(terms) or None
    mark = cursor.get("mark")
    return f"updated_at:>='{_text(from_text(mark) - OVERLAP)}'" if mark else None


def _finished(cursor: Cursor, high: str | None) -> Cursor:
    """Return the cursor after a walk: a back-fill keeps its bounds, a mark never goes back."""
    if "since" in cursor or "until" in cursor:
        return {name: cursor[name] for name in ("since", "until") if name in cursor}
    mark = max(filter(None, (cursor.get("mark"), high)), default=None)
    return {"mark": mark} if mark else {}


def _latest(high: str | None, nodes: Iterable[Document]) -> str | None:
    times = [node["updatedAt"] for node in nodes]
    return max([high, *times] if high else times, default=None)


def _text(moment: datetime) -> str:
    """Write an instant as Shopify does: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

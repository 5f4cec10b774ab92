"""Places and first counts: a location's stock is opened once, from the catalogue source's figure.

After that `on_hand` moves only by the ledger (design, decision 22). Goods that moved after the
count's own instant are on top of it, those before are in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.commerce.stock.ledger import Entry, Level, Spot, open_book
from hub.db.bulk import fetch, insert
from hub.db.flows import Flow
from hub.db.observed import all_refs, bind
from hub.db.scope import Scope
from hub.records.ids import new_id


@dataclass(frozen=True, slots=True)
class Place:
    """A channel's location: its id there and its name."""

    external_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Count:
    """What a channel says stands at a spot, in steps, and when that was true."""

    spot: Spot
    scale: int
    on_hand: int
    unavailable: int
    at: str


def places_of(conn: Connection, merchant_id: str, connection_id: str) -> dict[str, str]:
    """Return external location id to our location id."""
    return all_refs(conn, Flow(merchant_id, connection_id, "location"))


def link_places(
    conn: Connection,
    merchant_id: str,
    connection_id: str,
    places: Sequence[Place],
    now: str,
    kind: str,
) -> dict[str, str]:
    """Bind a channel's locations to ours: by equal name or code, else a new one is made."""
    known = places_of(conn, merchant_id, connection_id)
    ours = {
        name: row_id
        for row_id, code, title in fetch(
            conn, "SELECT id, code, name FROM location WHERE merchant_id=?", (merchant_id,)
        )
        for name in (code, title)
        if name
    }
    fresh = []
    for place in places:
        if place.external_id in known:
            continue
        row_id = ours.get(place.name) or ours.get(place.external_id)
        if row_id is None:
            row_id = new_id("location")
            fresh.append(
                (merchant_id, row_id, now, now, 1, place.name or place.external_id, place.name, kind,
                 True, False, "hub")
            )  # fmt: skip
            ours[place.name] = row_id
        known[place.external_id] = row_id
    insert(
        conn,
        "location",
        (
            "merchant_id", "id", "created_at", "updated_at", "version", "code", "name", "kind",
            "fulfils_online", "pickup", "on_hand_owner",
        ),
        fresh,
    )  # fmt: skip
    bind(conn, Flow(merchant_id, connection_id, "location"), known.items(), now)
    return known


def open_counts(conn: Connection, scope: Scope, counts: Sequence[Count]) -> set[Spot]:
    """Open every spot that was never counted; the others are left alone. Returns the spots opened."""
    book = open_book(conn, scope, [c.spot for c in counts], ())
    for count in counts:
        level = book.levels.setdefault(count.spot, Level(scale=count.scale))
        if level.opened_at is not None:
            continue
        level.opened_at = count.at
        wanted = count.on_hand + _moved_after(conn, scope.merchant_id, count)
        book.post(
            Entry(
                count.spot, "opening", "count", _doc(count), "opening", count.at,
                on_hand=wanted - level.on_hand, unavailable=count.unavailable - level.unavailable,
                reason="first count, from the catalogue source",
            )
        )  # fmt: skip
    return book.write(conn)


def _doc(count: Count) -> str:
    return "@".join(count.spot)


def _moved_after(conn: Connection, merchant_id: str, count: Count) -> int:
    rows = fetch(
        conn,
        "SELECT coalesce(sum(delta_on_hand),0) FROM stock_ledger WHERE merchant_id=? "
        "AND variant_id=? AND location_id=? AND occurred_at>?",
        (merchant_id, *count.spot, count.at),
    )
    return int(rows[0][0])

"""The book: levels and their ledger, moved together for a whole page.

Invariants S1-S3 of the canonical model: a level is the fold of its entries, `seq` has no gap,
and an entry's source is unique, so that applying it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.db.bulk import execute_many, fetch, fetch_in, insert
from hub.db.scope import Scope

Spot = tuple[str, str]
"""(variant id, location id)."""


@dataclass(slots=True)
class Level:
    """A level as the book moves it. `opened_at` is null until a first count came in."""

    on_hand: int = 0
    reserved: int = 0
    unavailable: int = 0
    safety_stock: int = 0
    opened_at: str | None = None
    seq: int = 0
    scale: int = 0
    is_new: bool = True

    @property
    def available(self) -> int:
        """Unpromised and whole; may be negative."""
        return self.on_hand - self.reserved - self.unavailable

    @property
    def atp(self) -> int:
        """Available to promise; negative means oversold."""
        return self.available - self.safety_stock


class Entry(NamedTuple):
    """One movement to book. Its source names it for ever."""

    spot: Spot
    entry_type: str
    doc_type: str
    doc_id: str
    line_id: str
    occurred_at: str
    on_hand: int = 0
    reserved: int = 0
    unavailable: int = 0
    reason: str | None = None


_LEDGER = (
    "merchant_id", "id", "created_at", "updated_at", "version", "variant_id", "location_id", "seq", "entry_type",
    "delta_on_hand", "delta_reserved", "delta_unavailable", "on_hand_after", "reserved_after",
    "source_system", "source_doc_type", "source_doc_id", "source_line_id", "occurred_at", "actor", "reason",
)  # fmt: skip
_LEVEL = (
    "merchant_id", "id", "created_at", "updated_at", "version", "variant_id", "location_id", "quantity_scale",
    "on_hand", "reserved", "unavailable", "safety_stock", "incoming", "opened_at", "ledger_seq",
)  # fmt: skip


@dataclass(slots=True)
class Book:
    """The levels one transaction touches, and the entries it adds."""

    scope: Scope
    levels: dict[Spot, Level]
    known: set[tuple[str, ...]] = field(default_factory=set)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    touched: set[Spot] = field(default_factory=set)

    def post(self, entry: Entry) -> bool:
        """Book one entry; False when its source is in the ledger already."""
        scope = self.scope
        source = (
            scope.flow.connection_id, entry.doc_type, entry.doc_id, entry.line_id, entry.entry_type,
        )  # fmt: skip
        if source in self.known:
            return False
        self.known.add(source)
        level = self.levels.setdefault(entry.spot, Level())
        level.on_hand += entry.on_hand
        level.reserved += entry.reserved
        level.unavailable += entry.unavailable
        level.seq += 1
        variant, location = entry.spot
        self.touched.add(entry.spot)
        self.entries.append(
            (
                scope.merchant_id, entry_id(source), scope.now, scope.now, 1,
                variant, location, level.seq, entry.entry_type,
                entry.on_hand, entry.reserved, entry.unavailable, level.on_hand, level.reserved,
                *source[:4], entry.occurred_at, scope.actor, entry.reason,
            )
        )  # fmt: skip
        return True

    def write(self, conn: Connection) -> set[Spot]:
        """Write entries and levels; returns the spots that moved."""
        scope = self.scope
        insert(conn, "stock_ledger", _LEDGER, self.entries)
        fresh = [
            (spot, lv) for spot, lv in self.levels.items() if lv.is_new and spot in self.touched
        ]
        insert(
            conn,
            "stock_level",
            _LEVEL,
            [
                (
                    scope.merchant_id, f"{spot[0]}@{spot[1]}", scope.now, scope.now, 1, *spot, lv.scale,
                    lv.on_hand, lv.reserved, lv.unavailable, lv.safety_stock, 0, lv.opened_at, lv.seq,
                )
                for spot, lv in fresh
            ],
        )  # fmt: skip
        execute_many(
            conn,
            "UPDATE stock_level SET on_hand=?, reserved=?, unavailable=?, opened_at=?, ledger_seq=?, updated_at=?, "
            "version=version+1 WHERE merchant_id=? AND variant_id=? AND location_id=?",
            [
                (
                    lv.on_hand,
                    lv.reserved,
                    lv.unavailable,
                    lv.opened_at,
                    lv.seq,
                    scope.now,
                    scope.merchant_id,
                    *spot,
                )
                for spot, lv in self.levels.items()
                if not lv.is_new and spot in self.touched
            ],
        )
        for _spot, level in fresh:
            level.is_new = False
        moved, self.touched = self.touched, set()
        self.entries.clear()
        return moved


def open_book(conn: Connection, scope: Scope, spots: Iterable[Spot], docs: Iterable[str]) -> Book:
    """Load the levels of these spots, and what the ledger already holds of documents stored before."""
    wanted = set(spots)
    rows = fetch_in(
        conn,
        "SELECT variant_id, location_id, on_hand, reserved, unavailable, safety_stock, opened_at, ledger_seq, "
        "quantity_scale FROM stock_level WHERE merchant_id=? AND variant_id IN ({})",
        (scope.merchant_id,),
        sorted({variant for variant, _ in wanted}),
    )
    levels = {(row[0], row[1]): _stored(*row[2:]) for row in rows}
    known = [
        row
        for doc in set(docs)
        for row in fetch(
            conn,
            "SELECT source_system, source_doc_type, source_doc_id, source_line_id, entry_type FROM stock_ledger "
            "WHERE merchant_id=? AND id>=? AND id<?",
            (scope.merchant_id, f"{doc}|", doc + "}"),
        )
    ]
    return Book(
        scope, {s: lv for s, lv in levels.items() if s in wanted}, {tuple(r) for r in known}
    )


def _stored(
    on_hand: int,
    reserved: int,
    unavailable: int,
    safety_stock: int,
    opened_at: str | None,
    seq: int,
    scale: int,
) -> Level:
    return Level(on_hand, reserved, unavailable, safety_stock, opened_at, seq, scale, is_new=False)


def entry_id(source: tuple[str, ...]) -> str:
    """Return a ledger row's id: its source, so that the primary key itself refuses a second booking.

    The source is (connection, document type, document id, line, entry type); entries of one
    document stand together.
    """
    connection, doc_type, doc_id, line_id, entry_type = source
    return f"{doc_id}|{line_id.removeprefix(doc_id)}|{entry_type}|{doc_type}|{connection}"


def prove(conn: Connection, merchant_id: str) -> list[str]:
    """Return one sentence per level that is not the sum of its ledger, or has a gap in it. Empty is proof."""
    rows = fetch(
        conn,
        "SELECT l.variant_id, l.location_id, l.on_hand, l.reserved, l.unavailable, l.ledger_seq, "
        "coalesce(e.on_hand,0), coalesce(e.reserved,0), coalesce(e.unavailable,0), coalesce(e.entries,0) "
        "FROM stock_level l LEFT JOIN (SELECT variant_id, location_id, sum(delta_on_hand) AS on_hand, "
        "sum(delta_reserved) AS reserved, sum(delta_unavailable) AS unavailable, count(*) AS entries "
        "FROM stock_ledger WHERE merchant_id=? GROUP BY variant_id, location_id) e "
        "ON e.variant_id=l.variant_id AND e.location_id=l.location_id WHERE l.merchant_id=?",
        (merchant_id, merchant_id),
    )
    return [
        f"level {variant} at {location}: stored {stored}, ledger says {tuple(int(x) for x in summed)}"
        for variant, location, *stored, on_hand, reserved, unavailable, entries in rows
        if tuple(stored)
        != (summed := (int(on_hand), int(reserved), int(unavailable), int(entries)))
    ]

"""Orders meet stock: what lines claim against what is booked for them; the difference becomes entries.

A claim is a target, so the same claim twice books nothing. Promised goods are *reserved*,
goods that left are *consumed* (S4: shipping lowers on hand and reserved together, cancelling
lowers reserved only).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.commerce.stock.ledger import Book, Entry, Level, Spot, open_book
from hub.db.bulk import fetch, upsert
from hub.db.scope import Scope


class Claim(NamedTuple):
    """What one order line wants from one spot, as a target."""

    order_id: str
    version: int
    line_id: str
    spot: Spot
    scale: int
    promised: int
    left: int
    since: str


_RESERVATION = (
    "merchant_id", "id", "created_at", "updated_at", "version", "order_line_id", "variant_id", "location_id",
    "quantity", "consumed", "state",
)  # fmt: skip


def settle(
    conn: Connection, scope: Scope, claims: Sequence[Claim], *, changed_lines: Mapping[str, int]
) -> set[Spot]:
    """Bring reservations and levels to what the claims say; returns the spots that moved.

    `changed_lines` are lines of orders that were stored before, with their order's version: only
    they can have reservations, and one of theirs that no claim names any more is given back.
    """
    booked = _booked(conn, scope.merchant_id, list(changed_lines))
    spots = {claim.spot for claim in claims} | {spot for _line, spot in booked}
    book = open_book(conn, scope, spots, {_order_of(line) for line in changed_lines})
    rows = []
    for claim in claims:
        before = booked.pop((claim.line_id, claim.spot), (0, 0))
        if before != (claim.promised, claim.left):
            _move(book, claim, before)
            rows.append(_row(scope, claim))
    for (line_id, spot), before in booked.items():
        version = changed_lines[line_id]
        gone = Claim(_order_of(line_id), version, line_id, spot, 0, 0, 0, scope.now)
        if before != (0, 0):
            _move(book, gone, before)
            rows.append(_row(scope, gone))
    upsert(
        conn,
        "reservation",
        _RESERVATION,
        rows,
        key=("merchant_id", "id"),
        update=("updated_at", "quantity", "consumed", "state"),
    )
    return book.write(conn)


def _order_of(line_id: str) -> str:
    return line_id.rsplit("-", 1)[0]


def _booked(
    conn: Connection, merchant_id: str, lines: Sequence[str]
) -> dict[tuple[str, Spot], tuple[int, int]]:
    # A reservation's id is its line's, an @ and its place: one range of the primary key per line.
    return {
        (line, (variant, place)): (quantity, consumed)
        for line in lines
        for variant, place, quantity, consumed in fetch(
            conn,
            "SELECT variant_id, location_id, quantity, consumed FROM reservation WHERE merchant_id=? "
            "AND id>=? AND id<?",
            (merchant_id, f"{line}@", f"{line}A"),
        )
    }


def _move(book: Book, claim: Claim, before: tuple[int, int]) -> None:
    """Book the difference between a claim and what stands for it."""
    promised = claim.promised - before[0]
    left = claim.left - before[1]
    level = book.levels.get(claim.spot)
    if level is None or level.is_new:
        book.levels.setdefault(claim.spot, Level(scale=claim.scale))
    # One line may be served from several places: the place is part of what names an entry.
    doc = ("order", claim.order_id, f"{claim.line_id}@{claim.version}@{claim.spot[1]}")
    counted = level is not None and level.opened_at is not None and claim.since <= level.opened_at
    if left and not counted:
        # A shelf that was counted after the goods left does not lose them twice.
        book.post(
            Entry(claim.spot, "sale", *doc, claim.since, on_hand=-left, reserved=min(promised, 0))
        )
        promised = max(promised, 0)
    if promised > 0:
        book.post(Entry(claim.spot, "reserve", *doc, claim.since, reserved=promised))
    elif promised < 0:
        book.post(Entry(claim.spot, "release", *doc, claim.since, reserved=promised))


def _row(scope: Scope, claim: Claim) -> tuple[Any, ...]:
    state = "active" if claim.promised else "consumed" if claim.left else "released"
    return (
        scope.merchant_id, f"{claim.line_id}@{claim.spot[1]}", scope.now, scope.now, 1, claim.line_id,
        *claim.spot, claim.promised, claim.left, state,
    )  # fmt: skip


def take_back(conn: Connection, scope: Scope, returns: Sequence[Entry]) -> set[Spot]:
    """Put returned goods back on the shelf, once per source; returns the spots that moved."""
    book = open_book(conn, scope, [e.spot for e in returns], [e.doc_id for e in returns])
    for entry in returns:
        level = book.levels.get(entry.spot)
        if level is None or level.opened_at is None or entry.occurred_at > level.opened_at:
            book.post(entry)
    return book.write(conn)

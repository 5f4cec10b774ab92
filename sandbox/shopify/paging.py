"""Pages of a connection (rule S6; fact sheet, section 6)."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.shopify.money import MICROS
from sandbox.shopify.world import Refused, View

MAX_PAGE = 250
Place = tuple[Any, int]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the nodes, their cursors, and whether there is more on either side."""

    nodes: Sequence[View]
    place: Callable[[View], Place]
    has_next: bool
    has_previous: bool

    def cursor(self, at: int) -> str:
        """Return the cursor of a node of this page."""
        return encode(self.place(self.nodes[at]))


def by_id(view: View) -> Place:
    """Place a node by its id alone."""
    return view["_id"], view["_id"]


def encode(place: Place) -> str:
    """Write a cursor: base64 of JSON with the last value and the last id."""
    value, key = place
    shown = value if isinstance(value, int) else json.dumps(value)
    text = f'{{"last_id":{key},"last_value":{shown}}}'
    return base64.b64encode(text.encode()).decode()


def decode(cursor: str) -> Place:
    """Read a cursor this simulator wrote."""
    try:
        body = json.loads(base64.b64decode(cursor, validate=True))
        return body["last_value"], int(body["last_id"])
    except (ValueError, KeyError, TypeError):
        # UNVERIFIED: text of a cursor that cannot be read, from general knowledge.
        raise Refused("Invalid cursor for current pagination sort.") from None


def stamp_text(micros: int) -> str:
    """Write a sort value of a time: with its microseconds, so that places stay distinct."""
    at = datetime.fromtimestamp(micros // MICROS, UTC).replace(microsecond=micros % MICROS)
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def size_of(arguments: dict[str, Any]) -> tuple[int, bool]:
    """Return the page size and whether it is counted from the end; refuse as Shopify does."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise Refused("you must provide one of first or last")
    if first is not None and last is not None:
        raise Refused("providing both first and last is not supported")
    name, size = ("first", first) if last is None else ("last", last)
    assert size is not None  # noqa: S101 - one of the two is given
    if size > MAX_PAGE:
        raise Refused(
            f"{name} cannot exceed {MAX_PAGE}. To query larger amounts of data with fewer limits, "
            "bulk operations should be used instead."
        )
    if size < 0:
        # UNVERIFIED: text of a negative size, from general knowledge.
        raise Refused(f"{name} must be a positive number")
    return size, last is not None


def page(
    nodes: Sequence[View],
    arguments: dict[str, Any],
    place: Callable[[View], Place] = by_id,
) -> Page:
    """Cut the page out of nodes sorted by ``place``, descending when ``reverse`` is asked."""
    size, from_end = size_of(arguments)
    turn: Callable[[Place], Any] = _Down if arguments.get("reverse") else _up
    if arguments.get("reverse"):
        nodes = nodes[::-1]

    def key(view: View) -> Any:
        return turn(place(view))

    low, high = 0, len(nodes)
    if arguments.get("after"):
        low = bisect_right(nodes, turn(_fits(decode(arguments["after"]), nodes, place)), key=key)
    if arguments.get("before"):
        high = bisect_left(nodes, turn(_fits(decode(arguments["before"]), nodes, place)), key=key)
    start = max(low, high - size) if from_end else low
    stop = high if from_end else min(high, low + size)
    return Page(nodes[start:stop], place, stop < len(nodes), start > 0)


def _fits(at: Place, nodes: Sequence[View], place: Callable[[View], Place]) -> Place:
    """Refuse a cursor that belongs to another sort."""
    if nodes and type(place(nodes[0])[0]) is not type(at[0]):
        raise Refused("Invalid cursor for current pagination sort.")
    return at


def _up(at: Place) -> Place:
    return at


@dataclass(frozen=True, slots=True)
class _Down:
    """A place that sorts the other way round."""

    at: Place

    def __lt__(self, other: _Down) -> bool:
        return self.at > other.at

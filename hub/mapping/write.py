"""Writing a row onto a native document: what the mapping owns, and nothing else.

Three passes: values, then lists, then nulls, so that a null never hides behind an object that a
later value creates. A place that already reads as the wanted value stays exactly as it is.
"""

from __future__ import annotations

from typing import Any

from hub.errors import MappingError
from hub.mapping import walk
from hub.mapping.paths import EACH, Segment, Where
from hub.mapping.rows import Row
from hub.mapping.shape import shape, word
from hub.mapping.spec import ROOT, Branch, Level, Pair, Spec
from hub.mapping.walk import Scopes
from hub.records.base import ABSENT, Record

_OWN_SIDE = {"money": "currency", "steps": "quantity_scale", "local_time": "source_zone"}
"""Where the record keeps what a transform's option says, when the document does not say it yet."""

_NOTHING = object()


class Writer:
    """Writes one row of one spec. `above` keeps the rows around, outermost first."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def item(self, row: Row, holder: Any, key: Any, document: Any) -> None:
        """Write the record whose native object is `holder[key]`."""
        self._level(self.spec.top, row, [(holder, key)], document, ())

    def _level(
        self,
        level: Level,
        row: Row,
        places: list[tuple[Any, Any]],
        document: Any,
        above: tuple[Any, ...],
    ) -> None:
        around = (*above, (level.record, row))
        values = [(pair, self._wanted(pair, row)) for pair in _sides_first(level) if pair.writes]
        for pair, value in values:
            if value is not ABSENT and value is not None:
                self._pair(pair, value, places, document, around)
        for branch in level.branches:
            if branch.level.writes:
                self._list(branch, walk.value_at(row, branch.slot), places, document, around)
        for pair, value in values:
            if value is None and not pair.null_absent:
                self._pair(pair, None, places, document, around)

    def _wanted(self, pair: Pair, row: Row) -> Any:
        return walk.value_at(row, pair.slot) if pair.const is ABSENT else pair.const

    def _pair(
        self,
        pair: Pair,
        value: Any,
        places: list[tuple[Any, Any]],
        document: Any,
        around: tuple[Any, ...],
    ) -> None:
        scopes = _scopes(places, document)
        try:
            native = self._encoded(pair, value, scopes, places, around)
            if native is not _NOTHING and pair.ref is not None:
                holder, key = places[pair.ref.scope] if pair.ref.scope != ROOT else ([document], 0)
                put(holder, key, pair.ref.segments, native)
        except Exception as error:
            raise MappingError.of(walk.misfit(pair, self.spec, error, value)) from None

    def _encoded(
        self,
        pair: Pair,
        value: Any,
        scopes: Scopes,
        places: list[tuple[Any, Any]],
        around: tuple[Any, ...],
    ) -> Any:
        """Return the native value to write, or nothing if the place already reads as `value`."""
        if pair.ref is None:
            return _NOTHING
        if pair.codec is None:
            return _NOTHING if walk.seek(scopes, pair.ref) == value else value
        self._complete(pair, places, scopes, around)
        try:
            if walk.decode(pair, pair.codec, walk.seek(scopes, pair.ref), scopes) == value:
                return _NOTHING
        except Exception:  # noqa: S110 - what cannot be read is not the wanted value
            pass
        if value is None:
            return None
        if pair.codec.write is None:
            raise ValueError(f"{pair.codec.name} has no way back")
        if pair.side is None or not pair.codec.dynamic:
            return pair.codec.write(value)
        return pair.codec.write(value, walk.seek(scopes, pair.side))

    def _complete(
        self,
        pair: Pair,
        places: list[tuple[Any, Any]],
        scopes: Scopes,
        around: tuple[Any, ...],
    ) -> None:
        """Give the document the currency, scale or zone that a value is about to be written in."""
        if pair.side is None or pair.codec is None or pair.side.scope == ROOT:
            return
        if walk.seek(scopes, pair.side) not in (None, ABSENT):
            return
        name = _OWN_SIDE[pair.codec.name]
        for record, row in reversed(around):
            known = _said(record, row, name)
            if known is not None:
                holder, key = places[pair.side.scope]
                put(holder, key, pair.side.segments, known)
                return

    def _list(
        self,
        branch: Branch,
        parts: Any,
        places: list[tuple[Any, Any]],
        document: Any,
        around: tuple[Any, ...],
    ) -> None:
        if parts is ABSENT or parts is None:
            return
        try:
            found = walk.seek(_scopes(places, document), branch.ref)
            old = walk.items(found) or []
        except ValueError as error:
            raise MappingError.of(walk.list_misfit(branch, self.spec, str(error))) from None
        new = self._aligned(branch, old, parts, _scopes(places, document))
        for at, part in enumerate(parts):
            self._level(branch.level, part, [*places, (new, at)], document, around)
        if type(found) is list:
            found[:] = new
        else:
            holder, key = places[branch.ref.scope]
            put(holder, key, branch.ref.segments, new)

    def _aligned(
        self, branch: Branch, old: list[Any], parts: list[Row], scopes: Scopes
    ) -> list[Any]:
        """Give every part its native element: by key where one is mapped, else by position."""
        if not branch.align:
            spare = old[: len(parts)]
            return spare + [_fresh(branch.level) for _ in parts[len(spare) :]]
        waiting: dict[Any, list[Any]] = {}
        for element in old:
            waiting.setdefault(self._name(branch, element, scopes), []).append(element)
        out = []
        for part in parts:
            name = tuple(walk.value_at(part, pair.slot) for pair in branch.align)
            known = waiting.get(name)
            out.append(known.pop(0) if known else _fresh(branch.level))
        return out

    def _name(self, branch: Branch, element: Any, scopes: Scopes) -> tuple[Any, ...] | None:
        inner = [*scopes[:-1], element, scopes[ROOT]]
        try:
            return tuple(
                walk.decode(pair, pair.codec, walk.seek(inner, pair.ref), inner)
                for pair in branch.align
                if pair.codec is not None and pair.ref is not None
            )
        except Exception:  # an element whose key cannot be read belongs to no part
            return None


def _scopes(places: list[tuple[Any, Any]], document: Any) -> Scopes:
    return [*(holder[key] for holder, key in places), document]


def _sides_first(level: Level) -> list[Pair]:
    """Put pairs whose native place is another pair's option (a currency) in front."""
    sides = {(pair.side.scope, pair.side.segments) for pair in level.pairs if pair.side is not None}
    for branch in level.branches:
        sides |= {
            (pair.side.scope, pair.side.segments)
            for pair in walk.pairs_below(branch.level)
            if pair.side is not None
        }
    return sorted(
        level.pairs,
        key=lambda pair: pair.ref is None or (pair.ref.scope, pair.ref.segments) not in sides,
    )


def _said(record: type[Record], row: Row, name: str) -> Any:
    """Return what a record or one of its single objects says in a field; None if nothing does."""
    for field, value in zip(shape(record).fields, row, strict=True):
        if field.name == name and value is not ABSENT:
            return value
        if field.kind == "record" and field.part is not None and isinstance(value, tuple):
            inside = _said(field.part, value, name)
            if inside is not None:
                return inside
    return None


def _fresh(level: Level) -> Any:
    """Return a new native element: an object, or null where elements are plain words."""
    whole = any(
        pair.ref is not None and pair.ref.scope == level.depth and not pair.ref.segments
        for pair in level.pairs
        if pair.writes
    )
    return None if whole else {}


def put(holder: Any, key: Any, segments: tuple[Segment, ...], value: Any) -> None:
    """Write `value` at a path below `holder[key]`, making objects and chosen elements on the way."""
    for segment in segments:
        node = holder[key] if isinstance(holder, list) else holder.get(key)
        if isinstance(segment, Where):
            if node is None:
                node = holder[key] = []
            if type(node) is not list:
                raise ValueError(f"expected a list to choose from, found {word(node)}")
            at = walk.position(node, segment.key, segment.value)
            if at is None:
                node.append({segment.key: int(segment.value) if segment.integer else segment.value})
                at = len(node) - 1
            holder, key = node, at
        elif segment is not EACH:
            if node is None:
                node = holder[key] = {}
            if type(node) is not dict:
                raise ValueError(f"expected an object around {segment!r}, found {word(node)}")
            holder, key = node, segment
    holder[key] = value


def key_values(record: type[Record], row: Row) -> tuple[Any, ...]:
    """Return what names a record: its key fields, dotted names followed."""
    out = []
    for name in record.key:
        value: Any = row
        inside: type[Record] | None = record
        for step in name.split("."):
            field = shape(inside).get(step) if inside is not None else None
            if field is None or value in (ABSENT, None):
                value = ABSENT
                break
            value, inside = value[field.index], field.part
        out.append(value)
    return tuple(out)

"""The mapping step by step: what the compiled form must equal, and what explains its failures.

Reading here is slow and says exactly which pair failed. Writing happens only here: pushes are
few beside pulls, and each must leave alone what it does not own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.errors import MappingError, Misfit
from hub.mapping.codec import Codec
from hub.mapping.faults import Faults, Position
from hub.mapping.paths import EACH, Segment, Where
from hub.mapping.rows import Row
from hub.mapping.shape import settle, shape, word
from hub.mapping.spec import ROOT, Branch, Level, Pair, Ref, Spec
from hub.records.base import ABSENT, Record

MAX_SHOWN = 60

Scopes = list[Any]
"""The native objects around a pair: [item, element, …], and the document at the end ([-1])."""


def get(value: Any, segments: tuple[Segment, ...]) -> Any:
    """Follow names and choices. A missing step is absent, a null step null, a wrong one an error."""
    for segment in segments:
        if value is None or value is ABSENT:
            return value
        if isinstance(segment, Where):
            value = choose(value, segment.key, segment.value)
        elif type(value) is dict:
            value = value.get(segment, ABSENT)
        else:
            raise ValueError(f"expected an object around {segment!r}, found {word(value)}")
    return value


def choose(value: Any, key: str, wanted: str) -> Any:
    """Return the element of a list whose `key` is `wanted`, as text; absent if there is none."""
    if value is None or value is ABSENT:
        return value
    if type(value) is not list:
        raise ValueError(f"expected a list to choose from, found {word(value)}")
    at = position(value, key, wanted)
    return ABSENT if at is None else value[at]


def position(items: list[Any], key: str, wanted: str) -> int | None:
    """Return where in a list the element stands."""
    for at, item in enumerate(items):
        if type(item) is dict:
            found = item.get(key)
            if found == wanted or (type(found) is int and str(found) == wanted):
                return at
    return None


def items(value: Any) -> list[Any] | None:
    """Return the elements of a native list; None if it is absent or null (both read as absent)."""
    if value is None or value is ABSENT:
        return None
    if type(value) is not list:
        raise ValueError(f"expected a list, found {word(value)}")
    return value


def no_list(value: Any) -> Any:
    """Say what a native list that is none reads as: absent, for absent and for null."""
    items(value)
    return ABSENT


def hollow(value: Any) -> Any:
    """Say what stands inside a falsy native value: null for null, nothing for nothing and for {}."""
    if value is None or value is ABSENT:
        return value
    if type(value) is dict:
        return ABSENT
    raise ValueError(f"expected an object, found {word(value)}")


def seek(scopes: Scopes, ref: Ref) -> Any:
    """Read a native place."""
    return get(scopes[ref.scope], ref.segments)


def records(spec: Spec, document: Any) -> list[Any]:
    """Return the items of a document that are records: the document, or the elements of `each`."""
    if spec.each is None:
        return [document]
    found = [document]
    steps = list(spec.each.segments)
    while steps:
        stop = steps.index(EACH)
        way, steps = tuple(steps[:stop]), steps[stop + 1 :]
        found = [item for value in found for item in (items(get(value, way)) or ())]
    return found


def decode(pair: Pair, codec: Codec, value: Any, scopes: Scopes) -> Any:
    """Read one native value as the row holds it."""
    if value == "" and pair.blank and type(value) is str:
        value = ABSENT if pair.blank == "absent" else None
    if value is None and pair.null_absent:
        value = ABSENT
    if not codec.dynamic or pair.side is None:
        return settle(pair.field, value, codec.read)
    side = seek(scopes, pair.side)
    return settle(pair.field, value, lambda known: codec.read(known, side))


def read(level: Level, scopes: Scopes, spec: Spec) -> Row:
    """Read one record. Raises `MappingError` with every pair that does not fit."""
    faults = Faults(spec)
    row = gather(level, scopes, faults, (0,))
    faults.settle()
    return row


def gather(level: Level, scopes: Scopes, faults: Faults, at: Position) -> Row:
    """Read one record; a pair that does not fit goes to `faults`, and the row lacks its value."""
    row = _blank(level.record)
    for pair in level.pairs:
        if pair.reads:
            _set(row, pair.slot, _gather_pair(pair, scopes, faults, at))
    for branch in level.branches:
        _set(row, branch.slot, _gather_list(branch, scopes, faults, at))
    return _freeze(level.record, row)


def _gather_pair(pair: Pair, scopes: Scopes, faults: Faults, at: Position) -> Any:
    try:
        return read_pair(pair, scopes, faults.spec)
    except MappingError as error:
        faults.add(error.causes[0], at[: _depth(pair) + 1])
        return ABSENT


def _depth(pair: Pair) -> int:
    """Return the innermost scope a pair reads: what it reads further out is at fault only once."""
    return max(ref.scope for ref in (pair.ref, pair.side) if ref is not None)


def _gather_list(branch: Branch, scopes: Scopes, faults: Faults, at: Position) -> Any:
    try:
        found = items(seek(scopes, branch.ref))
    except ValueError as error:
        faults.add(list_misfit(branch, faults.spec, str(error)), at[: branch.ref.scope + 1])
        return ABSENT
    if found is None:
        return ABSENT
    out = []
    for number, element in enumerate(found):
        why = unfit(branch, number, element)
        if why:
            faults.add(list_misfit(branch, faults.spec, why), at)
        else:
            inner = [*scopes[:-1], element, scopes[ROOT]]
            out.append(gather(branch.level, inner, faults, (*at, number)))
    return out


def read_pair(pair: Pair, scopes: Scopes, spec: Spec) -> Any:
    """Read one pair, or raise the `MappingError` that names it."""
    if pair.codec is None or pair.ref is None:
        return pair.const
    value: Any = ABSENT
    try:
        value = seek(scopes, pair.ref)
        return decode(pair, pair.codec, value, scopes)
    except Exception as error:
        raise MappingError.of(misfit(pair, spec, error, value)) from None


def unfit(branch: Branch, number: int, element: Any) -> str:
    """Say why nothing can be read inside an element of a list; "" if something can."""
    if type(element) is dict or not _inside(branch.level):
        return ""
    return f"element {number} is {word(element)}, expected an object"


def _inside(level: Level) -> bool:
    """Whether any pair looks inside an element (a list of plain words has none that does)."""
    depth = level.depth
    refs = [ref for pair in level.pairs for ref in (pair.ref, pair.side) if ref is not None]
    refs += [branch.ref for branch in level.branches]
    return any(ref.scope == depth and ref.segments for ref in refs)


def misfit(pair: Pair, spec: Spec, error: Exception, value: Any) -> Misfit:
    """Say what is wrong with a pair. No personal value gets into it, whoever wrote the sentence."""
    why = str(error) if isinstance(error, ValueError) and str(error) else type(error).__name__
    if pair.field.personal and isinstance(value, str) and value and value in why:
        why = "the value does not fit"
    return Misfit(
        why, spec.label, pair.line, pair.canonical, pair.native or "const",
        shown(value, masked=pair.field.personal),
    )  # fmt: skip


def list_misfit(branch: Branch, spec: Spec, why: str) -> Misfit:
    """Say what is wrong with a whole list."""
    return Misfit(why, spec.label, branch.line, branch.canonical, branch.native, "not shown")


def shown(value: Any, *, masked: bool) -> str:
    """Show a value shortly; personal text only by its length, objects only by their size."""
    if isinstance(value, dict):
        return f"object with {len(value)} keys"
    if isinstance(value, list | tuple):
        return f"list of {len(value)}"
    if value is ABSENT:
        return "absent"
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    text = value if isinstance(value, str) else repr(value)
    if masked:
        return f"text of {len(text)} characters"
    return repr(value) if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]!r}…"


def _blank(record: type[Record]) -> list[Any]:
    return [
        _blank(field.part) if field.kind == "record" and field.part else ABSENT
        for field in shape(record).fields
    ]


def _set(row: list[Any], slot: tuple[int, ...], value: Any) -> None:
    for index in slot[:-1]:
        row = row[index]
    row[slot[-1]] = value


def _freeze(record: type[Record], row: list[Any]) -> Row:
    return tuple(
        _freeze(field.part, value)
        if field.kind == "record" and field.part and isinstance(value, list)
        else value
        for field, value in zip(shape(record).fields, row, strict=True)
    )


def value_at(row: Row, slot: tuple[int, ...]) -> Any:
    """Return what a row holds at a slot; absent if an object on the way is."""
    value: Any = row
    for index in slot:
        if value is ABSENT or value is None:
            return ABSENT
        value = value[index]
    return value


def pairs_below(level: Level) -> Iterator[Pair]:
    """Yield the pairs of a level and of every list below it."""
    yield from level.pairs
    for branch in level.branches:
        yield from pairs_below(branch.level)

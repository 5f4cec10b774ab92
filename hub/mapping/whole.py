"""What only the whole file shows: required fields, places written twice, scales, list keys."""

from __future__ import annotations

from collections.abc import Iterator

from hub.mapping import paths
from hub.mapping.bind import Binder
from hub.mapping.paths import Segment
from hub.mapping.shape import shape
from hub.mapping.spec import Level, Pair
from hub.records.base import Record


def finish(binder: Binder) -> None:
    """Check what only the whole file shows: required fields, shared natives, scales, order."""
    _required(binder, binder.top)
    _shared(binder)
    for level in _levels(binder):
        _scales(binder, level)
        level.pairs.sort(key=lambda pair: pair.line)
        for branch in level.branches:
            branch.align = _align(branch.level)


def _levels(binder: Binder) -> Iterator[Level]:
    waiting = [binder.top]
    while waiting:
        level = waiting.pop(0)
        yield level
        waiting.extend(branch.level for branch in level.branches)


def _required(binder: Binder, top: Level) -> None:
    for level in [top, *[branch.level for branch in binder.branches.values()]]:
        prefix = next((f"{b.canonical}." for b in binder.branches.values() if b.level is level), "")
        mapped = {pair.slot for pair in level.pairs if pair.reads}
        for slot, name in _needed(level.record, (), ""):
            covered = any(slot[: len(done)] == done for done in mapped)
            asked = f"{prefix}{name}" in (binder.text.value or {}).get("pairs", {})
            if not covered and not asked:
                line = next((b.line for b in binder.branches.values() if b.level is level), 0)
                keys = ("pairs", f"{prefix}{name}")
                why = f"{level.record.__name__} cannot be without it: map it, or give it a const"
                binder.text.wrong(line or binder.text.line(("pairs",)), keys, why)


def _shared(binder: Binder) -> None:
    """Two writers of one native place would undo each other."""
    writers: list[tuple[tuple[Segment, ...], str]] = []
    for pair in (pair for level in _levels(binder) for pair in level.pairs if pair.writes):
        mine = binder.absolute(binder.typed(paths.parse(pair.native)))
        for theirs, other in writers:
            short = min(len(mine), len(theirs))
            if mine[:short] == theirs[:short]:
                why = f"{pair.native} is also written by {other}: make one of them `way: in`"
                binder.wrong((pair.canonical, "native"), why, ("way: in",))
                break
        writers.append((mine, pair.canonical))
    _shared_lists(binder)


def _shared_lists(binder: Binder) -> None:
    owners: dict[tuple[Segment, ...], str] = {}
    for prefix, branch in binder.branches.items():
        native = binder.natives[prefix]
        if branch.level.writes and owners.setdefault(native, branch.canonical) != branch.canonical:
            why = f"{branch.native} is also written by {owners[native]}: make one side `way: in`"
            binder.text.wrong(branch.line, ("pairs", branch.canonical), why)


def _scales(binder: Binder, level: Level) -> None:
    """Steps at a scale other than 0 need the record to say so, or 1.5 kg becomes 1500 pieces."""
    said = {pair.field.name for pair in level.pairs if pair.reads}
    if shape(level.record).get("quantity_scale") is None or "quantity_scale" in said:
        return
    for pair in level.pairs:
        codec = pair.codec
        own = len(pair.slot) == 1 and pair.field.name != "tax_rate_bp"
        if own and codec is not None and codec.name == "steps" and codec.places:
            why = f"steps at scale {codec.places}, and quantity_scale is not mapped beside it"
            binder.wrong((pair.canonical, "scale"), why)


def _needed(
    record: type[Record], slot: tuple[int, ...], prefix: str
) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield the slot and the name of every field a row cannot be without."""
    for field in shape(record).fields:
        if not field.required or not field.open:
            continue
        here = (*slot, field.index)
        if field.kind == "record" and field.part is not None:
            yield from _needed(field.part, here, f"{prefix}{field.name}.")
        else:
            yield here, f"{prefix}{field.name}"


def _align(level: Level) -> list[Pair]:
    """Return the pairs that carry the part's key; of a part without key, its first object's."""
    by_slot = {pair.slot: pair for pair in level.pairs if pair.reads and pair.codec is not None}
    for slots in _key_slots(level.record, ()):
        found = [by_slot.get(slot) for slot in slots]
        if found and all(found):
            return [pair for pair in found if pair is not None]
    return []


def _key_slots(
    record: type[Record], slot: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], ...]]:
    known = shape(record)
    own = [known.get(name) for name in record.key]
    if own and all(own):
        yield tuple((*slot, field.index) for field in own if field is not None)
    for field in known.fields:
        if field.kind == "record" and field.part is not None and not slot:
            yield from _key_slots(field.part, (field.index,))

"""The laws of a mapping, as functions that raise `LawBroken` with the place that breaks them.

GetPut: writing what was read changes nothing. PutGet: what was written is what is read. Agreement:
the compiled function equals the slow reading, and rows equal the records pydantic builds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.errors import MappingError
from hub.mapping import walk
from hub.mapping.engine import Mapping
from hub.mapping.rows import Row
from hub.mapping.spec import Level
from hub.records.base import ABSENT
from hub.sdk.contract import Document


class LawBroken(AssertionError):  # noqa: N818 - reads as what happened
    """A mapping does not hold one of its laws; the sentence names the law and the place."""


def agreement(mapping: Mapping, document: Document) -> list[Row]:
    """Compiled rows equal slow rows, and a row survives the way over a record."""
    rows = mapping.to_canonical(document)
    if rows != mapping.read_slowly(document):
        raise LawBroken("agreement: the compiled function and the slow reading differ")
    for row in rows:
        record = mapping.to_record(row)
        if mapping.to_row(record) != row:
            raise LawBroken("agreement: to_row(to_record(row)) is not the row")
    return rows


def get_put(mapping: Mapping, document: Document) -> None:
    """Writing a document's own records onto it changes nothing."""
    for row in mapping.to_canonical(document):
        written = mapping.to_native(row, onto=document)
        if written != document or not same_types(written, document):
            raise LawBroken(f"GetPut: {difference(document, written)}")


def can_put(mapping: Mapping) -> bool:
    """Whether any row can be found again: a record inside a list is found by its key."""
    if mapping.spec.each is None:
        return True
    names = {pair.canonical for pair in mapping.spec.top.pairs if pair.way == "both"}
    return set(mapping.record.key) <= names


def put_get(mapping: Mapping, row: Row, onto: Document) -> None:
    """What is written onto a document is read from it: every two-way field that is not absent.

    Read back by the two-way pairs alone: what only comes in is the channel's to fill.
    """
    written = mapping.to_native(row, onto=onto)
    top = _two_way(mapping.spec.top)
    rows = [
        walk.read(top, [item, written], mapping.spec)
        for item in walk.records(mapping.spec, written)
    ]
    if mapping.spec.each is not None:
        wanted = mapping.identity(row)
        rows = [other for other in rows if mapping.identity(other) == wanted]
    if not rows:
        raise LawBroken("PutGet: the written record is not found again")
    _compare(top, row, rows[0], "")


def fresh(mapping: Mapping, document: Document) -> None:
    """PutGet onto nothing: what a document says can be written anew and is read the same.

    This is where a connector's own two-way transform is proved, for `get_put` leaves alone what
    already reads the same. A word that only `default` reads has no way back and proves nothing.
    """
    if mapping.spec.each is not None:
        return
    default = {p.canonical for p in mapping.spec.pairs() if p.codec and p.codec.inline == "table"}
    for row in mapping.to_canonical(document):
        try:
            put_get(mapping, row, {})
        except MappingError as error:
            if not only_in(error, default):
                raise


def only_in(error: MappingError, fields: set[str]) -> bool:
    """Whether nothing but these canonical paths is at fault."""
    return not error.unnamed and fields.issuperset(cause.canonical for cause in error.causes)


def _two_way(level: Level) -> Level:
    branches = [replace(branch, level=_two_way(branch.level)) for branch in level.branches]
    return replace(
        level,
        pairs=[pair for pair in level.pairs if pair.way == "both"],
        branches=[branch for branch in branches if branch.level.pairs or branch.level.branches],
    )


def _compare(level: Level, wanted: Row, found: Row, prefix: str) -> None:
    for pair in level.pairs:
        value = walk.value_at(wanted, pair.slot)
        if value is ABSENT or (value is None and pair.null_absent):
            continue
        if walk.value_at(found, pair.slot) != value:
            raise LawBroken(f"PutGet: {prefix}{pair.canonical} is not read as it was written")
    for branch in level.branches:
        parts = walk.value_at(wanted, branch.slot)
        if parts is ABSENT:
            continue
        there = walk.value_at(found, branch.slot)
        if there is ABSENT or len(there) != len(parts):
            raise LawBroken(f"PutGet: {prefix}{branch.canonical} has another length")
        for at, (part, other) in enumerate(zip(parts, there, strict=True)):
            _compare(branch.level, part, other, f"[{at}] ")


def same_types(one: Any, other: Any) -> bool:
    """Tell 1 from 1.0 and True, which `==` does not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return all(same_types(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return all(same_types(a, b) for a, b in zip(one, other, strict=True))
    return True


def difference(before: Any, after: Any, path: str = "") -> str:
    """Name the first place where two documents differ, without showing values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            if key not in before or key not in after:
                return f"{path}.{key} is only in one of both".lstrip(".")
            if before[key] != after[key] or not same_types(before[key], after[key]):
                return difference(before[key], after[key], f"{path}.{key}")
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            if one != other or not same_types(one, other):
                return difference(one, other, f"{path}[{at}]")
    return f"{path or '.'} changed".lstrip(".")

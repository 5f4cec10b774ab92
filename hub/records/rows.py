"""New rows: what a mapped row becomes before it is stored.

A *thawed* row is a list in the order of the record's fields, parts being lists of thawed rows,
with one place more at its end: the row's id (`row[ID]`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hub.records.base import ABSENT, Record
from hub.records.shape import shape

Row = list[Any]
ID = -1
"""The place of a thawed row's id."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What stands for *absent* at every place, and where lists of parts and single parts are."""

    defaults: tuple[Any, ...]
    lists: tuple[tuple[int, type[Record]], ...]
    singles: tuple[tuple[int, type[Record]], ...]


@cache
def _plan(record: type[Record]) -> _Plan:
    form = shape(record)
    defaults: list[Any] = [()] * form.width
    for column in form.columns:
        defaults[column.position] = column.default
    return _Plan(
        tuple(defaults),
        tuple((part.position, part.record) for part in form.parts if part.many),
        tuple((part.position, part.record) for part in form.parts if not part.many),
    )


def defaults(record: type[Record]) -> tuple[Any, ...]:
    """Return what stands for *absent* at every place of a new row: `()` for parts."""
    return _plan(record).defaults


def thaw(record: type[Record], row: Sequence[Any], row_id: str = "") -> Row:
    """Turn a mapped row into a thawed one: absent fields take their default, parts thaw too."""
    plan = _plan(record)
    out = [d if v is ABSENT else v for v, d in zip(row, plan.defaults, strict=True)]
    for place, part in plan.lists:
        out[place] = thaw_all(part, out[place])
    for place, part in plan.singles:
        out[place] = thaw(part, out[place] or defaults(part))
    out.append(row_id)
    return out


def thaw_all(part: type[Record], rows: Sequence[Sequence[Any]] | None) -> list[Row]:
    """Turn a list of mapped parts into thawed ones; absent and null are no parts."""
    return [thaw(part, row) for row in rows or ()]

"""Rows: a record as a plain tuple in the order of its fields, and the names of the places in it.

The record path works on rows (a class per record would cost more than the database). A shape
tells where each field stands, which of them are columns, which are sealed, and which hold parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from hub.records.base import Json, Link, Pii, Record


@dataclass(frozen=True, slots=True)
class Part:
    """A field that holds other records: one (`many` false) or a list of them."""

    name: str
    position: int
    record: type[Record]
    many: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A field that is a value. `default` stands for *absent* when the row is new."""

    name: str
    position: int
    python: type
    optional: bool
    default: Any
    required: bool
    is_json: bool = False
    pii: Pii | None = None
    link: str | None = None
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """Where everything stands in a row of one record class."""

    record: type[Record]
    columns: tuple[Column, ...]
    parts: tuple[Part, ...]

    @property
    def width(self) -> int:
        """How many places a row has."""
        return len(self.columns) + len(self.parts)


def _part(name: str, position: int, annotation: Any) -> Part | None:
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return Part(name, position, annotation, many=False)
    args = get_args(annotation)
    inside = args[0] if get_origin(annotation) is tuple else None
    if isinstance(inside, type) and issubclass(inside, Record):
        return Part(name, position, inside, many=True)
    return None


def _python(annotation: Any) -> tuple[type, bool]:
    """Return the plain type behind an annotation, and whether None is allowed."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        inner = [a for a in args if a is not type(None)]
        return _python(inner[0])[0], len(inner) < len(args)
    if hasattr(annotation, "__metadata__"):
        return _python(annotation.__origin__)
    if origin is not None:
        plain = type(args[0]) if str(origin) == "typing.Literal" else origin
        return plain, False
    return annotation, False


def _marks(field: FieldInfo) -> dict[type, Any]:
    return {type(mark): mark for mark in field.metadata}


def _column(name: str, position: int, field: FieldInfo) -> Column:
    python, optional = _python(field.annotation)
    marks = _marks(field)
    extra = field.json_schema_extra
    return Column(
        name=name,
        position=position,
        python=python,
        optional=optional,
        default=None if field.is_required() else field.default,
        required=field.is_required(),
        is_json=Json in marks,
        pii=marks.get(Pii),
        link=marks[Link].table if Link in marks else None,
        derived=isinstance(extra, dict) and bool(extra.get("derived")),
    )


@cache
def shape(record: type[Record]) -> Shape:
    """Return the shape of a record class."""
    columns, parts = [], []
    for position, (name, field) in enumerate(record.model_fields.items()):
        part = _part(name, position, field.annotation)
        if part is not None:
            parts.append(part)
        else:
            columns.append(_column(name, position, field))
    return Shape(record, tuple(columns), tuple(parts))


@cache
def places(record: type[Record]) -> Any:
    """Return a namespace that names the places of a row: `row[places(OrderLine).quantity]`."""
    return SimpleNamespace(**{name: i for i, name in enumerate(record.model_fields)})

"""Rows and records: the same values as a plain tuple and as a validated pydantic object.

A row holds the fields in the order of the record's `model_fields`; a nested record is a tuple,
a nested list a list of tuples, an absent field `ABSENT`, an instant its sortable text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.mapping.shape import Field, instant_text, shape
from hub.records.base import ABSENT, Record

Row = tuple[Any, ...]


def to_record(record: type[Record], row: Row) -> Record:
    """Build the validated object of a row; absent fields take their defaults."""
    return record.model_validate(_plain(record, row))


def _plain(record: type[Record], row: Row) -> dict[str, Any]:
    return {
        field.name: _object_value(field, value)
        for field, value in zip(shape(record).fields, row, strict=True)
        if value is not ABSENT
    }


def _object_value(field: Field, value: Any) -> Any:
    if value is None or field.part is None:
        return value
    if field.kind == "list":
        return [_plain(field.part, part) for part in value]
    return _plain(field.part, value)


def to_row(record: Record) -> Row:
    """Write a record as a row. Fields nobody set are absent, so their defaults are not repeated."""
    given = record.model_fields_set
    return tuple(
        _row_value(field, getattr(record, field.name)) if field.name in given else ABSENT
        for field in shape(type(record)).fields
    )


def _row_value(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.kind == "instant":
        return instant_text(value)
    if field.kind == "list":
        return [to_row(part) for part in value]
    if field.kind == "record":
        return to_row(value)
    return value


def named(field: Field, value: Any, *, hide: Callable[[Any], Any] | None = None) -> Any:
    """Show the value of a field to people and transforms: rows as dicts keyed by field names.

    Absent fields are left out; `hide` is applied to personal values.
    """
    if field.pii and hide is not None:
        return hide(value)
    if field.part is None or value is None or value is ABSENT:
        return value
    if field.kind == "list":
        return [_dict(field, row, hide) for row in value]
    return _dict(field, value, hide)


def _dict(field: Field, row: Row, hide: Callable[[Any], Any] | None) -> dict[str, Any]:
    assert field.part is not None  # noqa: S101 - only called for parts
    return {
        inner.name: None if value is None else named(inner, value, hide=hide)
        for inner, value in zip(shape(field.part).fields, row, strict=True)
        if value is not ABSENT
    }

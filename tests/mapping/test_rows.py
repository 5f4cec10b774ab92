"""Rows and the records pydantic builds agree, for every kind and every field."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hub.mapping.rows import to_record, to_row
from hub.mapping.sample_values import json_of, times, words
from hub.mapping.shape import Field, instant_text, shape
from hub.records import ABSENT, KINDS
from hub.records.base import Record

ODD = st.one_of(
    st.integers(), st.sampled_from([-1, 0, 2**63 - 1, 2**63, 5]), st.floats(), st.booleans(), words,
    st.sampled_from(["CNY", "CNY\n", "sale", "refunded", "goods", "\ud800", "１２"]),
    st.lists(st.integers(), max_size=2), st.dictionaries(words, words | st.integers(), max_size=2),
)  # fmt: skip


def classes(record: type[Record]) -> set[type[Record]]:
    found = {record}
    for field in shape(record).fields:
        if field.part is not None:
            found |= classes(field.part)
    return found


ALL = sorted(
    {one for record in KINDS.values() for one in classes(record)}, key=lambda c: c.__name__
)


def value(field: Field) -> st.SearchStrategy[Any]:
    made: dict[str, st.SearchStrategy[Any]] = {
        "text": st.just("CNY") if field.pattern else words,
        "int": st.integers(field.low, field.high),
        "bool": st.booleans(),
        "instant": times.map(instant_text),
    }
    if field.kind == "enum":
        found = st.sampled_from(field.choices)
    elif field.kind == "json":
        found = json_of(field.hint)
    elif field.part is not None:
        found = rows(field.part)
        found = st.lists(found, max_size=2) if field.kind == "list" else found
    else:
        found = made[field.kind]
    if field.nullable:
        found = found | st.none()
    return found if field.required else found | st.just(ABSENT)


def rows(record: type[Record]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(*[value(field) for field in shape(record).fields])


@pytest.mark.parametrize("record", KINDS.values(), ids=KINDS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_row_survives_the_way_over_its_record(record, data):
    row = data.draw(made(record))

    built = to_record(record, row)

    assert to_row(built) == row
    assert to_record(record, to_row(built)) == built


_rows: dict[type[Record], st.SearchStrategy[tuple[Any, ...]]] = {}


def made(record: type[Record]) -> st.SearchStrategy[tuple[Any, ...]]:
    return _rows.setdefault(record, rows(record))


@pytest.mark.parametrize("record", ALL, ids=lambda record: record.__name__)
@settings(deadline=None, max_examples=40)
@given(odd=ODD)
def test_what_a_field_accepts_pydantic_accepts_too(record, odd):
    for field in shape(record).fields:
        if field.part is not None or field.kind == "instant":
            continue
        try:
            fitted = field.fit(odd)
        except ValueError:
            continue
        info = record.model_fields[field.name]
        marked = hint_of(info)
        assert TypeAdapter(marked).validate_python(fitted) == fitted


def hint_of(info: Any) -> Any:
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def test_no_record_field_is_of_a_kind_a_row_cannot_hold():
    kinds = {field.kind for record in ALL for field in shape(record).fields}

    assert kinds == {"text", "int", "bool", "enum", "instant", "json", "record", "list"}

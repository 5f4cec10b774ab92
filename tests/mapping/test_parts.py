"""Rows of a transform's dicts: the function made for a form agrees with the reading name by name."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import MappingError
from hub.mapping import load
from hub.mapping.parts import MOST_FORMS
from hub.mapping.shape import _plan, quick_reader, row_of_parts, settle, shape
from hub.records import ABSENT, KINDS
from hub.records.base import Record
from hub.sdk.hooks import Transform
from tests.mapping.conftest import ORDER
from tests.mapping.test_rows import ALL, ODD, value


def outcome(record: type[Record], part: dict[str, Any]) -> Any:
    try:
        return row_of_parts(record, part)
    except ValueError as error:
        return str(error)


def plain(record: type[Record]) -> list[Any]:
    return [f for f in shape(record).fields if f.open and f.kind not in ("list", "record")]


PARTS = [record for record in ALL if record not in KINDS.values() and plain(record)]


@pytest.mark.parametrize("record", PARTS, ids=lambda record: record.__name__)
@given(data=st.data())
def test_a_known_form_reads_as_an_unknown_one(record, data):
    needed = [field for field in plain(record) if field.required]
    chosen = data.draw(st.lists(st.sampled_from(plain(record)), unique_by=lambda f: f.name))
    fields = data.draw(st.permutations([*needed, *(f for f in chosen if not f.required)]))
    good = {field.name: data.draw(value(field)) for field in fields}
    odd = {field.name: data.draw(st.none() | ODD | value(field)) for field in fields}
    _plan(record).forms.clear()
    unknown = outcome(record, odd)

    _plan(record).forms.clear()
    outcome(record, good)

    assert tuple(good) in _plan(record).forms or not good
    assert outcome(record, odd) == unknown


def test_only_so_many_forms_are_kept_and_the_rest_reads_the_slow_way():
    package = next(record for record in PARTS if record.__name__ == "Package")
    _plan(package).forms.clear()
    names = ("carrier_code", "tracking_no", "shipped_at", "delivered_at")
    for turn in range(MOST_FORMS + 8):
        keys = [name for at, name in enumerate(names) if turn >> at & 1]
        part = {"external_id": "P1"} | dict.fromkeys(keys if turn & 16 else reversed(keys))
        part = part if turn & 32 else dict(reversed(part.items()))
        row = row_of_parts(package, part)
        at = {field.name: field.index for field in shape(package).fields}
        assert row[at["external_id"]] == "P1"
        assert all((row[at[name]] is None) == (name in keys) for name in names)
    assert 0 < len(_plan(package).forms) <= MOST_FORMS


@pytest.mark.parametrize(
    "odd", [[1], {"a": "\x00"}, {"a\x00": "b"}, {1: "b"}, {"a": {"b": 1}}, {"a": 1.5}]
)
def test_words_take_the_quick_way_only_when_flat(odd):
    field = shape(KINDS["order"]).get("raw_states")
    assert field is not None
    read = quick_reader(field, lambda found: settle(field, found, field.fit))
    words = {"financial": "PAID", "return": None, "edited": True}

    assert read(words) is words
    try:
        wanted = settle(field, odd, field.fit)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            read(odd)
    else:
        assert read(odd) == wanted


def test_a_part_may_be_any_mapping_and_absent_stays_absent():
    allocation = next(record for record in PARTS if record.__name__ == "AdjustmentAllocation")
    row = row_of_parts(allocation, {"amount": 5, "external_line_id": ABSENT})

    assert row == row_of_parts(allocation, {"amount": 5})
    assert row == row_of_parts(allocation, {"amount": 5, "external_line_id": ABSENT})


def test_a_transform_is_not_asked_about_null_where_the_record_must_have_a_value(file):
    known = {"acme_state": Transform(lambda value: "pending")}
    text = ORDER.replace("{native: state, as: enum, table: {new: pending, done: completed}}",
                         "{native: state, as: acme_state, way: in}").replace(
        "external_order_id: {native: id, as: text}", "external_order_id: {native: number, as: acme_no, way: in}"
    )  # fmt: skip
    mapping = load(file(text), transforms=known | {"acme_no": Transform(lambda value: "7")})
    document = {
        "id": "7",
        "number": "7",
        "state": "new",
        "total": "45.0",
        "at": "2026-10-05T08:00:00Z",
    }

    assert mapping.to_canonical(document) == mapping.read_slowly(document)
    for missing in (
        {**document, "number": None},
        {k: v for k, v in document.items() if k != "number"},
    ):
        with pytest.raises(MappingError):
            mapping.read_slowly(missing)
        with pytest.raises(MappingError):
            mapping.to_canonical(missing)

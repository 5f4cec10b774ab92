"""Two readings of one record class agree: what a mapping may fill, and what the database keeps."""

from __future__ import annotations

import pytest

from hub.mapping.shape import shape
from hub.records.base import Record
from hub.records.shape import shape as kept_shape
from tests.mapping.test_rows import ALL


@pytest.mark.parametrize("record", ALL, ids=lambda record: record.__name__)
def test_a_field_is_to_its_mapping_what_it_is_to_its_table(record: type[Record]) -> None:
    kept = kept_shape(record)

    mine = shape(record).fields

    columns = {
        column.position: (
            column.name, column.pii is not None, column.is_json, column.optional, column.required,
            not column.derived and column.link is None,
        )
        for column in kept.columns
    }  # fmt: skip
    assert columns == {
        field.index: (
            field.name, field.pii, field.kind == "json", field.nullable, field.required, field.open,
        )
        for field in mine
        if field.part is None
    }  # fmt: skip
    assert {part.position: (part.name, part.record, part.many) for part in kept.parts} == {
        field.index: (field.name, field.part, field.kind == "list")
        for field in mine
        if field.part is not None
    }

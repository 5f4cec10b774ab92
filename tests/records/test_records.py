"""Records are frozen, say nothing of what they hold, and agree with the rows of the record path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from hub import records
from hub.mapping import rows
from hub.records import ABSENT, KINDS, ChannelOrder, Member, Record
from hub.records.shape import places, shape
from tests.records.orders import mapped

CLASSES = sorted(
    {
        c
        for c in vars(records).values()
        if isinstance(c, type) and issubclass(c, Record) and c is not Record
    },
    key=lambda c: c.__name__,
)
CANARY = "canary-Zhang-Wei-13712345678"


@settings(max_examples=40)
@given(mapped())
def test_a_row_and_its_record_say_the_same(row: tuple[Any, ...]) -> None:
    record = rows.to_record(ChannelOrder, row)

    assert rows.to_row(record) == row


def test_a_record_shows_no_value_and_cannot_be_changed() -> None:
    member = Member(display_name=CANARY, primary_phone=CANARY)

    assert CANARY not in f"{member!r}{member!s}{member}"
    with pytest.raises(ValidationError):
        member.display_name = "other"  # type: ignore[misc] # frozen, as the test says
    with pytest.raises(ValidationError) as refused:
        Member(state=CANARY)
    assert CANARY not in str(refused.value)
    with pytest.raises(ValidationError, match="Extra inputs"):
        Member(nick="x")  # type: ignore[call-arg] # unknown, as the test says


def test_absent_is_not_null_not_empty_and_not_zero() -> None:
    assert ABSENT is not None
    assert ABSENT not in (None, "", 0, False)
    assert not ABSENT
    assert repr(ABSENT) == "ABSENT"


@pytest.mark.parametrize("record", CLASSES, ids=lambda c: c.__name__)
def test_the_shape_of_a_record_names_every_field_once(record: type[Record]) -> None:
    form = shape(record)
    named = {c.name: c.position for c in form.columns} | {p.name: p.position for p in form.parts}

    assert named == {name: i for i, name in enumerate(record.model_fields)}
    assert vars(places(record)) == named
    assert form.width == len(record.model_fields)


def test_every_kind_has_a_key_that_names_a_record_to_its_channel() -> None:
    for kind, record in KINDS.items():
        assert record.key, kind

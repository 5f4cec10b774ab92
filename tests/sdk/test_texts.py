"""Documents left as text: decoded on demand, finished, joined, and held when they are no JSON."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ContractBroken
from hub.sdk import Texts, decode
from hub.sdk.texts import joined


def _finish(document):
    return {**document, "finished": True}


def _as_it_is(document):
    return document


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), max_size=4),
        max_size=6,
    ),
    st.integers(0, 6),
)
def test_texts_read_as_the_documents_they_came_from(documents, cut):
    texts = [msgspec.json.encode(one) for one in documents]

    whole = Texts([*texts[:cut], *documents[cut:]], _as_it_is)

    assert list(whole) == documents
    assert len(whole) == len(documents)
    assert list(whole[1:]) == documents[1:]
    assert list(joined([whole[:cut], whole[cut:]])) == documents


def test_only_what_came_as_text_is_finished():
    found = Texts([b'{"id": 1}', {"id": 2}], _finish)

    assert list(found) == [{"id": 1, "finished": True}, {"id": 2}]


def test_a_decimal_stays_its_text():
    assert decode(b'{"amount": 12.50}') == {"amount": "12.50"}


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": }', b"\xff", b'"' + b"[" * 3])
def test_what_is_no_json_is_said_when_it_is_asked_for_and_not_before(text):
    found = Texts([b'{"id": 1}', text], _as_it_is)

    assert found[0] == {"id": 1}
    with pytest.raises(ContractBroken) as caught:
        found[1]
    assert caught.value.code == "not_json"
    assert found.text(1) == text


def test_a_text_nested_too_deep_is_refused():
    with pytest.raises(ContractBroken) as caught:
        decode(b"[" * 100_000 + b"]" * 100_000)

    assert caught.value.code == "too_deep"


def test_pages_finished_by_different_functions_are_joined_as_documents():
    found = joined([Texts([b'{"id": 1}'], _finish), Texts([b'{"id": 2}'], _as_it_is), [{"id": 3}]])

    assert found == [{"id": 1, "finished": True}, {"id": 2}, {"id": 3}]

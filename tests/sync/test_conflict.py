"""The three-way rule: pure laws over values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Conflict
from hub.sync.conflict import is_stale, merge, more_restrictive

values = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["", "a", "b"]))
fields = st.dictionaries(st.sampled_from("pqr"), values)
whole = st.fixed_dictionaries(dict.fromkeys("pqr", values))
owners: Any = st.sampled_from(["hub", "channel"])


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "kept", "drift"),
    [
        ({"p": 1}, {"p": 1}, {"p": 1}, 1, {}),
        ({"p": 1}, {"p": 2}, {"p": 2}, 2, {}),
        ({"p": 1}, {"p": 1}, {"p": 2}, 2, {}),
        ({"p": 1}, {"p": 2}, {"p": 1}, 2, {"p": 1}),
        ({"p": 1}, {"p": 2}, {"p": 3}, 2, {"p": 3}),
        (None, {"p": 2}, {"p": 3}, 2, {"p": 3}),
        ({}, {"p": 2}, {"p": 3}, 2, {"p": 3}),
        ({"p": None}, {"p": None}, {"p": 0}, 0, {}),
    ],
)
def test_who_changed_since_both_agreed_decides(
    base: dict[str, Any] | None,
    ours: dict[str, Any],
    theirs: dict[str, Any],
    kept: Any,
    drift: dict[str, Any],
) -> None:
    merged = merge(base, ours, theirs, owner="hub")

    assert (merged.kept, merged.drift) == ({"p": kept}, drift)


def test_the_owner_of_a_field_decides_what_both_changed() -> None:
    both = {"base": {"p": 1, "q": 1}, "ours": {"p": 2, "q": 2}, "theirs": {"p": 3, "q": 3}}

    merged = merge(both["base"], both["ours"], both["theirs"], owner="hub", owners={"q": "channel"})

    assert merged.kept == {"p": 2, "q": 3}
    assert merged.drift == {"p": 3}


def test_where_the_rule_says_ask_the_field_is_named_and_nothing_is_decided() -> None:
    with pytest.raises(Conflict, match=r"Field 'p' was changed here and on the channel"):
        merge({"p": 1}, {"p": 2}, {"p": 3}, owner="ask")
    assert merge({"p": 1}, {"p": 2}, {"p": 2}, owner="ask").kept == {"p": 2}
    assert merge({"p": 1}, {"p": 1}, {"p": 3}, owner="ask").kept == {"p": 3}


@given(st.none() | fields, fields, fields, owners)
def test_merging_what_was_merged_changes_nothing(
    base: Any, ours: Any, theirs: Any, owner: Any
) -> None:
    once = merge(base, ours, theirs, owner=owner)
    twice = merge(theirs, {**ours, **once.kept}, theirs, owner=owner)

    assert twice.kept == once.kept
    assert twice.drift == once.drift


@given(whole, whole, whole)
def test_seen_from_the_other_side_the_same_values_stand(base: Any, ours: Any, theirs: Any) -> None:
    here = merge(base, ours, theirs, owner="hub")
    there = merge(base, theirs, ours, owner="channel")

    assert here.kept == there.kept


@given(st.none() | fields, fields, fields, owners)
def test_every_field_shown_is_decided_and_nothing_is_made_up(
    base: Any, ours: Any, theirs: Any, owner: Any
) -> None:
    merged = merge(base, ours, theirs, owner=owner)

    assert set(merged.kept) == set(theirs)
    assert all(merged.kept[name] in (ours.get(name), theirs[name]) for name in theirs)
    assert merged.drift == {
        name: theirs[name] for name in theirs if merged.kept[name] != theirs[name]
    }


@given(whole, whole)
def test_what_only_they_changed_is_taken_whoever_owns_it(ours: Any, theirs: Any) -> None:
    assert merge(ours, ours, theirs, owner="hub").kept == theirs
    assert merge(theirs, ours, theirs, owner="channel").kept == ours


def test_older_is_told_by_the_sources_own_clock_alone() -> None:
    early, late = "2026-10-05T08:00:00.000000Z", "2026-10-05T08:00:00.000001Z"

    assert is_stale(late, early)
    assert not is_stale(early, early)
    assert not is_stale(early, late)
    assert not is_stale(None, early)
    assert not is_stale(early, None)


STATES = st.sampled_from(["unknown", "granted", "withdrawn", "denied"])


@given(STATES, STATES, STATES)
def test_the_stricter_consent_is_the_same_whoever_is_asked_first(a: str, b: str, c: str) -> None:
    assert more_restrictive(a, b) == more_restrictive(b, a)
    assert more_restrictive(a, a) == a
    assert more_restrictive(more_restrictive(a, b), c) == more_restrictive(
        a, more_restrictive(b, c)
    )


def test_denied_is_stricter_than_withdrawn_than_granted_than_unknown() -> None:
    assert more_restrictive("granted", "withdrawn") == "withdrawn"
    assert more_restrictive("withdrawn", "denied") == "denied"
    assert more_restrictive("unknown", "granted") == "granted"

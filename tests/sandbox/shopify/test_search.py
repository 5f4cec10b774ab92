"""The search syntax and its traps (section 6.1)."""

from zoneinfo import ZoneInfo

import pytest

from sandbox.shopify import search
from sandbox.shopify.search import Field

FIELDS = {
    "updated_at": Field("time", lambda v: v["at"]),
    "tag": Field("word", lambda v: v["tags"]),
    "name": Field("text", lambda v: v["name"]),
    "total": Field("number", lambda v: v["total"]),
}
FREE = Field("text", lambda v: [v["name"], *v["tags"]])
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = 1_790_000_000 * 1_000_000  # 2026-09-21T14:13:20Z


def view(**given):
    return {"at": NOON, "tags": [], "name": "#1001", "total": 10} | given


def hits(query, *views):
    found = search.parse(query, FIELDS, FREE, SHANGHAI)
    return [found.test(one) for one in views]


def warned(query):
    return search.parse(query, FIELDS, FREE, SHANGHAI).warnings


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quoted_time_is_utc_to_the_second_and_inclusive(quote):
    query = f"updated_at:>={quote}2026-09-21T14:13:20Z{quote}"
    assert hits(query, view(), view(at=NOON - 1), view(at=NOON + 1)) == [True, False, True]
    assert warned(query) == []


def test_greater_and_greater_or_equal_hardly_differ_for_whole_seconds():
    stored = view(at=NOON + 123_456)
    assert hits("updated_at:>'2026-09-21T14:13:20Z'", stored) == [True]
    assert hits("updated_at:>='2026-09-21T14:13:20Z'", stored) == [True]


def test_an_unquoted_time_becomes_a_date_in_shop_time_and_a_junk_term():
    query = "updated_at:>=2026-09-21T14:13:20Z"
    midnight = NOON - (14 * 3600 + 13 * 60 + 20) * 1_000_000 - 8 * 3600 * 1_000_000

    found = search.parse(query, FIELDS, FREE, SHANGHAI)

    assert found.parsed == {
        "and": [
            {"field": "updated_at", "range_gte": "2026-09-21T00:00:00+08:00"},
            {"field": "13", "match_all": "20Z"},
        ]
    }
    assert found.warnings == [
        {
            "field": "13",
            "message": "Invalid search field for this query.",
            "code": "invalid_field",
        }
    ]
    assert hits(query, view(at=midnight), view(at=midnight - 1)) == [True, False]


def test_an_unknown_field_is_ignored_with_a_warning():
    query = "colour:red AND tag:vip"
    assert [w["field"] for w in warned(query)] == ["colour"]
    assert hits(query, view(tags=["vip"]), view()) == [True, False]


def test_and_binds_tighter_than_or():
    query = "tag:a OR tag:b AND tag:c"
    one = hits(query, view(tags=["a"]), view(tags=["b"]), view(tags=["b", "c"]), view(tags=["c"]))
    assert one == [True, False, True, False]
    grouped = hits("(tag:a OR tag:b) AND tag:c", view(tags=["a"]), view(tags=["a", "c"]))
    assert grouped == [False, True]


def test_terms_side_by_side_mean_and():
    assert hits("tag:a tag:b", view(tags=["a"]), view(tags=["a", "b"])) == [False, True]


@pytest.mark.parametrize("query", ["-tag:a", "NOT tag:a", "-(tag:a)"])
def test_a_term_can_be_negated(query):
    assert hits(query, view(tags=["a"]), view(tags=["b"])) == [False, True]


def test_a_star_is_a_prefix_and_a_comma_a_choice():
    assert hits("name:#10*", view(), view(name="#2001")) == [True, False]
    assert hits("tag:a,b", view(tags=["b"]), view(tags=["c"])) == [True, False]


def test_numbers_compare_and_words_ignore_case():
    assert hits("total:>9 total:<=10", view(), view(total=11)) == [True, False]
    assert hits("tag:VIP", view(tags=["vip"])) == [True]


def test_a_bare_word_looks_in_the_default_fields():
    assert hits("vip", view(tags=["vip"]), view()) == [True, False]
    assert hits("'#1001'", view(), view(name="#1002")) == [True, False]


def test_a_value_that_is_no_time_is_ignored_with_a_warning():
    assert [w["code"] for w in warned("updated_at:>='soon'")] == ["invalid_value"]
    assert hits("updated_at:>='soon'", view()) == [True]


async def test_the_answer_carries_the_warning_only_when_there_is_one(open_shop):
    shop = open_shop(orders=5)
    page = "query P($q: String) { orders(first: 5, query: $q) { nodes { id } } }"

    good = await shop.ask(page, q="updated_at:>='2026-01-01T00:00:00Z'")
    bad = await shop.ask(page, q="updated_at:>=2026-01-01T00:00:00Z")

    assert "search" not in good["extensions"]
    assert bad["extensions"]["search"][0]["path"] == ["orders"]
    assert bad["extensions"]["search"][0]["query"] == "updated_at:>=2026-01-01T00:00:00Z"
    assert len(bad["data"]["orders"]["nodes"]) == len(good["data"]["orders"]["nodes"]) == 5

"""The credential form: sound schemas, true sentences, and never an echo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.credentials import (
    VALUE_MAX,
    form_problems,
    plain_schema,
    schema_problems,
    secret_fields,
)

SHOP = "^[a-z0-9][a-z0-9-]*[.]acme[.]test$"
SCHEMA = {
    "type": "object",
    "title": {"en": "Shop", "zh": "店铺"},
    "required": ["shop", "token"],
    "properties": {
        "shop": {"type": "string", "pattern": SHOP, "title": {"en": "Shop", "zh": "店铺"}},
        "token": {"type": "string", "writeOnly": True, "minLength": 8},
        "url": {"type": "string", "format": "uri"},
        "mail": {"type": "string", "format": "email"},
        "since": {"type": "string", "format": "date"},
        "host": {"type": "string", "format": "hostname"},
        "region": {"enum": ["cn", "eu"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 90},
        "folder": {"type": "string", "format": "path"},
        "password": {"type": "string", "format": "password", "writeOnly": True},
        "options": {"type": "object", "properties": {"deep": {"type": "boolean"}}},
        "version": {"const": 2},
        "codes": {"type": "array", "uniqueItems": True},
        "note": {"type": "string", "maxLength": 3},
    },
}  # fmt: skip
GOOD = {"shop": "a-b.acme.test", "token": "12345678"}


def test_a_good_form_has_no_problem_and_the_schema_is_sound():
    assert form_problems(SCHEMA, GOOD) == []
    assert schema_problems(SCHEMA) == []
    assert secret_fields(SCHEMA) == {"token", "password"}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("shop", "evil.test#.acme.test", "does not have the form this channel uses"),
        ("shop", "a.acme.test\n", "does not have the form this channel uses"),
        ("shop", "a.acme.test.evil.test", "does not have the form this channel uses"),
        ("shop", "xn--a.acme.test/", "does not have the form this channel uses"),
        ("token", "short", "must have at least 8 characters"),
        ("note", "long", "must have at most 3 characters"),
        ("token", 12345678, "must be of type string"),
        ("token", None, "must be of type string"),
        ("url", "shop.test", "must be a web address such as https://shop.example.com"),
        ("url", "ftp://shop.test", "must be a web address such as https://shop.example.com"),
        (
            "url",
            "https://user:pw@shop.test",
            "must be a web address such as https://shop.example.com",
        ),
        ("url", "https://shop test/", "must be a web address such as https://shop.example.com"),
        (
            "url",
            "https://shop.test:99999",
            "must be a web address such as https://shop.example.com",
        ),
        ("url", "https://", "must be a web address such as https://shop.example.com"),
        ("mail", "li lei@b.cn", "must be an e-mail address"),
        ("mail", "@b.cn", "must be an e-mail address"),
        ("since", "2026-13-01", "must be a date such as 2026-10-05"),
        ("since", "20261005", "must be a date such as 2026-10-05"),
        ("host", "-a.test", "must be a host name such as shop.example.com"),
        ("host", "a.test\n", "must be a host name such as shop.example.com"),
        ("region", "us", "must be one of ['cn', 'eu']"),
        ("days", 0, "must be at least 1"),
        ("days", 91, "must be at most 90"),
        ("folder", "a\0b", "must be the path of a folder"),
        ("options", {"deep": "secret"}, "must be of type boolean"),
        ("version", 3, "must be 2"),
        ("codes", [1, 1], "is not acceptable here"),
        ("note", "x" * (VALUE_MAX + 1), f"is longer than {VALUE_MAX} characters"),
    ],
)
def test_each_wrong_value_is_told_by_what_would_be_right(field, value, sentence):
    assert form_problems(SCHEMA, {**GOOD, field: value}) == [(field, sentence)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "https://shop.test/path?x=1"),
        ("url", "http://127.0.0.1:8080"),
        ("mail", "li.lei@example.com"),
        ("since", "2026-10-05"),
        ("host", "shop.example.com"),
        ("password", "anything at all"),
    ],
)
def test_values_of_each_format_pass(field, value):
    assert form_problems(SCHEMA, {**GOOD, field: value}) == []


def test_all_problems_are_told_at_once_in_the_order_of_the_form():
    found = form_problems(SCHEMA, {"days": 0, "canary-name": 1})

    assert [field for field, _ in found] == ["", "shop", "token", "days"]
    assert found[1] == ("shop", "is required")
    assert "canary" not in str(found)


FIELDS = st.sampled_from([*SCHEMA["properties"], "canary-x"])
VALUES = st.sampled_from(["canary-1", ["canary-2"], {"canary-3": "canary-4"}, 4711])


@given(st.dictionaries(FIELDS, VALUES))
def test_no_sentence_repeats_what_was_typed(form):
    said = str([sentence for _, sentence in form_problems(SCHEMA, form)])

    assert "canary" not in said
    assert "4711" not in said


def test_the_schema_is_shown_in_one_language():
    assert plain_schema(SCHEMA, "zh")["properties"]["shop"]["title"] == "店铺"
    assert plain_schema(SCHEMA, "en")["title"] == "Shop"
    assert plain_schema({"title": {"fr": "x"}}, "zh") == {"title": "x"}
    assert plain_schema({"properties": {"title": {"type": "string"}}})["properties"]["title"] == {
        "type": "string"
    }


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "objekt"}, "credentials: no valid JSON Schema at type"),
        ({"type": "array"}, "credentials: the schema must be of type object"),
        ({"type": "object", "required": ["a"]}, "credentials: a: required, not a property"),
        ({"type": "object", "properties": {"a": True}}, "credentials: a: must be a schema object"),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "writeOnly": True}}},
            "credentials: a: writeOnly is for fields of type string",
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string", "writeOnly": True, "default": "x"}},
            },
            "credentials: a: a secret has no default, const, enum or examples",
        ),
        (
            {
                "type": "object",
                "properties": {
                    "a": {
                        "type": "object",
                        "properties": {"b": {"type": "string", "writeOnly": True}},
                    }
                },
            },
            "credentials: a: writeOnly only works on the form's own fields, not inside them",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string", "format": "ipv4"}}},
            "credentials: a: unknown format 'ipv4'; known: date, email, hostname, password, path, uri",
        ),
    ],
)
def test_a_schema_that_is_not_sound_is_told_why(schema, problem):
    assert schema_problems(schema) == [problem]

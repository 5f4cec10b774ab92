"""Corners: odd documents, odd files, and what the laws say when one is broken."""

from __future__ import annotations

import itertools
import json

import pytest

from hub.errors import ConfigError, MappingError
from hub.mapping import Mapping, check, laws, load
from hub.mapping import test as prove
from hub.records import ABSENT
from hub.sdk.hooks import Transform

from .conftest import LINES, ORDER
from .test_engine import AFTER_SALE, at
from .test_load import one


def test_a_law_says_which_place_it_found_broken(order, an_order):
    counter = itertools.count()
    restless = Transform(lambda value: f"{value}{next(counter)}", lambda value: value)
    mapping = order("  display_no: {native: a.nr, as: acme_x}\n", transforms={"acme_x": restless})
    document = an_order(a={"nr": "x"}, items=[1])

    with pytest.raises(laws.LawBroken, match="agreement: the compiled function"):
        laws.agreement(mapping, document)
    with pytest.raises(laws.LawBroken, match=r"GetPut: a\.nr changed"):
        laws.get_put(mapping, document)
    with pytest.raises(laws.LawBroken, match="PutGet: display_no is not read as it was written"):
        laws.put_get(mapping, mapping.to_canonical(document)[0], document)


def test_a_put_into_a_list_must_be_found_again(file):
    known = {"acme_id": Transform(lambda value: value[:2], lambda value: "zz" + value)}
    text = AFTER_SALE.replace("native: id, as: text", "native: id, as: acme_id")
    mapping = load(file(text), transforms=known)
    document = {"id": "O1", "currency": "CNY", "refunds": []}
    row = mapping.to_canonical(document | {"refunds": [{"id": "r1", "amount": "5"}]})[0]

    with pytest.raises(laws.LawBroken, match="PutGet: the written record is not found again"):
        laws.put_get(mapping, row, document)


def test_a_list_that_comes_back_shorter_breaks_the_law(order, an_order):
    mapping = order(LINES)
    row = mapping.to_canonical(an_order(items=[{"id": "1", "n": 1, "sum": "1"}]))[0]

    class Forgetful(Mapping):
        def to_native(self, record, onto=None):
            return super().to_native(record, onto) | {"items": []}

    with pytest.raises(laws.LawBroken, match=r"PutGet: lines\[\] has another length"):
        laws.put_get(Forgetful(mapping.spec), row, an_order())


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b changed"),
        ({"a": [1, {"c": 1}]}, {"a": [1, {"c": 1.0}]}, "a[1].c changed"),
        ({"a": 1}, {"b": 1}, "a is only in one of both"),
        ({"a": [1]}, {"a": [1, 2]}, "a changed"),
    ],
)
def test_a_difference_is_named_by_its_place(before, after, place):
    assert laws.difference(before, after) == place


def test_one_number_type_is_not_another():
    assert laws.same_types({"a": [1, "x"]}, {"a": [2, "y"]})
    assert not laws.same_types({"a": [1]}, {"a": [1.0]})
    assert not laws.same_types(1, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ORDER + "? [a, b]\n: 1\n", "9: the file: a key is text"),
        (ORDER + "  display_no:\n", "9: pairs.display_no: has no value"),
        (ORDER + "  display_no: {const: x, zone: UTC}\n", "9: pairs.display_no.zone: a const pair has no such"),
        (ORDER + "  tax_included: {const: null}\n", "9: pairs.tax_included.const: this field has no null"),
        (ORDER + "  tax_included: {native: x, as: acme_x, zone: UTC, way: in}\n", "9: pairs.tax_included.zone: `acme"),
        (ORDER + "  tax_total: {native: x, as: money, currency: {native: 'a['}}\n", "9: pairs.tax_total.currency.nat"),
        (ORDER + "  tax_total: {native: x, as: money, currency: {native: '$.a[].b'}}\n", "9: pairs.tax_total.currency"),
        (ORDER + f"  display_no: {{native: {'a.' * 20}a, as: text}}\n", "9: pairs.display_no.native: a path has at"),
        (ORDER + f"  display_no: {{native: {'a' * 201}, as: text}}\n", "9: pairs.display_no.native: breaks the"),
        (ORDER + '  display_no: {native: "a\\tb", as: text}\n', "9: pairs.display_no.native: a path has printable"),
        ("\x07", "1: the file: not YAML"),
    ],
)  # fmt: skip
def test_more_that_a_file_may_not_say(file, text, why):
    known = {"acme_x": Transform(lambda value: True)}
    problems = [str(p).split("order.yaml:", 1)[1] for p in check(file(text), transforms=known)]

    assert any(problem.startswith(why) for problem in problems), problems


def test_two_lists_may_not_both_write_one_native_list(file):
    other = LINES.replace("lines[]", "payments[]").replace("external_line_id", "external_txn_id")
    other = other.replace("quantity", "amount").replace(
        "as: steps, scale: 0", "as: money, currency: CNY"
    )
    other = "".join(line + "\n" for line in other.splitlines() if "line_subtotal" not in line)
    more = '  "payments[].state": {const: captured}\n'

    problems = [problem.why for problem in check(file(ORDER + LINES + other + more))]

    assert "items[] is also written by lines[]: make one side `way: in`" in problems


def test_the_native_schema_is_followed_through_references_and_alternatives(file, tmp_path):
    schema = {
        "$defs": {"money~x": {"anyOf": [{"properties": {"total": {}}}, {"type": "null"}]}, "list": {"type": "array"}},
        "allOf": [{"properties": {"id": {}, "state": {}, "at": {}}}],
        "properties": {
            "m": {"$ref": "#/$defs/money~0x"}, "tags": {"$ref": "#/$defs/list"}, "free": {"type": "object"},
            "map": {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
            "far": {"$ref": "other.json"},
        },
    }  # fmt: skip
    (tmp_path / "order.schema.json").write_text(json.dumps(schema))
    text = ORDER.replace("native: total", "native: m.total")
    more = """  display_no: {native: map.any, as: text}
  seller_memo: {native: free.any, as: text}
  attribution: {native: far.x, as: json}
"""
    lists = LINES.replace("items[].", "tags[].")

    assert check(file(text + more + lists)) == []
    problem = one(file, text.replace("m.total", "m.totl"))
    assert "the native schema has no 'totl' in m. Allowed: total." in problem
    (tmp_path / "order.schema.json").write_text("{")
    assert "order.schema.json is not JSON" in one(file, text)


@pytest.mark.parametrize(
    ("name", "options", "native", "why"),
    [
        ("paid_at", "as: local_time, zone: Asia/Shanghai", 5, "expected a time as text"),
        ("business_date", "as: date", 5, "expected a date as text"),
        ("business_date", "as: decimal", "Infinity", "not a finite number"),
        ("recipient_name", "as: text", ["Wang"], "expected text, found a list"),
        ("display_no", "as: acme_x, way: in", "x", "KeyError"),
        (
            "tax_total",
            "as: money, currency: {native: cur}, unit: minor",
            5,
            "its currency is nothing",
        ),
    ],
)
def test_more_values_that_do_not_fit(order, an_order, name, options, native, why):
    known = {"acme_x": Transform(lambda value: {}[value])}
    mapping = order(f"  {name}: {{native: x, {options}}}\n", transforms=known)

    with pytest.raises(MappingError) as caught:
        mapping.to_canonical(an_order(x=native))

    assert caught.value.why.startswith(why)


def test_minor_units_may_take_their_currency_from_the_document(order, an_order):
    mapping = order("  tax_total: {native: x, as: money, currency: {native: cur}, unit: minor}\n")
    row = mapping.to_canonical(an_order(x=5, cur="CNY"))[0]

    assert at(mapping, row, "tax_total") == 5
    assert mapping.to_native(row) == an_order(x=5, cur="CNY", total="45.00")


def test_json_that_is_too_deep_is_held_not_followed(order, an_order):
    deep = leaf = {}
    for _ in range(100):
        leaf["x"] = {}
        leaf = leaf["x"]

    with pytest.raises(MappingError, match="JSON deeper than 32 levels"):
        order("  attribution: {native: x, as: json}\n").to_canonical(an_order(x=deep))


@pytest.mark.parametrize(
    ("pair", "row", "onto", "why"),
    [
        ("display_no: {native: x, as: text, number: true}", "007", {}, "not the plain text of a whole number"),
        ("unit_price: {native: x, as: decimal, number: true}", f"0.{'123' * 9}", {}, "more digits than a JSON number"),
        ("display_no: {native: a.b, as: text}", "x", {"a": "text"}, "expected an object around 'b', found text"),
        ("display_no: {native: 'a[k=v].b', as: text}", "x", {"a": 1}, "expected a list to choose from, found a number"),
    ],
)  # fmt: skip
def test_what_does_not_go_out_is_an_error(order, an_order, pair, row, onto, why):
    mapping = order(f"  {pair}\n".replace("unit_price", "business_date"))
    name = pair.split(":")[0].replace("unit_price", "business_date")
    names = list(mapping.record.model_fields)
    values = list(mapping.to_canonical(an_order())[0])
    values[names.index(name)] = row

    with pytest.raises(MappingError) as caught:
        mapping.to_native(tuple(values), onto=an_order(**onto))

    assert caught.value.why.startswith(why)
    assert caught.value.canonical == name


def test_a_native_list_of_the_wrong_type_is_not_written_over(order, an_order):
    mapping = order(LINES)
    row = mapping.to_canonical(an_order(items=[]))[0]

    with pytest.raises(MappingError, match="expected a list, found text"):
        mapping.to_native(row, onto=an_order(items="none"))


def test_elements_whose_key_cannot_be_read_are_replaced(order, an_order):
    mapping = order(LINES)
    row = mapping.to_canonical(an_order(items=[{"id": "1", "n": 1, "sum": "1"}]))[0]

    written = mapping.to_native(row, onto=an_order(items=["odd", {"id": 1.5, "x": 1}]))

    assert written["items"] == [{"id": "1", "n": 1, "sum": "1.00"}]


def test_lists_of_plain_words_go_both_ways(file, an_order):
    text = (
        ORDER
        + """  "adjustments[].external_ref": {native: "codes[]", as: text}
  "adjustments[].target": {const: order}
  "adjustments[].kind": {const: coupon}
  "adjustments[].amount": {const: 0}
"""
    )
    mapping = load(file(text))
    document = an_order(codes=["A", "B"])
    row = mapping.to_canonical(document)[0]

    assert [part[1] for part in at(mapping, row, "adjustments")] == ["A", "B"]
    assert mapping.to_native(row, onto=an_order(codes=["B", "C"]))["codes"] == ["A", "B"]
    assert mapping.to_native(row, onto=document) == document
    with pytest.raises(MappingError, match="expected text, found a list, in element 1"):
        mapping.to_canonical(an_order(codes=["A", [None]]))


def test_a_record_in_a_list_of_lists_is_found_but_not_added(file):
    text = AFTER_SALE.replace("refunds[]", "cases[].refunds[]")
    mapping = load(file(text))
    refunds = [{"id": "a", "amount": "1"}, {"id": 1.5}]
    document = {"id": "O", "currency": "CNY", "cases": [{"refunds": refunds}, {}]}
    row = mapping.to_canonical(document | {"cases": [{"refunds": [{"id": "a", "amount": "2"}]}]})[0]

    assert mapping.to_native(row, onto=document)["cases"][0]["refunds"][0]["amount"] == "2.00"
    with pytest.raises(MappingError, match="no record with this key, and no one list to add it to"):
        mapping.to_native(row, onto={"id": "O", "currency": "CNY"})
    assert mapping.explain(document)[0].native == "cases[].refunds[](1/2).id"


def test_keys_and_times_that_cannot_be_reached_are_errors(file):
    mapping = load(file(ORDER.replace("key: id", "key: a.id\nupdated: a.at")))

    with pytest.raises(MappingError, match=r"key <- a.id: expected an object around 'id'"):
        mapping.key_of({"a": "x"})
    with pytest.raises(MappingError, match=r"updated <- a.at: expected an object around 'at'"):
        mapping.updated_of({"a": "x"})
    assert load(file(ORDER)).updated_of({"at": "x"}) is ABSENT
    assert repr(mapping).endswith("order -> order>")


def test_explaining_a_broken_document_goes_on_to_its_end(order, an_order):
    more = "  display_no: {native: a.b, as: text}\n"
    more += "  seller_memo: {native: a.c, const: x, way: out}\n"
    mapping = order(LINES + more)

    told = {line.canonical: line for line in mapping.explain(an_order(a="text", items="text"))}

    assert told["display_no"].error == "expected an object around 'b', found text"
    assert told["placed_at"].error is None
    assert "lines[0].quantity" not in told


def test_a_single_object_may_come_from_a_transform(file):
    text = """kind: product
key: id
pairs:
  listing: {native: ., as: acme_listing, way: in}
  "skus[].listing_sku.external_sku_id": {native: "skus[].id", as: text}
"""
    known = {"acme_listing": Transform(lambda value: {"external_product_id": value["id"]})}
    mapping = load(file(text), transforms=known)
    document = {"id": "7", "skus": [{"id": "a", "x": 1}]}

    row = mapping.to_canonical(document)[0]

    assert mapping.identity(row) == ("7",)
    assert row == mapping.read_slowly(document)[0]
    assert mapping.to_record(row).listing.external_product_id == "7"
    assert mapping.to_native(row, onto=document) == document
    listing = next(line for line in mapping.explain(document) if line.canonical == "listing")
    assert listing.canonical_value == {"external_product_id": "7"}
    assert listing.native_value == "object with 2 keys"


def test_a_report_says_when_nothing_was_tried_and_what_failed(file, an_order, tmp_path):
    known = {"acme_x": Transform(lambda value: {}[value])}
    text = ORDER + "  display_no: {native: ., as: acme_x, way: in}\n"

    report = prove(file(text), cases=5, transforms=known)

    assert (report.is_good, report.cases, report.refused) == (False, 0, 5)
    assert "nothing was tried" in report.text()
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "order.json").write_text(json.dumps(an_order(total="x")))
    told = prove(file(ORDER), cases=0).text()
    assert "NOT GOOD\n  order.json[0]: " in told


def test_a_config_error_names_the_first_key_and_says_where_to_read(file):
    with pytest.raises(ConfigError) as caught:
        load(file(ORDER + "  nothing: {const: 1}\n"))

    assert caught.value.key == "pairs.nothing"
    assert "docs/reference/mapping.md" in caught.value.hint

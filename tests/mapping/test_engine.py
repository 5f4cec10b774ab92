"""A loaded mapping: rows, errors, and documents written without losing what is not ours."""

from __future__ import annotations

import copy
import json

import pytest

from hub.errors import MappingError
from hub.mapping import load
from hub.records import ABSENT, ChannelOrder
from hub.sdk.hooks import Transform

from .conftest import LINES, ORDER


def at(mapping, row, name):
    return row[list(mapping.record.model_fields).index(name)]


def test_a_mapping_says_what_it_is(acme):
    assert (acme.kind, acme.source_stream, acme.record) == ("order", "order", ChannelOrder)
    assert acme.updated_path == "changed"
    assert len(acme.digest) == 64
    assert "buyer_message" in acme.fields.way_in
    assert "placed_at" in acme.fields.two_way
    assert acme.fields.way_out == ()
    assert acme.source.startswith("def rows(d):")


def test_absent_null_empty_and_zero_stay_four_things(order, an_order):
    mapping = order(
        "  display_no: {native: nr, as: text}\n  seller_flag: {native: flag, as: integer}\n"
    )

    found = [
        [at(mapping, mapping.to_canonical(an_order(**more))[0], name) for name in ("display_no", "seller_flag")]
        for more in ({}, {"nr": None, "flag": None}, {"nr": "", "flag": 0})
    ]  # fmt: skip

    assert found == [[ABSENT, ABSENT], [None, None], ["", 0]]


def test_absent_writes_nothing_and_null_writes_null(order, an_order):
    mapping = order("  display_no: {native: a.no, as: text}\n")
    row = mapping.to_canonical(an_order())[0]
    gone = mapping.to_canonical(an_order(a={"no": None}))[0]

    assert mapping.to_native(row, onto=an_order(a={"no": "3"})) == an_order(a={"no": "3"})
    assert mapping.to_native(gone, onto=an_order(a={"no": "3", "x": 1})) == an_order(
        a={"no": None, "x": 1}
    )
    assert mapping.to_native(gone, onto=an_order(a=None)) == an_order(a=None)


def test_a_value_that_already_reads_the_same_is_left_as_it_is(order, an_order):
    mapping = order()
    row = mapping.to_canonical(an_order(total="45.0", at="2026-10-05T16:00:00+08:00"))[0]

    written = mapping.to_native(row, onto=an_order(total="45", at="2026-10-05T08:00:00.000Z"))

    assert written == an_order(total="45", at="2026-10-05T08:00:00.000Z")
    assert mapping.to_native(row)["total"] == "45.00"


def test_writing_neither_changes_its_input_nor_drops_what_it_does_not_own(order, an_order):
    mapping = order(LINES)
    before = an_order(extra={"deep": [1]}, items=[{"id": "1", "n": 2, "sum": "4", "note": "x"}])
    kept = copy.deepcopy(before)
    row = mapping.to_canonical(before)[0]

    written = mapping.to_native((*row[:21], 9900, *row[22:]), onto=before)

    assert before == kept
    assert written == kept | {"total": "99.00"}
    written["extra"]["deep"].append(2)
    assert before == kept


def test_list_elements_are_found_by_key_added_and_removed(order, an_order):
    mapping = order(LINES)
    old = [{"id": str(n), "n": n, "sum": "1.00", "note": f"n{n}"} for n in (1, 2, 3)]
    new = [
        {"id": "3", "n": 3, "sum": "1.00"},
        {"id": "9", "n": 9, "sum": "2.00"},
        {"id": "1", "n": 5, "sum": "1"},
    ]

    written = mapping.to_native(
        mapping.to_canonical(an_order(items=new))[0], onto=an_order(items=old)
    )

    assert written["items"] == [
        {"id": "3", "n": 3, "sum": "1.00", "note": "n3"},
        {"id": "9", "n": 9, "sum": "2.00"},
        {"id": "1", "n": 5, "sum": "1.00", "note": "n1"},
    ]


def test_without_a_key_elements_are_found_by_position(file, an_order):
    first = LINES.splitlines()[0]
    text = ORDER + LINES.replace(first, '  "lines[].external_line_id": {const: x}')
    mapping = load(file(text))
    old = an_order(items=[{"n": 1, "sum": "1", "note": "a"}, {"n": 2, "sum": "1", "note": "b"}])
    new = an_order(items=[{"n": 7, "sum": "1"}])

    written = mapping.to_native(mapping.to_canonical(new)[0], onto=old)

    assert written["items"] == [{"n": 7, "sum": "1", "note": "a"}]


def test_a_null_list_reads_as_absent_and_an_empty_one_as_empty(order, an_order):
    mapping = order(LINES)

    found = [
        at(mapping, mapping.to_canonical(an_order(**m))[0], "lines")
        for m in ({}, {"items": None}, {"items": []})
    ]

    assert found == [ABSENT, ABSENT, []]


def test_a_chosen_element_is_made_when_missing_with_the_type_its_schema_says(file, tmp_path):
    pair = '  recipient_phone: {native: "contacts[type=2].value", as: text}\n'
    item = {
        "type": "object",
        "properties": {"type": {"type": "integer"}, "value": {"type": "string"}},
    }
    schema = {
        "properties": {
            "id": {},
            "state": {},
            "total": {},
            "at": {},
            "contacts": {"type": "array", "items": item},
        }
    }
    (tmp_path / "order.schema.json").write_text(json.dumps(schema))
    mapping = load(file(ORDER + pair))
    document = {"id": "1", "state": "new", "total": "1", "at": "2026-10-05T08:00:00Z"}
    row = mapping.to_canonical(document | {"contacts": [{"type": 2, "value": "+86"}]})[0]

    written = mapping.to_native(row, onto=document | {"contacts": [{"type": 1, "value": "x"}]})

    assert written["contacts"] == [{"type": 1, "value": "x"}, {"type": 2, "value": "+86"}]
    assert mapping.to_canonical(written)[0] == row


AFTER_SALE = """kind: after_sale
from: order
each: "refunds[]"
key: id
updated: at
pairs:
  external_id: {native: id, as: text}
  external_order_id: {native: $.id, as: text, way: in}
  state: {const: succeeded}
  currency: {native: $.currency, as: text, way: in}
  approved_amount: {native: amount, as: money, currency: {native: $.currency}}
"""


def test_each_makes_one_record_per_element_and_writes_onto_the_right_one(file):
    mapping = load(file(AFTER_SALE))
    document = {
        "id": "O1",
        "currency": "JPY",
        "refunds": [{"id": "r1", "amount": "5", "x": 1}, {"id": 2, "amount": "7", "at": "t"}],
    }

    first, second = mapping.to_canonical(document)

    assert (mapping.source_stream, mapping.keys(document)) == ("order", ["r1", "2"])
    assert mapping.key_of(document) == "r1"
    assert mapping.updated_of(document) is ABSENT
    assert [at(mapping, row, "approved_amount") for row in (first, second)] == [5, 7]
    assert at(mapping, second, "external_order_id") == "O1"
    assert mapping.to_native(second, onto=document) == document
    moved = document | {"refunds": document["refunds"][:1]}
    assert mapping.to_native(second, onto=moved)["refunds"][1] == {"id": "2", "amount": "7"}
    assert mapping.to_canonical({"id": "O1", "currency": "CNY"}) == []
    assert mapping.to_canonical({"id": "O1", "refunds": None}) == []


def test_a_document_without_a_record_or_a_key_has_no_key(file, acme):
    mapping = load(file(AFTER_SALE))

    with pytest.raises(
        MappingError, match=r"order.yaml:4: key <- id: the document holds no record"
    ):
        mapping.key_of({"refunds": []})
    with pytest.raises(MappingError, match=r"order.yaml:4: key <- id: no external id"):
        mapping.keys({"refunds": [{"id": ""}]})
    with pytest.raises(MappingError, match=r"order.yaml:3: each <- refunds\[\]: expected a list"):
        mapping.to_canonical({"refunds": "x"})
    assert acme.updated_of({"changed": "2026"}) == "2026"


@pytest.mark.parametrize(
    ("more", "line", "canonical", "why", "value"),
    [
        ({"id": None}, 4, "external_order_id", "null, and this field has no null", "null"),
        ({"state": "odd"}, 5, "order_state", "not in the table: new, done", "'odd'"),
        ({"state": ["new"]}, 5, "order_state", "expected a word of the table, found a list", "list of 1"),
        ({"total": 1.5}, 7, "amount_payable", "a JSON number with decimals", "1.5"),
        ({"total": "1.234"}, 7, "amount_payable", "more decimals than CNY has", "'1.234'"),
        ({"total": "-1"}, 7, "amount_payable", "less than 0", "'-1'"),
        ({"total": True}, 7, "amount_payable", "expected a decimal text, found true or false", "true"),
        ({"at": "yesterday"}, 8, "placed_at", "Invalid isoformat string", "'yesterday'"),
        ({"at": "2026-10-05T08:00:00"}, 8, "placed_at", "time without a zone", "'2026-10-05T08:00:00'"),
        ({"items": [{"id": "1", "n": -1, "sum": "1"}]}, 10, "lines[].quantity", "less than 0, in element 0", "-1"),
        ({"items": [None]}, 9, "lines[]", "element 0 is null, expected an object", "not shown"),
        ({"items": {}}, 9, "lines[]", "expected a list, found an object", "not shown"),
        ({"id": "a\x00b"}, 4, "external_order_id", "text with a NUL character cannot be stored", r"'a\x00b'"),
        ({"id": "\ud800"}, 4, "external_order_id", "text with half a surrogate pair", r"'\ud800'"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_by_file_line_and_both_paths(
    order, an_order, more, line, canonical, why, value
):
    mapping = order(LINES)

    with pytest.raises(MappingError) as caught:
        mapping.to_canonical(an_order(**more))

    error = caught.value
    assert (error.file, error.line, error.canonical) == (str(mapping.path), line, canonical)
    assert error.why.startswith(why)
    assert error.value == value
    assert error.native


def test_a_missing_required_field_is_an_error(order, an_order):
    document = an_order()
    del document["total"]

    with pytest.raises(MappingError, match="total: absent, and the record cannot be without it"):
        order().to_canonical(document)


def test_a_document_that_is_no_object_is_an_error(order):
    with pytest.raises(MappingError, match="expected an object around 'id', found a list"):
        order().to_canonical([])


def test_personal_text_never_gets_into_an_error_or_an_explanation(order, an_order):
    def refuse(value):
        raise ValueError(f"cannot take {value}")

    known = {"acme_name": Transform(refuse)}
    more = "  recipient_name: {native: who, as: acme_name, way: in}\n"
    more += "  recipient_zip: {native: zip, as: text}\n"
    mapping = order(more, transforms=known)

    with pytest.raises(MappingError) as caught:
        mapping.to_canonical(an_order(who="Wang Xiao"))
    with pytest.raises(MappingError) as other:
        mapping.to_canonical(an_order(zip="\x00 200040"))
    told = mapping.explain(an_order(who="Wang Xiao", zip="200040"))

    assert "Wang" not in str(caught.value) + repr(told)
    assert caught.value.value == "text of 9 characters"
    assert other.value.value == "text of 8 characters"
    assert "200040" not in str(other.value) + repr(told)
    shown = {line.canonical: line for line in mapping.explain(an_order(zip="200040"), reveal=True)}
    assert shown["recipient_zip"].native_value == "200040"


def test_a_birthday_that_is_none_is_not_quoted(file):
    text = """kind: member
key: id
pairs:
  external_id: {native: id, as: text}
  birthday: {native: born, as: date}
  identities: {native: who, as: acme_who, way: in}
"""

    def refuse(value):
        raise ValueError(f"cannot take {value}")

    mapping = load(file(text), transforms={"acme_who": Transform(refuse)})

    for document, why in (
        ({"id": "1", "born": "12.3.1990"}, "the value does not fit"),
        ({"id": "1", "who": "Wang Xiao"}, "acme_who refused the value"),
    ):
        with pytest.raises(MappingError) as caught:
            mapping.to_canonical(document)
        assert (caught.value.why, caught.value.value) == (why, "text of 9 characters")


def test_explain_tells_both_paths_both_values_and_the_line(acme):
    document = {
        "id": "7", "state": "packed", "money": {"code": "CNY", "total": "x"}, "created": "2026-10-05T08:00:00Z",
        "unit": "KGM", "items": [{"id": "1", "n": "1.5", "sum": "45"}],
        "deals": [{"ref": "d", "on": "all", "off": {"amount": "1", "code": "CNY"},
                   "shares": [{"item": "1", "off": 1}]}],
    }  # fmt: skip

    told = {line.canonical: line for line in acme.explain(document)}

    quantity = told["lines[0].quantity"]
    assert (quantity.native, quantity.native_value, quantity.canonical_value) == (
        "items[0].n",
        "1.5",
        1500,
    )
    assert (quantity.line, quantity.transform, quantity.way, quantity.error) == (
        30,
        "steps",
        "both",
        None,
    )
    assert told["lines[0].unit"].native == "$.unit"
    assert told["adjustments[0].allocations[0].amount"].native == "deals[0].shares[0].off"
    assert told["amount_payable"].error == "not a decimal number"


def test_a_transform_may_yield_and_take_a_whole_list_of_parts(order, an_order):
    def read(value):
        return [
            {
                "external_txn_id": one,
                "amount": 5,
                "state": "captured",
                "captured_at": "2026-10-05T08:00:00Z",
            }
            for one in value
        ]

    def write(parts):
        return [part["external_txn_id"] for part in parts]

    mapping = order(
        "  payments: {native: paid, as: acme_paid}\n",
        transforms={"acme_paid": Transform(read, write)},
    )
    document = an_order(paid=["a", "b"])
    row = mapping.to_canonical(document)[0]

    assert at(mapping, row, "payments")[1] == (
        ABSENT, "b", ABSENT, 5, "captured", "2026-10-05T08:00:00.000000Z",
    )  # fmt: skip
    assert mapping.to_native(row) | {"at": "2026-10-05T08:00:00Z", "total": "45.0"} == document
    assert mapping.to_row(mapping.to_record(row)) == row
    assert at(mapping, mapping.to_canonical(an_order(paid=None))[0], "payments") is ABSENT


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"external_txn_id": "a", "amount": 5}, "state: absent, and the record cannot be without it"),
        ({"external_txn_id": "a", "amount": -5, "state": "captured"}, "amount: less than 0"),
        ({"external_txn_id": "a", "amount": 5, "state": "gone"}, "state: not one of pending, authorized"),
        ({"id": "a"}, "Payment has no field 'id'; it has external_txn_id, method"),
        ({"channel_order_id": "x"}, "channel_order_id is filled by the hub"),
        ("a", "expected a part keyed by field names, found text"),
    ],
)  # fmt: skip
def test_parts_of_a_transform_are_validated_like_everything_else(order, an_order, part, why):
    known = {"acme_paid": Transform(lambda value: [part])}
    mapping = order("  payments: {native: paid, as: acme_paid, way: in}\n", transforms=known)

    with pytest.raises(MappingError) as caught:
        mapping.to_canonical(an_order(paid=[1]))

    assert caught.value.why.startswith(why)


def test_what_cannot_be_written_is_an_error_that_names_the_pair(order, an_order):
    more = "  order_kind: {native: k, as: enum, table: {a: sale}, default: presale}\n"
    mapping = order(more)
    row = mapping.to_canonical(an_order(k="other"))[0]

    assert mapping.to_native(row, onto=an_order(k="another")) == an_order(k="another")
    with pytest.raises(
        MappingError, match=r"order.yaml:9: order_kind <- k: the table has no native"
    ):
        mapping.to_native(row, onto=an_order(k="a"))


def test_a_const_may_go_out(order, an_order):
    mapping = order("  display_no: {native: source, const: hub, way: out}\n")
    row = mapping.to_canonical(an_order(source="x"))[0]

    assert at(mapping, row, "display_no") is ABSENT
    assert mapping.to_native(row, onto=an_order(source="x"))["source"] == "hub"

"""What a mapping file may not say, each refusal with its line, and all of them at once."""

from __future__ import annotations

import json

import pytest

from hub.errors import ConfigError
from hub.mapping import check, load
from hub.sdk.hooks import Transform

from .conftest import LINES, ORDER

BAD_PAIRS = [
        ("hold_reasons: {native: x, as: json}", "9: pairs.hold_reasons: 'hold_reasons' of ChannelOrder is filled"),
        ("member_id: {native: x, as: text}", "9: pairs.member_id: 'member_id' of ChannelOrder is filled"),
        ("lines: {native: x, as: text}", "9: pairs.lines.as: `text` does not yield list"),
        ("lines.quantity: {native: x, as: text}", "9: pairs.lines.quantity: 'lines' is a list"),
        ("display_no.x: {native: x, as: text}", "9: pairs.display_no.x: 'display_no' is one value"),
        ("seller_flag: {native: x, as: text}", "9: pairs.seller_flag.as: `text` does not yield int"),
        ("display_no: {native: 'a[', as: text}", "9: pairs.display_no.native: 'a[' is not a step"),
        ("display_no: {native: 'a[k]', as: text}", "9: pairs.display_no.native: [k] is not a choice"),
        ("display_no: {native: 'a[].b', as: text}", "9: pairs.display_no.native: display_no has 0 [] and a[].b has 1"),
        ("display_no: {native: id, as: text}", "9: pairs.display_no.native: id is also written by external_order_id"),
        ("display_no: {native: ., as: text}", "9: pairs.display_no: the whole document is not written"),
        ("tax_total: {native: x, as: money}", "9: pairs.tax_total: `money` needs `currency`"),
        ("tax_total: {native: x, as: money, currency: yuan}", "9: pairs.tax_total.currency: not an ISO 4217 code"),
        ("tax_total: {native: x, as: money, currency: CNY, scale: 2}", "9: pairs.tax_total.scale: `money` has no"),
        ("seller_flag: {native: x, as: steps, scale: 9}", "9: pairs.seller_flag.scale: not a scale"),
        ("paid_at: {native: x, as: local_time, zone: Mars/One}", "9: pairs.paid_at.zone: unknown time zone"),
        ("tax_included: {native: x, as: boolean, empty: 'null'}", "9: pairs.tax_included.empty: tax_inc"),
        ("display_no: {const: 1}", "9: pairs.display_no.const: expected text"),
        ("display_no: {const: x, as: text}", "9: pairs.display_no: a pair has either `native` and `as`, or `const`"),
        ("display_no: {const: x, way: both}", "9: pairs.display_no.way: a const pair goes one way"),
        ("display_no: {const: x, way: out}", "9: pairs.display_no: a const pair on the way out needs `native`"),
        ("display_no: {const: 1.5}", "9: pairs.display_no.const: bare 1.5 means float to YAML"),
        ('"lines[].line_kind": {const: goods}', "9: pairs.lines[].line_kind: nothing aligns lines[]"),
        ("order_kind: {native: x, as: enum, table: {a: sale, b: sale}}", "9: pairs.order_kind.table: "),
        ("order_kind: {native: x, as: enum, table: {a: sale}, back: {sale: b}}", "9: pairs.order_kind.back: "),
    ]  # fmt: skip
BAD_FILES = [
    (ORDER.replace("kind: order", "kind: orders"), "1: kind: not a word of the list"),
    (ORDER.replace("kind: order", "kind: price"), "1: kind: no record of this kind"),
    (ORDER + "extra: 1\n", "1: the file: unknown key extra. Allowed: each, from, key"),
    (ORDER.replace("key: id\n", ""), "1: the file: needs key"),
    (ORDER.replace("key: id", "key: 'items[].id'"), "2: key: one value per record"),
    (ORDER + "each: refunds\n", "9: each: ends in `[]`"),
    (
        ORDER + "  placed_at: {native: x, as: instant}\n",
        "9: pairs.placed_at: written twice, first at line 8",
    ),
    (
        ORDER.replace("const: CNY", "const: no"),
        "6: pairs.currency.const: bare no means bool to YAML",
    ),
    (
        ORDER.replace("{new: ", "{off: "),
        "5: pairs.order_state.table: bare off means bool to YAML",
    ),
    (
        ORDER.replace("const: CNY", "const: 12:30"),
        "6: pairs.currency.const: bare 12:30 means int to YAML",
    ),
    (
        ORDER.replace("const: CNY", "const: 2026-10-05"),
        "6: pairs.currency.const: bare 2026-10-05 means timestamp",
    ),
    (ORDER + "  a: &x {const: 1}\n", "9: the file: anchors and aliases are refused"),
    (ORDER + "  a: !!python/name:os.system x\n", "9: the file: tags are refused"),
    (ORDER + "---\nkind: order\n", "9: the file: one document per file"),
    ("kind: [", "1: the file: not YAML"),
    ("a: " + "[" * 60 + "]" * 60, "1: the file: deeper than 10 levels"),
    ("- 1\n", "1: the file: has the wrong type. Allowed: object."),
    ("", "1: the file: has the wrong type. Allowed: object."),
]


def one(file, text: str, **options) -> str:
    problems = check(file(text), **options)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return str(problems[0]).split("order.yaml:", 1)[1]


def test_every_problem_is_reported_at_once_with_file_line_and_what_is_allowed(file):
    path = file(
        ORDER.replace("as: instant", "as: instnt").replace("done: completed", "done: finished")
        + "  seller_flags: {native: flag, as: integer}\n  tax_included: {native: x, as: boolean, way: up}\n"
    )

    with pytest.raises(ConfigError) as caught:
        load(path)

    text = str(caught.value)
    assert f"{path} has 4 problems" in text
    assert f"{path}:5: pairs.order_state.table: 'finished' is not a value of order_state" in text
    assert (
        f"{path}:8: pairs.placed_at.as: no transform is named 'instnt'. Allowed: boolean," in text
    )
    assert f"{path}:9: pairs.seller_flags: ChannelOrder has no field 'seller_flags'" in text
    assert (
        f"{path}:10: pairs.tax_included.way: not a word of the list. Allowed: both, in, out" in text
    )
    assert caught.value.key == "pairs.order_state.table"


@pytest.mark.parametrize(("line", "why"), BAD_PAIRS)
def test_a_pair_that_cannot_be_is_refused(file, line, why):
    assert one(file, f"{ORDER}  {line}\n").startswith(why)


@pytest.mark.parametrize(("text", "why"), BAD_FILES)
def test_yaml_that_surprises_is_refused(file, text, why):
    problems = [str(problem).split("order.yaml:", 1)[1] for problem in check(file(text))]

    assert any(problem.startswith(why) for problem in problems), problems


def test_an_alias_bomb_is_refused_before_anything_is_built(file):
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]

    assert one(file, "\n".join(rows)) == (
        "1: the file: anchors and aliases are refused: write the value out."
    )


def test_a_file_that_is_too_large_missing_or_not_text_is_refused(file, tmp_path):
    assert "larger than 262144 bytes" in one(file, "# " + "x" * 300_000)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in str(check(tmp_path / "bytes.yaml")[0])
    assert "cannot be read" in str(check(tmp_path / "none.yaml")[0])


def test_required_fields_without_a_pair_are_named_also_inside_lists(file):
    text = ORDER.replace("  placed_at: {native: at, as: instant}\n", LINES.splitlines()[0] + "\n")

    problems = [str(problem).split("order.yaml:", 1)[1] for problem in check(file(text))]

    assert problems == [
        "3: pairs.placed_at: ChannelOrder cannot be without it: map it, or give it a const.",
        "8: pairs.lines[].line_subtotal: OrderLine cannot be without it: map it, or give it a const.",
        "8: pairs.lines[].quantity: OrderLine cannot be without it: map it, or give it a const.",
    ]


def test_one_canonical_list_stands_beside_one_native_list(file):
    more = LINES + '  "lines[].unit": {native: "others[].unit", as: text}\n'

    assert one(file, ORDER + more).startswith(
        "12: pairs.lines[].unit.native: lines[] is aligned with items[], not with others[]"
    )


def test_scaled_steps_need_the_scale_in_the_record(file):
    more = LINES.replace("scale: 0", "scale: 3")

    assert "quantity_scale is not mapped beside it" in one(file, ORDER + more)


def test_paths_and_words_are_checked_against_the_native_schema(file, tmp_path):
    places = {"id": {}, "total": {}, "at": {}, "state": {"enum": ["new", "done", "lost"]}}
    schema = {"type": "object", "properties": places}
    (tmp_path / "order.schema.json").write_text(json.dumps(schema))

    problems = check(file(ORDER + "  display_no: {native: nmber, as: text}\n"))

    assert [(p.line, p.key) for p in problems] == [
        (5, "pairs.order_state.table"),
        (9, "pairs.display_no.native"),
    ]
    assert "the native schema also knows lost" in problems[0].why
    assert problems[1].known == ("at", "id", "state", "total")


def test_a_native_schema_that_is_none_is_a_problem(file, tmp_path):
    (tmp_path / "order.schema.json").write_text('{"type": 7}')

    assert "is not a JSON Schema" in one(file, ORDER)


def test_a_transform_without_a_way_back_says_in(file):
    known = {"acme_flag": Transform(lambda value: 1)}
    line = "  seller_flag: {native: flag, as: acme_flag}\n"

    assert "`acme_flag` has no way back: say `way: in`" in one(file, ORDER + line, transforms=known)
    assert check(file(ORDER + line.replace("}", ", way: in}")), transforms=known) == []

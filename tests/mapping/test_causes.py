"""A document that breaks its mapping in several places: every one of them is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cli.maps import misfits
from hub.errors import MappingError, Misfit
from hub.mapping import Mapping, load, samples, walk
from hub.mapping import test as prove
from hub.mapping.paths import Segment, Where, parse
from hub.mapping.spec import ROOT, Level, Pair
from hub.sdk.hooks import Transform
from tests.mapping.conftest import LINES, ORDER
from tests.mapping.test_laws import FILES, QUICK, document_of, transforms

ODD = ([1.5], {"odd": [1.5]}, "\x00")


def caught(mapping: Mapping, document: Any) -> MappingError:
    with pytest.raises(MappingError) as raised:
        mapping.to_canonical(document)
    return raised.value


def told(error: MappingError) -> list[tuple[str, str]]:
    return [(cause.canonical, cause.why) for cause in error.causes]


def test_every_pair_that_does_not_fit_is_named_in_the_order_of_the_file(order, an_order):
    mapping = order()

    error = caught(mapping, an_order(total="ten", at="yesterday", state=7))

    assert error.causes == (
        Misfit("not in the table: new, done", str(mapping.path), 5, "order_state", "state", "7"),
        Misfit("not a decimal number", str(mapping.path), 7, "amount_payable", "total", "'ten'"),
        Misfit(
            "Invalid isoformat string: 'yesterday'",
            str(mapping.path), 8, "placed_at", "at", "'yesterday'",
        ),
    )  # fmt: skip
    assert (error.line, error.canonical, error.value) == (5, "order_state", "7")
    assert str(error) == f"{error.causes[0]} And 2 more."
    assert error.sentences() == [str(cause) for cause in error.causes]


def test_one_fault_reads_as_before(order, an_order):
    mapping = order()

    error = caught(mapping, an_order(total="ten"))

    assert str(error) == (
        f"{mapping.path}:7: amount_payable <- total: not a decimal number (value 'ten')."
    )
    assert (len(error.causes), error.unnamed, error.rest) == (1, 0, "")


def test_several_elements_of_one_list_are_all_named(order, an_order):
    lines = [{"id": "1", "n": -1, "sum": "x"}, None, {"id": "3", "n": 1, "sum": "1"}, {"id": "4"}]

    error = caught(order(LINES), an_order(total="ten", items=lines))

    needed = "absent, and the record cannot be without it"
    assert told(error) == [
        ("amount_payable", "not a decimal number"),
        ("lines[].quantity", "less than 0, in element 0"),
        ("lines[].line_subtotal", "not a decimal number, in element 0"),
        ("lines[]", "element 1 is null, expected an object"),
        ("lines[].quantity", f"{needed}, in element 3"),
        ("lines[].line_subtotal", f"{needed}, in element 3"),
    ]


def test_lists_inside_lists_say_where_they_stand(acme):
    deals = [
        {"ref": "a", "on": "all", "off": {"amount": "1", "code": "CNY"}, "shares": shares}
        for shares in ([], {}, [{"item": "1", "off": 1}, {"item": "1", "off": "x"}, 5])
    ]
    document = {
        "id": "7", "state": "new", "money": {"code": "CNY", "total": "1"},
        "created": "2026-10-05T08:00:00Z", "deals": deals,
    }  # fmt: skip

    error = caught(acme, document)

    shares = "adjustments[].allocations[]"
    assert told(error) == [
        (shares, "expected a list, found an object, in element 1"),
        (f"{shares}.amount", "not a decimal number, in element 1 of element 2"),
        (shares, "element 2 is a number, expected an object, in element 2"),
    ]


def test_records_of_one_document_say_which_of_them_is_at_fault(file):
    text = ORDER.replace("key: id\n", "key: id\neach: 'all[]'\n").replace(
        "amount_payable: {native: total", "amount_payable: {native: $.total, way: in"
    )
    mapping = load(file(text))
    good = {"id": "1", "state": "new", "at": "2026-10-05T08:00:00Z"}

    error = caught(
        mapping, {"total": "x", "all": [good, good | {"at": "?"}, good | {"state": "?"}]}
    )

    assert told(error) == [
        ("amount_payable", "not a decimal number"),
        ("placed_at", "Invalid isoformat string: '?', in record 1"),
        ("order_state", "not in the table: new, done, in record 2"),
    ]


def test_what_stands_in_the_root_is_named_once_however_many_lines_read_it(order, an_order):
    more = '  "lines[].unit": {native: $.unit, as: text, way: in}\n'
    lines = [{"id": str(n), "n": 1, "sum": "1"} for n in range(3)]

    error = caught(order(LINES + more), an_order(unit=[5], items=lines))

    assert told(error) == [("lines[].unit", "expected text, found a list")]


def test_twenty_places_are_named_and_the_rest_is_counted(order, an_order):
    def lines(count: int) -> list[Any]:
        return [{"id": str(n), "n": "x", "sum": "1"} for n in range(count)]

    mapping = order(LINES)
    exact, more = (caught(mapping, an_order(items=lines(count))) for count in (20, 23))

    places = [f"not a decimal number, in element {n}" for n in range(20)]
    assert [cause.why for cause in exact.causes] == places
    assert (exact.unnamed, exact.sentences()[-1]) == (0, str(exact.causes[-1]))
    assert [cause.why for cause in more.causes] == places
    assert (more.unnamed, more.sentences()[20:]) == (3, ["3 more places do not fit."])
    assert str(more).endswith("in element 0 (value 'x'). And 22 more.")


def test_a_field_that_is_wrong_in_every_line_hides_no_other_field(order, an_order):
    lines: list[Any] = [{"id": str(n), "n": "x", "sum": "1"} for n in range(40)]
    lines[-1] = {"id": "39", "n": 1, "sum": "y"}

    error = caught(order(LINES), an_order(items=lines))

    assert told(error) == [
        *(("lines[].quantity", f"not a decimal number, in element {n}") for n in range(19)),
        ("lines[].line_subtotal", "not a decimal number, in element 39"),
    ]
    assert error.unnamed == 20


def test_no_personal_value_is_in_any_cause(order, an_order):
    def refuse(value: Any) -> Any:
        raise ValueError(f"cannot take {value}")

    more = "  recipient_name: {native: who, as: acme_name, way: in}\n"
    more += "  recipient_zip: {native: zip, as: text}\n"
    more += "  recipient_phone: {native: phone, as: acme_name, way: in}\n"
    mapping = order(more, transforms={"acme_name": Transform(refuse)})

    error = caught(
        mapping, an_order(total="ten", who="Wang Xiao", zip="\x00 200040", phone=13800138000)
    )

    text = repr(error.causes) + " ".join(error.sentences())
    assert [(cause.canonical, cause.value) for cause in error.causes] == [
        ("amount_payable", "'ten'"),
        ("recipient_name", "text of 9 characters"),
        ("recipient_zip", "text of 8 characters"),
        ("recipient_phone", "text of 11 characters"),
    ]
    assert [word for word in ("Wang", "200040", "13800138000") if word in text] == []


def test_a_document_without_a_key_is_told_with_all_that_is_wrong_in_it(order, an_order):
    mapping = order()

    with pytest.raises(MappingError) as raised:
        mapping.keys(an_order(id="", total="ten"))

    assert told(raised.value) == [
        ("key", "no external id"),
        ("amount_payable", "not a decimal number"),
    ]


def test_every_record_without_a_key_is_named(file):
    mapping = load(file(ORDER.replace("key: id\n", "key: id\neach: 'all[]'\n")))
    good = {"id": "1", "state": "new", "total": "1", "at": "2026-10-05T08:00:00Z"}

    with pytest.raises(MappingError) as raised:
        mapping.keys({"all": [good | {"id": ""}, good, good | {"id": ""}]})

    assert told(raised.value) == [
        ("key", "no external id, in record 0"),
        ("key", "no external id, in record 2"),
    ]


def test_explain_tells_of_lists_and_elements_nothing_can_be_read_in(order, an_order):
    mapping = order(LINES)
    lines = [{"id": "1", "n": 1, "sum": "1"}, 7]

    assert misfits(mapping.explain(an_order(items=lines, total="ten"))).splitlines() == [
        "2 place(s) do not fit.",
        f"  {mapping.path}:7: amount_payable <- total: not a decimal number",
        f"  {mapping.path}:9: lines[] <- items[]: element 1 is a number, expected an object",
    ]
    element = [row for row in mapping.explain(an_order(items=lines)) if row.error]
    whole = [row for row in mapping.explain(an_order(items={})) if row.error]

    assert [(row.canonical, row.native, row.line, row.error) for row in element + whole] == [
        ("lines[]", "items[]", 9, "element 1 is a number, expected an object"),
        ("lines[]", "items[]", 9, "expected a list, found an object"),
    ]


def test_proving_a_mapping_fails_with_one_line_for_each_cause(file, tmp_path):
    path = file(ORDER)
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "order.json").write_text('{"id": "1", "state": "new"}', "utf-8")

    report = prove(path, cases=0)

    why = "absent, and the record cannot be without it (value absent)."
    assert report.failures == [
        f"order.json[0]: {path}:7: amount_payable <- total: {why}",
        f"order.json[0]: {path}:8: placed_at <- at: {why}",
    ]


# --- a law: what was broken is what is named ------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    """One native place of a document, and the pair that reads it, alone."""

    pair: Pair
    holder: dict[str, Any]
    name: str
    at: tuple[int, ...]


def absolute(mapping: Mapping, text: str) -> tuple[Segment, ...]:
    path = parse(text)
    prefix = mapping.spec.each.segments if mapping.spec.each is not None else ()
    return path.segments if path.rooted else (*prefix, *path.segments)


def readers(mapping: Mapping) -> list[tuple[Segment, ...]]:
    """Every native place that is read, one entry per reader."""
    pairs = [pair for pair in mapping.spec.pairs() if pair.reads and pair.ref is not None]
    texts = [text for pair in pairs for text in (pair.native, pair.side_native) if text]
    return [absolute(mapping, text) for text in texts]


def is_alone(mapping: Mapping, pair: Pair) -> bool:
    """Whether no other pair reads the same place, one around it or one inside it."""
    mine = absolute(mapping, pair.native)
    near = [other for other in readers(mapping) if mine[: len(other)] == other[: len(mine)]]
    return len(near) == 1


def spots(
    mapping: Mapping, level: Level, scopes: list[Any], at: tuple[int, ...] = ()
) -> Iterator[Spot]:
    for pair in level.pairs:
        if not pair.reads or pair.codec is None or pair.ref is None or not pair.ref.segments:
            continue
        *way, name = pair.ref.segments
        holder = walk.get(scopes[pair.ref.scope], tuple(way))
        if type(holder) is dict and not isinstance(name, Where) and is_alone(mapping, pair):
            yield Spot(pair, holder, str(name), at)
    for branch in level.branches:
        for number, element in enumerate(walk.items(walk.seek(scopes, branch.ref)) or ()):
            if type(element) is dict:
                inner = [*scopes[:-1], element, scopes[ROOT]]
                yield from spots(mapping, branch.level, inner, (*at, number))


def break_it(spot: Spot) -> bool:
    """Put a value there that the pair does not take; false if it takes them all."""
    for odd in ODD:
        try:
            walk.decode(spot.pair, spot.pair.codec, odd, [{}, {}, {}, {}])
        except Exception:
            spot.holder[spot.name] = odd
            return True
    return False


KNOWN = [load(file, transforms=transforms(file.parent.name)) for file in FILES]
APART = [
    mapping
    for mapping in KNOWN
    if any(is_alone(mapping, pair) for pair in mapping.spec.pairs() if pair.reads and pair.ref)
]
"""The mappings whose documents no transform reads as a whole: there one break is one fault."""


@pytest.mark.parametrize("mapping", APART, ids=lambda m: f"{m.path.parent.name}-{m.kind}")
@QUICK
@given(data=st.data(), setting=samples.settings)
def test_exactly_the_broken_places_are_named(mapping, data, setting):
    document = document_of(data, mapping, setting)
    items = walk.records(mapping.spec, document)
    found = [spot for item in items for spot in spots(mapping, mapping.spec.top, [item, document])]
    by_field = st.lists(
        st.sampled_from(found or [None]),
        min_size=1,
        max_size=8,
        unique_by=lambda s: s and s.pair.canonical,
    )
    broken = [spot for spot in data.draw(by_field) if spot is not None and break_it(spot)]

    if not broken:
        assert len(mapping.to_canonical(document)) == len(items)
        return
    error = caught(mapping, document)

    assert sorted(cause.canonical for cause in error.causes) == sorted(
        spot.pair.canonical for spot in broken
    )
    lines = {cause.canonical: cause.line for cause in error.causes}
    assert lines == {spot.pair.canonical: spot.pair.line for spot in broken}
    assert error.unnamed == 0

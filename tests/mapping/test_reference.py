"""docs/reference/mapping.md tells the truth: its example works, and it leaves nothing out."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from hub import mapping as package
from hub.mapping import check, load
from hub.mapping import test as prove
from hub.mapping.transforms import BUILT_IN
from hub.sdk.hooks import Transform

from .conftest import LINES, ORDER
from .test_load import BAD_FILES, BAD_PAIRS

SCHEMA = {"properties": {"state": {"enum": ["new", "done", "lost"]}, "id": {}}}
MORE = [
    ORDER.replace("as: instant", "as: instnt"),
    'kind: product\nkey: id\npairs:\n  "listing[].title": {native: "x[]", as: text}\n',
    ORDER.replace("done: completed", "done: finished"),
    ORDER + "  seller_flag: {native: x, as: acme_in}\n",
    ORDER + "  seller_memo: {native: $.x, as: text}\neach: 'orders[]'\n",
    "# " + "x" * 300_000,
    ORDER + LINES + '  "lines[].unit": {native: "others[].unit", as: text}\n',
    ORDER + LINES + '  "lines[].unit": {native: $.unit, as: text}\n',
    ORDER
    + LINES
    + '  "lines[].tax_amount": {native: "items[].x", as: money, currency: {native: "b[].c"}}\n',
    ORDER + LINES.replace("scale: 0", "scale: 3"),
    ORDER + "  lines.quantity: {native: x, as: text}\n",
    ORDER + "  placed: {native: id, as: instant}\n",
    ORDER.replace("as: instant", 'as: instant, "null": absent'),
    ORDER.replace("kind: order", "kind: product")
    + "  listing: {native: x, as: text}\n  listing.title[]: {native: x, as: text}\n",
]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "mapping.md").read_text("utf-8")
SPEC = json.loads((ROOT / "hub" / "mapping" / "spec.schema.json").read_text("utf-8"))
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_example_loads_and_holds_its_laws(file):
    report = prove(file(EXAMPLE), cases=20)

    assert (report.is_good, report.failures) == (True, [])


def test_the_example_maps_an_order(file):
    document = {
        "id": "A1", "state": "packed", "money": {"code": "CNY", "total": "12.30"}, "created": "2026-01-31T08:00:00Z",
        "unit": "KGM", "changed": 1_790_000_000, "items": [{"id": "1", "code": "T", "n": "1.5", "sum": "12.3"}],
    }  # fmt: skip
    mapping = load(file(EXAMPLE))

    order = mapping.to_record(mapping.to_canonical(document)[0])

    assert (order.order_state, order.amount_payable, order.lines[0].quantity) == (
        "confirmed",
        1230,
        1500,
    )
    assert mapping.to_native(order, onto=document) == document


@pytest.mark.parametrize(
    "name", [*SPEC["properties"], *SPEC["$defs"]["pair"]["properties"], *BUILT_IN]
)
def test_every_key_option_and_transform_is_explained(name):
    assert f"`{name}" in PAGE


def test_every_way_a_file_can_be_wrong_is_in_the_table_and_nothing_else(file):
    table = PAGE.split("## What can be wrong")[1].split("| problem |")[1].split("\n\n")[0]
    listed = {
        phrase
        for row in table.splitlines()[2:]
        for phrase in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    texts = [f"{ORDER}  {line}\n" for line, _ in BAD_PAIRS] + [text for text, _ in BAD_FILES] + MORE
    (file("").parent / "order.schema.json").write_text(json.dumps(SCHEMA))
    known = {"acme_in": Transform(lambda value: value)}
    found = {problem.why for text in texts for problem in check(file(text), transforms=known)}
    found |= {problem.why for problem in check(file("").with_name("none.yaml"))}
    (file("").parent / "order.schema.json").write_text("7")
    found |= {problem.why for problem in check(file(ORDER))}

    assert [why for why in found if not any(phrase in why for phrase in listed)] == []
    assert [phrase for phrase in listed if not any(phrase in why for why in found)] == []


def test_the_public_names_are_exactly_what_the_package_offers():
    tree = ast.parse((ROOT / "hub" / "mapping" / "__init__.py").read_text("utf-8"))
    imported = {
        alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }

    assert set(package.__all__) == imported

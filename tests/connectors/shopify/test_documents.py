"""The GraphQL documents: valid, affordable, and described exactly by the native schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from connectors.shopify.documents import FIRST_COST, documents
from connectors.shopify.reading import STREAMS
from tests.connectors.shopify import native
from tests.connectors.shopify.points import Points, k

SANDBOX = Path(__file__).parents[3] / "sandbox" / "shopify" / "schema.graphql"

# Requested points by operation at the page size the connector uses; at most 1000 are allowed, and
# the cheapest plan gets 100 a second.
POINTS = {
    "CustomerById": 4,
    "CustomersPage": 42,
    "FulfillmentLines": 23,
    "FulfillmentOrderLines": 23,
    "LevelOf": 5,
    "LevelsOf": 5,
    "LevelsPage": 142,
    "LocationLevels": 43,
    "OrderById": 289,
    "OrderLines": 53,
    "OrderWorks": 128,
    "OrdersPage": 922,
    "PersonalData": 4,
    "ProductById": 55,
    "ProductVariants": 53,
    "ProductsPage": 322,
    "RefundLines": 33,
    "SetStock": 10,
    "Whoami": 5,
}
FIRST = {stream.pages: stream.first for stream in STREAMS.values()}


def test_documents_and_native_schemas_fit_the_published_schema() -> None:
    file = native.published()
    if file is None:
        pytest.skip("Shopify's schema is not here: set HUB_SHOPIFY_SCHEMA")
    schema = native.read_schema(file)

    for name, text in documents().items():
        assert validate(schema, parse(text)) == [], name
    for name in native.DOCUMENTS:
        written = json.loads((native.MAPPINGS / f"{name}.schema.json").read_text("utf-8"))
        assert written == native.native_schema(schema, name), f"{name}: run native.py again"


def test_the_formula_is_the_measured_one() -> None:
    assert [k(n) for n in (0, 1, 2, 3, 5, 10, 20, 25, 50, 100, 200, 250)] == [
        0, 1, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11,
    ]  # fmt: skip


def test_every_operation_costs_what_we_say_and_may_be_asked() -> None:
    schema = build_schema(SANDBOX.read_text("utf-8"), assume_valid=True)
    found = {
        name: Points(schema, text).requested(first=FIRST.get(name, 0))
        for name, text in documents().items()
    }

    assert found == POINTS
    assert max(found.values()) <= 1000


def test_the_first_guess_of_a_cost_is_the_computed_one_or_covered_by_the_small_one() -> None:
    assert {name: POINTS[name] for name in FIRST_COST} == FIRST_COST
    assert max(cost for name, cost in POINTS.items() if name not in FIRST_COST) <= 60


def test_an_operation_is_sent_with_its_own_fragments_only() -> None:
    text = documents()["LevelOf"]

    assert text.count("fragment ") == 1
    assert "fragment LevelDocument" in text
    assert "#" not in text

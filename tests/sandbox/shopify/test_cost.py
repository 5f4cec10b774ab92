"""The cost formula of section 4.3 and the figures of Appendix A."""

import pytest

from sandbox.shopify import cost, plan, schema

FIGURES = {
    "OrdersPage": (331, 425, 519),
    "OrderMoneyDetail": (60, 60, 60),
    "FulfillmentWork": (123, 123, 123),
    "FulfillmentOrdersChanged": (9, 11, 13),
    "ProductsPage": (282, 362, 442),
    "CustomersPage": (37, 47, 57),
    "CodeDiscounts": (79, 101, 123),
    "Payouts": (46, 46, 46),
    "SetStock": (13, 13, 13),
    "AdjustStock": (11, 11, 11),
    "UpsertProduct": (10, 10, 10),
    "Prices": (10, 10, 10),
    "Activate": (10, 10, 10),
    "MakeCoupon": (10, 10, 10),
    "MakeAuto": (10, 10, 10),
    "Cancel": (10, 10, 10),
    "BulkExport": (10, 10, 10),
    "Refund": (20, 20, 20),
    "Ship": (11, 11, 11),
    "Subscribe": (11, 11, 11),
    "BulkPoll": (1, 1, 1),
    "BulkList": (6, 6, 6),
    "Subs": (11, 11, 11),
    "Locs": (9, 9, 9),
    "Levels": (24, 24, 24),
    "Whoami": (5, 5, 5),
}


def price(query, **variables):
    document, errors = schema.checked(query)
    assert not errors
    assert document is not None
    compiled = plan.compiled(document, None)
    assert compiled is not None
    return cost.requested(compiled, variables)


def test_every_operation_of_the_appendix_has_a_figure(operations):
    assert set(operations) == set(FIGURES)


@pytest.mark.parametrize(("name", "figures"), FIGURES.items())
def test_an_operation_costs_what_the_appendix_says(operations, name, figures):
    assert tuple(price(operations[name], first=n) for n in (50, 100, 250)) == figures


def test_a_page_multiplies_its_node_by_the_logarithm_of_its_size():
    sizes = (0, 1, 2, 3, 5, 10, 20, 25, 50, 100, 200, 250)
    assert [cost.k(n) for n in sizes] == [0, 1, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11]


def test_measured_pages_cost_what_was_measured():
    flat = "{ orders(first: 250) { nodes { id name } } }"
    nested = "{ orders(first: 250) { nodes { id lineItems(first: 250) { nodes { id } } } } }"
    assert (price(flat), price(nested)) == (13, 156)


def test_edges_cost_as_nodes_and_fragments_as_what_they_hold():
    nodes = "{ orders(first: 50) { nodes { id customer { id } } } }"
    edges = "{ orders(first: 50) { edges { cursor node { id customer { id } } } } }"
    parts = (
        "query { orders(first: 50) { nodes { ...O } } } fragment O on Order { id ...C } "
        "fragment C on Order { customer { id } }"
    )
    assert price(nodes) == price(edges) == price(parts) == 16


def test_root_fields_add_up_and_counts_are_dear():
    assert price("{ shop { id } ordersCount { count } a: shop { id } }") == 12


def test_a_field_left_out_by_a_directive_costs_nothing():
    query = "query Q($w: Boolean!) { orders(first: 50) { nodes { id customer @include(if: $w) { id } } } }"
    assert price(query, w=True) == 16
    assert price(query, w=False) == 9


async def test_the_actual_cost_counts_what_came_back(open_shop):
    empty = open_shop(orders=0)
    full = open_shop(orders=30)
    told = (await empty.ask("OrdersPage", first=50, q=""))["extensions"]["cost"]
    more = (await full.ask("OrdersPage", first=50, q=""))["extensions"]["cost"]
    assert (told["requestedQueryCost"], told["actualQueryCost"]) == (331, 2)
    assert more["requestedQueryCost"] == 331
    assert 2 < more["actualQueryCost"] < 331


async def test_a_flat_page_that_is_full_costs_all_of_it(open_shop):
    shop = open_shop(orders=12)
    told = await shop.ask("{ orders(first: 10) { nodes { id } } }")
    assert told["extensions"]["cost"]["actualQueryCost"] == 6
    assert told["extensions"]["cost"]["requestedQueryCost"] == 6

"""Pages and cursors (rule S6, section 6)."""

import base64
import json
import random

import pytest

IDS = (
    "query P($first: Int, $after: String, $reverse: Boolean) { orders(first: $first, "
    "after: $after, reverse: $reverse, sortKey: UPDATED_AT) { pageInfo { hasNextPage "
    "hasPreviousPage startCursor endCursor } nodes { id updatedAt } } }"
)


async def walk(shop, first, meanwhile=None):
    """Walk all pages; ``meanwhile`` changes the shop between two of them."""
    seen, after = [], None
    while True:
        page = (await shop.ask(IDS, first=first, after=after))["data"]["orders"]
        seen += [(node["id"], node["updatedAt"]) for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        if meanwhile:
            await meanwhile()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "you must provide one of first or last"),
        ("(first: 1, last: 1)", "providing both first and last is not supported"),
        (
            "(first: 251)",
            "first cannot exceed 250. To query larger amounts of data with fewer limits, bulk "
            "operations should be used instead.",
        ),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
async def test_a_page_size_is_refused_in_shopifys_words(open_shop, arguments, message, nested):
    shop = open_shop(orders=1)
    lines = f"lineItems{arguments} {{ nodes {{ id }} }}"
    orders = f"orders{arguments} {{ nodes {{ id }} }}"
    query = f"{{ orders(first: 1) {{ nodes {{ {lines} }} }} }}" if nested else f"{{ {orders} }}"

    answer = await shop.ask(query)

    (error,) = answer["errors"]
    assert error["message"] == message
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert error["path"][0] == "orders"
    assert answer["data"] == {"orders": None}


async def test_a_cursor_is_base64_of_the_last_id_and_value(open_shop):
    shop = open_shop(orders=3)
    page = (await shop.ask(IDS, first=2))["data"]["orders"]

    body = json.loads(base64.b64decode(page["pageInfo"]["endCursor"]))

    assert set(body) == {"last_id", "last_value"}
    assert page["nodes"][1]["id"] == f"gid://shopify/Order/{body['last_id']}"
    assert body["last_value"][:19].replace(" ", "T") + "Z" == page["nodes"][1]["updatedAt"]
    assert len(body["last_value"]) == len("2026-09-21 14:13:20.000000")


async def test_an_empty_list_has_no_cursors(shop):
    page = (await shop.ask(IDS, first=2))["data"]["orders"]
    assert page == {
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
        "nodes": [],
    }


@pytest.mark.parametrize("first", [1, 3, 7, 250])
async def test_pages_of_any_size_show_everything_once_and_in_order(open_shop, first):
    shop = open_shop(orders=20)
    seen = await walk(shop, first)
    assert len({key for key, _ in seen}) == len(seen) == 20
    assert [at for _, at in seen] == sorted(at for _, at in seen)


async def test_an_ascending_walk_loses_nothing_while_orders_change(open_shop):
    shop = open_shop(orders=30)
    rng = random.Random(4)  # noqa: S311 - a script
    before = {row["id"] for row in (await shop.truth())["orders"]}
    changes = 0

    async def meanwhile():
        nonlocal changes
        shop.time += 1
        if changes < 12:
            row = rng.choice((await shop.truth())["orders"])
            await shop.act("pay", order=row["id"])
            changes += 1

    seen = await walk(shop, 4, meanwhile)

    assert {key for key, _ in seen} == before
    assert changes >= 7
    assert len(seen) > len(before)


async def test_backwards_and_reversed_pages_mirror_each_other(open_shop):
    shop = open_shop(orders=9)
    whole = [key for key, _ in await walk(shop, 250)]
    down = (await shop.ask(IDS, first=4, reverse=True))["data"]["orders"]
    assert [node["id"] for node in down["nodes"]] == whole[::-1][:4]

    more = (await shop.ask(IDS, first=4, reverse=True, after=down["pageInfo"]["endCursor"]))[
        "data"
    ]["orders"]
    assert [node["id"] for node in more["nodes"]] == whole[::-1][4:8]
    assert more["pageInfo"]["hasPreviousPage"] is True

    query = "query L($b: String) { orders(last: 2, before: $b, sortKey: ID) { edges { cursor node { id } } } }"
    last = (await shop.ask(query))["data"]["orders"]["edges"]
    before = (await shop.ask(query, b=last[0]["cursor"]))["data"]["orders"]["edges"]
    assert last[0]["node"]["id"] > before[1]["node"]["id"] > before[0]["node"]["id"]


async def test_a_cursor_of_another_sort_or_no_cursor_is_refused(open_shop):
    shop = open_shop(orders=3)
    page = (await shop.ask(IDS, first=1))["data"]["orders"]
    other = "query P($a: String) { orders(first: 1, after: $a, sortKey: ID) { nodes { id } } }"
    for cursor in (page["pageInfo"]["endCursor"], "nonsense"):
        answer = await shop.ask(other, a=cursor)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_nested_list_is_paged_by_its_own_cursor(open_shop):
    shop = open_shop(products=1, variants=5)
    query = (
        "query P($id: ID!, $a: String) { product(id: $id) { variants(first: 2, after: $a) "
        "{ pageInfo { hasNextPage endCursor } nodes { sku } } } }"
    )
    product = (await shop.truth())["products"][0]
    skus, after = [], None
    for _ in range(3):
        page = (await shop.ask(query, id=product["id"], a=after))["data"]["product"]["variants"]
        skus += [node["sku"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert skus == [variant["sku"] for variant in product["variants"]]
    assert page["pageInfo"]["hasNextPage"] is False


async def test_the_search_index_lags_and_reads_by_id_do_not(open_shop):
    shop = open_shop(orders=0, index_lag_s=5.0)
    sku = (await shop.level())["sku"]
    shop.time += 60
    placed = await shop.act("place_order", lines=[{"sku": sku, "quantity": 1}])

    assert (await shop.ask(IDS, first=5))["data"]["orders"]["nodes"] == []
    by_id = await shop.ask("query O($id: ID!) { order(id: $id) { name } }", id=placed["order"])
    assert by_id["data"]["order"]["name"] == placed["name"]

    shop.time += 5
    nodes = (await shop.ask(IDS, first=5))["data"]["orders"]["nodes"]
    assert [node["id"] for node in nodes] == [placed["order"]]


async def test_counts_stop_at_their_limit_and_variant_counts_ignore_their_filter(open_shop):
    shop = open_shop(orders=7)
    answer = await shop.ask(
        '{ ordersCount(limit: 5) { count precision } productVariantsCount(query: "sku:NONE") '
        "{ count precision } }"
    )
    assert answer["data"]["ordersCount"] == {"count": 5, "precision": "AT_LEAST"}
    assert answer["data"]["productVariantsCount"] == {"count": 30, "precision": "EXACT"}

"""Walks: nothing is lost between two of them, nothing is cut short, nothing changed is one request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from connectors.shopify import Shopify
from connectors.shopify.reading import search
from hub.errors import ContractBroken, Rejected
from hub.sdk import Kind
from hub.sdk.fakes import FakeConnection
from tests.connectors.shopify.shop import FORM, START, Shop, a_shop, documents, walk

PAGES = {"order": "OrdersPage", "product": "ProductsPage", "member": "CustomersPage"}
KINDS: list[Kind] = ["order", "product", "member", "inventory"]
NO_MORE = {"hasNextPage": False, "endCursor": None}
MORE = {"pageInfo": {"hasNextPage": True, "endCursor": "x"}}


async def skus(shop: Shop) -> list[str]:
    return [v["sku"] for p in (await shop.truth())["products"] for v in p["variants"]]


def last_cursor(pages: list[Any]) -> dict[str, Any]:
    return json.loads(json.dumps(pages[-1].cursor))


# The filter


def test_a_timestamp_is_quoted_and_reaches_five_minutes_back() -> None:
    assert search({"mark": "2026-10-05T08:03:11Z"}) == "updated_at:>='2026-10-05T07:58:11Z'"


def test_the_beginning_has_no_filter() -> None:
    assert search({}) is None


def test_a_back_fill_has_both_bounds_in_utc_the_upper_one_with_its_fractions() -> None:
    cursor = {"since": "2026-10-01T08:00:00+08:00", "until": "2026-10-02T00:00:00Z"}

    assert search(cursor) == (
        "updated_at:>='2026-10-01T00:00:00Z' AND updated_at:<='2026-10-02T00:00:01Z'"
    )


def test_the_middle_of_a_walk_keeps_the_filter_of_its_beginning() -> None:
    cursor = {"mark": "2026-10-05T08:03:11Z", "after": "abc", "high": "2026-10-06T00:00:00Z"}

    assert search(cursor) == search({"mark": "2026-10-05T08:03:11Z"})


# Marks


@pytest.mark.parametrize("kind", KINDS)
async def test_the_first_walk_shows_all_there_is(kind: Kind) -> None:
    async with a_shop(orders=100) as shop:
        found = await documents(shop.connector(), kind)
        truth = await shop.truth()

    count = {
        "order": len(truth["orders"]),
        "product": len(truth["products"]),
        "member": len(truth["customers"]),
        "inventory": len(truth["stock"]),
    }
    assert len({d["id"] for d in found}) == count[kind] == len(found)


@pytest.mark.parametrize("kind", ["order", "product", "member"])
async def test_the_mark_is_the_greatest_time_seen(kind: Kind) -> None:
    async with a_shop() as shop:
        pages = await walk(shop.connector(), kind)

    latest = max(d["updatedAt"] for page in pages for d in page.documents)
    assert pages[-1].cursor == {"mark": latest}


async def test_the_mark_of_stock_is_not_later_than_the_start_of_the_walk() -> None:
    async with a_shop() as shop:
        first = await walk(shop.connector(), "inventory")
        await shop.act(act="clock", at=4_000_000_000)  # the shop's clock runs far ahead of ours
        await shop.act(act="adjust_stock", sku=(await skus(shop))[0], delta=1)
        ahead = await walk(shop.connector(), "inventory", last_cursor(first))

    latest = max(d["updatedAt"] for page in ahead for d in page.documents)
    assert latest.startswith("2096-")
    assert ahead[-1].cursor["mark"] < latest


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_changed_is_exactly_one_request(kind: Kind) -> None:
    async with a_shop(orders=200) as shop:
        cursor = last_cursor(await walk(shop.connector(), kind))
        await shop.act(act="clock", at=START + 86_400)
        shop.asked.operations.clear()

        pages = await walk(shop.connector(), kind, cursor)

    assert shop.asked.operations == [PAGES.get(kind, "LevelsPage")]
    assert len(pages) == 1
    assert pages[0].done is True
    assert pages[0].cursor == cursor


async def test_an_empty_shop_keeps_its_cursor_at_the_beginning() -> None:
    async with a_shop(orders=0) as shop:
        pages = await walk(shop.connector(), "order")

    assert [(list(page.documents), page.cursor, page.done) for page in pages] == [([], {}, True)]


async def test_in_the_middle_of_a_walk_the_old_mark_stands() -> None:
    async with a_shop(orders=100) as shop:
        old = {"mark": "2020-01-01T00:00:00Z"}
        pages = await walk(shop.connector(), "order", old)

    assert len(pages) == 2
    assert pages[0].cursor["mark"] == "2020-01-01T00:00:00Z"
    assert pages[0].cursor["after"]
    assert pages[0].done is False
    assert set(pages[1].cursor) == {"mark"}
    assert pages[1].cursor["mark"] > "2026"


async def test_an_order_changed_in_the_middle_of_a_walk_comes_again_and_none_is_lost() -> None:
    async with a_shop(orders=100) as shop:
        connector = shop.connector()
        wanted = {order["id"] for order in (await shop.truth())["orders"]}
        seen: list[dict[str, Any]] = []
        async for page in connector.pull("order", {}):
            seen += page.documents
            if not page.done:
                placed = await shop.act(act="place_order", lines=[{"quantity": 1, "price": 500}])
                await shop.act(act="pay", order=page.documents[0]["name"])

    assert {d["id"] for d in seen} == wanted | {placed["order"]}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_shows_in_the_next_walk(kind: Kind) -> None:
    async with a_shop() as shop:
        cursor = last_cursor(await walk(shop.connector(), kind))
        await shop.act(act="clock", at=START + 3600)
        sku = (await skus(shop))[0]
        customer = (await shop.truth())["customers"][0]["id"]
        changes: dict[Kind, dict[str, Any]] = {
            "order": {"act": "place_order", "lines": [{"quantity": 1, "price": 500}]},
            "product": {"act": "edit_product", "sku": sku, "title": "新品"},
            "member": {"act": "edit_customer", "customer": customer, "note": "VIP"},
            "inventory": {"act": "adjust_stock", "sku": sku, "delta": 2},
        }
        await shop.act(**changes[kind])

        pages = await walk(shop.connector(), kind, cursor)

    assert shop.asked.operations[-1] == PAGES.get(kind, "LevelsPage")
    changed = [d for d in pages[0].documents if d["updatedAt"] == "2026-09-21T15:13:20Z"]
    assert len(changed) == 1
    assert pages[-1].cursor == {"mark": "2026-09-21T15:13:20Z"}


async def test_a_back_fill_shows_its_window_and_leaves_no_mark() -> None:
    async with a_shop(orders=60) as shop:
        everything = await documents(shop.connector(), "order")
        times = sorted(d["updatedAt"] for d in everything)
        window = {"since": times[10], "until": times[40]}
        pages = await walk(shop.connector(), "order", window)

    shown = sorted(d["updatedAt"] for page in pages for d in page.documents)
    wanted = [at for at in times if window["since"] <= at <= window["until"]]
    assert [at for at in shown if at <= window["until"]] == wanted
    assert pages[-1].done is True
    assert pages[-1].cursor == window


# Whole documents


async def test_an_order_of_many_lines_is_read_alone_and_whole() -> None:
    async with a_shop(orders=1) as shop:
        lines = [{"quantity": 1, "price": 100 + at} for at in range(30)]
        placed = await shop.act(act="place_order", lines=lines)
        found = await documents(shop.connector(), "order")

    order = next(d for d in found if d["id"] == placed["order"])
    assert len(order["lineItems"]["nodes"]) == 30
    assert order["lineItems"]["pageInfo"]["hasNextPage"] is False
    assert shop.asked.operations == ["OrdersPage", "OrderById"]


async def test_an_order_beyond_one_page_of_lines_is_read_on() -> None:
    async with a_shop(orders=1) as shop:
        sku = (await skus(shop))[0]
        await shop.act(act="adjust_stock", sku=sku, delta=1000)
        lines = [{"sku": sku, "quantity": 1} for _ in range(300)]
        placed = await shop.act(act="place_order", lines=lines, force=True)
        await shop.act(act="fulfil", order=placed["order"])
        order = await shop.connector().fetch("order", placed["order"])

    assert order is not None
    ids = [line["id"] for line in order["lineItems"]["nodes"]]
    assert len(ids) == len(set(ids)) == 300
    assert len(order["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]) == 300
    assert sum(line["hub"]["shipped"] for line in order["lineItems"]["nodes"]) == 300
    assert sorted(shop.asked.operations) == [
        "FulfillmentLines", "FulfillmentOrderLines", "OrderById", "OrderLines",
    ]  # fmt: skip


async def test_a_product_of_many_variants_is_read_whole() -> None:
    async with a_shop(products=1, variants=400) as shop:
        found = await documents(shop.connector(), "product")
        truth = await shop.truth()

    assert [len(d["variants"]["nodes"]) for d in found] == [
        len(p["variants"]) for p in truth["products"]
    ]
    assert max(len(d["variants"]["nodes"]) for d in found) > 54


async def test_stock_of_many_items_is_read_place_by_place() -> None:
    async with a_shop(products=40, variants=200, locations=("East", "West", "North")) as shop:
        pages = await walk(shop.connector(), "inventory")
        truth = await shop.truth()

    keys = [d["hub"]["key"] for page in pages for d in page.documents]
    assert sorted(keys) == sorted(f"{one['item']}@{one['location']}" for one in truth["stock"])
    assert shop.asked.operations == ["LevelsPage"] + ["LocationLevels"] * 3
    assert [page.done for page in pages] == [False, False, False, True]


async def test_stock_resumed_from_any_page_loses_nothing() -> None:
    async with a_shop(products=40, variants=200, locations=("East", "West", "North")) as shop:
        pages = await walk(shop.connector(), "inventory")
        everything = {d["id"] for page in pages for d in page.documents}
        for at, page in enumerate(pages):
            before = {d["id"] for one in pages[: at + 1] for d in one.documents}
            resumed = await walk(shop.connector(), "inventory", json.loads(json.dumps(page.cursor)))
            after = {d["id"] for one in resumed for d in one.documents}
            assert before | after == everything


async def test_a_planted_order_that_breaks_its_promise_goes_on_to_its_mapping() -> None:
    async with a_shop(orders=3, bad=3) as shop:
        pages = await walk(shop.connector(), "order")

    assert sum(len(page.documents) for page in pages) == 6
    assert [fault for page in pages for fault in page.faults] == []


async def test_an_order_served_from_many_places_is_read_on() -> None:
    async with a_shop(orders=3, locations=tuple(f"Place {n}" for n in range(25))) as shop:
        every = (await shop.truth())["stock"]
        sku = every[0]["sku"]
        places = [one["location"] for one in every if one["sku"] == sku]
        lines = [{"sku": sku, "quantity": 1, "location": place} for place in places]
        placed = await shop.act(act="place_order", lines=lines, force=True)
        for line in range(25):
            await shop.act(act="fulfil", order=placed["order"], number=f"SF{line:010d}")
        found = await documents(shop.connector(), "order")

    order = next(d for d in found if d["id"] == placed["order"])
    assert len(order["fulfillmentOrders"]["nodes"]) == 25
    assert len(found) == 4
    assert "OrderWorks" in shop.asked.operations


@asynccontextmanager
async def answering(replies: dict[str, Any]) -> AsyncIterator[Shopify]:
    """A shop that gives the same data for an operation every time."""

    def answer(request: httpx.Request) -> httpx.Response:
        data = replies[json.loads(request.content)["operationName"]]
        return httpx.Response(200, json={"data": data})

    connector = Shopify(FakeConnection(FORM, transport=httpx.MockTransport(answer)))
    yield connector
    await connector.close()


async def test_an_order_with_more_than_anyone_can_read_is_held_and_its_neighbours_go_on() -> None:
    async with a_shop(orders=3) as shop:
        first, *others = await documents(shop.connector(), "order")
    endless = {**first, "discountApplications": {**MORE, "nodes": []}}
    found = {"pageInfo": NO_MORE, "nodes": [endless, *others]}

    async with answering({"OrdersPage": {"orders": found}, "OrderById": {"order": endless}}) as one:
        (page,) = await walk(one, "order")

    assert [d["id"] for d in page.documents] == [d["id"] for d in others]
    (fault,) = page.faults
    assert (fault.key, fault.document["id"]) == (first["id"], first["id"])
    assert "more discountApplications than can be read" in str(fault.error)
    assert page.done is True


async def test_pages_that_go_in_a_circle_break_the_contract() -> None:
    async with a_shop() as shop:
        product = (await documents(shop.connector(), "product"))[0]
    cut = {**product, "variants": {**MORE, "nodes": []}}

    replies = {"ProductById": {"product": cut}, "ProductVariants": {"product": cut}}
    async with answering(replies) as one:
        with pytest.raises(ContractBroken, match="in a circle"):
            await one.fetch("product", product["id"])


async def test_a_product_deleted_while_it_is_read_is_what_was_seen_of_it() -> None:
    async with a_shop() as shop:
        product = (await documents(shop.connector(), "product"))[0]
    variants = product["variants"]["nodes"]
    cut = {**product, "variants": {**MORE, "nodes": variants}}
    page = {"products": {"pageInfo": NO_MORE, "nodes": [cut]}}

    replies = {"ProductsPage": page, "ProductById": {"product": None}}
    async with answering({**replies, "ProductVariants": {"product": None}}) as one:
        (found,) = await documents(one, "product")

    assert found["variants"]["nodes"] == variants
    assert found["variants"]["pageInfo"]["hasNextPage"] is False


async def test_a_place_deleted_in_the_middle_of_a_walk_ends_there() -> None:
    cursor = {"started": "2026-10-05T08:00:00Z", "open": [["gid://shopify/Location/1", "x"]],
              "next": None, "high": "2026-10-05T07:00:00Z"}  # fmt: skip

    async with answering({"LocationLevels": {"location": None}}) as one:
        (page,) = await walk(one, "inventory", cursor)

    assert (page.documents, page.done) == ([], True)
    assert page.cursor == {"mark": "2026-10-05T07:00:00Z"}


# One object


async def test_a_fetched_object_is_what_the_walk_shows() -> None:
    async with a_shop() as shop:
        connector = shop.connector()
        for kind in KINDS:
            shown = (await documents(connector, kind))[0]
            key = shown["hub"]["key"] if kind == "inventory" else shown["id"]
            assert await connector.fetch(kind, key) == shown, kind


async def test_what_is_no_shopify_id_is_refused_without_asking() -> None:
    async with a_shop() as shop:
        with pytest.raises(Rejected, match="is no Shopify id"):
            await shop.connector().fetch("order", "1001")

    assert shop.asked.operations == []


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("order", "gid://shopify/Product/1"),
        ("order", "gid://shopify/Order/1"),
        ("inventory", "gid://shopify/InventoryItem/1@gid://shopify/Location/1"),
    ],
)
async def test_an_unknown_id_or_one_of_another_kind_is_nothing(kind: Kind, key: str) -> None:
    async with a_shop() as shop:
        assert await shop.connector().fetch(kind, key) is None

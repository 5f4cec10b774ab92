"""The shop before it opens."""

import json
from decimal import Decimal

from sandbox.shopify import app


def ean_is_valid(code):
    digits = [int(d) for d in code]
    return len(digits) == 13 and (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


async def test_the_default_catalogue_has_twelve_products_and_thirty_variants(shop):
    truth = await shop.truth()
    variants = [v for p in truth["products"] for v in p["variants"]]
    assert (len(truth["products"]), len(variants)) == (12, 30)
    assert len({v["sku"] for v in variants}) == 30
    assert len({v["barcode"] for v in variants}) == 30
    assert all(ean_is_valid(v["barcode"]) for v in variants)
    assert "TEE-RED-M" in {v["sku"] for v in variants}
    assert [p["name"] for p in truth["locations"]] == ["Store Nanjing Rd", "Store Wukang Rd"]
    assert len(truth["customers"]) == 40
    assert {c["email_consent"] for c in truth["customers"]} >= {"SUBSCRIBED", "UNSUBSCRIBED", None}


async def test_the_opening_stock_is_the_catalogues(open_shop, tmp_path):
    shop = open_shop(folder=tmp_path, orders=60)
    catalogue = json.loads((tmp_path / "catalogue.json").read_text(encoding="utf-8"))
    lying = {
        (item["sku"], place): units
        for item in catalogue["items"]
        for place, units in item["stock"].items()
    }
    truth = await shop.truth()
    assert {
        (s["sku"], s["location_name"]): s["opening"]["on_hand"] for s in truth["stock"]
    } == lying
    assert all(s["sold"] == s["shipped"] == 0 for s in truth["stock"])
    assert sum(s["committed"] for s in truth["stock"]) > 0


async def test_two_simulators_can_share_a_catalogue(open_shop, tmp_path):
    first = open_shop(folder=tmp_path / "a", orders=0)
    second = open_shop(
        folder=tmp_path / "b", orders=0, catalogue=tmp_path / "a" / "catalogue.json", seed=9
    )

    def offers(truth):
        return [
            (v["sku"], v["barcode"], v["price"]) for p in truth["products"] for v in p["variants"]
        ]

    assert offers(await first.truth()) == offers(await second.truth())


async def test_planted_orders_break_one_promise_each(open_shop):
    shop = open_shop(orders=5, bad=3)
    truth = await shop.truth()
    query = (
        "query O($id: ID!) { order(id: $id) { currencyCode totalPriceSet { shopMoney { amount "
        "currencyCode } } lineItems(first: 1) { nodes { quantity } } } }"
    )
    seen = []
    for row in truth["planted_bad"]:
        order = (await shop.ask(query, id=row["id"]))["data"]["order"]
        money = order["totalPriceSet"]["shopMoney"]
        seen.append(
            (
                Decimal(money["amount"]).as_tuple().exponent,
                order["currencyCode"],
                order["lineItems"]["nodes"][0]["quantity"],
            )
        )
    assert seen == [(-3, "CNY", 1), (-1, None, 1), (-1, "CNY", "three")]
    assert len(truth["orders"]) == 5
    assert {row["id"] for row in truth["orders"]}.isdisjoint(
        {row["id"] for row in truth["planted_bad"]}
    )


async def test_planted_and_odd_orders_hold_no_stock(open_shop):
    plain, planted = open_shop(orders=0), open_shop(orders=0, bad=6)
    figures = [
        [(s["available"], s["committed"]) for s in (await shop.truth())["stock"]]
        for shop in (plain, planted)
    ]
    assert figures[0] == figures[1]


async def test_odd_orders_have_a_line_whose_product_is_gone(open_shop):
    shop = open_shop(orders=4, odd=2)
    query = (
        "{ orders(first: 10) { nodes { lineItems(first: 9) { nodes { sku requiresShipping "
        "variant { id } product { id } } } } } }"
    )
    nodes = (await shop.ask(query))["data"]["orders"]["nodes"]
    gone = [line for o in nodes for line in o["lineItems"]["nodes"] if line["variant"] is None]
    old = [line for line in gone if line["requiresShipping"]]
    assert [line["sku"] for line in old] == ["OLD-0", "OLD-1"]
    assert all(line["product"] is None for line in old)


async def test_history_lies_in_the_past_thirty_days(open_shop):
    shop = open_shop(orders=40)
    created = sorted(row["createdAt"] for row in (await shop.truth())["orders"])
    assert created[0] >= "2026-08-22"
    assert created[-1] < "2026-09-21T14:13:20Z"


def test_a_folder_is_taken_up_as_it_was_left(tmp_path):
    first = app(folder=tmp_path, orders=9, seed=2)
    first.world.store.close()
    second = app(folder=tmp_path, orders=50, seed=3)
    assert len(second.world.rows("order")) == 9
    assert second.world.store.rows == first.world.store.rows
    assert second.world.views.keys() == first.world.views.keys()
    assert second.world.views["order"] == first.world.views["order"]
    second.world.store.close()

"""The fault dial (rule S5)."""

import httpx
import pytest

from sandbox.shopify.faults import UnknownFault, chances

SHOP = "{ shop { id } }"


async def test_429_names_a_decimal_delay(shop):
    await shop.act("faults", next=["429"])
    reply = await shop.send(SHOP)
    assert reply.status_code == 429
    assert reply.headers["retry-after"] == "2.0"
    assert isinstance(reply.json()["errors"], str)
    assert (await shop.send(SHOP)).status_code == 200


@pytest.mark.parametrize("status", [402, 423, 430, 500, 502, 503])
async def test_a_status_comes_before_the_work(shop, status):
    before = await shop.level()
    await shop.act("faults", next=[str(status)])
    level = {"inventoryItemId": before["item"], "locationId": before["location"]}
    row = level | {"quantity": 1, "changeFromQuantity": None}
    given = {"name": "available", "reason": "correction", "quantities": [row]}
    reply = await shop.send("SetStock", input=given, key="k")
    assert reply.status_code == status
    assert await shop.level() == before


async def test_a_login_page_lies_with_200(shop):
    await shop.act("faults", next=["html"])
    reply = await shop.send(SHOP)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html")


async def test_an_internal_error_is_200_with_null_fields(shop):
    await shop.act("faults", next=["internal"])
    answer = await shop.ask(SHOP)
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert answer["data"] == {"shop": None}


async def test_a_cut_connection_does_nothing_and_a_late_cut_did_it(shop):
    before = await shop.level()
    await shop.act("faults", next=["cut", "commit_then_cut"])
    with pytest.raises(httpx.ReadError):
        await shop.set_stock(before["available"] + 1)
    assert await shop.level() == before
    with pytest.raises(httpx.ReadError):
        await shop.set_stock(before["available"] + 1)
    assert (await shop.level())["available"] == before["available"] + 1


async def test_silence_comes_after_the_work(open_shop):
    shop = open_shop(timeout_s=0.0)
    before = await shop.level()
    await shop.act("faults", next=["timeout"])
    with pytest.raises(httpx.ReadTimeout):
        await shop.set_stock(before["available"] + 1)
    assert (await shop.level())["available"] == before["available"] + 1
    again = await shop.set_stock(before["available"] + 1)
    assert again["data"]["inventorySetQuantities"]["userErrors"] == []
    assert (await shop.truth())["counters"]["replayed"] == 1


async def test_a_slow_answer_is_whole(shop):
    await shop.act("faults", next=["slow"])
    assert (await shop.ask(SHOP))["data"]["shop"]["id"].startswith("gid://shopify/Shop/")


async def test_the_dial_follows_its_chances_and_quiet_switches_it_off(open_shop):
    shop = open_shop(faults="500=0.3,429=0.2")
    statuses = [(await shop.send(SHOP)).status_code for _ in range(200)]
    assert 35 <= statuses.count(500) <= 85
    assert 20 <= statuses.count(429) <= 60
    counters = (await shop.truth())["counters"]
    assert counters["faults"] == statuses.count(500) + statuses.count(429)
    assert counters["fault.500"] == statuses.count(500)

    await shop.http.post("/_sandbox/quiet")
    assert {(await shop.send(SHOP)).status_code for _ in range(100)} == {200}


async def test_the_same_seed_draws_the_same_faults(open_shop):
    async def drawn(seed):
        shop = open_shop(faults="500=0.5", seed=seed)
        return [(await shop.send(SHOP)).status_code for _ in range(30)]

    assert await drawn(1) == await drawn(1)
    assert await drawn(1) != await drawn(2)


@pytest.mark.parametrize("spec", ["quake=0.1", "500=2", "500=x", "500"])
async def test_a_fault_that_does_not_exist_is_refused(shop, spec):
    with pytest.raises(UnknownFault):
        chances(spec)
    reply = await shop.http.post("/_sandbox/act", json={"act": "faults", "spec": spec})
    assert reply.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"act": "dance"},
        {"act": "cancel", "order": "#1"},
        {"act": "place_order", "lines": [{"sku": "NONE", "quantity": 1}]},
        {"act": "place_order"},
        {"act": "faults", "next": ["quake"]},
    ],
)
async def test_an_act_that_cannot_be_done_is_refused_with_a_sentence(shop, body):
    reply = await shop.http.post("/_sandbox/act", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]


async def test_acts_of_staff_are_seen_by_the_api(shop):
    customer = (await shop.act("new_customer"))["customer"]
    await shop.act("edit_customer", customer=customer, email_consent="UNSUBSCRIBED", note="回访")
    sku = (await shop.level())["sku"]
    product = (await shop.act("edit_product", sku=sku, price=12345, title="新品 New"))["product"]
    await shop.act("adjust_stock", sku=sku, location="Store Wukang Rd", available=9)
    query = (
        "query A($c: ID!, $p: ID!) { customer(id: $c) { note } product(id: $p) { title "
        "variants(first: 50) { nodes { sku price } } } }"
    )
    seen = (await shop.ask(query, c=customer, p=product))["data"]
    assert seen["customer"]["note"] == "回访"
    assert seen["product"]["title"] == "新品 New"
    assert {"sku": sku, "price": "123.45"} in seen["product"]["variants"]["nodes"]
    levels = {s["location_name"]: s for s in (await shop.truth())["stock"] if s["sku"] == sku}
    assert levels["Store Wukang Rd"]["available"] == 9


def test_a_usual_day_has_a_name():
    usual = chances("usual")
    assert set(usual) == {
        "429", "500", "timeout", "cut", "throttle", "commit_then_cut", "slow", "internal",
    }  # fmt: skip
    assert 0.05 < sum(usual.values()) < 0.3

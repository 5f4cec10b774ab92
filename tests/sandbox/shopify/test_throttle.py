"""The bucket (section 4.1) and the two refusals (section 12)."""

import pytest

PAGE = "{ orders(first: 100) { nodes { id } } }"  # 2 + 9


async def status(shop, query="{ shop { id } }"):
    return (await shop.ask(query))["extensions"]["cost"]["throttleStatus"]


async def test_the_bucket_pays_what_was_used_and_refills_with_time(shop):
    assert await status(shop) == {
        "maximumAvailable": 2000.0,
        "currentlyAvailable": 1999,
        "restoreRate": 100.0,
    }
    for _ in range(9):
        await status(shop)
    assert (await status(shop))["currentlyAvailable"] == 1989

    shop.simulator.gateway.bucket("custom app").charge(89)
    shop.time += 0.25
    assert (await status(shop))["currentlyAvailable"] == 1900 + 25 - 1

    shop.time += 3600
    assert (await status(shop))["currentlyAvailable"] == 1999


async def test_admission_looks_at_the_requested_cost_and_charges_the_actual_one(shop):
    for _ in range(1900):
        shop.simulator.gateway.bucket("custom app").charge(1)

    refused = await shop.ask("OrdersPage", first=50, q="")

    assert refused == {
        "errors": [
            {
                "message": "Throttled",
                "extensions": {
                    "code": "THROTTLED",
                    "documentation": "https://shopify.dev/api/usage/rate-limits",
                },
            }
        ],
        "extensions": {
            "cost": {
                "requestedQueryCost": 331,
                "actualQueryCost": None,
                "throttleStatus": {
                    "maximumAvailable": 2000.0,
                    "currentlyAvailable": 100,
                    "restoreRate": 100.0,
                },
            }
        },
    }

    shop.time += 2.25
    assert "errors" in await shop.ask("OrdersPage", first=50, q="")
    shop.time += 0.25
    admitted = await shop.ask("OrdersPage", first=50, q="")
    assert admitted["data"]["orders"]["nodes"] == []
    assert admitted["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 350 - 2


async def test_a_query_above_a_thousand_is_refused_for_ever_and_not_charged(shop):
    query = (
        "{ orders(first: 250) { nodes { id "
        + " ".join(
            f"a{n}: lineItems(first: 250) {{ nodes {{ id variant {{ id }} }} }}" for n in range(4)
        )
        + " } } }"
    )

    answer = await shop.ask(query)

    assert set(answer) == {"errors"}
    (error,) = answer["errors"]
    cost = 2 + 11 * (1 + 4 * (2 + 11 * 2))
    assert error["message"].startswith(
        f"Query cost is {cost}, which exceeds the single query max cost limit (1000)."
    )
    assert error["extensions"] == {
        "code": "MAX_COST_EXCEEDED",
        "cost": cost,
        "maxCost": 1000,
        "documentation": "https://shopify.dev/api/usage/rate-limits",
    }
    assert (await status(shop))["currentlyAvailable"] == 1999


@pytest.mark.parametrize(
    ("plan", "capacity", "rate"),
    [("advanced", 4000.0, 200.0), ("plus", 20000.0, 1000.0), ("enterprise", 40000.0, 2000.0)],
)
async def test_a_plan_has_its_bucket(open_shop, plan, capacity, rate):
    told = await status(open_shop(plan=plan))
    assert (told["maximumAvailable"], told["restoreRate"]) == (capacity, rate)


async def test_a_throttle_fault_empties_the_bucket_for_about_a_second(shop):
    await shop.act("faults", next=["throttle"])

    refused = await shop.ask("OrdersPage", first=50, q="")

    assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
    left = refused["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"]
    assert left == 331 - 100
    shop.time += 1
    assert "errors" not in await shop.ask("OrdersPage", first=50, q="")

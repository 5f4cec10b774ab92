"""Stock writes: absolute, compared with what was last seen, each change answered once."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shopify import Shopify
from connectors.shopify.stock import batch_key, row
from connectors.shopify.whole import stock_key
from hub.errors import Conflict, ContractBroken, HubError, Rejected, Retry
from hub.sdk import Change, Outcome
from hub.sdk.fakes import FakeConnection
from tests.connectors.shopify.shop import FORM, Shop, a_shop, mapping

Level = dict[str, Any]


def a_change(item: str, location: str, wanted: int, seen: int | None, version: int = 1) -> Change:
    document = {
        "item": {"id": item},
        "location": {"id": location},
        "quantities": [{"name": "available", "quantity": wanted}],
    }
    shown = {} if seen is None else {"available": seen}
    return Change(stock_key(item, location), document, seen=shown, version=version)


def of(level: Level, wanted: int, seen: int | None = None, version: int = 1) -> Change:
    return a_change(level["item"], level["location"], wanted, seen, version)


async def levels(shop: Shop) -> list[Level]:
    return (await shop.truth())["stock"]


async def figures(shop: Shop) -> dict[str, int]:
    return {stock_key(one["item"], one["location"]): one["available"] for one in await levels(shop)}


def by_key(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {one.key: one for one in outcomes}


async def test_what_was_seen_is_compared_and_what_is_wanted_stands_there() -> None:
    async with a_shop() as shop:
        before = (await levels(shop))[:3]
        changes = [of(one, 40 + at, one["available"]) for at, one in enumerate(before)]
        outcomes = await shop.connector().push("inventory", changes)
        after = await figures(shop)

    assert outcomes == [
        Outcome(c.key, observed={"available": 40 + n}) for n, c in enumerate(changes)
    ]
    assert [after[change.key] for change in changes] == [40, 41, 42]
    sent = shop.asked.variables[-1]["input"]
    assert [one["changeFromQuantity"] for one in sent["quantities"]] == [
        one["available"] for one in before
    ]
    assert (sent["name"], sent["reason"]) == ("available", "correction")
    assert shop.asked.operations == ["SetStock"]


async def test_a_level_never_seen_is_sent_without_a_comparison() -> None:
    async with a_shop() as shop:
        level = (await levels(shop))[0]
        outcomes = await shop.connector().push("inventory", [of(level, 9)])

    assert shop.asked.variables[0]["input"]["quantities"][0]["changeFromQuantity"] is None
    assert [one.error for one in outcomes] == [None]


async def test_the_figure_already_there_is_a_success() -> None:
    async with a_shop() as shop:
        level = (await levels(shop))[0]
        outcomes = await shop.connector().push(
            "inventory", [of(level, level["available"], 0 + level["available"])]
        )
        after = await figures(shop)

    assert outcomes[0].error is None
    assert after[outcomes[0].key] == level["available"]


async def test_a_stale_row_is_a_conflict_with_what_stands_there_and_the_others_land() -> None:
    async with a_shop() as shop:
        moved, still, also = (await levels(shop))[:3]
        await shop.act(act="adjust_stock", sku=moved["sku"], location=moved["location"], delta=-1)
        changes = [
            of(moved, 50, moved["available"]),
            of(still, 51, still["available"]),
            of(also, 52, also["available"]),
        ]
        outcomes = by_key(await shop.connector().push("inventory", changes))
        after = await figures(shop)

    refused = outcomes.pop(changes[0].key)
    assert isinstance(refused.error, Conflict)
    assert refused.observed is not None
    assert refused.observed["available"] == moved["available"] - 1
    assert refused.observed["on_hand"] == moved["on_hand"] - 1
    assert [one.error for one in outcomes.values()] == [None, None]
    assert [after[change.key] for change in changes] == [moved["available"] - 1, 51, 52]
    assert shop.asked.operations[0] == "SetStock"
    assert shop.asked.operations[-1] == "SetStock"
    assert shop.asked.operations.count("SetStock") == 2
    keys = [v["key"] for v in shop.asked.variables if "key" in v]
    assert keys[0] != keys[1]


async def test_a_stale_row_that_shows_what_is_wanted_is_a_success() -> None:
    async with a_shop() as shop:
        level = (await levels(shop))[0]
        await shop.act(act="adjust_stock", sku=level["sku"], location=level["location"], delta=5)
        wanted = level["available"] + 5
        (outcome,) = await shop.connector().push(
            "inventory", [of(level, wanted, level["available"])]
        )

    assert outcome.error is None
    assert outcome.observed is not None
    assert outcome.observed["available"] == wanted
    assert shop.asked.operations == ["SetStock", "LevelsOf"]


async def test_a_refused_row_keeps_the_words_of_the_channel_and_the_others_land() -> None:
    async with a_shop() as shop:
        first, second = (await levels(shop))[:2]
        nowhere = a_change(first["item"], "gid://shopify/Location/1", 5, None)
        nothing = a_change("gid://shopify/InventoryItem/1", first["location"], 5, None)
        huge = of(second, 2_000_000_000, second["available"])
        good = of(first, 77, first["available"])
        outcomes = by_key(await shop.connector().push("inventory", [nowhere, good, nothing, huge]))
        after = await figures(shop)

    assert {key: str(one.error) for key, one in outcomes.items() if one.error} == {
        nowhere.key: "Shopify: The specified location could not be found.",
        nothing.key: "Shopify: The specified inventory item could not be found.",
        huge.key: "Shopify: The quantity can't be higher than 1,000,000,000.",
    }
    assert [outcomes[c.key].error.code for c in (nowhere, nothing, huge)] == [  # type: ignore[union-attr]
        "INVALID_LOCATION", "INVALID_INVENTORY_ITEM", "INVALID_QUANTITY_TOO_HIGH",
    ]  # fmt: skip
    assert after[good.key] == 77
    assert after[huge.key] == second["available"]
    assert shop.asked.operations == ["SetStock", "SetStock"]


async def test_a_change_that_names_no_level_is_refused_and_never_sent() -> None:
    async with a_shop() as shop:
        level = (await levels(shop))[0]
        broken = Change("x@y", {"item": {"id": level["item"]}}, seen={}, version=1)
        outcomes = by_key(await shop.connector().push("inventory", [broken, of(level, 8)]))

    assert isinstance(outcomes["x@y"].error, Rejected)
    assert [len(v["input"]["quantities"]) for v in shop.asked.variables] == [1]


async def test_the_same_batch_after_a_lost_answer_moves_stock_once() -> None:
    async with a_shop() as shop:
        level = (await levels(shop))[0]
        change = of(level, 33, level["available"])
        await shop.act(act="faults", next=["commit_then_cut"])
        (outcome,) = await shop.connector().push("inventory", [change])
        after = next(one for one in await levels(shop) if one["item"] == level["item"]
                     and one["location"] == level["location"])  # fmt: skip

    assert outcome == Outcome(change.key, observed={"available": 33})
    assert after["available"] == 33
    assert after["adjusted"] - level["adjusted"] == 33 - level["available"]
    assert shop.asked.operations == ["SetStock", "SetStock"]
    assert shop.asked.variables[0] == shop.asked.variables[1]


async def test_three_hundred_changes_take_two_calls() -> None:
    async with a_shop(products=40, variants=160, orders=0) as shop:
        every = (await levels(shop))[:300]
        outcomes = await shop.connector().push("inventory", [of(one, 5) for one in every])
        after = await figures(shop)

    assert [len(v["input"]["quantities"]) for v in shop.asked.variables] == [250, 50]
    assert len({one.key for one in outcomes}) == 300
    assert {after[one.key] for one in outcomes} == {5}


async def test_the_document_of_a_push_comes_from_the_mapping() -> None:
    async with a_shop() as shop:
        level = (await levels(shop))[0]
        one = mapping("inventory")
        shown = await shop.connector().fetch(
            "inventory", stock_key(level["item"], level["location"])
        )
        assert shown is not None
        record = one.to_record(one.to_canonical(shown)[0])
        wanted = one.record.model_validate(
            {
                "external_stock_id": level["item"],
                "external_location_id": level["location"],
                "available": 21,
            }
        )
        change = Change(one.key_of(shown), one.to_native(wanted), record.model_dump(), 1)
        (outcome,) = await shop.connector().push("inventory", [change])
        after = await figures(shop)

    assert outcome.error is None
    assert after[stock_key(level["item"], level["location"])] == 21


# Answers that the simulator should not give

ROW = a_change("gid://shopify/InventoryItem/1", "gid://shopify/Location/2", 5, 4)
OTHER = a_change("gid://shopify/InventoryItem/3", "gid://shopify/Location/2", 6, 4)


async def pushed(*replies: list[dict[str, Any]]) -> tuple[list[Outcome], list[dict[str, Any]]]:
    """Push two rows at a shop that answers with these user errors, call by call."""
    waiting, calls = list(replies), []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(json.loads(request.content)["variables"])
        payload = {"inventoryAdjustmentGroup": None, "userErrors": waiting.pop(0)}
        return httpx.Response(200, json={"data": {"inventorySetQuantities": payload}})

    connector = Shopify(FakeConnection(FORM, transport=httpx.MockTransport(answer)))
    try:
        return list(await connector.push("inventory", [ROW, OTHER])), calls
    finally:
        await connector.close()


def error(code: str, field: list[str] | None = None, text: str = "No.") -> dict[str, Any]:
    return {"code": code, "field": field, "message": text}


async def test_a_failed_attempt_is_sent_again_under_a_new_key() -> None:
    outcomes, calls = await pushed([error("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")], [])

    assert [one.error for one in outcomes] == [None, None]
    assert calls[0]["input"]["quantities"] == calls[1]["input"]["quantities"]
    assert calls[0]["key"] != calls[1]["key"]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("IDEMPOTENCY_CONCURRENT_REQUEST", Retry),
        ("ADJUST_QUANTITIES_FAILED", Retry),
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", ContractBroken),
        ("INVALID_REASON", ContractBroken),
    ],
)
async def test_what_concerns_the_whole_call_is_raised(code: str, wanted: type[HubError]) -> None:
    with pytest.raises(wanted) as caught:
        await pushed([error(code, ["input", "reason"])])

    assert type(caught.value) is wanted
    assert caught.value.code == code  # type: ignore[attr-defined]


async def test_a_refusal_that_names_no_row_is_every_rows() -> None:
    outcomes, _ = await pushed([error("NON_MUTABLE_INVENTORY_ITEM", None, "A bundle.")])

    assert [str(one.error) for one in outcomes] == ["Shopify: A bundle."] * 2


async def test_a_call_refused_again_and_again_ends_in_retry_for_what_is_left() -> None:
    again = [error("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")]
    outcomes, calls = await pushed(again, again, again, again)

    assert [type(one.error) for one in outcomes] == [Retry, Retry]
    assert len({call["key"] for call in calls}) == 4


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5), st.integers(0, 2))
def test_the_key_is_the_same_for_the_same_batch_only(
    wanted: int, seen: int, version: int, attempt: int
) -> None:
    def key(w: int, s: int | None, v: int, a: int) -> str:
        return batch_key([row(a_change("gid://i", "gid://l", w, s, v))], a)

    first = key(wanted, seen, version, attempt)

    assert first == key(wanted, seen, version, attempt)
    others = [
        key(wanted + 1, seen, version, attempt),
        key(wanted, seen + 1, version, attempt),
        key(wanted, None, version, attempt),
        key(wanted, seen, version + 1, attempt),
        key(wanted, seen, version, attempt + 1),
    ]
    assert first not in others
    assert len(set(others)) == 5

"""Every refusal of Shopify as the error that says what to do next."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from connectors.shopify import Shopify, errors
from hub.errors import (
    ChannelError,
    ContractBroken,
    Forbidden,
    HubError,
    Missing,
    Reauthorize,
    Retry,
    Throttled,
)
from hub.sdk.fakes import FakeConnection
from tests.connectors.shopify.shop import FORM, a_shop, walk

COST = {
    "requestedQueryCost": 862,
    "actualQueryCost": None,
    "throttleStatus": {
        "maximumAvailable": "4000.0",
        "currentlyAvailable": 572,
        "restoreRate": "200.0",
    },
}
PII = {
    "message": "This app is not approved to access the Customer object. See "
    "https://shopify.dev/docs/apps/launch/protected-customer-data for more details.",
    "path": ["customers", "nodes", 0, "defaultEmailAddress"],
    "extensions": {"code": "ACCESS_DENIED"},
}


def refused(body: Any, status: int = 200) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        errors.check(httpx.Response(status), body)
    return caught.value


def entry(code: str, message: str = "No.") -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def test_a_throttled_query_waits_exactly_until_the_bucket_has_its_points() -> None:
    found = refused({**entry("THROTTLED", "Throttled"), "extensions": {"cost": COST}})

    assert isinstance(found, Throttled)
    assert found.delay_s == (862 - 572) / 200


def test_a_throttled_query_that_would_pass_now_waits_a_moment() -> None:
    cost = {**COST, "requestedQueryCost": 10}

    found = refused({**entry("THROTTLED"), "extensions": {"cost": cost}})

    assert isinstance(found, Throttled)
    assert found.delay_s == 0.1


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("INTERNAL_SERVER_ERROR", Retry),
        ("SERVICE_UNAVAILABLE", Retry),
        ("IDEMPOTENCY_CONCURRENT_REQUEST", Retry),
        ("RESOURCE_NOT_FOUND", Missing),
        ("MAX_COST_EXCEEDED", ContractBroken),
        ("BAD_REQUEST", ContractBroken),
        ("INVALID_VARIABLE", ContractBroken),
        ("undefinedField", ContractBroken),
        ("SOMETHING_NEW", ContractBroken),
    ],
)
def test_each_code_has_its_error(code: str, wanted: type[HubError]) -> None:
    found = refused(entry(code))

    assert type(found) is wanted
    assert found.code == code


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (401, Reauthorize), (402, Forbidden), (403, Forbidden), (404, Reauthorize),
        (423, Forbidden), (430, Throttled),
    ],
)  # fmt: skip
def test_each_status_has_its_error_with_a_text_for_errors(
    status: int, wanted: type[HubError]
) -> None:
    found = refused({"errors": "[API] Invalid API key or access token"}, status)

    assert type(found) is wanted
    assert found.code == str(status)
    assert "[API] Invalid API key or access token" in str(found)


def test_a_status_without_a_body_still_says_what_it_is() -> None:
    assert "HTTP 423" in str(refused(None, 423))


def test_after_a_security_rejection_the_hub_keeps_quiet_for_minutes() -> None:
    found = refused({"errors": "Shopify Security Rejection"}, 430)

    assert isinstance(found, Throttled)
    assert found.delay_s == 300


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_the_kit_knows_is_left_to_it(status: int) -> None:
    errors.check(httpx.Response(status), {"errors": "Internal Server Error"})


def test_a_missing_scope_is_named() -> None:
    text = "Access denied for orders field. Required access: `read_orders` access scope."
    found = refused({**entry("ACCESS_DENIED", text), "data": {"orders": None}})

    assert isinstance(found, Forbidden)
    assert found.permission == "read_orders"


def test_any_of_several_scopes_is_named() -> None:
    text = "Required access: `write_a_orders` or `write_b_orders` access scope."
    found = refused({**entry("ACCESS_DENIED", text), "data": None})

    assert isinstance(found, Forbidden)
    assert found.permission == "write_a_orders or write_b_orders"


def test_errors_that_are_a_text_in_a_good_reply_break_the_contract() -> None:
    assert isinstance(refused({"errors": "Not Found"}), ContractBroken)


def test_withheld_personal_data_is_no_error_and_is_named() -> None:
    body = {"data": {"customers": {"nodes": [{"defaultEmailAddress": None}]}}, "errors": [PII]}

    errors.check(httpx.Response(200), body)

    assert errors.withheld(body) == {"customers.nodes.defaultEmailAddress"}


def test_withheld_data_beside_another_error_is_that_error() -> None:
    body = {"data": {"customers": {}}, "errors": [PII, *entry("INTERNAL_SERVER_ERROR")["errors"]]}

    assert type(refused(body)) is Retry


def test_a_filter_that_shopify_misread_stops_the_stream() -> None:
    warning = {
        "field": "00",
        "message": "Invalid search field for this query.",
        "code": "invalid_field",
    }
    body = {
        "data": {"orders": {}},
        "extensions": {"search": [{"path": ["orders"], "warnings": [warning]}]},
    }

    found = refused(body)

    assert type(found) is ContractBroken
    assert found.code == "invalid_field"


def test_a_search_without_a_warning_is_fine() -> None:
    errors.check(httpx.Response(200), {"data": {"a": 1}, "extensions": {"search": [{"path": []}]}})


# On the simulator


async def test_a_throttled_burst_is_waited_out_and_nothing_is_lost() -> None:
    async with a_shop(now=time.time) as shop:  # the bucket fills by the shop's clock
        await shop.act(act="faults", next=["throttle", "throttle"])
        pages = await walk(shop.connector(), "order")

    assert len(pages[0].documents) == 12
    assert shop.asked.operations == ["OrdersPage"] * 3


@pytest.mark.parametrize("fault", ["internal", "500", "503", "html", "cut"])
async def test_a_passing_fault_is_tried_again(fault: str) -> None:
    async with a_shop() as shop:
        await shop.act(act="faults", next=[fault])
        pages = await walk(shop.connector(), "product")

    assert shop.asked.operations == ["ProductsPage"] * 2
    assert len(pages) == 1


async def test_a_security_rejection_goes_up_at_once() -> None:
    async with a_shop() as shop:
        await shop.act(act="faults", next=["430"])
        with pytest.raises(Throttled) as caught:
            await walk(shop.connector(), "product")

    assert caught.value.delay_s == 300
    assert shop.asked.operations == ["ProductsPage"]


async def test_the_bucket_is_learnt_from_each_reply() -> None:
    async with a_shop(plan="advanced") as shop:
        await walk(shop.connector(), "product")
        state = shop.connection.opened[0].limiter.state()  # type: ignore[attr-defined]

    assert (state.capacity, state.per_s) == (4000.0, 200.0)
    assert 3000 < state.tokens < 4000


async def test_a_page_without_some_personal_fields_is_kept() -> None:
    async with a_shop() as shop:
        (page,) = await walk(shop.connector(), "member")
        hidden = [{**d, "defaultEmailAddress": None} for d in page.documents]

    found = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": hidden}
    reply = {"data": {"customers": found}, "errors": [PII]}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=reply))
    connector = Shopify(FakeConnection(FORM, transport=transport))
    (again,) = await walk(connector, "member")
    await connector.close()

    assert [d["id"] for d in again.documents] == [d["id"] for d in page.documents]
    assert [d["defaultEmailAddress"] for d in again.documents] == [None] * 8

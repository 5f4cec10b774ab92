"""Who we are and what we may do; tokens that are given, fetched, and refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.shopify import Shopify
from connectors.shopify.form import CREDENTIALS, base_url
from hub.errors import ConfigError, ContractBroken, Reauthorize
from hub.sdk import Verdict
from hub.sdk.discover import validate_credentials
from hub.sdk.fakes import FakeConnection
from tests.connectors.shopify.shop import (
    CLIENT_FORM,
    FORM,
    SETTINGS,
    a_shop,
    walk,
)

ALL = [
    Verdict("order", "pull", works=True),
    Verdict("product", "pull", works=True),
    Verdict("inventory", "pull", works=True),
    Verdict("inventory", "push", works=True),
    Verdict("member", "pull", works=True),
]
TOKEN = "/admin/oauth/access_token"


async def test_a_full_token_may_do_everything() -> None:
    async with a_shop() as shop:
        found = await shop.connector().check()

    assert found.remote_id == SETTINGS.shop
    assert found.verdicts == ALL
    assert [note.split(";")[0] for note in found.notes] == [found.notes[0].split(";")[0]]
    assert found.notes[0].endswith("currency CNY.")


async def test_what_is_missing_is_named_and_the_rest_works() -> None:
    async with a_shop(scopes="read_orders,read_products,write_inventory,read_customers") as shop:
        found = await shop.connector().check()

    orders = (
        "read_merchant_managed_fulfillment_orders or read_assigned_fulfillment_orders "
        "or read_third_party_fulfillment_orders"
    )
    assert {(v.kind, v.verb): v.permission for v in found.verdicts} == {
        ("order", "pull"): orders,
        ("product", "pull"): None,
        ("inventory", "pull"): "read_locations",
        ("inventory", "push"): "read_locations",
        ("member", "pull"): None,
    }
    assert [v.works for v in found.verdicts] == [False, True, False, False, True]


async def test_the_horizon_of_sixty_days_is_told() -> None:
    scopes = SETTINGS.scopes.replace("read_all_orders,", "")
    async with a_shop(scopes=scopes) as shop:
        notes = (await shop.connector().check()).notes

    text = "Orders older than 60 days are not shown: the scope read_all_orders is missing."
    assert text in notes


async def test_an_expired_version_is_told() -> None:
    async with a_shop(form={**FORM, "api_version": "2024-01"}) as shop:
        notes = (await shop.connector().check()).notes

    assert any(note.startswith("API version 2024-01 has expired") for note in notes)


async def test_withheld_personal_data_is_told() -> None:
    async with a_shop() as shop:
        real = httpx.ASGITransport(shop.simulator)

        async def answer(request: httpx.Request) -> httpx.Response:
            if b"PersonalData" not in request.content:
                return await real.handle_async_request(request)
            error = {
                "message": "This app is not approved to access the Customer object.",
                "path": ["customers", "nodes", 0, "displayName"],
                "extensions": {"code": "ACCESS_DENIED"},
            }
            nodes = [{"id": "gid://shopify/Customer/1", "displayName": None}]
            data = {"customers": {"nodes": nodes}}
            return httpx.Response(200, json={"data": data, "errors": [error]})

        connector = Shopify(FakeConnection(FORM, transport=httpx.MockTransport(answer)))
        notes = (await connector.check()).notes
        await connector.close()

    assert notes[-1] == (
        "Shopify withholds personal data from this app (customers.nodes.displayName): "
        "those fields stay empty."
    )


async def test_a_development_store_a_renamed_shop_and_hidden_customers_are_told() -> None:
    plan = {"publicDisplayName": "Basic", "shopifyPlus": False, "partnerDevelopment": True}
    shop = {"id": "gid://shopify/Shop/1", "name": "Demo", "myshopifyDomain": "b.myshopify.com",
            "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin", "plan": plan}  # fmt: skip
    whoami = {
        "shop": shop,
        "currentAppInstallation": {"accessScopes": [{"handle": "write_customers"}]},
        "publicApiVersions": [{"handle": "2027-01", "supported": True}],
    }
    denied = {"message": "Access denied.", "extensions": {"code": "ACCESS_DENIED"}}

    def answer(request: httpx.Request) -> httpx.Response:
        if b"Whoami" in request.content:
            return httpx.Response(200, json={"data": whoami})
        return httpx.Response(200, json={"data": {"customers": None}, "errors": [denied]})

    connector = Shopify(FakeConnection(FORM, transport=httpx.MockTransport(answer)))
    found = await connector.check()
    await connector.close()

    assert found.notes == [
        "Plan: Basic; currency EUR.",
        "A development store: its orders are no real ones.",
        "The shop calls itself b.myshopify.com.",
        "API version 2026-10 is not among the supported ones.",
        "Orders older than 60 days are not shown: the scope read_all_orders is missing.",
        "Shopify withholds personal data from this app (customers): those fields stay empty.",
    ]
    assert [v.kind for v in found.verdicts if v.works] == ["member"]


# Tokens


async def test_client_credentials_fetch_one_token_for_many_calls() -> None:
    async with a_shop(form=CLIENT_FORM) as shop:
        connector = shop.connector()
        await walk(connector, "product")
        await walk(connector, "member")

    assert shop.asked.operations == [TOKEN, "ProductsPage", "CustomersPage"]


async def test_a_fetched_token_refused_in_mid_life_is_asked_for_once_more() -> None:
    async with a_shop(form=CLIENT_FORM) as shop:
        connector = shop.connector()
        await walk(connector, "product")
        shop.simulator.world.store.meta["tokens"] = {}
        await walk(connector, "product")

    assert shop.asked.operations == [
        TOKEN, "ProductsPage", "ProductsPage", TOKEN, "ProductsPage",
    ]  # fmt: skip


async def test_a_wrong_client_secret_asks_the_merchant() -> None:
    async with a_shop(form={**CLIENT_FORM, "client_secret": "0" * 32}) as shop:
        with pytest.raises(Reauthorize, match="invalid_client"):
            await walk(shop.connector(), "product")

    assert shop.asked.operations == [TOKEN]


async def test_a_wrong_token_is_not_tried_again() -> None:
    async with a_shop(form={**FORM, "token": "shpat_wrong"}) as shop:
        with pytest.raises(Reauthorize):
            await walk(shop.connector(), "product")

    assert shop.asked.operations == ["ProductsPage"]


async def test_a_token_reply_without_a_token_breaks_the_contract() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"scope": ""}))
    connector = Shopify(FakeConnection(CLIENT_FORM, transport=transport))
    with pytest.raises(ContractBroken, match="access_token"):
        await walk(connector, "product")
    await connector.close()


async def test_a_reply_without_data_breaks_the_contract() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
    connector = Shopify(FakeConnection(FORM, transport=transport))
    with pytest.raises(ContractBroken, match="without data"):
        await walk(connector, "product")
    await connector.close()


# The form


@pytest.mark.parametrize(
    "form",
    [
        {"shop": "my-shop.myshopify.com", "token": "shpat_12345678"},
        {"shop": "my-shop.myshopify.com", "client_id": "c1234567", "client_secret": "s1234567"},
        {**FORM, "api_version": "2026-04"},
        {**FORM, "address": "http://localhost:1"},
    ],
)
def test_a_form_that_can_work_is_taken(form: dict[str, Any]) -> None:
    assert validate_credentials(Shopify.manifest, form) == []


@pytest.mark.parametrize(
    "form",
    [
        {"shop": "my-shop.myshopify.com"},
        {"shop": "my-shop.myshopify.com", "client_id": "c1234567"},
        {"shop": "my-shop.example.com", "token": "shpat_12345678"},
        {"shop": "evil.example/x.myshopify.com", "token": "shpat_12345678"},
        {**FORM, "address": "http://example.com"},
        {**FORM, "address": "https://127.0.0.1"},
        {**FORM, "api_version": "2026-11"},
        {**FORM, "tokenn": "typing error"},
    ],
)
def test_a_form_that_cannot_work_is_refused(form: dict[str, Any]) -> None:
    assert validate_credentials(Shopify.manifest, form) != []


def test_only_token_and_client_secret_are_secrets_and_all_have_titles_in_both_languages() -> None:
    fields = CREDENTIALS["properties"]

    assert {name for name, field in fields.items() if field.get("writeOnly")} == {
        "token", "client_secret",
    }  # fmt: skip
    assert all({"en", "zh"} <= set(field["title"]) for field in fields.values())


@pytest.mark.parametrize(
    ("shop", "address"),
    [
        ("my-shop.myshopify.com.evil.example", None),
        ("my-shop.myshopify.com\n", None),
        ("my-shop.myshopify.com", "http://10.0.0.1"),
    ],
)
def test_an_address_that_leads_elsewhere_is_never_called(shop: str, address: str | None) -> None:
    with pytest.raises(ConfigError):
        base_url(shop, address)


def test_a_real_shop_is_called_over_tls_at_its_own_name() -> None:
    assert base_url("my-shop.myshopify.com", None) == "https://my-shop.myshopify.com"


async def test_no_secret_shows_in_a_repr() -> None:
    async with a_shop(form=CLIENT_FORM) as shop:
        connector = shop.connector()
        await walk(connector, "product")
        shown = repr(connector) + repr(connector._admin._signature) + repr(vars(connector._admin))

    assert SETTINGS.client_secret not in shown
    assert "shpat_" not in shown

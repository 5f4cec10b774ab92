"""Tokens, versions, scopes and documents (rules S1 to S3, S9)."""

import pytest

WRONG = "[API] Invalid API key or access token (unrecognized login or wrong password)"


@pytest.mark.parametrize("token", [None, "", "shpat_wrong"])
async def test_a_missing_or_wrong_token_is_401_with_a_text(shop, token):
    shop.token = token
    reply = await shop.send("{ shop { id } }")
    assert (reply.status_code, reply.json()) == (401, {"errors": WRONG})


async def test_a_bearer_header_alone_is_401(shop):
    reply = await shop.http.post(
        "/admin/api/2026-10/graphql.json",
        json={"query": "{ shop { id } }"},
        headers={"Authorization": f"Bearer {shop.world.settings.token}"},
    )
    assert reply.status_code == 401


@pytest.mark.parametrize(
    ("asked", "served"),
    [("2026-10", "2026-10"), ("2026-04", "2026-04"), ("2024-01", "2026-01")],
)
async def test_the_version_served_stands_in_the_header(shop, asked, served):
    reply = await shop.send("{ shop { name } }", version=asked)
    assert reply.status_code == 200
    assert reply.headers["x-shopify-api-version"] == served


async def test_client_credentials_give_a_token_for_a_day(shop):
    secrets = {
        "client_id": shop.world.settings.client_id,
        "client_secret": shop.world.settings.client_secret,
        "grant_type": "client_credentials",
    }
    for sent in ({"json": secrets}, {"data": secrets}):
        told = (await shop.http.post("/admin/oauth/access_token", **sent)).json()
        assert told["expires_in"] == 86399
        assert "read_orders" in told["scope"].split(",")
        shop.token = told["access_token"]
        assert (await shop.send("{ shop { id } }")).status_code == 200

    shop.time += 86399
    assert (await shop.send("{ shop { id } }")).status_code == 200
    shop.time += 1
    assert (await shop.send("{ shop { id } }")).status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_wrong_credentials_give_no_token(shop, change, error):
    secrets = {
        "client_id": shop.world.settings.client_id,
        "client_secret": shop.world.settings.client_secret,
        "grant_type": "client_credentials",
        **change,
    }
    reply = await shop.http.post("/admin/oauth/access_token", json=secrets)
    assert (reply.status_code, reply.json()) == (400, {"error": error})


async def test_two_apps_have_two_buckets(shop):
    secrets = {
        "client_id": shop.world.settings.client_id,
        "client_secret": shop.world.settings.client_secret,
        "grant_type": "client_credentials",
    }
    shop.simulator.gateway.bucket("custom app").charge(1999)
    shop.token = (await shop.http.post("/admin/oauth/access_token", json=secrets)).json()[
        "access_token"
    ]
    assert "errors" not in await shop.ask("OrdersPage", first=50, q="")


async def test_a_missing_scope_denies_the_field(open_shop):
    shop = open_shop(scopes="read_products")
    answer = await shop.ask(
        "{ orders(first: 1) { nodes { id } } products(first: 1) { nodes { id } } }"
    )
    assert answer["data"]["orders"] is None
    assert len(answer["data"]["products"]["nodes"]) == 1
    (error,) = answer["errors"]
    assert error["message"] == (
        "Access denied for orders field. Required access: `read_orders` access scope."
    )
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert error["path"] == ["orders"]


async def test_writing_implies_reading(open_shop):
    shop = open_shop(scopes="write_orders,read_all_orders")
    assert "errors" not in await shop.ask("{ orders(first: 1) { nodes { id } } }")


async def test_without_read_all_orders_old_orders_are_silently_missing(open_shop):
    shop = open_shop(orders=30, days=90)
    kept = open_shop(orders=30, days=90, scopes="read_orders")
    query = "{ orders(first: 250) { nodes { createdAt } } ordersCount { count } }"
    whole, some = await shop.ask(query), await kept.ask(query)
    assert whole["data"]["ordersCount"]["count"] == 30
    assert "errors" not in some
    assert some["data"]["ordersCount"]["count"] == len(some["data"]["orders"]["nodes"]) < 25
    assert min(n["createdAt"] for n in some["data"]["orders"]["nodes"]) >= "2026-07-23"


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        (
            "{ orders(first: 1) { nodes { foo } } }",
            "undefinedField",
            "Field 'foo' doesn't exist on type 'Order'",
        ),
        (
            "{ order { id } }",
            "missingRequiredArguments",
            "Field 'order' is missing required arguments: id",
        ),
        (
            "{ orders(first: 1, colour: 2) { nodes { id } } }",
            "argumentNotAccepted",
            "Field 'orders' doesn't accept argument 'colour'",
        ),
        ("{ orders(first: ONE) { nodes { id } } }", "argumentLiteralsIncompatible", None),
        (
            "query Q($x: Int) { shop { id } }",
            "variableNotUsed",
            "Variable $x is declared but not used",
        ),
        ("{ orders(", "parse_error", None),
        (
            'mutation { inventorySetQuantities(input: {name: "available", reason: "other", '
            'quantities: [], colour: 1}) @idempotent(key: "k") { userErrors { message } } }',
            "argumentNotAccepted",
            "InputObject 'InventorySetQuantitiesInput' doesn't accept argument 'colour'",
        ),
        (
            'mutation { inventorySetQuantities(input: {name: "available", quantities: []}) '
            '@idempotent(key: "k") { userErrors { message } } }',
            "missingRequiredInputObjectAttribute",
            "Argument 'reason' on InputObject 'InventorySetQuantitiesInput' is required",
        ),
    ],
)
async def test_a_wrong_document_is_errors_alone(shop, query, code, message):
    answer = await shop.ask(query)
    assert set(answer) == {"errors"}
    assert answer["errors"][0]["extensions"]["code"] == code
    assert message in (None, answer["errors"][0]["message"])


async def test_a_wrong_variable_names_its_problem(shop):
    given = {"name": "available", "reason": "correction", "quantities": []}
    answer = await shop.ask("SetStock", input=given | {"ignoreCompareQuantity": True}, key="k")
    assert set(answer) == {"errors"}
    (error,) = answer["errors"]
    assert error["message"].endswith(
        "provided invalid value for ignoreCompareQuantity "
        "(Field is not defined on InventorySetQuantitiesInput)"
    )
    assert error["extensions"]["code"] == "INVALID_VARIABLE"
    assert error["extensions"]["problems"] == [
        {
            "path": ["ignoreCompareQuantity"],
            "explanation": "Field is not defined on InventorySetQuantitiesInput",
        }
    ]


async def test_ids_are_refused_or_unknown(shop):
    query = "query O($id: ID!) { order(id: $id) { id } }"
    malformed = await shop.ask(query, id="x")
    assert malformed["errors"][0]["extensions"]["problems"][0]["explanation"] == (
        "Invalid global id 'x'"
    )
    assert (await shop.ask(query, id="gid://shopify/Order/1"))["data"] == {"order": None}
    other = await shop.ask(query, id="gid://shopify/Product/1")
    assert other["data"] == {"order": None}
    assert other["errors"][0]["message"] == "Invalid id: gid://shopify/Product/1"


async def test_a_field_that_is_not_served_says_so_loudly(shop):
    reply = await shop.send("Subs")
    assert reply.status_code == 501
    assert reply.json() == {
        "errors": "this simulator does not answer QueryRoot.webhookSubscriptions"
    }


async def test_the_shop_presents_itself(shop):
    answer = (await shop.ask("Whoami"))["data"]
    assert answer["shop"]["myshopifyDomain"] == "channel-hub-demo.myshopify.com"
    assert answer["shop"]["ianaTimezone"] == "Asia/Shanghai"
    scopes = {scope["handle"] for scope in answer["currentAppInstallation"]["accessScopes"]}
    assert {"read_orders", "write_inventory", "read_all_orders"} <= scopes
    assert {"handle": "2026-10", "supported": True} in answer["publicApiVersions"]


async def test_customers_show_consent_and_their_member_number(shop):
    nodes = (await shop.ask("CustomersPage", first=50))["data"]["customers"]["nodes"]
    assert len(nodes) == 40
    states = {n["defaultEmailAddress"]["marketingState"] for n in nodes if n["defaultEmailAddress"]}
    assert states == {"SUBSCRIBED", "UNSUBSCRIBED", "NOT_SUBSCRIBED", "PENDING"}
    assert any(n["defaultEmailAddress"] is None for n in nodes)
    assert any(n["defaultPhoneNumber"] is None for n in nodes)
    assert sum(n["metafield"] is not None for n in nodes) == 20

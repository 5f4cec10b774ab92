"""Writes on stock: rules S12 and S13, section 8.2."""

import pytest


def payload(answer, name="inventorySetQuantities"):
    return answer["data"][name]


def codes(answer, name="inventorySetQuantities"):
    return [(e["field"], e["code"]) for e in payload(answer, name)["userErrors"]]


def same_figures(before, after):
    keys = ("available", "committed", "on_hand", "adjusted", "updatedAt")
    return [before[k] for k in keys] == [after[k] for k in keys]


async def test_setting_available_moves_on_hand_by_the_same_delta(shop):
    before = await shop.level()
    shop.time += 60

    answer = await shop.set_stock(before["available"] + 7)

    group = payload(answer)["inventoryAdjustmentGroup"]
    assert payload(answer)["userErrors"] == []
    assert [(c["name"], c["delta"], c["quantityAfterChange"]) for c in group["changes"]] == [
        ("available", 7, None),
        ("on_hand", 7, None),
    ]
    assert {c["item"]["id"] for c in group["changes"]} == {before["item"]}
    assert group["reason"] == "correction"
    after = await shop.stock(before["sku"], before["location"])
    assert after["available"] == before["available"] + 7
    assert after["on_hand"] == before["on_hand"] + 7
    assert after["updatedAt"] == "2026-09-21T14:14:20Z"
    assert answer["extensions"]["cost"]["actualQueryCost"] == 13


async def test_our_own_write_moves_the_clock_of_the_level_only(shop):
    level = await shop.level()
    read = (
        "query L($i: ID!, $l: ID!) { inventoryItem(id: $i) { updatedAt variant { updatedAt "
        "inventoryQuantity product { updatedAt } } inventoryLevel(locationId: $l) "
        '{ updatedAt quantities(names: ["available"]) { quantity } } } }'
    )
    shop.time += 3600
    before = (await shop.ask(read, i=level["item"], l=level["location"]))["data"]["inventoryItem"]
    await shop.set_stock(level["available"] - 1)
    after = (await shop.ask(read, i=level["item"], l=level["location"]))["data"]["inventoryItem"]

    assert after["inventoryLevel"]["updatedAt"] == "2026-09-21T15:13:20Z"
    assert before["inventoryLevel"]["updatedAt"] != after["inventoryLevel"]["updatedAt"]
    assert after["updatedAt"] == before["updatedAt"]
    assert after["variant"]["updatedAt"] == before["variant"]["updatedAt"]
    assert after["variant"]["inventoryQuantity"] == before["variant"]["inventoryQuantity"] - 1


async def test_the_present_value_is_success_without_a_group(shop):
    before = await shop.level()
    answer = await shop.set_stock(before["available"])
    assert payload(answer) == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert same_figures(before, await shop.level())


async def test_a_stale_row_refuses_the_whole_call(shop):
    one, two = await shop.level(0), await shop.level(1)
    rows = [
        {"inventoryItemId": level["item"], "locationId": level["location"], "quantity": 5}
        for level in (one, two)
    ]
    rows[0]["changeFromQuantity"] = one["available"]
    rows[1]["changeFromQuantity"] = two["available"] + 1
    given = {"name": "available", "reason": "correction", "quantities": rows}

    answer = await shop.ask("SetStock", input=given, key="k")

    assert payload(answer) == {
        "inventoryAdjustmentGroup": None,
        "userErrors": [
            {
                "field": ["input", "quantities", "1", "changeFromQuantity"],
                "message": "The changeFromQuantity value does not match persisted value.",
                "code": "CHANGE_FROM_QUANTITY_STALE",
            }
        ],
    }
    assert answer["extensions"]["cost"]["actualQueryCost"] == 10
    assert same_figures(one, await shop.stock(one["sku"], one["location"]))
    assert same_figures(two, await shop.stock(two["sku"], two["location"]))


async def test_a_sale_in_between_makes_the_guarded_write_stale(shop):
    level = await shop.level()
    line = {"sku": level["sku"], "quantity": 1, "location": level["location"]}
    await shop.act("place_order", lines=[line])
    answer = await shop.set_stock(40, changeFromQuantity=level["available"])
    assert [code for _, code in codes(answer)] == ["CHANGE_FROM_QUANTITY_STALE"]


async def test_change_from_quantity_must_be_there_even_when_null(shop):
    level = await shop.level()
    row = {"inventoryItemId": level["item"], "locationId": level["location"], "quantity": 1}
    given = {"name": "available", "reason": "correction", "quantities": [row]}

    answer = await shop.ask("SetStock", input=given, key="k")

    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["errors"][0]["message"] == (
        "InventoryQuantityInput must include the following argument: changeFromQuantity."
    )
    assert answer["errors"][0]["extensions"] == {"code": "INVALID_FIELD_ARGUMENTS"}
    assert same_figures(level, await shop.level())


async def test_the_directive_is_required(shop):
    query = (
        "mutation S($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) "
        "{ userErrors { message } } }"
    )
    given = {"name": "available", "reason": "correction", "quantities": []}

    answer = await shop.ask(query, input=given)

    assert answer["errors"] == [
        {
            "message": (
                "The @idempotent directive is required for this mutation but was not provided."
            ),
            "locations": [{"line": 1, "column": 52}],
            "path": ["inventorySetQuantities"],
            "extensions": {"code": "BAD_REQUEST"},
        }
    ]
    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 10
    assert answer["extensions"]["cost"]["actualQueryCost"] == 10


@pytest.mark.parametrize("key", ["", "  "])
async def test_a_blank_key_is_refused(shop, key):
    before = await shop.level()
    answer = await shop.set_stock(1, key=key)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert same_figures(before, await shop.level())


async def test_the_same_key_answers_the_first_result_and_moves_nothing(shop):
    level = await shop.level()
    was = level["available"]
    first = await shop.set_stock(was + 5, changeFromQuantity=was)
    line = {"sku": level["sku"], "quantity": 2, "location": level["location"]}
    await shop.act("place_order", lines=[line])

    again = await shop.set_stock(was + 5, changeFromQuantity=was)

    assert payload(again) == payload(first)
    assert (await shop.stock(level["sku"], level["location"]))["available"] == was + 3


async def test_the_same_key_with_other_input_is_a_mismatch(shop):
    level = await shop.level()
    await shop.set_stock(level["available"] + 5)
    answer = await shop.set_stock(level["available"] + 6)
    assert payload(answer)["userErrors"] == [
        {
            "field": None,
            "message": (
                "The same idempotency key cannot be used with different operation parameters."
            ),
            "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
        }
    ]
    after = await shop.stock(level["sku"], level["location"])
    assert after["available"] == level["available"] + 5


async def test_a_key_in_flight_is_refused_and_nothing_moves(shop):
    before = await shop.level()
    await shop.act("faults", next=["concurrent"])
    answer = await shop.set_stock(before["available"] + 1)
    assert codes(answer) == [(None, "IDEMPOTENCY_CONCURRENT_REQUEST")]
    assert same_figures(before, await shop.level())


@pytest.mark.parametrize(
    ("head", "row", "field", "code"),
    [
        ({"name": "committed"}, {}, ["input", "name"], "INVALID_NAME"),
        ({"reason": "because"}, {}, ["input", "reason"], "INVALID_REASON"),
        (
            {"referenceDocumentUri": "no scheme"},
            {},
            ["input", "referenceDocumentUri"],
            "INVALID_REFERENCE_DOCUMENT",
        ),
        (
            {},
            {"inventoryItemId": "gid://shopify/InventoryItem/1"},
            ["input", "quantities", "0", "inventoryItemId"],
            "INVALID_INVENTORY_ITEM",
        ),
        (
            {},
            {"locationId": "gid://shopify/Location/1"},
            ["input", "quantities", "0", "locationId"],
            "INVALID_LOCATION",
        ),
        (
            {"name": "on_hand"},
            {"quantity": -1},
            ["input", "quantities", "0", "quantity"],
            "INVALID_QUANTITY_NEGATIVE",
        ),
        (
            {},
            {"quantity": 1_000_000_001},
            ["input", "quantities", "0", "quantity"],
            "INVALID_QUANTITY_TOO_HIGH",
        ),
    ],
)
async def test_a_wrong_input_is_named_by_path_and_code(shop, head, row, field, code):
    level = await shop.level()
    line = {"inventoryItemId": level["item"], "locationId": level["location"]}
    line |= {"quantity": 3, "changeFromQuantity": None, **row}
    given = {"name": "available", "reason": "correction", "quantities": [line], **head}

    answer = await shop.ask("SetStock", input=given, key="k")

    assert codes(answer) == [(field, code)]
    assert payload(answer)["inventoryAdjustmentGroup"] is None
    assert same_figures(level, await shop.level())


async def test_available_may_be_negative(shop):
    level = await shop.level()
    assert payload(await shop.set_stock(-2))["userErrors"] == []
    assert (await shop.stock(level["sku"], level["location"]))["available"] == -2


async def test_a_pair_named_twice_is_an_error_for_each_row(shop):
    level = await shop.level()
    row = {"inventoryItemId": level["item"], "locationId": level["location"]}
    row |= {"quantity": 3, "changeFromQuantity": None}
    given = {"name": "available", "reason": "correction", "quantities": [row, row]}
    answer = await shop.ask("SetStock", input=given, key="k")
    assert [code for _, code in codes(answer)] == [
        "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
    ] * 2
    assert same_figures(level, await shop.level())


async def test_more_than_250_rows_are_refused(shop):
    level = await shop.level()
    row = {"inventoryItemId": level["item"], "locationId": level["location"]}
    rows = [row | {"quantity": 3, "changeFromQuantity": None}] * 251
    given = {"name": "available", "reason": "correction", "quantities": rows}
    answer = await shop.ask("SetStock", input=given, key="k")
    assert answer["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


async def test_an_id_of_another_type_is_not_found(shop):
    level = await shop.level()
    answer = await shop.set_stock(3, inventoryItemId=level["location"])
    assert answer["errors"][0]["message"] == f"Invalid id: {level['location']}"
    assert answer["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"


async def adjust(shop, name, delta, **more):
    level = await shop.level()
    row = {"inventoryItemId": level["item"], "locationId": level["location"], "delta": delta}
    row |= {"changeFromQuantity": None, **more}
    given = {"name": name, "reason": "correction", "changes": [row]}
    return await shop.ask("AdjustStock", input=given, key=f"{name}{delta}")


async def test_adjusting_moves_by_a_difference(shop):
    before = await shop.level()
    answer = await adjust(shop, "available", -2)
    group = payload(answer, "inventoryAdjustQuantities")["inventoryAdjustmentGroup"]
    assert group["changes"] == [
        {"name": "available", "delta": -2},
        {"name": "on_hand", "delta": -2},
    ]
    after = await shop.stock(before["sku"], before["location"])
    assert (after["available"], after["on_hand"]) == (
        before["available"] - 2,
        before["on_hand"] - 2,
    )


async def test_a_held_state_needs_a_ledger_document_and_counts_as_on_hand(shop):
    before = await shop.level()
    refused = await adjust(shop, "damaged", 1)
    assert [c for _, c in codes(refused, "inventoryAdjustQuantities")] == [
        "INVALID_QUANTITY_DOCUMENT"
    ]

    taken = await adjust(shop, "damaged", 3, ledgerDocumentUri="gid://hub/Count/1")
    assert codes(taken, "inventoryAdjustQuantities") == []
    after = await shop.stock(before["sku"], before["location"])
    assert after["available"] == before["available"]
    assert after["on_hand"] == before["on_hand"] + 3


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("on_hand", {}, "INVALID_QUANTITY_NAME"),
        ("available", {"ledgerDocumentUri": "gid://hub/Count/1"}, "INVALID_AVAILABLE_DOCUMENT"),
        ("damaged", {"ledgerDocumentUri": "gid://shopify/Order/1"}, "INTERNAL_LEDGER_DOCUMENT"),
    ],
)
async def test_an_adjustment_is_refused_by_its_rules(shop, name, more, code):
    answer = await adjust(shop, name, 1, **more)
    assert code in [c for _, c in codes(answer, "inventoryAdjustQuantities")]


async def test_levels_of_a_location_are_filtered_by_their_own_clock(shop):
    level = await shop.level()
    query = (
        "query L($id: ID!, $q: String) { location(id: $id) { inventoryLevels(first: 250, "
        "query: $q) { nodes { item { id } } } } }"
    )
    shop.time += 120
    await shop.set_stock(1)
    moved = await shop.ask(query, id=level["location"], q="updated_at:>='2026-09-21T14:15:20Z'")
    whole = await shop.ask(query, id=level["location"])
    nodes = moved["data"]["location"]["inventoryLevels"]["nodes"]
    assert nodes == [{"item": {"id": level["item"]}}]
    assert len(whole["data"]["location"]["inventoryLevels"]["nodes"]) == 30

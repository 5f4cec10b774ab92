"""Registering a connection: tested before it is saved, once per account, and told what it missed."""

from __future__ import annotations

from typing import Any

import pytest

from hub.commerce import stock
from hub.db import connections, flows
from hub.errors import ConfigError, Reauthorize
from hub.sync import connect
from tests.sync.channels import MAIN, Channel, a_product, a_receipt
from tests.sync.world import TOKEN, World


async def test_one_account_is_registered_once_and_a_wrong_form_names_fields_only(
    world: World,
) -> None:
    with pytest.raises(
        ConfigError, match=r"is registered already, as 'shop'\. Nothing was changed"
    ):
        await world.join("shop")
    with pytest.raises(ConfigError) as refused:
        await connect.register(
            world.engine, world.merchant_id, "shop", "x", {"name": 7, "token": TOKEN}
        )
    assert TOKEN not in str(refused.value)
    with pytest.raises(ConfigError, match=r"There is no connector 'nope'. Allowed: shop, till."):
        await connect.register(world.engine, world.merchant_id, "nope", "x", {})
    assert len(await world.db.read(connections.listing, world.merchant_id)) == 2


async def test_refused_credentials_save_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_self: Any) -> None:
        raise Reauthorize("The token was refused.")

    # The class of this world's shop alone: its channel refuses the token.
    monkeypatch.setattr(world.engine.connectors["shop"], "check", refused)
    before = await world.rows("SELECT count(*) FROM connection_secret")

    with pytest.raises(Reauthorize):
        await connect.register(
            world.engine, world.merchant_id, "shop", "x", {"name": "north", "token": TOKEN}
        )

    assert len(await world.db.read(connections.listing, world.merchant_id)) == 2
    assert await world.rows("SELECT count(*) FROM connection_secret") == before


async def test_the_first_connection_with_products_is_the_catalogue_source(world: World) -> None:
    world.channels["south"] = Channel("south", world.clock)
    second = await world.join("shop", "south")

    assert world.infos["shop"].is_catalogue_source
    assert not world.infos["till"].is_catalogue_source
    assert not second.is_catalogue_source


async def test_every_ability_of_a_new_connection_is_due_at_once(world: World) -> None:
    rows = await world.db.read(flows.freshness, world.merchant_id)

    shop = {(r["kind"], r["verb"]) for r in rows if r["connection_id"] == world.infos["shop"].id}
    assert shop == {
        ("product", "pull"), ("inventory", "pull"), ("order", "pull"), ("member", "pull"),
        ("inventory", "push"), ("inventory", "reconcile"),
    }  # fmt: skip
    assert {r["next_at"] for r in rows} == {world.clock.text}


async def test_a_till_that_joins_late_is_told_every_figure_once_its_sales_are_known(
    world: World,
) -> None:
    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 10)
    await world.open()
    world.channels["late"] = late = Channel("late", world.clock)
    late.show("order", a_receipt("T1", n=3, sold=world.clock.text))
    world.clock.forward(1)

    await world.join("till", "late")
    await world.push("late")
    assert late.written == [], "its own sales may still be on their way"

    world.clock.forward(61)
    await world.walk("order", who="late")
    await world.push("late")
    assert late.written == [(f"SKU-1-1@{MAIN}", 7)]
    assert await world.level() == (7, 0)


async def test_a_figure_is_explained_by_a_sum_and_the_movements_behind_it(world: World) -> None:
    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 10)
    await world.open()
    world.till.show("order", a_receipt("T1", n=3, sold=world.clock.text))
    await world.walk("order", who="till")

    [told] = await world.db.read(stock.explain, world.merchant_id, "SKU-1-1")

    assert (
        told["sentence"]
        == "7 on hand - 0 reserved - 0 unavailable - 0 safety stock = 7; channels show 7"
    )
    assert [(e["entry_type"], e["delta_on_hand"]) for e in told["entries"]] == [
        ("sale", -3),
        ("opening", 10),
    ]
    assert (told["location"], told["shown"]) == ("Main", 7)
    assert await world.db.read(stock.explain, "mer_2", "SKU-1-1") == []


async def test_every_change_leaves_its_history_without_personal_values(world: World) -> None:
    world.shop.show("product", a_product(1))
    await world.walk("product")
    world.clock.forward(5)
    world.shop.show("product", a_product(1) | {"title": "Renamed"})
    await world.walk("product")

    rows = await world.rows(
        "SELECT change, version, actor FROM history WHERE table_name='product' AND merchant_id=? ORDER BY version",
        world.merchant_id,
    )
    assert rows == [("created", 1, "sync"), ("changed", 2, "sync")]

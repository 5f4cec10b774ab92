"""Which SKU is which: the source makes products, others link by code, then barcode, never by title."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commerce.products.match import gtin14, normal_sku
from hub.db.bulk import change
from tests.sync.channels import Channel, a_product
from tests.sync.world import World, picture

CODE13, OTHER13 = "6901234567892", "4006381333931"


def own(number: int, **more: Any) -> dict[str, Any]:
    """A product whose one SKU is told by these fields."""
    document = a_product(number)
    document["skus"][0] |= more
    return document


@pytest.fixture
async def two_shops(world: World) -> World:
    """A second shop, which is not the catalogue source."""
    world.channels["south"] = Channel("south", world.clock)
    await world.join("shop", "south")
    return world


async def links(world: World, who: str = "south") -> list[tuple[Any, ...]]:
    return await world.rows(
        "SELECT k.external_sku_id, v.sku, k.match_state FROM listing_sku k LEFT JOIN variant v "
        "ON v.merchant_id=k.merchant_id AND v.id=k.variant_id WHERE k.merchant_id=? AND k.connection_id=? ORDER BY 1",
        world.merchant_id,
        world.infos[who].id,
    )


async def both(world: World, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    for document in ours:
        world.shop.show("product", document)
    for document in theirs:
        world.channels["south"].show("product", document)
    await world.walk("product")
    await world.walk("product", who="south")


async def test_the_catalogue_source_makes_products_and_everyone_a_listing(two_shops: World) -> None:
    await both(two_shops, [a_product(1)], [a_product(2)])

    assert await two_shops.rows("SELECT title FROM product") == [("Thing 1",)]
    assert await two_shops.rows("SELECT sku FROM variant") == [("SKU-1-1",)]
    assert await two_shops.rows("SELECT external_product_id FROM listing ORDER BY 1") == [
        ("G1",),
        ("G2",),
    ]
    assert await links(two_shops) == [("S2-1", None, "unmatched")]


async def test_another_channels_sku_is_linked_by_the_merchants_code(two_shops: World) -> None:
    await both(two_shops, [a_product(1)], [own(9, code=" ＳＫＵ-1-1 ")])

    assert await links(two_shops) == [("S9-1", "SKU-1-1", "auto")]


async def test_then_by_a_barcode_that_only_one_variant_has(two_shops: World) -> None:
    await both(
        two_shops,
        [own(1, barcode=CODE13), own(2, barcode=OTHER13), own(3, barcode=OTHER13)],
        [own(8, code="theirs-8", barcode="0" + CODE13), own(9, code="theirs-9", barcode=OTHER13)],
    )

    assert await links(two_shops) == [("S8-1", "SKU-1-1", "auto"), ("S9-1", None, "unmatched")]


async def test_the_code_goes_before_the_barcode_and_a_title_decides_nothing(
    two_shops: World,
) -> None:
    await both(
        two_shops,
        [own(1, barcode=CODE13), own(2, barcode=OTHER13)],
        [
            own(8, code="SKU-2-1", barcode=CODE13),
            own(9, code=None, name="size 1") | {"title": "Thing 1"},
        ],
    )

    assert await links(two_shops) == [("S8-1", "SKU-2-1", "auto"), ("S9-1", None, "unmatched")]


async def test_a_link_made_by_hand_stays(two_shops: World) -> None:
    await both(two_shops, [a_product(1), a_product(2)], [own(9, code="SKU-1-1")])
    two = (await two_shops.rows("SELECT id FROM variant WHERE sku='SKU-2-1'"))[0][0]
    await two_shops.db.write(
        change,
        "UPDATE listing_sku SET variant_id=?, match_state='manual' WHERE external_sku_id='S9-1'",
        (two,),
    )

    two_shops.clock.forward(5)
    two_shops.channels["south"].show("product", own(9, code="SKU-1-1") | {"title": "Renamed"})
    await two_shops.walk("product", who="south")

    assert await links(two_shops) == [("S9-1", "SKU-2-1", "manual")]


async def test_a_linked_sku_keeps_its_variant_when_its_code_is_retyped(world: World) -> None:
    world.shop.show("product", own(1, code="old"))
    await world.walk("product")
    world.clock.forward(5)
    world.shop.show("product", own(1, code="new"))
    await world.walk("product")

    assert await world.rows("SELECT sku FROM variant") == [("new",)]


async def test_another_channels_titles_land_on_its_listing_only(two_shops: World) -> None:
    await both(two_shops, [a_product(1)], [own(9, code="SKU-1-1") | {"title": "爆款"}])

    assert await two_shops.rows("SELECT title FROM product") == [("Thing 1",)]
    assert await two_shops.rows("SELECT title FROM listing ORDER BY external_product_id") == [
        ("Thing 1",),
        ("爆款",),
    ]


@pytest.mark.parametrize("cut", [1, 10])
async def test_two_products_that_share_a_code_share_its_variant_however_pages_are_cut(
    world: World, cut: int
) -> None:
    world.shop.page = cut
    world.shop.show("product", own(1, code="SAME"))
    world.shop.show("product", own(2, code="SAME"))

    await world.walk("product")

    assert await world.rows("SELECT sku FROM variant") == [("SAME",)]
    assert {row[1:] for row in await links(world, "shop")} == {("SAME", "auto")}


async def test_a_document_that_does_not_speak_of_skus_retires_none(world: World) -> None:
    world.shop.show("product", a_product(1))
    await world.walk("product")
    world.clock.forward(5)
    bare = a_product(1) | {"title": "Renamed"}
    del bare["skus"]
    world.shop.show("product", bare)
    await world.walk("product")

    assert await world.rows("SELECT count(*) FROM listing_sku WHERE deleted_at IS NULL") == [(1,)]
    assert await world.rows("SELECT title FROM product") == [("Renamed",)]


async def test_a_vanished_sku_is_retired_and_its_variant_stays(world: World) -> None:
    world.shop.show("product", a_product(1, skus=(1, 2)))
    await world.walk("product")
    world.clock.forward(5)
    world.shop.show("product", a_product(1, skus=(2,)))
    await world.walk("product")

    rows = await world.rows(
        "SELECT external_sku_id, deleted_at IS NULL, stock_sync_enabled FROM listing_sku ORDER BY 1"
    )
    assert [(name, bool(live), bool(told)) for name, live, told in rows] == [
        ("S1-1", False, False),
        ("S1-2", True, True),
    ]
    assert await world.rows("SELECT count(*) FROM variant") == [(2,)]
    told = await world.rows(
        "SELECT change, fields FROM history WHERE table_name='listing_sku' AND version=2"
    )
    assert len(told) == 1


async def test_what_a_merchant_changed_here_is_not_undone_by_an_old_document(world: World) -> None:
    """Canonical 2.5: only theirs changed, theirs; only ours changed, ours; both changed, the hub's."""
    world.shop.show("product", a_product(1))
    await world.walk("product")
    await world.db.write(change, "UPDATE product SET title='Ours'")
    world.clock.forward(5)
    world.shop.show("product", a_product(1) | {"brand": "Theirs"})
    await world.walk("product")
    assert await world.rows("SELECT title, brand FROM product") == [("Ours", "Theirs")]

    world.clock.forward(5)
    world.shop.show("product", a_product(1) | {"brand": "Theirs", "title": "Theirs"})
    await world.walk("product")
    assert await world.rows("SELECT title, brand FROM product") == [("Ours", "Theirs")]
    assert (await picture(world))["listing"][0][1] == "Theirs"


# --- codes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "normal"),
    [
        (CODE13, "0" + CODE13),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("10012345678902", "10012345678902"),
        ("6901234567893", None),
        ("2000000000008", None),
        ("0212345678905", None),
        ("2912345678904", None),
        ("690123456789", None),
        ("６９０１２３４５６７８９２", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_code_with_a_right_check_digit_that_is_no_shops_own_is_a_gtin(
    code: str | None, normal: str | None
) -> None:
    assert gtin14(code) == normal


@given(st.integers(0, 10**12 - 1).map(lambda n: f"{n:012d}"))
def test_every_body_has_exactly_one_check_digit(body: str) -> None:
    right = [digit for digit in range(10) if gtin14(f"{body}{digit}")]

    restricted = body.startswith("02") or body[0] == "2"
    assert len(right) == (0 if restricted else 1)


@given(st.text(max_size=30))
def test_a_code_is_compared_in_one_form(code: str) -> None:
    assert normal_sku(normal_sku(code)) == normal_sku(code)
    assert normal_sku(f"  {code} ") == normal_sku(code)

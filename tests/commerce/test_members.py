"""Who is one person: strong identities merge, hints do not, and the stricter answer stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sync.channels import Channel, a_member
from tests.sync.world import World, picture

PHONE = "+8613800138000"


def phone(strength: str, value: str = PHONE) -> dict[str, Any]:
    return {"kind": "phone", "space": "", "value": value, "strength": strength}


def says(state: str, purpose: str = "marketing") -> dict[str, Any]:
    return {"purpose": purpose, "channel": "sms", "state": state}


@pytest.fixture
async def two_shops(world: World) -> World:
    """A second shop of the same merchant, with customers of its own."""
    world.channels["south"] = Channel("south", world.clock)
    await world.join("shop", "south")
    return world


async def people(world: World) -> list[tuple[Any, ...]]:
    return await world.rows("SELECT id FROM member ORDER BY id")


async def test_an_equal_strong_identity_makes_one_person_of_two_channels_customers(
    two_shops: World,
) -> None:
    two_shops.shop.show("member", a_member("C1", known=[phone("strong")]))
    two_shops.channels["south"].show(
        "member", a_member("K9", known=[phone("strong")], name="Someone else")
    )

    await two_shops.walk("member")
    await two_shops.walk("member", who="south")

    assert len(await people(two_shops)) == 1
    refs = await two_shops.rows(
        "SELECT count(DISTINCT internal_id), count(*) FROM external_ref WHERE kind='member'"
    )
    assert refs == [(1, 2)]
    assert await two_shops.rows("SELECT count(*) FROM member_identity") == [(1,)]


@pytest.mark.parametrize(
    ("first", "second"),
    [("weak", "weak"), ("weak", "strong"), ("strong", "weak"), ("medium", "medium")],
)
async def test_an_equal_identity_that_is_not_strong_on_both_sides_merges_nobody(
    two_shops: World, first: str, second: str
) -> None:
    two_shops.shop.show("member", a_member("C1", known=[phone(first)]))
    two_shops.channels["south"].show("member", a_member("K9", known=[phone(second)]))

    await two_shops.walk("member")
    await two_shops.walk("member", who="south")

    assert len(await people(two_shops)) == 2
    assert await two_shops.rows("SELECT strength FROM member_identity") == [
        (max(first, second, key=RANK.index),)
    ]
    assert await two_shops.problems() == []


RANK = ("weak", "medium", "strong")


async def test_the_same_holds_within_one_page(world: World) -> None:
    world.shop.page = 10
    world.shop.show("member", a_member("C1", known=[phone("strong")]))
    world.shop.show("member", a_member("C2", known=[phone("strong")]))
    world.shop.show("member", a_member("C3", known=[phone("weak", "+8613900139000")]))
    world.shop.show("member", a_member("C4", known=[phone("weak", "+8613900139000")]))

    await world.walk("member")

    assert len(await people(world)) == 3
    assert (await world.tally("member"))["applied"] == 4
    assert await world.problems() == []


async def test_two_kinds_or_namespaces_of_one_value_are_two_identities(world: World) -> None:
    openid = {"kind": "wechat_openid", "value": "o-1", "strength": "strong"}
    world.shop.show("member", a_member("C1", known=[openid | {"space": "app-1"}]))
    world.shop.show("member", a_member("C2", known=[openid | {"space": "app-2"}]))
    world.shop.show(
        "member", a_member("C3", known=[openid | {"kind": "wechat_unionid", "space": "app-1"}])
    )

    await world.walk("member")

    assert len(await people(world)) == 3


async def test_one_customer_id_of_a_channel_is_never_a_second_person(world: World) -> None:
    for turn in range(3):
        world.clock.forward(5)
        world.shop.show(
            "member",
            a_member("C1", name=f"Name {turn}", known=[phone("weak", f"+861380013800{turn}")]),
        )
        await world.walk("member")

    assert len(await people(world)) == 1
    assert await world.rows("SELECT count(*) FROM member_identity") == [(3,)], (
        "every identity ever seen is kept"
    )


async def test_an_identity_that_is_verified_later_becomes_strong(world: World) -> None:
    world.shop.show("member", a_member("C1", known=[phone("weak")]))
    await world.walk("member")
    world.clock.forward(5)
    world.shop.show("member", a_member("C1", known=[phone("strong")]))
    await world.walk("member")
    world.clock.forward(5)
    world.shop.show("member", a_member("C1", known=[phone("weak")]))
    await world.walk("member")

    assert await world.rows("SELECT strength FROM member_identity") == [("strong",)]


async def test_a_second_channel_fills_gaps_and_overwrites_nothing(two_shops: World) -> None:
    two_shops.shop.show("member", a_member("C1", name="First", known=[phone("strong")]))
    two_shops.channels["south"].show(
        "member", a_member("K9", name="Second", phone=PHONE, known=[phone("strong")])
    )
    await two_shops.walk("member")
    await two_shops.walk("member", who="south")

    [(row_id, name, number)] = await two_shops.rows(
        "SELECT id, display_name_enc, primary_phone_enc FROM member"
    )
    ring = two_shops.rings["mer_1"]
    assert ring.open("member", "display_name", row_id, bytes(name)) == "First"
    assert ring.open("member", "primary_phone", row_id, bytes(number)) == PHONE


@pytest.mark.parametrize(
    ("north", "south", "stands"),
    [
        ("granted", "denied", "denied"),
        ("denied", "granted", "denied"),
        ("withdrawn", "granted", "withdrawn"),
        ("granted", "withdrawn", "withdrawn"),
        ("withdrawn", "denied", "denied"),
        ("unknown", "granted", "granted"),
    ],
)
async def test_of_two_channels_answers_the_stricter_stands_whoever_asks_last(
    two_shops: World, north: str, south: str, stands: str
) -> None:
    for turn in range(2):
        two_shops.clock.forward(5)
        two_shops.shop.show(
            "member", a_member("C1", known=[phone("strong")], says=[says(north)], turn=turn)
        )
        two_shops.channels["south"].show(
            "member", a_member("K9", known=[phone("strong")], says=[says(south)], turn=turn)
        )
        await two_shops.walk("member")
        await two_shops.walk("member", who="south")

        assert await two_shops.rows("SELECT purpose, channel, state FROM consent") == [
            ("marketing", "sms", stands)
        ]


async def test_a_person_may_change_their_mind_on_the_channel_they_answered(world: World) -> None:
    for state in ("granted", "withdrawn", "granted"):
        world.clock.forward(5)
        world.shop.show("member", a_member("C1", says=[says(state), says(state, "profiling")]))
        await world.walk("member")
        assert await world.rows("SELECT DISTINCT state FROM consent") == [(state,)]


async def test_an_answer_given_twice_in_one_document_is_one_answer(world: World) -> None:
    world.shop.show(
        "member", a_member("C1", says=[says("granted"), says("denied")], known=[phone("weak")] * 2)
    )

    await world.walk("member")

    assert await world.rows("SELECT count(*) FROM consent") == [(1,)]
    assert await world.rows("SELECT count(*) FROM member_identity") == [(1,)]


async def test_however_the_pages_are_cut_the_same_people_come_out(world: World) -> None:
    crowd = [
        a_member("C1", known=[phone("strong")]),
        a_member("C2", known=[phone("weak", "+8613900139000")]),
        a_member("C3", known=[phone("strong"), phone("strong", "+8613900139000")]),
        a_member("C4", known=[phone("weak", "+8613900139000"), phone("medium", "+8613700137000")]),
    ]
    ends = []
    for cut in (1, 2, 4):
        await world.add_merchant(f"mer_cut_{cut}")
        world.merchant_id = f"mer_cut_{cut}"
        world.shop.page = cut
        world.shop.feed["member"] = [m | {"updated": world.clock.text} for m in crowd]
        await world.join("shop")
        await world.walk("member")
        ends.append((await picture(world))["member"])

    assert ends[0] == ends[1] == ends[2]

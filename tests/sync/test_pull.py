"""What a pull leaves behind: once per version, every document accounted for, nothing readable."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from hub.db.bulk import change, fetch
from hub.errors import Retry
from hub.mapping import Mapping, load
from hub.sync import release
from tests.sync.channels import MAIN, a_case, a_line, a_member, a_product, a_receipt, an_order
from tests.sync.world import MAPPINGS, TOKEN, World, a_world, counting_commits, picture

CANARY_NAME, CANARY_PHONE = "Canary Zhang Wei", "+8613712345678"


def line_of(file: str, number: int) -> str:
    return Path(file).read_text(encoding="utf-8").splitlines()[number - 1]


def bytes_of(folder: Path) -> bytes:
    """Return everything the database wrote, whatever file it stands in."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


def some_trade(world: World) -> None:
    """A product with stock, a customer, and two orders of the same buyer."""
    world.shop.show("product", a_product(1, skus=(1, 2)))
    world.shop.put("S1-1", 10)
    world.shop.put("S1-2", 4)
    world.shop.show("member", a_member("C1", phone="+8613800138000"))
    world.shop.show("order", an_order("O1", placed=world.clock.text))
    world.shop.show("order", an_order("O2", a_line(n=1), state="new", placed=world.clock.text))


async def test_pulling_twice_changes_nothing_and_counts_duplicates(world: World) -> None:
    some_trade(world)
    await world.open()
    await world.walk("inventory")
    before = await picture(world)
    archived = await world.rows("SELECT count(*) FROM archive")
    history = await world.rows("SELECT count(*) FROM history")

    for kind in ("product", "inventory", "member", "order"):
        world.shop.feed[kind] += world.shop.feed[kind]
    await world.walk("product", "inventory", "member", "order")

    assert await picture(world) == before
    assert await world.rows("SELECT count(*) FROM archive") == archived
    assert await world.rows("SELECT count(*) FROM history") == history
    assert await world.tally("order") == {
        "received": 4, "applied": 2, "duplicate": 2, "held": 0, "dead": 0,
    }  # fmt: skip
    assert await world.tally("product") == {
        "received": 2, "applied": 1, "duplicate": 1, "held": 0, "dead": 0,
    }  # fmt: skip
    assert await world.problems() == []


async def test_documents_told_three_times_in_one_page_are_applied_once(world: World) -> None:
    world.shop.repeat = 3
    some_trade(world)

    await world.walk("product", "inventory", "member", "order")

    assert await world.tally("order") == {
        "received": 6, "applied": 2, "duplicate": 4, "held": 0, "dead": 0,
    }  # fmt: skip
    assert len(await world.rows("SELECT id FROM archive WHERE kind='order'")) == 2
    assert await world.problems() == []


async def test_an_older_version_never_beats_a_newer_one(world: World) -> None:
    await world.walk("product")
    early, late = "2026-10-05T08:00:01.000000Z", "2026-10-05T08:00:09.000000Z"
    world.shop.show("order", an_order("O1", state="done", placed=early, updated=late))
    await world.walk("order")

    world.shop.show("order", an_order("O1", state="new", placed=early, updated=early))
    await world.walk("order")

    assert await world.rows("SELECT order_state, version FROM channel_order") == [("completed", 1)]
    assert await world.tally("order") == {
        "received": 2, "applied": 1, "duplicate": 1, "held": 0, "dead": 0,
    }  # fmt: skip


async def test_of_two_bodies_with_one_time_the_last_received_stands(world: World) -> None:
    """FLT-18: a channel may fill a field late without moving its own clock."""
    at = "2026-10-05T08:00:01.000000Z"
    for state in ("new", "paid", "paid"):
        world.shop.show("order", an_order("O1", state=state, placed=at, updated=at))
        await world.walk("order")

    assert await world.rows("SELECT order_state, version FROM channel_order") == [("confirmed", 2)]
    assert await world.tally("order") == {
        "received": 3, "applied": 2, "duplicate": 1, "held": 0, "dead": 0,
    }  # fmt: skip


async def test_a_bad_document_is_held_with_its_place_and_its_neighbours_go_on(world: World) -> None:
    world.shop.page = 10
    for number in range(7):
        order = an_order(f"O{number}", placed=world.clock.text)
        world.shop.show("order", order | ({"total": "ten"} if number == 3 else {}))

    await world.walk("order")

    assert await world.tally("order") == {
        "received": 7, "applied": 6, "duplicate": 0, "held": 1, "dead": 0,
    }  # fmt: skip
    [row] = await world.held()
    [cause] = row["causes"]
    assert (row["kind"], row["external_id"], row["cause"]) == ("order", "O3", "MappingError")
    assert (cause["canonical"], cause["native"], cause["value"]) == (
        "amount_payable",
        "total",
        "'ten'",
    )
    assert cause["file"].endswith("tests/sync/mappings/shop/order.yaml")
    assert line_of(cause["file"], cause["line"]).lstrip().startswith("amount_payable:")
    assert await world.problems() == []


async def test_a_bad_document_told_again_is_the_same_held_one(world: World) -> None:
    bad = an_order("O1", placed=world.clock.text) | {"total": "ten"}
    for _ in range(3):
        world.shop.show("order", bad | {"updated": "2026-10-05T08:00:00.000000Z"})
        await world.walk("order")

    assert [row["attempts"] for row in await world.held()] == [1]
    assert await world.tally("order") == {
        "received": 3, "applied": 0, "duplicate": 2, "held": 1, "dead": 0,
    }  # fmt: skip


async def test_a_corrected_document_releases_the_held_one(world: World) -> None:
    world.shop.show("order", an_order("O1", placed=world.clock.text) | {"total": "ten"})
    await world.walk("order")

    world.clock.forward(60)
    world.shop.show("order", an_order("O1", placed=world.clock.text))
    await world.walk("order")

    assert await world.held() == []
    assert [row["external_id"] for row in await world.held("released")] == ["O1"]
    assert await world.tally("order") == {
        "received": 2, "applied": 1, "duplicate": 1, "held": 0, "dead": 0,
    }  # fmt: skip
    assert await world.problems() == []


async def test_a_good_version_in_the_same_page_takes_the_bad_ones_place(world: World) -> None:
    world.shop.page = 10
    world.shop.show("order", an_order("O1", placed=world.clock.text) | {"total": "ten"})
    world.clock.forward(5)
    world.shop.show("order", an_order("O1", placed=world.clock.text))

    await world.walk("order")

    assert await world.held() == []
    assert await world.tally("order") == {
        "received": 2, "applied": 1, "duplicate": 1, "held": 0, "dead": 0,
    }  # fmt: skip


async def test_half_a_surrogate_pair_in_a_field_nobody_maps_stops_nothing(world: World) -> None:
    world.shop.page = 10
    world.shop.show("order", an_order("O1", placed=world.clock.text) | {"note": "\ud83d"})
    world.shop.show("order", an_order("O2", placed=world.clock.text))

    await world.walk("order")

    assert await world.tally("order") == {
        "received": 2, "applied": 2, "duplicate": 0, "held": 0, "dead": 0,
    }  # fmt: skip
    assert await world.held() == []
    assert await world.rows("SELECT count(*) FROM channel_order WHERE external_order_id='O2'") == [
        (1,)
    ]


async def test_a_document_without_an_id_is_released_once_a_mapping_finds_one(
    world: World, tmp_path: Path
) -> None:
    nameless = an_order("O1", placed=world.clock.text)
    nameless["number"] = nameless.pop("id")
    world.shop.show("order", nameless)
    await world.walk("order")
    [row] = await world.held()
    assert row["external_id"].startswith("unreadable:")

    refused = await release.release(world.engine, world.merchant_id, [row["id"]], job_id="job_1")
    assert refused == {"released": 0, "still_held": 1}
    better = replace(world.engine, mappings={"shop": by_number(tmp_path)})
    done = await release.release(better, world.merchant_id, [row["id"]], job_id="job_2")

    assert done == {"released": 1, "still_held": 0}
    assert await world.rows("SELECT external_order_id FROM channel_order") == [("O1",)]
    assert await world.tally("order") == {
        "received": 1, "applied": 1, "duplicate": 0, "held": 0, "dead": 0,
    }  # fmt: skip
    assert await world.problems() == []


async def test_a_newer_version_that_came_as_text_takes_the_older_ones_place(world: World) -> None:
    world.shop.as_text = True
    some_trade(world)
    world.shop.show("order", an_order("O1", state="paid", placed=world.clock.text))
    await world.walk("product", "member", "order")
    await world.walk("order")

    assert await world.tally("order") == {
        "received": 3, "applied": 2, "duplicate": 1, "held": 0, "dead": 0,
    }  # fmt: skip
    assert await world.problems() == []


async def test_a_text_that_is_no_json_is_held_alone_and_never_released_by_itself(
    world: World,
) -> None:
    world.shop.as_text, world.shop.garbled = True, "O1"
    some_trade(world)
    await world.walk("product", "member", "order")
    [row] = await world.held()

    refused = await release.release(world.engine, world.merchant_id, [row["id"]], job_id="job_1")

    assert refused == {"released": 0, "still_held": 1}
    assert row["external_id"].startswith("unreadable:")
    assert [(c["class"], c["message"]) for c in row["causes"]] == [
        ("ContractBroken", "A document is not JSON.")
    ]
    assert await world.rows("SELECT external_order_id FROM channel_order") == [("O2",)]
    assert await world.tally("order") == {
        "received": 2, "applied": 1, "duplicate": 0, "held": 1, "dead": 0,
    }  # fmt: skip


def by_number(folder: Path) -> list[Mapping]:
    """The shop's mapping of orders, corrected: the id stands in `number`."""
    text = next(m.path for m in MAPPINGS["shop"] if m.kind == "order").read_text(encoding="utf-8")
    better = folder / "order.yaml"
    better.write_text(
        text.replace("key: id", "key: number").replace(
            "{native: id, as: text}", "{native: number, as: text}", 1
        ),
        encoding="utf-8",
    )
    return [load(better)]


async def test_a_damaged_document_on_the_desk_is_named_and_stops_no_other(world: World) -> None:
    """FLT-11: one flipped byte."""
    world.shop.put("S1-1", 10)
    world.shop.put("S1-2", 4)
    await world.walk("product", "inventory")
    stored = await world.rows("SELECT document FROM held WHERE external_id='S1-1@P1'")
    flipped = bytearray(stored[0][0])
    flipped[-1] ^= 1
    await world.db.write(
        change, "UPDATE held SET document=? WHERE external_id='S1-1@P1'", (bytes(flipped),)
    )

    world.shop.show("product", a_product(1, skus=(1, 2)))
    await world.walk("product", "inventory", "inventory")

    assert [(row["external_id"], row["cause"]) for row in await world.held()] == [
        ("S1-1@P1", "SealError")
    ]
    assert await world.level("SKU-1-2") == (4, 0)
    assert await world.problems() == []


async def test_personal_values_are_masked_in_what_is_held(world: World) -> None:
    order = an_order("O1", placed=world.clock.text)
    order["buyer"] = {"id": "C1", "name": {"first": CANARY_NAME}, "phone": CANARY_PHONE}
    world.shop.show("order", order)

    await world.walk("order")

    [row] = await world.held()
    assert row["causes"][0]["canonical"] == "recipient_name"
    assert CANARY_NAME not in repr(row)


async def test_stock_of_an_unknown_sku_is_kept_and_taken_in_when_the_product_comes(
    world: World,
) -> None:
    world.shop.put("S1-1", 10)
    await world.walk("product", "inventory")
    assert [(row["external_id"], row["cause"]) for row in await world.held()] == [
        ("S1-1@P1", "Missing")
    ]
    assert await world.tally("inventory") == {
        "received": 1, "applied": 0, "duplicate": 0, "held": 1, "dead": 0,
    }  # fmt: skip

    world.shop.show("product", a_product(1))
    await world.walk("product", "inventory")

    assert await world.held() == []
    assert await world.level() == (10, 0)
    assert await world.tally("inventory") == {
        "received": 1, "applied": 1, "duplicate": 0, "held": 0, "dead": 0,
    }  # fmt: skip
    assert await world.problems() == []


async def test_what_stays_missing_does_not_keep_others_waiting(world: World) -> None:
    world.shop.page = 500
    for number in range(2, 212):
        world.shop.put(f"S{number}-1", 1)
    world.shop.put("S1-1", 10)
    await world.walk("product", "inventory")

    world.shop.show("product", a_product(1))
    await world.walk("product", "inventory", "inventory")

    assert await world.level() == (10, 0)
    assert len(await world.held()) == 210
    assert await world.problems() == []


async def test_a_walk_with_nothing_new_is_one_call_and_one_commit(world: World) -> None:
    some_trade(world)
    world.shop.put("unknown", 1)
    await world.open()
    await world.walk("inventory")
    for kind in ("product", "inventory", "order", "member"):
        world.shop.calls.clear()

        with counting_commits(world.db) as commits:
            await world.walk(kind)

        assert commits == [1], kind
        assert world.shop.calls == [("pull", kind)]


async def test_an_error_in_the_middle_keeps_the_pages_before_and_goes_on_there(
    world: World,
) -> None:
    world.shop.page = 2
    for number in range(6):
        world.shop.show("order", an_order(f"O{number}", placed=world.clock.text))
    world.shop.raises["pull"] = [None, None, Retry("A passing fault.")]

    failure = await world.run("shop", "order", "pull")
    kept = await world.rows("SELECT count(*) FROM channel_order")
    await world.walk("order")

    assert isinstance(failure, Retry)
    assert kept == [(4,)]
    assert await world.rows("SELECT count(*) FROM channel_order") == [(6,)]
    assert await world.tally("order") == {
        "received": 6, "applied": 6, "duplicate": 0, "held": 0, "dead": 0,
    }  # fmt: skip


async def test_a_case_that_comes_before_its_order_waits_for_it(world: World) -> None:
    """Two documents carry them: the case rides on another order (an exchange)."""
    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 10)
    await world.open()
    placed = world.clock.text
    world.clock.forward(10)
    done = world.clock.text
    world.shop.show(
        "order", an_order("O2", placed=placed) | {"refunds": [a_case("R1", "O1", done=done)]}
    )
    await world.walk("order")
    assert await world.rows("SELECT channel_order_id FROM after_sale") == [(None,)]

    world.shop.show("order", an_order("O1", a_line(sent=2), placed=placed, shipped=placed))
    await world.walk("order")

    assert await world.rows(
        "SELECT o.external_order_id, o.amount_refunded, o.payment_state, o.return_state FROM after_sale a "
        "JOIN channel_order o ON o.id=a.channel_order_id"
    ) == [("O1", 1000, "partially_refunded", "partially_returned")]
    assert await world.problems() == []


async def test_the_line_of_an_order_with_an_unknown_sku_blocks_it_and_refuses_nothing(
    world: World,
) -> None:
    world.shop.show("order", an_order("O1", placed=world.clock.text))

    await world.walk("order")

    assert await world.rows("SELECT order_state, hold_reasons FROM channel_order") in (
        [("confirmed", '["sku_unknown:1"]')],
        [("confirmed", ["sku_unknown:1"])],
    )
    assert (await world.tally("order"))["applied"] == 1


async def test_an_order_with_an_unknown_sku_is_released_when_the_product_comes(
    world: World,
) -> None:
    await world.walk("product")
    world.shop.show("order", an_order("O1", placed=world.clock.text))
    await world.walk("order")

    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 8, on_hand=10)
    await world.walk("product", "inventory")

    assert await world.rows("SELECT hold_reasons FROM channel_order") == [(None,)]
    assert await world.level() == (10, 2)
    assert await world.problems() == []


async def test_two_merchants_with_the_same_ids_never_see_each_other(world: World) -> None:
    some_trade(world)
    world.till.show("order", a_receipt("T1", sold="2026-10-05T09:00:00.000000Z"))
    await world.open()
    mine, ours = await picture(world), world.infos
    await world.add_merchant("mer_2")
    world.merchant_id, world.infos = "mer_2", {}
    await world.join("shop")
    await world.join("till")
    await world.walk("product", "inventory", "member", "order")
    await world.walk("order", who="till")

    theirs = await picture(world)
    world.shop.show("order", an_order("O1", state="void", placed=world.clock.text))
    await world.walk("order")
    world.merchant_id, world.infos = "mer_1", ours

    for part in ("order", "product", "listing", "member", "promise"):
        assert theirs[part] == mine[part], part
    assert await picture(world) == mine
    shared = await world.rows(
        "SELECT a.id FROM variant a JOIN variant b ON a.id=b.id AND a.merchant_id<>b.merchant_id"
    )
    assert shared == []


async def test_nothing_personal_or_secret_stands_readable_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with a_world(f"sqlite:///{path}") as world:
        world.shop.show("product", a_product(1))
        world.shop.put("S1-1", 10)
        buyer = {"id": "canary-customer", "name": CANARY_NAME, "phone": CANARY_PHONE}
        world.shop.show("order", an_order("O1", placed=world.clock.text, buyer=buyer))
        bad = an_order("O2", placed=world.clock.text, buyer=buyer) | {"total": "ten"}
        world.shop.show("order", bad)
        known = [{"kind": "phone", "space": "", "value": CANARY_PHONE, "strength": "strong"}]
        world.shop.show(
            "member", a_member("canary-customer", name=CANARY_NAME, phone=CANARY_PHONE, known=known)
        )
        await world.open()
        world.shop.show(
            "order",
            an_order("O1", placed=world.clock.text, buyer=buyer | {"name": f"{CANARY_NAME}x"}),
        )
        await world.walk("order")
        stored = await world.db.read(fetch, "SELECT id, kind, body FROM archive")
        ring = world.rings["mer_1"]
        raw = {
            kind: ring.open_blob("archive", row_id, bytes(body)) for row_id, kind, body in stored
        }
    written = bytes_of(tmp_path)

    for canary in (CANARY_NAME, CANARY_PHONE, "canary-customer", TOKEN):
        assert canary.encode() not in written, canary
    assert CANARY_NAME.encode() in raw["order"]
    assert b"SKU-1-1" in raw["product"]
    assert MAIN.encode() in raw["inventory"]
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("text", ["a\u0000b", "a\u2028b", "𠮷", "'; DROP TABLE member; --"])
async def test_hostile_text_in_one_document_stops_no_other(world: World, text: str) -> None:
    world.shop.page = 10
    world.shop.show("product", a_product(1) | {"title": text})
    world.shop.show("product", a_product(2))

    await world.walk("product")

    tally = await world.tally("product")
    assert (tally["received"], tally["applied"] + tally["held"]) == (2, 2)
    assert ("Thing 2",) in await world.rows("SELECT title FROM listing")
    assert await world.problems() == []


async def test_a_document_that_names_two_lines_alike_stops_no_other(world: World) -> None:
    world.shop.page = 10
    world.shop.show("order", an_order("O1", a_line(), a_line(), placed=world.clock.text))
    world.shop.show("order", an_order("O2", placed=world.clock.text))

    await world.walk("order")

    tally = await world.tally("order")
    assert (tally["received"], tally["applied"] + tally["held"]) == (2, 2)
    assert ("O2",) in await world.rows("SELECT external_order_id FROM channel_order")
    assert await world.problems() == []

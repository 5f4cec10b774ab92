"""Stock on its way out: never over an unseen sale, never an older figure last, never twice in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import outbox
from hub.db.outbox import Wanted
from hub.errors import Conflict, ContractBroken, Rejected, Retry, Throttled
from hub.sdk import Change, Outcome
from hub.sync import release
from hub.sync.push import plan, push
from hub.sync.reconcile import reconcile
from tests.sync.channels import MAIN, a_line, a_product, a_receipt, an_order
from tests.sync.world import World, a_world, counting_commits

KEY = f"S1-1@{MAIN}"
AT = ("S1-1", MAIN)


@pytest.fixture
async def shelf(world: World) -> World:
    """Ten pieces counted and shown everywhere; nothing waits."""
    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 10)
    await world.open()
    await world.walk("inventory")
    world.clock.forward(300)
    world.shop.calls.clear()
    world.till.calls.clear()
    return world


async def sold_at_the_till(world: World, name: str = "T1", n: int = 1) -> None:
    world.till.show("order", a_receipt(name, n=n, sold=world.clock.text))
    await world.walk("order", who="till")


def sold_in_the_shop(world: World, name: str = "O1", n: int = 1) -> None:
    """Sell as a shop does: its own figure drops at once, its order shows in the list."""
    world.shop.stock[AT] -= n
    world.shop.show("inventory", world.shop.figure(*AT))
    world.shop.show("order", an_order(name, a_line(n=n), placed=world.clock.text))


async def test_a_sale_at_the_till_lowers_what_the_shop_shows(shelf: World) -> None:
    await sold_at_the_till(shelf, n=3)

    assert await shelf.push() is None

    assert shelf.shop.stock[AT] == 7
    assert shelf.shop.written == [(KEY, 7)]
    assert (await shelf.outbox())[KEY][2:] == ("done", 7)


async def test_a_figure_the_channel_shows_already_makes_no_call(shelf: World) -> None:
    await sold_at_the_till(shelf, "T1", n=3)
    await sold_at_the_till(shelf, "T2", n=1)
    shelf.till.show("order", a_receipt("T1", n=3, sold=shelf.clock.text, voided=shelf.clock.text))
    shelf.till.show("order", a_receipt("T2", n=1, sold=shelf.clock.text, voided=shelf.clock.text))
    shelf.clock.forward(5)
    await shelf.walk("order", who="till")

    done = await push(shelf.engine, shelf.infos["shop"], "inventory", job_id="job_1")

    assert (done.equal, done.sent, done.calls) == (1, 0, 0)
    assert shelf.shop.pushes() == 0
    assert (await shelf.outbox())[KEY][2:] == ("done", 10)


async def test_nothing_waiting_is_no_call_and_no_commit(shelf: World) -> None:
    with counting_commits(shelf.db) as commits:
        await push(shelf.engine, shelf.infos["shop"], "inventory", job_id="job_1")

    assert (commits, shelf.shop.pushes()) == ([0], 0)


async def test_our_own_push_coming_back_is_a_duplicate_and_no_drift(shelf: World) -> None:
    await sold_at_the_till(shelf, n=3)
    await shelf.push()
    before = await shelf.outbox()

    await shelf.walk("inventory")

    assert await shelf.outbox() == before
    assert (await shelf.tally("inventory"))["duplicate"] == 1
    assert shelf.shop.pushes() == 1


async def test_a_sale_we_have_not_seen_is_never_written_over(shelf: World) -> None:
    """M4: the shop sold one, its order is not pulled yet, and the till sells one more."""
    sold_in_the_shop(shelf)
    await sold_at_the_till(shelf)

    assert await shelf.push() is None
    assert shelf.shop.stock[AT] == 9
    assert shelf.shop.written == []
    assert (await shelf.outbox())[KEY][2] == "waiting"

    shelf.clock.forward(30)
    await shelf.walk("order")
    await shelf.push()
    assert shelf.shop.written == [], "the walk began before the shop's orders were sure to show"

    shelf.clock.forward(61)
    await shelf.walk("order")
    await shelf.push()
    assert shelf.shop.written == [(KEY, 8)]
    assert await shelf.level() == (9, 1)
    assert await shelf.problems() == []


async def test_a_figure_someone_moved_is_put_right_after_the_gate(shelf: World) -> None:
    shelf.shop.stock[AT] = 99
    shelf.shop.show("inventory", shelf.shop.figure(*AT))
    await shelf.walk("inventory")

    await shelf.push()
    assert shelf.shop.stock[AT] == 99

    shelf.clock.forward(61)
    await shelf.walk("order")
    await shelf.push()
    assert shelf.shop.stock[AT] == 10
    assert shelf.shop.written == [(KEY, 10)]


async def test_a_moved_figure_that_an_order_explains_is_no_drift(shelf: World) -> None:
    sold_in_the_shop(shelf, n=2)
    await shelf.walk("inventory")
    shelf.clock.forward(61)
    await shelf.walk("order")

    await shelf.push()

    assert shelf.shop.written == []
    assert shelf.shop.stock[AT] == 8
    assert (await shelf.outbox())[KEY][2:] == ("done", 8)


async def test_what_the_channel_refuses_is_held_with_its_words_and_its_neighbours_go_on(
    shelf: World,
) -> None:
    shelf.shop.show("product", a_product(2))
    shelf.shop.put("S2-1", 5)
    await shelf.round()
    shelf.clock.forward(300)
    shelf.shop.refuses[KEY] = Rejected("Listing is frozen.", code="FROZEN")
    await sold_at_the_till(shelf, n=3)
    before = await shelf.tally("inventory")

    assert await shelf.push() is None

    [row] = await shelf.held()
    assert (row["verb"], row["external_id"], row["cause"]) == ("push", KEY, "Rejected")
    assert (row["causes"][0]["code"], row["causes"][0]["message"]) == (
        "FROZEN",
        "Listing is frozen.",
    )
    assert (await shelf.outbox())[KEY][2] == "held"
    assert await shelf.tally("inventory") == before
    assert await shelf.problems() == []


async def test_a_refused_figure_is_not_forgotten_when_the_channel_shows_the_same_key(
    shelf: World,
) -> None:
    shelf.shop.refuses[KEY] = "Listing is frozen."
    await sold_at_the_till(shelf, n=3)
    await shelf.push()

    shelf.shop.show("inventory", shelf.shop.figure(*AT))
    await shelf.walk("inventory")

    assert [(row["verb"], row["external_id"]) for row in await shelf.held()] == [("push", KEY)]
    assert (await shelf.tally("inventory"))["held"] == 0
    assert await shelf.problems() == []


async def test_a_released_figure_is_tried_again_and_closes_when_it_lands(shelf: World) -> None:
    shelf.shop.refuses[KEY] = "Listing is frozen."
    await sold_at_the_till(shelf, n=3)
    await shelf.push()
    [row] = await shelf.held()
    shelf.shop.refuses.clear()

    done = await release.release(shelf.engine, shelf.merchant_id, [row["id"]], job_id="job_1")
    await shelf.push()

    assert done == {"released": 1, "still_held": 0}
    assert shelf.shop.stock[AT] == 7
    assert await shelf.held() == []


async def test_a_newer_figure_starts_afresh_after_a_refused_one(shelf: World) -> None:
    shelf.shop.refuses[KEY] = "Listing is frozen."
    await sold_at_the_till(shelf, n=3)
    await shelf.push()
    shelf.shop.refuses.clear()
    await sold_at_the_till(shelf, "T2", n=1)

    await shelf.push()

    assert shelf.shop.stock[AT] == 6
    assert await shelf.held() == []


@pytest.mark.parametrize(("lost", "calls"), [("reply", 1), ("write", 2)])
async def test_a_write_in_doubt_is_read_back_before_it_is_repeated(
    shelf: World, lost: str, calls: int
) -> None:
    await sold_at_the_till(shelf, n=3)
    shelf.shop.lost = lost

    await shelf.push()
    verbs = [verb for verb, _kind in shelf.shop.calls]
    shelf.shop.lost = ""
    shelf.clock.forward(15)
    await shelf.push()

    assert verbs == ["push", "fetch"]
    assert shelf.shop.pushes() == calls
    assert shelf.shop.written == [(KEY, 7)]
    assert (await shelf.outbox())[KEY][2:] == ("done", 7)


async def test_a_passing_fault_keeps_the_rows_and_they_go_later(shelf: World) -> None:
    await sold_at_the_till(shelf, n=3)
    shelf.shop.raises["push"] = [Throttled("Slow down.", delay_s=30.0)]

    failure = await shelf.push()
    waiting = (await shelf.outbox())[KEY][2]
    shelf.clock.forward(31)
    await shelf.push()

    assert (type(failure), waiting) == (Throttled, "waiting")
    assert shelf.shop.written == [(KEY, 7)]


async def test_a_newer_figure_that_comes_during_a_call_lands_last(shelf: World) -> None:
    """INV-4: the delivered version is marked, the newer one keeps waiting."""
    await sold_at_the_till(shelf, n=3)
    flow = shelf.flow("inventory")

    def meanwhile(name: str) -> None:
        if name == "after the call" and len(shelf.shop.written) == 1:
            with shelf.db.engine.begin() as conn:
                stood = outbox.desired(conn, flow, [KEY])[KEY]
                outbox.want(conn, flow, [Wanted(KEY, stood | {"available": 4})], shelf.clock.text)

    shelf.shop.operation = meanwhile
    await shelf.push()

    assert shelf.shop.written == [(KEY, 7), (KEY, 4)]
    version, delivered, state, figure = (await shelf.outbox())[KEY]
    assert (version, state, figure) == (delivered, "done", 4)


async def test_an_answer_that_comes_late_does_not_undo_a_newer_one(shelf: World) -> None:
    await sold_at_the_till(shelf, n=3)
    flow = shelf.flow("inventory")
    version = (await shelf.outbox())[KEY][0]
    await sold_at_the_till(shelf, "T2", n=1)
    await shelf.push()

    await shelf.db.write(outbox.done, flow, [(KEY, version)], shelf.clock.text)

    assert (await shelf.outbox())[KEY] == (version + 1, version + 1, "done", 6)


async def test_changes_a_connector_leaves_unanswered_wait_and_say_so(shelf: World) -> None:
    shelf.shop.show("product", a_product(2))
    shelf.shop.put("S2-1", 5)
    await shelf.round()
    await shelf.round()
    connector = shelf.engine.connectors["till"]
    whole = connector.push

    async def half(self: Any, kind: Any, changes: Sequence[Change]) -> Sequence[Outcome]:
        return list(await whole(self, kind, changes))[:-1]

    shelf.till.show("order", a_receipt("T1", n=1, sold=shelf.clock.text))
    await shelf.walk("order", who="till")
    connector.push = half  # type: ignore[method-assign] # the class of this world alone
    failure = await shelf.push("till")

    assert isinstance(failure, ContractBroken)
    assert str(failure) == "The connector left 1 of 1 changes unanswered."
    assert (await shelf.outbox("till"))["SKU-1-1@P1"][2] == "waiting"


async def test_a_channel_that_always_says_conflict_is_not_hammered(shelf: World) -> None:
    """The till has orders; without them, too, one try per run is all."""
    shelf.till.refuses["SKU-1-1@P1"] = Conflict("Moved again.")
    await sold_at_the_till(shelf, n=1)

    await shelf.push("till")

    assert shelf.till.pushes() == 1
    assert (await shelf.outbox("till"))["SKU-1-1@P1"][2] == "waiting"


async def test_a_conflict_where_no_orders_can_explain_it_rests_before_the_next_try(
    kept_url: str,
) -> None:
    async with a_world(kept_url) as world:
        till = world.engine.connectors["till"]
        streams = {"inventory": till.manifest.streams["inventory"]}
        till.manifest = replace(till.manifest, streams=streams)
        world.shop.show("product", a_product(1))
        world.shop.put("S1-1", 10)
        world.till.refuses["SKU-1-1@P1"] = Conflict("Moved again.")
        await world.walk("product", "inventory")

        await world.push("till")

        assert world.till.pushes() == 1


async def test_observe_only_pulls_and_plans_and_writes_nothing(shelf: World) -> None:
    await sold_at_the_till(shelf, n=3)
    watching = replace(shelf.engine, is_observe_only=True)

    done = await push(watching, shelf.infos["shop"], "inventory", job_id="job_1")
    shown = await plan(watching, shelf.infos["shop"], "inventory")

    assert (done.sent, done.calls, shelf.shop.pushes()) == (0, 0, 0)
    assert [(row["key"], row["changes"]["available"]) for row in shown] == [(KEY, [10, 7])]
    assert (await shelf.outbox())[KEY][2] == "waiting"


async def test_a_plan_is_what_the_push_then_does(shelf: World) -> None:
    await sold_at_the_till(shelf, n=3)

    shown = await plan(shelf.engine, shelf.infos["shop"], "inventory")
    await shelf.push()

    assert [(row["key"], row["changes"]) for row in shown] == [(KEY, {"available": [10, 7]})]
    assert shelf.shop.written == [(KEY, 7)]
    assert await plan(shelf.engine, shelf.infos["shop"], "inventory") == []


async def test_reconcile_asks_anew_for_what_was_lost_and_finds_nothing_to_do_at_rest(
    shelf: World,
) -> None:
    flow = shelf.flow("inventory")
    assert await reconcile(shelf.engine, shelf.infos["shop"], "inventory") == {
        "wanted": 0,
        "drifted": 0,
    }
    with shelf.db.engine.begin() as conn:
        stood = outbox.desired(conn, flow, [KEY])[KEY]
        outbox.want(conn, flow, [Wanted(KEY, stood | {"available": 3})], shelf.clock.text)

    asked = await reconcile(shelf.engine, shelf.infos["shop"], "inventory")

    assert asked["wanted"] == 1
    assert (await shelf.outbox())[KEY][2:] == ("waiting", 10)


async def test_a_stock_level_without_a_first_count_is_told_to_nobody(world: World) -> None:
    world.shop.show("product", a_product(1))
    await world.walk("product", "order")
    await sold_at_the_till(world)

    assert await world.outbox() == {}
    assert await world.outbox("till") == {}


async def test_a_sku_the_product_no_longer_names_is_not_told_about_stock_until_it_is_back(
    shelf: World,
) -> None:
    shelf.shop.show("product", a_product(1, skus=()))
    await shelf.walk("product")
    await sold_at_the_till(shelf, n=3)
    assert (await shelf.outbox())[KEY][3] == 10
    assert await shelf.rows("SELECT stock_sync_enabled, deleted_at IS NULL FROM listing_sku") in (
        [(0, 0)],
        [(False, False)],
    )

    shelf.clock.forward(5)
    shelf.shop.show("product", a_product(1))
    await shelf.walk("product")

    assert (await shelf.outbox())[KEY][3] == 7
    assert await shelf.rows("SELECT deleted_at FROM listing_sku") == [(None,)]


async def _till_sells(world: World, number: int) -> None:
    world.till.show("order", a_receipt(f"T{number}", sold=world.clock.text))


async def _shop_sells(world: World, number: int) -> None:
    if world.shop.stock[AT] > 0:
        sold_in_the_shop(world, f"O{number}")


async def _moved(world: World, _number: int) -> None:
    world.shop.stock[AT] += 1
    world.shop.show("inventory", world.shop.figure(*AT))


async def _walk(world: World, _number: int) -> None:
    await world.walk("inventory", "order")
    await world.walk("order", who="till")


async def _push(world: World, _number: int) -> None:
    await world.push()
    await world.push("till")


async def _lost(world: World, _number: int) -> None:
    world.shop.lost = "reply"
    await world.push()
    world.shop.lost = ""


async def _fault(world: World, _number: int) -> None:
    world.shop.raises["push"] = [Retry("A passing fault.")]
    await world.push()
    world.shop.raises["push"] = []


async def _refused(world: World, _number: int) -> None:
    world.shop.refuses[KEY] = "Not now."
    await world.push()
    world.shop.refuses.clear()
    open_rows = [row["id"] for row in await world.held()]
    await release.release(world.engine, world.merchant_id, open_rows, job_id="job_1")


STEPS = {
    "till sells": _till_sells, "shop sells": _shop_sells, "moved": _moved, "walk": _walk,
    "push": _push, "lost": _lost, "fault": _fault, "refused": _refused,
}  # fmt: skip


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=14))
async def test_whatever_happens_the_channel_ends_at_what_is_wanted(
    kept_url: str, steps: list[str]
) -> None:
    """INV-4, M10: after quiet, both channels show what the ledger says, and no sale was lost."""
    async with a_world(kept_url) as world:
        world.shop.show("product", a_product(1))
        world.shop.put("S1-1", 10)
        await world.open()
        for number, step in enumerate(steps):
            world.clock.forward(20)
            await STEPS[step](world, number)

        for _ in range(4):
            await world.round()

        at_till, in_shop = len(world.till.feed["order"]), len(world.shop.feed["order"])
        left = 10 - at_till - in_shop
        assert await world.level() == (10 - at_till, in_shop)
        assert (world.shop.stock[AT], world.till.stock["SKU-1-1", MAIN]) == (left, left)
        assert [row[2] for row in (await world.outbox()).values()] == ["done"]
        assert await world.problems() == []

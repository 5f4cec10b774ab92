"""A document with several faults: one held record that names all of them, and lets go of all."""

from __future__ import annotations

from hub.cli.held import told
from tests.sync.channels import a_line, an_order
from tests.sync.test_pull import CANARY_NAME, CANARY_PHONE, line_of
from tests.sync.world import World


async def test_two_faults_in_one_document_are_one_held_record_with_two_causes(
    world: World,
) -> None:
    faults = {"total": "ten", "shipped": "yesterday"}
    world.shop.show("order", an_order("O1", placed=world.clock.text) | faults)

    await world.walk("order")

    [row] = await world.held()
    assert (row["external_id"], row["cause"], row["attempts"]) == ("O1", "MappingError", 1)
    names = ("class", "canonical", "native", "value", "why")
    assert [tuple(cause[name] for name in names) for cause in row["causes"]] == [
        ("MappingError", "amount_payable", "total", "'ten'", "not a decimal number"),
        (
            "MappingError", "shipped_at", "shipped", "'yesterday'",
            "Invalid isoformat string: 'yesterday'",
        ),
    ]  # fmt: skip
    for cause in row["causes"]:
        assert line_of(cause["file"], cause["line"]).split(":")[0].strip() == cause["canonical"]
        assert cause["message"].startswith(f"{cause['file']}:{cause['line']}: ")
        assert "more" not in cause["message"]
    assert await world.tally("order") == {
        "received": 1, "applied": 0, "duplicate": 0, "held": 1, "dead": 0,
    }  # fmt: skip
    assert await world.problems() == []


async def test_a_person_reads_every_cause_of_a_held_record(world: World) -> None:
    faults = {"total": "ten", "shipped": "yesterday"}
    world.shop.show("order", an_order("O1", placed=world.clock.text) | faults)
    await world.walk("order")
    [row] = await world.held()

    text = told(row | {"connection": "shop"})

    file = row["causes"][0]["file"]
    first, second = (cause["line"] for cause in row["causes"])
    assert text.splitlines() == [
        f"{row['id']}: order O1 of shop (pull), tried 1 time(s), "
        f"{row['first_at']} to {row['last_at']}",
        "",
        "1. amount_payable <- total: not a decimal number",
        "   value: 'ten'",
        f"   file: {file}",
        f"   line: {first}",
        "",
        "2. shipped_at <- shipped: Invalid isoformat string: 'yesterday'",
        "   value: 'yesterday'",
        f"   file: {file}",
        f"   line: {second}",
    ]


async def test_a_document_that_mends_one_of_two_faults_stays_held_for_the_other(
    world: World,
) -> None:
    both = an_order("O1", placed=world.clock.text) | {"total": "ten", "shipped": "yesterday"}
    world.shop.show("order", both)
    await world.walk("order")
    [before] = await world.held()

    world.shop.show("order", both | {"total": "10.00"})
    await world.walk("order")
    [after] = await world.held()
    world.shop.show("order", an_order("O1", placed=world.clock.text))
    await world.walk("order")

    assert after["id"] == before["id"]
    assert [cause["canonical"] for cause in after["causes"]] == ["shipped_at"]
    assert await world.held() == []
    assert [row["external_id"] for row in await world.held("released")] == ["O1"]
    assert await world.problems() == []


async def test_of_very_many_faults_twenty_are_kept_and_a_last_cause_counts_the_rest(
    world: World,
) -> None:
    lines = [a_line() | {"id": str(number), "sum": "x"} for number in range(24)]
    world.shop.show("order", an_order("O1", *lines, placed=world.clock.text) | {"total": "ten"})

    await world.walk("order")

    [row] = await world.held()
    assert len(row["causes"]) == 21
    assert row["causes"][0]["canonical"] == "amount_payable"
    assert [cause["why"] for cause in row["causes"][1:20]] == [
        f"not a decimal number, in element {number}" for number in range(19)
    ]
    rest = {"class": "MappingError", "message": "5 more places do not fit.", "unnamed": 5}
    assert row["causes"][20] == rest


async def test_no_personal_value_is_in_any_of_several_causes(world: World) -> None:
    order = an_order("O1", placed=world.clock.text) | {"total": "ten"}
    order["buyer"] = {"name": {"first": CANARY_NAME}, "phone": f"{CANARY_PHONE}\x00"}
    world.shop.show("order", order)

    await world.walk("order")

    [row] = await world.held()
    assert [(cause["canonical"], cause["value"]) for cause in row["causes"]] == [
        ("amount_payable", "'ten'"),
        ("recipient_name", "object with 1 keys"),
        ("recipient_phone", "text of 15 characters"),
    ]
    assert CANARY_NAME not in repr(row)
    assert CANARY_PHONE not in repr(row)

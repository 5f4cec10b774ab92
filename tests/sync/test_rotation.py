"""FLT-06: a key rotation killed at any write goes on, beside live sync, and everything still opens."""

from __future__ import annotations

from typing import Any

import pytest

from hub.db import Database, connections, keys
from hub.db.bulk import change
from hub.sync import rotation
from hub.sync.rotation import sealed_columns
from hub.vault import key_id_of
from tests.sync.channels import a_member, a_product, an_order
from tests.sync.test_crash import FUSE, Fragile, Killed, fused
from tests.sync.world import TOKEN, VAULT, World, a_world, again


async def a_full_house(world: World) -> None:
    """Something in every sealed place: archive, personal columns, a held document, a secret."""
    known = [{"kind": "phone", "space": "", "value": "+8613800138000", "strength": "strong"}]
    world.shop.show("product", a_product(1))
    world.shop.put("S1-1", 10)
    world.shop.show("member", a_member("C1", phone="+8613800138000", known=known))
    world.shop.show("order", an_order("O1", placed=world.clock.text))
    world.shop.show("order", an_order("O2", placed=world.clock.text) | {"total": "ten"})
    await world.walk("product", "inventory", "member", "order")


async def key_ids(world: World) -> dict[str, set[str]]:
    """Return the keys that sealed values name, by place."""
    out: dict[str, set[str]] = {}
    for place in sealed_columns():
        rows = await world.db.read(
            keys.sealed_page,
            world.merchant_id,
            place.table,
            place.column,
            place.row_key,
            ("", ""),
            10_000,
        )
        if rows:
            out[f"{place.table}.{place.column}"] = {key_id_of(sealed) for *_place, sealed in rows}
    return out


async def opened(world: World) -> int:
    """Open everything sealed with the keys the database holds; returns how many values there are."""
    await world.open_keys(world.merchant_id)
    ring, count = world.rings[world.merchant_id], 0
    for place in sealed_columns():
        rows = await world.db.read(
            keys.sealed_page,
            world.merchant_id,
            place.table,
            place.column,
            place.row_key,
            ("", ""),
            10_000,
        )
        for first, second, sealed in rows:
            where = (first, second) if place.place is None else (*place.place, second)
            assert ring.open_at(ring.place(*where), sealed)
            count += 1
    return count


async def test_after_a_rotation_nothing_names_the_old_key_and_everything_opens(
    world: World,
) -> None:
    await a_full_house(world)
    before, count = await key_ids(world), await opened(world)
    [old] = set().union(*before.values())

    moved = await rotation.rotate(world.engine, VAULT, world.merchant_id)

    after = set().union(*(await key_ids(world)).values())
    assert len(before) > 6, "columns, archive, held and secrets"
    assert (moved, await opened(world)) == (count, count)
    assert old not in after
    assert len(after) == 1
    assert {
        row[1] for row in await world.db.read(keys.keys, world.merchant_id) if row[2] == "data"
    } == after


async def test_after_a_rotation_sync_goes_on_where_it_was(world: World) -> None:
    await a_full_house(world)
    await rotation.rotate(world.engine, VAULT, world.merchant_id)
    await world.open_keys(world.merchant_id)
    world.engine.sessions.clear()

    world.clock.forward(5)
    world.shop.show("order", an_order("O2", placed=world.clock.text))
    world.shop.show("member", a_member("C1", phone="+8613800138001"))
    await world.walk("member", "order")

    assert await world.held() == []
    assert await world.rows("SELECT count(*) FROM member") == [(1,)]
    info = await world.db.read(connections.one, world.merchant_id, world.infos["shop"].id)
    secret = (await world.db.read(connections.secrets, world.merchant_id, world.infos["shop"].id))[
        "token"
    ]
    assert info is not None
    assert world.rings[world.merchant_id].open_secret(info.id, "token", secret) == TOKEN


async def test_killed_at_any_write_a_rotation_goes_on_and_everything_opens(kept_url: str) -> None:
    nth = 1
    while True:
        async with a_world(kept_url, joins=("shop",), kind=Fragile) as world:
            await a_full_house(world)
            count = await opened(world)
            try:
                with fused(world.db, nth):
                    await rotation.rotate(world.engine, VAULT, world.merchant_id)
                killed = False
            except Killed:
                killed = True
            FUSE.left = 0
            assert await opened(world) == count, f"killed at write {nth}"
            async with again(world, kind=Database) as fresh:
                if killed:
                    await rotation.rotate(fresh.engine, VAULT, fresh.merchant_id)
                assert await opened(fresh) == count
                assert len(set().union(*(await key_ids(fresh)).values())) == 1
        if not killed:
            break
        nth += 7

    assert nth > 30


async def test_values_sealed_with_the_old_key_while_it_runs_are_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live worker keeps its ring until it opens the keys anew: the old key must outlive that."""
    await a_full_house(world)
    first_look, told = keys.sealed_page, []
    late_comer = (
        "INSERT INTO member (merchant_id, id, created_at, updated_at, version, state, display_name_enc) "
        "SELECT merchant_id, 'mem_late', created_at, updated_at, 1, state, ? FROM member"
    )

    def meanwhile(conn: Any, merchant_id: str, table: str, *rest: Any) -> Any:
        if table == "connection_secret" and not told:
            told.append(world.rings[merchant_id].seal("member", "display_name", "mem_late", "Late"))
            with world.db.engine.begin() as other:
                change(other, late_comer, told)
        return first_look(conn, merchant_id, table, *rest)

    # A worker of another process, seen from here: it writes between two reads of the rotation.
    monkeypatch.setattr(keys, "sealed_page", meanwhile)
    await rotation.rotate(world.engine, VAULT, world.merchant_id)
    monkeypatch.undo()

    assert told
    await opened(world)
    [(sealed,)] = await world.rows("SELECT display_name_enc FROM member WHERE id='mem_late'")
    assert (
        world.rings[world.merchant_id].open("member", "display_name", "mem_late", bytes(sealed))
        == "Late"
    )

"""Held records, tried again: by a person who fixed the cause, or when what was missing has come."""

from __future__ import annotations

from hub.db import Connection, connections, flows, held, outbox
from hub.db.bulk import fetch
from hub.db.flows import Flow
from hub.errors import ContractBroken
from hub.records.time import to_text
from hub.sdk import Page, decode
from hub.sync.engine import Engine
from hub.sync.prepare import hidden_keys
from hub.sync.pull import Walker, hide
from hub.sync.reading import Reading, cause_of
from hub.vault import SealError


async def release(
    engine: Engine, merchant_id: str, held_ids: list[str], *, job_id: str
) -> dict[str, int]:
    """Map and apply held documents again with today's mapping; refused pushes go back to the outbox.

    What still does not fit stays held, with its newest causes. Returns `{released, still_held}`.
    """
    released = 0
    for held_id in held_ids:
        found = await engine.db.read(held.document, merchant_id, held_id)
        if found is None:
            continue
        flow, key, verb, sealed = found
        if verb == "push":
            await engine.db.write(_again, flow, key, to_text(engine.now()))
            released += 1
        elif sealed is not None:
            try:
                released += await _apply_again(engine, flow, key, sealed, job_id)
            except (SealError, ContractBroken) as broken:  # a damaged document stops no other
                await engine.db.write(
                    held.blame, merchant_id, held_id, cause_of(broken), to_text(engine.now())
                )
    return {"released": released, "still_held": len(held_ids) - released}


def _again(conn: Connection, flow: Flow, key: str, now: str) -> None:
    outbox.release(conn, flow, [key])
    held.close(conn, flow, [key], now, verb="push")


async def _apply_again(engine: Engine, flow: Flow, key: str, sealed: bytes, job_id: str) -> bool:
    info = await engine.db.read(connections.one, flow.merchant_id, flow.connection_id)
    if info is None:
        return False
    body = engine.seals(flow.merchant_id).open_blob("held", key, sealed)
    stream = engine.mapping_of(info.code, flow.kind).source_stream
    walker = Walker(
        engine,
        info,
        Flow(flow.merchant_id, flow.connection_id, stream),
        job_id,
        {},
        moves=False,
        is_retry=True,
    )
    page = Page([decode(body)], {})
    mappings = engine.mappings_of(info.code, stream)
    seals = engine.seals(flow.merchant_id)
    [named] = Reading(mappings, {}).name(page.documents)
    if named.causes or not any(named.keys.values()):
        # What a connector could not read holds no record: only a mended document releases it.
        return False
    await walker.take(page)
    keys = set(hidden_keys(named, hide(seals)).get(flow.kind, ()))
    if key not in keys:
        await engine.db.write(_named_at_last, flow, key, sorted(keys), to_text(engine.now()))
    left = await engine.db.read(held.open_ones, flow, [key])
    return not left


def _named_at_last(conn: Connection, flow: Flow, key: str, names: list[str], now: str) -> None:
    """Close a row that was held before its record had a name; a record held under its own goes on."""
    closed = held.close(conn, flow, [key], now)
    if not held.open_ones(conn, flow, names):
        flows.settle(conn, flow, applied=closed)


async def retry_missing(engine: Engine, flow: Flow, *, job_id: str, limit: int = 200) -> int:
    """Try again what waited for something else to arrive; returns how many records went through.

    Nothing is tried while nothing arrived. Who was tried longest ago comes first, so that what
    stays missing keeps nobody waiting.
    """
    waiting = await engine.db.read(_hopeful, flow, limit)
    if not waiting:
        return 0
    done = await release(engine, flow.merchant_id, waiting, job_id=job_id)
    return done["released"]


def _hopeful(conn: Connection, flow: Flow, limit: int) -> list[str]:
    """Return held rows that miss something, and were last tried before a SKU or place came or changed."""
    rows = fetch(
        conn,
        "SELECT id FROM held WHERE merchant_id=? AND connection_id=? AND kind=? AND state='open' "
        "AND cause='Missing' AND last_at<=(SELECT max(at) FROM ("
        "SELECT max(updated_at) AS at FROM listing_sku WHERE merchant_id=? AND connection_id=? UNION ALL "
        "SELECT max(first_seen_at) AS at FROM external_ref WHERE merchant_id=? AND connection_id=? "
        "AND kind='location') AS news) ORDER BY last_at, id LIMIT ?",
        (*flow.key, *flow.key[:2], *flow.key[:2], limit),
    )
    return [row[0] for row in rows]

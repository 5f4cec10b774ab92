"""Registering a connection: form checked, credentials tested, account known only once, flows scheduled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.commerce import stock
from hub.db import Connection, alerts, connections, flows
from hub.db.bulk import fetch
from hub.db.connections import ConnectionInfo
from hub.db.flows import Flow
from hub.db.scope import Scope
from hub.errors import ConfigError
from hub.records.ids import new_id
from hub.records.time import to_text
from hub.sdk import Account, Connector, Manifest
from hub.sdk.credentials import secret_fields
from hub.sdk.discover import validate_credentials
from hub.sync.engine import Engine
from hub.sync.kinds import tell
from hub.sync.pull import room_of
from hub.sync.session import Session

AUTHORISATION = "authorisation"
"""The subject of the one alert a connection raises when its credentials are refused."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A new connection and what its account said."""

    info: ConnectionInfo
    account: Account


def checked_form(connector: type[Connector], form: Mapping[str, Any]) -> None:
    """Refuse a form that its schema does not allow; the sentence names fields and never shows values."""
    problems = validate_credentials(connector.manifest, form)
    if problems:
        said = "; ".join(f"{name} {sentence}".strip() for name, sentence in problems)
        raise ConfigError(
            f"The form of {connector.manifest.code!r} is not right: {said}", key="credentials"
        )


async def test(engine: Engine, merchant_id: str, code: str, form: Mapping[str, Any]) -> Account:
    """Try credentials without saving anything. Raises what the channel says."""
    connector = _installed(engine, code)
    checked_form(connector, form)
    info = ConnectionInfo(merchant_id, new_id("connection"), code, code, "", "active", {}, False)
    trial = connector(Session(engine, info, form))
    try:
        return await trial.check()
    finally:
        await trial.close()


async def register(
    engine: Engine, merchant_id: str, code: str, name: str, form: Mapping[str, Any]
) -> Registered:
    """Test, then save a connection and put its flows on the schedule.

    An account that is registered already is refused by its remote id, unless its authorisation
    had ended: then this is the signing in again, and its flows go on where they stood.
    """
    account = await test(engine, merchant_id, code, form)
    manifest = _installed(engine, code).manifest
    known = await engine.db.read(connections.by_remote, merchant_id, code, account.remote_id)
    if known is not None and known.state == "needs_reauth":
        return await _reauthorised(engine, known, form, account)
    if known is not None:
        raise ConfigError(
            f"{account.name!r} is registered already, as {known.name!r}. Nothing was changed.",
            key="credentials",
        )
    row_id = new_id("connection")
    secrets, settings = _parted(engine, merchant_id, row_id, code, form)
    product = manifest.streams.get("product")
    info = ConnectionInfo(
        merchant_id, row_id, code, name, account.remote_id, "active", settings,
        is_catalogue_source=bool(product and product.pull),
    )  # fmt: skip
    await engine.db.write(_store, engine, info, manifest, account, secrets)
    stored = await engine.db.read(connections.one, merchant_id, row_id)
    return Registered(stored or info, account)


async def _reauthorised(
    engine: Engine, info: ConnectionInfo, form: Mapping[str, Any], account: Account
) -> Registered:
    """Give a paused connection its new credentials and let its flows go on."""
    secrets, settings = _parted(engine, info.merchant_id, info.id, info.code, form)
    now = to_text(engine.now())

    def store(conn: Connection) -> None:
        connections.put_secrets(conn, info.merchant_id, info.id, secrets, now)
        connections.put_settings(conn, info.merchant_id, info.id, settings, now)
        connections.set_state(conn, info.merchant_id, info.id, "active", now)
        alerts.close_alert(conn, info.merchant_id, info.id, AUTHORISATION, now)
        for row in flows.freshness(conn, info.merchant_id):
            if row["connection_id"] == info.id:
                flow = Flow(info.merchant_id, info.id, row["kind"])
                flows.hasten(conn, flow, row["verb"], now)

    await engine.db.write(store)
    engine.sessions.pop(info.id, None)
    stored = await engine.db.read(connections.one, info.merchant_id, info.id)
    return Registered(stored or info, account)


def _parted(
    engine: Engine, merchant_id: str, connection_id: str, code: str, form: Mapping[str, Any]
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Part a form into sealed secrets and plain settings."""
    hidden = secret_fields(_installed(engine, code).manifest.credentials)
    seals = engine.seals(merchant_id)
    secrets = {
        k: seals.seal_secret(connection_id, k, str(v)) for k, v in form.items() if k in hidden
    }
    return secrets, {k: v for k, v in form.items() if k not in hidden}


def _installed(engine: Engine, code: str) -> type[Connector]:
    if code not in engine.connectors:
        raise ConfigError(f"There is no connector {code!r}.", key="code", known=engine.connectors)
    return engine.connectors[code]


def _store(
    conn: Connection,
    engine: Engine,
    info: ConnectionInfo,
    manifest: Manifest,
    account: Account,
    secrets: Mapping[str, bytes],
) -> None:
    now = to_text(engine.now())
    connections.add(conn, info, secrets, now)
    for kind, stream in manifest.streams.items():
        flow = Flow(info.merchant_id, info.id, kind)
        if stream.pull:
            flows.ensure_schedule(conn, flow, "pull", every_s=stream.pull.every_s, now=now)
        if stream.push:
            flows.ensure_schedule(conn, flow, "push", every_s=stream.push.every_s, now=now)
            flows.ensure_schedule(
                conn, flow, "reconcile", every_s=engine.limits.reconcile_s, now=now
            )
    for place_kind in ("warehouse", "store"):
        wanted = [
            stock.Place(place.external_id, place.name)
            for place in account.places
            if place.kind == place_kind
        ]
        stock.link_places(conn, info.merchant_id, info.id, wanted, now, place_kind)
    _tell_newcomer(conn, engine, info, now)


def _tell_newcomer(conn: Connection, engine: Engine, info: ConnectionInfo, now: str) -> None:
    """Ask at once for every figure a new audience should show."""
    spots = {
        (row[0], row[1])
        for row in fetch(
            conn,
            "SELECT variant_id, location_id FROM stock_level WHERE merchant_id=? AND opened_at IS NOT NULL",
            (info.merchant_id,),
        )
    }
    flow = Flow(info.merchant_id, info.id, "inventory")
    scope = Scope(flow, now, engine.seals(info.merchant_id), "connect")
    tell(conn, scope, room_of(engine), spots, cause="connected", is_gated=True)

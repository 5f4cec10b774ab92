"""The composition root: reads settings, loads plugins and mappings, opens the database, builds the `Hub`.

`Hub` is what the command line and, later, the API and the console call: the same functions for all.
"""

from __future__ import annotations

import gc
import importlib.resources
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from hub.config import Settings
from hub.db import Database, connections, keys
from hub.db.connections import ConnectionInfo, MerchantRow
from hub.db.migrate import migrate
from hub.errors import ConfigError
from hub.log import get_logger
from hub.mapping import Mapping as FieldMapping
from hub.mapping import load as load_mapping
from hub.records.ids import new_id
from hub.records.time import now as real_now
from hub.records.time import to_text
from hub.sdk.discover import Plugins, discover
from hub.sync.engine import Engine, Limits
from hub.vault import Keyring, Vault, WrappedKey, from_environment, make_file

log = get_logger()

COLLECT_AFTER = (200_000, 20, 50)
"""Collector thresholds: a waiting page holds some hundred thousand objects and hardly a cycle."""

Transport = Callable[[str], httpx.AsyncBaseTransport | None]


@dataclass(frozen=True, slots=True)
class Hub:
    """Everything built and open. Close it when done."""

    settings: Settings
    plugins: Plugins
    engine: Engine
    vault: Vault
    _rings: dict[str, Keyring] = field(default_factory=dict, repr=False)

    @property
    def db(self) -> Database:
        """The database."""
        return self.engine.db

    async def merchant(self, merchant_id: str | None = None) -> MerchantRow:
        """Return a merchant by id, or the only one there is."""
        found = await self.db.read(connections.merchants)
        if merchant_id is not None:
            found = [m for m in found if m.merchant_id == merchant_id]
        if len(found) == 1:
            return found[0]
        raise ConfigError(
            "There is no such merchant yet: `hub connect add` registers the first one."
            if not found
            else "There are several merchants: name one with --merchant.",
            known=[m.merchant_id for m in found],
        )

    async def add_merchant(self, name: str, *, currency: str, timezone: str) -> str:
        """Register a merchant with keys of its own; returns its id."""
        merchant_id = new_id("merchant")
        row = MerchantRow(merchant_id, name, currency, timezone, None)
        wrapped = self.vault.new_keys(merchant_id)
        stored = [
            (k.merchant_id, k.key_id, k.purpose, k.wrapped, k.state, k.seals) for k in wrapped
        ]
        at = to_text(self.engine.now())

        def add(conn: Any) -> None:
            connections.add_merchant(conn, row, at)
            keys.put_keys(conn, stored, at)

        await self.db.write(add)
        self._rings[merchant_id] = self.vault.open(merchant_id, wrapped)
        return merchant_id

    async def open_keys(self) -> None:
        """Open the keys of every merchant, so that seals are at hand without waiting."""
        for merchant in await self.db.read(connections.merchants):
            await self.open_keys_of(merchant.merchant_id)

    async def open_keys_of(self, merchant_id: str) -> None:
        """Open, or open anew after a rotation, one merchant's keys."""
        rows = await self.db.read(keys.keys, merchant_id)
        wrapped = [WrappedKey(*row) for row in rows]  # type: ignore[arg-type] # purpose and state are checked by the vault
        self._rings[merchant_id] = self.vault.open(merchant_id, wrapped)

    async def info(self, merchant_id: str, name: str) -> ConnectionInfo:
        """Return a connection by id or name."""
        found = await self.db.read(connections.listing, merchant_id)
        for info in found:
            if name in {info.id, info.name}:
                return info
        raise ConfigError(
            f"There is no connection {name!r}.", key="connection", known=[i.name for i in found]
        )

    async def close(self) -> None:
        """Close the database; waits for what runs."""
        await self.db.close()


def load_mappings(plugins: Plugins) -> dict[str, Sequence[FieldMapping]]:
    """Load every mapping file of every installed connector; a bad file refuses to start."""
    out: dict[str, Sequence[FieldMapping]] = {}
    for code, connector in plugins.connectors.items():
        folder = mapping_folder(code, connector.manifest.mappings)
        out[code] = [
            load_mapping(path, transforms=plugins.transforms)
            for path in sorted(folder.glob("*.yaml"))
        ]
    return out


def mapping_folder(code: str, declared: str | None) -> Path:
    """Return where a connector's mapping files lie: as its manifest says, else `mappings/<code>`."""
    package, _, inside = (declared or f"mappings/{code}").partition("/")
    root = importlib.resources.files(package)
    return Path(str(root.joinpath(inside))) if inside else Path(str(root))


async def open_hub(
    settings: Settings,
    *,
    exclusive: bool = False,
    transport: Transport = lambda _code: None,
    now: Callable[[], datetime] = real_now,
) -> Hub:
    """Build the hub. `exclusive`: this process will write (on SQLite only one may)."""
    settings.home.mkdir(parents=True, exist_ok=True)
    plugins = discover()
    for item in plugins.quarantined:
        log.warning("plugin.quarantined", plugin=item.name, reason=item.reason)
    mappings = load_mappings(plugins)
    vault = Vault([from_environment() or make_file(Path(settings.vault.master_key_file))])
    db = Database(settings.database.url, exclusive=exclusive)
    rings: dict[str, Keyring] = {}
    try:
        await db.write(lambda conn: None)
        migrate(db.engine)
        is_copy = await _is_copy(db, settings.home, now)
    except BaseException:
        await db.close()
        raise
    engine = Engine(
        db=db,
        connectors=plugins.connectors,
        mappings=mappings,
        seals=rings.__getitem__,
        limits=Limits(archive_days=settings.sync.archive_days),
        now=now,
        observe=_observe(plugins),
        transport=transport,
        loopback_ok=settings.http.allow_loopback,
        is_observe_only=is_copy,
    )
    hub = Hub(settings, plugins, engine, vault, rings)
    await hub.open_keys()
    # What is loaded by now stays for good: the collector need not look at it again.
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    return hub


def _observe(plugins: Plugins) -> Callable[[str, Mapping[str, Any]], None]:
    def observe(event: str, fields: Mapping[str, Any]) -> None:
        log.info(event, **fields)
        plugins.observe(event, fields)

    return observe


async def _is_copy(db: Database, home: Path, now: Callable[[], datetime]) -> bool:
    """Tell whether this database came from another machine or a backup (design, decision 25)."""
    mark = home / "instance"
    carried = await db.read(keys.instance)
    if carried is None:
        await adopt(db, home, now)
        return False
    return not mark.exists() or mark.read_text(encoding="ascii").strip() != carried[0]


async def adopt(db: Database, home: Path, now: Callable[[], datetime]) -> str:
    """Make this installation the one that may write to channels; returns its new identity."""
    identity = uuid.uuid4().hex
    await db.write(keys.set_instance, identity, to_text(now()))
    (home / "instance").write_text(identity + "\n", encoding="ascii")
    return identity

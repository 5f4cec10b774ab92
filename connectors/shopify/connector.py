"""Shopify connector: pulls orders with their refunds, products, stock and customers; pushes stock.

API: Admin GraphQL, version 2026-10 (valid from 2026-04 on), shopify.dev/docs/api/admin-graphql,
seen 2026-11. Money is a decimal text in shop currency, times are UTC. Refunds come inside their
order and are mapped by mappings/shopify/after_sale.yaml.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

from connectors.shopify import whole
from connectors.shopify.account import account
from connectors.shopify.admin import Admin
from connectors.shopify.form import CREDENTIALS
from connectors.shopify.reading import STREAMS, Reader
from connectors.shopify.stock import StockWriter
from hub import sdk
from hub.errors import Missing, Rejected
from hub.records.time import now
from hub.sdk import Account, Change, Connector, Cursor, Document, Kind, Outcome, Page


class Shopify(Connector):
    """One shop."""

    manifest = sdk.Manifest(
        code="shopify",
        title="Shopify",
        credentials=CREDENTIALS,
        streams={
            "order": sdk.Stream(
                pull=sdk.Pull(every_s=60, lag_s=5, page=STREAMS["order"].first, ahead=4)
            ),
            "product": sdk.Stream(
                pull=sdk.Pull(every_s=300, lag_s=5, page=STREAMS["product"].first, ahead=2)
            ),
            "inventory": sdk.Stream(
                pull=sdk.Pull(every_s=120, lag_s=5, page=90, ahead=2), push=sdk.Push(batch=100)
            ),
            "member": sdk.Stream(
                pull=sdk.Pull(every_s=300, lag_s=5, page=STREAMS["member"].first, ahead=2)
            ),
        },
        # Standard plan, points a second and bucket; each reply tells the real figures.
        rate=sdk.Rate(calls=100, per_s=1, burst=2000),
        mappings="mappings/shopify",
    )

    def __init__(self, connection: sdk.Connection) -> None:
        super().__init__(connection)
        self._admin = Admin(connection)
        self._shop: str = connection.credentials["shop"]
        self._reader = Reader(
            self._admin,
            {
                "order": whole.order,
                "product": _as_it_is,
                "inventory": whole.level,
                "member": partial(whole.customer, shop=self._shop),
            },
            now=now,
        )
        self._stock = StockWriter(self._admin)

    async def pull(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        walk = (
            self._reader.stock(cursor) if kind == "inventory" else self._reader.pages(kind, cursor)
        )
        async for page in walk:
            yield page

    async def push(self, kind: Kind, changes: Sequence[Change]) -> Sequence[Outcome]:
        return await self._stock.push(changes)

    async def fetch(self, kind: Kind, key: str) -> Document | None:
        ids = key.split("@")
        if not all(part.startswith("gid://shopify/") for part in ids):
            raise Rejected(f"{key!r} is no Shopify id.")
        try:
            if kind == "inventory":
                return await self._level(*ids)
            return await self._reader.one(kind, key)
        except Missing:
            return None

    async def check(self) -> Account:
        return await account(self._admin, self._shop)

    async def close(self) -> None:
        await self._admin.close()

    async def _level(self, item: str, location: str) -> Document | None:
        data = await self._admin.ask("LevelOf", item=item, location=location)
        level = (data["inventoryItem"] or {}).get("inventoryLevel")
        return None if level is None else whole.level(level)


def _as_it_is(document: Document) -> Document:
    return document

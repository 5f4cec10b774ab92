"""A simulated shop for one test, and the connector on it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from connectors.shopify import Shopify
from connectors.shopify.transforms import TRANSFORMS
from hub.mapping import Mapping, load
from hub.sdk import Document, Kind, Page
from hub.sdk.fakes import FakeConnection
from sandbox.shopify import Settings, Simulator, app

ADDRESS = "http://127.0.0.1:8080"
SETTINGS = Settings()
FORM = {"shop": SETTINGS.shop, "token": SETTINGS.token, "address": ADDRESS}
CLIENT_FORM = {
    "shop": SETTINGS.shop,
    "client_id": SETTINGS.client_id,
    "client_secret": SETTINGS.client_secret,
    "address": ADDRESS,
}
START = 1_790_000_000.0  # 2026-09-21: the shop's clock in tests stands still
MAPPINGS = Path(__file__).parents[3] / "mappings" / "shopify"


class Counting(httpx.AsyncBaseTransport):
    """Counts the requests and keeps the name of each operation."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.operations: list[str] = []
        self.variables: list[dict[str, Any]] = []
        self._inner = httpx.ASGITransport(simulator)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("graphql.json"):
            body = json.loads(request.content)
            self.operations.append(body["operationName"])
            self.variables.append(body["variables"])
        else:
            self.operations.append(request.url.path)
        return await self._inner.handle_async_request(request)


class Shop:
    """The simulator, what was asked of it, and connectors made on it."""

    def __init__(self, simulator: Simulator, form: dict[str, Any]) -> None:
        self.simulator, self.form = simulator, form
        self.asked = Counting(simulator)
        self.connection = FakeConnection(form, transport=self.asked)
        self.made: list[Shopify] = []

    def connector(self) -> Shopify:
        one = Shopify(self.connection)
        self.made.append(one)
        return one

    async def act(self, **given: Any) -> dict[str, Any]:
        return await self._post("act", given)

    async def truth(self) -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.simulator)) as client:
            return (await client.get(f"{ADDRESS}/_sandbox/truth")).json()

    async def _post(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.simulator)) as client:
            reply = await client.post(f"{ADDRESS}/_sandbox/{path}", json=given)
        assert reply.status_code == 200, reply.text
        return reply.json()


@asynccontextmanager
async def a_shop(*, form: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[Shop]:
    """Open a small shop whose clock stands still until a test moves it."""
    small = {"orders": 12, "products": 6, "variants": 10, "customers": 8, "plan": "plus"}
    simulator = app(**{"now": lambda: START, **small, **options})
    shop = Shop(simulator, form or FORM)
    try:
        yield shop
    finally:
        for one in shop.made:
            await one.close()


async def walk(connector: Shopify, kind: Kind, cursor: dict[str, Any] | None = None) -> list[Page]:
    return [page async for page in connector.pull(kind, cursor or {})]


async def documents(connector: Shopify, kind: Kind) -> list[Document]:
    return [one for page in await walk(connector, kind) for one in page.documents]


@cache
def mapping(kind: str) -> Mapping:
    return load(MAPPINGS / f"{kind}.yaml", transforms=TRANSFORMS)

"""A shop per test, mounted without a socket, with a clock that only the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, parse, print_ast

from sandbox.shopify import Simulator, app

START = 1_790_000_000.0  # 2026-09-21T14:13:20Z
TEXT = Path(__file__).with_name("operations.graphql").read_text(encoding="utf-8")
OPERATIONS = {
    node.name.value: print_ast(node)
    for node in parse(TEXT).definitions
    if isinstance(node, OperationDefinitionNode) and node.name
}


class Shop:
    """A simulated shop and a client of it."""

    def __init__(self, **options: Any) -> None:
        self.time = START
        self.simulator: Simulator = app(now=lambda: self.time, **({"orders": 0} | options))
        self.world = self.simulator.world
        self.token: str | None = self.world.settings.token
        transport = httpx.ASGITransport(app=self.simulator)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://shop.test")

    async def send(self, query: str, version: str = "2026-10", **variables: Any) -> httpx.Response:
        headers = {"X-Shopify-Access-Token": self.token} if self.token else {}
        body = {"query": OPERATIONS.get(query, query), "variables": variables}
        return await self.http.post(
            f"/admin/api/{version}/graphql.json", json=body, headers=headers
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send a query (or the operation of that name) and return the whole answer."""
        reply = await self.send(query, **variables)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    async def act(self, act: str, **given: Any) -> dict[str, Any]:
        reply = await self.http.post("/_sandbox/act", json={"act": act, **given})
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    async def truth(self) -> dict[str, Any]:
        return dict((await self.http.get("/_sandbox/truth")).json())

    async def level(self, at: int = 0) -> dict[str, Any]:
        """Return one level of the truth, well stocked ones first."""
        levels = sorted((await self.truth())["stock"], key=lambda row: -row["available"])
        return dict(levels[at])

    async def stock(self, sku: str, location: str) -> dict[str, Any]:
        """Return the level of a SKU at a location."""
        rows = (await self.truth())["stock"]
        return next(dict(r) for r in rows if (r["sku"], r["location"]) == (sku, location))

    async def set_stock(
        self, quantity: int, *, key: str = "key-1", at: int = 0, **more: Any
    ) -> dict[str, Any]:
        """Set `available` of one level; ``more`` replaces parts of its row."""
        level = await self.level(at)
        row = {"inventoryItemId": level["item"], "locationId": level["location"]}
        row |= {"quantity": quantity, "changeFromQuantity": None, **more}
        given = {"name": "available", "reason": "correction", "quantities": [row]}
        return await self.ask("SetStock", input=given, key=key)


@pytest.fixture
def operations() -> dict[str, str]:
    return OPERATIONS


@pytest.fixture
async def open_shop() -> AsyncIterator[Callable[..., Shop]]:
    opened: list[Shop] = []

    def build(**options: Any) -> Shop:
        opened.append(Shop(**options))
        return opened[-1]

    yield build
    for shop in opened:
        await shop.http.aclose()
        shop.world.store.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()

"""A shop that answers faster than anyone can ask: every order is ready as bytes before the first call.

A process of its own on this machine, without a web framework. It reads of a request the
operation's name, `first`, `after` and the lower bound of the filter; it never throttles.
`python -m benchmarks.fake_shopify --orders 20000` prints one JSON line with its address.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from benchmarks import documents

_encode = msgspec.json.Encoder().encode
_BOUND = re.compile(r"updated_at:>='([^']+)'")
_COST = (
    b',"extensions":{"cost":{"requestedQueryCost":922,"actualQueryCost":900,"throttleStatus":'
    b'{"maximumAvailable":1000000000,"currentlyAvailable":1000000000,"restoreRate":1000000000}}}}'
)
_SCOPES = (
    "read_orders", "read_all_orders", "read_merchant_managed_fulfillment_orders", "read_products",
    "write_inventory", "read_locations",
)  # fmt: skip
_WHOAMI = {
    "shop": {
        "id": documents.gid("Shop", 1), "name": "Benchmark shop", "myshopifyDomain": "bench.myshopify.com",
        "currencyCode": "CNY", "ianaTimezone": "Asia/Shanghai",
        "plan": {"publicDisplayName": "Basic", "shopifyPlus": False, "partnerDevelopment": False},
    },
    "currentAppInstallation": {"accessScopes": [{"handle": handle} for handle in _SCOPES]},
    "publicApiVersions": [{"handle": "2026-10", "supported": True}],
}  # fmt: skip


class Variables(msgspec.Struct):
    """What is read of a request's variables."""

    first: int = 90
    after: str | None = None
    q: str | None = None
    id: str = ""


class Request(msgspec.Struct):
    """What is read of a request."""

    variables: Variables
    operation: str = msgspec.field(name="operationName")


class Shop:
    """The shop's lists, sorted by `updatedAt` and rendered."""

    def __init__(self, orders: int) -> None:
        self.count = orders
        self.orders = [_encode(documents.order(number)) for number in range(orders)]
        self.times = [documents.at(number) for number in range(orders)]
        products = [_encode(documents.product(n)) for n in range(documents.SKUS // 3)]
        self.products = products
        self.levels = [
            _encode(documents.level(sku, place))
            for place in range(len(documents.PLACES))
            for sku in range(documents.SKUS)
        ]
        self.requests = 0
        self._decode = msgspec.json.Decoder(Request).decode

    def answer(self, body: bytes) -> list[bytes]:
        """Answer one GraphQL request, in pieces."""
        self.requests += 1
        request = self._decode(body)
        parts = _OPERATIONS[request.operation](self, request.variables)
        return [b'{"data":', *parts, _COST]

    def order_page(self, asked: Variables) -> list[bytes]:
        """Return a page of orders from a cursor on, or from the filter's lower bound."""
        bound = _BOUND.search(asked.q or "")
        start = (
            bisect_left(self.times, bound[1])
            if bound and not asked.after
            else int(asked.after or 0)
        )
        return _page("orders", self.orders, start, asked.first)

    def product_page(self, asked: Variables) -> list[bytes]:
        """Return a page of products."""
        return _page("products", self.products, int(asked.after or 0), asked.first)

    def level_page(self, _asked: Variables) -> list[bytes]:
        """Return both places with all their stock at once."""
        half, places = documents.SKUS, []
        for place in range(len(documents.PLACES)):
            nodes = b",".join(self.levels[place * half : (place + 1) * half])
            places.append(
                b'{"id":"%b","inventoryLevels":{"pageInfo":{"hasNextPage":false,"endCursor":null},"nodes":[%b]}}'
                % (documents.gid("Location", 11 + place).encode(), nodes)
            )
        head = b'{"locations":{"pageInfo":{"hasNextPage":false,"endCursor":null},"nodes":['
        return [head, b",".join(places), b"]}}"]

    def touch(self, count: int) -> None:
        """Change `count` orders now: they move to the end of the list."""
        stride = max(1, self.count // count)
        numbers = range(0, self.count, stride)[:count]
        gone = {documents.gid("Order", 9_000_000 + n).encode() for n in numbers}
        later = _after(self.times[-1], 900)
        kept = [
            i for i, body in enumerate(self.orders) if body[7 : body.index(b'"', 7)] not in gone
        ]
        self.orders = [self.orders[i] for i in kept]
        self.times = [self.times[i] for i in kept]
        self.orders += [_encode(documents.order(n, later)) for n in numbers]
        self.times += [later] * len(numbers)


def _after(stamp: str, seconds: int) -> str:
    moment = datetime.fromisoformat(stamp) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(root: str, bodies: Sequence[bytes], start: int, first: int) -> list[bytes]:
    end = min(start + first, len(bodies))
    more = b"true" if end < len(bodies) else b"false"
    head = b'{"%b":{"pageInfo":{"hasNextPage":%b,"endCursor":"%d"},"nodes":[' % (
        root.encode(),
        more,
        end,
    )
    return [head, b",".join(bodies[start:end]), b"]}}"]


def _fixed(value: Any) -> Callable[[Shop, Variables], list[bytes]]:
    body = _encode(value)
    return lambda _shop, _asked: [body]


_OPERATIONS: dict[str, Callable[[Shop, Variables], list[bytes]]] = {
    "OrdersPage": Shop.order_page,
    "ProductsPage": Shop.product_page,
    "LevelsPage": Shop.level_page,
    "Whoami": _fixed(_WHOAMI),
    "PersonalData": _fixed({"customers": {"nodes": []}}),
}


class Wire(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much of it as our two clients speak."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=1 << 24)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            stop = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < stop:
                return
            body = bytes(self._buffer[end + 4 : stop])
            del self._buffer[:stop]
            self._reply(head.split(b" ", 2)[1], body)

    def _reply(self, path: bytes, body: bytes) -> None:
        assert self._transport is not None
        if path == b"/_bench/stats":
            parts = [
                _encode(
                    {
                        "requests": self._shop.requests,
                        "orders": self._shop.count,
                        "cpu_s": time.process_time(),
                    }
                )
            ]
        elif path == b"/_bench/touch":
            self._shop.touch(json.loads(body)["count"])
            parts = [b"{}"]
        else:
            parts = self._shop.answer(body)
        size = sum(map(len, parts))
        head = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            % size
        )
        self._transport.writelines([head, *parts])


async def _serve(orders: int) -> None:
    shop = Shop(orders)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Wire(shop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    size = sum(map(len, shop.orders)) / max(1, orders)
    line = {"address": f"http://127.0.0.1:{port}", "orders": orders, "bytes_per_order": round(size)}
    print(json.dumps(line), flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)  # ends with whoever started it


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=10_000)
    asyncio.run(_serve(parser.parse_args().orders))

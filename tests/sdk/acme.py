"""Acme, the smallest third-party connector of the docs, and a simulator of its channel.

API: Acme REST v2. Times are UTC ISO 8601; money is a CNY decimal string.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qs

from hub import sdk
from hub.errors import Rejected
from hub.sdk import Change, Connector, Cursor, Delivery, Kind, Notice, Outcome, Page, Receipt

TOKEN = "acme-token-4711"
FORM = {"url": "http://acme.test", "token": TOKEN}


class Acme(Connector):
    manifest = sdk.Manifest(
        code="acme",
        title="Acme POS",
        credentials={
            "type": "object",
            "required": ["url", "token"],
            "properties": {
                "url": {
                    "type": "string",
                    "format": "uri",
                    "title": {"en": "Address", "zh": "地址"},
                },
                "token": {"type": "string", "writeOnly": True, "title": "API token"},
            },
        },
        streams={
            "order": sdk.Stream(pull=sdk.Pull(every_s=300)),
            "inventory": sdk.Stream(push=sdk.Push(batch=100)),
        },
        rate=sdk.Rate(calls=40, per_s=60),
        webhooks=sdk.Webhooks({"order.changed": "order"}),
    )

    def __init__(self, connection: sdk.Connection) -> None:
        super().__init__(connection)
        token = sdk.bearer(connection.credentials["token"])
        self.http = connection.open_http(connection.credentials["url"], auth=token)

    async def pull(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        while True:
            reply = await self.http.call("GET", "/v2/orders", params={**cursor, "limit": 3})
            if reply["next"]:  # noqa: SIM108 - mid-walk: keep the old mark, remember the page
                cursor = {**cursor, "after": reply["next"]}
            else:  # walk done: move the mark, forget the page
                cursor = {"since": reply["high_water"]}
            done = "after" not in cursor
            yield Page(reply["orders"], cursor, done=done)
            if done:
                return

    async def push(self, kind: Kind, changes: Sequence[Change]) -> Sequence[Outcome]:
        stock = [change.document for change in changes]
        reply = await self.http.call("PUT", "/v2/stock", json=stock)
        failed = {row["sku"]: row["reason"] for row in reply["failed"]}
        return [Outcome(change.key, error=failed.get(change.key)) for change in changes]

    async def fetch(self, kind: Kind, key: str) -> sdk.Document | None:
        try:
            return await self.http.call("GET", f"/v2/orders/{key}")
        except Rejected as error:
            if error.code == "404":
                return None
            raise

    def receive(self, delivery: Delivery) -> Receipt:
        wanted = sign(self.connection.credentials["token"], delivery.body).encode()
        if not hmac.compare_digest(wanted, delivery.headers.get("x-acme-sign", "").encode()):
            raise Rejected("The signature is wrong.")
        order = json.loads(delivery.body)
        return Receipt([Notice("order", order["id"], order)])

    async def close(self) -> None:
        await self.http.close()


@sdk.hookimpl
def hub_connectors() -> Sequence[type[Connector]]:
    return [Acme]


def sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


ORDER = json.dumps({"id": "o1", "total": "12.30"}).encode()
GOOD = Delivery("order.changed", {"x-acme-sign": sign(TOKEN, ORDER)}, ORDER)


def simulator():
    """Seven orders in pages of three; stock of unknown SKUs is refused by name."""
    orders = [
        {"id": f"o{n}", "total": f"{n}.50", "changed": f"2026-10-05T08:0{n}:00Z"}
        for n in range(1, 8)
    ]

    async def app(scope, receive, send):
        headers = dict(scope["headers"])
        query = {
            k: v[0]
            for k, v in parse_qs(scope["query_string"].decode(), keep_blank_values=True).items()
        }
        body = (await receive()).get("body", b"")
        if headers.get(b"authorization") != f"Bearer {TOKEN}".encode():
            return await answer(send, 401, {"error": "token"})
        if scope["path"] == "/v2/orders":
            return await answer(send, *page(orders, query))
        if scope["path"].startswith("/v2/orders/"):
            found = [one for one in orders if one["id"] == scope["path"].rpartition("/")[2]]
            return await answer(send, 200 if found else 404, found[0] if found else {})
        failed = [
            {"sku": row["sku"], "reason": "unknown SKU"}
            for row in json.loads(body)
            if row["sku"] not in "AB"
        ]
        return await answer(send, 200, {"failed": failed})

    return app


def page(orders, query):
    left = [one for one in orders if one["changed"] >= query.get("since", "")]
    if "after" in query:
        ids = [one["id"] for one in left]
        if query["after"] not in ids:
            return 400, {"error": "unknown page token"}
        left = left[ids.index(query["after"]) + 1 :]
    shown, rest = left[: int(query["limit"])], left[int(query["limit"]) :]
    water = shown[-1]["changed"] if shown else query.get("since", "")
    return 200, {"orders": shown, "next": shown[-1]["id"] if rest else None, "high_water": water}


async def answer(send, status, document):
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", b"application/json")],
    }
    await send(start)
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})

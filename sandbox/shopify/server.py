"""The simulator's doors: GraphQL, the token endpoint, and what only a simulator has.

A plain ASGI application (rules S1 to S5). Mounted without a socket, a cut connection and a
timeout are raised as the errors an HTTP client would raise; behind uvicorn the real connection
is cut.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import httpx

from sandbox.shopify import acts, traffic, truth
from sandbox.shopify.faults import Dial, UnknownFault
from sandbox.shopify.gateway import Gateway
from sandbox.shopify.resolve import VERSIONS
from sandbox.shopify.world import Unserved, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Cut = Callable[[Scope], None]

_GRAPHQL = re.compile(r"/admin/api/(\d{4}-\d{2}|unstable)/graphql\.json$")
_TOKEN_S = 86400
_WRONG_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105 - a message, no secret
_LOGIN_PAGE = "<!DOCTYPE html><html><body><h1>Log in to Shopify</h1></body></html>"
_SLOW_PIECES = 8
# UNVERIFIED: the texts; the states are those of section 5.
_REFUSALS = {
    "402": "Unavailable Shop",
    "423": "Unavailable Shop",
    "430": "Shopify Security Rejection",
    "500": "Internal Server Error",
    "502": "Bad Gateway",
    "503": "Service Unavailable",
}


class Simulator:
    """One shop, served."""

    def __init__(self, world: World, dial: Dial, cut: Cut | None = None) -> None:
        self.world = world
        self.dial = dial
        self.gateway = Gateway(world)
        self.cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        body = await _body(receive)
        path = scope["path"]
        if path.startswith("/_sandbox/"):
            await self._sandbox(scope, path, body, send)
        elif path == "/admin/oauth/access_token":
            await self._token(scope, body, send)
        elif path == "/admin/oauth/access_scopes.json":
            await self._scopes(scope, send)
        elif found := _GRAPHQL.match(path):
            await self._graphql(scope, found.group(1), body, send)
        else:
            await _reply(send, 404, {"errors": "Not Found"})

    async def _graphql(self, scope: Scope, version: str, body: bytes, send: Send) -> None:
        served = version if version in VERSIONS or version == "unstable" else VERSIONS[0]
        headers = {"x-shopify-api-version": served}
        self.world.hit("requests")
        caller = self.gateway.caller(_header(scope, b"x-shopify-access-token"))
        if caller is None:
            self.world.hit("unauthorized")
            await _reply(send, 401, {"errors": _WRONG_TOKEN}, headers)
            return
        if scope["method"] != "POST":
            await _reply(send, 404, {"errors": "Not Found"}, headers)
            return
        fault = self.dial.draw()
        if fault is not None:
            self.world.hit(f"fault.{fault}")
            self.world.hit("faults")
        if fault is not None and await self._before(fault, scope, send, headers):
            return
        try:
            answer = self.gateway.answer(caller, body, fault)
        except Unserved as missing:
            await _reply(send, 501, {"errors": str(missing)}, headers)
            return
        if fault in ("timeout", "commit_then_cut"):
            await self._lose(scope, send, silent=fault == "timeout")
            return
        await _reply(send, 200, answer, headers, pieces=_SLOW_PIECES if fault == "slow" else 1)

    async def _before(self, fault: str, scope: Scope, send: Send, headers: dict[str, str]) -> bool:
        """Answer a fault that comes before the work; say whether it did."""
        if fault == "cut":
            await self._lose(scope, send, silent=False)
        elif fault == "429":
            text = {"errors": "Exceeded 40 calls per second for api client. Reduce request rates "
                    "to resume uninterrupted service."}  # fmt: skip
            await _reply(send, 429, text, {**headers, "retry-after": "2.0"})
        elif fault in _REFUSALS:
            await _reply(send, int(fault), {"errors": _REFUSALS[fault]}, headers)
        elif fault == "html":
            await _reply(send, 200, _LOGIN_PAGE, {**headers, "content-type": "text/html"})
        else:
            return False
        return True

    async def _lose(self, scope: Scope, send: Send, *, silent: bool) -> None:
        """Never answer: after silence, or at once by cutting the connection."""
        if silent:
            await asyncio.sleep(self.world.settings.timeout_s)
        if self.cut is not None:
            self.cut(scope)
            return
        if silent:
            raise httpx.ReadTimeout("the simulated shop did not answer")
        raise httpx.ReadError("the simulated shop cut the connection")

    async def _token(self, scope: Scope, body: bytes, send: Send) -> None:
        kind = _header(scope, b"content-type") or ""
        try:
            asked = json.loads(body) if "json" in kind else dict(parse_qsl(body.decode()))
        except ValueError:
            asked = {}
        shop = self.world.settings
        known = asked.get("client_id") == shop.client_id
        if not known or asked.get("client_secret") != shop.client_secret:
            await _reply(send, 400, {"error": "invalid_client"})
        elif asked.get("grant_type") != "client_credentials":
            await _reply(send, 400, {"error": "unsupported_grant_type"})
        else:
            token = self.gateway.new_token(_TOKEN_S)
            answer = {"access_token": token, "scope": shop.scopes, "expires_in": _TOKEN_S - 1}
            await _reply(send, 200, answer)

    async def _scopes(self, scope: Scope, send: Send) -> None:
        if self.gateway.caller(_header(scope, b"x-shopify-access-token")) is None:
            await _reply(send, 401, {"errors": _WRONG_TOKEN})
            return
        scopes = [{"handle": name} for name in self.world.settings.scopes.split(",")]
        await _reply(send, 200, {"access_scopes": scopes})

    async def _sandbox(self, scope: Scope, path: str, body: bytes, send: Send) -> None:
        name = path.removeprefix("/_sandbox/")
        if name == "truth" and scope["method"] == "GET":
            await _reply(send, 200, truth.told(self.world))
        elif name == "open" and scope["method"] == "POST":
            traffic.open_doors(self.world)
            await _reply(send, 200, {"open": True})
        elif name == "quiet" and scope["method"] == "POST":
            self.dial.quiet()
            await _reply(send, 200, {"quiet": True})
        elif name == "act" and scope["method"] == "POST":
            try:
                answer = acts.act(self.world, self.dial, json.loads(body))
            except (acts.Impossible, UnknownFault, ValueError) as problem:
                await _reply(send, 400, {"error": str(problem)})
            else:
                await _reply(send, 200, answer)
        else:
            await _reply(send, 404, {"errors": "Not Found"})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key.lower() == name:
            return str(value.decode("latin-1"))
    return None


async def _reply(
    send: Send,
    status: int,
    answer: Any,
    headers: dict[str, str] | None = None,
    *,
    pieces: int = 1,
) -> None:
    if isinstance(answer, str):
        body = answer.encode()
    else:
        body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    named = {"content-type": "application/json; charset=utf-8"} | (headers or {})
    named["content-length"] = str(len(body))
    pairs = [(key.encode(), value.encode()) for key, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    step = max(1, -(-len(body) // pieces))
    for at in range(0, max(1, len(body)), step):
        if at:
            await asyncio.sleep(0.05)
        more = at + step < len(body)
        await send({"type": "http.response.body", "body": body[at : at + step], "more_body": more})

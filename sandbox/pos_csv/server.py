"""The simulator's small door: truth, quiet, and acts. A plain ASGI application."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sandbox.pos_csv.drops import put
from sandbox.pos_csv.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Simulator:
    """Two tills, served."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        body = await _body(receive)
        asked = (scope["method"], scope["path"])
        if asked == ("GET", "/_sandbox/truth"):
            await _reply(send, 200, self.world.truth())
        elif asked == ("POST", "/_sandbox/open"):
            await _reply(send, 200, self.world.open_doors())
        elif asked == ("POST", "/_sandbox/quiet"):
            await _reply(send, 200, self.world.quiet())
        elif asked == ("POST", "/_sandbox/act"):
            await self._act(body, send)
        else:
            await _reply(send, 404, {"error": "no such door"})

    async def _act(self, body: bytes, send: Send) -> None:
        try:
            said = json.loads(body)
            answer = act(self.world, said)
        except (ValueError, KeyError, TypeError, StopIteration) as problem:
            await _reply(send, 400, {"error": f"{type(problem).__name__}: {problem}"})
            return
        await _reply(send, 200, answer)


def act(world: World, said: dict[str, Any]) -> dict[str, Any]:
    """Do one thing: `tick`, `flush`, `serve` (store, count), `bad` (store), `drop` (store, name, content)."""
    do = said["do"]
    if do == "tick":
        world.tick()
    elif do == "flush":
        world.flush()
    elif do in ("serve", "bad", "drop"):
        place = next(n for n, till in enumerate(world.tills) if till.code == said["store"])
        till, drop = world.tills[place], world.drops[place]
        if do == "serve":
            for _ in range(int(said.get("count", 1))):
                till.serve(world.now(), world.local())
        elif do == "bad":
            till.plant_bad(world.local())
        else:
            content = str(said["content"]).encode(said.get("encoding", "utf-8"))
            path = drop.root / "in" / str(said["name"])
            put(path, content)
            put(path.with_name(path.name + ".done"), b"{}")
        world.save()
    else:
        raise ValueError(f"no act {do!r}")
    return {"done": do}


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


async def _reply(send: Send, status: int, answer: Any) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

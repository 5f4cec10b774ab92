"""Stand-ins for tests of a connector: a connection on an ASGI app or a folder, and a faulty network.

Everything above the transport is the real kit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast

import httpx

from hub.errors import ConfigError
from hub.sdk.breaker import Breaker
from hub.sdk.folder import Folder
from hub.sdk.http import Classify, Http
from hub.sdk.limits import TokenBucket
from hub.sdk.localfolder import LocalFolder
from hub.sdk.redact import Credentials
from hub.sdk.retry import RetryPolicy

FaultName = Literal["throttled", "server_error", "timeout", "cut", "refused", "web_page", "empty"]
THROTTLE_S: Final = 120.0  # longer than the kit waits itself, so the error must go up with it
PLENTY: Final = 1_000_000.0  # a limiter that never makes a test wait
_JSON: Final = {"content-type": "application/json"}
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class FaultTransport(httpx.AsyncBaseTransport):
    """Answers in the place of the channel while `fault` is set; else passes everything through.

    `requests` counts what reached it.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, fault: FaultName | None = None) -> None:
        self.fault, self.requests = fault, 0
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer or fail as told."""
        self.requests += 1
        match self.fault:
            case None:
                return await self._inner.handle_async_request(request)
            case "timeout":
                raise httpx.ReadTimeout("planted", request=request)
            case "refused":
                raise httpx.ConnectError("planted", request=request)
            case "cut":
                return httpx.Response(200, headers=_JSON, stream=_Cut(), request=request)
            case "web_page":
                return httpx.Response(200, html="<html>Please sign in</html>", request=request)
            case "empty":
                return httpx.Response(200, headers=_JSON, request=request)
            case "server_error":
                return httpx.Response(500, text="planted", request=request)
            case _:
                said = {"retry-after": f"{THROTTLE_S:.0f}"}
                return httpx.Response(429, headers=said, request=request)

    async def aclose(self) -> None:
        """Close what it wraps."""
        await self._inner.aclose()


class _Cut(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"half'
        raise httpx.ReadError("planted")


class FakeConnection:
    """A connection for tests: a client on an ASGI app, a folder in a temporary place.

    `transport` (any httpx transport) goes before `app`. The limiter never waits and retries do
    not sleep, everything else is the real kit. `open_folder("in")` is `folder / "in"`; an
    absolute path is taken as lying inside `folder`.
    """

    def __init__(
        self,
        credentials: Mapping[str, Any],
        *,
        app: AsgiApp | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        folder: Path | None = None,
        merchant_id: str = "m_test",
        id: str = "c_test",
    ) -> None:
        self.merchant_id, self.id = merchant_id, id
        self.credentials: Mapping[str, Any] = Credentials(credentials)
        self._transport = transport or (httpx.ASGITransport(cast(Any, app)) if app else None)
        self._folder = folder
        self.opened: list[Http] = []

    def __repr__(self) -> str:
        """Show its id only."""
        return f"<FakeConnection {self.id}>"

    def open_http(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        policy: RetryPolicy | None = None,
        classify: Classify | None = None,
        timeout_s: float = 30.0,
    ) -> Http:
        """Return the real kit on the test's transport."""
        if self._transport is None:
            raise ConfigError("This test gave its connection no simulator to talk to.")
        http = Http(
            base_url,
            auth=auth,
            policy=policy,
            classify=classify,
            timeout_s=timeout_s,
            limiter=TokenBucket(PLENTY, PLENTY),
            breaker=Breaker(),
            transport=self._transport,
            sleep=_at_once,
        )
        self.opened.append(http)
        return http

    def open_folder(self, path: str) -> Folder:
        """Return the folder below the test's own."""
        if self._folder is None:
            raise ConfigError("This test gave its connection no folder.")
        wanted = Path(path)
        if wanted.is_relative_to(self._folder):
            return LocalFolder(wanted)
        return LocalFolder(self._folder / path.lstrip("/"))


async def _at_once(delay_s: float) -> None:
    await asyncio.sleep(0)

"""The HTTP kit: one call to a channel, with everything around it that a connector should not write.

breaker -> retry -> limiter -> sign -> send -> read (bounded) -> decode -> connector's table
-> default table

What a caller may rely on: a returned value is a decoded, accepted reply; everything else is
one of the error family. Redirects are refused, TLS is always verified, a reply is read up to a
limit, and no message, log line or repr of the kit carries a query, a header value or a body.

A write that must not be repeated and got no clear answer raises `InDoubt`: no reply, half a
reply, or a 5xx (a gateway says 502 or 503 also after the channel did the work).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import httpx
import msgspec

from hub.errors import ChannelError, ConfigError, ContractBroken, InDoubt, Retry, Throttled
from hub.sdk import reply as replies
from hub.sdk.address import GuardedTransport
from hub.sdk.breaker import Breaker
from hub.sdk.limits import Limiter, TokenBucket
from hub.sdk.redact import quiet_http_logs
from hub.sdk.reply import LIMIT_BYTES, Reply
from hub.sdk.retry import ONCE, RetryPolicy

REPEATABLE: Final = frozenset({"GET", "HEAD"})
CONNECT_S: Final = 10.0  # seconds to get a connection; a channel that is up answers in one
DEFAULT_RATE: Final = (10.0, 10.0)  # calls at once and calls a second, until told otherwise
_NOTHING_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNSENDABLE: Final = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class Classify(Protocol):
    """A connector's reply table: raises the right error for a reply, or returns for a good one.

    It is called for every reply, 200 included, because several channels answer 200 with an
    error in the body. A non-2xx reply it lets pass goes to the default table.
    """

    def __call__(self, response: httpx.Response, body: Any, /) -> None:
        """Look at status, headers and decoded body (None if there is none); raise or return."""


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """One call as its author gave it; every attempt builds and signs a fresh request from it."""

    method: str
    path: str
    json: Any = None
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    content: bytes | None = None
    form: Mapping[str, str] | None = None
    cost: float = 1.0
    repeat: bool = True
    expect: Literal["json", "bytes"] = "json"
    signed: bool = True
    into: Any = None

    def __repr__(self) -> str:
        """Show method and path only."""
        return f"<{self.method} {self.path.partition('?')[0]}>"


class Http:
    """A client for one connection. Made by `connection.open_http`; close it with `close()`."""

    def __init__(  # noqa: PLR0913 - one keyword per layer
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        policy: RetryPolicy | None = None,
        classify: Classify | None = None,
        timeout_s: float = 30.0,
        limiter: Limiter | None = None,
        breaker: Breaker | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        private_ok: bool = False,
        limit_bytes: int = LIMIT_BYTES,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        quiet_http_logs()
        self.limiter: Limiter = limiter or TokenBucket(*DEFAULT_RATE)
        self.breaker = breaker or Breaker()
        self.policy = policy or RetryPolicy()
        self._auth, self._classify, self._timeout_s = auth, classify, timeout_s
        self._limit_bytes, self._clock, self._now, self._sleep = limit_bytes, clock, now, sleep
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        connect_s = min(CONNECT_S, timeout_s / 2)
        self._client = httpx.AsyncClient(
            base_url=base_url,
            transport=transport or GuardedTransport(private_ok=private_ok),
            timeout=httpx.Timeout(timeout_s, connect=connect_s, pool=connect_s),
            headers={"accept-encoding": "gzip, deflate"},
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        """Show the host only."""
        return f"<Http {self._client.base_url.host}>"

    async def call(  # noqa: PLR0913 - the words of an HTTP call
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        cost: float = 1.0,
        repeat: bool | None = None,
        into: Any = None,
    ) -> Any:
        """Make one call and return the decoded JSON.

        `path` is relative to the base URL. Parameters that are None are left out. `cost` is
        what the call takes from the limiter. `repeat`: may the call be made twice? None means
        yes for GET and HEAD; say True for a write that is absolute or carries an idempotency
        key. A JSON number with a fraction or exponent comes as its decimal text: money never
        passes through a float. `into`: a msgspec type to decode a reply of that shape into (one
        with `msgspec.Raw` in it leaves that part as text); a reply of another shape comes plain.
        """
        reply = await self.send(
            method,
            path,
            json=json,
            params=params,
            headers=headers,
            content=content,
            form=form,
            cost=cost,
            repeat=repeat,
            into=into,
        )
        return reply.json

    async def send(  # noqa: PLR0913 - the words of an HTTP call
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        cost: float = 1.0,
        repeat: bool | None = None,
        expect: Literal["json", "bytes"] = "json",
        signed: bool = True,
        into: Any = None,
    ) -> Reply:
        """Make one call and return the whole reply, as `call` does.

        `expect="bytes"` leaves the body undecoded (a file). `signed=False` sends no
        credentials and is the only way to an address outside the base URL's origin.
        """
        verb = method.upper()
        may = verb in REPEATABLE if repeat is None else repeat
        ask = Ask(verb, path, json, params, headers, content, form, cost, may, expect, signed, into)
        self._refuse_foreign(ask)
        self.breaker.admit()
        try:
            reply = await self._with_retries(ask)
        except ChannelError as error:
            self._tell_breaker(error)
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        self.breaker.answered()
        return reply

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _with_retries(self, ask: Ask) -> Reply:
        until = self._clock() + self.policy.total_s
        policy = self.policy if ask.repeat else ONCE
        loop = policy.retrying(clock=self._clock, sleep=self._sleep, rng=self._rng)
        return await loop(self._attempt, ask, until)

    async def _attempt(self, ask: Ask, until: float) -> Reply:
        left_s = max(until - self._clock(), 0.001)
        await self.limiter.acquire(ask.cost, within_s=left_s)
        request = self._build(ask)
        left_s = max(until - self._clock(), 0.001)
        started = self._clock()
        try:
            async with asyncio.timeout(min(self._timeout_s, left_s)):
                response, body = await self._exchange(request, ask)
        except _UNSENDABLE as error:
            raise ConfigError(f"{ask!r} cannot be sent ({type(error).__name__}).") from None
        except (TimeoutError, httpx.TransportError, httpx.DecodingError) as error:
            raise _no_answer(ask, error) from None
        reply = Reply(
            status=response.status_code,
            headers=response.headers,
            content=body,
            took_s=self._clock() - started,
            skew_s=replies.skew_s(response.headers, self._now()),
        )
        return self._judge(ask, request, reply)

    async def _exchange(self, request: httpx.Request, ask: Ask) -> tuple[httpx.Response, bytes]:
        auth = self._auth if ask.signed else None
        response = await self._client.send(request, auth=auth, stream=True, follow_redirects=False)
        try:
            return response, await replies.read(response, self._limit_bytes)
        except ContractBroken as error:
            raise self._softened(ask, response.status_code, error) from None
        finally:
            await response.aclose()

    def _judge(self, ask: Ask, request: httpx.Request, reply: Reply) -> Reply:
        """Decode, then ask the connector's table, then the default one."""
        try:
            if ask.expect == "json":
                reply = replies.decoded(reply, ask.method, ask.into)
            if self._classify is not None:
                self._classify(replies.plain_response(reply, request), reply.json)
            replies.refuse(reply, f"{ask!r}", now=self._now())
        except ChannelError as error:
            error.request_id = error.request_id or reply.request_id
            if isinstance(error, Throttled):
                self.limiter.penalise(error.delay_s)
            raise self._softened(ask, reply.status, error) from None
        return reply

    def _softened(self, ask: Ask, status: int, error: ChannelError) -> ChannelError:
        """Turn what the kit could not read into `InDoubt` for a write that may have landed."""
        gateway = status >= 500 and error.code == str(status)  # noqa: PLR2004 - the default table's word
        if ask.repeat or not (gateway or error.code in replies.UNREAD_CODES):
            return error
        return InDoubt(
            f"{ask!r} was sent and the answer (HTTP {status}) does not say whether it was done.",
            code=error.code,
            request_id=error.request_id,
        )

    def _build(self, ask: Ask) -> httpx.Request:
        headers = dict(ask.headers or {})
        content = ask.content
        if ask.json is not None:
            content = msgspec.json.encode(ask.json)
            headers.setdefault("content-type", "application/json")
        url = httpx.URL(ask.path)
        params = {name: value for name, value in (ask.params or {}).items() if value is not None}
        return self._client.build_request(
            ask.method,
            url.copy_merge_params(params) if params else url,
            headers=headers,
            content=content,
            data=dict(ask.form) if ask.form is not None else None,
        )

    def _refuse_foreign(self, ask: Ask) -> None:
        """Credentials go to the channel's own origin only."""
        base = self._client.base_url
        try:
            target = base.join(ask.path)
        except httpx.InvalidURL:
            raise ConfigError(f"{ask!r} is no address.") from None
        away = (target.scheme, target.host, target.port) != (base.scheme, base.host, base.port)
        if ask.signed and away:
            raise ConfigError(
                f"A signed call may not leave {base.host!r}; use signed=False for another host."
            )

    def _tell_breaker(self, error: ChannelError) -> None:
        if isinstance(error, Throttled):
            self.breaker.abandoned()
        elif isinstance(error, (Retry, InDoubt)):
            self.breaker.failed()
        else:
            self.breaker.answered()


def _no_answer(ask: Ask, error: Exception) -> ChannelError:
    """Name what happened by its kind only: the libraries' texts may carry an address."""
    what = type(error).__name__
    if ask.repeat or isinstance(error, _NOTHING_SENT):
        return Retry(f"No answer to {ask!r} ({what}).", code="no_answer")
    return InDoubt(f"{ask!r} was sent and no answer came ({what}).", code="no_answer")

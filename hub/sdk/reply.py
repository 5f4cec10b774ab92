"""Reading a channel's reply: bounded, decoded, judged. Part of the HTTP kit, no I/O but the read.

A reply is foreign input. It is read raw and inflated piece by piece up to a limit (one 64 KB
read of a gzip bomb can be 67 MB), decoded by its content and not by what its header claims,
and never taken for "no data" when it is not the JSON that was asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final

import httpx
import msgspec

from hub.errors import (
    ChannelError,
    ContractBroken,
    Forbidden,
    Reauthorize,
    Rejected,
    Retry,
    Throttled,
)
from hub.sdk.quiet import QUIET

LIMIT_BYTES: Final = 64 * 1024 * 1024
"""What one reply may hold, counted after inflating."""
DELAY_MIN_S: Final = 1.0  # a channel that says 0 or less means "soon", not "at once, for ever"
DELAY_MAX_S: Final = 900.0  # 15 min: the longest back-off of the job runner
DELAY_S: Final = 5.0  # when a channel throttles without saying how long

UNREAD_CODES: Final = frozenset({"html", "empty", "not_json", "too_deep", "too_big", "encoding"})
"""Codes of this module for a reply that could not be read: nothing is known about the effect."""

_REQUEST_ID_HEADERS: Final = ("x-request-id", "request-id", "x-correlation-id", "x-trace-id")
_DECODER: Final = msgspec.json.Decoder(float_hook=str)
_LARGE_BYTES: Final = 64 * 1024  # below, the collector has hardly begun to count
_JSON_SPACE: Final = b" \t\r\n"
_NO_BODY: Final = frozenset({204, 205, 304})


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """One accepted reply.

    `json` is None for a reply without a body. `skew_s`: how far the channel's clock is ahead
    of ours by its Date header, None without one; whole seconds, the network's delay included.
    """

    status: int
    headers: httpx.Headers
    content: bytes
    took_s: float
    skew_s: float | None = None
    json: Any = None

    @property
    def is_good(self) -> bool:
        """Tell whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3

    @property
    def request_id(self) -> str | None:
        """Return the id the channel's support desk asks for, if it sent one."""
        for name in _REQUEST_ID_HEADERS:
            if name in self.headers:
                return str(self.headers[name])[:128]
        return None

    def __repr__(self) -> str:
        """Show status and size only."""
        return f"<Reply {self.status}, {len(self.content)} bytes>"


class _Inflater:
    """Unpacks gzip or deflate and never holds more than the limit."""

    def __init__(self, encoding: str, limit_bytes: int) -> None:
        self._wbits = 31 if encoding == "gzip" else 15
        self._z = zlib.decompressobj(self._wbits)
        self._limit, self._first = limit_bytes, encoding == "deflate"
        self.out = bytearray()

    def feed(self, data: bytes) -> None:
        while data:
            if self._z.eof:  # gzip allows several members one after the other
                self._z = zlib.decompressobj(self._wbits)
            self.out += self._inflate(data)
            _refuse_size(len(self.out), self._limit)
            data = self._z.unconsumed_tail or self._z.unused_data

    def finish(self) -> bytes:
        if self.out and not self._z.eof:
            raise zlib.error("cut short")
        return bytes(self.out)

    def _inflate(self, data: bytes) -> bytes:
        room = self._limit + 1 - len(self.out)
        if not self._first:
            return self._z.decompress(data, room)
        self._first = False
        try:
            return self._z.decompress(data, room)
        except zlib.error:  # "deflate" without the zlib wrapper, as some servers send it
            self._z = zlib.decompressobj(-15)
            return self._z.decompress(data, room)


async def read(response: httpx.Response, limit_bytes: int) -> bytes:
    """Read and inflate the body, stopping at the limit.

    Raises `ContractBroken` (`too_big`, `encoding`), and `httpx.DecodingError` for a body that
    is not what its encoding says or is cut short: no answer, as far as we know.
    """
    if response.is_stream_consumed:  # a transport without a network gave the whole body at once
        _refuse_size(len(response.content), limit_bytes)
        return response.content
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    declared = response.headers.get("content-length", "")
    if declared.isdecimal():
        _refuse_size(int(declared[:20]), limit_bytes)
    if encoding in ("identity", ""):
        plain = bytearray()
        async for chunk in response.aiter_raw():
            plain += chunk
            _refuse_size(len(plain), limit_bytes)
        return bytes(plain)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ContractBroken("Reply in an encoding that was not asked for.", code="encoding")
    inflater = _Inflater("deflate" if encoding == "deflate" else "gzip", limit_bytes)
    try:
        async for chunk in response.aiter_raw():
            inflater.feed(chunk)
        return inflater.finish()
    except zlib.error:
        raise httpx.DecodingError("not what its content-encoding says") from None


def decoded(reply: Reply, method: str, into: Any = None) -> Reply:
    """Return the reply with its JSON decoded.

    A 2xx reply must hold JSON unless its status or method says it has no body: a page (HTML,
    text) raises `Retry`, broken JSON raises `ContractBroken`. Any other status may hold
    anything; what is not JSON counts as None there. `into`: a type for a reply of that shape; one
    of another shape is decoded plainly, so that the connector's table can judge it.
    """
    if method == "HEAD" or reply.status in _NO_BODY:
        return reply
    try:
        return replace(reply, json=_parsed(reply.content, into))
    except RecursionError:
        error: ChannelError = ContractBroken("Reply is nested too deep.", code="too_deep")
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        error = _not_json(reply)
    if reply.is_good:
        raise error
    return reply


@cache
def _decoder(into: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(into, float_hook=str)


def _parsed(content: bytes, into: Any) -> Any:
    """Decode JSON. A large reply with the cyclic collector off: it holds no cycles to look for."""
    if into is not None:
        with suppress(msgspec.ValidationError):
            return _decoder(into).decode(content)
    if len(content) < _LARGE_BYTES:
        return _DECODER.decode(content)
    with QUIET:
        return _DECODER.decode(content)


def _not_json(reply: Reply) -> ChannelError:
    head = reply.content[:256].lstrip(_JSON_SPACE + b"\xef\xbb\xbf")
    said = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not head:
        return Retry("Reply is empty where JSON was due.", code="empty")
    if head.startswith(b"<") or "html" in said:
        return Retry("Reply is a web page where JSON was due.", code="html")
    if "json" in said:
        return ContractBroken("Reply says it is JSON and is not.", code="not_json")
    return Retry("Reply is not JSON.", code="not_json")


def plain_response(reply: Reply, request: httpx.Request) -> httpx.Response:
    """Return the reply as an `httpx.Response` with its body already inflated."""
    kept = reply.headers.copy()
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        kept.pop(name, None)
    return httpx.Response(reply.status, headers=kept, content=reply.content, request=request)


def delay_s(headers: httpx.Headers, *, now: float) -> float:
    """Read `Retry-After` (seconds, decimals too, or a date), clamped to what makes sense."""
    said = headers.get("retry-after", "").strip()
    if not said:
        return DELAY_S
    try:
        wanted = float(said[:32])
    except ValueError:
        try:
            at = parsedate_to_datetime(said[:64])
        except ValueError:
            return DELAY_S
        wanted = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now
    if wanted != wanted:  # noqa: PLR0124 - "nan" is a float
        return DELAY_S
    return min(max(wanted, DELAY_MIN_S), DELAY_MAX_S)


def skew_s(headers: httpx.Headers, now: float) -> float | None:
    """Return how far the channel's clock is ahead of ours, None if it does not say."""
    try:
        at: datetime = parsedate_to_datetime(headers.get("date", "")[:64])
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now


_Make = Callable[[str, str], ChannelError]
# Status -> error for replies the connector's own table let pass (RFC 9110, RFC 6585, RFC 4918).
_TABLE: Final[dict[int, _Make]] = {
    401: lambda why, code: Reauthorize(
        f"{why}: the credentials were refused.", code=code, hint="Sign in to the channel again."
    ),
    402: lambda why, code: Forbidden(
        f"{why}: the channel wants a payment first.", permission="payment", code=code
    ),
    403: lambda why, code: Forbidden(
        f"{why}: not permitted.", permission=why.partition(":")[0], code=code
    ),
    423: lambda why, code: Retry(f"{why}: locked for the moment.", code=code),
    425: lambda why, code: Retry(f"{why}: too early.", code=code),
}
_THROTTLES: Final = frozenset({408, 429, 430})  # 430 is unregistered; seen as a second 429


def refuse(reply: Reply, ask: str, *, now: float) -> None:
    """Raise the default error for a status that is not 2xx."""
    if reply.is_good:
        return
    why, code = f"{ask}: HTTP {reply.status}", str(reply.status)
    if reply.status in _THROTTLES:
        raise Throttled(f"{why}.", delay_s=delay_s(reply.headers, now=now), code=code)
    if reply.status in _TABLE:
        raise _TABLE[reply.status](why, code)
    if reply.status >= 500:  # noqa: PLR2004 - RFC 9110, 15.6
        raise Retry(f"{why}.", code=code)
    if reply.status >= 400:  # noqa: PLR2004 - RFC 9110, 15.5
        raise Rejected(f"{why}.", code=code)
    raise ContractBroken(f"{why}: redirects are not followed.", code=code)


def _refuse_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise ContractBroken(f"Reply is larger than {limit_bytes} bytes.", code="too_big")

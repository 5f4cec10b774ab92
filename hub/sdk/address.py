"""Where the hub may connect to: public addresses over TLS, unless settings say otherwise.

People type addresses (a shop's domain, a hook). The name is resolved once, every answer is
checked, and the connection goes to the checked address, so that a second look-up cannot
lead elsewhere. Allowed is what is globally reachable and not multicast, after unwrapping
addresses that carry an IPv4 address inside.

Facts: RFC 6890, RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo). `is_private` alone lets
100.64/10 pass, where a cloud's metadata service lives; `is_global` alone lets NAT64 and 6to4
forms of link-local addresses pass.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

from hub.errors import ConfigError

PORTS: Final = frozenset({443, 8443})
_EXTRA: Final = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("168.63.129.16/32"),
)  # protocol and platform services
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_MOST_HOSTS: Final = 8  # transports kept open per client

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


def is_public(address: str) -> bool:
    """Tell whether a numeric address may be connected to."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _unwrapped(ip)
    if inner.is_multicast or not inner.is_global:
        return False
    return not (isinstance(inner, IPv4Address) and any(inner in net for net in _EXTRA))


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    if ip.teredo:
        return ip.teredo[1]
    if any(ip in net for net in _NAT64):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver for every address of a name."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def refuse_url(url: httpx.URL) -> None:
    """Refuse anything but https to a usual port, and credentials inside the URL."""
    if url.scheme != "https" or (url.port or 443) not in PORTS or url.userinfo:
        raise ConfigError(
            f"The address of {url.host!r} is not allowed: it must be https, "
            f"on port {' or '.join(map(str, sorted(PORTS)))}, without a name or password in it."
        )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects only where it may. `private_ok` lifts every rule: simulators, closed networks."""

    def __init__(self, *, private_ok: bool = False, resolver: Resolve = resolve) -> None:
        self._private_ok, self._resolve = private_ok, resolver
        self._by_host: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Resolve, check every answer, connect to a checked one under the original name."""
        host = request.url.host
        if not self._private_ok:
            refuse_url(request.url)
            request = self._pinned(request, await self._checked(request))
        return await (await self._transport(host)).handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in self._by_host.values():
            await transport.aclose()
        self._by_host.clear()

    async def _checked(self, request: httpx.Request) -> str:
        try:
            answers = await self._resolve(request.url.host, request.url.port or 443)
        except OSError:
            raise httpx.ConnectError("name does not resolve", request=request) from None
        if not answers or not all(is_public(answer) for answer in answers):
            raise ConfigError(
                f"{request.url.host!r} does not lead to a public address only.",
                hint="Check the address. Closed networks must be allowed in the settings.",
            )
        return answers[0]

    @staticmethod
    def _pinned(request: httpx.Request, address: str) -> httpx.Request:
        return httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )

    async def _transport(self, host: str) -> httpx.AsyncHTTPTransport:
        """One pool per name: a pool is keyed by address, and a certificate belongs to a name."""
        if host not in self._by_host:
            if len(self._by_host) >= _MOST_HOSTS:
                oldest = next(iter(self._by_host))
                await self._by_host.pop(oldest).aclose()
            self._by_host[host] = httpx.AsyncHTTPTransport(verify=_trusted(), trust_env=False)
        return self._by_host[host]


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates everyone trusts; reading them takes some 20 ms, so it is done once."""
    return httpx.create_ssl_context(trust_env=False)

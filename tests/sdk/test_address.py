"""SEC-07: the hub connects to public addresses only, and to the one it checked."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest

from hub.errors import ConfigError, Retry
from hub.sdk import ONCE, Http
from hub.sdk.address import GuardedTransport, is_public, resolve

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",  # noqa: S104
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "64:ff9b::169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:a9fe:a9fe::", "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:5601:5601", "2001:db8::1", "0177.0.0.1", "2130706433", "127.1", "[::1]",
    "", "localhost",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8",
    "106.11.1.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_special_and_odd_spellings_are_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    assert is_public(address)


def http(answers, url="https://shop.test"):
    async def resolver(host, port):
        if isinstance(answers, Exception):
            raise answers
        return answers

    return Http(url, transport=GuardedTransport(resolver=resolver), policy=ONCE, timeout_s=2)


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], []])
async def test_one_bad_answer_of_the_resolver_is_enough_to_refuse(answers):
    with pytest.raises(ConfigError, match="does not lead to a public address"):
        await http(answers).call("GET", "/")


@pytest.mark.parametrize(
    "url",
    ["http://shop.test", "https://shop.test:22", "https://user:pw@shop.test", "ftp://shop.test"],
)
async def test_anything_but_https_to_a_usual_port_without_a_name_in_it_is_refused(url):
    with pytest.raises(ConfigError, match="is not allowed") as caught:
        await http(["8.8.8.8"], url).call("GET", "/")

    assert "pw" not in str(caught.value)


async def test_a_name_that_does_not_resolve_is_worth_a_retry():
    with pytest.raises(Retry, match="ConnectError"):
        await http(OSError("no such host")).call("GET", "/")


async def test_the_connection_goes_to_the_checked_address_under_the_original_name(monkeypatch):
    asked = []

    async def handle(self, request):
        asked.append(
            (request.url.host, request.headers["host"], request.extensions["sni_hostname"], self)
        )
        return httpx.Response(200, json=1)

    monkeypatch.setattr(
        httpx.AsyncHTTPTransport, "handle_async_request", handle
    )  # no network in tests
    client = http(["8.8.8.8", "8.8.4.4"])

    await client.call("GET", "/")
    await client.send("GET", "https://files.test/x", signed=False)
    await client.call("GET", "/again")
    await client.close()

    assert [one[:3] for one in asked] == [
        ("8.8.8.8", "shop.test", "shop.test"),
        ("8.8.8.8", "files.test", "files.test"),
        ("8.8.8.8", "shop.test", "shop.test"),
    ]
    assert asked[0][3] is asked[2][3]
    assert asked[0][3] is not asked[1][3]


async def test_only_so_many_hosts_are_kept_open(monkeypatch):
    async def handle(self, request):
        return httpx.Response(200, json=1)

    monkeypatch.setattr(
        httpx.AsyncHTTPTransport, "handle_async_request", handle
    )  # no network in tests
    transport = GuardedTransport(private_ok=True)
    client = Http("https://shop.test", transport=transport)

    for number in range(20):
        await client.send("GET", f"https://files{number}.test/x", signed=False)

    assert len(transport._by_host) == 8
    await client.close()
    assert transport._by_host == {}


async def test_a_closed_network_that_is_allowed_is_reached():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        client = Http(f"http://127.0.0.1:{port}", private_ok=True)
        assert await client.call("GET", "/") == {}
        await client.close()
        shut = Http(f"http://127.0.0.1:{port}")
        with pytest.raises(ConfigError):
            await shut.call("GET", "/")
        await shut.close()


async def test_the_systems_resolver_is_asked_for_every_address():
    with contextlib.suppress(OSError):
        assert "127.0.0.1" in await resolve("127.0.0.1", 443)

"""The kit on real sockets: what a network does to a call (FLT-12), and TLS is always verified."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.errors import InDoubt, Retry
from hub.sdk import ONCE, Http

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def served(*pieces, hang=False, context=None):
    """A server that answers with these bytes, then hangs or closes."""

    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if hang:
                await asyncio.sleep(30)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    scheme = "https" if context else "http"
    http = Http(f"{scheme}://127.0.0.1:{port}", private_ok=True, policy=ONCE, timeout_s=0.3)
    try:
        yield http
    finally:
        await http.close()
        server.close()


async def test_a_whole_answer_is_read():
    async with served(HEAD + b"content-length: 2\r\n\r\n", b"{}") as http:
        assert await http.call("GET", "/") == {}


@pytest.mark.parametrize(
    ("pieces", "hang"),
    [
        ([], False),
        ([], True),
        ([HEAD], False),
        ([HEAD + b"content-length: 100\r\n\r\n{"], False),
        ([HEAD + b"content-length: 100\r\n\r\n{"], True),
        ([HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{"], False),
        ([HEAD + b"content-length: 2\r\n\r\n"], False),
        ([b"SSH-2.0-rubbish\r\n\r\n"], False),
    ],
)
async def test_half_an_answer_or_none_is_a_retry_for_a_read_and_a_doubt_for_a_write(pieces, hang):
    async with served(*pieces, hang=hang) as http:
        with pytest.raises(Retry):
            await http.call("GET", "/")
    async with served(*pieces, hang=hang) as http:
        with pytest.raises(InDoubt):
            await http.call("POST", "/", json={})


async def test_a_closed_port_is_a_retry_also_for_a_write():
    async with served() as http:
        pass
    closed = Http(str(http._client.base_url), private_ok=True, policy=ONCE)

    with pytest.raises(Retry):
        await closed.call("POST", "/", json={})

    await closed.close()


async def test_a_certificate_nobody_vouches_for_is_refused(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))

    async with served(HEAD + b"content-length: 2\r\n\r\n{}", context=context) as http:
        with pytest.raises(Retry, match="ConnectError"):
            await http.call("GET", "/")


def certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path

"""Ready-made signing for channels that only want a token.

Everything more is an `httpx.Auth` of the connector's own: a generator without I/O, which
the kit runs inside its retry loop so that stamps and nonces are fresh on every attempt.
"""

from __future__ import annotations

from collections.abc import Generator

import httpx

from hub.sdk.redact import Secret


class HeaderToken(httpx.Auth):
    """Put a token into a header. Shows neither in its `repr`."""

    def __init__(self, name: str, token: str | Secret, *, prefix: str = "") -> None:
        self._name, self._token, self._prefix = name, Secret(token), prefix

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header and send."""
        request.headers[self._name] = self._prefix + self._token.reveal()
        yield request

    def __repr__(self) -> str:
        """Show the header's name only."""
        return f"HeaderToken({self._name})"


def bearer(token: str | Secret) -> httpx.Auth:
    """Sign with `Authorization: Bearer <token>`."""
    return HeaderToken("Authorization", token, prefix="Bearer ")


def header(name: str, token: str | Secret) -> httpx.Auth:
    """Sign with a header of the channel's own name that carries the bare token."""
    return HeaderToken(name, token)

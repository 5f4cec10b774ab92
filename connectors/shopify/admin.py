"""One shop's Admin GraphQL API: sign in, ask, and learn from each reply what the bucket holds.

Every operation here may be repeated: queries change nothing, and the one mutation carries an
idempotency key. A token from client credentials lives in memory until shortly before it
expires; a token refused in mid-life is asked for once more before the merchant is troubled.

Facts: channel sheet, sections 2 to 4 (shopify.dev, api/admin-graphql and
api/usage/rate-limits, seen 2026-11).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

import httpx
import msgspec

from connectors.shopify import errors
from connectors.shopify.documents import FIRST_COST, documents
from connectors.shopify.form import API_VERSION, base_url
from hub.errors import ContractBroken, Reauthorize
from hub.sdk import Connection, Http, Secret

TOKEN_PATH: Final = "/admin/oauth/access_token"  # noqa: S105 - a path
EARLY_S: Final = 300.0
"""How long before its end a token is given up: a call must not outlive its token."""
_SMALL_COST: Final = 60


class Listing(msgspec.Struct):
    """A page of a list, its nodes still text."""

    pageInfo: dict[str, Any]  # noqa: N815 - Shopify's word
    nodes: list[msgspec.Raw]


class _Listings(msgspec.Struct):
    """A reply with one or more of them."""

    data: dict[str, Listing] | None = None
    errors: Any = None
    extensions: Any = None


class _Signature(httpx.Auth):
    """Puts the present token into the header. The bare value: `Bearer` is refused with 401."""

    def __init__(self) -> None:
        self.token = Secret("")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["X-Shopify-Access-Token"] = self.token.reveal()
        yield request

    def __repr__(self) -> str:
        return "_Signature(X-Shopify-Access-Token)"


class Admin:
    """The API of one shop. `served`: the version that really answered; `withheld`: fields nulled."""

    def __init__(
        self, connection: Connection, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        form = connection.credentials
        self._form, self._clock = form, clock
        self.version: str = form.get("api_version") or API_VERSION
        self.served: str | None = None
        self.withheld: set[str] = set()
        self._path = f"/admin/api/{self.version}/graphql.json"
        self._costs = dict(FIRST_COST)
        self._signature = _Signature()
        self._good_until = 0.0
        base = base_url(form["shop"], form.get("address"))
        self._http: Http = connection.open_http(base, auth=self._signature, classify=self._judge)
        self._door: Http = connection.open_http(base, classify=errors.check_token)

    async def ask(self, operation: str, /, **variables: Any) -> Mapping[str, Any]:
        """Run one operation and return its `data`, withheld fields null."""
        return await self._ask(operation, variables, None)

    async def listing(self, operation: str, root: str, /, **variables: Any) -> Listing:
        """Run an operation that asks for one list, and return the page without decoding its nodes."""
        data = await self._ask(operation, variables, _Listings)
        found = data.get(root)
        if not isinstance(found, Listing):
            raise ContractBroken(
                f"Shopify: {operation} came back without its list.", code="no_data"
            )
        return found

    async def _ask(
        self, operation: str, variables: Mapping[str, Any], into: Any
    ) -> Mapping[str, Any]:
        is_fresh = await self._sign_in()
        try:
            body = await self._send(operation, variables, into)
        except Reauthorize:
            if is_fresh or self._form.get("token"):
                raise
            self._good_until = 0.0
            await self._sign_in()
            body = await self._send(operation, variables, into)
        body = _opened(body)
        self._remember(operation, body)
        data = body.get("data") if isinstance(body, Mapping) else None
        if not isinstance(data, Mapping):
            raise ContractBroken(f"Shopify: {operation} came back without data.", code="no_data")
        return data

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
        await self._door.close()

    async def _send(self, operation: str, variables: Mapping[str, Any], into: Any) -> Any:
        document = documents()[operation]
        return await self._http.call(
            "POST",
            self._path,
            json={"query": document, "variables": variables, "operationName": operation},
            cost=self._costs.get(operation, _SMALL_COST),
            repeat=True,
            into=into,
        )

    async def _sign_in(self) -> bool:
        """Have a token ready; tell whether it was made just now."""
        given = self._form.get("token")
        if given:
            self._signature.token = Secret(given)
            return False
        if self._clock() < self._good_until:
            return False
        asked_at = self._clock()
        reply = await self._door.call(
            "POST",
            TOKEN_PATH,
            json={
                "client_id": self._form["client_id"],
                "client_secret": self._form["client_secret"],
                "grant_type": "client_credentials",
            },
            repeat=True,
        )
        self._signature.token = Secret(reply["access_token"])
        self._good_until = asked_at + float(reply.get("expires_in") or 0) - EARLY_S
        return True

    def _judge(self, response: httpx.Response, body: Any) -> None:
        """Learn from every reply, the refused ones too, then look whether it is one."""
        body = _opened(body)
        self.served = response.headers.get("x-shopify-api-version") or self.served
        status = _cost(body).get("throttleStatus")
        if isinstance(status, Mapping):
            self._http.limiter.learn(
                available=status.get("currentlyAvailable"),
                capacity=status.get("maximumAvailable"),
                per_s=status.get("restoreRate"),
            )
        errors.check(response, body)

    def _remember(self, operation: str, body: Any) -> None:
        asked = _cost(body).get("requestedQueryCost")
        if asked is not None:
            self._costs[operation] = int(float(asked))
        self.withheld |= errors.withheld(body)


def _opened(body: Any) -> Any:
    """Return a reply's three fields by name, however it was decoded."""
    return msgspec.structs.asdict(body) if isinstance(body, _Listings) else body


def _cost(body: Any) -> Mapping[str, Any]:
    extensions = body.get("extensions") if isinstance(body, Mapping) else None
    cost = extensions.get("cost") if isinstance(extensions, Mapping) else None
    return cost if isinstance(cost, Mapping) else {}

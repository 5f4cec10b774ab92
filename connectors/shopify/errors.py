"""Shopify's replies as hub errors: one table for HTTP, one for GraphQL, one for stock writes.

HTTP 200 is no promise: a throttled or refused query says so in `errors[]`. What comes with
`data` (a person's data withheld by Shopify) is no error: the fields are null and the reader
goes on; `withheld` names them.

Facts: channel sheet, sections 4.2, 5, 8.2 and 9.3 (shopify.dev, api/usage/response-codes and
api/usage/rate-limits, seen 2026-11; measured shapes of THROTTLED and MAX_COST_EXCEEDED).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from hub.errors import (
    ChannelError,
    ContractBroken,
    Forbidden,
    Missing,
    Reauthorize,
    Retry,
    Throttled,
)

SECURITY_PAUSE_S: Final = 300.0
"""How long to keep quiet after a 430: Shopify took the calls for an attack."""
_SHORTEST_WAIT_S: Final = 0.1
_TOKEN_REFUSALS: Final = frozenset({400, 401, 403, 404})
_SCOPE = re.compile(r"`((?:read|write|unauthenticated)_[a-z_]+)`")

# GraphQL codes that are worth repeating as they are.
_PASSING: Final = frozenset(
    {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "IDEMPOTENCY_CONCURRENT_REQUEST"}
)


def check(response: httpx.Response, body: Any) -> None:
    """Raise what a reply means, or return when its `data` can be used.

    Statuses that are not in the table (429, 5xx and the rest) are left to the kit's own.
    """
    make = _BY_STATUS.get(response.status_code)
    if make is not None:
        raise make(first_message(body) or f"HTTP {response.status_code}")
    if not response.is_success or not isinstance(body, Mapping):
        return
    if body.get("errors"):
        _refuse(body)
    _refuse_misread_search(body)


def check_token(response: httpx.Response, body: Any) -> None:
    """Raise what a refused token request means: only a person can mend client id or secret."""
    if response.status_code in _TOKEN_REFUSALS:
        error = body.get("error") if isinstance(body, Mapping) else None
        code = str(error or response.status_code)[:64]
        raise Reauthorize(
            f"Shopify gave no access token ({code}).",
            code=code,
            hint="Check client id and secret, and that the app is installed on this shop.",
        )
    if response.is_success and not (isinstance(body, Mapping) and body.get("access_token")):
        raise ContractBroken("Shopify's token reply holds no access_token.", code="no_token")


def _refuse(body: Mapping[str, Any]) -> None:
    errors = body["errors"]
    if not isinstance(errors, list):  # a plain text, as with a bad token
        raise ContractBroken(f"Shopify: {first_message(body)}", code="errors_text")
    known = [entry for entry in errors if isinstance(entry, Mapping)]
    for entry in known:
        if code_of(entry) != "ACCESS_DENIED":
            raise _from_entry(entry, body)
    if not _has_data(body):
        raise _denied(known[0] if known else {})


def _from_entry(entry: Mapping[str, Any], body: Mapping[str, Any]) -> ChannelError:
    code, text = code_of(entry), _text(entry)
    if code == "THROTTLED":
        return Throttled(f"Shopify: {text}.", delay_s=wait_s(body), code=code)
    if code in _PASSING:
        return Retry(f"Shopify: {text}", code=code)
    if code == "RESOURCE_NOT_FOUND":
        return Missing(f"Shopify: {text}", code=code)
    return ContractBroken(f"Shopify refused our document: {text}", code=code or "no_code")


def wait_s(body: Mapping[str, Any]) -> float:
    """Return how long the bucket needs until the refused query can pass."""
    cost = body.get("extensions", {}).get("cost", {})
    status = cost.get("throttleStatus") or {}
    rate = float(status.get("restoreRate") or 100)
    short = float(cost.get("requestedQueryCost") or 0) - float(
        status.get("currentlyAvailable") or 0
    )
    return max(_SHORTEST_WAIT_S, short / rate)


def withheld(body: Mapping[str, Any]) -> frozenset[str]:
    """Name the fields that Shopify left null because the app may not see them."""
    names = set()
    for entry in body.get("errors") or ():
        path = entry.get("path") if isinstance(entry, Mapping) else None
        if path and code_of(entry) == "ACCESS_DENIED":
            names.add(".".join(part for part in path if isinstance(part, str)))
    return frozenset(names)


def code_of(entry: Mapping[str, Any]) -> str:
    """Return the code of one `errors[]` entry, empty without one."""
    extensions = entry.get("extensions")
    return str(extensions.get("code") or "") if isinstance(extensions, Mapping) else ""


def first_message(body: Any) -> str:
    """Return what a reply complains of, whatever its shape: a list, a text, an object."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    if isinstance(errors, list):
        return _text(errors[0]) if errors else ""
    return str(errors)[:300] if errors else ""


def _text(entry: Any) -> str:
    return str(entry.get("message") if isinstance(entry, Mapping) else entry)[:300]


def _has_data(body: Mapping[str, Any]) -> bool:
    data = body.get("data")
    return isinstance(data, Mapping) and any(value is not None for value in data.values())


def _denied(entry: Mapping[str, Any]) -> Forbidden:
    text = _text(entry)
    extensions = entry.get("extensions") or {}
    found = _SCOPE.findall(f"{text} {extensions.get('requiredAccess') or ''}")
    return Forbidden(
        f"Shopify: {text}",
        permission=" or ".join(dict.fromkeys(found)) or "protected customer data",
        code="ACCESS_DENIED",
        hint="Grant the app this access scope in Shopify, then install it again.",
    )


def _refuse_misread_search(body: Mapping[str, Any]) -> None:
    """Refuse a page whose filter Shopify understood otherwise: it holds other records than asked for."""
    searches = (body.get("extensions") or {}).get("search") or ()
    for search in searches:
        warnings = search.get("warnings") or ()
        if warnings:
            raise ContractBroken(
                f"Shopify misread a search filter: {_text(warnings[0])}",
                code=str(warnings[0].get("code") or "search_warning"),
            )


# Status -> error. 429 and 5xx are the kit's; a 423 or 402 shop comes back by itself one day, so
# the ability is asked for again daily instead of waiting for a person to sign in.
_BY_STATUS: Final[dict[int, Callable[[str], ChannelError]]] = {
    401: lambda why: Reauthorize(
        f"Shopify refused the access token: {why}",
        code="401",
        hint="The token was revoked, has expired, or the app was uninstalled: connect the shop again.",
    ),
    402: lambda why: Forbidden(
        f"The shop is frozen: {why}", permission="a paid Shopify plan", code="402",
        hint="The shop's Shopify bill is unpaid. Pay it in the Shopify admin.",
    ),
    403: lambda why: Forbidden(
        f"Shopify: {why}", permission=" or ".join(_SCOPE.findall(why)) or "access to this shop",
        code="403", hint="Check the app's access scopes in Shopify.",
    ),
    404: lambda why: Reauthorize(
        f"No shop answers at this address: {why}", code="404",
        hint="Check the shop address: it ends in .myshopify.com and is not the public domain.",
    ),
    423: lambda why: Forbidden(
        f"The shop is locked: {why}", permission="an unlocked shop", code="423",
        hint="Shopify locked the shop. Its owner must contact Shopify support.",
    ),
    430: lambda why: Throttled(
        f"Shopify took our calls for an attack: {why}", delay_s=SECURITY_PAUSE_S, code="430"
    ),
}  # fmt: skip

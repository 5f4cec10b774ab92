"""Shopify's two signatures: of a webhook's body and of an OAuth callback's query.

Both are HMAC-SHA256 under the app's client secret: base64 over the raw body bytes for a
webhook, hexadecimal over the sorted query for a callback. Comparison takes the same time for
every wrong answer. During a secret's rotation call with the old and the new secret.

Facts: shopify.dev, "Verify webhook deliveries" (apps/build/webhooks/verify-deliveries) and the
HMAC rules of Shopify's own Python and JavaScript libraries, seen 2026-11.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256

_UNSIGNED = frozenset({"hmac", "signature"})  # `signature` is a leftover of the oldest form


def verify_webhook(secret: str, body: bytes, header: str) -> bool:
    """Tell whether `header` (X-Shopify-Hmac-Sha256) signs exactly these body bytes.

    The body must be the raw bytes as they came: decoded and encoded again, it fails.
    """
    expected = base64.b64encode(_digest(secret, body))
    return hmac.compare_digest(expected, header.strip().encode("utf-8", "replace"))


def verify_query(secret: str, query: Mapping[str, str]) -> bool:
    """Tell whether the query of an OAuth callback carries the right `hmac`.

    The values are the decoded ones. An array parameter is signed as its name without brackets
    and a JSON list of texts; pass it in that form: `{"ids": '["2", "1"]'}`. The age of
    `timestamp`, the `state` and the form of `shop` are for the caller to check.
    """
    given = query.get("hmac")
    if not given:
        return False
    message = "&".join(f"{name}={query[name]}" for name in sorted(query) if name not in _UNSIGNED)
    expected = _digest(secret, message.encode("utf-8", "replace")).hex().encode()
    return hmac.compare_digest(expected, given.encode("utf-8", "replace"))


def _digest(secret: str, message: bytes) -> bytes:
    return hmac.new(secret.encode(), message, sha256).digest()

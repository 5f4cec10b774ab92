"""Money, time and ids as Shopify writes them (fact sheet, sections 2 and 13, rules S21 and S22)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MICROS = 1_000_000
_NO_DECIMALS = frozenset({"JPY", "KRW", "VND"})


def digits(currency: str) -> int:
    """Return how many decimals the currency has."""
    return 0 if currency in _NO_DECIMALS else 2


def amount(minor: int, currency: str) -> str:
    """Write minor units as GraphQL does: at least one decimal, no trailing zeros after it."""
    places = digits(currency)
    sign, size = ("-", -minor) if minor < 0 else ("", minor)
    if not places:
        return f"{sign}{size}.0"
    whole, part = divmod(size, 10**places)
    text = f"{part:0{places}d}".rstrip("0") or "0"
    return f"{sign}{whole}.{text}"


def price(minor: int, currency: str) -> str:
    """Write a bare ``Money`` of a variant: always all decimals."""
    places = digits(currency)
    if not places:
        return str(minor)
    whole, part = divmod(minor, 10**places)
    return f"{whole}.{part:0{places}d}"


def minor(text: str | int | float, currency: str) -> int:
    """Read an amount written by a client."""
    places = digits(currency)
    value = Decimal(str(text)) * 10**places
    return int(value.to_integral_value(ROUND_HALF_UP))


def one(value: int, currency: str) -> dict[str, Any]:
    """Return a ``MoneyV2``."""
    return {"amount": amount(value, currency), "currencyCode": currency}


def bag(value: int, currency: str) -> dict[str, Any]:
    """Return a ``MoneyBag``; the buyer pays in the shop's currency."""
    both = one(value, currency)
    return {"shopMoney": both, "presentmentMoney": both}


def when(micros: int | None) -> str | None:
    """Write a time: UTC, ``Z``, whole seconds."""
    if micros is None:
        return None
    return datetime.fromtimestamp(micros // MICROS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def gid(kind: str, key: int | None) -> str:
    """Return a global id."""
    return f"gid://shopify/{kind}/{key}"


def share(total: int, weights: list[int]) -> list[int]:
    """Split a total over weights so that the parts add up; the remainder goes from the front."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    for at in range(total - sum(parts)):
        parts[at % len(parts)] += 1
    return parts

"""Amounts of Shopify documents as minor units: `MoneyBag` and `MoneyV2`, always in shop currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from hub.records import money

Bag = Mapping[str, Any]

# The same few amounts come again and again, "0.0" above all.
to_minor = lru_cache(maxsize=8192)(money.to_minor)


def amount(bag: Bag | None, currency: str) -> int:
    """Return the shop amount of a `MoneyBag` whose currency is known; none counts as zero."""
    return 0 if bag is None else to_minor(bag["shopMoney"]["amount"], currency)


def own_amount(bag: Bag) -> int:
    """Return the shop amount of a `MoneyBag` that names its currency itself."""
    money = bag["shopMoney"]
    return to_minor(money["amount"], money["currencyCode"])


def total(bags: Iterable[Bag]) -> int:
    """Add up the shop amounts of several bags."""
    found = 0
    for bag in bags:
        money = bag["shopMoney"]
        found += to_minor(money["amount"], money["currencyCode"])
    return found

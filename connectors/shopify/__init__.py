"""Shopify for the hub: the connector and its mapping functions, as plugin hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.shopify.connector import Shopify
from connectors.shopify.transforms import TRANSFORMS
from hub.sdk import Connector, Transform, hookimpl

__all__ = ["Shopify", "hub_connectors", "hub_transforms"]


@hookimpl
def hub_connectors() -> Sequence[type[Connector]]:
    """Return the connector."""
    return [Shopify]


@hookimpl
def hub_transforms() -> Mapping[str, Transform]:
    """Return the functions that mappings/shopify names."""
    return TRANSFORMS

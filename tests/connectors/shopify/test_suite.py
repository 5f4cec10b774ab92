"""The conformance suite over the Shopify connector and its simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from connectors.shopify import Shopify
from connectors.shopify.whole import stock_key
from hub.sdk import Change, Document, Kind
from hub.sdk.testing import ConnectorSuite
from sandbox.shopify import Simulator, app
from tests.connectors.shopify.shop import FORM, START, mapping

OPTIONS = {"orders": 100, "products": 6, "variants": 10, "customers": 8, "plan": "plus"}
MAPPED: dict[Kind, list[str]] = {
    "order": ["order", "after_sale"],
    "product": ["product"],
    "inventory": ["inventory"],
    "member": ["member"],
}


def shop() -> Simulator:
    return app(now=lambda: START, **OPTIONS)


_WORLD = shop().world
_LEVEL = next(iter(_WORLD.rows("level").values()))
_ITEM = f"gid://shopify/InventoryItem/{_LEVEL['item']}"
_PLACE = f"gid://shopify/Location/{_LEVEL['location']}"
_NOWHERE = "gid://shopify/Location/1"


def a_change(location: str, wanted: int) -> Change:
    document: Document = {
        "item": {"id": _ITEM},
        "location": {"id": location},
        "quantities": [{"name": "available", "quantity": wanted}],
    }
    return Change(stock_key(_ITEM, location), document, seen={}, version=1)


def round_trip(kind: Kind, document: Document) -> list[str]:
    """Name what a document loses on the way to canonical and back."""
    wrong = []
    for name in MAPPED[kind]:
        one = mapping(name)
        rows = one.to_canonical(document)
        for row in rows:
            back = one.to_native(one.to_record(row), onto=document)
            if name != "after_sale" and back != document:
                wrong.append(name)
    return wrong


def first(kind: str) -> int:
    return next(iter(_WORLD.rows(kind)))


class TestShopify(ConnectorSuite):
    connector = Shopify
    simulator = shop
    credentials = FORM
    stock = (a_change(_PLACE, 7), a_change(_NOWHERE, 3))
    refused = frozenset({stock_key(_ITEM, _NOWHERE)})
    known: ClassVar[Mapping[Kind, str]] = {
        "order": f"gid://shopify/Order/{first('order')}",
        "product": f"gid://shopify/Product/{first('product')}",
        "member": f"gid://shopify/Customer/{first('customer')}",
        "inventory": stock_key(_ITEM, _PLACE),
    }

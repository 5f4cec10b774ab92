"""What the connector adds to a document, and where a document may have been cut short.

`hub` on a node holds facts that Shopify tells elsewhere in the same reply: how many units of a
line left, arrived or were called off, where it is served from; an order's tax flag on each of
its refunds; the shop of a customer; the key of a stock level. Nothing else of a document changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from connectors.shopify.fulfilment import cancelled_units, departed, is_delivered, places, units

Node = dict[str, Any]

LIST_MOST: Final = 250
"""How many a plain list shows: it has no cursor, so a full one may hide more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A list inside a document. `more`: the operation that reads on, below the root field `root`.

    Without one the part is small by nature; should it overflow all the same, the document is
    held instead of being taken short.
    """

    field: str
    more: str | None = None
    root: str = ""
    inside: tuple[Part, ...] = ()


ORDER: Final = (
    Part("lineItems", "OrderLines", "order"),
    Part("discountApplications"),
    Part("shippingLines"),
    Part("transactions"),
    Part(
        "refunds",
        inside=(
            Part("refundLineItems", "RefundLines", "refund"),
            Part("refundShippingLines"),
            Part("orderAdjustments"),
            Part("transactions"),
        ),
    ),
    Part(
        "fulfillmentOrders",
        "OrderWorks",
        "order",
        inside=(Part("lineItems", "FulfillmentOrderLines", "fulfillmentOrder"),),
    ),
    Part(
        "fulfillments",
        inside=(
            Part("fulfillmentLineItems", "FulfillmentLines", "fulfillment"),
            Part("fulfillmentOrders"),
        ),
    ),
)
PRODUCT: Final = (Part("variants", "ProductVariants", "product"),)


@dataclass(frozen=True, slots=True)
class Cut:
    """A list that shows less than there is: whose it is and which."""

    owner: Node
    part: Part


def may_be_cut(text: bytes | msgspec.Raw) -> bool:
    """Tell whether a list of a document could be cut short, from its text: False is certain.

    Every list says in the usual spelling that it does not go on, and there are fewer braces than
    a full plain list has.
    """
    whole = bytes(text)
    lists, ended = whole.count(b'"hasNextPage"'), whole.count(b'"hasNextPage":false')
    return lists != ended or whole.count(b"{") > LIST_MOST


def shows_all(node: Node, parts: tuple[Part, ...]) -> bool:
    """Tell whether no list of a document was cut short: what `cuts` would find none of, quicker."""
    for part in parts:
        value = node[part.field]
        if isinstance(value, list):
            if len(value) >= LIST_MOST:
                return False
        elif value["pageInfo"]["hasNextPage"]:
            return False
        else:
            value = value["nodes"]
        if part.inside:
            for element in value:
                if not shows_all(element, part.inside):
                    return False
    return True


def cuts(node: Node, parts: tuple[Part, ...]) -> Iterator[Cut]:
    """Yield every list of a document that shows less than there is, outermost first."""
    for part in parts:
        value = node[part.field]
        if isinstance(value, list):
            elements, is_cut = value, len(value) >= LIST_MOST
        else:
            elements, is_cut = value["nodes"], value["pageInfo"]["hasNextPage"]
        if is_cut:
            yield Cut(node, part)
        if part.inside:
            for element in elements:
                yield from cuts(element, part.inside)


def order(node: Node) -> Node:
    """Add to an order's lines and refunds what stands elsewhere in it.

    Raises `TypeError` or `ValueError` for an order whose figures are none.
    """
    gone = [f for f in node["fulfillments"] if departed(f)]
    shipped = units(gone)
    arrived = [f for f in gone if is_delivered(f)]
    delivered = units(arrived) if arrived else {}
    served_from = places(node)
    for line in node["lineItems"]["nodes"]:
        name = line["id"]
        left = shipped.get(name, 0)
        line["hub"] = {
            "shipped": left,
            "delivered": delivered.get(name, 0),
            "cancelled": cancelled_units(line, left),
            "location": served_from.get(name),
        }
    for refund in node["refunds"]:
        refund["hub"] = {"taxesIncluded": node["taxesIncluded"]}
    return node


def customer(node: Node, shop: str) -> Node:
    """Add the shop a customer belongs to."""
    node["hub"] = {"shop": shop}
    return node


def level(node: Node) -> Node:
    """Add the key that stock goes by: `<inventory item>@<location>`."""
    node["hub"] = {"key": stock_key(node["item"]["id"], node["location"]["id"])}
    return node


def stock_key(item: str, location: str) -> str:
    """Return the key of one item's stock at one place."""
    return f"{item}@{location}"

"""An orders page as typed structs: only what the ideal stores, the rest is skipped while decoding."""

from __future__ import annotations

import msgspec


class Money(msgspec.Struct):
    """An amount."""

    amount: str


class Bag(msgspec.Struct):
    """Shop money."""

    shop: Money = msgspec.field(name="shopMoney")


class Ref(msgspec.Struct):
    """A reference."""

    id: str


class Line(msgspec.Struct, rename="camel"):
    """An order line."""

    id: str
    title: str
    sku: str | None
    quantity: int
    current_quantity: int
    variant: Ref | None
    original_unit_price_set: Bag
    original_total_set: Bag
    tax_lines: list[Tax]
    discount_allocations: list[Allocation]


class Tax(msgspec.Struct, rename="camel"):
    """A tax."""

    price_set: Bag


class Allocation(msgspec.Struct, rename="camel"):
    """A discount's part."""

    allocated_amount_set: Bag


class Lines(msgspec.Struct):
    """The lines."""

    nodes: list[Line]


class Address(msgspec.Struct):
    """Where to."""

    name: str | None
    phone: str | None
    province: str | None
    city: str | None
    address1: str | None
    zip: str | None
    country: str | None = msgspec.field(name="countryCodeV2")


class Order(msgspec.Struct, rename="camel"):
    """An order."""

    id: str
    name: str
    created_at: str
    updated_at: str
    processed_at: str
    closed_at: str | None
    cancelled_at: str | None
    cancel_reason: str | None
    test: bool
    currency_code: str
    presentment_currency_code: str
    taxes_included: bool
    source_name: str | None
    note: str | None
    display_financial_status: str | None
    display_fulfillment_status: str
    return_status: str
    total_price_set: Bag
    current_total_price_set: Bag
    total_tax_set: Bag | None
    customer: Ref | None
    shipping_address: Address | None
    line_items: Lines


class PageInfo(msgspec.Struct, rename="camel"):
    """Where the next page starts."""

    has_next_page: bool
    end_cursor: str | None


class Orders(msgspec.Struct, rename="camel"):
    """A page."""

    page_info: PageInfo
    nodes: list[Order]


class RawOrders(msgspec.Struct, rename="camel"):
    """A page whose orders stay bytes at first."""

    page_info: PageInfo
    nodes: list[msgspec.Raw]


class Data(msgspec.Struct):
    """The reply's data."""

    orders: Orders


class RawData(msgspec.Struct):
    """The reply's data, raw."""

    orders: RawOrders


class Reply(msgspec.Struct):
    """A reply."""

    data: Data


class RawReply(msgspec.Struct):
    """A reply, raw."""

    data: RawData

"""Catalogue, channel side: listing (渠道商品), listing SKU (渠道规格), and the document that tells of both."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.records.base import Link, Record, derived
from hub.records.money import Amount, Currency
from hub.records.product import Product, Variant
from hub.records.quantity import Steps
from hub.records.time import Instant

ListingStatus = Literal[
    "draft", "pending_review", "on_shelf", "off_shelf", "rejected", "deleted", "unknown"
]
MatchState = Literal["unmatched", "auto", "manual", "ignored"]


class Listing(Record):
    """A product as one shop shows it."""

    table: ClassVar[str] = "listing"
    key: ClassVar[tuple[str, ...]] = ("external_product_id",)

    connection_id: Annotated[str | None, Link("connection")] = None
    product_id: Annotated[str | None, Link("product")] = None
    external_product_id: str
    title: str | None = None
    status: ListingStatus = "unknown"
    raw_status: str | None = None
    channel_category_id: str | None = None
    url: str | None = None
    channel_updated_at: Instant | None = None


class ListingSku(Record):
    """A SKU as one shop shows it. `external_stock_id` names it in stock calls where that id is another one."""

    table: ClassVar[str] = "listing_sku"
    key: ClassVar[tuple[str, ...]] = ("external_sku_id",)

    connection_id: Annotated[str | None, Link("connection")] = None
    listing_id: Annotated[str | None, Link("listing")] = None
    variant_id: Annotated[str | None, Link("variant")] = None
    external_sku_id: str
    external_stock_id: str | None = None
    channel_sku_code: str | None = None
    title: str | None = None
    barcode: str | None = None
    match_state: MatchState = derived(default="unmatched")
    price_minor: Amount | None = None
    compare_at_minor: Amount | None = None
    currency: Currency | None = None
    channel_stock: Steps | None = derived(default=None)
    stock_sync_enabled: bool = derived(default=True)
    last_pushed_stock: Steps | None = derived(default=None)
    last_pushed_at: Instant | None = derived(default=None)
    last_push_error: str | None = derived(default=None)


class CatalogueSku(Record):
    """One SKU of a channel's product document: what the shop shows and what the thing is."""

    table: ClassVar[str] = ""

    listing_sku: ListingSku
    variant: Variant


class Catalogue(Record):
    """One product document of a channel (kind `product`): listing and SKUs always, product if it is the source."""

    table: ClassVar[str] = ""
    key: ClassVar[tuple[str, ...]] = ("listing.external_product_id",)

    source_updated_at: Instant | None = None
    listing: Listing
    product: Product
    skus: tuple[CatalogueSku, ...] = Field(default=())

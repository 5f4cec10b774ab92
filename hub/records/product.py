"""Catalogue, master side: product (SPU), variant (SKU), barcode, price. Canonical model 3.1."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.records.base import Json, Link, Record
from hub.records.money import Amount, Currency
from hub.records.quantity import Count, Scale
from hub.records.time import Instant

ProductStatus = Literal["draft", "active", "archived"]
VariantKind = Literal["simple", "bundle", "virtual", "service", "gift_card"]
BarcodeType = Literal["EAN13", "EAN8", "UPCA", "GTIN14", "PLU", "other"]


class Product(Record):
    """款号 / SPU: what the merchant sells, whatever the channel."""

    table: ClassVar[str] = "product"

    spu_code: str | None = None
    title: str | None = None
    subtitle: str | None = None
    description_html: str | None = None
    brand: str | None = None
    status: ProductStatus = "active"
    category: str | None = None
    options: Annotated[list[dict[str, Any]] | None, Json()] = None
    """Ordered `[{"name": …, "values": […]}]`."""


class Barcode(Record):
    """One code on a package. `gtin14` is set only for a code whose check digit is right."""

    table: ClassVar[str] = "barcode"
    key: ClassVar[tuple[str, ...]] = ("value",)

    variant_id: Annotated[str | None, Link("variant")] = None
    type: BarcodeType = "other"
    value: str
    gtin14: str | None = None
    pack_qty: Count = 1
    is_primary: bool = True


class Price(Record):
    """What one unit of a variant costs, for everyone or on one connection or in one store."""

    table: ClassVar[str] = "price"
    key: ClassVar[tuple[str, ...]] = ("price_list", "connection_id", "location_id", "min_qty")

    variant_id: Annotated[str | None, Link("variant")] = None
    price_list: str = "base"
    connection_id: Annotated[str | None, Link("connection")] = None
    location_id: Annotated[str | None, Link("location")] = None
    min_qty: Count = 1
    amount_minor: Amount
    compare_at_minor: Amount | None = None
    currency: Currency
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class Variant(Record):
    """规格 / SKU: what stands on a shelf. `sku` (商家编码) is unique per merchant, never identity."""

    table: ClassVar[str] = "variant"
    key: ClassVar[tuple[str, ...]] = ("sku",)

    product_id: Annotated[str | None, Link("product")] = None
    sku: str | None = None
    title: str | None = None
    option_values: Annotated[dict[str, str] | None, Json()] = None
    kind: VariantKind = "simple"
    unit: str = "C62"
    quantity_scale: Scale = 0
    weight_g: Count | None = None
    length_mm: Count | None = None
    width_mm: Count | None = None
    height_mm: Count | None = None
    tax_code: str | None = None
    tax_rate_bp: Count | None = None
    cost_minor: Amount | None = None
    list_price_minor: Amount | None = None
    compare_at_minor: Amount | None = None
    currency: Currency | None = None
    batch_tracked: bool = False
    serial_tracked: bool = False
    shelf_life_days: Count | None = None
    barcodes: tuple[Barcode, ...] = Field(default=())

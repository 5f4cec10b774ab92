"""After-sale cases (售后), refunds and what came back. Canonical model 3.3 and 5.3."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.records.base import Link, Record
from hub.records.money import Amount, Currency
from hub.records.quantity import Count, Scale
from hub.records.time import Instant

AfterSaleKind = Literal[
    "cancel_unshipped", "refund_only", "return_refund", "exchange", "reissue", "repair", "price_protect",
]  # fmt: skip
AfterSaleState = Literal[
    "requested", "approved", "awaiting_return", "return_in_transit", "received", "refunding",
    "succeeded", "rejected", "cancelled", "failed", "disputed", "unknown",
]  # fmt: skip
Reception = Literal["awaiting", "in_transit", "received", "lost", "wrong_item", "short"]
Disposition = Literal["resalable", "defective", "scrap"]


class AfterSaleLine(Record):
    """How much of an order line came back, and in what condition."""

    table: ClassVar[str] = "after_sale_line"
    key: ClassVar[tuple[str, ...]] = ("external_line_id",)

    after_sale_id: Annotated[str | None, Link("after_sale")] = None
    order_line_id: Annotated[str | None, Link("order_line")] = None
    variant_id: Annotated[str | None, Link("variant")] = None
    external_line_id: str
    external_sku_id: str | None = None
    sku_snapshot: str | None = None
    quantity: Count
    quantity_scale: Scale = 0
    amount: Amount = 0
    reception: Reception = "awaiting"
    acceptance: Literal["pending", "accepted", "rejected"] = "pending"
    disposition: Disposition | None = None
    external_location_id: str | None = None


class RefundLine(Record):
    """The part of a refund that one order line accounts for."""

    table: ClassVar[str] = "refund_line"
    key: ClassVar[tuple[str, ...]] = ("external_line_id",)

    refund_id: Annotated[str | None, Link("refund")] = None
    order_line_id: Annotated[str | None, Link("order_line")] = None
    external_line_id: str
    quantity: Count = 0
    amount: Amount = 0


class Refund(Record):
    """Money that went back. It comes from the money, never from the case's state."""

    table: ClassVar[str] = "refund"
    key: ClassVar[tuple[str, ...]] = ("external_refund_id",)

    after_sale_id: Annotated[str | None, Link("after_sale")] = None
    channel_order_id: Annotated[str | None, Link("channel_order")] = None
    external_refund_id: str
    amount: Amount
    shipping_amount: Amount = 0
    state: Literal["pending", "succeeded", "failed", "cancelled"]
    succeeded_at: Instant | None = None
    lines: tuple[RefundLine, ...] = Field(default=())


class AfterSale(Record):
    """One case. `external_order_id` names its order; the case stands alone while that is unknown."""

    table: ClassVar[str] = "after_sale"
    key: ClassVar[tuple[str, ...]] = ("external_id",)

    connection_id: Annotated[str | None, Link("connection")] = None
    channel_order_id: Annotated[str | None, Link("channel_order")] = None
    external_id: str
    external_order_id: str | None = None
    kind: AfterSaleKind = "refund_only"
    state: AfterSaleState
    raw_state: str | None = None
    reason_code: str | None = None
    currency: Currency
    requested_amount: Amount = 0
    approved_amount: Amount = 0
    return_tracking: str | None = None
    requested_at: Instant | None = None
    succeeded_at: Instant | None = None
    source_zone: str | None = None
    source_updated_at: Instant | None = None
    source_version: str | None = None
    lines: tuple[AfterSaleLine, ...] = Field(default=())
    refunds: tuple[Refund, ...] = Field(default=())

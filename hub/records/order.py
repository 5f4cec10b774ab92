"""Orders as channels tell them, and what the warehouse ships. Canonical model 3.3, invariants of section 4.

Four independent states stand on an order: `order_state` comes from the channel, the other
three are derived from lines, payments and refunds by `hub.commerce.orders`, their only writer.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.records.base import Json, Link, Pii, Record, derived
from hub.records.money import Amount, Currency, Minor
from hub.records.quantity import Count, Scale
from hub.records.time import Instant

OrderState = Literal["pending", "confirmed", "on_hold", "completed", "cancelled", "unknown"]
PaymentState = Literal[
    "unpaid", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "overpaid",
]  # fmt: skip
FulfilmentState = Literal[
    "unfulfilled", "partially_shipped", "shipped", "partially_delivered", "delivered", "not_required", "cancelled",
]  # fmt: skip
ReturnState = Literal["none", "requested", "in_progress", "partially_returned", "returned"]
OrderKind = Literal[
    "sale",
    "presale",
    "deposit",
    "exchange",
    "reissue",
    "gift",
    "wholesale",
    "pos_sale",
    "pos_return",
]
FundedBy = Literal["merchant", "platform", "influencer", "payment_provider"]
PaymentMethod = Literal[
    "wechat", "alipay", "card", "cash", "stored_value", "points", "gift_card", "cod", "other"
]
LineKind = Literal["goods", "fee", "stored_value", "service"]


class OrderLine(Record):
    """子订单: one line. Snapshots never change when the catalogue does; quantities are steps."""

    table: ClassVar[str] = "order_line"
    key: ClassVar[tuple[str, ...]] = ("external_line_id",)

    channel_order_id: Annotated[str | None, Link("channel_order")] = None
    external_line_id: str
    line_no: Count | None = derived(default=None)
    line_kind: LineKind = "goods"
    listing_sku_id: Annotated[str | None, Link("listing_sku")] = None
    variant_id: Annotated[str | None, Link("variant")] = None
    external_sku_id: str | None = None
    external_location_id: str | None = None
    """Where the channel lets the line be served from, if it says so."""
    sku_snapshot: str | None = None
    title_snapshot: str | None = None
    options_snapshot: str | None = None
    barcode_snapshot: str | None = None
    quantity: Count
    quantity_scale: Scale = 0
    unit: str | None = None
    qty_cancelled: Count = 0
    qty_shipped: Count = 0
    qty_delivered: Count = 0
    qty_reserved: Count = derived(default=0)
    qty_return_requested: Count = derived(default=0)
    qty_returned: Count = derived(default=0)
    qty_refunded: Count = derived(default=0)
    unit_price_minor: Amount | None = None
    unit_price_exact: str | None = None
    line_subtotal: Amount
    line_discount: Amount = 0
    allocated_order_discount: Amount = 0
    tax_amount: Amount = 0
    tax_rate_bp: Count | None = None
    line_payable: Amount | None = derived(default=None)
    requires_shipping: bool = True
    is_gift: bool = False
    gift_of_line_id: str | None = None
    bundle_parent_line_id: str | None = None
    bundle_qty: Count | None = None
    line_state: str | None = None
    line_refund_state: str | None = None


class AdjustmentAllocation(Record):
    """The part of one discount that one line carries. Over an adjustment they add up to its amount exactly."""

    table: ClassVar[str] = "adjustment_allocation"
    key: ClassVar[tuple[str, ...]] = ("external_line_id",)

    adjustment_id: Annotated[str | None, Link("adjustment")] = None
    order_line_id: Annotated[str | None, Link("order_line")] = None
    external_line_id: str | None = None
    """Null means the part that shipping carries."""
    amount: Amount


class Adjustment(Record):
    """One discount: what it is, how much, and who pays for it."""

    table: ClassVar[str] = "adjustment"
    key: ClassVar[tuple[str, ...]] = ("external_ref",)

    channel_order_id: Annotated[str | None, Link("channel_order")] = None
    external_ref: str
    target: Literal["line", "shipping", "order"]
    kind: Literal[
        "promotion", "coupon", "member", "points", "manual", "rounding", "price_protect", "unexplained",
    ]  # fmt: skip
    coupon_code: str | None = None
    title: str | None = None
    amount: Minor
    """Positive reduces what the buyer pays; only `unexplained` and `rounding` may be negative."""
    funded_by: FundedBy = "merchant"
    allocations: tuple[AdjustmentAllocation, ...] = Field(default=())


class Payment(Record):
    """One tender. A till splits them; a web shop may authorise first and capture later."""

    table: ClassVar[str] = "payment"
    key: ClassVar[tuple[str, ...]] = ("external_txn_id",)

    channel_order_id: Annotated[str | None, Link("channel_order")] = None
    external_txn_id: str
    method: PaymentMethod = "other"
    amount: Amount
    state: Literal["pending", "authorized", "captured", "failed", "voided"]
    captured_at: Instant | None = None


class FulfilmentLine(Record):
    """How much of an order line one fulfilment order carries."""

    table: ClassVar[str] = "fulfilment_line"
    key: ClassVar[tuple[str, ...]] = ("external_line_id",)

    fulfilment_order_id: Annotated[str | None, Link("fulfilment_order")] = None
    order_line_id: Annotated[str | None, Link("order_line")] = None
    external_line_id: str
    quantity: Count


class Package(Record):
    """包裹: a parcel (or hand-over) that left, with its tracking number (运单号) if it has one."""

    table: ClassVar[str] = "package"
    key: ClassVar[tuple[str, ...]] = ("external_id",)

    fulfilment_order_id: Annotated[str | None, Link("fulfilment_order")] = None
    external_id: str
    carrier_code: str | None = None
    tracking_no: str | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None
    weight_g: Count | None = None


class FulfilmentOrder(Record):
    """What one place ships of one channel order."""

    table: ClassVar[str] = "fulfilment_order"
    key: ClassVar[tuple[str, ...]] = ("external_id",)

    channel_order_id: Annotated[str | None, Link("channel_order")] = None
    location_id: Annotated[str | None, Link("location")] = None
    external_id: str
    external_location_id: str | None = None
    state: Literal[
        "pending", "released", "picking", "packed", "shipped", "delivered", "cancelled", "exception"
    ]
    raw_state: str | None = None
    lines: tuple[FulfilmentLine, ...] = Field(default=())
    packages: tuple[Package, ...] = Field(default=())


class ChannelOrder(Record):
    """平台订单: one order as its channel tells it. Money in minor units of `currency`, per order."""

    table: ClassVar[str] = "channel_order"
    key: ClassVar[tuple[str, ...]] = ("external_order_id",)

    connection_id: Annotated[str | None, Link("connection")] = None
    external_order_id: str
    display_no: str | None = None
    parent_external_id: str | None = None
    order_kind: OrderKind = "sale"
    order_state: OrderState
    payment_state: PaymentState = derived(default="unpaid")
    fulfilment_state: FulfilmentState = derived(default="unfulfilled")
    return_state: ReturnState = derived(default="none")
    raw_states: Annotated[dict[str, Any] | None, Json()] = None
    hold_reasons: Annotated[list[str] | None, Json()] = derived(default=None)
    currency: Currency
    items_subtotal: Amount = derived(default=0)
    items_discount: Amount = derived(default=0)
    order_discount: Amount = derived(default=0)
    shipping_subtotal: Amount = 0
    shipping_discount: Amount = 0
    tax_total: Amount = 0
    tax_included: bool = False
    fee_total: Amount = 0
    rounding: Minor = 0
    amount_payable: Amount
    amount_paid: Amount = derived(default=0)
    amount_refunded: Amount = derived(default=0)
    merchant_receivable: Amount | None = None
    placed_at: Instant
    paid_at: Instant | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None
    completed_at: Instant | None = None
    cancelled_at: Instant | None = None
    ship_by_at: Instant | None = None
    source_zone: str | None = None
    business_date: str | None = None
    """The store's own day (till only), `YYYY-MM-DD`."""
    member_id: Annotated[str | None, Link("member")] = None
    external_customer_id: Annotated[str | None, Pii("pii", index="text")] = None
    buyer_message: Annotated[str | None, Pii("free_text")] = None
    seller_memo: Annotated[str | None, Pii("free_text")] = None
    seller_flag: Count | None = None
    recipient_name: Annotated[str | None, Pii("pii")] = None
    recipient_phone: Annotated[str | None, Pii("pii_high", index="phone")] = None
    recipient_country: str | None = None
    recipient_province: str | None = None
    recipient_city: str | None = None
    recipient_district: str | None = None
    recipient_street: Annotated[str | None, Pii("pii_high")] = None
    recipient_zip: Annotated[str | None, Pii("pii_high")] = None
    recipient_region_code: str | None = None
    recipient_masked: bool = False
    pii_token: Annotated[str | None, Pii("token")] = None
    pii_token_kind: str | None = None
    pii_token_expires_at: Instant | None = None
    delivery_term: Literal["prepaid", "cod", "instalment", "on_account"] = "prepaid"
    attribution: Annotated[dict[str, Any] | None, Json()] = None
    source_updated_at: Instant | None = None
    source_version: str | None = None
    lines: tuple[OrderLine, ...] = Field(default=())
    adjustments: tuple[Adjustment, ...] = Field(default=())
    payments: tuple[Payment, ...] = Field(default=())
    fulfilments: tuple[FulfilmentOrder, ...] = Field(default=())

"""Canonical records: frozen values, money, quantity, instants, ids. What the fields mean, and nothing else."""

from hub.records.aftersale import AfterSale, AfterSaleLine, Refund, RefundLine
from hub.records.base import ABSENT, Json, Link, Pii, Record
from hub.records.inventory import Location, Reservation, Stock, StockLedger, StockLevel
from hub.records.listing import Catalogue, CatalogueSku, Listing, ListingSku
from hub.records.member import Consent, Member, MemberAddress, MemberIdentity, PointsEntry
from hub.records.money import Money, allocate
from hub.records.order import (
    Adjustment,
    AdjustmentAllocation,
    ChannelOrder,
    FulfilmentLine,
    FulfilmentOrder,
    OrderLine,
    Package,
    Payment,
)
from hub.records.product import Barcode, Price, Product, Variant
from hub.records.quantity import Quantity

KINDS: dict[str, type[Record]] = {
    "product": Catalogue,
    "inventory": Stock,
    "order": ChannelOrder,
    "after_sale": AfterSale,
    "member": Member,
}
"""The record that a mapping file of each kind speaks of."""

__all__ = [
    "ABSENT",
    "KINDS",
    "Adjustment",
    "AdjustmentAllocation",
    "AfterSale",
    "AfterSaleLine",
    "Barcode",
    "Catalogue",
    "CatalogueSku",
    "ChannelOrder",
    "Consent",
    "FulfilmentLine",
    "FulfilmentOrder",
    "Json",
    "Link",
    "Listing",
    "ListingSku",
    "Location",
    "Member",
    "MemberAddress",
    "MemberIdentity",
    "Money",
    "OrderLine",
    "Package",
    "Payment",
    "Pii",
    "PointsEntry",
    "Price",
    "Product",
    "Quantity",
    "Record",
    "Refund",
    "RefundLine",
    "Reservation",
    "Stock",
    "StockLedger",
    "StockLevel",
    "Variant",
    "allocate",
]

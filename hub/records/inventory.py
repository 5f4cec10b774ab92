"""Stock: locations, levels, the append-only ledger, reservations. Canonical model 3.2.

`available = on_hand - reserved - unavailable`; `atp = available - safety_stock`, signed: a
negative figure is oversold and must be seen. Only what is published is clamped to zero.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from hub.records.base import Link, Record, derived
from hub.records.quantity import Count, Scale, Steps
from hub.records.time import Instant

LocationKind = Literal["warehouse", "store", "virtual", "transit", "supplier", "defect"]
EntryType = Literal[
    "opening", "receipt", "sale", "return_in", "transfer_out", "transfer_in", "adjust", "count",
    "assemble_in", "assemble_out", "damage", "reserve", "release", "expire",
]  # fmt: skip
ReservationState = Literal["active", "consumed", "released", "expired"]


class Location(Record):
    """A place that holds stock. `owner` names who decides `on_hand` there: `hub` unless changed."""

    table: ClassVar[str] = "location"
    key: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str | None = None
    kind: LocationKind = "warehouse"
    timezone: str | None = None
    fulfils_online: bool = True
    pickup: bool = False
    on_hand_owner: str = "hub"


class StockLevel(Record):
    """The ledger's sum for one variant at one location. `opened_at` is null until a first count came in."""

    table: ClassVar[str] = "stock_level"
    key: ClassVar[tuple[str, ...]] = ("variant_id", "location_id")

    variant_id: Annotated[str, Link("variant")]
    location_id: Annotated[str, Link("location")]
    quantity_scale: Scale = 0
    on_hand: Steps = 0
    reserved: Steps = 0
    unavailable: Steps = 0
    safety_stock: Count = 0
    incoming: Count = 0
    opened_at: Instant | None = None
    counted_at: Instant | None = None
    counted_by_source: str | None = None
    ledger_seq: Count = 0

    @property
    def available(self) -> int:
        """What stands there unpromised and whole, in steps; may be negative."""
        return self.on_hand - self.reserved - self.unavailable

    @property
    def atp(self) -> int:
        """Available to promise, in steps; negative means oversold."""
        return self.available - self.safety_stock


class StockLedger(Record):
    """One movement, never changed. Unique on its source, so that applying it twice changes nothing."""

    table: ClassVar[str] = "stock_ledger"
    key: ClassVar[tuple[str, ...]] = (
        "source_system", "source_doc_type", "source_doc_id", "source_line_id", "entry_type",
    )  # fmt: skip

    variant_id: Annotated[str, Link("variant")]
    location_id: Annotated[str, Link("location")]
    seq: Count
    entry_type: EntryType
    delta_on_hand: Steps = 0
    delta_reserved: Steps = 0
    delta_unavailable: Steps = 0
    on_hand_after: Steps
    reserved_after: Steps
    source_system: str
    source_doc_type: str
    source_doc_id: str
    source_line_id: str
    occurred_at: Instant
    actor: str | None = None
    reason: str | None = None


class Reservation(Record):
    """Stock promised to one order line at one location.

    `quantity` is what is still promised, `consumed` what left the shelf for it.
    """

    table: ClassVar[str] = "reservation"
    key: ClassVar[tuple[str, ...]] = ("order_line_id", "location_id")

    order_line_id: Annotated[str, Link("order_line")]
    variant_id: Annotated[str, Link("variant")]
    location_id: Annotated[str, Link("location")]
    quantity: Count
    consumed: Count = 0
    state: ReservationState = "active"
    expires_at: Instant | None = None
    external_lock_id: str | None = None


class Stock(Record):
    """One stock figure of a channel (kind `inventory`): what it shows, or what we want it to show.

    Pulled, it is what the channel holds now. Pushed, `available` (and `on_hand`, `safety_stock`
    where the channel shows them) is the absolute figure wanted.
    """

    table: ClassVar[str] = ""
    key: ClassVar[tuple[str, ...]] = ("external_stock_id", "external_location_id")

    external_stock_id: str
    external_location_id: str
    location_name: str | None = None
    sku: str | None = None
    barcode: str | None = None
    unit: str | None = None
    quantity_scale: Scale = 0
    available: Steps | None = None
    on_hand: Steps | None = None
    reserved: Steps | None = None
    unavailable: Steps | None = None
    safety_stock: Steps | None = None
    incoming: Steps | None = None
    as_of: Instant | None = None
    source_updated_at: Instant | None = None
    in_sync: bool = derived(default=True)

"""What each channel should show: `max(available to promise, 0)` per SKU and place, never before a count.

A channel that lists products is told by the listing SKU's own stock id; a channel that has no
listings (a till) by the merchant's SKU code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.commerce.stock.count import places_of
from hub.commerce.stock.ledger import Spot
from hub.db.bulk import fetch, fetch_in


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure one channel should show."""

    connection_id: str
    external_id: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Audience:
    """A connection that is told about stock, and how it names a SKU."""

    connection_id: str
    by_sku: bool


def shown(
    conn: Connection, merchant_id: str, audiences: Sequence[Audience], spots: Iterable[Spot]
) -> list[Shown]:
    """Return what every audience should show for these spots, from the levels as they stand now."""
    wanted = set(spots)
    if not wanted or not audiences:
        return []
    levels = _levels(conn, merchant_id, wanted)
    variants = sorted({variant for variant, _ in levels})
    skus = _skus(conn, merchant_id, variants)
    out: list[Shown] = []
    for audience in audiences:
        places = {
            ours: theirs
            for theirs, ours in places_of(conn, merchant_id, audience.connection_id).items()
        }
        names = (
            {variant: [sku] for variant, (sku, _barcode) in skus.items()}
            if audience.by_sku
            else _listed(conn, merchant_id, audience.connection_id, variants)
        )
        for (variant, location), figures in sorted(levels.items()):
            place = places.get(location)
            if place is None:
                continue
            sku, barcode = skus[variant]
            for name in names.get(variant, ()):
                desired = {
                    "external_stock_id": name, "external_location_id": place, "sku": sku, "barcode": barcode, **figures,
                }  # fmt: skip
                out.append(Shown(audience.connection_id, f"{name}@{place}", desired))
    return out


def shown_everywhere(
    conn: Connection, merchant_id: str, audiences: Sequence[Audience]
) -> list[Shown]:
    """Return the whole picture, for reconcile and for a connection that is new."""
    rows = fetch(
        conn,
        "SELECT variant_id, location_id FROM stock_level WHERE merchant_id=? AND opened_at IS NOT NULL",
        (merchant_id,),
    )
    return shown(conn, merchant_id, audiences, [(row[0], row[1]) for row in rows])


def _levels(conn: Connection, merchant_id: str, spots: set[Spot]) -> dict[Spot, dict[str, Any]]:
    rows = fetch_in(
        conn,
        "SELECT variant_id, location_id, on_hand, reserved, unavailable, safety_stock, quantity_scale "
        "FROM stock_level WHERE merchant_id=? AND opened_at IS NOT NULL AND variant_id IN ({})",
        (merchant_id,),
        sorted({variant for variant, _ in spots}),
    )
    out: dict[Spot, dict[str, Any]] = {}
    for variant, location, on_hand, reserved, unavailable, safety, scale in rows:
        if (variant, location) in spots:
            out[variant, location] = {
                "available": max(0, on_hand - reserved - unavailable - safety),
                "on_hand": on_hand,
                "safety_stock": safety,
                "quantity_scale": scale,
            }
    return out


def _skus(
    conn: Connection, merchant_id: str, variants: Sequence[str]
) -> dict[str, tuple[str | None, str | None]]:
    rows = fetch_in(
        conn,
        "SELECT v.id, v.sku, (SELECT min(b.value) FROM barcode b WHERE b.merchant_id=v.merchant_id "
        "AND b.variant_id=v.id) FROM variant v WHERE v.merchant_id=? AND v.id IN ({})",
        (merchant_id,),
        variants,
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _listed(
    conn: Connection, merchant_id: str, connection_id: str, variants: Sequence[str]
) -> dict[str, list[str]]:
    rows = fetch_in(
        conn,
        "SELECT variant_id, coalesce(external_stock_id, external_sku_id) FROM listing_sku WHERE merchant_id=? "
        "AND connection_id=? AND stock_sync_enabled AND variant_id IN ({}) ORDER BY id",
        (merchant_id, connection_id),
        variants,
    )
    out: dict[str, list[str]] = {}
    for variant, name in rows:
        out.setdefault(variant, []).append(name)
    return out

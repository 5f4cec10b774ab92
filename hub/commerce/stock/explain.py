"""One stock figure, explained: the sum people can check, and the last movements behind it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from hub.db.bulk import fetch
from hub.records.quantity import to_text


def explain(conn: Connection, merchant_id: str, sku: str) -> list[dict[str, Any]]:
    """Return per location the figures, the sentence, and the newest ten ledger entries of a SKU."""
    rows = fetch(
        conn,
        "SELECT v.id, o.id, o.name, l.on_hand, l.reserved, l.unavailable, l.safety_stock, l.quantity_scale, "
        "l.opened_at FROM variant v JOIN stock_level l ON l.merchant_id=v.merchant_id AND l.variant_id=v.id "
        "JOIN location o ON o.merchant_id=l.merchant_id AND o.id=l.location_id "
        "WHERE v.merchant_id=? AND v.sku=? ORDER BY o.name",
        (merchant_id, sku),
    )
    return [_spot(conn, merchant_id, row) for row in rows]


def _spot(conn: Connection, merchant_id: str, row: tuple[Any, ...]) -> dict[str, Any]:
    variant, location, name, on_hand, reserved, unavailable, safety, scale, opened_at = row
    atp = on_hand - reserved - unavailable - safety
    names = (
        "seq",
        "entry_type",
        "delta_on_hand",
        "delta_reserved",
        "source_doc_type",
        "source_doc_id",
        "occurred_at",
    )
    entries = fetch(
        conn,
        f"SELECT {', '.join(names)} FROM stock_ledger WHERE merchant_id=? AND variant_id=? AND location_id=? "
        "ORDER BY seq DESC LIMIT 10",
        (merchant_id, variant, location),
    )
    said = [to_text(n, scale) for n in (on_hand, reserved, unavailable, safety, atp, max(0, atp))]
    return {
        "location": name,
        "on_hand": on_hand,
        "reserved": reserved,
        "unavailable": unavailable,
        "safety_stock": safety,
        "atp": atp,
        "shown": max(0, atp) if opened_at else None,
        "sentence": "{} on hand - {} reserved - {} unavailable - {} safety stock = {}; channels show {}".format(
            *said
        ),
        "entries": [dict(zip(names, entry, strict=True)) for entry in entries],
    }

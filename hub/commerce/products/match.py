"""Which of our variants a channel's SKU is. Canonical model 2.1; a title never decides.

1 explicit listing link, 2 merchant code exact, 3 GTIN exact and unique, else nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hub.db.bulk import fetch_in

_GTIN_LENGTHS = {8, 12, 13, 14}


class Ref(NamedTuple):
    """How a document names a SKU: by the channel's id, the merchant's code, a barcode; each may be missing."""

    external_sku_id: str | None
    sku: str | None
    barcode: str | None


def normal_sku(text: str | None) -> str | None:
    """Bring a SKU code into the form it is compared in (people retype them in spreadsheets)."""
    return unicodedata.normalize("NFKC", text).strip() or None if text else None


def gtin14(text: str | None) -> str | None:
    """Return the 14-digit form of a GTIN with a right check digit; None for in-store and other codes.

    Prefixes 02 and 20-29 are restricted circulation numbers (GS1): a shop's own, never a GTIN.
    """
    if not text or not text.isascii() or not text.isdigit() or len(text) not in _GTIN_LENGTHS:
        return None
    padded = text.zfill(14)
    thirteen = padded[1:]
    if thirteen.startswith("02") or (thirteen[0] == "2" and len(text) <= 13):  # noqa: PLR2004 - EAN-13
        return None
    weighted = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(padded[:13]))
    return padded if (10 - weighted % 10) % 10 == int(padded[13]) else None


class Match(NamedTuple):
    """A variant found, and the listing SKU if the channel named one."""

    variant_id: str | None
    listing_sku_id: str | None


def match(
    conn: Connection, merchant_id: str, connection_id: str, refs: Sequence[Ref]
) -> dict[Ref, Match]:
    """Return the match of every reference; no variant means: wait for a person."""
    linked = _by_listing(conn, merchant_id, connection_id, [r.external_sku_id for r in refs])
    by_sku = _by_sku(conn, merchant_id, [normal_sku(r.sku) for r in refs])
    by_gtin = _by_gtin(conn, merchant_id, [r.barcode for r in refs])
    out: dict[Ref, Match] = {}
    for ref in refs:
        variant, listing_sku = linked.get(ref.external_sku_id or "", (None, None))
        code, gtin = normal_sku(ref.sku), gtin14(ref.barcode)
        variant = variant or by_sku.get(code or "") or by_gtin.get(gtin or "")
        out[ref] = Match(variant, listing_sku)
    return out


def _by_listing(
    conn: Connection, merchant_id: str, connection_id: str, ids: Sequence[str | None]
) -> dict[str, tuple[str | None, str]]:
    rows = fetch_in(
        conn,
        "SELECT external_sku_id, variant_id, id FROM listing_sku WHERE merchant_id=? AND connection_id=? "
        "AND external_sku_id IN ({})",
        (merchant_id, connection_id),
        sorted({i for i in ids if i}),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _by_sku(conn: Connection, merchant_id: str, skus: Sequence[str | None]) -> dict[str, str]:
    rows = fetch_in(
        conn,
        "SELECT sku, id FROM variant WHERE merchant_id=? AND deleted_at IS NULL AND sku IN ({}) ORDER BY id DESC",
        (merchant_id,),
        sorted({s for s in skus if s}),
    )
    return {row[0]: row[1] for row in rows}


def _by_gtin(conn: Connection, merchant_id: str, codes: Sequence[str | None]) -> dict[str, str]:
    wanted = {g for g in map(gtin14, codes) if g}
    rows = fetch_in(
        conn,
        "SELECT gtin14, min(variant_id) FROM barcode WHERE merchant_id=? AND gtin14 IN ({}) "
        "GROUP BY gtin14 HAVING count(DISTINCT variant_id)=1",
        (merchant_id,),
        sorted(wanted),
    )
    return {row[0]: row[1] for row in rows}


def names_of(conn: Connection, merchant_id: str, variants: Collection[str]) -> dict[str, list[str]]:
    """Return what an order line may call these variants, by the line's field."""
    wanted = sorted(variants)
    found = {
        "external_sku_id": "SELECT external_sku_id FROM listing_sku WHERE merchant_id=? AND variant_id IN ({})",
        "sku_snapshot": "SELECT sku FROM variant WHERE merchant_id=? AND sku IS NOT NULL AND id IN ({})",
        "barcode_snapshot": "SELECT value FROM barcode WHERE merchant_id=? AND variant_id IN ({})",
    }
    return {
        field: sorted({row[0] for row in fetch_in(conn, sql, (merchant_id,), wanted)})
        for field, sql in found.items()
    }

"""Product documents of a page, stored: listing and listing SKU always, product and variant if we may.

Who makes products: the catalogue source alone (design, decision 22); everyone else is linked.
Field ownership and the three-way merge come in as a function, so the rule lives in one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from hub.commerce.products.match import Match, Ref, gtin14, match, normal_sku
from hub.db.bulk import execute_many, fetch_in
from hub.db.flows import Flow
from hub.db.observed import bind, refs
from hub.db.scope import Changed, Scope
from hub.db.trees import Batch, differences, layout, load, number_parts, overlay
from hub.records import (
    ABSENT,
    Barcode,
    Catalogue,
    CatalogueSku,
    Listing,
    ListingSku,
    Product,
    Variant,
)
from hub.records.ids import new_id
from hub.records.rows import ID, Row, defaults, thaw
from hub.records.shape import places

C = places(Catalogue)
U = places(CatalogueSku)
G = places(Listing)
K = places(ListingSku)
P = places(Product)
V = places(Variant)
B = places(Barcode)


class Merge(Protocol):
    """The three-way rule, over what was agreed, what we hold and what they show."""

    def __call__(
        self, base: Mapping[str, Any] | None, ours: Mapping[str, Any], theirs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Decide every field of `theirs`: what to keep, and what the channel shows where that differs."""


@dataclass(slots=True)
class Stored:
    """What storing a page of product documents did."""

    changes: list[Changed] = field(default_factory=list)
    variants: set[str] = field(default_factory=set)
    """Variants whose listings changed: what they show must be told anew."""
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Per external product id what the channel showed of master fields: the next merge's base."""
    drift: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    """Per external product id the master fields it shows differently, as (ours, theirs)."""


@dataclass(slots=True)
class _Work:
    """One page's lookups."""

    scope: Scope
    merge: Merge
    listings: dict[str, tuple[int, Row]]
    skus: dict[str, tuple[int, Row]]
    products: dict[str, tuple[int, Row]]
    variants: dict[str, tuple[int, Row]]
    matches: dict[Ref, Match]
    bases: Mapping[str, Mapping[str, Any] | None]
    batch: Batch
    out: Stored
    codes: dict[str, str] = field(default_factory=dict)
    """SKU codes of variants that this page made: the next document may name them."""
    drift: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def store(
    conn: Connection,
    scope: Scope,
    documents: Sequence[tuple[str, Sequence[Any]]],
    archive_ids: Mapping[str, str],
    *,
    bases: Mapping[str, Mapping[str, Any] | None],
    merge: Merge,
) -> Stored:
    """Store mapped product documents `(external id, row)`; repeating it changes nothing but timestamps."""
    work = _prepare(conn, scope, documents, bases, merge)
    for external_id, row in documents:
        _one(work, external_id, row, archive_ids.get(external_id))
    work.batch.write(conn)
    flow = scope.flow
    bind(conn, _kind(flow, "product"), [(k, v[1][ID]) for k, v in work.listings.items()], scope.now)
    bind(conn, _kind(flow, "listing_sku"), [(k, v[1][ID]) for k, v in work.skus.items()], scope.now)
    _retire(conn, work, documents, archive_ids)
    return work.out


def _kind(flow: Flow, kind: str) -> Flow:
    return Flow(flow.merchant_id, flow.connection_id, kind)


def _prepare(
    conn: Connection,
    scope: Scope,
    documents: Sequence[tuple[str, Sequence[Any]]],
    bases: Mapping[str, Mapping[str, Any] | None],
    merge: Merge,
) -> _Work:
    merchant, flow, sealer = scope.merchant_id, scope.flow, scope.sealer
    items = [unit for _id, row in documents for unit in row[C.skus] or ()]
    listing_ids = refs(conn, _kind(flow, "product"), [external for external, _row in documents])
    sku_ids = refs(
        conn, _kind(flow, "listing_sku"), [u[U.listing_sku][K.external_sku_id] for u in items]
    )
    listings = load(conn, Listing, merchant, list(listing_ids.values()), sealer)
    skus = load(conn, ListingSku, merchant, list(sku_ids.values()), sealer)
    product_ids = sorted({r[G.product_id] for _v, r in listings.values() if r[G.product_id]})
    matches = match(conn, merchant, flow.connection_id, [_ref(u) for u in items])
    variant_ids = sorted({m.variant_id for m in matches.values() if m.variant_id})
    return _Work(
        scope=scope,
        merge=merge,
        listings={k: listings[v] for k, v in listing_ids.items() if v in listings},
        skus={k: skus[v] for k, v in sku_ids.items() if v in skus},
        products=load(conn, Product, merchant, product_ids, sealer),
        variants=load(conn, Variant, merchant, variant_ids, sealer),
        matches=matches,
        bases=bases,
        batch=Batch(merchant, scope.now, sealer),
        out=Stored(),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _ref(unit: Sequence[Any]) -> Ref:
    sku = unit[U.listing_sku]
    variant = unit[U.variant]
    code = _text(sku[K.channel_sku_code]) or _text(variant[V.sku])
    return Ref(_text(sku[K.external_sku_id]), code, _text(sku[K.barcode]))


def _one(work: _Work, external_id: str, row: Sequence[Any], archive_id: str | None) -> None:
    known = work.listings.get(external_id)
    product_id = known[1][G.product_id] if known else None
    base = work.bases.get(external_id) or {}
    if work.scope.is_catalogue_source:
        product_id = _product(work, product_id, row[C.product], base.get("product"), archive_id)
    listing = _settle(
        work, Listing, known, row[C.listing],
        {G.connection_id: work.scope.flow.connection_id, G.product_id: product_id}, archive_id,
    )  # fmt: skip
    work.listings[external_id] = listing
    shown_skus: dict[str, Any] = {}
    for unit in row[C.skus] or ():
        sku = unit[U.listing_sku][K.external_sku_id]
        variant_id = _variant(work, unit, product_id, base.get("skus", {}).get(sku), archive_id)
        _listing_sku(work, unit, listing[1][ID], variant_id, archive_id)
        shown_skus[sku] = _fields(Variant, unit[U.variant])
    work.out.drift[external_id], work.drift = work.drift, {}
    work.out.shown[external_id] = {"product": _fields(Product, row[C.product]), "skus": shown_skus}


def _product(
    work: _Work, product_id: str | None, row: Sequence[Any], base: Any, archive_id: str | None
) -> str:
    known = work.products.get(product_id or "")
    merged = _merged(work, Product, known, row, base, "product.")
    version_row = _settle(work, Product, known, merged, {}, archive_id)
    work.products[version_row[1][ID]] = version_row
    return str(version_row[1][ID])


def _variant(
    work: _Work, unit: Sequence[Any], product_id: str | None, base: Any, archive_id: str | None
) -> str | None:
    ref = _ref(unit)
    code = normal_sku(ref.sku)
    variant_id = work.matches[ref].variant_id or work.codes.get(code or "")
    if not work.scope.is_catalogue_source:
        return variant_id
    known = work.variants.get(variant_id or "")
    merged = list(
        _merged(
            work,
            Variant,
            known,
            unit[U.variant],
            base,
            f"sku[{unit[U.listing_sku][K.external_sku_id]}].",
        )
    )
    if merged[V.sku] is not ABSENT:
        merged[V.sku] = normal_sku(merged[V.sku])
    if merged[V.barcodes] is ABSENT and ref.barcode:
        merged[V.barcodes] = [_barcode(ref.barcode)]
    stored = _settle(work, Variant, known, merged, {V.product_id: product_id}, archive_id)
    work.variants[stored[1][ID]] = stored
    if code:
        work.codes.setdefault(code, stored[1][ID])
    work.matches[ref] = Match(stored[1][ID], work.matches[ref].listing_sku_id)
    return str(stored[1][ID])


def _barcode(value: str) -> list[Any]:
    row: list[Any] = list(defaults(Barcode))
    code = gtin14(value)
    row[B.value], row[B.gtin14] = value, code
    if code is not None:
        row[B.type] = {8: "EAN8", 12: "UPCA", 13: "EAN13", 14: "GTIN14"}[len(value)]
    return row


def _listing_sku(
    work: _Work,
    unit: Sequence[Any],
    listing_id: str,
    variant_id: str | None,
    archive_id: str | None,
) -> None:
    row = unit[U.listing_sku]
    external = row[K.external_sku_id]
    known = work.skus.get(external)
    before = known[1] if known else None
    linked = before[K.variant_id] if before and before[K.match_state] == "manual" else variant_id
    state = (
        before[K.match_state] if before and before[K.match_state] in {"manual", "ignored"} else None
    )
    own = {
        K.connection_id: work.scope.flow.connection_id,
        K.listing_id: listing_id,
        K.variant_id: linked,
        K.match_state: state or ("auto" if linked else "unmatched"),
    }
    stored = _settle(work, ListingSku, known, row, own, archive_id)
    work.skus[external] = stored
    if linked and stored != known:
        work.out.variants.add(linked)


def _settle(
    work: _Work,
    record: Any,
    known: tuple[int, Row] | None,
    row: Sequence[Any],
    own: dict[int, Any],
    archive_id: str | None,
) -> tuple[int, Row]:
    """Bring one record to what the row says; an equal one is left untouched."""
    if known is None:
        fresh = thaw(record, row, new_id(record.table))
        version = 1
    else:
        version, before = known
        fresh = overlay(record, row, before)
    for place, value in own.items():
        if value is not None:
            fresh[place] = value
    number_parts(record, fresh)
    changed = None
    if known is not None:
        changed = differences(record, known[1], fresh)
        if not changed:
            return known
        version += 1
    work.batch.add(record, fresh, version=version)
    work.out.changes.append(Changed(record.table, fresh[ID], version, changed, archive_id))
    return version, fresh


def _fields(record: Any, row: Sequence[Any]) -> dict[str, Any]:
    """Return what the channel showed of the plain fields."""
    return {
        c.name: row[c.position]
        for c in layout(record).shape.columns
        if row[c.position] is not ABSENT and c.link is None
    }


def _merged(
    work: _Work,
    record: Any,
    known: tuple[int, Row] | None,
    row: Sequence[Any],
    base: Any,
    prefix: str,
) -> Sequence[Any]:
    """Apply the three-way rule to a master record; a new one is taken as it comes."""
    if known is None:
        return row
    theirs = _fields(record, row)
    ours = {c.name: known[1][c.position] for c in layout(record).shape.columns if c.name in theirs}
    kept, drift = work.merge(base, ours, theirs)
    for name, shown in drift.items():
        work.drift[f"{prefix}{name}"] = (kept[name], shown)
    at = {c.name: c.position for c in layout(record).shape.columns}
    out = list(row)
    for name, value in kept.items():
        out[at[name]] = value
    return out


def _retire(
    conn: Connection,
    work: _Work,
    documents: Sequence[tuple[str, Sequence[Any]]],
    archive_ids: Mapping[str, str],
) -> None:
    """Mark listing SKUs that their product document no longer names; one that is named again is back.

    What is retired is not told about stock. A document that does not speak of SKUs retires none.
    """
    scope = work.scope
    named: dict[str, tuple[str, set[str]]] = {}
    for external_id, row in documents:
        if row[C.skus] is not ABSENT:
            skus = {u[U.listing_sku][K.external_sku_id] for u in row[C.skus] or ()}
            named[work.listings[external_id][1][ID]] = (external_id, skus)
    rows = fetch_in(
        conn,
        "SELECT listing_id, external_sku_id, id, variant_id, version, deleted_at FROM listing_sku "
        "WHERE merchant_id=? AND listing_id IN ({})",
        (scope.merchant_id,),
        sorted(named),
    )
    changes = []
    for listing_id, external, row_id, variant_id, version, deleted_at in rows:
        document, skus = named[listing_id]
        is_there = external in skus
        if is_there == (deleted_at is None):
            continue
        after = None if is_there else scope.now
        changes.append((after, is_there, scope.now, scope.merchant_id, row_id))
        said = {"deleted_at": [deleted_at, after]}
        work.out.changes.append(
            Changed("listing_sku", row_id, version + 1, said, archive_ids.get(document))
        )
        if is_there and variant_id:
            work.out.variants.add(variant_id)
    execute_many(
        conn,
        "UPDATE listing_sku SET deleted_at=?, stock_sync_enabled=?, updated_at=?, version=version+1 "
        "WHERE merchant_id=? AND id=?",
        changes,
    )

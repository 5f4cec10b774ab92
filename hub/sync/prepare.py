"""A page made ready: hashed, compared with what was seen, mapped. Everything that needs no transaction.

What is equal to what was seen is not even mapped. What does not fit its mapping becomes a
hold; its neighbours go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from hub.db.observed import Seen
from hub.errors import HubError, MappingError
from hub.mapping import Mapping as FieldMapping
from hub.records.shape import places
from hub.sdk import Document, Page

_encode = msgspec.json.Encoder().encode
_HASH_BYTES = 16


@dataclass(slots=True)
class Unit:
    """One record found in a document."""

    kind: str
    key: str
    row: tuple[Any, ...]
    digest: bytes
    body: bytes
    updated_at: str | None
    seen: Seen | None


@dataclass(slots=True)
class Bad:
    """One record that could not be made, with every reason."""

    kind: str
    key: str
    causes: list[dict[str, Any]]
    body: bytes
    digest: bytes


@dataclass(slots=True)
class Prepared:
    """A page on its way into its transaction, by kind."""

    units: dict[str, list[Unit]] = field(default_factory=dict)
    bad: list[Bad] = field(default_factory=list)
    duplicates: dict[str, int] = field(default_factory=dict)

    def supersede(self, kind: str, key: str) -> None:
        """Let a good version take the place of a bad one that came before it in the page."""
        if not self.bad:
            return
        left = [bad for bad in self.bad if (bad.kind, bad.key) != (kind, key)]
        _add(self.duplicates, kind, len(self.bad) - len(left))
        self.bad = left

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be applied."""
        return not self.units and not self.bad


@dataclass(slots=True)
class Named:
    """A document, its bytes and hash, and the keys of the records in it."""

    document: Document
    body: bytes
    digest: bytes
    keys: list[tuple[FieldMapping, list[str]]]
    error: MappingError | None = None


def name(page: Page, mappings: Sequence[FieldMapping], hide: Mapping[str, Any]) -> list[Named]:
    """Hash every document and read its keys. `hide`: kind to a function that hides personal keys."""
    salt = sha256("".join(m.digest for m in mappings).encode()).digest()
    out = []
    for document in page.documents:
        body = _bytes(document)
        digest = sha256(salt + body).digest()[:_HASH_BYTES]
        error = None
        keys: list[tuple[FieldMapping, list[str]]] = []
        try:
            for mapping in mappings:
                found = keys_of(mapping, document)
                hider = hide.get(mapping.kind)
                keys.append((mapping, [hider(k) for k in found] if hider else list(found)))
        except MappingError as failure:
            error = failure
        out.append(Named(document, body, digest, keys, error))
    return out


def _bytes(document: Document) -> bytes:
    """Encode a document; half a surrogate pair, which UTF-8 cannot hold, stays as its escape."""
    try:
        return _encode(document)
    except UnicodeEncodeError:
        return json.dumps(document, ensure_ascii=True).encode("ascii")


def keys_of(mapping: FieldMapping, document: Document) -> list[str]:
    """Return the external ids of the records in a document.

    A record that takes two fields to name (a stock figure: SKU and place) is named by both, as
    in the outbox: `sku@place`.
    """
    if len(mapping.record.key) == 1:
        return mapping.keys(document)
    at = [getattr(places(mapping.record), name) for name in mapping.record.key]
    return ["@".join(row[i] for i in at) for row in mapping.to_canonical(document)]


def wanted_keys(named: Sequence[Named]) -> dict[str, list[str]]:
    """Return kind to the external ids whose last sight must be looked up."""
    out: dict[str, list[str]] = {}
    for item in named:
        for mapping, keys in item.keys:
            if keys:
                out.setdefault(mapping.kind, []).extend(keys)
    return out


def prepare(
    stream: str, named: Sequence[Named], seen: Mapping[str, Mapping[str, Seen]], page: Page
) -> Prepared:
    """Map what is new or changed; the last of several versions in one page wins."""
    out = Prepared()
    latest: dict[tuple[str, str], Unit] = {}
    for item in named:
        if item.error is not None:
            out.bad.append(_bad(stream, f"unreadable:{item.digest.hex()}", item, item.error))
            continue
        if item.keys and all(
            _is_same(seen, mapping.kind, key, item.digest)
            for mapping, keys in item.keys
            for key in keys
        ):
            for mapping, keys in item.keys:
                _add(out.duplicates, mapping.kind, len(keys))
            continue
        for mapping, keys in item.keys:
            if keys:
                _map(out, latest, seen, item, mapping, keys)
    for unit in latest.values():
        out.units.setdefault(unit.kind, []).append(unit)
    out.bad += [_fault(stream, fault) for fault in page.faults]
    return out


def _is_same(seen: Mapping[str, Mapping[str, Seen]], kind: str, key: str, digest: bytes) -> bool:
    known = seen.get(kind, {}).get(key)
    return known is not None and known.hash == digest


def _add(counts: dict[str, int], kind: str, more: int) -> None:
    if more:
        counts[kind] = counts.get(kind, 0) + more


def _map(
    out: Prepared,
    latest: dict[tuple[str, str], Unit],
    seen: Mapping[str, Mapping[str, Seen]],
    item: Named,
    mapping: FieldMapping,
    keys: Sequence[str],
) -> None:
    try:
        rows = mapping.to_canonical(item.document)
    except MappingError as failure:
        for key in keys:
            out.bad.append(_bad(mapping.kind, key, item, failure))
        return
    at = getattr(places(mapping.record), "source_updated_at", None)
    for key, row in zip(keys, rows, strict=True):
        updated = row[at] if at is not None and isinstance(row[at], str) else None
        unit = Unit(
            mapping.kind,
            key,
            row,
            item.digest,
            item.body,
            updated,
            seen.get(mapping.kind, {}).get(key),
        )
        out.supersede(unit.kind, unit.key)
        before = latest.get((unit.kind, unit.key))
        if before is not None:
            _add(out.duplicates, unit.kind, 1)
            if (unit.updated_at or "") < (before.updated_at or ""):
                continue
        latest[unit.kind, unit.key] = unit


def cause(error: HubError) -> dict[str, Any]:
    """Return an error as the values a held record keeps."""
    out: dict[str, Any] = {"class": type(error).__name__, "message": str(error)}
    for key in ("file", "line", "canonical", "native", "value", "code", "request_id", "hint"):
        value = getattr(error, key, None)
        if value is not None:
            out[key] = value
    return out


def _bad(kind: str, key: str, item: Named, error: MappingError) -> Bad:
    return Bad(kind, key, [cause(error)], item.body, item.digest)


def _fault(stream: str, fault: Any) -> Bad:
    body = _encode(fault.document)
    digest = sha256(body).digest()[:_HASH_BYTES]
    return Bad(stream, fault.key, [cause(fault.error)], body, digest)

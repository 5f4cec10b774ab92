"""A page made ready: hashed, compared with what was seen, mapped. Everything that needs no transaction.

What is equal to what was seen is not even mapped. What does not fit its mapping becomes a
hold; its neighbours go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

import msgspec

from hub.db import Connection, observed
from hub.db.flows import Flow
from hub.db.observed import Seen
from hub.db.trees import Row
from hub.errors import ContractBroken, HubError, MappingError
from hub.mapping import Mapping as FieldMapping
from hub.records.shape import places
from hub.sdk import Document, Page, Texts, decode

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
    new: Row | None = None
    """What a record that was never seen is stored as, as far as its document alone decides."""


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

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield kind and key of every record to be applied."""
        return ((kind, unit.key) for kind, units in self.units.items() for unit in units)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be applied."""
        return not self.units and not self.bad


@dataclass(slots=True)
class Named:
    """A document, its bytes and hash, and the keys of the records in it.

    `document` is None for one that came as text: it is made of `body` again where it is wanted.
    """

    document: Document | None
    body: bytes
    digest: bytes
    keys: list[tuple[FieldMapping, list[str]]]
    error: HubError | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the documents of a stream are read.

    `hide`: kind to a function that hides keys which are personal. `begin`: kind to a function
    that makes the first stored form of a record from its row.
    """

    mappings: Sequence[FieldMapping]
    hide: Mapping[str, Callable[[str], str]]
    begin: Mapping[str, Callable[[tuple[Any, ...]], Row]]


def prepare(conn: Connection, flow: Flow, page: Page, reading: Reading) -> Prepared:
    """Make a page ready: map what is new or changed; the last of several versions in it wins.

    Runs on a reader. Documents that came as text are decoded one at a time and forgotten again,
    once to name them and once more to map those that are new: a page of decoded documents is
    larger than the processor's caches, and costs more than decoding twice.
    """
    out = Prepared()
    latest: dict[tuple[str, str], Unit] = {}
    named = name(page.documents, reading)
    seen = {
        kind: observed.seen(conn, replace(flow, kind=kind), keys)
        for kind, keys in _wanted(named).items()
    }
    for item in named:
        _take(out, latest, flow.kind, item, seen, reading)
    for unit in latest.values():
        out.units.setdefault(unit.kind, []).append(unit)
    out.bad += [_fault(flow.kind, fault) for fault in page.faults]
    return out


def name(documents: Sequence[Document], reading: Reading) -> list[Named]:
    """Hash every document and read its keys."""
    salt = sha256("".join(m.digest for m in reading.mappings).encode())
    return [_named(documents, at, salt, reading) for at in range(len(documents))]


def _named(documents: Sequence[Document], at: int, salt: Any, reading: Reading) -> Named:
    document: Document | None = None
    keys: list[tuple[FieldMapping, list[str]]] = []
    error: HubError | None = None
    try:
        document = documents[at]
        body = _bytes(document)
        for mapping in reading.mappings:
            found = keys_of(mapping, document)
            hider = reading.hide.get(mapping.kind)
            keys.append((mapping, [hider(k) for k in found] if hider else list(found)))
    except ContractBroken as failure:
        assert isinstance(documents, Texts)  # noqa: S101 - only a text fails to decode
        body, error = documents.text(at), failure
    except MappingError as failure:
        error = failure
    salted = salt.copy()
    salted.update(body)
    kept = None if isinstance(documents, Texts) else document
    return Named(kept, body, salted.digest()[:_HASH_BYTES], keys, error)


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


def _wanted(named: Sequence[Named]) -> dict[str, list[str]]:
    """Return kind to the external ids whose last sight must be looked up."""
    out: dict[str, list[str]] = {}
    for item in named:
        for mapping, keys in item.keys:
            if keys:
                out.setdefault(mapping.kind, []).extend(keys)
    return out


def _take(
    out: Prepared,
    latest: dict[tuple[str, str], Unit],
    stream: str,
    item: Named,
    seen: Mapping[str, Mapping[str, Seen]],
    reading: Reading,
) -> None:
    """Map one document, unless it is unreadable or equal to what was seen."""
    if item.error is not None:
        out.bad.append(_bad(stream, f"unreadable:{item.digest.hex()}", item, item.error))
    elif item.keys and all(
        _is_same(seen, mapping.kind, key, item.digest)
        for mapping, keys in item.keys
        for key in keys
    ):
        for mapping, keys in item.keys:
            _add(out.duplicates, mapping.kind, len(keys))
    else:
        document = decode(item.body) if item.document is None else item.document
        for mapping, keys in item.keys:
            if keys:
                begin = reading.begin.get(mapping.kind)
                _map(out, latest, seen.get(mapping.kind, {}), item, document, mapping, keys, begin)


def _is_same(seen: Mapping[str, Mapping[str, Seen]], kind: str, key: str, digest: bytes) -> bool:
    known = seen.get(kind, {}).get(key)
    return known is not None and known.hash == digest


def _add(counts: dict[str, int], kind: str, more: int) -> None:
    if more:
        counts[kind] = counts.get(kind, 0) + more


def _map(
    out: Prepared,
    latest: dict[tuple[str, str], Unit],
    seen: Mapping[str, Seen],
    item: Named,
    document: Document,
    mapping: FieldMapping,
    keys: Sequence[str],
    begin: Callable[[tuple[Any, ...]], Row] | None,
) -> None:
    try:
        rows = mapping.to_canonical(document)
    except MappingError as failure:
        for key in keys:
            out.bad.append(_bad(mapping.kind, key, item, failure))
        return
    at = getattr(places(mapping.record), "source_updated_at", None)
    for key, row in zip(keys, rows, strict=True):
        updated = row[at] if at is not None and isinstance(row[at], str) else None
        known = seen.get(key)
        unit = Unit(mapping.kind, key, row, item.digest, item.body, updated, known)
        out.supersede(unit.kind, unit.key)
        before = latest.get((unit.kind, unit.key))
        if before is not None:
            _add(out.duplicates, unit.kind, 1)
            if (unit.updated_at or "") < (before.updated_at or ""):
                continue
        if known is None and begin is not None:
            unit.new = begin(row)
        latest[unit.kind, unit.key] = unit


def cause(error: HubError) -> dict[str, Any]:
    """Return an error as the values a held record keeps."""
    out: dict[str, Any] = {"class": type(error).__name__, "message": str(error)}
    for key in ("file", "line", "canonical", "native", "value", "code", "request_id", "hint"):
        value = getattr(error, key, None)
        if value is not None:
            out[key] = value
    return out


def causes(error: HubError) -> list[dict[str, Any]]:
    """Return every place that an error names, each as the values a held record keeps."""
    if not isinstance(error, MappingError):
        return [cause(error)]
    known = type(error).__name__
    found = [{"class": known, "message": str(place), **asdict(place)} for place in error.causes]
    rest = [{"class": known, "message": error.rest, "unnamed": error.unnamed}]
    return found + rest if error.unnamed else found


def _bad(kind: str, key: str, item: Named, error: HubError) -> Bad:
    return Bad(kind, key, causes(error), item.body, item.digest)


def _fault(stream: str, fault: Any) -> Bad:
    body = _encode(fault.document)
    digest = sha256(body).digest()[:_HASH_BYTES]
    return Bad(stream, fault.key, causes(fault.error), body, digest)

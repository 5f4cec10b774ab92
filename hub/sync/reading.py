"""Documents read: hashed, named, mapped. Pure work on one page.

Documents that came as text are decoded one at a time and forgotten again: a page of decoded
documents is larger than the processor's caches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from hub.errors import ContractBroken, HubError, MappingError
from hub.mapping import Mapping as FieldMapping
from hub.records.rows import Row
from hub.records.shape import places
from hub.sdk import Document, Texts, decode

_encode = msgspec.json.Encoder().encode
_HASH_BYTES = 16

Begin = Callable[[Row], None]
"""Gives a new record's thawed row its id and all that follows from the row alone."""


class Found(NamedTuple):
    """One record of a document: its mapped row, or what a new one is stored as; and its own time."""

    row: Sequence[Any] | None
    new: Row | None
    updated_at: str | None


Records = list[Found] | list[dict[str, Any]]


@dataclass(slots=True)
class Named:
    """A document, its bytes and hash, and the keys of the records in it, by kind.

    `document` is None for one that came as text: it is made of `body` again where it is wanted.
    `causes` say why no key could be read. `records` are there already if the page was read
    eagerly: by kind what was found, or why it cannot be (a dict per place).
    """

    body: bytes
    digest: bytes
    document: Document | None
    keys: dict[str, list[str]]
    causes: Sequence[dict[str, Any]] = ()
    records: Mapping[str, Records] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the documents of a stream are read: by which mappings, and what new records begin as."""

    mappings: Sequence[FieldMapping]
    begin: Mapping[str, Begin]

    def name(self, documents: Sequence[Document], *, eagerly: bool = False) -> list[Named]:
        """Hash every document and read its keys; `eagerly` its records too, as if all were new."""
        salt = sha256("".join(m.digest for m in self.mappings).encode())
        return [self._named(documents, at, salt, eagerly=eagerly) for at in range(len(documents))]

    def _named(self, documents: Sequence[Document], at: int, salt: Any, *, eagerly: bool) -> Named:
        document: Document | None = None
        keys: dict[str, list[str]] = {}
        causes: Sequence[dict[str, Any]] = ()
        records = None
        try:
            document = documents[at]
            body = _bytes(document)
            for mapping in self.mappings:
                keys[mapping.kind] = keys_of(mapping, document)
        except ContractBroken as failure:
            assert isinstance(documents, Texts)  # noqa: S101 - only a text fails to decode
            body, causes = documents.text(at), causes_of(failure)
        except MappingError as failure:
            causes = causes_of(failure)
        else:
            records = self.read(document, keys, are_new=True) if eagerly else None
        salted = salt.copy()
        salted.update(body)
        kept = None if isinstance(documents, Texts) else document
        return Named(body, salted.digest()[:_HASH_BYTES], kept, keys, causes, records)

    def read(
        self, document: Document, keys: Mapping[str, Sequence[str]], *, are_new: bool
    ) -> dict[str, Records]:
        """Map the records of a document; new ones come as they are first stored where that is known."""
        return {
            mapping.kind: self._records(mapping, document, are_new=are_new)
            for mapping in self.mappings
            if keys[mapping.kind]
        }

    def _records(self, mapping: FieldMapping, document: Document, *, are_new: bool) -> Records:
        begin = self.begin.get(mapping.kind) if are_new else None
        at = getattr(places(mapping.record), "source_updated_at", None)
        try:
            if begin is None:
                return [Found(row, None, _time(row, at)) for row in mapping.to_canonical(document)]
            rows = mapping.to_new(document)
        except MappingError as failure:
            return causes_of(failure)
        for row in rows:
            begin(row)
        return [Found(None, row, _time(row, at)) for row in rows]


def _time(row: Sequence[Any], at: int | None) -> str | None:
    return row[at] if at is not None and isinstance(row[at], str) else None


def text_of(item: Named) -> Document:
    """Return a named document, decoded again if it came as text."""
    document: Document = decode(item.body) if item.document is None else item.document
    return document


def _bytes(document: Document) -> bytes:
    """Encode a document; half a surrogate pair, which UTF-8 cannot hold, stays as its escape."""
    try:
        return _encode(document)
    except UnicodeEncodeError:
        return json.dumps(document, ensure_ascii=True).encode("ascii")


def digest_of(document: Document) -> tuple[bytes, bytes]:
    """Return the bytes of a document no mapping reads, and their hash."""
    body = _bytes(document)
    return body, sha256(body).digest()[:_HASH_BYTES]


def keys_of(mapping: FieldMapping, document: Document) -> list[str]:
    """Return the external ids of the records in a document.

    A record that takes two fields to name (a stock figure: SKU and place) is named by both, as
    in the outbox: `sku@place`.
    """
    if len(mapping.record.key) == 1:
        return mapping.keys(document)
    at = [getattr(places(mapping.record), name) for name in mapping.record.key]
    return ["@".join(row[i] for i in at) for row in mapping.to_canonical(document)]


def cause_of(error: HubError) -> dict[str, Any]:
    """Return an error as the values a held record keeps."""
    out: dict[str, Any] = {"class": type(error).__name__, "message": str(error)}
    for key in ("file", "line", "canonical", "native", "value", "code", "request_id", "hint"):
        value = getattr(error, key, None)
        if value is not None:
            out[key] = value
    return out


def causes_of(error: HubError) -> list[dict[str, Any]]:
    """Return every place that an error names, each as the values a held record keeps."""
    if not isinstance(error, MappingError):
        return [cause_of(error)]
    known = type(error).__name__
    found = [{"class": known, "message": str(place), **asdict(place)} for place in error.causes]
    rest = [{"class": known, "message": error.rest, "unnamed": error.unnamed}]
    return found + rest if error.unnamed else found

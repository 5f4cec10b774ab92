"""A loaded mapping: documents to rows by the compiled function, rows to documents step by step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import MappingError
from hub.mapping import rows, walk
from hub.mapping.compile import Rows, compile_rows
from hub.mapping.explain import Explained, explain
from hub.mapping.faults import Faults
from hub.mapping.paths import EACH
from hub.mapping.rows import Row
from hub.mapping.spec import ITEM, Spec
from hub.mapping.write import Writer, key_values, put
from hub.records.base import ABSENT, Record
from hub.sdk.contract import Document, Kind


@dataclass(frozen=True, slots=True)
class Fields:
    """The canonical paths of a mapping by the way they go."""

    two_way: tuple[str, ...]
    way_in: tuple[str, ...]
    way_out: tuple[str, ...]


class Mapping:
    """One mapping file, compiled. Holds no state: safe to share between threads and merchants.

    `source` is the generated Python, `digest` the SHA-256 of the file, `source_stream` the
    stream whose documents it reads.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.kind: Kind = spec.kind
        self.source_stream: Kind = spec.stream
        self.digest = spec.digest
        self.path: Path = spec.file
        self.record: type[Record] = spec.record
        self.updated_path = str(spec.updated) if spec.updated is not None else None
        pairs = spec.pairs()
        self.fields = Fields(
            two_way=tuple(pair.canonical for pair in pairs if pair.way == "both"),
            way_in=tuple(pair.canonical for pair in pairs if pair.way == "in"),
            way_out=tuple(pair.canonical for pair in pairs if pair.way == "out"),
        )
        self._rows, self.source = compile_rows(spec)
        self._new: Rows | None = None

    def __repr__(self) -> str:
        return f"<Mapping {self.path} {self.source_stream} -> {self.kind}>"

    def to_canonical(self, document: Document) -> list[Row]:
        """Return one row per record found in the document, valid for the record.

        Raises `MappingError` with file, line, both paths and the value (short, personal text
        masked) of every pair that does not fit.
        """
        try:
            return self._rows(document)
        except Exception:
            self.read_slowly(document)
            raise

    def to_new(self, document: Document) -> list[list[Any]]:
        """Return the same rows as they are first stored: `hub.records.rows.thaw` of each, and quicker.

        Raises as `to_canonical` does.
        """
        if self._new is None:
            self._new, _ = compile_rows(self.spec, as_new=True)
        try:
            rows: list[Any] = self._new(document)
        except Exception:
            self.read_slowly(document)
            raise
        return rows

    def read_slowly(self, document: Document) -> list[Row]:
        """Do what `to_canonical` does, pair by pair: for error messages and as its second opinion."""
        faults = Faults(self.spec)
        rows = [
            walk.gather(self.spec.top, [item, document], faults, (number,))
            for number, item in enumerate(self._items(document))
        ]
        faults.settle()
        return rows

    def key_of(self, document: Document) -> str:
        """Return the external id of the document's first record. Raises `MappingError` without one."""
        found = self.keys(document)
        if not found:
            raise self._head_error("key", "the document holds no record", ABSENT)
        return found[0]

    def keys(self, document: Document) -> list[str]:
        """Return the external ids of all records in the document, in order.

        Raises `MappingError` where one is missing, with every pair that does not fit either.
        """
        try:
            found = self._usual_items(document)
            if found is None or len(self.spec.key.segments) != 1 or self.spec.key.scope != ITEM:
                return [self._key(item, document) for item in self._items(document)]
            step, keys = self.spec.key.segments[0], []
            for item in found:
                key = item.get(step) if type(item) is dict else None
                keys.append(key if type(key) is str and key else self._key(item, document))
        except MappingError:
            self._blame(document)
            raise
        return keys

    def updated_of(self, document: Document) -> Any:
        """Return what stands at `updated` in the document's first record; absent if nothing does."""
        for item in self._items(document):
            if self.spec.updated is not None:
                start = document if self.spec.updated.rooted else item
                try:
                    return walk.get(start, self.spec.updated.segments)
                except ValueError as error:
                    raise self._head_error("updated", str(error), ABSENT) from None
        return ABSENT

    def to_record(self, row: Row) -> Record:
        """Build the validated pydantic object of a row."""
        return rows.to_record(self.record, row)

    def to_row(self, record: Record) -> Row:
        """Write a record as a row; fields nobody set are absent."""
        return rows.to_row(record)

    def to_native(self, record: Record | Row, onto: Document | None = None) -> Document:
        """Return the channel's document with the record written onto a copy of `onto`.

        What the mapping does not own survives. An absent field writes nothing, null writes
        null, and a native value that already reads as the wanted one stays exactly as it is.
        """
        row = record if isinstance(record, tuple) else rows.to_row(record)
        holder = [{} if onto is None else _copied(onto)]
        self._write(row, holder)
        document: Document = holder[0]
        return document

    def identity(self, row: Row) -> tuple[Any, ...]:
        """Return the values of the record's key fields: what names it to its channel."""
        return key_values(self.record, row)

    def explain(self, document: Document, *, reveal: bool = False) -> list[Explained]:
        """Say for every field of every record where it comes from and what stands on both sides.

        Personal values are masked unless `reveal` says that the reader may see them.
        """
        return explain(self.spec, self._items(document), document, reveal=reveal)

    def _usual_items(self, document: Document) -> list[Any] | None:
        """Return the items where one step at most leads to them; None leaves it to `_items`."""
        each = self.spec.each
        if each is None:
            return [document]
        first, *rest = each.segments
        if rest != [EACH] or not isinstance(first, str) or type(document) is not dict:
            return None
        found = document.get(first)
        return found if type(found) is list else None

    def _items(self, document: Document) -> list[Any]:
        try:
            return walk.records(self.spec, document)
        except ValueError as error:
            raise self._head_error("each", str(error), ABSENT) from None

    def _key(self, item: Any, document: Document) -> str:
        found: Any = ABSENT
        try:
            found = walk.seek([item, document], self.spec.key)
        except ValueError as error:
            raise self._head_error("key", str(error), found) from None
        if type(found) is str and found:
            return found
        if type(found) is int:
            return str(found)
        raise self._head_error("key", "no external id", found)

    def _blame(self, document: Document) -> None:
        """Raise for every record without a key, and for every pair that does not fit."""
        faults, heads = Faults(self.spec), self.spec.key.scope + 1
        for number, item in enumerate(self._items(document)):
            try:
                self._key(item, document)
            except MappingError as error:
                faults.add(error.causes[0], (number,)[:heads])
            walk.gather(self.spec.top, [item, document], faults, (number,))
        faults.settle()

    def _head_error(self, name: str, why: str, value: Any) -> MappingError:
        native, line = self.spec.heads.get(name, (".", 1))
        return MappingError(
            why, file=self.spec.label, line=line, canonical=name, native=native,
            value=walk.shown(value, masked=False),
        )  # fmt: skip

    def _write(self, row: Row, holder: list[Any]) -> None:
        writer = Writer(self.spec)
        if self.spec.each is None:
            writer.item(row, holder, 0, holder[0])
            return
        found = self._items(holder[0])
        mine = self._mine(found, row, holder[0])
        if mine is not None:
            writer.item(row, [found[mine]], 0, holder[0])
            return
        steps = self.spec.each.segments
        if steps.count(EACH) != 1:
            why = "no record with this key, and no one list to add it to"
            raise self._head_error("each", why, ABSENT)
        new: list[Any] = [*found, {}]
        writer.item(row, new, len(found), holder[0])
        put(holder, 0, steps[: steps.index(EACH)], new)

    def _mine(self, items: list[Any], row: Row, document: Any) -> int | None:
        """Find the item of a row by its key; of several with that key, one that reads the same."""
        wanted, first = self.identity(row), None
        for at, item in enumerate(items):
            try:
                other = walk.read(self.spec.top, [item, document], self.spec)
            except MappingError:
                continue
            if other == row:
                return at
            if first is None and self.identity(other) == wanted:
                first = at
        return first


def _copied(value: Any) -> Any:
    """Copy decoded JSON."""
    if type(value) is dict:
        return {key: _copied(inner) for key, inner in value.items()}
    if type(value) is list:
        return [_copied(inner) for inner in value]
    return value

"""Records as trees of rows: thaw what a mapping gave, store it, load it back, tell what changed.

Everything here works on whole pages:
one statement per table, whatever the number of records.

Personal fields travel in clear inside thawed rows and are sealed on the way to the database by
the `Sealer` the caller hands in (this package never opens or seals by itself).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import Connection

from hub.db.bulk import (
    Values,
    execute_many,
    fetch,
    fetch_in,
    from_json,
    json_text,
    write_columns,
)
from hub.records import ABSENT, Record
from hub.records.rows import ID, Row, defaults, thaw
from hub.records.shape import Column, Part, Shape, shape


class Sealer(Protocol):
    """Seals and opens the personal fields of one merchant."""

    def seal_many(
        self, table: str, column: str, values: Iterable[tuple[str, str | None]]
    ) -> list[bytes | None]:
        """Seal a column of (row id, value) in order, each bound to its place; None stays None."""

    def open(self, table: str, column: str, row_id: str, sealed: bytes) -> str:
        """Open one value; a value moved from another place does not open."""

    def index(self, kind: str, value: str) -> bytes:
        """Return the keyed hash that finds equal values."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What storing one record class needs, worked out once."""

    shape: Shape
    table: str
    sql_columns: tuple[str, ...]
    update: tuple[str, ...]
    """What an upsert changes."""
    parent_link: int | None
    key_places: tuple[int, ...]
    children: tuple[tuple[int, Layout], ...]
    """(place, layout) of every list of parts."""


KEY = ("merchant_id", "id")


@cache
def layout(record: type[Record], parent: str | None = None) -> Layout:
    """Return the layout of a record class, as a part of `parent` or by itself."""
    form = shape(record)
    names: list[str] = []
    for column in form.columns:
        if column.pii is None:
            names.append(column.name)
        else:
            names.append(f"{column.name}_enc")
            if column.pii.index:
                names.append(f"{column.name}_bidx")
    places = {name: i for i, name in enumerate(record.model_fields)}
    link = next((c.position for c in form.columns if c.link == parent), None) if parent else None
    return Layout(
        shape=form,
        table=record.table,
        sql_columns=tuple(names),
        update=("updated_at", "version", *names),
        parent_link=link,
        key_places=tuple(places[name] for name in record.key if name in places),
        children=tuple(
            (part.position, layout(part.record, record.table)) for part in form.parts if part.many
        ),
    )


def overlay(record: type[Record], row: Sequence[Any], old: Row) -> Row:
    """Thaw a mapped row over the stored one: what the channel did not send stays as it is."""
    lay = layout(record)
    out = thaw(record, row, old[ID])
    for column in lay.shape.columns:
        place = column.position
        if row[place] is ABSENT:
            out[place] = old[place]
    for part in lay.shape.parts:
        place = part.position
        if row[place] is ABSENT:
            out[place] = old[place]
        elif part.many:
            out[place] = _overlay_parts(part, row[place] or (), old[place])
    return out


def _overlay_parts(part: Part, rows: Iterable[Sequence[Any]], old: list[Row]) -> list[Row]:
    key = key_of(part.record)
    known = {key(item): item for item in old}
    out = []
    for row in rows:
        before = known.get(key(row))
        out.append(thaw(part.record, row) if before is None else overlay(part.record, row, before))
    return out


def key_of(record: type[Record]) -> Any:
    """Return a function that reads the natural key of a row, thawed or mapped."""
    places = layout(record).key_places
    return itemgetter(*places) if places else lambda _row: None


def number_parts(record: type[Record], row: Row) -> None:
    """Give every part without an id the next free one under its parent, at every depth."""
    for place, letter, inner, is_deep in _numbered(record):
        items = row[place]
        if not items:
            continue
        prefix, last = f"{row[ID]}-{letter}", 0
        if items[0][ID] or items[-1][ID]:
            last = max((int(item[ID][len(prefix) :]) for item in items if item[ID]), default=0)
        for item in items:
            if not item[ID]:
                last += 1
                item[ID] = f"{prefix}{last}"
        if is_deep:
            for item in items:
                number_parts(inner, item)


@cache
def _numbered(record: type[Record]) -> tuple[tuple[int, str, type[Record], bool], ...]:
    """Return (place, letter, part class, whether the part has parts) of every list of parts."""
    return tuple(
        (part.position, _LETTER[part.name], part.record, bool(shape(part.record).parts))
        for part in shape(record).parts
        if part.many
    )


# A part's id is its parent's, a letter for the list, and a number frozen at first sight.
_LETTER = {
    "lines": "l",
    "adjustments": "a",
    "allocations": "s",
    "payments": "p",
    "fulfilments": "f",
    "packages": "k",
    "refunds": "r",
    "identities": "i",
    "addresses": "d",
    "consents": "c",
    "barcodes": "b",
}


@dataclass(slots=True)
class Batch:
    """Numbered trees waiting to be written, and parts to be deleted."""

    merchant_id: str
    now: str
    sealer: Sealer
    trees: dict[tuple[type[Record], bool], list[tuple[Row, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    gone: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, record: type[Record], row: Row, *, version: int) -> None:
        """Take in a numbered tree. All its rows get this version."""
        self.trees[record, version == 1].append((row, version))

    def drop_gone(self, record: type[Record], before: Row, after: Row) -> None:
        """Delete the parts that a record no longer has, at every depth."""
        for part in layout(record).shape.parts:
            kept = {item[ID]: item for item in after[part.position]}
            for item in before[part.position]:
                if item[ID] in kept:
                    self.drop_gone(part.record, item, kept[item[ID]])
                else:
                    self.gone[part.record.table].append((self.merchant_id, item[ID]))
                    self.drop_gone(part.record, item, list(defaults(part.record)))

    def write(self, conn: Connection) -> None:
        """Write everything, a table at a time and column by column, then the deletions."""
        for (record, is_new), found in self.trees.items():
            rows, versions = [row for row, _ in found], [version for _, version in found]
            self._write(conn, layout(record), rows, versions, is_new=is_new)
        for table, keys in self.gone.items():
            execute_many(conn, f'DELETE FROM "{table}" WHERE merchant_id=? AND id=?', keys)
        self.trees.clear()
        self.gone.clear()

    def _write(
        self,
        conn: Connection,
        lay: Layout,
        rows: Sequence[Row],
        versions: Sequence[int],
        *,
        is_new: bool,
    ) -> None:
        by_place = list(zip(*rows, strict=True))
        ids = by_place[ID]
        columns: list[Values] = [("id", ids), ("version", versions)]
        for column in lay.shape.columns:
            columns += self._stored(lay.table, column, by_place[column.position], ids)
        same = {"merchant_id": self.merchant_id, "created_at": self.now, "updated_at": self.now}
        # The first version of a record is new with all its parts: a plain insert is a quarter quicker.
        update = None if is_new else lay.update
        write_columns(conn, lay.table, same, columns, key=KEY, update=update)
        for place, child in lay.children:
            inner, theirs = _below(by_place[place], ids, versions, child.parent_link)
            if inner:
                self._write(conn, child, inner, theirs, is_new=is_new)

    def _stored(
        self, table: str, column: Column, values: Sequence[Any], ids: Sequence[str]
    ) -> list[Values]:
        """Return what stands in the database for the values of a field."""
        if column.is_json:
            return [(column.name, [json_text(value) for value in values])]
        if column.pii is None:
            return [(column.name, values)]
        pairs = zip(ids, values, strict=True)
        sealed = self.sealer.seal_many(table, column.name, pairs)
        out: list[Values] = [(f"{column.name}_enc", sealed)]
        if kind := column.pii.index:
            index = self.sealer.index
            found = [index(kind, value) if value else None for value in values]
            out.append((f"{column.name}_bidx", found))
        return out


def _below(
    parts: Sequence[Sequence[Row]],
    ids: Sequence[str],
    versions: Sequence[int],
    link: int | None,
) -> tuple[list[Row], list[int]]:
    """Return the parts of many records one after the other, tied to them, with their versions."""
    out: list[Row] = []
    theirs: list[int] = []
    for items, parent, version in zip(parts, ids, versions, strict=True):
        for item in items:
            if link is not None:
                item[link] = parent
            out.append(item)
            theirs.append(version)
    return out, theirs


def load(
    conn: Connection, record: type[Record], merchant_id: str, ids: Sequence[str], sealer: Sealer
) -> dict[str, tuple[int, Row]]:
    """Load trees by id: `{id: (version, thawed row)}`. Ids that do not exist are left out."""
    found = _load_rows(conn, record, merchant_id, "id", ids, sealer)
    return {row[ID]: (version, row) for _parent, version, row in found}


def _load_rows(
    conn: Connection,
    record: type[Record],
    merchant_id: str,
    by: str,
    values: Sequence[str],
    sealer: Sealer,
) -> list[tuple[str, int, Row]]:
    lay = layout(record)
    columns = ", ".join((by, "version", "id", *lay.sql_columns))
    sql = f'SELECT {columns} FROM "{lay.table}" WHERE merchant_id=? AND {by} IN ({{}}) ORDER BY id'
    out = [
        (raw[0], raw[1], _thaw_stored(lay, raw[2], raw[3:], sealer))
        for raw in fetch_in(conn, sql, (merchant_id,), values)
    ]
    for part in lay.shape.parts:
        if part.many:
            _load_parts(conn, merchant_id, lay, part, [item[2] for item in out], sealer)
    return out


def _load_parts(
    conn: Connection, merchant_id: str, lay: Layout, part: Part, rows: list[Row], sealer: Sealer
) -> None:
    below = layout(part.record)
    columns = ", ".join(("id", *below.sql_columns))
    sql = f'SELECT {columns} FROM "{below.table}" WHERE merchant_id=? AND id>? AND id<?'
    letter = _LETTER[part.name]
    found: list[Row] = []
    for row in rows:
        # A part's id is its parent's, a dash, its letter and a number: one range of the primary key.
        start = f"{row[ID]}-{letter}"
        raws = fetch(conn, sql, (merchant_id, start, start + ":"))
        items = [
            _thaw_stored(below, raw[0], raw[1:], sealer)
            for raw in raws
            if "-" not in raw[0][len(start) :]
        ]
        row[part.position] = sorted(items, key=lambda item: _position(item[ID]))
        found += items
    for inner in below.shape.parts:
        if inner.many:
            _load_parts(conn, merchant_id, below, inner, found, sealer)


def _position(row_id: str) -> int:
    tail = row_id.rsplit("-", 1)[1]
    return int(tail[1:])


def _thaw_stored(lay: Layout, row_id: str, values: Sequence[Any], sealer: Sealer) -> Row:
    row: Row = list(defaults(lay.shape.record))
    reader = iter(values)
    for column in lay.shape.columns:
        value = next(reader)
        if column.pii is not None:
            if column.pii.index:
                next(reader)
            if value is not None:
                value = sealer.open(lay.table, column.name, row_id, bytes(value))
        elif column.is_json:
            value = from_json(value)
        elif column.python is bool and value is not None:
            value = bool(value)
        row[column.position] = value
    row.append(row_id)
    return row


STAMPS = frozenset({"source_updated_at", "source_version", "channel_updated_at"})
"""What a channel stamps on every version: a record that differs in nothing else has not changed."""


def differences(record: type[Record], before: Row, after: Row) -> dict[str, Any]:
    """Return `{path: [before, after]}` for every field that differs; personal ones say only `changed`."""
    out: dict[str, Any] = {}
    lay = layout(record)
    for column in lay.shape.columns:
        old, new = before[column.position], after[column.position]
        if old != new and column.name not in STAMPS:
            out[column.name] = ["changed"] if column.pii else [old, new]
    for part in lay.shape.parts:
        if part.many:
            out |= _part_differences(part, before[part.position], after[part.position])
    return out


def _part_differences(part: Part, before: list[Row], after: list[Row]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    old = {item[ID]: item for item in before}
    for item in after:
        known = old.pop(item[ID], None)
        name = f"{part.name}[{item[ID].rsplit('-', 1)[1]}]"
        if known is None:
            out[name] = ["created"]
        else:
            for path, change in differences(part.record, known, item).items():
                out[f"{name}.{path}"] = change
    for item in old.values():
        out[f"{part.name}[{item[ID].rsplit('-', 1)[1]}]"] = ["removed"]
    return out

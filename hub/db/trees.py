"""Records as trees of rows: thaw what a mapping gave, store it, load it back, tell what changed.

A *thawed* row is a list in the order of the record's fields, parts being lists of thawed rows,
with one place more at its end: the row's id (`row[ID]`). Everything here works on whole pages:
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

from hub.db.bulk import execute_many, fetch, fetch_in, from_json, insert, json_text, upsert
from hub.records import ABSENT, Record
from hub.records.shape import Column, Part, Shape, shape

Row = list[Any]
ID = -1
"""The place of a thawed row's id."""


class Sealer(Protocol):
    """Seals and opens the personal fields of one merchant."""

    def seal(self, table: str, column: str, row_id: str, value: str) -> bytes:
        """Seal one value, bound to its place."""

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
    defaults: tuple[Any, ...]
    plain: Any
    """Getter of all column values, valid when nothing is personal or JSON."""
    special: tuple[Column, ...]
    parent_link: int | None
    key_places: tuple[int, ...]
    children: tuple[tuple[int, Layout], ...]
    """(place, layout) of every list of parts."""


COMMON = ("merchant_id", "id", "created_at", "updated_at", "version")


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
    width = form.width
    defaults: list[Any] = [None] * width
    for column in form.columns:
        defaults[column.position] = column.default
    for part in form.parts:
        defaults[part.position] = ()
    places = {name: i for i, name in enumerate(record.model_fields)}
    link = next((c.position for c in form.columns if c.link == parent), None) if parent else None
    return Layout(
        shape=form,
        table=record.table,
        sql_columns=tuple(names),
        defaults=tuple(defaults),
        plain=itemgetter(*(c.position for c in form.columns)),
        special=tuple(c for c in form.columns if c.pii is not None or c.is_json),
        parent_link=link,
        key_places=tuple(places[name] for name in record.key if name in places),
        children=tuple(
            (part.position, layout(part.record, record.table)) for part in form.parts if part.many
        ),
    )


def thaw(record: type[Record], row: Sequence[Any], row_id: str = "") -> Row:
    """Turn a mapped row into a thawed one: absent fields take their default, parts thaw too."""
    return _thawed(layout(record), row, row_id)


def _thawed(lay: Layout, row: Sequence[Any], row_id: str) -> Row:
    out = [d if v is ABSENT else v for v, d in zip(row, lay.defaults, strict=True)]
    for place, child in lay.children:
        out[place] = [_thawed(child, item, "") for item in out[place] or ()]
    if len(lay.children) != len(lay.shape.parts):
        _thaw_single_parts(lay, out)
    out.append(row_id)
    return out


def _thaw_single_parts(lay: Layout, out: Row) -> None:
    for part in lay.shape.parts:
        if not part.many:
            inner = layout(part.record)
            out[part.position] = _thawed(inner, out[part.position] or inner.defaults, "")


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
        prefix = f"{row[ID]}-{letter}"
        last = 0
        if items[0][ID] or items[-1][ID]:
            last = max((int(item[ID][len(prefix) :]) for item in items if item[ID]), default=0)
        for item in items:
            if not item[ID]:
                last += 1
                item[ID] = f"{prefix}{last}"
            if is_deep:
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
    """Rows waiting to be written, by table."""

    merchant_id: str
    now: str
    sealer: Sealer
    rows: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    fresh: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    gone: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(
        self, record: type[Record], row: Row, *, version: int, parent: str | None = None
    ) -> None:
        """Take in a numbered tree. Links to the parent are filled here."""
        self._add(layout(record, parent), row, version)

    def _add(self, lay: Layout, row: Row, version: int) -> None:
        row_id = row[ID]
        if lay.parent_link is not None and not row[lay.parent_link]:
            row[lay.parent_link] = row_id.rsplit("-", 1)[0]
        values = self._sealed(lay, row) if lay.special else lay.plain(row)
        # The first version of a record is new with all its parts: a plain insert is a quarter quicker.
        rows = self.fresh if version == 1 else self.rows
        rows[lay.table, lay.sql_columns].append(
            (self.merchant_id, row_id, self.now, self.now, version, *values)
        )
        for place, child in lay.children:
            for item in row[place]:
                self._add(child, item, version)

    def drop_gone(self, record: type[Record], before: Row, after: Row) -> None:
        """Delete the parts that a record no longer has, at every depth."""
        for part in layout(record).shape.parts:
            kept = {item[ID]: item for item in after[part.position]}
            for item in before[part.position]:
                if item[ID] in kept:
                    self.drop_gone(part.record, item, kept[item[ID]])
                else:
                    self.gone[part.record.table].append((self.merchant_id, item[ID]))
                    self.drop_gone(part.record, item, list(layout(part.record).defaults))

    def _sealed(self, lay: Layout, row: Row) -> list[Any]:
        out: list[Any] = []
        for column in lay.shape.columns:
            value = row[column.position]
            if column.is_json:
                out.append(json_text(value))
            elif column.pii is None:
                out.append(value)
            else:
                self._seal_into(out, lay.table, column, row[ID], value)
        return out

    def _seal_into(
        self, out: list[Any], table: str, column: Column, row_id: str, value: str | None
    ) -> None:
        sealed = None if value is None else self.sealer.seal(table, column.name, row_id, value)
        out.append(sealed)
        if column.pii and column.pii.index:
            out.append(self.sealer.index(column.pii.index, value) if value else None)

    def write(self, conn: Connection) -> None:
        """Write everything: one insert and one upsert per table, then the deletions."""
        for (table, columns), rows in self.fresh.items():
            insert(conn, table, (*COMMON, *columns), rows)
        for (table, columns), rows in self.rows.items():
            names = (*COMMON, *columns)
            upsert(
                conn,
                table,
                names,
                rows,
                key=("merchant_id", "id"),
                update=[n for n in names if n not in {"merchant_id", "id", "created_at"}],
            )
        for table, keys in self.gone.items():
            execute_many(conn, f'DELETE FROM "{table}" WHERE merchant_id=? AND id=?', keys)
        self.fresh.clear()
        self.rows.clear()
        self.gone.clear()


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
    row: Row = list(lay.defaults)
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

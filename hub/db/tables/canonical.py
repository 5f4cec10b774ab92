"""Canonical tables, derived from the record classes: same names, same fields, real columns.

Each record class with a `table` becomes a SQLModel table: the common columns, one column per
field, `<field>_enc` (and `<field>_bidx`) for a personal one. Parts become tables of their own
that carry their parent's id in the record's own link field.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from types import new_class
from typing import Any, cast

from sqlalchemy import Column as SqlColumn
from sqlalchemy import Index, Table, UniqueConstraint, text
from sqlalchemy.types import TypeEngine

from hub import records
from hub.db.tables.meta import Field, SQLModel
from hub.db.types import Booleans, Bytes, Instants, Integers, Jsons, Texts
from hub.records.shape import Column, shape

COMMON = ("merchant_id", "id", "created_at", "updated_at", "version", "deleted_at", "ext")

# What is looked up, beyond the keys: (columns, unique). Parts of a record need no index of their
# own: their ids begin with their parent's, so they stand together in the primary key.
_INDEXES: dict[str, list[tuple[tuple[str, ...], bool]]] = {
    "product": [],
    "variant": [(("sku",), False), (("product_id",), False)],
    "barcode": [(("variant_id", "value"), True), (("value",), False), (("gtin14",), False)],
    "price": [(("variant_id",), False)],
    "listing": [(("connection_id", "external_product_id"), True)],
    "listing_sku": [
        (("connection_id", "external_sku_id"), True),
        (("variant_id",), False),
        (("listing_id",), False),
    ],
    "location": [(("code",), True)],
    "stock_level": [(("variant_id", "location_id"), True)],
    "stock_ledger": [(("variant_id", "location_id", "seq"), True)],
    "reservation": [],
    "channel_order": [
        (("connection_id", "external_order_id"), True),
        (("placed_at",), False),
    ],
    "order_line": [(("channel_order_id",), False)],
    "adjustment": [],
    "adjustment_allocation": [],
    "payment": [],
    "fulfilment_order": [],
    "fulfilment_line": [],
    "package": [(("tracking_no",), False)],
    "after_sale": [
        (("connection_id", "external_id"), True),
        (("channel_order_id",), False),
        (("external_order_id",), False),
    ],
    "after_sale_line": [],
    "refund": [(("channel_order_id",), False), (("after_sale_id",), False)],
    "refund_line": [(("order_line_id",), False)],
    "member": [(("primary_phone_bidx",), False), (("primary_email_bidx",), False)],
    "member_identity": [(("kind", "namespace", "value_bidx"), True), (("member_id",), False)],
    "member_address": [(("member_id",), False)],
    "consent": [(("member_id", "purpose", "channel"), True)],
    "points_entry": [(("idempotency_key",), True), (("member_id",), False)],
}


_WIDE = {"product"}  # a description may be long, and rows that long do not belong in a key's tree


def _sql_type(column: Column) -> TypeEngine[Any]:
    if column.is_json:
        return Jsons()
    if column.python is bool:
        return Booleans()
    if column.python is int:
        return Integers()
    return Instants() if issubclass(column.python, datetime) else Texts()


def columns_of(record: type[records.Record]) -> list[str]:
    """Return the column names of a record's own fields, in order, sealed ones by their sealed name."""
    out: list[str] = []
    for column in shape(record).columns:
        if column.pii is None:
            out.append(column.name)
            continue
        out.append(f"{column.name}_enc")
        if column.pii.index:
            out.append(f"{column.name}_bidx")
    return out


def _own(column: Column) -> dict[str, SqlColumn[Any]]:
    if column.pii is not None:
        out = {f"{column.name}_enc": SqlColumn(Bytes(), nullable=True)}
        if column.pii.index:
            out[f"{column.name}_bidx"] = SqlColumn(Bytes(), nullable=True)
        return out
    return {column.name: SqlColumn(_sql_type(column), nullable=column.optional)}


def _common() -> dict[str, SqlColumn[Any]]:
    return {
        "merchant_id": SqlColumn(Texts(), primary_key=True),
        "id": SqlColumn(Texts(), primary_key=True),
        "created_at": SqlColumn(Instants(), nullable=False),
        "updated_at": SqlColumn(Instants(), nullable=False),
        "version": SqlColumn(Integers(), nullable=False),
        "deleted_at": SqlColumn(Instants(), nullable=True),
        "ext": SqlColumn(Jsons(), nullable=True),
    }


def _constraints(table: str) -> tuple[Any, ...]:
    out: list[Any] = []
    for names, unique in _INDEXES[table]:
        keyed = ("merchant_id", *names)
        if unique:
            out.append(UniqueConstraint(*keyed))
        else:
            out.append(Index(None, *keyed))
    if table == "order_line":
        # Few lines wait for their SKU to become known; only those are looked up by it.
        waits = text("variant_id IS NULL")
        out.append(
            Index(
                "ix_order_line_waits",
                "merchant_id",
                "sku_snapshot",
                sqlite_where=waits,
                postgresql_where=waits,
            )
        )
    # Small rows live in the key's own tree on SQLite: one tree less to write per row.
    return (*out, {"sqlite_with_rowid": table in _WIDE})


def _derive(record: type[records.Record]) -> type[SQLModel]:
    columns = _common()
    for column in shape(record).columns:
        columns |= _own(column)
    namespace: dict[str, Any] = {
        "__doc__": record.__doc__,
        "__module__": __name__,
        "__tablename__": record.table,
        "__table_args__": _constraints(record.table),
        "__annotations__": dict.fromkeys(columns, Any),
    }
    namespace |= {name: Field(sa_column=column) for name, column in columns.items()}
    return new_class(
        f"{record.__name__}Row", (SQLModel,), {"table": True}, lambda ns: ns.update(namespace)
    )


CANONICAL: dict[str, type[SQLModel]] = {
    cls.table: _derive(cls)
    for cls in vars(records).values()
    if isinstance(cls, type) and issubclass(cls, records.Record) and cls is not records.Record
    if cls.table
}
"""Table name to SQLModel class."""


@cache
def table_of(record: type[records.Record]) -> Table:
    """Return the SQLAlchemy table of a record class."""
    return cast("Table", CANONICAL[record.table].__table__)  # type: ignore[attr-defined] # SQLModel sets it

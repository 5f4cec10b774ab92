"""One schema: derived from the records, made by the migrations, the same on both databases."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from hub import records
from hub.db import Database
from hub.db.migrate import current, head, migrate
from hub.db.tables import CANONICAL, ENGINE, columns_of, metadata, table_of
from hub.records import Record
from hub.records.shape import shape

COMMON = {"merchant_id", "id", "created_at", "updated_at", "version", "deleted_at", "ext"}
STORED = sorted(
    {
        cls for cls in vars(records).values()
        if isinstance(cls, type) and issubclass(cls, Record) and cls is not Record and cls.table
    },
    key=lambda cls: cls.table,
)  # fmt: skip


def test_the_migrations_make_exactly_the_tables_of_the_program(database_url: str) -> None:
    db = Database(database_url)

    assert migrate(db.engine) is True

    with db.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert current(conn) == head()
    db._close()


def test_migrating_twice_does_nothing(database_url: str) -> None:
    db = Database(database_url)
    migrate(db.engine)
    before = sorted(inspect(db.engine).get_table_names())

    assert migrate(db.engine) is False

    assert sorted(inspect(db.engine).get_table_names()) == before
    db._close()


@pytest.mark.parametrize("record", STORED, ids=lambda cls: cls.table)
def test_a_table_has_the_fields_of_its_record_and_nothing_else(record: type[Record]) -> None:
    table = table_of(record)

    assert {c.name for c in table.columns} == COMMON | set(columns_of(record))
    for column in shape(record).columns:
        if column.pii is None:
            assert table.columns[column.name].nullable is column.optional, column.name
        else:
            assert column.name not in table.columns, "a personal field stands sealed only"
            assert f"{column.name}_enc" in table.columns
            assert (f"{column.name}_bidx" in table.columns) is bool(column.pii.index)


@pytest.mark.parametrize("record", STORED, ids=lambda cls: cls.table)
def test_a_part_carries_its_parents_id_in_its_own_link(record: type[Record]) -> None:
    for part in shape(record).parts:
        if part.many and part.record.table:
            assert record.table in {c.link for c in shape(part.record).columns}, part.name


def test_every_table_is_a_record_or_the_engines() -> None:
    known = set(CANONICAL) | {str(model.__tablename__) for model in ENGINE}

    assert {table.name for table in metadata.sorted_tables} == known
    assert set(CANONICAL) == {record.table for record in STORED}


def test_merchant_id_is_first_in_every_key_so_that_the_data_can_be_split() -> None:
    for table in metadata.sorted_tables:
        assert next(iter(table.primary_key.columns)).name == "merchant_id", table.name
        for constraint in table.constraints:
            names = [c.name for c in getattr(constraint, "columns", ())]
            assert not names or names[0] == "merchant_id", (table.name, names)


def test_no_personal_field_has_a_readable_column() -> None:
    sealed = {
        (record.table, column.name)
        for record in STORED
        for column in shape(record).columns
        if column.pii is not None
    }
    readable = {
        (table.name, column.name) for table in metadata.sorted_tables for column in table.columns
    }

    assert len(sealed) > 15
    assert sealed & readable == set()

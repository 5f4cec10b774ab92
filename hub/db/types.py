"""Column types that mean the same on SQLite and PostgreSQL.

An instant is `timestamptz` on PostgreSQL and sortable text on SQLite; in Python rows it is that
text on both (`hub.records.time`), so the record path never builds datetimes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Dialect, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

from hub.records.time import to_text


class InstantText(TypeDecorator[str]):
    """UTC instant; Python side is the sortable text."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the database's own type where it has one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: str | datetime | None, dialect: Dialect) -> str | None:
        """Accept the text or an aware datetime."""
        return to_text(value) if isinstance(value, datetime) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text."""
        return to_text(value) if isinstance(value, datetime) else value


class TextValue(TypeDecorator[str]):
    """Text that sorts by its bytes on both databases, so a range of ids means the same on both."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Ask PostgreSQL for the order that SQLite has anyway."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Text(collation="C"))
        return dialect.type_descriptor(Text())


class JsonValue(TypeDecorator[Any]):
    """JSON: `jsonb` on PostgreSQL, text on SQLite. Python None is SQL NULL."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the database's own type where it has one."""
        kind = JSONB if dialect.name == "postgresql" else JSON
        return dialect.type_descriptor(kind(none_as_null=True))


Instants = InstantText
Integers = BigInteger
Texts = TextValue
Booleans = Boolean
Bytes = LargeBinary
Jsons = JsonValue

"""SQLModel with our naming rule for constraints, which must stand before the first table (alembic needs names)."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

metadata = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

__all__ = ["Field", "SQLModel", "metadata"]

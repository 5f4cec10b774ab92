"""The database: SQLite or PostgreSQL behind plain functions over one `Connection` (SQLAlchemy's)."""

from sqlalchemy import Connection

from hub.db.engine import Database

__all__ = ["Connection", "Database"]

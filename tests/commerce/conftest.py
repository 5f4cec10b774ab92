"""Fixtures of the rooms of commerce: the sync laws' database and world."""

from __future__ import annotations

from tests.sync.conftest import quiet_log, world
from tests.sync.databases import kept_database, kept_postgres, kept_url

__all__ = ["kept_database", "kept_postgres", "kept_url", "quiet_log", "world"]

"""Fixtures of the database tests: a kept, emptied database."""

from __future__ import annotations

from tests.sync.conftest import quiet_log
from tests.sync.databases import kept_database, kept_postgres, kept_url

__all__ = ["kept_database", "kept_postgres", "kept_url", "quiet_log"]

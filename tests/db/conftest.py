"""Fixtures of the database tests: a kept, emptied database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.db import Database
from hub.db.migrate import migrate
from tests.sync.conftest import quiet_log
from tests.sync.databases import kept_database, kept_postgres, kept_url
from tests.sync.world import wipe

__all__ = ["kept_database", "kept_postgres", "kept_url", "quiet_log"]


@pytest.fixture
def db(kept_url: str) -> Iterator[Database]:
    """A migrated database, empty at the start."""
    opened = Database(kept_url)
    migrate(opened.engine)
    wipe(opened.engine)
    yield opened
    opened._close()

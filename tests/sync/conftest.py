"""Fixtures of the sync laws: a kept database, and a world on it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import structlog

from tests.sync.databases import kept_database, kept_postgres, kept_url
from tests.sync.world import World, a_world

__all__ = ["kept_database", "kept_postgres", "kept_url", "world"]


@pytest.fixture
async def world(kept_url: str) -> AsyncIterator[World]:
    """A merchant with a shop and a till, registered and empty."""
    async with a_world(kept_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def quiet_log() -> None:
    """Planted faults are reported by what they leave behind; their log lines would hide the failure."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

"""Databases that are migrated once per test run and emptied by each test that uses them.

A migrated database takes a second to make; a law that runs hundreds of worlds wants one.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

_numbers = itertools.count(1)  # each folder of tests that takes these fixtures has its own


@pytest.fixture(scope="session")
def kept_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Return the address of this run's database on SQLite or PostgreSQL, made at first use."""
    urls: dict[str, str] = {}

    def address(dialect: str) -> str:
        if dialect not in urls:
            urls[dialect] = (
                f"sqlite:///{tmp_path_factory.mktemp('kept') / 'hub.db'}"
                if dialect == "sqlite"
                else request.getfixturevalue("kept_postgres")
            )
        return urls[dialect]

    return address


@pytest.fixture(scope="session")
def kept_postgres(postgres_dsn: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database that lasts as long as the run."""
    name = f"hub_kept_{os.getpid()}_{next(_numbers)}"
    yield _create(postgres_dsn, name)
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _create(dsn: str, name: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(name)
            )
        )
    url = make_url(dsn).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def kept_url(request: pytest.FixtureRequest, kept_database: Callable[[str], str]) -> str:
    """The address of a migrated database: the test runs on SQLite, then on PostgreSQL."""
    return kept_database(request.param)

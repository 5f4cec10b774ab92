"""Bring a database to the schema this program needs. Alembic is imported only when there is work.

`python -m hub.db.migrate NEXT_NUMBER "what changes"` drafts the next change from the tables.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"


def head() -> str:
    """Return the newest revision, by file name: `0001`."""
    return max(path.name.split("_")[0] for path in (FOLDER / "versions").glob("0*.py"))


def current(conn: Connection) -> str | None:
    """Return the revision a database stands at; None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    found = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(found) if found else None


def _config(conn: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - only when there is work

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config


def migrate(engine: Engine) -> bool:
    """Apply what is missing, in one transaction. Repeating it changes nothing; True if it did work."""
    with engine.begin() as conn:
        if current(conn) == head():
            return False
        from alembic import command  # noqa: PLC0415 - only when there is work

        command.upgrade(_config(conn), "head")
        return True


def draft(engine: Engine, number: str, message: str) -> None:
    """Write the next numbered change by comparing the tables with a database at head."""
    from alembic import command  # noqa: PLC0415 - only when there is work

    with engine.begin() as conn:
        command.revision(_config(conn), message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    import tempfile

    from sqlalchemy import create_engine

    with tempfile.TemporaryDirectory() as folder:
        scratch = create_engine(f"sqlite:///{folder}/scratch.db")
        if list((FOLDER / "versions").glob("0*.py")):
            migrate(scratch)
        draft(scratch, sys.argv[1], sys.argv[2])

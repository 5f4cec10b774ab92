"""One `Database`, two engines, one way to use it: `await db.write(fn, …)`, `await db.read(fn, …)`.

`fn` is a plain function whose first argument is a SQLAlchemy connection inside a transaction.
It runs on a thread: SQLite has one writer thread and a few readers, PostgreSQL a pool. The
transaction commits when `fn` returns and rolls back whole when it raises.

SQLite rules (reliability sheet, section 2): WAL, `BEGIN IMMEDIATE` for writers, one writer
connection that alone checkpoints, `synchronous=FULL` except for transactions that hold only a
pulled page (`durable=False`): those may be lost with the power, together with their cursor, and
are pulled again. An OS lock keeps a second process from writing the same file.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from psycopg.abc import Buffer
from psycopg.adapt import Loader
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool

from hub.errors import ConfigError

P = ParamSpec("P")
T = TypeVar("T")

_READERS = 4
_CACHE_KIB = 16_384
_STATEMENTS = 128  # kept prepared; a bulk statement takes some 50 KB
_RETRIES = 5
_SERIALIZATION = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock detected


class Database:
    """Opens the database of `url`. `close()` waits for running functions."""

    def __init__(self, url: str, *, exclusive: bool = False) -> None:
        self.url: URL = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect not in {"sqlite", "postgresql"}:
            raise ConfigError(
                f"database.url names {self.dialect!r}.",
                key="database.url",
                known=("sqlite", "postgresql"),
            )
        self._lock = self._take_lock() if exclusive and self.is_sqlite else None
        self._writer, self._readers = self._engines()
        workers = 1 if self.is_sqlite else _READERS
        self._write_pool = ThreadPoolExecutor(workers, thread_name_prefix="db-write")
        self._read_pool = ThreadPoolExecutor(_READERS, thread_name_prefix="db-read")
        self._relaxed = False

    @property
    def is_sqlite(self) -> bool:
        """Whether one file holds everything."""
        return self.dialect == "sqlite"

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    async def write(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` in a durable transaction on the writer."""
        done: T = await self._run(self._write_pool, self._write, True, fn, *args, **kwargs)
        return done

    async def write_page(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn`, which stores nothing but a page and what follows from it, with its cursor.

        On SQLite a power failure (not a crash) may undo the last such transactions whole; the
        page is then pulled again.
        """
        done: T = await self._run(self._write_pool, self._write, False, fn, *args, **kwargs)
        return done

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` on a reader; it sees one snapshot and must not write."""
        found: T = await self._run(self._read_pool, self._read, fn, *args, **kwargs)
        return found

    async def close(self) -> None:
        """Wait for what runs, then close connections and give the lock back."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._write_pool.shutdown(wait=True)
        self._read_pool.shutdown(wait=True)
        self._readers.dispose()
        self._writer.dispose()
        if self._lock is not None:
            self._lock.close()

    async def _run(self, pool: ThreadPoolExecutor, fn: Any, *args: Any, **kwargs: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, lambda: fn(*args, **kwargs))

    def _write(self, durable: bool, fn: Any, *args: Any, **kwargs: Any) -> Any:
        for attempt in range(_RETRIES):
            try:
                with self._writer.connect() as conn:
                    self._set_durability(conn, durable=durable)
                    with conn.begin():
                        return fn(conn, *args, **kwargs)
            except DBAPIError as error:
                if attempt == _RETRIES - 1 or not _worth_repeating(error):
                    raise
        raise AssertionError("unreachable")

    def _set_durability(self, conn: Connection, *, durable: bool) -> None:
        """Switch between transactions, never inside one; SQLite keeps the setting per connection."""
        if not self.is_sqlite or self._relaxed is not durable:
            return
        mode = "FULL" if durable else "NORMAL"
        cursor = conn.connection.cursor()
        cursor.execute(f"PRAGMA synchronous={mode}")
        cursor.close()
        self._relaxed = not durable

    def _read(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        with self._readers.connect() as conn, conn.begin():
            return fn(conn, *args, **kwargs)

    def _engines(self) -> tuple[Engine, Engine]:
        if self.is_sqlite:
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            return self._sqlite(writes=True), self._sqlite(writes=False)
        url = self.url.set(drivername="postgresql+psycopg")
        engine = create_engine(
            url, pool_size=2 * _READERS, hide_parameters=True, pool_pre_ping=True
        )
        event.listen(engine, "connect", _prepare_postgres)
        return engine, engine

    def _sqlite(self, *, writes: bool) -> Engine:
        engine = create_engine(
            self.url,
            hide_parameters=True,
            poolclass=StaticPool if writes else None,
            connect_args={
                "check_same_thread": False,
                "timeout": 30.0,
                "cached_statements": _STATEMENTS,
            },
        )
        event.listen(engine, "connect", _prepare_writer if writes else _prepare_reader)
        event.listen(engine, "begin", _begin_immediate if writes else _begin)
        return engine

    def _take_lock(self) -> IO[str]:
        """Hold `<file>.lock` for as long as this process writes; the system frees it at any death."""
        path = Path(f"{self.url.database}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            owner = handle.read().strip() or "another process"
            handle.close()
            raise BusyError(owner) from error
        handle.truncate(0)
        handle.write(f"process {os.getpid()}")
        handle.flush()
        return handle


class BusyError(ConfigError):
    """The SQLite file is being written by another process."""

    def __init__(self, owner: str) -> None:
        super().__init__(
            f"The hub's database is in use by {owner}: stop that process first, or use PostgreSQL, "
            "which any number of processes may share.",
            key="database.url",
        )


def _worth_repeating(error: DBAPIError) -> bool:
    """Tell whether the whole transaction may simply be run again."""
    state = getattr(error.orig, "sqlstate", None)
    if state in _SERIALIZATION:
        return True
    return isinstance(error, OperationalError) and error.connection_invalidated


def _prepare(raw: sqlite3.Connection) -> None:
    raw.isolation_level = None
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    raw.execute("PRAGMA temp_store=MEMORY")


def _prepare_writer(raw: Any, _record: Any) -> None:
    _prepare(raw)
    raw.execute("PRAGMA wal_autocheckpoint=8000")
    database = raw.execute("PRAGMA database_list").fetchone()[2]
    if database:
        Path(database).chmod(0o600)


def _prepare_reader(raw: Any, _record: Any) -> None:
    _prepare(raw)
    raw.execute("PRAGMA wal_autocheckpoint=0")
    raw.execute("PRAGMA query_only=1")


def _prepare_postgres(raw: Any, _record: Any) -> None:
    """Let instants come back as the same text SQLite keeps (see `hub.db.types`)."""
    raw.execute("SET TIME ZONE 'UTC'")
    raw.commit()
    raw.adapters.register_loader("timestamptz", InstantLoader)


class InstantLoader(Loader):
    """Reads `2026-10-05 08:00:00[.123]+00` (a session in UTC) as the sortable text."""

    def load(self, data: Buffer) -> str:
        """Return the text form of one value."""
        text = bytes(data).decode()
        fraction = text[20:-3].ljust(6, "0") if text[19] == "." else "000000"
        return f"{text[:10]}T{text[11:19]}.{fraction}Z"


def _begin_immediate(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN")

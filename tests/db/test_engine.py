"""One database, two engines: bulk statements, instants, transactions, durability, one process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from hub.db import Connection, Database, alerts, flows, leases, observed
from hub.db.bulk import CHUNK, change, execute_many, fetch, fetch_in, insert, upsert
from hub.db.engine import BusyError
from hub.db.flows import Counts, Flow
from hub.db.migrate import migrate
from hub.errors import ConfigError, HubError
from tests.sync.world import wipe

FLOW = Flow("mer_1", "con_1", "order")
NOW = "2026-10-05T08:00:00.000000Z"
REF = (
    "merchant_id",
    "connection_id",
    "kind",
    "external_id",
    "internal_id",
    "first_seen_at",
    "last_seen_at",
)


def refs(count: int, start: int = 0) -> list[tuple[Any, ...]]:
    return [
        ("mer_1", "con_1", "order", f"O{n:06d}", f"ord_{n}", NOW, NOW)
        for n in range(start, start + count)
    ]


# --- bulk -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7])
async def test_a_list_longer_than_one_statement_takes_is_read_whole(
    db: Database, count: int
) -> None:
    await db.write(insert, "external_ref", REF, refs(count))

    found = await db.read(observed.refs, FLOW, [f"O{n:06d}" for n in range(count)])

    assert found == {f"O{n:06d}": f"ord_{n}" for n in range(count)}


async def test_an_upsert_changes_what_it_is_told_and_keeps_the_rest(db: Database) -> None:
    await db.write(insert, "external_ref", REF, refs(2))
    later = "2026-10-06T08:00:00.000000Z"
    again = [("mer_1", "con_1", "order", f"O{n:06d}", "other", later, later) for n in range(3)]

    await db.write(upsert, "external_ref", REF, again, key=REF[:4], update=("last_seen_at",))

    rows = await db.read(
        fetch,
        "SELECT internal_id, first_seen_at, last_seen_at FROM external_ref ORDER BY external_id",
    )
    assert rows == [("ord_0", NOW, later), ("ord_1", NOW, later), ("other", later, later)]


async def test_an_upsert_of_nothing_keeps_the_old_row(db: Database) -> None:
    await db.write(insert, "external_ref", REF, refs(1))

    await db.write(
        upsert,
        "external_ref",
        REF,
        [("mer_1", "con_1", "order", "O000000", "other", NOW, NOW)],
        key=REF[:4],
        update=(),
    )

    assert await db.read(observed.refs, FLOW, ["O000000"]) == {"O000000": "ord_0"}


async def test_a_known_key_is_refused_by_a_plain_insert(db: Database) -> None:
    await db.write(insert, "external_ref", REF, refs(1))
    with pytest.raises(IntegrityError) as refused:
        await db.write(insert, "external_ref", REF, refs(2))

    assert "ord_1" not in str(refused.value)
    assert len(await db.read(fetch, "SELECT external_id FROM external_ref")) == 1


async def test_a_percent_sign_and_a_question_in_a_value_are_only_text(db: Database) -> None:
    hostile = ("mer_1", "con_1", "order", "100% ?; DROP TABLE tally; --", "ord_1", NOW, NOW)
    await db.write(insert, "external_ref", REF, [hostile])

    assert await db.read(observed.refs, FLOW, [hostile[3]]) == {hostile[3]: "ord_1"}
    found = await db.read(
        fetch,
        "SELECT external_id FROM external_ref WHERE external_id LIKE '100%%' AND kind=?",
        ("order",),
    )
    assert found == [(hostile[3],)]


async def test_a_statement_for_no_rows_is_no_statement(db: Database) -> None:
    def nothing(conn: Connection) -> None:
        insert(conn, "external_ref", REF, [])
        upsert(conn, "external_ref", REF, [], key=REF[:4])
        execute_many(conn, "DELETE FROM no_such_table", [])
        assert fetch_in(conn, "SELECT 1 FROM no_such_table WHERE x IN ({})", (), []) == []

    await db.write(nothing)


# --- instants -------------------------------------------------------------------------------------

instants = (
    st.datetimes()
    .filter(lambda d: 1970 <= d.year <= 2200)
    .map(lambda d: d.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(instants, min_size=1, max_size=8, unique=True))
async def test_instants_come_back_as_the_same_text_and_sort_as_time(
    db: Database, texts: list[str]
) -> None:
    wipe(db.engine)
    rows = [("mer_1", "con_1", "order", f"O{n}", "ord", text, text) for n, text in enumerate(texts)]
    await db.write(insert, "external_ref", REF, rows)

    found = await db.read(fetch, "SELECT first_seen_at FROM external_ref ORDER BY first_seen_at")
    middle = sorted(texts)[len(texts) // 2]
    earlier = await db.read(
        fetch, "SELECT first_seen_at FROM external_ref WHERE first_seen_at<?", (middle,)
    )

    assert [row[0] for row in found] == sorted(texts)
    assert sorted(row[0] for row in earlier) == [text for text in sorted(texts) if text < middle]


# --- transactions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["write", "write_page"])
async def test_a_function_that_raises_leaves_nothing_behind(db: Database, verb: str) -> None:
    def half(conn: Connection) -> None:
        insert(conn, "external_ref", REF, refs(1))
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        await getattr(db, verb)(half)

    assert await db.read(fetch, "SELECT count(*) FROM external_ref") == [(0,)]


async def test_a_reader_sees_what_was_committed_and_nothing_else(db: Database) -> None:
    seen: list[int] = []
    loop = asyncio.get_running_loop()

    def slowly(conn: Connection) -> None:
        insert(conn, "external_ref", REF, refs(1))
        count = asyncio.run_coroutine_threadsafe(
            db.read(fetch, "SELECT count(*) FROM external_ref"), loop
        )
        seen.append(count.result(10)[0][0])

    await db.write(slowly)

    assert seen == [0]
    assert await db.read(fetch, "SELECT count(*) FROM external_ref") == [(1,)]


async def test_many_writers_at_once_lose_nothing(db: Database) -> None:
    await asyncio.gather(
        *(db.write(flows.count, FLOW, Counts(received=2, applied=1, held=1)) for _ in range(40))
    )

    [tally] = await db.read(flows.tallies, "mer_1")
    assert (tally["received"], tally["applied"], tally["held"]) == (80, 40, 40)


async def test_counts_that_do_not_add_up_are_a_bug_and_never_stored(db: Database) -> None:
    with pytest.raises(HubError, match="The counts of order do not add up"):
        await db.write(flows.count, FLOW, Counts(received=2, applied=1))

    assert await db.read(flows.tallies, "mer_1") == []


def test_a_database_of_another_kind_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"names 'mysql'. Allowed: postgresql, sqlite."):
        Database("mysql://localhost/hub")


# --- flows and leases -----------------------------------------------------------------------------


async def test_freshness_counts_from_the_start_of_the_last_walk_that_ended(db: Database) -> None:
    first, second = "2026-10-05T09:00:00.000000Z", "2026-10-05T10:00:00.000000Z"
    await db.write(flows.move, FLOW, {"at": 1}, walk_started_at=first, done=True, now=first)
    await db.write(flows.move, FLOW, {"at": 2}, walk_started_at=second, done=False, now=second)

    place = await db.read(flows.position, FLOW)

    assert (place.value, place.walk_started_at, place.finished_walk_at) == (
        {"at": 2},
        second,
        first,
    )
    assert await db.read(flows.position, Flow("mer_2", "con_1", "order")) == flows.START


async def test_an_alert_is_said_once_until_it_is_closed(db: Database) -> None:
    said = {"cause": "Retry", "message": "It is down.", "hint": None, "now": NOW}

    first = await db.write(alerts.raise_alert, "mer_1", "con_1", "order:pull", **said)
    second = await db.write(alerts.raise_alert, "mer_1", "con_1", "order:pull", **said)
    closed = await db.write(alerts.close_alert, "mer_1", "con_1", "order:pull", NOW)
    third = await db.write(alerts.raise_alert, "mer_1", "con_1", "order:pull", **said)

    assert (first, second, closed, third) == (True, False, True, True)
    assert len(await db.read(alerts.open_alerts, "mer_1")) == 1
    assert await db.read(alerts.open_alerts, "mer_2") == []


T = [f"2026-10-05T08:0{n}:00.000000Z" for n in range(6)]


async def test_a_lease_has_one_holder_and_a_generation(db: Database) -> None:
    one = await db.write(leases.take, "mer_1", "a", "left", now=T[0], until=T[1])

    assert await db.write(leases.take, "mer_1", "a", "right", now=T[0], until=T[2]) is None
    assert await db.write(leases.renew, "mer_1", "a", one, until=T[2])
    assert await db.write(leases.take, "mer_1", "a", "right", now=T[1], until=T[3]) is None
    two = await db.write(leases.take, "mer_1", "a", "right", now=T[3], until=T[5])
    assert (one, two) == (1, 2)


async def test_a_lease_that_lapsed_and_was_taken_changes_nothing_any_more(db: Database) -> None:
    """INV-8: the loser's generation is worth nothing, whatever it still does."""
    one = await db.write(leases.take, "mer_1", "a", "left", now=T[0], until=T[1])
    two = await db.write(leases.take, "mer_1", "a", "right", now=T[2], until=T[4])

    assert await db.write(leases.renew, "mer_1", "a", one, until=T[5]) is False
    await db.write(leases.give_back, "mer_1", "a", one, now=T[2])

    assert await db.read(fetch, "SELECT holder, generation, expires_at FROM lease") == [
        ("right", two, T[4])
    ]


async def test_a_lease_given_back_is_free_and_one_merchants_is_not_anothers(db: Database) -> None:
    one = await db.write(leases.take, "mer_1", "a", "left", now=T[0], until=T[4])
    other = await db.write(leases.take, "mer_2", "a", "right", now=T[0], until=T[4])
    await db.write(leases.give_back, "mer_1", "a", one, now=T[1])

    assert other == 1
    assert await db.write(leases.take, "mer_1", "a", "right", now=T[2], until=T[4]) == 2


async def test_of_many_that_reach_for_a_lease_one_gets_it(db: Database) -> None:
    got = await asyncio.gather(
        *(
            db.write(leases.take, "mer_1", "a", f"worker {n}", now=T[0], until=T[1])
            for n in range(20)
        )
    )

    assert [generation for generation in got if generation is not None] == [1]


# --- SQLite ---------------------------------------------------------------------------------------


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Database]:
    db = Database(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(db.engine)
    yield db
    db._close()


def pragma(conn: Connection, name: str) -> Any:
    return conn.exec_driver_sql(f"PRAGMA {name}").scalar()


async def test_sqlite_is_durable_except_for_pages_and_switches_back(lite: Database) -> None:
    full, normal = 2, 1
    modes = [
        await lite.write(pragma, "synchronous"),
        await lite.write_page(pragma, "synchronous"),
        await lite.write(pragma, "synchronous"),
        await lite.write_page(pragma, "synchronous"),
    ]

    assert modes == [full, normal, full, normal]
    assert await lite.read(pragma, "synchronous") == full
    assert await lite.write(pragma, "journal_mode") == "wal"
    assert await lite.read(pragma, "wal_autocheckpoint") == 0, "the writer alone checkpoints"


async def test_a_reader_of_sqlite_cannot_write(lite: Database) -> None:
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 - this test alone

    with pytest.raises(OperationalError, match="readonly"):
        await lite.read(insert, "external_ref", REF, refs(1))


def test_the_file_is_the_hubs_alone(lite: Database) -> None:
    assert Path(str(lite.url.database)).stat().st_mode & 0o777 == 0o600


def test_a_second_writer_of_one_file_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    first = Database(url, exclusive=True)

    with pytest.raises(
        BusyError, match=r"in use by process \d+: stop that process first, or use PostgreSQL"
    ):
        Database(url, exclusive=True)
    code = f"from hub.db import Database; Database({url!r}, exclusive=True)"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    first._close()
    Database(url, exclusive=True)._close()

    assert other.returncode == 1
    assert "in use by process" in other.stderr


async def test_an_unchanged_row_is_not_counted_as_changed(db: Database) -> None:
    await db.write(insert, "external_ref", REF, refs(3))

    assert await db.write(change, "DELETE FROM external_ref WHERE external_id=?", ("none",)) == 0
    assert (
        await db.write(change, "DELETE FROM external_ref WHERE external_id<>?", ("O000001",)) == 2
    )

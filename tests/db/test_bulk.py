"""Bulk writing against a model: whatever is null, equal or different in a batch, every row arrives."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Database
from hub.db.bulk import fetch, insert, upsert, write_columns
from tests.sync.world import wipe

SEEN = "2026-10-05T08:00:00.000000Z"
COLUMNS = (
    "merchant_id", "connection_id", "kind", "external_id", "version", "hash", "source_updated_at",
    "archive_id", "seen_at",
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM observed WHERE merchant_id=? ORDER BY external_id"  # noqa: S608 - our own names

rests = st.tuples(
    st.sampled_from([0, 1, 2]),
    st.sampled_from([b"", b"\x00", b"h"]),
    st.sampled_from([None, SEEN]),
    st.sampled_from([None, "", "arc_1", "a'?%s"]),
    st.just(SEEN),
)
batches = st.lists(
    st.dictionaries(st.integers(0, 400).map(lambda n: f"O{n}"), rests, min_size=1, max_size=300),
    min_size=1,
    max_size=3,
)


def rows_of(batch: dict[str, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [("mer_1", "con_1", "order", key, *rest) for key, rest in batch.items()]


def stored(conn: Any) -> list[tuple[Any, ...]]:
    return [(*row[:5], bytes(row[5]), *row[6:]) for row in fetch(conn, SELECT, ("mer_1",))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches=batches)
def test_upserts_of_any_batches_leave_the_last_value_of_every_row(
    db: Database, batches: list[dict[str, tuple[Any, ...]]]
) -> None:
    wipe(db.engine)
    model: dict[str, tuple[Any, ...]] = {}
    with db.engine.connect() as conn, conn.begin():
        for batch in batches:
            upsert(conn, "observed", COLUMNS, rows_of(batch), key=COLUMNS[:4])
            model |= batch

        assert stored(conn) == sorted(rows_of(model), key=lambda row: row[3])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batch=batches.map(lambda found: found[0]))
def test_columns_and_rows_are_written_alike(
    db: Database, batch: dict[str, tuple[Any, ...]]
) -> None:
    wipe(db.engine)
    rows = rows_of(batch)
    with db.engine.connect() as conn, conn.begin():
        insert(conn, "observed", COLUMNS, rows)
        by_rows = stored(conn)
    wipe(db.engine)
    with db.engine.connect() as conn, conn.begin():
        same = {"kind": "order", "connection_id": "con_1", "merchant_id": "mer_1"}
        columns = list(zip(COLUMNS[3:], zip(*(row[3:] for row in rows), strict=True), strict=True))
        write_columns(conn, "observed", same, columns, key=COLUMNS[:4], update=None)

        assert stored(conn) == by_rows == sorted(rows, key=lambda row: row[3])

"""What the simulated shop remembers: plain rows in memory, written through to one SQLite file.

A change becomes durable in the transaction of ``commit``; killing the process loses nothing that
was answered. Rows are plain JSON values; money is in minor units, times in microseconds.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

Row = dict[str, Any]

KINDS = ("location", "product", "level", "customer", "order", "idempotency", "job", "group")
# Big ids on purpose (rule S21): a client that keeps them in 32 bits or a float breaks here.
_FIRST_ID = 5_811_000_000_000


class Store:
    """Rows by kind and id, with counters and settings beside them."""

    def __init__(self, path: Path | None) -> None:
        self.rows: dict[str, dict[int, Row]] = {kind: {} for kind in KINDS}
        self.meta: dict[str, Any] = {}
        self.changed: set[tuple[str, int]] = set()
        self._file = sqlite3.connect(path or ":memory:", isolation_level=None)
        if path is not None:
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS row (kind TEXT, id INTEGER, body TEXT, PRIMARY KEY (kind, id))"
        )
        self._file.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, body TEXT)")
        self._load()

    def _load(self) -> None:
        for kind, key, body in self._file.execute("SELECT kind, id, body FROM row ORDER BY id"):
            self.rows[kind][key] = json.loads(body)
        for name, body in self._file.execute("SELECT name, body FROM meta"):
            self.meta[name] = json.loads(body)

    def new_id(self) -> int:
        """Return an id no row ever had."""
        self.meta["last_id"] = self.meta.get("last_id", _FIRST_ID) + 3
        return int(self.meta["last_id"])

    def count(self, name: str, by: int = 1) -> int:
        """Move a counter and return where it stands."""
        self.meta[name] = self.meta.get(name, 0) + by
        return int(self.meta[name])

    def put(self, kind: str, row: Row) -> Row:
        """Keep a new or changed row."""
        self.rows[kind][row["id"]] = row
        self.changed.add((kind, row["id"]))
        return row

    def drop(self, kind: str, key: int) -> None:
        """Forget a row."""
        self.rows[kind].pop(key, None)
        self.changed.add((kind, key))

    def commit(self) -> set[tuple[str, int]]:
        """Write every change in one transaction; return what had changed."""
        changed, self.changed = self.changed, set()
        self._file.execute("BEGIN")
        for kind, key in changed:
            row = self.rows[kind].get(key)
            if row is None:
                self._file.execute("DELETE FROM row WHERE kind = ? AND id = ?", (kind, key))
            else:
                self._file.execute(
                    "INSERT OR REPLACE INTO row VALUES (?, ?, ?)",
                    (kind, key, json.dumps(row, ensure_ascii=False)),
                )
        self._file.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(name, json.dumps(value)) for name, value in self.meta.items()],
        )
        self._file.execute("COMMIT")
        return changed

    def close(self) -> None:
        """Close the file."""
        self._file.close()

"""A page made ready: compared with what was seen, mapped. Everything that needs no transaction.

What is equal to what was seen is not even mapped. What does not fit its mapping becomes a
hold; its neighbours go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.db import Connection, observed
from hub.db.flows import Flow
from hub.db.observed import Seen
from hub.records.rows import Row
from hub.sdk import Page
from hub.sync.reading import Found, Named, Reading, Records, causes_of, digest_of, text_of

Hide = Mapping[str, Callable[[str], str]]
"""Kind to a function that hides keys which are personal."""


@dataclass(slots=True)
class Unit:
    """One record found in a document: its mapped row, or (`new`) what it is first stored as."""

    kind: str
    key: str
    row: Sequence[Any] | None
    digest: bytes
    body: bytes
    updated_at: str | None
    seen: Seen | None
    new: Row | None = None

    @property
    def fields(self) -> Sequence[Any]:
        """The record's values by place, in whichever form they are there."""
        found = self.row if self.new is None else self.new
        assert found is not None  # noqa: S101 - one of the two is there by construction
        return found


@dataclass(slots=True)
class Bad:
    """One record that could not be made, with every reason."""

    kind: str
    key: str
    causes: list[dict[str, Any]]
    body: bytes
    digest: bytes


@dataclass(slots=True)
class Prepared:
    """A page on its way into its transaction, by kind."""

    units: dict[str, list[Unit]] = field(default_factory=dict)
    bad: list[Bad] = field(default_factory=list)
    duplicates: dict[str, int] = field(default_factory=dict)

    def supersede(self, kind: str, key: str) -> None:
        """Let a good version take the place of a bad one that came before it in the page."""
        if not self.bad:
            return
        left = [bad for bad in self.bad if (bad.kind, bad.key) != (kind, key)]
        _add(self.duplicates, kind, len(self.bad) - len(left))
        self.bad = left

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be applied."""
        return not self.units and not self.bad


def prepare(
    conn: Connection, flow: Flow, page: Page, named: Sequence[Named], reading: Reading, hide: Hide
) -> Prepared:
    """Make a named page ready: map what is new or changed; the last of several versions in it wins.

    Runs on a reader.
    """
    out = Prepared()
    latest: dict[tuple[str, str], Unit] = {}
    hidden = [hidden_keys(item, hide) for item in named]
    seen = {
        kind: observed.seen(conn, replace(flow, kind=kind), keys)
        for kind, keys in _wanted(hidden).items()
    }
    for item, keys in zip(named, hidden, strict=True):
        _take(out, latest, flow.kind, item, keys, seen, reading)
    for unit in latest.values():
        out.units.setdefault(unit.kind, []).append(unit)
    for fault in page.faults:
        body, digest = digest_of(fault.document)
        out.bad.append(Bad(flow.kind, fault.key, causes_of(fault.error), body, digest))
    return out


def hidden_keys(item: Named, hide: Hide) -> dict[str, list[str]]:
    """Return the keys of a document's records, personal ones hidden."""
    return {
        kind: [hide[kind](key) for key in keys] if kind in hide else keys
        for kind, keys in item.keys.items()
    }


def _wanted(named: Sequence[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Return kind to the external ids whose last sight must be looked up."""
    out: dict[str, list[str]] = {}
    for item in named:
        for kind, keys in item.items():
            if keys:
                out.setdefault(kind, []).extend(keys)
    return out


def _take(
    out: Prepared,
    latest: dict[tuple[str, str], Unit],
    stream: str,
    item: Named,
    keys: Mapping[str, Sequence[str]],
    seen: Mapping[str, Mapping[str, Seen]],
    reading: Reading,
) -> None:
    """Take in the records of one document, unless it is unreadable or equal to what was seen."""
    if item.causes:
        name = f"unreadable:{item.digest.hex()}"
        out.bad.append(Bad(stream, name, list(item.causes), item.body, item.digest))
        return
    known = [seen[kind].get(key) for kind, found in keys.items() for key in found]
    if known and all(one is not None and one.hash == item.digest for one in known):
        for kind, found in keys.items():
            _add(out.duplicates, kind, len(found))
        return
    records, are_new = item.records, not any(known)
    if records is None or not are_new:
        records = reading.read(text_of(item), keys, are_new=are_new)
    for kind, found in keys.items():
        if found:
            _add_records(out, latest, seen[kind], item, kind, found, records[kind])


def _add(counts: dict[str, int], kind: str, more: int) -> None:
    if more:
        counts[kind] = counts.get(kind, 0) + more


def _add_records(
    out: Prepared,
    latest: dict[tuple[str, str], Unit],
    seen: Mapping[str, Seen],
    item: Named,
    kind: str,
    keys: Sequence[str],
    records: Records,
) -> None:
    if records and isinstance(records[0], dict):
        out.bad += [Bad(kind, key, list(records), item.body, item.digest) for key in keys]
        return
    for key, found in zip(keys, records, strict=True):
        assert isinstance(found, Found)  # noqa: S101 - causes were dealt with above
        known = seen.get(key)
        unit = Unit(
            kind, key, found.row, item.digest, item.body, found.updated_at, known, found.new
        )
        out.supersede(kind, key)
        before = latest.get((kind, key))
        if before is not None:
            _add(out.duplicates, kind, 1)
            if (unit.updated_at or "") < (before.updated_at or ""):
                continue
        latest[kind, key] = unit

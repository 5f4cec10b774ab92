"""The life of a file: seen in `in/`, claimed into `work/`, kept in `archive/` or `quarantine/`.

    in/X.csv (+ marker)  ->  work/<day>/X.csv  ->  archive/YYYY/MM/DD/<store>/<utc>_<sha8>_X.csv
                                               ->  quarantine/<code>/<utc>_X.csv
                                               ->  back to in/ (unfinished, or changed while read)

A claim is one atomic rename: of two claimers one wins, the other finds nothing. What stands in
`work/` when a run starts was left by a run that died; the engine lets one reader at a time at a
connection, so it is ours to finish. Nothing is ever deleted. Rules: `channels/pos_csv.md`, 2 and 9.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from connectors.pos_csv.errors import Code, FileProblem
from connectors.pos_csv.settings import Settings
from hub.errors import Rejected
from hub.sdk import Entry, Folder

MARKERS: Final = (".done", ".ok", ".ctl")
SIDECARS: Final = (".errors.csv", ".errors.json", ".rejected.csv", ".done.json")
_UNFINISHED: Final = (".tmp", ".part", ".filepart", ".uploading", ".crdownload")


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is ours: where it stands now, and as which file it came."""

    at: str
    name: str
    entry: Entry
    adopted: bool = False
    """Left in `work/` by an earlier run."""


class Watch:
    """Remembers sizes between polls of one instance, for writers whose clock cannot be trusted."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, float, float]] = {}

    def is_settled(self, entry: Entry, now_s: float, settle_s: float) -> bool:
        """Tell whether size and time have not moved for `settle_s`, by its clock or by our polls."""
        size, mtime, since = self._since.get(entry.name, (-1, -1.0, now_s))
        if (size, mtime) != (entry.size_bytes, entry.mtime_s):
            self._since[entry.name] = (entry.size_bytes, entry.mtime_s, now_s)
            since = now_s
        return now_s - entry.mtime_s >= settle_s or (settle_s > 0 and now_s - since >= settle_s)


async def ready(folder: Folder, rules: Settings, watch: Watch, now: datetime) -> list[Entry]:
    """Return the files that may be claimed, oldest first, so that a correction comes last."""
    entries = {PurePosixPath(e.name).name: e for e in await folder.list("in/*")}
    found = []
    for name, entry in entries.items():
        if not _is_data(name, rules.glob):
            continue
        if rules.ready_mode == "marker" and not any(name + mark in entries for mark in MARKERS):
            continue
        if rules.ready_mode == "stable" and not watch.is_settled(
            entry, now.timestamp(), rules.settle_s
        ):
            continue
        found.append(entry)
    return sorted(found, key=lambda e: (e.mtime_s, e.name))[: rules.max_files]


async def lost_markers(folder: Folder, rules: Settings, now: datetime) -> list[Entry]:
    """Return markers whose file never came."""
    entries = {PurePosixPath(e.name).name: e for e in await folder.list("in/*")}
    return [
        entry
        for name, entry in entries.items()
        for mark in MARKERS
        if name.endswith(mark)
        and name.removesuffix(mark) not in entries
        and now.timestamp() - entry.mtime_s > rules.marker_grace_s
    ]


def _is_data(name: str, glob: str) -> bool:
    low = name.lower()
    return (
        fnmatchcase(low, glob.lower())
        and not name.startswith((".", "~$"))
        and not low.endswith((*_UNFINISHED, *MARKERS, *SIDECARS))
    )


async def claim(folder: Folder, entry: Entry, now: datetime) -> Claim | None:
    """Take a file out of `in/`; None when somebody else was quicker or it has moved on."""
    name = PurePosixPath(entry.name).name
    at = f"work/{now:%Y%m%d}/{name}"
    try:
        if not await folder.rename(entry.name, at):
            return None
    except Rejected:
        return None  # an earlier file of this name is still being worked on
    await _bring_marker(folder, name, at)
    taken = await folder.stat(at)
    return Claim(at, name, taken) if taken else None


async def _bring_marker(folder: Folder, name: str, at: str) -> None:
    for mark in MARKERS:
        await _move(folder, f"in/{name}{mark}", f"{at}{mark}")


async def adopt(folder: Folder) -> list[Claim]:
    """Return what an earlier run left in `work/`, oldest first."""
    entries = await folder.list("work/*/*")
    names = {entry.name for entry in entries}
    here = {PurePosixPath(e.name).name for e in await folder.list("in/*")}
    claims = []
    for entry in sorted(entries, key=lambda e: (e.mtime_s, e.name)):
        name = PurePosixPath(entry.name).name
        if any(
            entry.name.endswith(s) and entry.name.removesuffix(s) in names
            for s in (*MARKERS, *SIDECARS)
        ):
            continue
        if name not in here:
            await _bring_marker(folder, name, entry.name)
        claims.append(Claim(entry.name, name, entry, adopted=True))
    return claims


async def refuse_unconfirmed(folder: Folder, taken: Claim, sha256: str) -> None:
    """Raise `INCOMPLETE` when the writer's marker names another hash or size than the file has."""
    for mark in MARKERS:
        if await folder.stat(taken.at + mark) is None:
            continue
        raw = (await folder.fetch(taken.at + mark)).read_bytes()[:65_536]
        try:
            said = json.loads(raw)
        except ValueError:
            continue
        if isinstance(said, dict) and (
            said.get("sha256", sha256) != sha256
            or said.get("bytes", taken.entry.size_bytes) != taken.entry.size_bytes
        ):
            raise FileProblem(
                "INCOMPLETE", "the file is not the one its marker tells of", partial=True
            )


async def give_back(folder: Folder, taken: Claim, sha256: str) -> None:
    """Put a file back into `in/`; beside a newer one of its name it gets a name of its own."""
    name = taken.name
    if await folder.stat(f"in/{name}") is not None:
        path = PurePosixPath(name)
        name = f"{path.stem}-{sha256[:8]}{path.suffix}"
    for mark in MARKERS:
        await _move(folder, taken.at + mark, f"in/{name}{mark}")
    await _move(folder, taken.at, f"in/{name}")


async def archive(folder: Folder, taken: Claim, *, sha256: str, store: str, now: datetime) -> str:
    """Keep a finished file with its marker and reports; return its new name."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"[:-3] + "Z"
    target = f"archive/{now:%Y/%m/%d}/{store or '_'}/{stamp}_{sha256[:8]}_{taken.name}"
    await _move_all(folder, taken, target)
    return target


async def quarantine(folder: Folder, taken: Claim, *, code: Code, now: datetime) -> str:
    """Set a refused file aside under its reason; return its new name."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"[:-3] + "Z"
    target = f"quarantine/{code}/{stamp}_{taken.name}"
    await _move_all(folder, taken, target)
    return target


async def _move_all(folder: Folder, taken: Claim, target: str) -> None:
    for tail in (*MARKERS, *SIDECARS):
        await _move(folder, taken.at + tail, target + tail)
    await _move(folder, taken.at, target)  # last: a crash before it is repeated from `work/`


async def _move(folder: Folder, old: str, new: str) -> None:
    try:
        await folder.rename(old, new)
    except Rejected:
        path = PurePosixPath(new)
        await folder.rename(old, f"{path.parent}/again-{path.name}")

"""The till's folder: sales files it drops in `in/`, stock files it picks up from `out/`.

A file is complete when `X.csv.done` stands beside it, with its rows and SHA-256. What becomes of
a file is seen from outside only: gone from `in/` and `work/` means taken, and the archive's name
says when.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.pos_csv import sheets
from sandbox.pos_csv.till import Till

_STAMP = re.compile(r"(\d{8}T\d{6})(\d{3})Z_")
_WINDOW = 5


def put(path: Path, content: bytes, *, sync: bool = True, mtime_s: float | None = None) -> None:
    """Write a file so that it appears whole; with `sync` also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.tmp")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    if mtime_s is not None:
        os.utime(half, (mtime_s, mtime_s))
    half.replace(path)


class Drops:
    """One till's folder."""

    def __init__(self, root: Path, till: Till, chances: dict[str, float]) -> None:
        self.root, self.till, self.chances = root, till, chances
        for name in ("in", "out"):
            (root / name).mkdir(parents=True, exist_ok=True)

    # Out: sales files

    def flush(self, now: float) -> str | None:
        """Write what is pending as one file, or go on with one that grows; return its name."""
        state = self.till.state
        if state["growing"]:
            self._grow()
            return None
        if not state["pending"]:
            return None
        rng = random.Random(f"{self.till.seed}:{self.till.code}:file:{state['file_no']}")  # noqa: S311 - a script
        if self._hit(rng, "correction"):
            self.till.correct(rng)
        numbers = list(dict.fromkeys(state["pending"]))
        if self._hit(rng, "overlap"):
            earlier = [no for no in list(state["receipts"])[-4 * _WINDOW :] if no not in numbers]
            numbers = earlier[-_WINDOW:] + numbers
        chosen = [dict(state["receipts"][no]) for no in numbers]
        if self._hit(rng, "newline"):
            chosen[0]["memo"] = '加急, "今天"\r\n请包装'
            state["receipts"][numbers[0]]["memo"] = chosen[0]["memo"]
        content = sheets.render(
            self.till.layout, chosen, shop=self.till.name, titled=self._hit(rng, "title")
        )
        state["file_no"] += 1
        stamp = datetime.fromtimestamp(now, UTC)
        name = f"sales_{self.till.code}_{stamp:%Y%m%d%H%M%S}_{state['file_no']:05d}.csv"
        state["files"][name] = {
            "receipts": numbers, "sha256": hashlib.sha256(content).hexdigest(), "at": now, "taken_at": None,
            "written": False, "again": self._hit(rng, "duplicate"),
        }  # fmt: skip
        for event in self.till.open_events:
            if event["no"] in numbers:
                event["files"].append(name)
        state["pending"] = []
        if self._hit(rng, "growing"):
            state["growing"] = {"name": name, "text": content.hex(), "at": 0}
        else:
            state["planned"] = {"name": name, "text": content.hex()}
        return name

    def finish(self) -> None:
        """Write the planned file; called after the books are saved, and again after a restart."""
        planned = self.till.state.pop("planned", None)
        if planned:
            self._drop(planned["name"], bytes.fromhex(planned["text"]))

    def _drop(self, name: str, content: bytes) -> None:
        path = self.root / "in" / name
        when = time.time()
        put(path, content, mtime_s=when)
        told = {"rows": content.count(b"\r\n"), "sha256": hashlib.sha256(content).hexdigest()}
        put(path.with_name(name + ".done"), json.dumps(told).encode())
        self.till.state["files"][name]["written"] = True
        if self.till.state["files"][name]["again"]:
            copy = path.with_name(name.replace(".csv", "-again.csv"))
            put(copy, content, mtime_s=when)  # a copy keeps the time of what it copies
            put(copy.with_name(copy.name + ".done"), json.dumps(told).encode())

    def _grow(self) -> None:
        growing = self.till.state["growing"]
        content = bytes.fromhex(growing["text"])
        growing["at"] += max(len(content) // 3, 1)
        path = self.root / "in" / growing["name"]
        if growing["at"] >= len(content):
            self.till.state["growing"] = None
            self._drop(growing["name"], content)
        else:
            path.write_bytes(content[: growing["at"]])

    def _hit(self, rng: random.Random, fault: str) -> bool:
        return rng.random() < self.chances.get(fault, 0.0)

    # What became of them

    def look(self) -> None:
        """Note which files the hub has taken, and when."""
        waiting = {p.name for p in (self.root / "in").glob("*.csv")}
        waiting |= {p.name for p in self.root.glob("work/*/*.csv")}
        for name, file in self.till.state["files"].items():
            if file["taken_at"] is None and file["written"] and name not in waiting:
                file["taken_at"] = self._taken_at(name)

    def _taken_at(self, name: str) -> float:
        for kind in ("archive", "quarantine"):
            for path in self.root.glob(f"{kind}/**/*_{name}"):
                stamp = _STAMP.match(path.name)
                if stamp:
                    at = datetime.strptime(stamp[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                    return at.timestamp() + int(stamp[2]) / 1000
        return time.time()

    # In: stock files

    def read_stock(self) -> None:
        """Take the hub's stock files whose marker is there, oldest number first."""
        out = self.root / "out"
        for marker in sorted(out.glob(f"stock_{self.till.code}_*.csv.done")):
            path = marker.with_suffix("")
            if not path.exists():
                continue
            content = path.read_bytes()
            told = json.loads(marker.read_bytes())
            if hashlib.sha256(content).hexdigest() != told["sha256"]:
                continue
            self._take_stock(content, int(told["seq"]))
            for one in (path, marker):
                target = out / "read" / one.name
                target.parent.mkdir(exist_ok=True)
                one.replace(target)

    def _take_stock(self, content: bytes, seq: int) -> None:
        state: dict[str, Any] = self.till.state
        if seq <= state["hub_seq"]:
            return
        if seq != state["hub_seq"] + 1:
            state["gaps"] += 1
        state["hub_seq"] = seq
        encoding = "utf-8-sig" if self.till.layout == "loyverse" else "gb18030"
        for row in csv.DictReader(io.StringIO(content.decode(encoding), newline="")):
            spot = state["stock"].get(row["sku"])
            if spot is None or row["store_code"] != self.till.code:
                continue
            as_of = datetime.fromisoformat(row["as_of"]).timestamp()
            spot["figure"] = {"qty": int(row["qty_available"]), "as_of": as_of, "seq": seq}

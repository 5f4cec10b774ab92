"""A mapping file after checking: pairs bound to record fields, scopes and codecs.

A `Level` is one record of the tree the file describes: the item itself, or the element of one
list. Scopes number the places native paths start from: -1 the document's root, 0 the item, n the
element of the n-th list around a pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from pathlib import Path as File
from typing import Any, Literal

from hub.mapping.codec import Codec
from hub.mapping.paths import Path, Segment
from hub.mapping.shape import Field
from hub.records.base import ABSENT, Record
from hub.sdk.contract import Kind

Way = Literal["both", "in", "out"]
ROOT = -1
ITEM = 0


@dataclass(frozen=True, slots=True)
class Ref:
    """A native place: the scope it starts from and the way inside."""

    scope: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the file. `slot` is where its value stands in the row of its level.

    `blank` is what an empty native text means: itself, absent, or null.
    """

    canonical: str
    native: str
    line: int
    way: Way
    field: Field
    slot: tuple[int, ...]
    ref: Ref | None
    codec: Codec | None
    const: Any = ABSENT
    side: Ref | None = None
    side_native: str = ""
    null_absent: bool = False
    blank: Literal["", "absent", "null"] = ""

    @property
    def reads(self) -> bool:
        """Whether it fills the canonical side."""
        return self.way != "out"

    @property
    def writes(self) -> bool:
        """Whether it fills the native side."""
        return self.way != "in"


@dataclass(slots=True)
class Level:
    """One record class, its pairs, and the lists below it."""

    record: type[Record]
    depth: int
    pairs: list[Pair] = made(default_factory=list)
    branches: list[Branch] = made(default_factory=list)

    @property
    def writes(self) -> bool:
        """Whether anything here reaches the native side."""
        return any(p.writes for p in self.pairs) or any(b.level.writes for b in self.branches)


@dataclass(slots=True)
class Branch:
    """A canonical list, the native list it is aligned with, and what stands inside."""

    canonical: str
    native: str
    line: int
    field: Field
    slot: tuple[int, ...]
    ref: Ref
    level: Level
    align: list[Pair] = made(default_factory=list)
    """The pairs that name an element; empty means that position does."""


@dataclass(frozen=True, slots=True)
class Spec:
    """The whole file, ready to compile."""

    file: File
    kind: Kind
    stream: Kind
    record: type[Record]
    each: Path | None
    key: Ref
    updated: Path | None
    top: Level
    digest: str
    heads: Mapping[str, tuple[str, int]]
    """The text and the line of `each`, `key` and `updated`."""
    native_schema: Any = None

    @property
    def label(self) -> str:
        """The file as a person finds it: below the working directory, or as it lies in its package."""
        if self.file.is_relative_to(File.cwd()):
            return str(self.file.relative_to(File.cwd()))
        parts = self.file.parts
        if "mappings" in parts:
            return "/".join(parts[parts.index("mappings") :])
        return str(self.file)

    def pairs(self) -> list[Pair]:
        """Every pair of every level, in file order."""
        found: list[Pair] = []
        levels = [self.top]
        while levels:
            level = levels.pop()
            found.extend(level.pairs)
            levels.extend(branch.level for branch in level.branches)
        return sorted(found, key=lambda pair: pair.line)

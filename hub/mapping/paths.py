"""Paths of mapping files: `a.b`, `items[].code`, `stock[name=shop].n`, `$.top`, `.`.

Names are joined by dots; `[]` is each element of a list; `[key=value]` is the element of a
list of objects whose `key` is `value`; `$` is the document's root; `.` is the item itself.
A path is parsed once, at load; nothing below the loader ever sees its text again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

MAX_TEXT = 200
MAX_SEGMENTS = 16

_PART = re.compile(r"(?P<name>[^.\[\]]+)(?P<brackets>(?:\[[^\[\]]*\])*)\Z")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")


class _Each(Enum):
    EACH = "[]"


EACH: Final = _Each.EACH
"""The segment `[]`."""


@dataclass(frozen=True, slots=True)
class Where:
    """The segment `[key=value]`. Values compare as text, so `[id=3]` finds 3 and "3"."""

    key: str
    value: str
    integer: bool = False
    """Whether a new element gets the number instead of the text; the native schema says so."""


Segment = str | Where | _Each


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path. `rooted` means that it starts at the document instead of the item."""

    segments: tuple[Segment, ...]
    rooted: bool = False

    @property
    def lists(self) -> int:
        """How many `[]` it has."""
        return sum(segment is EACH for segment in self.segments)

    def cut(self, lists: int) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
        """Split after the n-th `[]`: what leads to the element, and what follows inside it."""
        if lists == 0:
            return (), self.segments
        seen = 0
        for at, segment in enumerate(self.segments):
            seen += segment is EACH
            if seen == lists:
                return self.segments[: at + 1], self.segments[at + 1 :]
        raise ValueError(f"fewer than {lists} lists in the path")

    def __str__(self) -> str:
        return show(self.segments, rooted=self.rooted)


def show(segments: tuple[Segment, ...], *, rooted: bool = False) -> str:
    """Write segments the way a mapping file does."""
    text = "$" if rooted else ""
    for segment in segments:
        if isinstance(segment, str):
            text += f".{segment}" if text else segment
        elif isinstance(segment, Where):
            text += f"[{segment.key}={segment.value}]"
        else:
            text += "[]"
    return text or "."


def parse(text: str) -> Path:
    """Read a path. Raises `ValueError` with one sentence."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"a path has at most {MAX_TEXT} characters")
    if not text.isprintable():
        raise ValueError("a path has printable characters only")
    rooted = text == "$" or text.startswith("$.")
    body = text[2:] if rooted else text
    if body in ("", ".") and (rooted or text == "."):
        return Path((), rooted)
    segments: list[Segment] = []
    for part in body.split("."):
        segments.extend(_part(part))
    if len(segments) > MAX_SEGMENTS:
        raise ValueError(f"a path has at most {MAX_SEGMENTS} steps")
    return Path(tuple(segments), rooted)


def _part(text: str) -> list[Segment]:
    match = _PART.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a step: write `name`, `name[]` or `name[key=value]`")
    segments: list[Segment] = [match["name"]]
    for inside in _BRACKET.findall(match["brackets"]):
        key, equals, value = inside.partition("=")
        if not inside:
            segments.append(EACH)
        elif key and equals and value:
            segments.append(Where(key, value))
        else:
            raise ValueError(f"[{inside}] is not a choice: write `[]` or `[key=value]`")
    return segments

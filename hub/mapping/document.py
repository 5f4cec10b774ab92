"""Reading YAML that people write: lines kept, surprises refused.

Anchors and aliases (a few bytes make 10^8 nodes), tags, several documents, duplicate keys and
plain scalars that YAML 1.1 turns into something else (`no`, `012`, `12:30`, `2026-10-05`) are
problems, each with its line. Size and depth are limited before anything is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 10

Keys = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a mapping file: where, at which key, why, and what is allowed."""

    line: int
    key: str
    why: str
    file: str = ""
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        allowed = f" Allowed: {', '.join(self.known)}." if self.known else ""
        return f"{self.file}:{self.line}: {self.key}: {self.why}.{allowed}"


@dataclass(slots=True)
class Text:
    """A parsed YAML text: plain values, and the line of every key."""

    value: Any = None
    lines: dict[Keys, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, keys: Keys) -> int:
        """Return the line of a key, or of the nearest key around it."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys, 1)

    def wrong(self, line: int, keys: Keys, why: str, known: tuple[str, ...] = ()) -> None:
        """Note a problem."""
        self.problems.append(Problem(line, dotted(keys), why, known=known))


def dotted(keys: Keys) -> str:
    """Name a place in the file for a person: `pairs.placed_at.as`."""
    return ".".join(str(key) for key in keys) or "the file"


def read(path: Path) -> Text:
    """Read a file. Never raises for its contents: what is wrong stands in `problems`."""
    text = Text()
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        text.wrong(1, (), f"cannot be read ({error.strerror or type(error).__name__})")
        return text
    if len(raw) > MAX_BYTES:
        text.wrong(1, (), f"larger than {MAX_BYTES} bytes")
        return text
    try:
        parse(raw.decode(), text)
    except UnicodeDecodeError:
        text.wrong(1, (), "not UTF-8 text")
    return text


def parse(source: str, text: Text) -> None:
    """Parse YAML into `text`."""
    try:
        if not _refused(source, text):
            node = yaml.compose(source, Loader=yaml.SafeLoader)
            text.value = None if node is None else _build(node, (), text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        text.wrong(mark.line + 1 if mark else 1, (), f"not YAML: {error.problem}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        text.wrong(1, (), f"not YAML ({type(error).__name__})")


def _refused(source: str, text: Text) -> bool:
    """Look at the events first: nothing is built from a text that has aliases or is too deep."""
    depth = documents = 0
    for event in yaml.parse(source, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            text.wrong(line, (), "anchors and aliases are refused: write the value out")
        elif getattr(event, "tag", None):
            text.wrong(line, (), "tags are refused: write a plain or a quoted value")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            text.wrong(line, (), f"deeper than {MAX_DEPTH} levels")
        if documents > 1:
            text.wrong(line, (), "one document per file")
        if text.problems:
            return True
    return False


def _build(node: yaml.Node, keys: Keys, text: Text) -> Any:
    line = node.start_mark.line + 1
    text.lines.setdefault(keys, line)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, keys, text)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*keys, at), text) for at, item in enumerate(node.value)]
    return _scalar(node, keys, text)


def _mapping(node: yaml.MappingNode, keys: Keys, text: Text) -> dict[Any, Any]:
    out: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            text.wrong(line, keys, "a key is text, not a list or a mapping")
            continue
        key = _scalar(key_node, keys, text)
        here = (*keys, key if isinstance(key, str | int) else str(key))
        if key in out:
            text.wrong(line, here, f"written twice, first at line {text.lines[here]}")
            continue
        text.lines[here] = line
        out[key] = _build(value_node, here, text)
    return out


def _scalar(node: Any, keys: Keys, text: Text) -> Any:
    """Quoted is text. Plain is text, a whole number, true, false or null; all else is refused."""
    value: str = node.value
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if node.style in ("'", '"', "|", ">") or kind == "str":
        return value
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if kind == "int" and _INTEGER.match(value):
        return int(value)
    line = node.start_mark.line + 1
    if value == "":
        text.wrong(line, keys, "has no value")
    else:
        meant = {"bool": "true or false", "merge": "no merge key", "null": "null"}.get(kind, "text")
        text.wrong(line, keys, f"bare {value} means {kind} to YAML: write {meant}, or quote it")
    return value

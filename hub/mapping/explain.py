"""Explain one document: every field with both paths, both values, and the line that joins them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.errors import MappingError
from hub.mapping import walk
from hub.mapping.rows import named
from hub.mapping.spec import ROOT, Branch, Level, Pair, Spec
from hub.mapping.walk import Scopes
from hub.records.base import ABSENT


@dataclass(frozen=True, slots=True)
class Explained:
    """One field of one record. `error` says why the native value does not fit, if it does not.

    Paths carry the position of list elements: `lines[0].quantity`, `items[0].n`.
    """

    canonical: str
    native: str
    canonical_value: Any
    native_value: Any
    way: str
    transform: str
    file: str
    line: int
    pii: bool
    error: str | None = None


def explain(spec: Spec, items: list[Any], document: Any, *, reveal: bool) -> list[Explained]:
    """List every pair of every record in a document, in file order within each level."""
    out: list[Explained] = []
    for number, item in enumerate(items):
        teller = _Teller(spec, reveal=reveal, prefix=_prefix(spec, number, len(items)))
        out += teller.level(spec.top, [item, document], ())
    return out


def _prefix(spec: Spec, number: int, count: int) -> str:
    """Name an item inside its document; with several `[]` in `each` only by its number."""
    if spec.each is None:
        return ""
    text = str(spec.each)
    return f"{text[:-2]}[{number}]." if text.count("[]") == 1 else f"{text}({number + 1}/{count})."


@dataclass(frozen=True, slots=True)
class _Teller:
    spec: Spec
    reveal: bool
    prefix: str

    def level(self, level: Level, scopes: Scopes, at: tuple[int, ...]) -> list[Explained]:
        out = [self.pair(pair, scopes, at) for pair in level.pairs]
        for branch in level.branches:
            out += self.branch(branch, scopes, at)
        return out

    def branch(self, branch: Branch, scopes: Scopes, at: tuple[int, ...]) -> list[Explained]:
        """Explain what is in a list; the list itself only where nothing can be read in it."""
        try:
            elements = walk.items(walk.seek(scopes, branch.ref)) or []
        except ValueError as failed:
            return [self.unreadable(branch, at, str(failed))]
        out: list[Explained] = []
        for number, element in enumerate(elements):
            why = walk.unfit(branch, number, element)
            if why:
                out.append(self.unreadable(branch, at, why))
            else:
                inner = [*scopes[:-1], element, scopes[ROOT]]
                out += self.level(branch.level, inner, (*at, number))
        return out

    def unreadable(self, branch: Branch, at: tuple[int, ...], why: str) -> Explained:
        """Explain a list, or an element of one, that is none: nothing of it is shown."""
        return Explained(
            canonical=_placed(branch.canonical, at),
            native=self.native(branch.native, at),
            canonical_value=ABSENT,
            native_value=ABSENT,
            way="in",
            transform="list",
            file=self.spec.label,
            line=branch.line,
            pii=branch.field.personal,
            error=why,
        )

    def native(self, path: str, at: tuple[int, ...]) -> str:
        """Write a native path from the document's root, with positions."""
        inside = path and not path.startswith("$")
        return (self.prefix if inside else "") + _placed(path, at)

    def pair(self, pair: Pair, scopes: Scopes, at: tuple[int, ...]) -> Explained:
        native: Any = ABSENT
        value: Any = ABSENT
        error = None
        try:
            native = walk.seek(scopes, pair.ref) if pair.ref is not None else ABSENT
            value = walk.read_pair(pair, scopes, self.spec) if pair.reads else ABSENT
        except MappingError as failed:
            error = failed.why
        except ValueError as failed:
            error = str(failed)
        return Explained(
            canonical=_placed(pair.canonical, at),
            native=self.native(pair.native, at),
            canonical_value=named(pair.field, value, hide=None if self.reveal else _masked),
            native_value=native if self.reveal else _veiled(native, pair),
            way=pair.way,
            transform=pair.codec.name if pair.codec is not None else "const",
            file=self.spec.label,
            line=pair.line,
            pii=pair.field.personal,
            error=error,
        )


def _masked(value: Any) -> Any:
    return value if value is None or value is ABSENT else walk.shown(value, masked=True)


def _veiled(native: Any, pair: Pair) -> Any:
    """Show a native value without what is personal: objects and lists only by their size."""
    whole = isinstance(native, dict | list) and pair.field.kind != "json"
    return _masked(native) if pair.field.personal or whole else native


def _placed(path: str, at: tuple[int, ...]) -> str:
    """Put positions into the `[]` of a path, outermost first."""
    first, *rest = path.split("[]")
    marks = [f"[{index}]" for index in at] + ["[]"] * len(rest)
    return first + "".join(mark + part for mark, part in zip(marks, rest, strict=False))

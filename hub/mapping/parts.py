"""Rows of parts, quickly: one straight-line function per set of names that a transform yields.

A transform makes its dicts in a few forms, each with the same names in the same order. For each
form a function is made once: its source holds numbers and our own names only, never a text of
the dict. What it yields, and refuses, equals the reading of the dict name by name.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.mapping.run import made
from hub.records.base import ABSENT

Maker = Callable[[Mapping[str, Any]], tuple[Any, ...]]

MOST_FORMS: Final = 64
"""Forms kept per record class; a transform whose names come from data gets the slow way."""
_TESTS: Final = {
    "text": "type({v}) is str and {v}.isprintable()",
    "int": "type({v}) is int and {low} <= {v} <= {high}",
    "bool": "{v} is True or {v} is False",
    "enum": "type({v}) is str and {v} in c{n}",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One name of a form: its place in the row, how its usual value is known, who reads the rest."""

    index: int
    test: str
    read: Callable[[Any], Any]
    low: int = 0
    high: int = 0
    choices: frozenset[Any] = frozenset()
    nullable: bool = False


def test_of(kind: str, names: Mapping[str, Any], *, nullable: bool) -> str:
    """Write the test that a usual value passes; "" where there is none."""
    test = _TESTS.get(kind, "").format_map(names)
    if nullable:
        return f"({test}) or {names['v']} is None" if test else f"{names['v']} is None"
    return test


def maker(blank: Sequence[Any], places: Iterable[Place]) -> Maker:
    """Return the function that makes rows of dicts with exactly these names in this order.

    `blank` is the row with nothing given: what stands in it stays where no place is.
    """
    known: dict[str, Any] = {"type": type, "str": str, "int": int, "__builtins__": {}}
    cells, values, lines = [f"b{n}" for n in range(len(blank))], [], []
    known |= {f"b{n}": value for n, value in enumerate(blank) if value is not ABSENT}
    for n, place in enumerate(places):
        v = f"v{n}"
        known |= {f"f{n}": place.read, f"c{n}": place.choices}
        names = {"v": v, "n": n, "low": place.low, "high": place.high}
        test = test_of(place.test, names, nullable=place.nullable)
        lines.append(f" {v} = {v} if {test} else f{n}({v})" if test else f" {v} = f{n}({v})")
        values.append(v)
        cells[place.index] = v
    used = [cell if cell in known or cell in values else "A" for cell in cells]
    known["A"] = ABSENT
    taken = [f" {', '.join(values)}, = d.values()"] if values else []
    source = "\n".join(["def make(d):", *taken, *lines, f" return ({', '.join(used)},)"])
    make: Maker = made(ast.parse(source), "parts", known, "make")
    return make

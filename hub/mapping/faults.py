"""What does not fit, collected while one document is read slowly, and raised as one error.

A place is named once, however often it is read: what stands in the document's root is at fault
once, not once per line. At most `MOST_NAMED` places are named, of every field one before any
field has its second; the rest are counted. What is kept does not grow with the document.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from hub.errors import MappingError, Misfit
from hub.mapping.spec import Spec

MOST_NAMED: Final = 20

Position = tuple[int, ...]
"""Which record of the document, then which element of each list around the place."""


@dataclass(slots=True)
class Faults:
    """The places of one document that do not fit its mapping."""

    spec: Spec
    _count: int = 0
    _kept: dict[str, list[tuple[int, Misfit]]] = field(default_factory=dict)
    _last: dict[str, tuple[Misfit, Position]] = field(default_factory=dict)

    def add(self, misfit: Misfit, at: Position) -> None:
        """Write down a place; `at` says where it stands, and ends at its innermost list."""
        if self._last.get(misfit.canonical) == (misfit, at):
            return
        self._last[misfit.canonical] = misfit, at
        kept = self._kept.setdefault(misfit.canonical, [])
        if len(kept) < MOST_NAMED:
            told = replace(misfit, why=misfit.why + self._where(at))
            kept.append((self._count, told))
        self._count += 1

    def settle(self) -> None:
        """Raise `MappingError` if anything was written down; causes come in the order of reading."""
        if not self._count:
            return
        first = [kept[0] for kept in self._kept.values()]
        again = [place for kept in self._kept.values() for place in kept[1:]]
        chosen = sorted([*first, *sorted(again, key=_number)][:MOST_NAMED], key=_number)
        named = [misfit for _at, misfit in chosen]
        raise MappingError.of(*named, unnamed=self._count - len(named))

    def _where(self, at: Position) -> str:
        """Say where a place stands, innermost list first."""
        words = [f"element {number}" for number in reversed(at[1:])]
        if self.spec.each is not None:
            words += [f"record {number}" for number in at[:1]]
        return f", in {' of '.join(words)}" if words else ""


def _number(place: tuple[int, Misfit]) -> int:
    return place[0]

"""Two writers, one field: the three-way rule. Pure; canonical model 2.5.

*base* is what both sides last agreed on, *ours* what we hold, *theirs* what the channel shows.

| changed since base | outcome |
| --- | --- |
| neither, or both to the same value | as it is |
| only theirs | theirs |
| only ours | ours (the channel will be told) |
| both, differently | the field's owner decides |

Without a base (a first meeting) the owner decides every difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.errors import Conflict

Owner = Literal["hub", "channel", "ask"]

_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Merged:
    """The fields to keep, and where the channel differs from them (`drift`)."""

    kept: dict[str, Any]
    drift: dict[str, Any] = field(default_factory=dict)


def merge(
    base: Mapping[str, Any] | None,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    *,
    owner: Owner = "hub",
    owners: Mapping[str, Owner] | None = None,
) -> Merged:
    """Decide every field that `theirs` shows. Raises `Conflict` where the owner rule says *ask*."""
    kept: dict[str, Any] = {}
    drift: dict[str, Any] = {}
    agreed = base or {}
    for name, shown in theirs.items():
        held = ours.get(name)
        value = _decide(
            name, agreed.get(name, _NOTHING), held, shown, (owners or {}).get(name, owner)
        )
        kept[name] = value
        if value != shown:
            drift[name] = shown
    return Merged(kept, drift)


def _decide(name: str, base: Any, ours: Any, theirs: Any, owner: Owner) -> Any:
    if theirs in (ours, base):  # equal to ours, or unchanged since both agreed
        return ours
    if base is not _NOTHING and base == ours:
        return theirs
    if owner == "ask":
        raise Conflict(
            f"Field {name!r} was changed here and on the channel since both agreed: choose one."
        )
    return theirs if owner == "channel" else ours


def is_stale(seen_at: str | None, comes_at: str | None) -> bool:
    """Tell whether what comes is older than what was seen, by the source's own clock."""
    return seen_at is not None and comes_at is not None and comes_at < seen_at


def more_restrictive(left: str, right: str) -> str:
    """Return the stricter of two consent states: denied, withdrawn, granted, unknown."""
    order = ("unknown", "granted", "withdrawn", "denied")
    return max(left, right, key=order.index)

"""The three hooks of the hub. A new one needs a decision record.

A connector package marks `hub_connectors` with `@hookimpl` in the module its entry point names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pluggy

from hub.sdk.contract import Connector

PROJECT = "channelhub"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class Transform:
    """A named pair of pure functions for mapping files: `as: <name>`.

    `to_canonical` takes the native value; `to_native` the canonical one, or is None for a
    one-way transform (its pairs must say `way: in`). Neither may touch the world. Raise
    `ValueError` with one sentence for a value that does not fit.

    A transform that yields parts (a list for `lines`, say) returns a list of dicts keyed by
    the part's field names.
    """

    to_canonical: Callable[[Any], Any]
    to_native: Callable[[Any], Any] | None = None


class Hooks:
    """The specifications."""

    @hookspec
    def hub_connectors(self) -> Sequence[type[Connector]]:  # type: ignore[empty-body]  # a specification
        """Return the connector classes of this package."""

    @hookspec
    def hub_transforms(self) -> Mapping[str, Transform]:  # type: ignore[empty-body]  # a specification
        """Return extra mapping transforms; names start with the connector's code and `_`."""

    @hookspec
    def hub_observe(self, event: str, fields: Mapping[str, Any]) -> None:
        """Hear of an event (`page.applied`, `push.sent`, …) after it is committed.

        One call a page, never one a record.
        """

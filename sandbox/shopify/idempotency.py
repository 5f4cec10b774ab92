"""The `@idempotent` directive (rule S12; fact sheet, section 8.2).

Required on the listed mutations; the same key with the same input answers the first result again
without running, with other input it is a mismatch, and a blank key is refused.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.shopify.plan import Step, Variables, directive_value
from sandbox.shopify.world import Refused, World

REQUIRED = frozenset(
    {
        "inventorySetQuantities",
        "inventoryAdjustQuantities",
        "inventoryMoveQuantities",
        "inventoryActivate",
        "inventorySetOnHandQuantities",
        "refundCreate",
    }
)
# UNVERIFIED: how long keys are kept is not documented; a day is assumed.
_KEPT_S = 86400
# UNVERIFIED: the text; the code is the schema's.
CONCURRENT = "A request with the same idempotency key is currently being processed."
MISMATCH = "The same idempotency key cannot be used with different operation parameters."


def key_of(step: Step, variables: Variables) -> str | None:
    """Return the key a mutation was sent with; refuse one that must have it and has none."""
    for directive in step.node.directives or ():
        if directive.name.value == "idempotent":
            value = directive_value(directive)
            key = variables.get(value.name.value) if value.kind == "variable" else value.value
            if not str(key or "").strip():
                # UNVERIFIED: text for a blank key; the schema only says that it is not allowed.
                raise Refused("The idempotency key cannot be blank.", "BAD_REQUEST")
            return str(key)
    if step.name in REQUIRED:
        raise Refused(
            "The @idempotent directive is required for this mutation but was not provided."
        )
    return None


def digest(name: str, arguments: dict[str, Any]) -> str:
    """Return what makes two calls the same call."""
    text = json.dumps([name, arguments], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def remembered(world: World, name: str, key: str) -> dict[str, Any] | None:
    """Return what was answered under this key, None when it is new or forgotten."""
    row = _rows(world).get(f"{name} {key}")
    if row is None or row["at"] + _KEPT_S < world.now():
        return None
    return dict(row)


def remember(world: World, name: str, key: str, row: dict[str, Any]) -> None:
    """Keep what was answered, in the transaction of the change itself."""
    entry = {"id": world.store.new_id(), "name": f"{name} {key}", "at": world.now(), **row}
    world.store.put("idempotency", entry)
    _rows(world)[entry["name"]] = entry


def _rows(world: World) -> dict[str, dict[str, Any]]:
    if not world.keys:
        world.keys.update({row["name"]: row for row in world.rows("idempotency").values()})
    return world.keys

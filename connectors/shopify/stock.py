"""Stock written absolute, never over a figure nobody has seen.

`inventorySetQuantities` sets `available`; each row carries the figure the channel last showed,
and if one of them has moved meanwhile (an order came in) Shopify refuses the whole call. Then the
levels are read again: rows that really differ are answered with `Conflict` and what stands there
now, the others are sent once more. A row refused for its own sake is answered with Shopify's
words, and the rest goes on without it.

The idempotency key is the hash of the batch as sent, so a repetition after a lost answer is
recognised; an attempt number in it moves only when Shopify says that the same key cannot be used
again. Facts: channel sheet, section 8.2 (shopify.dev, api/usage/idempotent-requests; recorded
user errors of API 2026-04).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.shopify.admin import Admin
from connectors.shopify.whole import stock_key
from hub.errors import Conflict, ContractBroken, HubError, Rejected, Retry
from hub.sdk import Change, Outcome

CALL_ROWS: Final = 250  # most rows a call takes (channel sheet, section 4.1)
_ROUNDS: Final = 4
"""Calls for one batch: as sent, without stale rows, without refused rows, and one to spare."""

_WHOLE_CALL: Final = frozenset({"INVALID_NAME", "INVALID_REASON", "INVALID_REFERENCE_DOCUMENT"})
_LATER: Final = frozenset({"IDEMPOTENCY_CONCURRENT_REQUEST", "ADJUST_QUANTITIES_FAILED"})
_STALE: Final = "CHANGE_FROM_QUANTITY_STALE"
_USED_UP: Final = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


@dataclass(frozen=True, slots=True)
class Row:
    """One change as a row of the call. `seen` None sends no comparison: nothing was ever shown."""

    change: Change
    item: str
    location: str
    wanted: int
    seen: int | None

    def as_input(self) -> dict[str, Any]:
        """Write it as Shopify wants it; `changeFromQuantity` must stand there even when null."""
        return {
            "inventoryItemId": self.item,
            "locationId": self.location,
            "quantity": self.wanted,
            "changeFromQuantity": self.seen,
        }


def row(change: Change) -> Row:
    """Read a change. Raises `Rejected` for one that names no level or no whole number."""
    document = change.document
    try:
        item, location = document["item"]["id"], document["location"]["id"]
        wanted = next(q["quantity"] for q in document["quantities"] if q["name"] == "available")
    except (KeyError, TypeError, StopIteration):
        raise Rejected("The change names no item, no location or no available figure.") from None
    seen = change.seen.get("available")
    return Row(change, item, location, int(wanted), None if seen is None else int(seen))


class StockWriter:
    """Writes one shop's stock."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    async def push(self, changes: Sequence[Change]) -> list[Outcome]:
        """Answer every change once."""
        outcomes, rows = [], []
        for change in changes:
            try:
                rows.append(row(change))
            except Rejected as error:
                outcomes.append(Outcome(change.key, error=error))
        for start in range(0, len(rows), CALL_ROWS):
            outcomes += await self._batch(rows[start : start + CALL_ROWS])
        return outcomes

    async def _batch(self, rows: list[Row]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        attempt = 0
        for _ in range(_ROUNDS):
            if not rows:
                return outcomes
            refusals = await self._send(rows, attempt)
            if not refusals:
                return outcomes + [_taken(row) for row in rows]
            codes = {refusal.get("code") for refusal in refusals}
            _refuse_call(codes, refusals)
            if _USED_UP in codes:
                attempt += 1
                continue
            if _STALE in codes:
                stale, rows = await self._sort_stale(rows)
                outcomes += stale
                attempt += not stale
                continue
            refused, rows = _sort_refused(rows, refusals)
            outcomes += refused
        return outcomes + [_answer(row, Retry("Shopify's stock moves too fast.")) for row in rows]

    async def _send(self, rows: Sequence[Row], attempt: int) -> Sequence[Mapping[str, Any]]:
        key = batch_key(rows, attempt)
        data = await self._admin.ask(
            "SetStock",
            key=key,
            input={
                "name": "available",
                "reason": "correction",
                "referenceDocumentUri": f"gid://channelhub/StockPush/{key}",
                "quantities": [row.as_input() for row in rows],
            },
        )
        refusals: Sequence[Mapping[str, Any]] = data["inventorySetQuantities"]["userErrors"]
        return refusals

    async def _sort_stale(self, rows: Sequence[Row]) -> tuple[list[Outcome], list[Row]]:
        """Read the levels again; answer what moved, keep what did not.

        Which row was stale is taken from the levels, not from the error: how its `field` names
        the row is not documented.
        """
        levels = await self._levels(rows)
        outcomes, keep = [], []
        for row in rows:
            now = levels.get(stock_key(row.item, row.location), {})
            if row.seen is None or now.get("available") == row.seen:
                keep.append(row)
            elif now.get("available") == row.wanted:
                outcomes.append(Outcome(row.change.key, observed=now))
            else:
                outcomes.append(_moved(row, now))
        return outcomes, keep

    async def _levels(self, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
        """Read what the channel shows now, one query per place."""
        found = {}
        for location in dict.fromkeys(row.location for row in rows):
            items = [row.item for row in rows if row.location == location]
            data = await self._admin.ask("LevelsOf", items=items, location=location)
            for node in filter(None, data["nodes"]):
                if node.get("inventoryLevel"):
                    found[stock_key(node["id"], location)] = shown(node["inventoryLevel"])
        return found


def shown(level: Mapping[str, Any]) -> dict[str, Any]:
    """Return a level's figures under their canonical names."""
    named = {entry["name"]: entry["quantity"] for entry in level["quantities"]}
    return {
        "available": named["available"],
        "on_hand": named["on_hand"],
        "reserved": named["committed"] + named["reserved"],
    }


def batch_key(rows: Sequence[Row], attempt: int) -> str:
    """Return the idempotency key: a UUID made of everything the batch says."""
    said = [[r.change.key, r.change.version, r.wanted, r.seen] for r in rows]
    text = json.dumps([said, attempt], separators=(",", ":"))
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=5))


def _taken(row: Row) -> Outcome:
    return Outcome(row.change.key, observed={"available": row.wanted})


def _answer(row: Row, error: HubError) -> Outcome:
    return Outcome(row.change.key, error=error)


def _moved(row: Row, now: Mapping[str, Any]) -> Outcome:
    error = Conflict(f"{row.change.key} shows another figure than the one last seen.")
    return Outcome(row.change.key, error=error, observed=now or None)


def _refuse_call(codes: set[Any], refusals: Sequence[Mapping[str, Any]]) -> None:
    """Raise for what concerns the call and not its rows."""
    text = str(refusals[0].get("message"))[:300]
    for code in codes & _LATER:
        raise Retry(f"Shopify: {text}", code=code)
    for code in codes & (_WHOLE_CALL | {"IDEMPOTENCY_KEY_PARAMETER_MISMATCH"}):
        raise ContractBroken(f"Shopify refused our stock call: {text}", code=code)


def _sort_refused(
    rows: list[Row], refusals: Sequence[Mapping[str, Any]]
) -> tuple[list[Outcome], list[Row]]:
    """Give each refusal to the row it names; one that names none is every row's."""
    said: dict[int, Rejected] = {}
    for refusal in refusals:
        error = Rejected(f"Shopify: {str(refusal['message'])[:300]}", code=refusal.get("code"))
        named = _index(refusal.get("field"))
        for at in range(len(rows)) if named is None else (named,):
            said.setdefault(at, error)
    keep = [row for at, row in enumerate(rows) if at not in said]
    return [_answer(rows[at], error) for at, error in said.items() if at < len(rows)], keep


def _index(field: Any) -> int | None:
    """Return the row number in a user error's path; list indexes are texts there."""
    if not isinstance(field, list):
        return None
    return next((int(step) for step in field if str(step).isdecimal()), None)

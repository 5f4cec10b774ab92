"""The parts of a mutation's answer: references, and refusals of section 5 of the fact sheet."""

from __future__ import annotations

from typing import Any

Answer = dict[str, Any]


def wrong(field: list[str] | None, message: str, code: str | None = None) -> Answer:
    """Return one user error; plain ones carry no code."""
    error: Answer = {"field": field, "message": message}
    return error | {"code": code} if code else error


def ref(kind: str, key: int) -> Answer:
    """Return a reference; an answer is kept with these and shows the objects as they then are."""
    return {"ref": [kind, key]}

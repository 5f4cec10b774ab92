"""The GraphQL documents of this connector: read from `graphql/*.graphql`, one text per operation.

An operation is sent with exactly the fragments it uses. No query is ever put together from
pieces at run time: what is sent is what the files say, and what the test validates.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

_DEFINITION = re.compile(r"^(?:query|mutation|fragment)\s+(\w+)", re.MULTILINE)
_SPREAD = re.compile(r"\.\.\.\s*(?!on\b)(\w+)")

# Points that an operation asks for until its first reply tells the true figure; a test computes
# each one from the cost formula. What is not here costs at most 60.
FIRST_COST: Final[dict[str, int]] = {
    "CustomersPage": 42,
    "LevelsPage": 142,
    "LocationLevels": 43,
    "OrderById": 289,
    "OrderWorks": 128,
    "OrdersPage": 922,
    "ProductsPage": 322,
}


@cache
def documents() -> dict[str, str]:
    """Return the text of every operation by name, with its fragments."""
    parts: dict[str, str] = {}
    folder = resources.files("connectors.shopify") / "graphql"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".graphql"):
            parts |= _definitions(file.read_text(encoding="utf-8"))
    return {
        name: "\n".join([text, *(parts[used] for used in _fragments(text, parts))])
        for name, text in parts.items()
        if not text.startswith("fragment")
    }


def _definitions(source: str) -> dict[str, str]:
    plain = re.sub(r"^#.*$", "", source, flags=re.MULTILINE)
    starts = [match.start() for match in _DEFINITION.finditer(plain)]
    texts = [plain[a:b].strip() for a, b in zip(starts, [*starts[1:], len(plain)], strict=True)]
    return {match[1]: text for text in texts if (match := _DEFINITION.match(text))}


def _fragments(text: str, parts: dict[str, str]) -> list[str]:
    """Name the fragments a text uses, also through other fragments, each once."""
    found: list[str] = []
    waiting = _SPREAD.findall(text)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += _SPREAD.findall(parts[name])
    return sorted(found)

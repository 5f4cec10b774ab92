"""Shopify's search syntax, with its traps (rule S7; fact sheet, section 6.1).

``term (AND|OR) term``, implicit AND, AND binds tighter than OR, ``-`` or ``NOT`` negates,
parentheses group, a trailing ``*`` is a prefix, quoted values with ``'`` or ``"``. The trap: an
unquoted timestamp is split at its colons into a *date* in the shop's zone and a junk term, with
nothing but a warning; unknown fields are ignored, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.shopify.money import MICROS

View = dict[str, Any]
Test = Callable[[View], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=\S))
    |(?P<term>(?:[^\s()'":]|:(?=\S))*(?:'[^']*'|"[^"]*"|[^\s()]+)))""",
    re.VERBOSE,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}")
_COMPARE = re.compile(r":?(<=|>=|<|>)?(.*)$", re.DOTALL)
_WORDS = {">=": "range_gte", ">": "range_gt", "<=": "range_lte", "<": "range_lt"}


@dataclass(frozen=True, slots=True)
class Field:
    """One searchable field: how a view answers for it, and how its values compare."""

    kind: str  # time | number | text | word
    read: Callable[[View], Any]


@dataclass(slots=True)
class Filter:
    """A parsed query: the test, what was understood, what was not."""

    test: Test
    parsed: dict[str, Any]
    warnings: list[dict[str, str]] = field(default_factory=list)


class _Parser:
    def __init__(self, text: str, fields: Mapping[str, Field], free: Field, zone: ZoneInfo) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.fields = fields
        self.free = free
        self.zone = zone
        self.warnings: list[dict[str, str]] = []

    def peek(self) -> tuple[str, str] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def any_of(self) -> tuple[Test, dict[str, Any]]:
        parts = [self.all_of()]
        while self.peek() == ("word", "OR"):
            self.at += 1
            parts.append(self.all_of())
        if len(parts) == 1:
            return parts[0]
        tests = [test for test, _ in parts]
        return (lambda view: any(t(view) for t in tests)), {"or": [shown for _, shown in parts]}

    def all_of(self) -> tuple[Test, dict[str, Any]]:
        parts: list[tuple[Test, dict[str, Any]]] = []
        while (token := self.peek()) is not None and token not in (("word", "OR"), ("close", ")")):
            if token == ("word", "AND"):
                self.at += 1
                continue
            parts += self.one()
        if len(parts) == 1:
            return parts[0]
        tests = [test for test, _ in parts]
        return (lambda view: all(t(view) for t in tests)), {"and": [shown for _, shown in parts]}

    def one(self) -> list[tuple[Test, dict[str, Any]]]:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "minus" or (kind, text) == ("word", "NOT"):
            if self.peek() is None:
                return []
            below = self.one()
            tests = [test for test, _ in below]
            shown = [shown for _, shown in below]
            return [(lambda view: not all(t(view) for t in tests), {"not": shown[0]})]
        if kind == "open":
            inside = self.any_of()
            self.at += 1
            return [inside]
        if kind == "close":
            return []
        return self.term(text)

    def term(self, text: str) -> list[tuple[Test, dict[str, Any]]]:
        name, colon, rest = text.partition(":")
        if not colon or name[:1] in "'\"":
            value = _bare(text)
            return [(_text(self.free, value), {"field": "default", "match_all": value})]
        found = _COMPARE.match(rest)
        assert found is not None  # noqa: S101 - the pattern matches anything
        sign, raw = found.group(1) or "", found.group(2)
        quoted = raw[:1] in ("'", '"')
        if not quoted and ":" in raw:
            return self.split(name, sign, raw)
        return [self.known(name, sign, _bare(raw))]

    def split(self, name: str, sign: str, raw: str) -> list[tuple[Test, dict[str, Any]]]:
        """Take an unquoted time apart as Shopify does: a date, and a term named by its minutes."""
        head, minutes, rest = raw.split(":", 2) if raw.count(":") > 1 else (*raw.split(":"), "")
        if _TIME.match(head):
            head = head[:10]
        parts = [self.known(name, sign, head)]
        return [*parts, self.known(minutes, "", rest)] if rest else parts

    def known(self, name: str, sign: str, value: str) -> tuple[Test, dict[str, Any]]:
        one = self.fields.get(name)
        shown = {"field": name, _WORDS.get(sign, "match_all"): value}
        if one is None:
            return self.ignored(
                name, "Invalid search field for this query.", "invalid_field", shown
            )
        if one.kind == "time":
            bound = _instant(value, self.zone)
            if bound is None:
                # UNVERIFIED: text and code of a value that is no time, from general knowledge.
                text = f"Input `{value}` is not an accepted value."
                return self.ignored(name, text, "invalid_value", shown)
            if _DATE.match(value):
                local = datetime.fromtimestamp(bound // MICROS, self.zone)
                shown[_WORDS.get(sign, "match_all")] = local.isoformat()
            return _time(one, sign, bound), shown
        if one.kind == "number":
            return _number(one, sign, value), shown
        return _text(one, value), shown

    def ignored(
        self, name: str, message: str, code: str, shown: dict[str, Any]
    ) -> tuple[Test, dict[str, Any]]:
        self.warnings.append({"field": name, "message": message, "code": code})
        return (lambda _view: True), shown


def parse(text: str, fields: Mapping[str, Field], free: Field, zone: ZoneInfo) -> Filter:
    """Return the filter a ``query:`` argument means."""
    parser = _Parser(text, fields, free, zone)
    test, shown = parser.any_of()
    return Filter(test, shown, parser.warnings)


@lru_cache(maxsize=256)
def _split_tokens(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            at += 1
            continue
        at = match.end()
        kind = match.lastgroup or "term"
        value = match.group(kind)
        if kind == "term" and value in ("AND", "OR", "NOT"):
            kind = "word"
        found.append((kind, value))
    return tuple(found)


def _tokens(text: str) -> list[tuple[str, str]]:
    return list(_split_tokens(text))


def _bare(text: str) -> str:
    if text[:1] in ("'", '"'):
        return text[1:].rstrip(text[0])
    return text


def _instant(text: str, zone: ZoneInfo) -> int | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone if _DATE.match(text) else UTC)
    return int(at.timestamp()) * MICROS


def _time(one: Field, sign: str, bound: int) -> Test:
    """Compare with stored microseconds, so that `>` and `>=` of whole seconds hardly differ."""
    read = one.read
    tests: dict[str, Test] = {
        ">=": lambda view: read(view) >= bound,
        ">": lambda view: read(view) > bound,
        "<=": lambda view: read(view) <= bound,
        "<": lambda view: read(view) < bound,
    }
    return tests.get(sign, lambda view: read(view) // MICROS == bound // MICROS)


def _number(one: Field, sign: str, value: str) -> Test:
    read = one.read
    try:
        bound = float(value.rsplit("/", 1)[-1])
    except ValueError:
        return lambda _view: False
    tests: dict[str, Test] = {
        ">=": lambda view: read(view) >= bound,
        ">": lambda view: read(view) > bound,
        "<=": lambda view: read(view) <= bound,
        "<": lambda view: read(view) < bound,
    }
    return tests.get(sign, lambda view: bool(read(view) == bound))


def _text(one: Field, value: str) -> Test:
    read = one.read
    wanted = [part.casefold() for part in (value.split(",") if one.kind == "word" else [value])]

    def test(view: View) -> bool:
        have = read(view)
        words = [str(w).casefold() for w in (have if isinstance(have, list) else [have]) if w]
        return any(_matches(word, want) for word in words for want in wanted)

    return test


def _matches(word: str, want: str) -> bool:
    if want == "*":
        return True
    if want.endswith("*"):
        return any(part.startswith(want[:-1]) for part in (word, *word.split()))
    return word == want

"""Made-up documents and rows for the laws, as Hypothesis strategies.

A document's structure comes from the native JSON Schema, its mapped values from the transforms
that will read them: a schema alone says "text" where an amount is meant. Needs Hypothesis, so
only tests and `hub map test` import this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from hub.mapping.native import NativeSchema, types
from hub.mapping.paths import EACH, Segment, Where, parse
from hub.mapping.rows import Row
from hub.mapping.sample_values import (
    BIG,
    Any_,
    Setting,
    canonical,
    json_values,
    names,
    native,
    settings,
    text,
)
from hub.mapping.shape import shape
from hub.mapping.spec import Level, Pair, Spec
from hub.records.base import ABSENT, Record
from hub.sdk.contract import Document

MAX_DEPTH = 14


@dataclass(slots=True)
class Hint:
    """What the mapping reads at one native place, and below it."""

    pairs: list[Pair] = field(default_factory=list)
    side: str = ""
    is_key: bool = False
    below: dict[Segment, Hint] = field(default_factory=dict)

    def at(self, segments: Iterable[Segment]) -> Hint:
        """Return the hint of a place below, made if missing."""
        hint = self
        for segment in segments:
            hint = hint.below.setdefault(segment, Hint())
        return hint

    @property
    def must(self) -> bool:
        """Whether a record cannot be read without this place."""
        if self.is_key or self.side or any(pair.field.required for pair in self.pairs):
            return True
        return any(hint.must for step, hint in self.below.items() if step is not EACH)


def hints(spec: Spec) -> Hint:
    """Collect what the mapping reads, by native path from the document's root."""
    top = Hint()
    prefix = spec.each.segments if spec.each is not None else ()

    def place(text: str) -> Hint:
        path = parse(text)
        return top.at(path.segments if path.rooted else (*prefix, *path.segments))

    for pair in spec.pairs():
        if pair.reads and pair.codec is not None and pair.ref is not None:
            place(pair.native).pairs.append(pair)
            if pair.side_native:
                place(pair.side_native).side = pair.codec.name
    place(spec.heads["key"][0]).is_key = True
    return top


class Samples:
    """The strategies of one mapping; each is made once per setting, for making them is slow."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._documents: dict[Setting, st.SearchStrategy[Document]] = {}
        self._rows: dict[Setting, st.SearchStrategy[Row]] = {}

    def documents(self, setting: Setting) -> st.SearchStrategy[Document]:
        """Return documents the mapping can read, with unmapped fields where a schema knows them."""
        if setting not in self._documents:
            schema = self.spec.native_schema or {}
            maker = _Documents(NativeSchema(schema), setting)
            self._documents[setting] = maker.value([schema], hints(self.spec), 0)
        return self._documents[setting]

    def rows(self, setting: Setting) -> st.SearchStrategy[Row]:
        """Return rows the mapping can write: mapped fields filled, the rest absent."""
        if setting not in self._rows:
            self._rows[setting] = _Rows(self.spec, setting).level(self.spec.top)
        return self._rows[setting]


class _Documents:
    def __init__(self, schema: NativeSchema, setting: Setting) -> None:
        self.schema, self.setting = schema, setting

    def value(self, nodes: list[Any], hint: Hint, depth: int) -> Any_:
        """Return values for one place: from the hint where something is read, else from the schema."""
        whole = [node for start in nodes for node in self.schema.branches(start)]
        built_in = next((p for p in hint.pairs if p.codec and not p.codec.plugin), None)
        if hint.side:
            return self.side(hint.side)
        if built_in is not None:
            made = native(built_in, self.setting, whole)
            return made.filter(bool) if hint.is_key else made
        if hint.is_key:
            return names
        lists = {step: below for step, below in hint.below.items() if not isinstance(step, str)}
        if lists:
            return self.array(whole, lists, depth)
        if hint.below or (not hint.pairs and _is(whole, "object")):
            return self.object(whole, hint, depth)
        return self.plain(whole, depth)

    def side(self, name: str) -> Any_:
        chosen = {"money": self.setting.currency, "steps": self.setting.scale}
        return st.just(chosen.get(name, self.setting.zone))

    def object(self, nodes: list[Any], hint: Hint, depth: int) -> Any_:
        known: dict[str, list[Any]] = {}
        must: set[str] = set()
        for node in nodes:
            must |= {name for name in node.get("required", ()) if isinstance(name, str)}
            for name, inner in node.get("properties", {}).items():
                known.setdefault(name, []).append(inner)
        for step in hint.below:
            known.setdefault(str(step), [])
        needed: dict[str, Any_] = {}
        optional: dict[str, Any_] = {}
        for name, inner in known.items():
            below = hint.below.get(name, Hint())
            if depth > MAX_DEPTH and not below.must and name not in must:
                continue
            made = self.perhaps_null(inner, below, self.value(inner, below, depth + 1))
            if below.must or name in must:
                needed[name] = made
            else:
                optional[name] = made
        return st.fixed_dictionaries(needed, optional=optional)

    def perhaps_null(self, nodes: list[Any], hint: Hint, made: Any_) -> Any_:
        whole = [node for start in nodes for node in self.schema.branches(start)]
        allowed = not nodes or any("null" in types(node) for node in whole)
        refused = hint.must or any(
            not (pair.field.nullable or pair.null_absent or pair.field.kind == "list")
            for pair in _read_below(hint)
        )
        return st.none() | made if allowed and not refused and (hint.pairs or hint.below) else made

    def array(self, nodes: list[Any], steps: dict[Any, Hint], depth: int) -> Any_:
        inner = [node["items"] for node in nodes if isinstance(node.get("items"), dict)]
        plain = steps.get(EACH, Hint())
        low = 1 if depth == 0 else 0
        parts = st.lists(self.value(inner, plain, depth + 1), min_size=low, max_size=3)
        for step, hint in steps.items():
            if isinstance(step, Where):
                chosen = self.chosen(inner, step, hint, depth)
                extra = chosen.map(lambda one: [one])
                if not hint.must:
                    extra = extra | st.just([])
                parts = st.builds(lambda more, rest: [*more, *rest], extra, parts)
        return parts

    def chosen(self, nodes: list[Any], step: Where, hint: Hint, depth: int) -> Any_:
        word = int(step.value) if step.integer else step.value
        made = self.value(nodes, hint if hint.below else Hint(below={"": Hint()}), depth + 1)
        return made.map(lambda one: {**one, step.key: word} if isinstance(one, dict) else one)

    def plain(self, nodes: list[Any], depth: int) -> Any_:
        """Return values of a place nobody reads, or only a connector's own transform."""
        words_ = [word for node in nodes for word in node.get("enum", ())]
        words_ += [node["const"] for node in nodes if "const" in node]
        if words_:
            return st.sampled_from(words_)
        kinds = sorted({name for node in nodes for name in types(node)})
        if not kinds:
            return json_values
        return st.one_of([self.of_type(kind, nodes, depth) for kind in kinds])

    def of_type(self, kind: str, nodes: list[Any], depth: int) -> Any_:
        if kind == "object":
            return self.object(nodes, Hint(), depth + 1) if depth < MAX_DEPTH else st.just({})
        if kind == "array":
            inner = [node["items"] for node in nodes if isinstance(node.get("items"), dict)]
            deep = depth >= MAX_DEPTH
            return (
                st.just([]) if deep else st.lists(self.value(inner, Hint(), depth + 1), max_size=2)
            )
        low = max([int(node["minimum"]) for node in nodes if "minimum" in node], default=-BIG)
        high = min([int(node["maximum"]) for node in nodes if "maximum" in node], default=BIG)
        simple: dict[str, Any_] = {
            "null": st.none(),
            "boolean": st.booleans(),
            "integer": st.integers(low, max(low, high)),
            "number": st.integers(low, max(low, high)),
        }
        return simple[kind] if kind in simple else text(nodes, self.setting)


def _is(nodes: list[Any], kind: str) -> bool:
    return any("properties" in node or kind in types(node) for node in nodes)


def _read_below(hint: Hint) -> list[Pair]:
    found = list(hint.pairs)
    for step, below in hint.below.items():
        if step is not EACH:
            found += _read_below(below)
    return found


class _Rows:
    def __init__(self, spec: Spec, setting: Setting) -> None:
        self.spec, self.setting = spec, setting
        self.schema = NativeSchema(spec.native_schema or {})
        self.sides = {pair.side_native for pair in spec.pairs() if pair.side_native}

    def level(self, level: Level) -> st.SearchStrategy[Row]:
        filled = {pair.slot: self.value(pair, level) for pair in level.pairs if pair.way != "out"}
        for branch in level.branches:
            parts = st.lists(self.level(branch.level), max_size=3)
            filled[branch.slot] = st.just(ABSENT) | parts
        slots = tuple(filled)
        return st.tuples(*filled.values()).map(
            lambda values: _row(level.record, dict(zip(slots, values, strict=True)), ())
        )

    def value(self, pair: Pair, level: Level) -> Any_:
        """Return canonical values a pair can carry both ways."""
        if pair.codec is None:
            return st.just(pair.const)
        no_scale = shape(level.record).get("quantity_scale") is None
        if pair.codec.plugin or (pair.codec.dynamic and pair.codec.name == "steps" and no_scale):
            return st.just(ABSENT)
        made = canonical(pair, self.setting)
        if pair.blank:
            made = made.filter(lambda value: value != "")
        if pair.native in self.sides:
            return made
        if pair.field.nullable and not pair.null_absent and self.knows_null(pair):
            made = made | st.none()
        return made if pair.field.required else made | st.just(ABSENT)

    def knows_null(self, pair: Pair) -> bool:
        """Whether the channel's own schema lets this place be null."""
        if self.spec.native_schema is None:
            return True
        path = parse(pair.native)
        prefix = self.spec.each.segments if self.spec.each is not None else ()
        places = self.schema.places(path.segments if path.rooted else (*prefix, *path.segments))
        return any("null" in types(node) for node in places)


def _row(record: type[Record], values: dict[tuple[int, ...], Any], slot: tuple[int, ...]) -> Row:
    out: list[Any] = []
    for known in shape(record).fields:
        here = (*slot, known.index)
        if here in values:
            out.append(values[here])
        elif known.kind == "record" and known.part is not None:
            out.append(_row(known.part, values, here))
        else:
            out.append(ABSENT)
    return tuple(out)


__all__ = ["Samples", "Setting", "hints", "settings"]

"""Made-up documents and rows for the laws, as Hypothesis strategies.

A document's structure comes from the native JSON Schema, its mapped values from the transforms
that will read them: a schema alone says "text" where an amount is meant. Needs Hypothesis, so
only tests and `hub map test` import this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from hub.mapping.native import NativeSchema, types
from hub.mapping.paths import EACH, Segment, Where, parse
from hub.mapping.rows import Row
from hub.mapping.shape import Field, instant_text, shape
from hub.mapping.spec import Level, Pair, Spec
from hub.records import money as money_rules
from hub.records import time as time_rules
from hub.records.base import ABSENT, Record
from hub.sdk.contract import Document

BIG = 10**9
MAX_DEPTH = 14

Any_ = st.SearchStrategy[Any]

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
names = st.text("abcdefgh0123456789-", min_size=1, max_size=10)
times = st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
days = st.dates(date(1971, 1, 1), date(2099, 1, 1)).map(date.isoformat)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-BIG, BIG) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What one example agrees on, so that amounts fit their currency and steps their scale."""

    currency: str
    scale: int
    zone: str


settings = st.builds(
    Setting,
    currency=st.sampled_from(["CNY", "USD", "JPY", "KWD"]),
    scale=st.integers(0, 4),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin"]),
)


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
            made = _native(built_in, self.setting, whole)
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
        return simple[kind] if kind in simple else _string(nodes, self.setting)


def _string(nodes: list[Any], setting: Setting) -> Any_:
    """Return texts of a place; what looks like a currency or an amount is one of this setting."""
    for node in nodes:
        if "pattern" in node:
            return _patterned(str(node["pattern"]), setting)
        if node.get("format") == "date-time":
            return times.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        if node.get("format") == "date":
            return days
    low = max([int(node["minLength"]) for node in nodes if "minLength" in node], default=0)
    high = min([int(node["maxLength"]) for node in nodes if "maxLength" in node], default=low + 12)
    return st.text(
        st.characters(codec="utf-8", exclude_characters="\x00"), min_size=low, max_size=high
    )


def _patterned(pattern: str, setting: Setting) -> Any_:
    def takes(*texts: str) -> bool:
        return all(re.search(pattern, text) for text in texts)

    if takes(setting.currency) and not takes("x") and not takes("1"):
        return st.just(setting.currency)
    if takes("0", "7", "120") and not takes("x"):
        return st.integers(0, BIG).map(str).filter(takes)
    whole = pattern.startswith("^") and pattern.endswith("$")
    return st.from_regex(pattern, fullmatch=whole, alphabet=st.characters(codec="ascii"))


def _is(nodes: list[Any], kind: str) -> bool:
    return any("properties" in node or kind in types(node) for node in nodes)


def _read_below(hint: Hint) -> list[Pair]:
    found = list(hint.pairs)
    for step, below in hint.below.items():
        if step is not EACH:
            found += _read_below(below)
    return found


def _native(pair: Pair, setting: Setting, nodes: list[Any]) -> Any_:
    """Return native values that one built-in transform reads."""
    codec = pair.codec
    assert codec is not None  # noqa: S101 - asked only for pairs with a transform
    known = [word for node in nodes for word in node.get("enum", ())]
    fit = [word for word in known if word is not None]
    if codec.name == "enum":
        return st.sampled_from(fit or list(codec.table))
    if codec.name == "text" and fit:
        return st.sampled_from(fit)
    low, high = max(pair.field.low, -BIG), min(pair.field.high, BIG)
    made: dict[str, Any_] = {
        "text": _texts(pair.field, setting),
        "integer": st.integers(low, high),
        "boolean": st.booleans(),
        "json": _json(pair.field.hint),
        "instant": st.builds(_rfc3339, times, st.sampled_from(["Z", "+00:00", ".25Z", "+08:00"])),
        "local_time": times.map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S")),
        "epoch_s": times.map(lambda moment: int(moment.timestamp())),
        "epoch_ms": times.map(lambda moment: int(moment.timestamp()) * 1000 + 25),
        "date": days,
        "decimal": st.builds(_decimal, st.integers(-BIG, BIG), st.integers(0, 6)),
        "money": st.builds(_decimal, st.integers(low, high), st.just(_places(pair, setting))),
        "steps": st.builds(_decimal, st.integers(low, high), st.just(_places(pair, setting))),
    }
    found = made[codec.name]
    return found.map(lambda value: _formed(pair, value, nodes))


def _places(pair: Pair, setting: Setting) -> int:
    codec = pair.codec
    assert codec is not None  # noqa: S101 - asked only for pairs with a transform
    if not codec.dynamic:
        return codec.places
    if codec.name == "steps":
        return setting.scale
    return money_rules.exponent(setting.currency) if codec.places else 0


def _formed(pair: Pair, value: Any, nodes: list[Any]) -> Any:
    """Give a value the JSON type the schema, else the transform, wants."""
    kinds = {name for node in nodes for name in types(node)}
    codec = pair.codec
    number = codec is not None and codec.native_form == "number"
    if "string" in kinds and "integer" not in kinds and "number" not in kinds:
        return value if isinstance(value, str | dict | list) else str(value)
    if isinstance(value, str) and codec is not None and codec.name != "text":
        if number and codec.name in ("money", "steps", "decimal"):
            exact = Decimal(value)
            return int(exact) if "." not in value else float(exact)
        return value
    if isinstance(value, str) and (number or ("integer" in kinds and "string" not in kinds)):
        return len(value)
    return value


def _rfc3339(moment: datetime, end: str) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + end


def _decimal(number: int, places: int) -> str:
    return f"{Decimal(number).scaleb(-places):f}"


def _texts(known: Field, setting: Setting) -> Any_:
    if known.pattern is not None:
        return st.just(setting.currency)
    if known.name == "source_zone":
        return st.just(setting.zone)
    return st.sampled_from(known.choices) if known.choices else words


def _json(hint: Any) -> Any_:
    form, args = get_origin(hint) or hint, get_args(hint)
    inner = {str: words, Any: json_values}.get(args[-1] if args else Any)
    if form is dict:
        return st.dictionaries(names, inner if inner is not None else json_values, max_size=3)
    if form is list:
        return st.lists(inner if inner is not None else _json(args[0]), max_size=3)
    return json_values


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
        made = _canonical_value(pair, self.setting)
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


def _canonical_value(pair: Pair, setting: Setting) -> Any_:
    codec = pair.codec
    assert codec is not None  # noqa: S101 - asked only for pairs with a transform
    number = codec.native_form == "number"
    low, high = max(pair.field.low, -BIG), min(pair.field.high, BIG)
    instants = times.map(instant_text)
    if codec.name == "local_time":
        return instants.filter(lambda text: _tells(text, setting.zone))
    if codec.name == "text":
        return st.integers(0, BIG).map(str) if number else _texts(pair.field, setting)
    if codec.name == "enum":
        return st.sampled_from(sorted(set(codec.table.values()), key=str))
    if pair.field.name == "quantity_scale":
        return st.just(setting.scale)
    made: dict[str, Any_] = {
        "boolean": st.booleans(),
        "json": _json(pair.field.hint),
        "date": days,
        "decimal": st.integers(-BIG, BIG).map(lambda n: str(n) if n % 2 else f"{n}.5"),
    }
    if pair.field.kind == "instant":
        return instants
    return made.get(codec.name, st.integers(low, high))


def _tells(text: str, zone: str) -> bool:
    """Whether a wall clock shows this instant unmistakably (the hour a clock repeats does not)."""
    moment = time_rules.from_text(text)
    return all(
        time_rules.from_local(time_rules.to_local(moment, name), name) == moment
        for name in {zone, "Asia/Shanghai", "Europe/Berlin"}
    )


__all__ = ["Samples", "Setting", "hints", "settings"]

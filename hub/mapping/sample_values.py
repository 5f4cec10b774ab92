"""Values for made-up documents and rows: what each transform reads, and what it can write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from hub.mapping.native import types
from hub.mapping.shape import Field, instant_text
from hub.mapping.spec import Pair
from hub.records import money as money_rules
from hub.records import time as time_rules

BIG = 10**9

Any_ = st.SearchStrategy[Any]

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
names = st.text("abcdefgh0123456789-", min_size=1, max_size=10)
times = st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001 - bounds of wall times
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
days = st.dates(date(1971, 1, 1), date(2099, 1, 1)).map(date.isoformat)
moments = st.builds(
    lambda moment, end: moment.strftime("%Y-%m-%dT%H:%M:%S") + end,
    times,
    st.sampled_from(["Z", "+00:00", ".25Z", "+08:00"]),
)
wall_times = times.map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S"))
seconds = times.map(lambda moment: int(moment.timestamp()))
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


settings = st.sampled_from(
    [
        Setting("CNY", 0, "Asia/Shanghai"),
        Setting("JPY", 3, "Europe/Berlin"),
        Setting("KWD", 4, "Asia/Shanghai"),
        Setting("USD", 2, "Europe/Berlin"),
    ]
)
"""Few on purpose: strategies are made once per setting, and making them is slow."""


def text(nodes: list[Any], setting: Setting) -> Any_:
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


def native(pair: Pair, setting: Setting, nodes: list[Any]) -> Any_:
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
    simple: dict[str, Any_] = {
        "boolean": st.booleans(),
        "instant": moments,
        "local_time": wall_times,
        "epoch_s": seconds,
        "epoch_ms": seconds.map(lambda second: second * 1000 + 25),
        "date": days,
        "decimal": st.builds(_decimal, st.integers(-BIG, BIG), st.integers(0, 6)),
    }
    if codec.name == "text":
        found = _texts(pair.field, setting)
    elif codec.name == "json":
        found = json_of(pair.field.hint)
    elif codec.name in ("money", "steps"):
        places = _places(pair, setting)
        found = st.integers(low, high).map(lambda number: _decimal(number, places))
    else:
        found = simple[codec.name] if codec.name in simple else st.integers(low, high)
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


def _decimal(number: int, places: int) -> str:
    return f"{Decimal(number).scaleb(-places):f}"


def _texts(known: Field, setting: Setting) -> Any_:
    if known.pattern is not None:
        return st.just(setting.currency)
    if known.name == "source_zone":
        return st.just(setting.zone)
    return st.sampled_from(known.choices) if known.choices else words


def json_of(hint: Any) -> Any_:
    """Return JSON of the form of an annotation such as `dict[str, str]`."""
    form, args = get_origin(hint) or hint, get_args(hint)
    inner = {str: words, Any: json_values}.get(args[-1] if args else Any)
    if form is dict:
        return st.dictionaries(names, inner if inner is not None else json_values, max_size=3)
    if form is list:
        return st.lists(inner if inner is not None else json_of(args[0]), max_size=3)
    return json_values


def canonical(pair: Pair, setting: Setting) -> Any_:
    """Return canonical values that one built-in transform can carry both ways."""
    codec, known = pair.codec, pair.field
    assert codec is not None  # noqa: S101 - asked only for pairs with a transform
    low, high = max(known.low, -BIG), min(known.high, BIG)
    if codec.name == "text":
        number = codec.native_form == "number"
        return st.integers(0, BIG).map(str) if number else _texts(known, setting)
    if codec.name == "enum":
        return st.sampled_from(sorted(set(codec.table.values()), key=str))
    if codec.name == "json":
        return json_of(known.hint)
    if known.kind == "instant":
        wall = codec.name == "local_time"
        return times.map(instant_text).filter(lambda text: not wall or _tells(text, setting.zone))
    simple = {
        "boolean": st.booleans(),
        "date": days,
        "decimal": st.integers(-BIG, BIG).map(lambda n: str(n) if n % 2 else f"{n}.5"),
    }
    whole = st.just(setting.scale) if known.name == "quantity_scale" else st.integers(low, high)
    return simple.get(codec.name, whole)


def _tells(text: str, zone: str) -> bool:
    """Whether a wall clock shows this instant unmistakably (the hour a clock repeats does not)."""
    moment = time_rules.from_text(text)
    return all(
        time_rules.from_local(time_rules.to_local(moment, name), name) == moment
        for name in {zone, "Asia/Shanghai", "Europe/Berlin"}
    )

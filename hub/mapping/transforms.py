"""The transforms a mapping file may name with `as:`, and how each is built for one field.

Every builder takes the canonical field, the pair's options and a place to note what is wrong,
and returns a codec. A connector's own transforms (hook `hub_transforms`) go through `plugin`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from hub.mapping.codec import (
    Codec,
    Form,
    Note,
    as_number,
    decimal_text,
    scaled_reader,
    whole_number,
)
from hub.mapping.shape import Field, FieldKind, fit_text, instant, instant_text, settle, shape, word
from hub.records import money as money_rules
from hub.records import quantity as quantity_rules
from hub.records import time as time_rules
from hub.records.base import ABSENT
from hub.sdk.hooks import Transform

Options = Mapping[str, Any]
Build = Callable[[Field, Options, Note], Codec | None]
MAX_SCALE = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """What the loader knows of a transform before it builds one.

    `side` names the option that may stand in the document instead of in the file.
    """

    build: Build
    fits: frozenset[FieldKind]
    options: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    side: str = ""


def is_native(value: Any) -> bool:
    """Tell whether an option is taken from the document (`{native: path}`)."""
    return isinstance(value, Mapping)


def _text(field: Field, options: Options, _note: Note) -> Codec:
    number = bool(options.get("number"))

    def read(value: Any) -> Any:
        return field.fit(str(value) if type(value) is int else value)

    def write(value: Any) -> Any:
        if not number:
            return value
        if str(whole_number(value)) != value:
            raise ValueError("not the plain text of a whole number")
        return int(value)

    plain = field.kind == "text" and field.pattern is None
    form: Form = "number" if number else "text"
    return Codec("text", read, write, inline="text" if plain else "", native_form=form)


def _integer(field: Field, options: Options, _note: Note) -> Codec:
    text = bool(options.get("text"))
    return Codec(
        "integer",
        lambda value: field.fit(whole_number(value)),
        str if text else int,
        inline="int",
        native_form="text" if text else "number",
    )


def _boolean(field: Field, _options: Options, _note: Note) -> Codec:
    return Codec("boolean", field.fit, bool, inline="bool")


def _json(field: Field, _options: Options, _note: Note) -> Codec:
    return Codec("json", field.fit, copy.deepcopy)


def _instant(_field: Field, _options: Options, _note: Note) -> Codec:
    return Codec("instant", _read_instant, _short)


def _read_instant(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"expected a time as text, found {word(value)}")
    return instant(value)


def _short(value: str) -> str:
    """Drop the fraction when it is zero: the form every platform takes."""
    return value[:19] + "Z" if value.endswith(".000000Z") else value


def _local_time(_field: Field, options: Options, note: Note) -> Codec:
    zone = options["zone"]
    if is_native(zone):
        return Codec("local_time", _read_local, _write_local, dynamic=True)
    try:
        time_rules.zone(str(zone))
    except ValueError as error:
        note("zone", str(error), ("an IANA name such as Asia/Shanghai",))
    return Codec(
        "local_time",
        lambda value: _read_local(value, zone),
        lambda value: _write_local(value, zone),
    )


def _read_local(value: Any, zone: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"expected a time as text, found {word(value)}")
    if type(zone) is not str:
        raise ValueError(f"its time zone is {word(zone)}")
    return instant_text(time_rules.from_local(value, zone))


def _write_local(value: str, zone: Any) -> str:
    if type(zone) is not str:
        raise ValueError(f"its time zone is {word(zone)}")
    return time_rules.to_local(time_rules.from_text(value), zone)


def _epoch(_field: Field, options: Options, _note: Note, *, per_s: int, name: str) -> Codec:
    text = bool(options.get("text"))

    def read(value: Any) -> str:
        count = whole_number(value)
        try:
            second = datetime.fromtimestamp(count // per_s, UTC)
        except (OverflowError, OSError, ValueError):
            raise ValueError("a time beyond the year 9999 or before the year 1") from None
        return instant_text(second.replace(microsecond=count % per_s * (1_000_000 // per_s)))

    def write(value: str) -> Any:
        moment = time_rules.from_text(value)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        count = (since.days * 86_400 + since.seconds) * per_s
        count += since.microseconds * per_s // 1_000_000
        return str(count) if text else count

    return Codec(name, read, write, native_form="text" if text else "number")


def _date(field: Field, _options: Options, _note: Note) -> Codec:
    def read(value: Any) -> Any:
        if type(value) is not str:
            raise ValueError(f"expected a date as text, found {word(value)}")
        return field.fit(date.fromisoformat(value).isoformat())

    return Codec("date", read, str)


def _decimal(field: Field, options: Options, _note: Note) -> Codec:
    number = bool(options.get("number"))

    def read(value: Any) -> Any:
        text = decimal_text(value, number=number)
        try:
            finite = Decimal(text).is_finite()
        except InvalidOperation:
            raise ValueError("not a decimal number") from None
        if not finite:
            raise ValueError("not a finite number")
        return field.fit(text)

    form: Form = "number" if number else "text"
    return Codec("decimal", read, as_number if number else str, native_form=form)


def _money(field: Field, options: Options, note: Note) -> Codec | None:
    if options.get("unit", "major") == "minor":
        return _minor(field, options)
    currency, number = options["currency"], bool(options.get("number"))
    form: Form = "number" if number else "text"
    shown = _form(number=number, text=True)
    if not is_native(currency):
        if not _is_code(currency):
            note("currency", "not an ISO 4217 code", ("three capital letters such as CNY",))
            return None
        reader = scaled_reader(
            partial(money_rules.to_minor, currency=currency),
            money_rules.exponent(currency),
            field,
            number=number,
        )
        return Codec(
            "money",
            reader,
            lambda value: shown(money_rules.to_text(value, currency)),
            native_form=form,
            places=money_rules.exponent(currency),
        )
    readers: dict[str, Callable[[Any], int]] = {}

    def read(value: Any, code: Any) -> int:
        known = readers.get(code) if type(code) is str else None
        if known is None:
            known = readers[code] = scaled_reader(
                partial(money_rules.to_minor, currency=_code(code)),
                money_rules.exponent(code),
                field,
                number=number,
            )
        return known(value)

    def write(value: int, code: Any) -> Any:
        return shown(money_rules.to_text(value, _code(code)))

    return Codec("money", read, write, dynamic=True, native_form=form, places=2)


def _minor(field: Field, options: Options) -> Codec:
    text = bool(options.get("text"))
    form: Form = "text" if text else "number"
    write: Callable[..., Any] = str if text else int
    if is_native(options["currency"]):
        return Codec(
            "money",
            lambda value, code: field.fit(whole_number(value)) if _code(code) else 0,
            lambda value, code: write(value) if _code(code) else 0,
            dynamic=True,
            native_form=form,
        )
    return Codec(
        "money", lambda value: field.fit(whole_number(value)), write, inline="int", native_form=form
    )


def _is_code(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) == 3  # noqa: PLR2004 - ISO 4217
        and value.isascii()
        and value.isalpha()
        and value.isupper()
    )


def _code(value: Any) -> str:
    if not _is_code(value):
        raise ValueError(f"its currency is {word(value)}, not an ISO 4217 code")
    return str(value)


def _form(*, number: bool, text: bool) -> Callable[[str], Any]:
    """Return how a decimal text is written: as a number, as text, or as a whole number."""
    if number:
        return as_number
    return str if text else int


def _steps(field: Field, options: Options, note: Note) -> Codec | None:
    scale, number = options["scale"], bool(options.get("number"))
    if not is_native(scale):
        if not _is_scale(scale):
            note("scale", "not a scale", ("0", "1", "2", "3", "4"))
            return None
        text = bool(options.get("text")) or scale > 0
        shown = _form(number=number, text=text)
        reader = scaled_reader(
            partial(quantity_rules.to_steps, scale=scale), scale, field, number=number
        )
        return Codec(
            "steps",
            reader,
            lambda value: shown(quantity_rules.to_text(value, scale)),
            inline="int" if scale == 0 else "",
            native_form="text" if text and not number else "number",
            places=scale,
        )
    readers = [
        scaled_reader(partial(quantity_rules.to_steps, scale=n), n, field, number=number)
        for n in range(MAX_SCALE + 1)
    ]
    shown = _form(number=number, text=True)
    return Codec(
        "steps",
        lambda value, places: readers[_scale(places)](value),
        lambda value, places: shown(quantity_rules.to_text(value, _scale(places))),
        dynamic=True,
        native_form="number" if number else "text",
    )


def _is_scale(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SCALE


def _scale(value: Any) -> int:
    if not _is_scale(value):
        raise ValueError(f"its scale is {word(value)}, not 0 to {MAX_SCALE}")
    return int(value)


def _enum(field: Field, options: Options, note: Note) -> Codec | None:
    table: Mapping[Any, Any] = options["table"]
    back = _way_back(table, options, note)
    values = [("table", value) for value in table.values()]
    if "default" in options:
        values.append(("default", options["default"]))
    for option, value in values:
        try:
            field.fit(value)
        except ValueError:
            note(option, f"{value!r} is not a value of {field.name}", _words(field))
    default = options.get("default", ABSENT)

    def read(value: Any) -> Any:
        if type(value) not in (str, int, bool):
            raise ValueError(f"expected a word of the table, found {word(value)}")
        found = table.get(value, default)
        if found is ABSENT:
            raise ValueError(f"not in the table: {', '.join(map(str, table))}")
        return found

    def write(value: Any) -> Any:
        if value not in back:
            raise ValueError("the table has no native word for it")
        return back[value]

    return Codec("enum", read, write, inline="table", table=dict(table))


def _words(field: Field) -> tuple[str, ...]:
    return tuple(map(str, field.choices)) or {"bool": ("true", "false")}.get(field.kind, ())


def _way_back(table: Mapping[Any, Any], options: Options, note: Note) -> dict[Any, Any]:
    """Turn the table round; where several natives share one canonical, `back` must choose."""
    natives: dict[Any, list[Any]] = {}
    for native, canonical in table.items():
        natives.setdefault(canonical, []).append(native)
    chosen: Mapping[Any, Any] = options.get("back", {})
    for canonical, native in chosen.items():
        if native not in natives.get(canonical, ()):
            known = tuple(map(str, natives.get(canonical, ())))
            note("back", f"{native!r} does not read as {canonical!r}", known)
    if options["way"] != "in":
        for canonical, several in natives.items():
            if len(several) > 1 and canonical not in chosen:
                words = tuple(map(str, several))
                note("table", f"{canonical!r} has several natives, `back` must choose one", words)
    return {canonical: chosen.get(canonical, several[0]) for canonical, several in natives.items()}


def plugin(name: str, transform: Transform, field: Field) -> Codec:
    """Bind a connector's own transform. What it returns is validated like anything else."""
    back = transform.to_native

    def read(value: Any) -> Any:
        return settle(field, transform.to_canonical(value), field.fit)

    def write(value: Any) -> Any:
        return None if back is None else back(_parts(field, value))

    return Codec(name, read, None if back is None else write, plugin=True)


def _parts(field: Field, value: Any) -> Any:
    """Show rows to a transform the way it gives them: dicts keyed by field names."""
    if field.part is None:
        return value
    if field.kind == "list":
        return [_named(field, row) for row in value]
    return _named(field, value)


def _named(field: Field, row: tuple[Any, ...]) -> dict[str, Any]:
    assert field.part is not None  # noqa: S101 - only called for parts
    return {
        inner.name: None if value is None else _parts(inner, value)
        for inner, value in zip(shape(field.part).fields, row, strict=True)
        if value is not ABSENT
    }


def _kinds(*names: FieldKind) -> frozenset[FieldKind]:
    return frozenset(names)


BUILT_IN: Mapping[str, Kind] = {
    "text": Kind(_text, _kinds("text", "enum"), frozenset({"number"})),
    "integer": Kind(_integer, _kinds("int"), frozenset({"text"})),
    "boolean": Kind(_boolean, _kinds("bool")),
    "money": Kind(
        _money, _kinds("int"), frozenset({"currency", "unit", "number", "text"}),
        frozenset({"currency"}), "currency",
    ),
    "steps": Kind(
        _steps, _kinds("int"), frozenset({"scale", "number", "text"}), frozenset({"scale"}), "scale"
    ),
    "instant": Kind(_instant, _kinds("instant")),
    "local_time": Kind(
        _local_time, _kinds("instant"), frozenset({"zone"}), frozenset({"zone"}), "zone"
    ),
    "epoch_s": Kind(
        partial(_epoch, per_s=1, name="epoch_s"), _kinds("instant"), frozenset({"text"})
    ),
    "epoch_ms": Kind(
        partial(_epoch, per_s=1000, name="epoch_ms"), _kinds("instant"), frozenset({"text"})
    ),
    "date": Kind(_date, _kinds("text")),
    "decimal": Kind(_decimal, _kinds("text"), frozenset({"number"})),
    "json": Kind(_json, _kinds("json")),
    "enum": Kind(
        _enum, _kinds("text", "enum", "int", "bool"), frozenset({"table", "default", "back"}),
        frozenset({"table"}),
    ),
}  # fmt: skip
"""Every transform the hub itself knows."""

__all__ = ["BUILT_IN", "Kind", "Options", "fit_text", "is_native", "plugin"]

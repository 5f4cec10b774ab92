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

from hub.mapping import amounts
from hub.mapping.codec import (
    Codec,
    Form,
    Note,
    Options,
    as_number,
    decimal_text,
    is_native,
    whole_number,
)
from hub.mapping.rows import named
from hub.mapping.shape import Field, FieldKind, instant, instant_text, quick_reader, settle, word
from hub.records import time as time_rules
from hub.records.base import ABSENT
from hub.sdk.hooks import Transform

Build = Callable[[Field, Options, Note], Codec | None]


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
    quick = quick_reader(field, lambda value: settle(field, value, field.fit))

    def read(value: Any) -> Any:
        try:
            found = transform.to_canonical(value)
        except ValueError:
            if field.personal:  # its sentence may quote the value
                raise ValueError(f"{name} refused the value") from None
            raise
        return quick(found)

    def write(value: Any) -> Any:
        return None if back is None else back(named(field, value))

    return Codec(
        name,
        read,
        None if back is None else write,
        plugin=True,
        bare=transform.to_canonical,
        valid=quick,
    )


def _kinds(*names: FieldKind) -> frozenset[FieldKind]:
    return frozenset(names)


BUILT_IN: Mapping[str, Kind] = {
    "text": Kind(_text, _kinds("text", "enum"), frozenset({"number"})),
    "integer": Kind(_integer, _kinds("int"), frozenset({"text"})),
    "boolean": Kind(_boolean, _kinds("bool")),
    "money": Kind(
        amounts.money, _kinds("int"), frozenset({"currency", "unit", "number", "text"}),
        frozenset({"currency"}), "currency",
    ),
    "steps": Kind(
        amounts.steps, _kinds("int"), frozenset({"scale", "number", "text"}), frozenset({"scale"}), "scale"
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

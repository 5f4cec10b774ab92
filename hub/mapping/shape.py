"""What a canonical record looks like to a mapping: its fields, their kinds and their limits.

Read once per record class from its annotations. `Field.fit` is the whole validation of one
value, made for rows: no pydantic object is built.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from hub.mapping.parts import MOST_FORMS, Maker, Place, maker
from hub.records.base import ABSENT, Json, Link, Pii, Record

FieldKind = Literal["text", "int", "bool", "enum", "instant", "json", "record", "list"]
Fit = Callable[[Any], Any]

MAX_JSON_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. `open` is false for our own ids and for what the hub derives."""

    name: str
    index: int
    kind: FieldKind
    nullable: bool
    required: bool
    open: bool
    pii: bool
    low: int
    high: int
    choices: tuple[Any, ...]
    pattern: str | None
    part: type[Record] | None
    hint: Any

    @property
    def personal(self) -> bool:
        """Whether it holds a person's data, itself or in a field of its parts."""
        if self.part is None:
            return self.pii
        return any(inner.personal for inner in shape(self.part).fields)

    def fit(self, value: Any) -> Any:
        """Return the value as a row holds it. Raises `ValueError` for one the field refuses.

        Takes neither None nor ABSENT: whether those may stand is `nullable` and `required`.
        """
        return _FITS[self.kind](self, value)


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a record class in the order of its rows."""

    record: type[Record]
    fields: tuple[Field, ...]

    def get(self, name: str) -> Field | None:
        """Return the field of that name."""
        return next((field for field in self.fields if field.name == name), None)


@cache
def shape(record: type[Record]) -> Shape:
    """Read the shape of a record class."""
    fields = []
    for index, (name, info) in enumerate(record.model_fields.items()):
        hints: list[Any] = list(info.metadata)
        nullable, core = _core(info.annotation, hints)
        extra = info.json_schema_extra
        is_derived = isinstance(extra, dict) and bool(extra.get("derived"))
        low, high = _bounds(hints)
        kind, part = _kind(core, hints)
        fields.append(
            Field(
                name=name,
                index=index,
                kind=kind,
                nullable=nullable,
                required=info.is_required(),
                open=not is_derived and not any(isinstance(hint, Link) for hint in hints),
                pii=any(isinstance(hint, Pii) for hint in hints),
                low=low,
                high=high,
                choices=get_args(core) if kind == "enum" else (),
                pattern=next((p for h in hints if (p := getattr(h, "pattern", None))), None),
                part=part,
                hint=core,
            )
        )
    return Shape(record, tuple(fields))


def _core(annotation: Any, hints: list[Any]) -> tuple[bool, Any]:
    """Strip Annotated and Optional; marks found on the way are added to `hints`."""
    nullable = False
    while True:
        origin = get_origin(annotation)
        if hasattr(annotation, "__metadata__"):
            for mark in annotation.__metadata__:
                hints.append(mark)
                hints.extend(getattr(mark, "metadata", ()))
            annotation = annotation.__origin__
        elif origin in (Union, types.UnionType):
            rest = [arg for arg in get_args(annotation) if arg is not type(None)]
            nullable = nullable or len(rest) < len(get_args(annotation))
            if len(rest) != 1:
                raise TypeError(f"a record field has one type, found {annotation}")
            annotation = rest[0]
        else:
            return nullable, annotation


def _bounds(hints: list[Any]) -> tuple[int, int]:
    low, high = -(2**63), 2**63 - 1
    for hint in hints:
        low = max(low, getattr(hint, "ge", low))
        high = min(high, getattr(hint, "le", high))
    return low, high


def _kind(core: Any, hints: list[Any]) -> tuple[FieldKind, type[Record] | None]:
    if any(isinstance(hint, Json) for hint in hints):
        return "json", None
    if get_origin(core) is Literal:
        return "enum", None
    if get_origin(core) is tuple:
        return "list", get_args(core)[0]
    if isinstance(core, type) and issubclass(core, Record):
        return "record", core
    simple: dict[Any, FieldKind] = {str: "text", int: "int", bool: "bool", datetime: "instant"}
    if core not in simple:
        raise TypeError(f"a record field cannot be {core}")
    return simple[core], None


def fit_text(value: Any) -> str:
    """Accept a text both databases can hold: no NUL, no half of a surrogate pair."""
    if type(value) is not str:
        raise ValueError(f"expected text, found {word(value)}")
    if not value.isprintable():
        if "\x00" in value:
            raise ValueError("text with a NUL character cannot be stored")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("text with half a surrogate pair cannot be stored") from None
    return value


def _text(field: Field, value: Any) -> str:
    text = fit_text(value)
    if field.pattern is not None and re.fullmatch(field.pattern, text) is None:
        raise ValueError(f"text does not match {field.pattern}")
    return text


def _int(field: Field, value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"expected a whole number, found {word(value)}")
    if value < field.low:
        raise ValueError(f"less than {field.low}")
    if value > field.high:
        raise ValueError(f"more than {field.high}")
    return value


def _bool(_field: Field, value: Any) -> bool:
    if value is True or value is False:
        return value
    raise ValueError(f"expected true or false, found {word(value)}")


def _enum(field: Field, value: Any) -> Any:
    if type(value) is str and value in field.choices:
        return value
    raise ValueError(f"not one of {', '.join(map(str, field.choices))}")


def instant(value: Any) -> str:
    """Bring an RFC 3339 text or an aware datetime into the one sortable text form."""
    if type(value) is str:
        # 2026-10-05T08:00:00Z, the usual form, is checked and not rebuilt.
        if len(value) == 20 and value[4::3] == "--T::Z":  # noqa: PLR2004 - 2026-10-05T08:00:00Z
            datetime.fromisoformat(value)
            return value[:19] + ".000000Z"
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ValueError(f"expected a time as text, found {word(value)}")
    return instant_text(value)


def instant_text(value: datetime) -> str:
    """Write an aware datetime in the sortable text form. Raises `ValueError` without a zone."""
    if value.tzinfo is None:
        raise ValueError("time without a zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _instant(_field: Field, value: Any) -> str:
    return instant(value)


def _json(field: Field, value: Any) -> Any:
    if not _fits(value, field.hint, MAX_JSON_DEPTH):
        raise ValueError(f"expected JSON of the form {field.hint}, found {word(value)}")
    return value


@cache
def _form(hint: Any) -> tuple[Any, Any]:
    """Return the outer type of an annotation and what stands inside it."""
    args = get_args(hint)
    return get_origin(hint) or hint, args[-1] if args else Any


def _fits(value: Any, hint: Any, depth: int) -> bool:
    """Tell whether decoded JSON has the form of an annotation such as `dict[str, Any]`."""
    if depth == 0:
        raise ValueError(f"JSON deeper than {MAX_JSON_DEPTH} levels")
    if isinstance(value, str):
        fit_text(value)
    form, inner = _form(hint)
    if form is not Any and (
        not isinstance(value, form) or (value in (True, False) and form is int)
    ):
        return False
    if isinstance(value, dict):
        return all(
            isinstance(k, str) and _fits(k, str, depth - 1) and _fits(v, inner, depth - 1)
            for k, v in value.items()
        )
    if isinstance(value, list):
        return all(_fits(item, inner, depth - 1) for item in value)
    return True


def _record(field: Field, value: Any) -> tuple[Any, ...]:
    assert field.part is not None  # noqa: S101 - a record field has a part by construction
    return row_of_parts(field.part, value)


def _list(field: Field, value: Any) -> list[tuple[Any, ...]]:
    assert field.part is not None  # noqa: S101 - a list field has a part by construction
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of parts, found {word(value)}")
    return [row_of_parts(field.part, part) for part in value]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How rows of one record class are made of dicts, worked out once; `forms` as they come."""

    blank: tuple[Any, ...]
    slots: Mapping[str, tuple[Field, Fit]]
    needed: tuple[Field, ...]
    forms: dict[tuple[str, ...], Maker]


@cache
def _plan(record: type[Record]) -> _Plan:
    fields = shape(record).fields
    return _Plan(
        blank=(ABSENT,) * len(fields),
        slots={field.name: (field, quick_reader(field, _full(field))) for field in fields},
        needed=tuple(field for field in fields if field.required),
        forms={},
    )


def _full(field: Field) -> Fit:
    return lambda value: _part_value(field, value)


def usual(field: Field) -> str:
    """Name the test that a usual value of the field passes and then needs no more; "" for none."""
    simple = field.open and (field.kind != "text" or field.pattern is None)
    return field.kind if simple and field.kind in ("text", "int", "bool", "enum") else ""


def quick_reader(field: Field, full: Fit) -> Fit:
    """Return a reader that takes the usual value on a short path and leaves all others to `full`."""
    if not field.open:
        return full
    if field.kind == "instant":
        return _quick_instant(full)
    if field.kind == "list" and field.part is not None:
        return _quick_list(field.part, full)
    return _quick_words(full) if field.kind == "json" and _form(field.hint) == (dict, Any) else full


def _quick_instant(full: Fit) -> Fit:
    def read(value: Any) -> Any:
        if type(value) is not str:
            return full(value)
        try:
            return instant(value)
        except ValueError:
            return full(value)

    return read


def _quick_list(part: type[Record], full: Fit) -> Fit:
    plan = _plan(part)
    forms = plan.forms

    def read(value: Any) -> Any:
        if type(value) is not list:
            return full(value)
        found = []
        try:
            for item in value:
                make = forms.get(tuple(item)) if type(item) is dict else None
                found.append(row_of_parts(part, item) if make is None else make(item))
        except ValueError:
            return full(value)
        return found

    return read


def _quick_words(full: Fit) -> Fit:
    """Take a flat object of texts, flags and nulls."""

    def read(value: Any) -> Any:
        if type(value) is not dict:
            return full(value)
        for name, said in value.items():
            if type(name) is not str or not name.isprintable():
                return full(value)
            if said is None or said is True or said is False:
                continue
            if type(said) is not str or not said.isprintable():
                return full(value)
        return value

    return read


def row_of_parts(record: type[Record], value: Any) -> tuple[Any, ...]:
    """Make a row of a dict keyed by field names; fields it lacks are absent.

    Raises `ValueError` for a name the record does not have, a value that does not fit, and a
    required field that is missing.
    """
    plan = _plan(record)
    if type(value) is dict:
        make = plan.forms.get(tuple(value))
        if make is not None:
            return make(value)
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a part keyed by field names, found {word(value)}")
    row = list(plan.blank)
    for name, given in value.items():
        slot = plan.slots.get(name)
        if slot is None:
            names = ", ".join(field.name for field in shape(record).fields if field.open)
            raise ValueError(f"{record.__name__} has no field {name!r}; it has {names}")
        row[slot[0].index] = slot[1](given)
    for field in plan.needed:
        if row[field.index] is ABSENT:
            row[field.index] = _part_value(field, ABSENT)
    if type(value) is dict and len(plan.forms) < MOST_FORMS:
        _learn(plan, tuple(value))
    return tuple(row)


def _learn(plan: _Plan, names: tuple[str, ...]) -> None:
    """Make the function for a form that was read without a fault, unless it lacks what must be."""
    places = [
        Place(
            index=field.index, test=usual(field), read=read, low=field.low, high=field.high,
            choices=frozenset(field.choices),
            nullable=field.nullable and field.open and field.kind not in ("list", "record"),
        )
        for field, read in (plan.slots[name] for name in names)
    ]  # fmt: skip
    given = {place.index for place in places}
    if all(field.index in given for field in plan.needed):
        plan.forms[names] = maker(plan.blank, places)


def _part_value(field: Field, value: Any) -> Any:
    if value is not ABSENT and not field.open:
        raise ValueError(f"{field.name} is filled by the hub")
    try:
        return settle(field, value, field.fit)
    except ValueError as error:
        raise ValueError(f"{field.name}: {error}") from None


def settle(field: Field, value: Any, read: Fit) -> Any:
    """Read one value, with the rules for absent and null in front."""
    if value is ABSENT:
        if field.required and field.kind == "record" and field.part is not None:
            return row_of_parts(field.part, {})
        if field.required:
            raise ValueError("absent, and the record cannot be without it")
        return ABSENT
    if value is None:
        if field.kind == "list":
            return ABSENT
        if not field.nullable:
            raise ValueError("null, and this field has no null (`null: absent` reads it as absent)")
        return None
    return read(value)


def word(value: Any) -> str:
    """Name the JSON type of a value, never the value."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number"}
    if value is None:
        return "null"
    if value is ABSENT:
        return "nothing"
    return names.get(type(value), "a decimal number" if type(value) is float else "something else")


_FITS: dict[FieldKind, Callable[[Field, Any], Any]] = {
    "text": _text, "int": _int, "bool": _bool, "enum": _enum,
    "instant": _instant, "json": _json, "record": _record, "list": _list,
}  # fmt: skip

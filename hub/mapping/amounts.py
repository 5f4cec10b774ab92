"""The two transforms that count: `money` and `steps`. Integers inside, decimals only at the edge."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from hub.mapping.codec import (
    SHORT,
    Codec,
    Form,
    Note,
    Options,
    as_number,
    is_native,
    scaled_reader,
    whole_number,
)
from hub.mapping.shape import Field, word
from hub.records import money as money_rules
from hub.records import quantity as quantity_rules

MAX_SCALE = 4


def money(field: Field, options: Options, note: Note) -> Codec | None:
    """Build `money`: minor units of a currency that the file or the document names."""
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
    low, high = field.low, field.high

    def read(value: Any, code: Any) -> int:
        if type(value) is str and type(code) is str and len(value) < SHORT:
            found = _minor_of(value, code)
            if low <= found <= high:
                return found
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


# A channel says the same few amounts again and again, "0.0" above all.
@lru_cache(maxsize=8192)
def _minor_of(text: str, code: str) -> int:
    return money_rules.to_minor(text, _code(code))


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


def steps(field: Field, options: Options, note: Note) -> Codec | None:
    """Build `steps`: a quantity as whole steps of 10^-scale."""
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

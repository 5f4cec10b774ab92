"""A codec: one transform of a mapping file, bound to its options and to one canonical field.

`read` takes a native value (never null, never absent) and returns what the row holds, valid for
the field, or raises `ValueError` with one sentence that never contains the value. `write` is the
way back. Where an option stands in the document (`currency: {native: …}`), both take its value
as a second argument; such a codec is `dynamic`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from hub.mapping.shape import Field, word
from hub.records.money import INT64

SHORT = 18
"""A decimal text with fewer characters is below 10^18, where nothing can overflow."""

Inline = Literal["", "text", "bool", "int", "table"]
Form = Literal["", "text", "number"]
"""What a codec writes: JSON text, a JSON number, or something of its own."""
Options = Mapping[str, Any]
Note = Callable[[str, str, tuple[str, ...]], None]
"""Takes the option's name, what is wrong, what is allowed."""


@dataclass(frozen=True, slots=True)
class Codec:
    """The two functions of one pair, and what the compiler and the sample maker need to know."""

    name: str
    read: Callable[..., Any]
    write: Callable[..., Any] | None
    dynamic: bool = False
    inline: Inline = ""
    table: Mapping[Any, Any] = field(default_factory=dict)
    native_form: Form = ""
    places: int = 0
    plugin: bool = False
    bare: Callable[[Any], Any] | None = None
    """A connector's own function: what it returns still has to be validated (`valid`)."""
    valid: Callable[[Any], Any] | None = None


def is_native(value: Any) -> bool:
    """Tell whether an option is taken from the document (`{native: path}`)."""
    return isinstance(value, Mapping)


def whole_number(value: Any) -> int:
    """Accept a JSON integer, or its plain text."""
    if type(value) is int:
        return value
    if type(value) is str and len(value) < 20 and value.isascii():  # noqa: PLR2004 - int64 has 19
        digits = value[1:] if value.startswith("-") else value
        if digits.isdecimal():
            return int(value)
    raise ValueError(f"expected a whole number, found {word(value)}")


def decimal_text(value: Any, *, number: bool) -> str:
    """Bring a native decimal into text without ever doing arithmetic on a float."""
    if type(value) is str:
        return value
    if type(value) is int or type(value) is Decimal:
        return str(value)
    if type(value) is float:
        if number:
            return repr(value)
        raise ValueError("a JSON number with decimals (`number: true` accepts it, as written)")
    raise ValueError(f"expected a decimal text, found {word(value)}")


def as_number(text: str) -> int | float:
    """Write a decimal text as a JSON number. Raises `ValueError` if a double cannot hold it."""
    exact = Decimal(text)
    if exact == exact.to_integral_value() and "." not in text:
        return int(exact)
    number = float(exact)
    if Decimal(repr(number)) != exact:
        raise ValueError("more digits than a JSON number keeps")
    return number


def scaled_reader(
    to_int: Callable[[str], int], places: int, limits: Field, *, number: bool
) -> Callable[[Any], int]:
    """Return a reader of decimals as integers of 10^-places, quick for the usual form "12.30".

    The quick way agrees with `to_int` (a law test proves it); everything unusual goes there.
    """
    roomy = limits.low <= 0 and limits.high == INT64

    def read(value: Any) -> int:
        if type(value) is str:
            if roomy and len(value) < SHORT and value.isascii():
                whole, dot, part = value.partition(".")
                if whole.isdecimal() and len(part) == places and (part.isdecimal() or not dot):
                    return int(whole + part)
            text = value
        else:
            text = decimal_text(value, number=number)
        found: int = limits.fit(to_int(text))
        return found

    return read

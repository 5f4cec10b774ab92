"""Variables, coerced and refused as Shopify does it: `INVALID_VARIABLE` with its problems."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    Undefined,
    print_ast,
    type_from_ast,
    value_from_ast,
)

from sandbox.shopify.plan import Compiled, default_of
from sandbox.shopify.resolve import is_gid
from sandbox.shopify.schema import sub_schema

Problem = dict[str, Any]
_DECIMAL = re.compile(r"-?\d+(\.\d+)?$")
_INT_MAX = 2**31 - 1


def coerced(plan: Compiled, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the variables ready for use, and the errors of those that do not fit."""
    values: dict[str, Any] = {}
    errors: list[Problem] = []
    for definition in plan.variables:
        name = definition.variable.name.value
        kind: Any = type_from_ast(sub_schema(), definition.type)
        if name not in given:
            if definition.default_value is not None:
                values[name] = value_from_ast(definition.default_value, kind)
                continue
            if not isinstance(kind, GraphQLNonNull):
                continue
        problems: list[Problem] = []
        value = given.get(name)
        values[name] = _fit(kind, value, [], problems)
        if problems:
            where = definition.loc.start_token if definition.loc else None
            errors.append(_error(name, print_ast(definition.type), value, problems, where))
    return values, errors


def _error(name: str, kind: str, value: Any, problems: list[Problem], where: Any) -> Problem:
    said = ", ".join(
        f"{'.'.join(str(step) for step in p['path'])} ({p['explanation']})"
        if p["path"]
        else p["explanation"]
        for p in problems
    )
    places = [{"line": where.line, "column": where.column}] if where else []
    text = f"Variable ${name} of type {kind} was provided invalid value"
    if any(problem["path"] for problem in problems):
        text += f" for {said}"
    return {
        "message": text,
        "locations": places,
        "extensions": {"code": "INVALID_VARIABLE", "value": value, "problems": problems},
    }


def _fit(  # noqa: PLR0911 - one way out per kind of type
    kind: GraphQLInputType, value: Any, path: list[Any], problems: list[Problem]
) -> Any:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            problems.append({"path": path, "explanation": "Expected value to not be null"})
            return None
        return _fit(kind.of_type, value, path, problems)
    if value is None:
        return None
    if isinstance(kind, GraphQLList):
        items = value if isinstance(value, list) else [value]
        return [_fit(kind.of_type, one, [*path, at], problems) for at, one in enumerate(items)]
    if isinstance(kind, GraphQLInputObjectType):
        return _object(kind, value, path, problems)
    if isinstance(kind, GraphQLEnumType):
        if value not in kind.values:
            text = f'Expected "{value}" to be one of: {", ".join(kind.values)}'
            problems.append({"path": path, "explanation": text})
        return value
    assert isinstance(kind, GraphQLScalarType)  # noqa: S101 - nothing else is an input
    wrong = _scalar(kind.name, value)
    if wrong:
        problems.append({"path": path, "explanation": wrong})
    return value


def _object(
    kind: GraphQLInputObjectType, value: Any, path: list[Any], problems: list[Problem]
) -> Any:
    if not isinstance(value, dict):
        text = f"Expected {value!r} to be a key-value object."
        problems.append({"path": path, "explanation": text})
        return None
    for name in value:
        if name not in kind.fields:
            text = f"Field is not defined on {kind.name}"
            problems.append({"path": [*path, name], "explanation": text})
    out: dict[str, Any] = {}
    for name, field in kind.fields.items():
        if name in value:
            out[name] = _fit(field.type, value[name], [*path, name], problems)
            continue
        default = default_of(field)
        if default is not Undefined:
            out[name] = default
        elif isinstance(field.type, GraphQLNonNull):
            text = "Expected value to not be null"
            problems.append({"path": [*path, name], "explanation": text})
    if kind.is_one_of and len(out) != 1:
        text = f"'{kind.name}' requires exactly one argument, but {len(out)} were provided."
        problems.append({"path": path, "explanation": text})
    return out


def _scalar(name: str, value: Any) -> str | None:
    """Return what is wrong with a scalar, None when it fits."""
    if name in _FITS and _FITS[name](value):
        return None
    if name == "ID":
        return f"Invalid global id '{value}'"
    if name in _FITS:
        return f'Could not coerce value "{value}" to {name}'
    return None


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_decimal(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, str) and bool(_DECIMAL.match(value)))


_FITS: dict[str, Any] = {
    "ID": lambda value: isinstance(value, str) and is_gid(value),
    "Int": lambda value: _is_number(value) and value == int(value) and abs(value) <= _INT_MAX,
    "Float": _is_number,
    "Boolean": lambda value: isinstance(value, bool),
    "String": lambda value: isinstance(value, str),
    "URL": lambda value: isinstance(value, str) and "://" in value,
    "DateTime": _is_time,
    "Money": _is_decimal,
    "Decimal": _is_decimal,
}

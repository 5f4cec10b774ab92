"""Shopify's sub-schema, and the verdict on a document before it runs (rule S1).

A document is parsed and validated once and remembered. What does not validate is answered as
Shopify answers it: HTTP 200, ``errors`` alone, no data and no cost (fact sheet, section 5).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    build_schema,
    parse,
    validate,
)

# Message of graphql-core -> (Shopify's message, code, names of the groups in `extensions`).
_SHAPES = (
    (
        r"Cannot query field '(?P<f>\w+)' on type '(?P<t>\w+)'",
        "Field '{f}' doesn't exist on type '{t}'",
        "undefinedField",
        {"typeName": "t", "fieldName": "f"},
    ),
    (
        r"Argument '\w+\.(?P<f>\w+)\((?P<a>\w+):\)' of type .* is required",
        "Field '{f}' is missing required arguments: {a}",
        "missingRequiredArguments",
        {"className": "", "name": "f", "arguments": "a"},
    ),
    (
        r"Unknown argument '(?P<a>\w+)' on field '\w+\.(?P<f>\w+)'",
        "Field '{f}' doesn't accept argument '{a}'",
        "argumentNotAccepted",
        {"name": "f", "argumentName": "a"},
    ),
    (
        r"Expected value of type '(?P<t>\w+)' not to include unknown field '(?P<f>\w+)'",
        "InputObject '{t}' doesn't accept argument '{f}'",
        "argumentNotAccepted",
        {"name": "t", "argumentName": "f"},
    ),
    (
        r"Expected value of type '(?P<t>\w+)' to include required field '(?P<f>\w+)'",
        "Argument '{f}' on InputObject '{t}' is required",
        "missingRequiredInputObjectAttribute",
        {"inputObjectType": "t", "argumentName": "f"},
    ),
    (
        r"Variable '\$(?P<v>\w+)' is never used",
        "Variable ${v} is declared but not used",
        "variableNotUsed",
        {"variableName": "v"},
    ),
    (
        r"Variable '\$(?P<v>\w+)' is not defined",
        "Variable ${v} is used but not declared",
        "variableNotDefined",
        {"variableName": "v"},
    ),
    (
        r"Variable '\$(?P<v>\w+)' of type '(?P<t>[^']+)' used in position expecting type '(?P<e>[^']+)'",
        "Type mismatch on variable ${v} and argument ({t} / {e})",
        "variableMismatch",
        {"variableName": "v", "typeName": "t"},
    ),
)


@cache
def sub_schema() -> GraphQLSchema:
    """Return the schema of ``schema.graphql``, built once per process."""
    text = Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True, no_location=True)


@lru_cache(maxsize=512)
def checked(query: str) -> tuple[DocumentNode | None, tuple[dict[str, Any], ...]]:
    """Return the parsed document, or None with the errors in Shopify's shape."""
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return None, (_refusal(error.message, "parse_error", error),)
    problems = validate(sub_schema(), document)
    if problems:
        return None, tuple(_shaped(problem) for problem in problems)
    return document, ()


def _shaped(error: GraphQLError) -> dict[str, Any]:
    for pattern, text, code, names in _SHAPES:
        found = re.search(pattern, error.message)
        if found:
            groups = found.groupdict()
            extra = {key: groups.get(name, "Field") for key, name in names.items()}
            return _refusal(text.format(**groups), code, error, **extra)
    # Literals of the wrong type are the bulk of the rest.
    return _refusal(error.message, "argumentLiteralsIncompatible", error)


def _refusal(message: str, code: str, error: GraphQLError, **extra: str) -> dict[str, Any]:
    places = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    return {
        "message": message,
        "locations": places,
        "extensions": {"code": code, **extra},
    }

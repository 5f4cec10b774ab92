"""The credential form of a manifest: is the schema sound, and does a filled-in form fit it?

Answers name a field and say what would be right. They never repeat what was typed: the wrong
value in a form is often the right secret in the wrong field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker

VALUE_MAX: Final = 16_384  # characters of one field: patterns run on what people paste
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?\Z")
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\Z", re.IGNORECASE)

Problem = tuple[str, str]
"""A field's name (empty for the form as a whole) and one sentence."""


def _hostname(text: str) -> bool:
    return bool(_HOST.match(text))


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    clean = text.isprintable() and " " not in text and "@" not in parts.netloc
    web = parts.scheme in ("http", "https") and bool(_HOST.match(parts.hostname or ""))
    return clean and web and port != 0


def _email(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(name and at and " " not in text and text.isprintable() and _HOST.match(host))


def _date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


FORMATS: Final[dict[str, tuple[Callable[[str], bool], str]]] = {
    "uri": (_uri, "must be a web address such as https://shop.example.com"),
    "hostname": (_hostname, "must be a host name such as shop.example.com"),
    "email": (_email, "must be an e-mail address"),
    "date": (_date, "must be a date such as 2026-10-05"),
    "password": (lambda text: True, ""),
    "path": (lambda text: "\0" not in text, "must be the path of a folder"),
}  # fmt: skip
"""The formats a form may ask for: a check and the sentence for a value that fails it."""


def _checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, (check, _sentence) in FORMATS.items():
        checker.checks(name)(partial(_text_fits, check))
    return checker


def _text_fits(check: Callable[[str], bool], value: object) -> bool:
    return not isinstance(value, str) or check(value)


def _pattern(
    validator: Any, pattern: str, value: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    """Match as JSON Schema says: `$` is the end, where Python also takes it before a newline."""
    if isinstance(value, str) and not re.search(re.sub(r"(?<!\\)\$\Z", r"\\Z", pattern), value):
        yield jsonschema.ValidationError("does not match")


_CHECKER: Final = _checker()
_Validator: Final = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # theirs has none
    Draft202012Validator, {"pattern": _pattern}
)


def plain_schema(schema: Any, language: str = "en") -> Any:
    """Return the schema in one language: `title` and `description` may be given per language."""
    if isinstance(schema, list):
        return [plain_schema(part, language) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {}
    for name, part in schema.items():
        if name in ("title", "description") and isinstance(part, Mapping) and _texts(part):
            out[name] = part.get(language) or next(iter(part.values()))
        else:
            out[name] = plain_schema(part, language)
    return out


def _texts(part: Mapping[str, Any]) -> bool:
    """Tell a text per language from a field that happens to be called title."""
    return bool(part) and all(
        isinstance(text, str) and _LANGUAGE.match(name) for name, text in part.items()
    )


def secret_fields(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields that are sealed, redacted and blanked."""
    parts = schema.get("properties", {})
    return frozenset(name for name, part in parts.items() if part.get("writeOnly") is True)


def schema_problems(schema: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with a credential schema itself; empty when it is sound."""
    plain = plain_schema(schema)
    try:
        Draft202012Validator.check_schema(plain)
    except jsonschema.SchemaError as error:
        place = "/".join(map(str, error.absolute_path)) or "the top"
        return [f"credentials: no valid JSON Schema at {place}"]
    if plain.get("type") != "object" or not isinstance(plain.get("properties", {}), dict):
        return ["credentials: the schema must be of type object"]
    problems = []
    for name, part in plain.get("properties", {}).items():
        problems += [f"credentials: {name}: {why}" for why in _field_problems(part)]
    missing = set(plain.get("required", [])) - set(plain.get("properties", {}))
    return problems + [f"credentials: {name}: required, not a property" for name in sorted(missing)]


def _field_problems(part: Any) -> Iterator[str]:
    if not isinstance(part, dict):
        yield "must be a schema object"
        return
    if part.get("writeOnly") is True:
        if part.get("type") != "string":
            yield "writeOnly is for fields of type string"
        if {"default", "const", "enum", "examples"} & set(part):
            yield "a secret has no default, const, enum or examples"
    if _nested_secret(part):
        yield "writeOnly only works on the form's own fields, not inside them"
    if "format" in part and part["format"] not in FORMATS:
        yield f"unknown format {part['format']!r}; known: {', '.join(sorted(FORMATS))}"


def _nested_secret(part: dict[str, Any]) -> bool:
    inner = [value for value in part.values() if isinstance(value, (dict, list))]
    while inner:
        value = inner.pop()
        items = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict) and value.get("writeOnly") is True:
            return True
        inner += [item for item in items if isinstance(item, (dict, list))]
    return False


def form_problems(schema: Mapping[str, Any], form: Mapping[str, Any]) -> list[Problem]:
    """Say what is wrong with a filled-in form: (field, sentence), in the form's order.

    Fields the schema does not know are refused. No sentence repeats a value or an unknown
    field's name.
    """
    plain = plain_schema(schema)
    known = list(plain.get("properties", {}))
    found: dict[Problem, None] = {}
    if set(form) - set(known):
        found["", f"has a field this form does not know; known: {', '.join(known)}"] = None
    long = [name for name in known if len(str(form.get(name, ""))) > VALUE_MAX]
    for name in long:
        found[name, f"is longer than {VALUE_MAX} characters"] = None
    if not long:
        rest = {name: value for name, value in form.items() if name in known}
        for error in _Validator(plain, format_checker=_CHECKER).iter_errors(rest):
            found |= dict.fromkeys(_sentences(error, rest))
    place = {name: number for number, name in enumerate(known)}
    return sorted(found, key=lambda problem: place.get(problem[0], -1))


def _sentences(error: jsonschema.ValidationError, form: Mapping[str, Any]) -> Iterator[Problem]:
    if error.validator == "required" and not error.absolute_path:
        wanted: Any = error.validator_value
        for name in wanted:
            if name not in form:
                yield name, "is required"
        return
    field = str(error.absolute_path[0]) if error.absolute_path else ""
    yield field, _sentence_for(str(error.validator), error.validator_value)


def _sentence_for(word: str, wanted: Any) -> str:
    if word == "format":
        return FORMATS[wanted][1]
    known = {
        "type": f"must be of type {wanted}",
        "enum": f"must be one of {wanted}",
        "const": f"must be {wanted}",
        "minLength": f"must have at least {wanted} characters",
        "maxLength": f"must have at most {wanted} characters",
        "pattern": "does not have the form this channel uses",
        "minimum": f"must be at least {wanted}",
        "maximum": f"must be at most {wanted}",
    }
    return known.get(word, "is not acceptable here")

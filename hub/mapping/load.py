"""Load a mapping file: YAML, schema, binding, compiling. Everything wrong is said at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Map
from dataclasses import replace
from functools import cache
from pathlib import Path as File
from typing import Any

from jsonschema import Draft202012Validator

from hub.errors import ConfigError
from hub.mapping import document
from hub.mapping.bind import Binder
from hub.mapping.document import Keys, Problem, Text
from hub.mapping.engine import Mapping
from hub.mapping.native import NativeSchema
from hub.mapping.paths import Path
from hub.mapping.spec import ITEM, Ref, Spec
from hub.mapping.whole import finish
from hub.records import KINDS
from hub.sdk.hooks import Transform

NO_TRANSFORMS: Map[str, Transform] = {}


def load(path: File, *, transforms: Map[str, Transform] = NO_TRANSFORMS) -> Mapping:
    """Load and compile one file.

    Raises one `ConfigError` that lists every problem as `file:line: key: why. Allowed: …`.
    """
    spec, problems = inspect(path, transforms=transforms)
    if spec is None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise ConfigError(
            f"{path} has {count}:\n{lines}",
            key=problems[0].key,
            hint=f"`hub map check {path}` shows this list; docs/reference/mapping.md has the format.",
        )
    return Mapping(spec)


def inspect(
    path: File, *, transforms: Map[str, Transform] = NO_TRANSFORMS
) -> tuple[Spec | None, list[Problem]]:
    """Return the bound file, or every problem that keeps it from being bound."""
    text = document.read(path)
    spec = None
    if text.value is not None or not text.problems:
        spec = _spec(path, text, transforms)
    found = sorted({replace(problem, file=str(path)) for problem in text.problems})
    return (None if found else spec), found


@cache
def _validator() -> Draft202012Validator:
    file = File(__file__).with_name("spec.schema.json")
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))


def _spec(path: File, text: Text, transforms: Map[str, Transform]) -> Spec | None:
    broken = _structure(text)
    value = text.value
    if not isinstance(value, dict):
        return None
    kind = value.get("kind")
    record = KINDS.get(kind) if isinstance(kind, str) else None
    if record is None:
        if ("kind",) not in broken and "kind" in value:
            text.wrong(
                text.line(("kind",)), ("kind",), "no record of this kind", tuple(sorted(KINDS))
            )
        return None
    schema = _native_schema(path, text)
    binder = Binder(text, record, each=None, transforms=transforms, schema=schema)
    head = {name: _head(binder, name) for name in ("each", "key", "updated") if name in value}
    binder.each = head.get("each")
    _check_head(binder, head)
    pairs = value.get("pairs")
    whole = [
        (name, options)
        for name, options in (pairs.items() if isinstance(pairs, dict) else ())
        if not any(keys[:2] == ("pairs", name) for keys in broken)
    ]
    # What makes the lists goes first; constants and `$.` paths stand in lists that others made.
    for name, options in sorted(whole, key=lambda pair: _borrows(pair[1])):
        binder.pair(name, options)
    finish(binder)
    if text.problems or head.get("key") is None:
        return None
    return Spec(
        file=path,
        kind=value["kind"],
        stream=value["from"] if "from" in value else value["kind"],
        record=record,
        each=head.get("each"),
        key=_key_ref(binder, head["key"]),
        updated=head.get("updated"),
        top=binder.top,
        heads={
            name: (str(value[name]), text.line((name,)))
            for name in ("each", "key", "updated")
            if name in value
        },
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        native_schema=schema.document if schema else None,
    )


def _borrows(options: Map[str, Any]) -> bool:
    native = options.get("native", "$")
    return "const" in options or native == "$" or native.startswith("$.")


def _structure(text: Text) -> set[Keys]:
    """Check the file against the schema of mapping files; return the places that are broken."""
    broken: set[Keys] = set()
    for error in _validator().iter_errors(text.value):
        keys: Keys = tuple(error.absolute_path)
        why, known = _sentence(error, keys)
        text.wrong(text.line(keys), keys, why, known)
        broken.add(keys)
    return broken


def _sentence(error: Any, keys: Keys) -> tuple[str, tuple[str, ...]]:
    """Say a schema error the way the rest of the loader speaks."""
    rule, limit = error.validator, error.validator_value
    if rule == "additionalProperties" and limit is False:
        known = tuple(sorted(error.schema.get("properties", {})))
        extra = ", ".join(sorted(str(key) for key in error.instance if key not in known))
        return f"unknown key {extra}", known
    if rule == "required":
        return f"needs {', '.join(n for n in limit if n not in error.instance)}", tuple(limit)
    if rule == "oneOf" and len(keys) == 2:  # noqa: PLR2004 - pairs.<name>
        return "a pair has either `native` and `as`, or `const`", ("native + as", "const")
    if rule == "enum":
        return "not a word of the list", tuple(map(str, limit))
    if rule in ("type", "anyOf"):
        kinds = (limit,) if isinstance(limit, str) else limit
        words = (
            tuple(map(str, kinds)) if rule == "type" else ("a word", "an integer", "{native: …}")
        )
        return "has the wrong type", words
    return f"breaks the rule {rule}: {limit}"[:200], ()


def _native_schema(path: File, text: Text) -> NativeSchema | None:
    file = path.with_suffix(".schema.json")
    if not file.is_file():
        return None
    try:
        return NativeSchema.load(file)
    except (ValueError, OSError) as error:
        text.wrong(1, (), f"its native schema cannot be used: {error}")
        return None


def _head(binder: Binder, name: str) -> Path | None:
    written = binder.text.value[name]
    return binder.path((name,), written) if isinstance(written, str) else None


def _check_head(binder: Binder, head: Map[str, Path | None]) -> None:
    each, text = head.get("each"), binder.text
    for name, path in head.items():
        if path is None:
            continue
        if name == "each":
            if path.rooted or not path.lists or path.cut(path.lists)[1]:
                text.wrong(text.line((name,)), (name,), "ends in `[]` and starts at the document")
            gone = binder.schema.why_not(path.segments) if binder.schema else None
            if gone:
                text.wrong(text.line((name,)), (name,), gone[0], gone[1])
            continue
        if path.lists:
            text.wrong(text.line((name,)), (name,), "one value per record: the path passes no list")
        if each is not None or "each" not in head:
            binder.in_schema((name,), path)


def _key_ref(binder: Binder, path: Path | None) -> Ref:
    made = binder.ref(("key",), path, path) if path is not None else None
    return made if made is not None else Ref(ITEM, ())

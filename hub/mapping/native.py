"""The JSON Schema of a native document, asked one question: what stands at this path?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path as File
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from hub.mapping.paths import Segment, Where, show

MAX_REFS = 20


class NativeSchema:
    """A loaded schema. `places(path)` yields every sub-schema that may describe a path."""

    def __init__(self, document: Any) -> None:
        self.document = document

    @classmethod
    def load(cls, file: File) -> NativeSchema:
        """Read and check a schema file. Raises `ValueError` with one sentence."""
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            Draft202012Validator.check_schema(document)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"{file.name} is not JSON ({type(error).__name__})") from None
        except SchemaError as error:
            raise ValueError(f"{file.name} is not a JSON Schema: {error.message}") from None
        return cls(document)

    def branches(self, node: Any) -> Iterator[Any]:
        """Yield a node and what its references and alternatives add to it."""
        waiting, seen = [node], 0
        while waiting and seen < MAX_REFS * MAX_REFS:
            node, seen = waiting.pop(0), seen + 1
            if not isinstance(node, dict):
                continue
            yield node
            for word in ("allOf", "anyOf", "oneOf"):
                waiting.extend(node.get(word, ()))
            if isinstance(node.get("$ref"), str):
                waiting.append(self._follow(node["$ref"]))

    def _follow(self, ref: str) -> Any:
        node = self.document
        if not ref.startswith("#"):
            return {}
        for step in ref.removeprefix("#").strip("/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if name and isinstance(node, dict):
                node = node.get(name, {})
        return node

    def places(self, segments: Sequence[Segment]) -> list[Any]:
        """Return the sub-schemas at a path; empty if the schema knows no such place."""
        here = [self.document]
        for segment in segments:
            here = [found for node in here for found in self._step(node, segment)]
        return [node for start in here for node in self.branches(start)]

    def _step(self, node: Any, segment: Segment) -> Iterator[Any]:
        for branch in self.branches(node):
            if isinstance(segment, str):
                yield from _named(branch, segment)
            elif isinstance(branch.get("items"), dict):
                yield branch["items"]
            elif "items" not in branch and "array" in types(branch):
                yield {}

    def why_not(self, segments: Sequence[Segment]) -> tuple[str, tuple[str, ...]] | None:
        """Say where a path leaves the schema and what would have been there; None if it does not."""
        for length in range(1, len(segments) + 1):
            if self.places(segments[:length]):
                continue
            before = self.places(segments[: length - 1])
            known = {name for node in before for name in node.get("properties", ())}
            gone = segments[length - 1]
            what = show((gone,)) if not isinstance(gone, Where) else "a list"
            place = show(tuple(segments[: length - 1]))
            return f"the native schema has no {what!r} in {place}", tuple(sorted(known))
        return None

    def words(self, segments: Sequence[Segment]) -> list[Any]:
        """Return the enum of a place, without null; empty if it has none."""
        return [
            word
            for node in self.places(segments)
            for word in node.get("enum", ())
            if word is not None
        ]

    def only_integer(self, segments: Sequence[Segment]) -> bool:
        """Tell whether the schema allows integers but no text at a place."""
        allowed = {name for node in self.places(segments) for name in types(node)}
        return "integer" in allowed and "string" not in allowed


def types(node: Any) -> tuple[str, ...]:
    """Return the `type` of a schema as a tuple; empty if it says none."""
    found = node.get("type", ())
    return (found,) if isinstance(found, str) else tuple(found)


def _named(branch: Any, name: str) -> Iterator[Any]:
    properties = branch.get("properties")
    if isinstance(properties, dict) and name in properties:
        yield properties[name]
    elif branch.get("patternProperties") or isinstance(branch.get("additionalProperties"), dict):
        yield branch.get("additionalProperties") or {}
    elif properties is None and branch.get("additionalProperties") is not False and _open(branch):
        yield {}


def _open(branch: Any) -> bool:
    """A schema without properties and without alternatives says nothing: anything may be there."""
    if any(word in branch for word in ("$ref", "allOf", "anyOf", "oneOf")):
        return False
    return not types(branch) or "object" in types(branch)

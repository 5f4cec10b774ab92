"""From a `.graphql` document and Shopify's schema to the JSON Schema of what comes back.

`python -m tests.connectors.shopify.native FULL.graphql` writes mappings/shopify/*.schema.json;
a test proves that the files are what this makes of the documents as they are.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLUnionType,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
)

from connectors.shopify.documents import documents

ROOT = Path(__file__).parents[3]
MAPPINGS = ROOT / "mappings" / "shopify"
Json = dict[str, Any]

# Mapping file -> the fragment that is its document, and what the connector adds (`hub`).
DOCUMENTS = {
    "order": ("OrdersPage", "OrderDocument"),
    "after_sale": ("OrdersPage", "OrderDocument"),
    "product": ("ProductsPage", "ProductDocument"),
    "inventory": ("LevelsPage", "LevelDocument"),
    "member": ("CustomersPage", "CustomerDocument"),
}
_WORD = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
ADDED: dict[str, Json] = {
    "OrderLineDocument": {
        "shipped": _COUNT,
        "delivered": _COUNT,
        "cancelled": _COUNT,
        "location": {"type": ["string", "null"]},
    },
    "RefundDocument": {"taxesIncluded": {"type": "boolean"}},
    "LevelDocument": {"key": _WORD},
    "CustomerDocument": {"shop": _WORD},
}
_DECIMAL = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
_SCALARS: dict[str, Json] = {
    "ID": _WORD,
    "String": _WORD,
    "HTML": _WORD,
    "URL": _WORD,
    "UnsignedInt64": {"type": "string", "pattern": "^[0-9]+$"},
    "Money": _DECIMAL,
    "Decimal": _DECIMAL,
    "DateTime": {"type": "string", "format": "date-time"},
    "CurrencyCode": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "CountryCode": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "Int": {"type": "integer"},
    # The HTTP kit hands a JSON number with a fraction on as its decimal text.
    "Float": {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"},
    "Boolean": {"type": "boolean"},
}


def published() -> Path | None:
    """Find Shopify's schema: named by the environment, beside the checkout, or in it."""
    named = os.environ.get("HUB_SHOPIFY_SCHEMA")
    places = [Path(named)] if named else []
    places += [up / "shared" / "data" / "shopify-admin.graphql" for up in (ROOT.parent, ROOT)]
    return next((place for place in places if place.is_file()), None)


def read_schema(file: Path) -> GraphQLSchema:
    """Parse Shopify's schema (some seconds)."""
    return build_schema(file.read_text(encoding="utf-8"), assume_valid=True)


class Native:
    """Makes JSON Schemas of one operation's fragments."""

    def __init__(self, schema: GraphQLSchema, operation: str) -> None:
        self.schema = schema
        self.fragments = {
            node.name.value: node
            for node in parse(documents()[operation]).definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def document(self, fragment: str) -> Json:
        """Return the schema of the document a fragment describes."""
        return self._fragment(fragment)

    def _fragment(self, name: str) -> Json:
        node = self.fragments[name]
        on = self.schema.type_map[node.type_condition.name.value]
        found = self._object(node.selection_set, on)
        if name in ADDED:
            found["properties"]["hub"] = {
                "description": "Added by the connector.",
                "type": "object",
                "required": sorted(ADDED[name]),
                "properties": ADDED[name],
            }
        return found

    def _object(self, selection: SelectionSetNode, on: Any) -> Json:
        found: Json = {"type": "object", "required": [], "properties": {}}
        for node in selection.selections:
            if node.kind == "fragment_spread":
                inner = self._fragment(node.name.value)
            elif node.kind == "inline_fragment":
                inner = self._object(
                    node.selection_set, self.schema.type_map[node.type_condition.name.value]
                )
                inner["required"] = []  # present for this one type only
            else:
                name = node.alias.value if node.alias else node.name.value
                field = _WORD if name == "__typename" else self._field(node, on)
                inner = {"required": [name], "properties": {name: field}}
            found["properties"] |= inner["properties"]
            found["required"] = sorted({*found["required"], *inner["required"]})
        return found

    def _field(self, node: Any, on: Any) -> Json:
        return self._typed(on.fields[node.name.value].type, node.selection_set)

    def _typed(self, of: Any, selection: SelectionSetNode | None) -> Json:
        if isinstance(of, GraphQLNonNull):
            return self._bare(of.of_type, selection)
        return _or_null(self._bare(of, selection))

    def _bare(self, of: Any, selection: SelectionSetNode | None) -> Json:
        if isinstance(of, GraphQLList):
            return {"type": "array", "items": self._typed(of.of_type, selection)}
        if getattr(of, "name", "") in _SCALARS:
            return dict(_SCALARS[of.name])
        if isinstance(of, GraphQLEnumType):
            # Values grow between versions: the known ones, and any text.
            return {"anyOf": [{"enum": sorted(of.values)}, dict(_WORD)]}
        if selection is not None:
            assert not isinstance(of, GraphQLUnionType)
            named = get_named_type(of)
            assert isinstance(named, GraphQLInterfaceType) or hasattr(named, "fields")
            return self._object(selection, named)
        return dict(_SCALARS[of.name])


def _or_null(schema: Json) -> Json:
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*kinds, "null"]}


def native_schema(schema: GraphQLSchema, name: str) -> Json:
    """Return the JSON Schema of the native document of mappings/shopify/<name>.yaml."""
    operation, fragment = DOCUMENTS[name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Shopify {fragment.removesuffix('Document').lower()}, Admin API 2026-10",
        **Native(schema, operation).document(fragment),
    }


def main() -> int:
    """Write every schema file."""
    schema = read_schema(Path(sys.argv[1]))
    for name in DOCUMENTS:
        text = json.dumps(native_schema(schema, name), indent=1, ensure_ascii=False)
        (MAPPINGS / f"{name}.schema.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

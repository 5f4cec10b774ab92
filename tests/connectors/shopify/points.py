"""What an operation costs in Shopify's points, by the formula fitted to 3 217 recorded costs.

A second opinion on the simulator's own formula; source: channel sheet, section 4.3.
"""

from __future__ import annotations

import math
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
    value_from_ast_untyped,
)

_FREE = frozenset({"MoneyV2", "MoneyBag", "LocationAddress"})
_MUTATION = 10


def k(count: int) -> int:
    return 0 if count <= 0 else max(1, math.floor(2 * math.log(count)))


class Points:
    def __init__(self, schema: GraphQLSchema, document: str) -> None:
        self.schema = schema
        definitions = parse(document).definitions
        self.operation = next(d for d in definitions if isinstance(d, OperationDefinitionNode))
        self.fragments: dict[str, Any] = {
            d.name.value: d for d in definitions if d is not self.operation
        }
        self.variables: dict[str, Any] = {}

    def requested(self, **variables: Any) -> int:
        self.variables = dict(variables)
        for definition in self.operation.variable_definitions or ():
            if definition.default_value is not None:
                default = value_from_ast_untyped(definition.default_value)
                self.variables.setdefault(definition.variable.name.value, default)
        if self.operation.operation.value == "mutation":
            return self._mutation()
        return self._inside(self.operation.selection_set, self.schema.query_type)

    def _mutation(self) -> int:
        total = 0
        for node in self.operation.selection_set.selections:
            payload = get_named_type(self.schema.mutation_type.fields[node.name.value].type)
            total += _MUTATION
            for part in node.selection_set.selections:
                if part.name.value != "userErrors":
                    below = get_named_type(payload.fields[part.name.value].type)
                    total += self._inside(part.selection_set, below)
        return total

    def _inside(self, selection: SelectionSetNode, on: Any) -> int:
        total, either = 0, {}
        for node in selection.selections:
            if isinstance(node, FieldNode):
                total += self._field(node, on)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                below = self.schema.type_map[fragment.type_condition.name.value]
                total += self._inside(fragment.selection_set, below)
            else:
                name = node.type_condition.name.value
                below = self._inside(node.selection_set, self.schema.type_map[name])
                either[name] = either.get(name, 0) + below
        return total + max(either.values(), default=0)

    def _field(self, node: FieldNode, on: Any) -> int:
        if node.selection_set is None:
            return 0
        field = on.fields[node.name.value]
        named = get_named_type(field.type)
        if named.name in _FREE:
            return 0
        if not named.name.endswith("Connection"):
            return 1 + self._inside(node.selection_set, named)
        first = next(a.value for a in node.arguments if a.name.value == "first")
        size = value_from_ast_untyped(first, self.variables)
        nodes = next(s for s in node.selection_set.selections if s.name.value == "nodes")
        below = get_named_type(named.fields["nodes"].type)
        return 2 + k(size) * (1 + self._inside(nodes.selection_set, below))

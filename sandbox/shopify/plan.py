"""A validated document as a plan: what to answer for each concrete type, and its arguments.

graphql-core parses and validates; the answering is done from this plan, compiled once per document,
because a page of orders has tens of thousands of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    value_from_ast,
)
from graphql.language import DirectiveNode

from sandbox.shopify.schema import sub_schema

Variables = Mapping[str, Any]
Conditions = tuple[DirectiveNode, ...]
FREE = frozenset({"MoneyV2", "MoneyBag", "LocationAddress"})


@dataclass(slots=True)
class Step:
    """One field of an answer."""

    key: str
    name: str
    parent: str
    target: str
    shape: str  # leaf | object | list | connection
    definition: GraphQLField | None
    node: FieldNode
    when: tuple[Conditions, ...]  # empty: always
    below: Selection | None
    fixed: dict[str, Any] | None

    def arguments(self, variables: Variables) -> dict[str, Any]:
        """Return the arguments; one whose variable was not given is absent."""
        if self.fixed is not None:
            return self.fixed
        return _arguments(self.definition, self.node, variables)

    def wanted(self, variables: Variables) -> bool:
        """Say whether ``@include`` and ``@skip`` leave this field in.

        A field written twice is wanted when one of its writings is.
        """
        return not self.when or any(_passes(conditions, variables) for conditions in self.when)


@dataclass(slots=True)
class Selection:
    """A set of selections on one type, resolved per concrete type on demand."""

    document: Compiled
    type: GraphQLNamedType
    sets: tuple[tuple[SelectionSetNode, Conditions], ...]
    known: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    simple: dict[str, tuple[tuple[str, str], ...] | None] = field(default_factory=dict)

    def steps(self, concrete: str) -> tuple[Step, ...]:
        """Return the fields to answer for an object of this concrete type."""
        steps = self.known.get(concrete)
        if steps is None:
            steps = self.known[concrete] = _steps(self, concrete)
        return steps

    def possible(self) -> tuple[str, ...]:
        """Return the concrete types that can stand here."""
        if isinstance(self.type, GraphQLInterfaceType | GraphQLUnionType):
            return tuple(t.name for t in sub_schema().get_possible_types(self.type))
        return (self.type.name,)


@dataclass(slots=True)
class Compiled:
    """One operation, ready to run."""

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    root: Selection = field(init=False)

    @property
    def is_mutation(self) -> bool:
        """Say whether the operation writes."""
        return self.operation.operation.value == "mutation"

    @property
    def variables(self) -> tuple[VariableDefinitionNode, ...]:
        """Return the declared variables."""
        return tuple(self.operation.variable_definitions or ())


def compiled(document: DocumentNode, name: str | None) -> Compiled | None:
    """Return the plan of the operation called ``name`` (or of the only one), else None."""
    return _compiled(_Same(document), name)


class _Same:
    """Carries a document through the cache by identity."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.document is self.document


@lru_cache(maxsize=512)
def _compiled(same: _Same, name: str | None) -> Compiled | None:
    definitions = same.document.definitions
    operations = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
    found = [o for o in operations if name is None or (o.name and o.name.value == name)]
    if len(found) != 1:
        return None
    plan = Compiled(found[0], fragments)
    schema = sub_schema()
    root = schema.mutation_type if plan.is_mutation else schema.query_type
    assert root is not None  # noqa: S101 - the sub-schema has both
    plan.root = Selection(plan, root, ((found[0].selection_set, ()),))
    return plan


def _steps(selection: Selection, concrete: str) -> tuple[Step, ...]:
    written: dict[str, list[tuple[FieldNode, Conditions]]] = {}
    for selections, conditions in selection.sets:
        _collect(selection.document, selections, conditions, concrete, written)
    return tuple(_step(selection, concrete, key, found) for key, found in written.items())


def _collect(
    document: Compiled,
    selections: SelectionSetNode,
    above: Conditions,
    concrete: str,
    into: dict[str, list[tuple[FieldNode, Conditions]]],
) -> None:
    for node in selections.selections:
        own = (*above, *(d for d in node.directives or () if d.name.value in ("include", "skip")))
        if isinstance(node, FieldNode):
            key = node.alias.value if node.alias else node.name.value
            into.setdefault(key, []).append((node, own))
        elif isinstance(node, InlineFragmentNode):
            on = node.type_condition.name.value if node.type_condition else concrete
            if _applies(on, concrete):
                _collect(document, node.selection_set, own, concrete, into)
        elif isinstance(node, FragmentSpreadNode):
            fragment = document.fragments[node.name.value]
            if _applies(fragment.type_condition.name.value, concrete):
                _collect(document, fragment.selection_set, own, concrete, into)


def _applies(condition: str, concrete: str) -> bool:
    if condition == concrete:
        return True
    named = sub_schema().type_map[condition]
    if not isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
        return False
    return any(t.name == concrete for t in sub_schema().get_possible_types(named))


def _step(
    selection: Selection, concrete: str, key: str, found: list[tuple[FieldNode, Conditions]]
) -> Step:
    node = found[0][0]
    name = node.name.value
    parent = sub_schema().type_map[concrete]
    assert isinstance(parent, GraphQLObjectType)  # noqa: S101 - concrete types are objects
    definition = parent.fields.get(name)
    below = None
    target, shape = "String", "leaf"
    if definition is not None:
        named = get_named_type(definition.type)
        target, shape = named.name, _shape(definition)
        if shape != "leaf":
            sets = tuple((n.selection_set, c) for n, c in found if n.selection_set is not None)
            below = Selection(selection.document, named, sets)
    when = tuple(conditions for _, conditions in found)
    if not all(when):
        when = ()
    step = Step(key, name, concrete, target, shape, definition, node, when, below, None)
    if not _has_variable(node):
        step.fixed = _arguments(definition, node, {})
    return step


def _shape(definition: GraphQLField) -> str:
    named = get_named_type(definition.type)
    if is_leaf_type(named):
        return "leaf"
    if is_list_type(get_nullable_type(definition.type)):
        return "list"
    return "connection" if named.name.endswith("Connection") else "object"


def _has_variable(node: FieldNode) -> bool:
    stack: list[Any] = [argument.value for argument in node.arguments or ()]
    while stack:
        value = stack.pop()
        if value.kind == "variable":
            return True
        stack += getattr(value, "values", ()) or ()
        stack += [f.value for f in getattr(value, "fields", ()) or ()]
    return False


def _arguments(
    definition: GraphQLField | None, node: FieldNode, variables: Variables
) -> dict[str, Any]:
    if definition is None:
        return {}
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    values = {}
    for name, argument in definition.args.items():
        written = given.get(name)
        value = Undefined
        if written is not None:
            value = value_from_ast(written, argument.type, dict(variables))
        if value is Undefined:
            value = default_of(argument)
        if value is not Undefined:
            values[name] = value
    return values


def default_of(argument: GraphQLArgument | GraphQLInputField) -> Any:
    """Return the default of an argument or input field, ``Undefined`` when it has none."""
    if argument.default is None or argument.default.literal is None:
        return Undefined
    return value_from_ast(argument.default.literal, argument.type)


def directive_value(directive: DirectiveNode) -> Any:
    """Return the node of a directive's only argument."""
    return (directive.arguments or ())[0].value


def _passes(conditions: Conditions, variables: Variables) -> bool:
    for directive in conditions:
        value: Any = directive_value(directive)
        flag = variables.get(value.name.value) if value.kind == "variable" else value.value
        if bool(flag) is (directive.name.value == "skip"):
            return False
    return True

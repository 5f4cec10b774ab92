"""Runs a plan: walks it over the views, and counts what was really returned.

The actual cost is the formula of ``cost`` with the numbers of nodes in the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.shopify import access
from sandbox.shopify.cost import k, mutation_base, root_cost
from sandbox.shopify.paging import Page, page
from sandbox.shopify.plan import FREE, Compiled, Selection, Step, Variables
from sandbox.shopify.world import Refused, Unserved, View, World

Resolver = Callable[["Run", View, dict[str, Any]], Any]
Table = Mapping[str, Mapping[str, Resolver]]
_NONE: Mapping[str, Resolver] = {}


@dataclass(slots=True)
class Run:
    """One operation on its way through."""

    world: World
    plan: Compiled
    variables: Variables
    table: Table
    errors: list[dict[str, Any]] = field(default_factory=list)
    search: list[dict[str, Any]] = field(default_factory=list)
    fault: str | None = None
    cost: int = 0
    given: dict[int, dict[str, Any]] = field(default_factory=dict)

    def arguments(self, step: Step) -> dict[str, Any]:
        """Return a field's arguments, read once per run."""
        if step.fixed is not None:
            return step.fixed
        known = self.given.get(id(step))
        if known is None:
            known = self.given[id(step)] = step.arguments(self.variables)
        return known

    def answer(self) -> dict[str, Any]:
        """Answer every root field in order; a refused one is null with an error beside it."""
        root = self.plan.root
        concrete = root.type.name
        data: dict[str, Any] = {}
        for step in root.steps(concrete):
            if not step.wanted(self.variables):
                continue
            base = mutation_base(step.name) if self.plan.is_mutation else 0
            try:
                access.check(step.name, self.world.settings.scopes)
                value, cost = self._field(step, {}, self.table.get(concrete, _NONE))
            except Refused as refused:
                value, cost = None, 0
                self.errors.append(_error(step, refused))
            if self.plan.is_mutation:
                self.cost += base + max(0, cost)
            else:
                self.cost += root_cost(step, cost)
            data[step.key] = value
        return data

    def _field(self, step: Step, view: View, table: Mapping[str, Resolver]) -> tuple[Any, int]:
        if step.name == "__typename":
            return step.parent, 0
        try:
            resolver = table.get(step.name)
            if resolver is not None:
                found = resolver(self, view, self.arguments(step))
            elif step.name in view:
                found = view[step.name]
                if step.shape == "list":
                    found = _first(found, self.arguments(step))
            else:
                raise Unserved(f"this simulator does not answer {step.parent}.{step.name}")
            return self._complete(step, found)
        except Refused as refused:
            refused.path.insert(0, step.key)
            raise

    def _complete(self, step: Step, found: Any) -> tuple[Any, int]:
        below = step.below
        if below is None:
            return found, 1 if step.name == "hasUnfulfilledOrders" else 0
        if found is None:
            return None, 0
        own = 0 if step.target in FREE else 1
        if step.shape == "object":
            value, cost = self._object(below, found)
            if step.parent == "Mutation":
                return value, cost - _free_payload(below, value)
            return value, own and own + cost
        if step.shape == "list":
            done = [self._object(below, one) if one is not None else (None, 0) for one in found]
            most = max((cost for _, cost in done), default=0)
            return [value for value, _ in done], own + most if done and own else 0
        return self._connection(step, below, found)

    def _object(self, selection: Selection, view: View) -> tuple[dict[str, Any], int]:
        concrete = view.get("__typename") or selection.type.name
        if concrete not in selection.simple:
            selection.simple[concrete] = self._simple(selection, concrete)
        simple = selection.simple[concrete]
        if simple is not None:
            try:
                return {key: view[name] for key, name in simple}, 0
            except KeyError as missing:
                name = missing.args[0]
                raise Unserved(f"this simulator does not answer {concrete}.{name}") from None
        table = self.table.get(concrete, _NONE)
        out, total = {}, 0
        for step in selection.steps(concrete):
            if step.when and not step.wanted(self.variables):
                continue
            out[step.key], cost = self._field(step, view, table)
            total += cost
        return out, total

    def _simple(self, selection: Selection, concrete: str) -> tuple[tuple[str, str], ...] | None:
        """Return plain (key, name) pairs when nothing but stored leaves is asked for."""
        table = self.table.get(concrete, _NONE)
        steps = selection.steps(concrete)
        for step in steps:
            if step.below is not None or step.name in table or step.when:
                return None
            if step.name in ("__typename", "hasUnfulfilledOrders"):
                return None
        return tuple((step.key, step.name) for step in steps)

    def _connection(self, step: Step, below: Selection, found: Any) -> tuple[dict[str, Any], int]:
        cut = found if isinstance(found, Page) else self._page(step, found)
        out: dict[str, Any] = {}
        most = 0
        for part in below.steps(below.type.name):
            if not part.wanted(self.variables):
                continue
            if part.name == "pageInfo":
                assert part.below is not None  # noqa: S101 - it is an object
                names = {s.name for s in part.below.steps("PageInfo")}
                out[part.key] = self._object(part.below, _page_info(cut, names))[0]
            elif part.name == "nodes":
                assert part.below is not None  # noqa: S101 - as above
                done = [self._object(part.below, node) for node in cut.nodes]
                out[part.key] = [value for value, _ in done]
                most += max((cost for _, cost in done), default=0)
            elif part.name == "edges":
                out[part.key], cost = self._edges(part, cut)
                most += cost
            else:
                out[part.key] = step.target
        return out, 2 + k(len(cut.nodes)) * (1 + most)

    def _page(self, step: Step, found: Sequence[View]) -> Page:
        arguments = self.arguments(step)
        if found and "_id" not in found[0]:
            found = [{**one, "_id": at} for at, one in enumerate(found, 1)]
        return page(found, arguments)

    def _edges(self, part: Step, cut: Page) -> tuple[list[dict[str, Any]], int]:
        edges: list[dict[str, Any]] = []
        most = 0
        assert part.below is not None  # noqa: S101 - it is a list of objects
        steps = part.below.steps(part.target)
        for at, node in enumerate(cut.nodes):
            edge: dict[str, Any] = {}
            for step in steps:
                if step.name == "cursor":
                    edge[step.key] = cut.cursor(at)
                elif step.name == "node" and step.below is not None:
                    edge[step.key], cost = self._object(step.below, node)
                    most = max(most, cost)
                else:
                    edge[step.key] = part.target
            edges.append(edge)
        return edges, most


def _free_payload(below: Selection, value: dict[str, Any]) -> int:
    """Return what the payload objects counted for themselves: they are free, their parts not."""
    steps = below.steps(below.type.name)
    return sum(1 for s in steps if s.below and s.target not in FREE and value.get(s.key))


def _first(found: Any, arguments: dict[str, Any]) -> Any:
    """Cut a plain list at ``first``; it has no cursor and no sign that more was there."""
    first = arguments.get("first")
    return found if first is None or found is None else found[:first]


def _page_info(cut: Page, wanted: set[str]) -> dict[str, Any]:
    info: dict[str, Any] = {
        "__typename": "PageInfo",
        "hasNextPage": cut.has_next,
        "hasPreviousPage": cut.has_previous,
    }
    for name, at in (("startCursor", 0), ("endCursor", len(cut.nodes) - 1)):
        if name in wanted:
            info[name] = cut.cursor(at) if cut.nodes else None
    return info


def _error(step: Step, refused: Refused) -> dict[str, Any]:
    places = []
    if step.node.loc is not None:
        start = step.node.loc.start_token
        places.append({"line": start.line, "column": start.column})
    return {
        "message": refused.message,
        "locations": places,
        "path": refused.path or [step.key],
        "extensions": {"code": refused.code, **refused.extra},
    }

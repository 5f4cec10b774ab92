"""The writes: idempotency and one transaction around each (rules S12 to S14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.shopify import idempotency, order_writes, stock_writes
from sandbox.shopify.answers import Answer, wrong
from sandbox.shopify.execute import Resolver, Run
from sandbox.shopify.resolve import BY_ID
from sandbox.shopify.world import View, World

Mutation = Callable[[World, dict[str, Any]], Answer]


def _guarded(name: str, act: Mutation, empty: Answer, errors: str) -> Resolver:
    """Wrap a mutation in the rules of idempotency and one transaction."""

    def resolve(run: Run, _view: View, args: dict[str, Any]) -> Answer:
        world = run.world
        step = next(s for s in run.plan.root.steps("Mutation") if s.name == name)
        key = idempotency.key_of(step, run.variables)
        if key is None:
            answer = act(world, args)
            world.commit()
            return _shown(world, answer)
        same = idempotency.digest(name, args)
        before = idempotency.remembered(world, name, key)
        if before is not None and before["digest"] != same:
            code = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
            return empty | {errors: [wrong(None, idempotency.MISMATCH, code)]}
        if before is not None:
            world.hit("replayed")
            return _shown(world, before["answer"])
        if run.fault == "concurrent":
            code = "IDEMPOTENCY_CONCURRENT_REQUEST"
            return empty | {errors: [wrong(None, idempotency.CONCURRENT, code)]}
        answer = act(world, args)
        idempotency.remember(world, name, key, {"digest": same, "answer": answer})
        world.commit()
        return _shown(world, answer)

    return resolve


def _shown(world: World, answer: Answer) -> Answer:
    """Turn the kept ids of an answer into the objects as they are now."""
    out = {}
    for key, value in answer.items():
        if isinstance(value, dict) and "ref" in value:
            kind, number = value["ref"]
            out[key] = BY_ID[kind](world, number)
        else:
            out[key] = value
    return out


_ACTS: Mapping[str, tuple[Mutation, Answer, str]] = {
    "fulfillmentCreate": (order_writes.fulfillment_create, {"fulfillment": None}, "userErrors"),
    "refundCreate": (order_writes.refund_create, {"refund": None, "order": None}, "userErrors"),
    "orderCancel": (order_writes.order_cancel, {"job": None}, "orderCancelUserErrors"),
    "inventorySetQuantities": (
        stock_writes.set_quantities, {"inventoryAdjustmentGroup": None}, "userErrors",
    ),
    "inventoryAdjustQuantities": (
        stock_writes.adjust_quantities, {"inventoryAdjustmentGroup": None}, "userErrors",
    ),
    "inventoryActivate": (stock_writes.activate, {"inventoryLevel": None}, "userErrors"),
}  # fmt: skip

MUTATIONS: Mapping[str, Resolver] = {name: _guarded(name, *rest) for name, rest in _ACTS.items()}

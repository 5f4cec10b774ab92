"""From the bytes of a GraphQL request to the bytes of its answer (rules S1 to S4)."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sandbox.shopify import cost, order_writes, plan, schema, values
from sandbox.shopify.execute import Run
from sandbox.shopify.mutations import MUTATIONS
from sandbox.shopify.resolve import QUERIES
from sandbox.shopify.world import World

TABLE = {**QUERIES, "Mutation": MUTATIONS}
_LIMITS = "https://shopify.dev/api/usage/rate-limits"
Answer = dict[str, Any]


class Gateway:
    """Who calls, what it costs, what comes back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buckets: dict[str, cost.Bucket] = {}

    def caller(self, token: str | None) -> str | None:
        """Return the app a token belongs to, None when the token is wrong or over."""
        if token is None:
            return None
        if secrets.compare_digest(token.encode(), self.world.settings.token.encode()):
            return "custom app"
        ends = self.world.store.meta.get("tokens", {}).get(token)
        return "dev dashboard app" if ends is not None and ends > self.world.now() else None

    def new_token(self, lives_s: int) -> str:
        """Return a token of the client credentials grant; it dies after its time."""
        token = f"shpat_{secrets.token_hex(16)}"
        now = self.world.now()
        known = self.world.store.meta.get("tokens", {})
        alive = {name: ends for name, ends in known.items() if ends > now}
        self.world.store.meta["tokens"] = alive | {token: now + lives_s}
        self.world.commit()
        return token

    def bucket(self, caller: str) -> cost.Bucket:
        """Return the bucket of an app on this shop."""
        if caller not in self.buckets:
            self.buckets[caller] = cost.Bucket.full(self.world.settings.plan, self.world.now())
        return self.buckets[caller]

    def answer(self, caller: str, body: bytes, fault: str | None) -> Answer:
        """Answer one request; every refusal here is HTTP 200."""
        try:
            asked = json.loads(body)
            query, given = asked["query"], asked.get("variables") or {}
            if not isinstance(query, str) or not isinstance(given, dict):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return {"errors": [{"message": "A query is required", "extensions": {}}]}
        document, errors = schema.checked(query)
        if document is None:
            return {"errors": list(errors)}
        compiled = plan.compiled(document, asked.get("operationName"))
        if compiled is None:
            text = "An operation name is required"
            return {"errors": [{"message": text, "extensions": {"code": "operationNameMissing"}}]}
        variables, problems = values.coerced(compiled, given)
        if problems:
            return {"errors": problems}
        return self._admitted(caller, compiled, variables, fault)

    def _admitted(
        self, caller: str, compiled: plan.Compiled, variables: dict[str, Any], fault: str | None
    ) -> Answer:
        world, bucket = self.world, self.bucket(caller)
        price = cost.requested(compiled, variables)
        world.hit("points_offered", price)
        if price > cost.MAX_COST:
            world.hit("too_expensive")
            return _too_expensive(price)
        if fault == "throttle":
            bucket.drain(price, world.now())
        if not bucket.admits(price, world.now()):
            world.hit("throttled")
            told = _cost(price, None, bucket)
            return {"errors": [_throttled()], "extensions": {"cost": told}}
        if fault == "internal":
            bucket.charge(min(price, 10))
            return _internal(compiled, _cost(price, min(price, 10), bucket))
        order_writes.run_jobs(world)
        if world.store.changed:
            world.commit()
        run = Run(world, compiled, variables, TABLE, fault=fault)
        data = run.answer()
        actual = min(run.cost, price)
        bucket.charge(actual)
        world.hit("points_used", actual)
        extensions: Answer = {"cost": _cost(price, actual, bucket)}
        if run.search:
            extensions["search"] = run.search
        told = {"data": data, "extensions": extensions}
        return {"errors": run.errors, **told} if run.errors else told


def _cost(requested: int, actual: int | None, bucket: cost.Bucket) -> Answer:
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": bucket.status(),
    }


def _throttled() -> Answer:
    return {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _LIMITS}}


def _too_expensive(price: int) -> Answer:
    text = (
        f"Query cost is {price}, which exceeds the single query max cost limit "
        f"({cost.MAX_COST}).\n\nSee {_LIMITS} for more information on how the cost of a query is "
        "calculated.\n\nTo query larger amounts of data with fewer limits, bulk operations should "
        "be used instead.\nSee https://shopify.dev/tutorials/perform-bulk-operations-with-admin-"
        "api for usage details.\n"
    )
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": price, "maxCost": cost.MAX_COST}
    return {"errors": [{"message": text, "extensions": {**extensions, "documentation": _LIMITS}}]}


def _internal(compiled: plan.Compiled, told: Answer) -> Answer:
    """Return a failure inside Shopify: HTTP 200, the fields null, nothing done."""
    steps = compiled.root.steps(compiled.root.type.name)
    text = "Internal error. Looks like something went wrong on our end."
    error: Answer = {"message": text, "path": [steps[0].key]}
    error["extensions"] = {"code": "INTERNAL_SERVER_ERROR"}
    nulls = {step.key: None for step in steps}
    return {"errors": [error], "data": nulls, "extensions": {"cost": told}}

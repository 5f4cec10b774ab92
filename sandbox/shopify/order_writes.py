"""Writes on orders: ship, refund, cancel (rule S14; fact sheet, sections 7.3 and 7.4).

Everything is checked first; a refusal changes nothing.
"""

from __future__ import annotations

from sandbox.shopify import orders, reckon
from sandbox.shopify.answers import Answer, ref, wrong
from sandbox.shopify.money import gid, minor
from sandbox.shopify.resolve import key_of
from sandbox.shopify.store import Row
from sandbox.shopify.world import World


def _order(world: World, text: str) -> Row | None:
    return world.rows("order").get(key_of(text, "Order"))


def fulfillment_create(world: World, args: Row) -> Answer:
    """Ship what is asked of one order from one location."""
    groups = args["fulfillment"]["lineItemsByFulfillmentOrder"]
    parts: list[tuple[Row, Row, Row, int]] = []
    for at, group in enumerate(groups):
        chosen, problem = _chosen(world, group, at)
        if problem is not None:
            return {"fulfillment": None, "userErrors": [problem]}
        parts += chosen
    problem = _across(parts)
    if problem is not None:
        return {"fulfillment": None, "userErrors": [problem]}
    order = parts[0][0]
    tracking = _tracking(args["fulfillment"].get("trackingInfo") or {})
    made = orders.fulfil(world, order, [part[1:] for part in parts], tracking)
    return {"fulfillment": ref("Fulfillment", made["id"]), "userErrors": []}


def _chosen(  # noqa: PLR0911 - one way out per rule of section 7.3
    world: World, group: Row, at: int
) -> tuple[list[tuple[Row, Row, Row, int]], Answer | None]:
    key = key_of(group["fulfillmentOrderId"], "FulfillmentOrder")
    order = world.rows("order").get(world.owners.get(("fos", key), 0))
    if order is None:
        return [], wrong(["fulfillment"], "Fulfillment order does not exist.")
    fo = next(one for one in order["fos"] if one["id"] == key)
    if fo["status"] not in ("OPEN", "IN_PROGRESS"):
        state = fo["status"].lower()
        text = f"Fulfillment order {key} has an unfulfillable status= {state}."
        return [], wrong(["fulfillment"], text)
    lines = {line["id"]: line for line in fo["lines"]}
    asked = group.get("fulfillmentOrderLineItems")
    if not asked:
        return [(order, fo, one, one["remaining"]) for one in fo["lines"] if one["remaining"]], None
    parts: list[tuple[Row, Row, Row, int]] = []
    for place, entry in enumerate(asked):
        line = lines.get(key_of(entry["id"], "FulfillmentOrderLineItem"))
        if line is None:
            return [], wrong(["fulfillment"], "Fulfillment order line item does not exist.")
        if entry["quantity"] <= 0:
            path = ["fulfillment", "lineItemsByFulfillmentOrder", str(at)]
            path += ["fulfillmentOrderLineItems", str(place), "quantity"]
            return [], wrong(path, "Quantity must be greater than 0")
        taken = sum(units for _, _, other, units in parts if other is line)
        if entry["quantity"] + taken > line["remaining"]:
            text = "Invalid fulfillment order line item quantity requested."
            return [], wrong(["fulfillment"], text)
        parts.append((order, fo, line, entry["quantity"]))
    return parts, None


def _across(parts: list[tuple[Row, Row, Row, int]]) -> Answer | None:
    owners = sorted({order["id"] for order, *_ in parts})
    places = sorted({fo["location"] for _, fo, *_ in parts})
    if not parts:
        return wrong(["fulfillment"], "Fulfillment order does not exist.")
    if len(owners) > 1:
        text = "All fulfillment orders must belong to the same order. "
        return wrong(["fulfillment"], text + f"Multiple orders with ids {owners} were found.")
    if len(places) > 1:
        text = "All fulfillment orders must be assigned to a single location. "
        return wrong(["fulfillment"], text + f"Multiple locations with ids {places} were found.")
    return None


def _tracking(given: Row) -> list[Row]:
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    return [
        {"company": given.get("company"), "number": number, "url": url}
        for number, url in zip(numbers, [*urls, *[None] * len(numbers)], strict=False)
    ]


def refund_create(world: World, args: Row) -> Answer:
    """Book goods back and send money back; money moves only through `transactions`."""
    given = args["input"]
    empty: Answer = {"refund": None, "order": None}
    order = _order(world, given["orderId"])
    if order is None:
        # UNVERIFIED: text for an unknown order.
        return empty | {"userErrors": [wrong(["orderId"], "Order does not exist")]}
    lines, problem = _refund_lines(order, given.get("refundLineItems") or [])
    money, other = _refund_money(order, given.get("transactions") or [])
    problem = problem or other or _too_much(order, money, given)
    if problem is not None:
        return empty | {"userErrors": [problem]}
    shipping = _refund_shipping(order, given.get("shipping") or {})
    made = orders.refund(world, order, orders.Back(lines, shipping, money, given.get("note")))
    return {
        "refund": ref("Refund", made["id"]),
        "order": ref("Order", order["id"]),
        "userErrors": [],
    }


def _refund_lines(order: Row, given: list[Row]) -> tuple[list[orders.Goods], Answer | None]:
    lines = {line["id"]: line for line in order["lines"]}
    taken: dict[int, int] = {}
    out = []
    for entry in given:
        line = lines.get(key_of(entry["lineItemId"], "LineItem"))
        if line is None:
            # UNVERIFIED: texts of the line checks.
            return [], wrong(["refundLineItems"], "Line item does not exist")
        units = entry["quantity"]
        taken[line["id"]] = taken.get(line["id"], 0) + units
        if units <= 0 or taken[line["id"]] > reckon.current(line):
            text = "Quantity cannot refund more items than were purchased"
            return [], wrong(["refundLineItems"], text)
        kind = entry.get("restockType") or "NO_RESTOCK"
        if kind == "CANCEL" and taken[line["id"]] > reckon.open_units(line):
            text = "Quantity cannot be more than the unfulfilled quantity"
            return [], wrong(["refundLineItems"], text)
        where = key_of(entry["locationId"], "Location") if entry.get("locationId") else None
        out.append(orders.Goods(line, units, kind, where))
    return out, None


def _refund_money(order: Row, given: list[Row]) -> tuple[list[tuple[Row, int]], Answer | None]:
    payments = {t["id"]: t for t in order["transactions"]}
    out = []
    for entry in given:
        if entry["kind"] != "REFUND":
            text = f"Kind {entry['kind'].lower()} is not a valid transaction"
            return [], wrong(None, text)
        parent = entry.get("parentId")
        found = payments.get(key_of(parent, "OrderTransaction")) if parent else None
        if found is None:
            text = "Transactions require a parent_id associated with the order"
            return [], wrong(["transactions"], text)
        out.append((found, minor(entry["amount"], order["currency"])))
    return out, None


def _too_much(order: Row, money: list[tuple[Row, int]], given: Row) -> Answer | None:
    left = {row["id"]: amount for row, amount in reckon.refundable(order)}
    for parent, amount in money:
        left[parent["id"]] = left.get(parent["id"], 0) - amount
    if min(left.values(), default=0) < 0 and not given.get("allowOverRefunding"):
        # UNVERIFIED: text when more is asked back than was paid.
        return wrong(["transactions"], "Refund amount cannot exceed the amount received")
    return None


def _refund_shipping(order: Row, given: Row) -> int:
    paid = sum(reckon.net(line) for line in order["shipping"])
    left = int(paid - sum(refund["shipping"] for refund in order["refunds"]))
    if given.get("fullRefund"):
        return left
    return min(left, minor(given.get("amount") or 0, order["currency"]))


def order_cancel(world: World, args: Row) -> Answer:
    """Ask for a cancellation; the job that carries it out is done after a delay."""
    order = _order(world, args["orderId"])
    problem = None
    if order is None:
        # UNVERIFIED: text for an unknown order.
        problem = wrong(["orderId"], "Order does not exist", "NOT_FOUND")
    elif order["cancelled"]:
        text = "Cannot cancel an order that has already been canceled"
        problem = wrong(["orderId"], text, "INVALID")
    elif order["fulfillments"]:
        text = "Cannot cancel an order that has outstanding fulfillments"
        problem = wrong(["orderId"], text, "INVALID")
    if problem is not None or order is None:
        return {"job": None, "orderCancelUserErrors": [problem], "userErrors": []}
    method = args.get("refundMethod") or {}
    money = bool(method.get("originalPaymentMethodsRefund") or args.get("refund"))
    due = world.now() + world.settings.cancel_job_s
    wish = {"order": order["id"], "reason": args["reason"], "restock": args["restock"]}
    wish |= {"money": money, "note": args.get("staffNote"), "due": due, "done": False}
    job = world.store.put("job", {"id": world.store.new_id(), **wish})
    run_jobs(world)
    shown = {"id": gid("Job", job["id"]), "done": job["done"]}
    return {"job": shown, "orderCancelUserErrors": [], "userErrors": []}


def run_jobs(world: World) -> None:
    """Carry out the cancellations that are due; they happen some time after they were asked."""
    for job in world.rows("job").values():
        if job["done"] or job["due"] > world.now():
            continue
        order = world.rows("order")[job["order"]]
        job["done"] = True
        world.store.put("job", job)
        if order["cancelled"] is None and not order["fulfillments"]:
            wish = orders.Cancellation(job["reason"], job["restock"], job["money"], job["note"])
            orders.cancel(world, order, wish)

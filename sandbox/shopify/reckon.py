"""What follows from an order's rows: sums, open quantities, the states Shopify shows.

Amounts are minor units of the shop's currency. Nothing here changes anything.
"""

from __future__ import annotations

from sandbox.shopify.store import Row


def net(line: Row) -> int:
    """Return what a goods or shipping line costs after its discounts."""
    return int(line["price"] * line.get("quantity", 1) - sum(a["amount"] for a in line["allocs"]))


def tax(line: Row) -> int:
    """Return the tax of a line."""
    return sum(t["amount"] for t in line["taxes"])


def total(order: Row) -> int:
    """Return the order's total as placed."""
    lines = [*order["lines"], *order["shipping"]]
    worth = sum(net(line) for line in lines)
    return worth if order["taxes_included"] else worth + sum(tax(line) for line in lines)


def part(line: Row, whole: int, units: int) -> int:
    """Return what the next ``units`` of a line carry of ``whole``; all units add up to it."""
    done = line["removed"] + line["returned"]
    count = line["quantity"]
    return int(whole * (done + units) // count - whole * done // count)


def part_left(line: Row, whole: int) -> int:
    """Return what the units still ordered carry of ``whole``."""
    return int(whole - whole * (line["removed"] + line["returned"]) // line["quantity"])


def current(line: Row) -> int:
    """Return the units still ordered."""
    return int(line["quantity"] - line["removed"] - line["returned"])


def open_units(line: Row) -> int:
    """Return the units neither shipped nor removed."""
    return int(line["quantity"] - line["removed"] - line["fulfilled"])


def received(order: Row) -> int:
    """Return the money that came in."""
    return sum(
        t["amount"]
        for t in order["transactions"]
        if t["kind"] in ("SALE", "CAPTURE") and t["status"] == "SUCCESS"
    )


def refunded(order: Row) -> int:
    """Return the money that went back."""
    return sum(t["amount"] for t in order["transactions"] if t["kind"] == "REFUND")


def authorization(order: Row) -> Row | None:
    """Return the authorisation that still waits for its capture."""
    done = {t["parent"] for t in order["transactions"] if t["kind"] in ("CAPTURE", "VOID")}
    for row in order["transactions"]:
        if row["kind"] == "AUTHORIZATION" and row["id"] not in done:
            return dict(row)
    return None


def refunded_worth(order: Row) -> int:
    """Return what the refunds took off the order, goods and shipping."""
    return sum(refund["worth"] for refund in order["refunds"])


def refundable(order: Row) -> list[tuple[Row, int]]:
    """Return, per payment, what can still go back."""
    back: dict[int, int] = {}
    for row in order["transactions"]:
        if row["kind"] == "REFUND" and row["parent"]:
            back[row["parent"]] = back.get(row["parent"], 0) + row["amount"]
    left = [
        (row, row["amount"] - back.get(row["id"], 0))
        for row in order["transactions"]
        if row["kind"] in ("SALE", "CAPTURE") and row["status"] == "SUCCESS"
    ]
    return [(row, amount) for row, amount in left if amount > 0]


def financial_status(order: Row) -> str:
    """Derive ``displayFinancialStatus``."""
    came, went = received(order), refunded(order)
    if went:
        return "REFUNDED" if went >= came else "PARTIALLY_REFUNDED"
    if came >= total(order) - refunded_worth(order) and (came or not total(order)):
        return "PAID"
    if came:
        return "PARTIALLY_PAID"
    if order["cancelled"]:
        return "VOIDED"
    return "AUTHORIZED" if authorization(order) else "PENDING"


def fulfillment_status(order: Row) -> str:
    """Derive ``displayFulfillmentStatus``."""
    shippable = [line for line in order["lines"] if line["location"]]
    if not any(line["fulfilled"] for line in shippable):
        return "UNFULFILLED"
    left = any(open_units(line) for line in shippable)
    return "PARTIALLY_FULFILLED" if left else "FULFILLED"

"""What happens to an order in the shop: placed, paid, shipped, refunded, cancelled.

These are the acts of the merchant's staff and of the buyers; the mutations and the buyers' script
both call them. Amounts are minor units of the shop's currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.shopify import reckon, stock
from sandbox.shopify.money import share
from sandbox.shopify.store import Row
from sandbox.shopify.world import World

VAT = 13  # per cent, goods in mainland China
SHIPPING_VAT = 6  # per cent, transport
GATEWAY = "alipay"


@dataclass(frozen=True, slots=True)
class Want:
    """One line of a basket: a variant from a location, or a custom item when it has none."""

    quantity: int
    variant: int | None = None
    location: int | None = None
    title: str = "Custom item 定制"
    sku: str | None = None
    price: int = 0
    ship: bool = False
    tip: bool = False


@dataclass(frozen=True, slots=True)
class Basket:
    """Everything a buyer decides."""

    wants: Sequence[Want]
    customer: int | None = None
    code: tuple[str, float] | None = None  # code and per cent, spread over the order
    automatic: tuple[str, int] | None = None  # title and amount off each unit
    free_shipping: str | None = None  # a code that pays the shipping
    shipping: int = 0
    taxes_included: bool = True
    pay: str = "paid"  # paid | pending | authorized
    source: str = "web"
    note: str | None = None
    tags: Sequence[str] = ()
    address: Row | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of a line that come back or are no longer wanted, and what becomes of them."""

    line: Row
    units: int
    restock: str  # CANCEL | RETURN | NO_RESTOCK
    location: int | None


@dataclass(frozen=True, slots=True)
class Back:
    """A refund: goods, shipping, and money as (payment, amount)."""

    goods: Sequence[Goods] = ()
    shipping: int = 0
    money: Sequence[tuple[Row, int]] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancellation as it was asked for."""

    reason: str
    restock: bool = True
    money: bool = True
    note: str | None = None


def place(world: World, basket: Basket) -> Row:
    """Place an order; its goods are committed at their locations at once."""
    store, at = world.store, world.stamp()
    number = store.count("orders_placed") + 1000
    order: Row = {
        "id": store.new_id(),
        "name": f"#{number}",
        "number": number,
        "created": at,
        "updated": at,
        "processed": at,
        "closed": None,
        "cancelled": None,
        "cancel_reason": None,
        "staff_note": None,
        "currency": world.settings.currency,
        "taxes_included": basket.taxes_included,
        "source": basket.source,
        "note": basket.note,
        "tags": sorted(basket.tags),
        "customer": basket.customer,
        "address": basket.address,
        "lines": [_line(world, want, basket.taxes_included) for want in basket.wants],
        "shipping": [],
        "apps": [],
        "codes": [],
        "transactions": [],
        "refunds": [],
        "fulfillments": [],
        "fos": [],
    }
    if basket.shipping or basket.free_shipping:
        order["shipping"].append(_shipping(world, basket.shipping))
    _discount(order, basket)
    _tax(order)
    _commit_stock(world, order, basket)
    _customer_ordered(world, order, 1)
    if basket.pay == "paid":
        pay(world, order)
    elif basket.pay == "authorized":
        _transact(world, order, "AUTHORIZATION", reckon.total(order))
    return store.put("order", order)


def _line(world: World, want: Want, _included: bool) -> Row:
    row: Row = {"id": world.store.new_id(), "quantity": want.quantity, "allocs": [], "taxes": []}
    row |= {"fulfilled": 0, "removed": 0, "returned": 0, "tip": want.tip}
    if want.variant is None:
        return row | {
            "variant": None, "product": None, "item": None, "sku": want.sku, "title": want.title,
            "variant_title": None, "vendor": None, "price": want.price, "ship": want.ship,
            "location": want.location if want.ship else None, "taxable": not want.tip,
        }  # fmt: skip
    product, variant = world.variant_rows[want.variant]
    return row | {
        "variant": variant["id"], "product": product["id"], "item": variant["item"],
        "sku": variant["sku"], "title": product["title"], "variant_title": variant["title"],
        "vendor": product["vendor"], "price": variant["price"], "ship": True,
        "location": want.location, "taxable": variant["taxable"],
    }  # fmt: skip


def _shipping(world: World, price: int) -> Row:
    row = {"id": world.store.new_id(), "title": "顺丰速运 SF Express", "code": "SF-STD"}
    return row | {"price": price, "allocs": [], "taxes": []}


def _discount(order: Row, basket: Basket) -> None:
    goods = [line for line in order["lines"] if not line["tip"]]
    if basket.automatic:
        title, off = basket.automatic
        app = {"type": "AutomaticDiscountApplication", "title": title, "method": "EACH"}
        order["apps"].append(app | {"selection": "ENTITLED", "target": "LINE_ITEM", "amount": off})
        for line in goods:
            cut = min(off * line["quantity"], reckon.net(line))
            line["allocs"].append({"app": len(order["apps"]) - 1, "amount": cut})
    if basket.code:
        code, percent = basket.code
        app = {"type": "DiscountCodeApplication", "code": code, "method": "ACROSS"}
        app |= {"selection": "ALL", "target": "LINE_ITEM", "percent": percent}  # type: ignore[dict-item]  # a row holds any JSON
        order["apps"].append(app)
        order["codes"].append(code)
        worth = [reckon.net(line) for line in goods]
        cuts = share(round(sum(worth) * percent / 100), worth)
        for line, cut in zip(goods, cuts, strict=True):
            line["allocs"].append({"app": len(order["apps"]) - 1, "amount": cut})
    if basket.free_shipping:
        app = {"type": "DiscountCodeApplication", "code": basket.free_shipping, "method": "ACROSS"}
        app |= {"selection": "ALL", "target": "SHIPPING_LINE", "percent": 100.0}  # type: ignore[dict-item]  # a row holds any JSON
        order["apps"].append(app)
        order["codes"].append(basket.free_shipping)
        for line in order["shipping"]:
            line["allocs"].append({"app": len(order["apps"]) - 1, "amount": line["price"]})


def _tax(order: Row) -> None:
    lines = [(line, reckon.net(line), VAT) for line in order["lines"] if line["taxable"]]
    lines += [(line, reckon.net(line), SHIPPING_VAT) for line in order["shipping"]]
    for line, worth, rate in lines:
        base = 100 + rate if order["taxes_included"] else 100
        tax = (worth * rate * 2 + base) // (2 * base)
        if tax:
            line["taxes"].append({"title": f"增值税 VAT {rate}%", "rate": rate, "amount": tax})


def _commit_stock(world: World, order: Row, basket: Basket) -> None:
    for want, line in zip(basket.wants, order["lines"], strict=True):
        if line["item"] is None or want.location is None:
            continue
        level = world.level(line["item"], want.location)
        if level is None:
            level = stock.new_level(world, line["item"], want.location)
        stock.sell(world, level, line["quantity"])
    _assign(world, order, [(line, line["quantity"]) for line in order["lines"] if line["location"]])


def _assign(world: World, order: Row, parts: Sequence[tuple[Row, int]]) -> None:
    """Make one fulfilment order per location."""
    at = world.stamp()
    for location in sorted({line["location"] for line, _ in parts}):
        lines = [
            {"id": world.store.new_id(), "line": line["id"], "total": units, "remaining": units}
            for line, units in parts
            if line["location"] == location
        ]
        fo = {"id": world.store.new_id(), "location": location, "status": "OPEN", "lines": lines}
        order["fos"].append(fo | {"request": "UNSUBMITTED", "created": at, "updated": at})


def _transact(world: World, order: Row, kind: str, amount: int, parent: int | None = None) -> Row:
    row = {"id": world.store.new_id(), "kind": kind, "status": "SUCCESS", "gateway": GATEWAY}
    row |= {"amount": amount, "processed": world.stamp(), "parent": parent}
    order["transactions"].append(row)
    return row


def touch(world: World, order: Row) -> None:
    """Move the order's clock."""
    order["updated"] = world.stamp()
    world.store.put("order", order)


def pay(world: World, order: Row) -> None:
    """Take the outstanding money: capture what was authorised, else a sale."""
    due = (
        reckon.total(order)
        - reckon.refunded_worth(order)
        - reckon.received(order)
        + reckon.refunded(order)
    )
    hold = reckon.authorization(order)
    if hold is not None:
        due = hold["amount"]
        _transact(world, order, "CAPTURE", due, hold["id"])
    elif due > 0:
        _transact(world, order, "SALE", due)
    _customer_paid(world, order, due)
    _close_when_done(order, world)
    touch(world, order)


def _customer_ordered(world: World, order: Row, by: int) -> None:
    customer = world.rows("customer").get(order["customer"] or 0)
    if customer is not None:
        customer["orders"] += by
        customer["last_order"] = order["id"]
        customer["updated"] = world.stamp()
        world.store.put("customer", customer)


def _customer_paid(world: World, order: Row, amount: int) -> None:
    customer = world.rows("customer").get(order["customer"] or 0)
    if customer is not None and amount:
        customer["spent"] += amount
        customer["updated"] = world.stamp()
        world.store.put("customer", customer)


def fulfil(
    world: World, order: Row, parts: Sequence[tuple[Row, Row, int]], tracking: Sequence[Row] = ()
) -> Row:
    """Ship units: each part is (fulfilment order, its line, units), all of one location."""
    at = world.stamp()
    lines = {line["id"]: line for line in order["lines"]}
    location = parts[0][0]["location"]
    shipped = []
    for fo, fo_line, units in parts:
        line = lines[fo_line["line"]]
        fo_line["remaining"] -= units
        line["fulfilled"] += units
        level = world.level(line["item"], location) if line["item"] else None
        if level is not None:
            stock.ship(world, level, units)
        shipped.append({"id": world.store.new_id(), "line": line["id"], "quantity": units})
        fo["status"] = "IN_PROGRESS"
        _settle_fo(fo, at)
    row = {"id": world.store.new_id(), "created": at, "updated": at, "status": "SUCCESS"}
    row |= {"display": "FULFILLED", "location": location, "lines": shipped}
    row |= {"fos": sorted({fo["id"] for fo, _, _ in parts}), "tracking": list(tracking)}
    order["fulfillments"].append(row)
    _close_when_done(order, world)
    touch(world, order)
    return row


def _settle_fo(fo: Row, at: int) -> None:
    fo["updated"] = at
    if not any(line["remaining"] for line in fo["lines"]):
        fo["status"] = "CLOSED"


def _close_when_done(order: Row, world: World) -> None:
    """Shopify archives an order that is paid and wholly shipped."""
    shippable = [line for line in order["lines"] if line["location"]]
    done = shippable and not any(reckon.open_units(line) for line in shippable)
    if done and reckon.received(order) >= reckon.total(order) and order["closed"] is None:
        order["closed"] = world.stamp()


def refund(world: World, order: Row, back: Back) -> Row:
    """Book goods back and send money back."""
    at = world.stamp()
    booked = [_refund_line(world, order, goods, at) for goods in back.goods]
    paid = [
        _transact(world, order, "REFUND", amount, parent["id"]) for parent, amount in back.money
    ]
    worth = sum(b["subtotal"] + (0 if order["taxes_included"] else b["tax"]) for b in booked)
    row = {"id": world.store.new_id(), "created": at, "note": back.note, "lines": booked}
    row |= {"shipping": back.shipping, "transactions": [t["id"] for t in paid]}
    if back.shipping and not order["taxes_included"]:
        worth += _shipping_tax(order, back.shipping)
    row |= {"worth": worth + back.shipping, "total": sum(t["amount"] for t in paid)}
    order["refunds"].append(row)
    _customer_paid(world, order, -sum(t["amount"] for t in paid))
    touch(world, order)
    return row


def _shipping_tax(order: Row, shipping: int) -> int:
    paid = sum(reckon.net(line) for line in order["shipping"])
    taxes = sum(reckon.tax(line) for line in order["shipping"])
    return taxes * shipping // paid if paid else 0


def _refund_line(world: World, order: Row, goods: Goods, at: int) -> Row:
    line, units, kind = goods.line, goods.units, goods.restock
    row = {"id": world.store.new_id(), "line": line["id"], "quantity": units, "restock": kind}
    row["subtotal"] = reckon.part(line, reckon.net(line), units)
    row["tax"] = reckon.part(line, reckon.tax(line), units)
    where = goods.location or line["location"]
    level = world.level(line["item"], where) if line["item"] and where else None
    shipped = line["fulfilled"] - line["returned"]
    unshipped = (
        units - min(units, shipped) if kind == "RETURN" else min(units, reckon.open_units(line))
    )
    line["removed"] += unshipped
    line["returned"] += units - unshipped
    if unshipped:
        _shrink_fos(order, line, unshipped, at)
    at_home = line["item"] and line["location"]
    home = world.level(line["item"], line["location"]) if at_home else None
    if home is not None and unshipped:
        (stock.drop if kind == "NO_RESTOCK" else stock.release)(world, home, unshipped)
    if level is not None and kind == "RETURN" and units > unshipped:
        stock.take_back(world, level, units - unshipped)
    restocked = kind in ("CANCEL", "RETURN") and level is not None
    return row | {"location": where if restocked else None}


def _shrink_fos(order: Row, line: Row, units: int, at: int) -> None:
    for fo in order["fos"]:
        for fo_line in fo["lines"]:
            if fo_line["line"] == line["id"] and units:
                cut = min(units, fo_line["remaining"])
                fo_line["remaining"] -= cut
                fo_line["total"] -= cut
                units -= cut
                if cut:
                    _settle_fo(fo, at)


def cancel(world: World, order: Row, wish: Cancellation) -> None:
    """Cancel an order nothing of which was shipped."""
    kind = "CANCEL" if wish.restock else "NO_RESTOCK"
    goods = [
        Goods(line, units, kind, line["location"])
        for line in order["lines"]
        if (units := reckon.open_units(line))
    ]
    money = reckon.refundable(order) if wish.money else []
    shipping = sum(reckon.net(line) for line in order["shipping"])
    hold = reckon.authorization(order)
    if hold is not None:
        _transact(world, order, "VOID", hold["amount"], hold["id"])
    if goods or money:
        refund(world, order, Back(goods, shipping, money))
    order["cancelled"] = order["closed"] = world.stamp()
    order["cancel_reason"], order["staff_note"] = wish.reason, wish.note
    touch(world, order)

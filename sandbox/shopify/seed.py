"""The shop before the demo opens: catalogue, stock, customers and a month of orders."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from sandbox.shopify import basket, catalogue, orders, stock
from sandbox.shopify.money import MICROS
from sandbox.shopify.store import Row
from sandbox.shopify.views import SPOILED
from sandbox.shopify.world import World

_DAY_S = 86400
_PLENTY = 1_000_000
_NO_EMAIL, _NO_PHONE = 3, 5  # of every eight customers
_OPENING = ("available", "committed", "sold", "released", "returned", "shipped", "dropped")
_NAMES = (
    ("伟", "王"), ("芳", "李"), ("娜", "张"), ("敏", "刘"), ("静", "陈"), ("Anna", "Schmidt"),
    ("磊", "杨"), ("洋", "赵"), ("艳", "黄"), ("勇", "周"), ("James", "O’Neill"), ("杰", "吴"),
)  # fmt: skip
_EMAIL_STATES = (
    ("SUBSCRIBED", "SINGLE_OPT_IN"), ("NOT_SUBSCRIBED", None), ("UNSUBSCRIBED", "SINGLE_OPT_IN"),
    ("SUBSCRIBED", "CONFIRMED_OPT_IN"), ("PENDING", "CONFIRMED_OPT_IN"),
)  # fmt: skip


def fill(world: World) -> dict[str, Any]:
    """Fill an empty shop; return the catalogue with the stock that lies on the shelves."""
    settings = world.settings
    rng = random.Random(f"{settings.seed}:shop")  # noqa: S311 - a script, not a secret
    made = catalogue.read(settings.catalogue) if settings.catalogue else None
    made = made or catalogue.made(settings, rng)
    start = int((world.now() - settings.days * _DAY_S) * MICROS)
    world.past = start - 10 * _DAY_S * MICROS
    places = _locations(world, made["locations"])
    goods = _products(world, made["items"], rng)
    _levels(world, made["items"], goods, places)
    for at in range(settings.customers):
        world.past += _DAY_S * MICROS // 8
        new_customer(world, rng, at)
    world.commit()
    _history(world, rng, start)
    _open(world, made, goods, places)
    _plant(world, rng, start)
    world.past = None
    world.store.meta["seeded"] = True
    world.commit()
    return made


def _locations(world: World, names: list[str]) -> dict[str, int]:
    found = {}
    for at, name in enumerate(names):
        stamp = world.stamp()
        row: Row = {"id": world.store.new_id(), "name": name, "active": True, "primary": at == 0}
        row |= {"address": f"{name} {at + 1}号", "city": "上海", "zip": "200001"}
        world.store.put("location", row | {"created": stamp, "updated": stamp})
        found[name] = row["id"]
    return found


def _products(world: World, items: list[Row], rng: random.Random) -> dict[str, int]:
    """Make the products; return inventory item ids by SKU."""
    goods: dict[str, int] = {}
    groups: dict[str, list[Row]] = {}
    for item in items:
        groups.setdefault(item["product"], []).append(item)
    for title, group in groups.items():
        row = new_product(world, title, group, rng)
        goods |= {v["sku"]: v["item"] for v in row["variants"]}
    return goods


def new_product(world: World, title: str, group: list[Row], rng: random.Random) -> Row:
    """Put a product with its variants on sale."""
    at = world.stamp()
    first = group[0]
    names = [o["name"] for o in first.get("options") or ()] or ["Title"]
    row: Row = {"id": world.store.new_id(), "title": title, "status": "ACTIVE", "created": at}
    row |= {"handle": first["sku"].split("-")[0].lower() + f"-{row['id'] % 1000}", "updated": at}
    row |= {"vendor": "示例品牌 Demo Brand", "type": first.get("kind") or "", "tags": ["demo"]}
    row["html"] = f"<p>{title}，演示商品。</p>"
    row["variants"] = [_variant(world, item, place, rng, at) for place, item in enumerate(group, 1)]
    row["options"] = [
        {"id": world.store.new_id() * 100, "name": name,
         "values": list(dict.fromkeys(v["values"][place] for v in row["variants"]))}
        for place, name in enumerate(names)
    ]  # fmt: skip
    world._remember("product", row)
    return world.store.put("product", row)


def _variant(world: World, item: Row, place: int, rng: random.Random, at: int) -> Row:
    values = [o["value"] for o in item.get("options") or ()] or ["Default Title"]
    price = item["price"]
    return {
        "id": world.store.new_id(), "item": world.store.new_id(), "sku": item["sku"],
        "barcode": item["barcode"], "title": " / ".join(values), "values": values, "price": price,
        "compare_at": price * 5 // 4 if basket.likely(rng, 0.2) else None, "position": place,
        "taxable": True, "policy": "DENY", "tracked": True, "created": at, "updated": at,
        "item_updated": at, "cost": item.get("cost") or price * 2 // 5,
        "grams": rng.choice((120, 250, 400)),
    }  # fmt: skip


def _levels(world: World, items: list[Row], goods: dict[str, int], places: dict[str, int]) -> None:
    for item in items:
        for place in places.values():
            stock.new_level(world, goods[item["sku"]], place, _PLENTY)


def new_customer(world: World, rng: random.Random, at: int) -> Row:
    """Sign up a customer; one in eight gave only a phone, one in eight only an e-mail."""
    first, last = _NAMES[at % len(_NAMES)]
    stamp = world.stamp()
    state, level = _EMAIL_STATES[at % len(_EMAIL_STATES)]
    email = None if at % 8 == _NO_EMAIL else f"buyer{at + 1}@example.test"
    phone = None if at % 8 == _NO_PHONE else f"+86138{at + 1:08d}"
    row: Row = {
        "id": world.store.new_id(), "first": first, "last": last, "email": email, "phone": phone,
        "locale": "zh-CN", "state": "ENABLED" if at % 3 else "DISABLED", "note": None,
        "tags": ["vip"] if at % 5 == 0 else [], "created": stamp, "updated": stamp, "orders": 0,
        "spent": 0, "last_order": None,
        "email_consent": {"state": state, "level": level, "at": stamp if level else None},
        "sms_consent": {
            "state": "SUBSCRIBED" if at % 4 == 0 else "NOT_SUBSCRIBED",
            "level": "SINGLE_OPT_IN" if at % 4 == 0 else None,
            "at": stamp if at % 4 == 0 else None,
        },
        "metafields": {"custom.member_id": f"M{100_000 + at}"} if at % 2 == 0 else {},
        "address": address(rng, f"{last}{first}"),
    }  # fmt: skip
    return world.store.put("customer", row)


def address(rng: random.Random, name: str) -> Row:
    """Return a mailing address in China."""
    city, province, code = rng.choice(
        (("上海市", "Shanghai", "SH"), ("杭州市", "Zhejiang", "ZJ"), ("深圳市", "Guangdong", "GD"))
    )
    return {
        "name": name, "firstName": name[1:] or name, "lastName": name[:1], "company": None,
        "address1": f"演示路{rng.randint(1, 999)}号", "address2": None, "city": city,
        "province": province, "provinceCode": code, "country": "China", "countryCode": "CN",
        "countryCodeV2": "CN", "zip": f"{rng.randint(200000, 520000)}",
        "phone": f"+86139{rng.randint(0, 99_999_999):08d}", "latitude": None, "longitude": None,
        "formatted": [], "formattedArea": f"{city}, China", "timeZone": None,
        "coordinatesValidated": False, "validationResultSummary": None,
    }  # fmt: skip


def _history(world: World, rng: random.Random, start: int) -> None:
    """Write a month of orders: most are shipped, some came back, a few are still open."""
    wanted = world.settings.orders
    span = world.settings.days * _DAY_S * MICROS
    first = next(iter(world.rows("location")))
    for at in range(wanted):
        placed = start + span * at // max(1, wanted) + rng.randint(0, 3600) * MICROS
        world.past = placed
        wish = basket.drawn(world, rng, history=True)
        if at < world.settings.odd:
            gone = orders.Want(
                2, None, first, "已下架商品 Discontinued", f"OLD-{at}", 4_900, ship=True
            )
            wish = replace(wish, wants=[*wish.wants, gone])
        order = orders.place(world, wish)
        if at >= wanted - wanted // 10:
            continue
        world.past = min(placed + rng.randint(1, 3) * _DAY_S * MICROS, start + span - MICROS)
        _finish(world, rng, order)
    world.commit()


def _finish(world: World, rng: random.Random, order: Row) -> None:
    if basket.likely(rng, 0.08):
        orders.cancel(world, order, orders.Cancellation("CUSTOMER"))
        return
    orders.pay(world, order)
    for fo in list(order["fos"]):
        parts = [(fo, line, line["remaining"]) for line in fo["lines"]]
        orders.fulfil(world, order, parts, [basket.parcel(rng)])
    if basket.likely(rng, 0.12):
        basket.send_back(world, rng, order)


def _open(
    world: World, made: dict[str, Any], goods: dict[str, int], places: dict[str, int]
) -> None:
    """Set the shelves to the catalogue's stock; what open orders hold lies there too."""
    for item in made["items"]:
        for name, place in places.items():
            row = world.level(goods[item["sku"]], place)
            assert row is not None  # noqa: S101 - made above
            lying = max(int(item["stock"].get(name, 0)), row["committed"])
            row["available"] = lying - row["committed"]
            moved = row["adjusted"] - row["sold"] + row["released"] + row["returned"]
            row["opening"] = row["available"] - moved
            row["start"] = {key: row[key] for key in _OPENING}
            item["stock"][name] = lying
            world.store.put("level", row)


def _plant(world: World, rng: random.Random, start: int) -> None:
    """Plant orders that break one promise of the platform; they hold no stock."""
    span = world.settings.days * _DAY_S * MICROS
    for at in range(world.settings.bad):
        world.past = start + span * (at + 1) // (world.settings.bad + 2)
        want = orders.Want(quantity=1, title="礼品卡 Gift voucher", price=10_000)
        order = orders.place(
            world, orders.Basket(wants=[want], customer=basket.someone(world, rng))
        )
        order["bad"] = at % len(SPOILED)
        order["closed"] = order["updated"]
        world.store.put("order", order)
        world.commit()

"""The catalogue that the shop and the tills share, made from a seed or read from a file.

``catalogue.json``::

    {"currency": "CNY", "locations": ["Store Nanjing Rd", …],
     "items": [{"sku", "barcode", "product", "title" (of the variant), "options": [{"name", "value"}],
                "price": minor units, "currency", "cost", "stock": {location: units on the shelf}}]}
"""

from __future__ import annotations

import json
import random
from itertools import product
from pathlib import Path
from typing import Any

from sandbox.shopify.world import Settings

Item = dict[str, Any]
_SIZES = ("S", "M", "L", "XL")
_COLOURS = (("RED", "红 Red"), ("BLU", "蓝 Blue"), ("BLK", "黑 Black"), ("WHT", "白 White"))
# Code, title, kind, price in minor units, whether it comes in sizes.
_GOODS = (
    ("TEE", "纯棉T恤 Cotton Tee", "上衣 Tops", 9900, True),
    ("HOOD", "连帽卫衣 Hoodie", "上衣 Tops", 25900, True),
    ("POLO", "珠地Polo衫 Pique Polo", "上衣 Tops", 15900, True),
    ("JEAN", "直筒牛仔裤 Straight Jeans", "裤装 Bottoms", 29900, True),
    ("MUG", "骨瓷马克杯 Bone China Mug", "家居 Home", 5900, False),
    ("TOTE", "帆布托特包 Canvas Tote", "配饰 Accessories", 7900, False),
    ("CAP", "棒球帽 Baseball Cap", "配饰 Accessories", 6900, False),
    ("SOCK", "中筒袜 Crew Socks", "配饰 Accessories", 1999, False),
    ("SCRF", "羊毛围巾 Wool Scarf", "配饰 Accessories", 19900, False),
    ("TEA", "明前龙井 Longjing Tea 100g", "食品 Food", 16800, False),
    ("INCS", "沉香线香 Incense Sticks", "家居 Home", 8850, False),
    ("UMBR", "晴雨伞 Umbrella", "配饰 Accessories", 12900, False),
    ("NOTE", "布面笔记本 Cloth Notebook", "文具 Stationery", 3550, False),
    ("PEN", "黄铜钢笔 Brass Pen", "文具 Stationery", 21000, False),
    ("BOTL", "保温杯 Thermos Bottle", "家居 Home", 13900, False),
    ("FAN", "绫绢扇 Silk Fan", "家居 Home", 4700, False),
)


def ean13(number: int) -> str:
    """Return a valid EAN-13 with the prefix of Chinese manufacturers."""
    body = f"690{number:09d}"
    odd, even = sum(map(int, body[::2])), sum(map(int, body[1::2]))
    return body + str((10 - (odd + 3 * even) % 10) % 10)


def made(settings: Settings, rng: random.Random) -> dict[str, Any]:
    """Return a catalogue of the wanted size; a third of the SKUs is nearly sold out."""
    items: list[Item] = []
    wanted = max(settings.variants, settings.products)
    for at in range(settings.products):
        code, title, kind, price, sized = _GOODS[at % len(_GOODS)]
        run = at // len(_GOODS)
        code, title = (f"{code}{run}", f"{title} {run}") if run else (code, title)
        left = settings.products - at - 1
        size = max(1, min(6 if sized else 2, wanted - len(items) - left))
        if not left:
            size = max(1, wanted - len(items))
        for place, (options, suffix) in enumerate(_choices(size, sized=sized)):
            sku = "-".join((code, *suffix))
            items.append({
                "sku": sku, "barcode": ean13(at * 1000 + place + settings.seed % 7 + 1),
                "product": title, "kind": kind, "options": options,
                "title": " / ".join(o["value"] for o in options) or "Default Title",
                "price": price + 500 * (place // 4), "currency": settings.currency,
                "cost": price * 2 // 5, "stock": _stock(settings, rng, len(items)),
            })  # fmt: skip
    return {"currency": settings.currency, "locations": list(settings.locations), "items": items}


def _choices(size: int, *, sized: bool) -> list[tuple[list[dict[str, str]], tuple[str, ...]]]:
    """Return options and SKU suffixes of a product with ``size`` variants."""
    if size == 1:
        return [([], ())]
    found: list[tuple[list[dict[str, str]], tuple[str, ...]]] = []
    sizes: tuple[str, ...] = _SIZES if sized else ("",)
    for colour, each in product(range(max(size, 4)), sizes):
        code, name = _COLOURS[colour % len(_COLOURS)]
        if colour >= len(_COLOURS):
            code, name = f"{code}{colour}", f"{name} {colour}"
        options = [{"name": "颜色 Color", "value": name}]
        options += [{"name": "尺码 Size", "value": each}] if each else []
        found.append((options, (code, each) if each else (code,)))
    return found[:size]


def _stock(settings: Settings, rng: random.Random, at: int) -> dict[str, int]:
    few = at % 3 == 0
    return {name: rng.randint(0, 3) if few else rng.randint(12, 60) for name in settings.locations}


def read(path: Path) -> dict[str, Any]:
    """Return a catalogue that was written before."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(path: Path, catalogue: dict[str, Any]) -> None:
    """Write a catalogue so that a reader sees all of it or nothing."""
    half = path.with_suffix(".part")
    half.write_text(json.dumps(catalogue, ensure_ascii=False, indent=1), encoding="utf-8")
    half.replace(path)

"""What the tills sell: the catalogue the web shop wrote, or one of our own, made from the seed.

Read form: ``{"items": [{"sku", "barcode", "title", "product"?, "price" | "price_minor", "stock": {place: n}}]}``
or the bare list. A place the catalogue does not know gets stock drawn from the seed.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OWN = (
    ("TEE", "纯棉T恤 Cotton Tee", 9900), ("HOOD", "连帽卫衣 Hoodie", 25900), ("MUG", "骨瓷马克杯 Mug", 5900),
    ("SOCK", "中筒袜 Socks", 1999), ("TEA", "明前龙井 Tea 100g", 16850), ("PEN", "黄铜钢笔 Brass Pen", 21005),
)  # fmt: skip
_WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the shelf. `price` in minor units."""

    sku: str
    barcode: str
    name: str
    price: int


def ean13(number: int) -> str:
    """Return a valid EAN-13 (GS1 mod 10)."""
    body = f"690{number:09d}"
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body))
    return body + str(-total % 10)


def load(
    path: Path | None, seed: int, places: list[str]
) -> tuple[list[Item], dict[str, dict[str, int]]]:
    """Return the items and the opening stock by place; waits a while for a catalogue that is being made."""
    rng = random.Random(f"goods:{seed}")  # noqa: S311 - a seeded script, not a secret
    raw = _read(path) if path else _own(rng)
    items: list[Item] = []
    stock: dict[str, dict[str, int]] = {place: {} for place in places}
    for one in raw:
        price = int(one.get("price_minor", one.get("price", 0)))
        name = " ".join(filter(None, (one.get("product"), one.get("title"))))
        items.append(Item(one["sku"], str(one.get("barcode") or ""), name or one["sku"], price))
        for place in places:
            known = one.get("stock", {})
            stock[place][one["sku"]] = int(known[place]) if place in known else rng.randint(0, 40)
    return items, stock


def _read(path: Path) -> list[dict[str, Any]]:
    until = time.monotonic() + _WAIT_S
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
    found = json.loads(path.read_text(encoding="utf-8"))
    return list(found["items"] if isinstance(found, dict) else found)


def _own(rng: random.Random) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for n, (code, name, price) in enumerate(_OWN):
        for m, (colour, title) in enumerate((("RED", "红"), ("BLU", "蓝"), ("BLK", "黑"))):
            for size in ("S", "M", "L"):
                out.append({
                    "sku": f"{code}-{colour}-{size}", "barcode": ean13(n * 100 + m * 10 + len(out)),
                    "title": f"{name} {title}/{size}", "price": price + rng.choice((0, 0, 500)),
                })  # fmt: skip
    return out

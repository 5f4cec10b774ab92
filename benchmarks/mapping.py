"""Mapping: the compiled file beside hand-written Python that yields the same rows.

An order document of about 3.3 KB with 2 or 3 lines. The hand-written function is what a careful
person writes for this one shape: null-safe, absent kept apart from null, the hub's own quick
amount and time readers; it checks no types. Rounds are interleaved, medians of the process's CPU
time. `ratio` is hand-written time / compiled time: 1.0 means as fast, more means faster.

    python -m benchmarks.mapping
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hub.mapping import Mapping, load
from hub.mapping.codec import scaled_reader
from hub.mapping.shape import instant, shape
from hub.records.base import ABSENT
from hub.records.money import to_minor
from hub.records.order import ChannelOrder

ROUNDS = 15
DOCUMENTS = 400

FILE = """
kind: order
key: id
updated: updatedAt
pairs:
  external_order_id:    {native: id, as: text}
  display_no:           {native: name, as: text}
  order_state:          {native: status, as: enum, table: {OPEN: confirmed, CLOSED: completed, CANCELLED: cancelled}}
  currency:             {native: currencyCode, as: text}
  tax_total:            {native: totalTax.money.amount, as: money, currency: {native: currencyCode}}
  shipping_subtotal:    {native: totalShipping.money.amount, as: money, currency: {native: currencyCode}}
  tax_included:         {native: taxesIncluded, as: boolean}
  amount_payable:       {native: total.money.amount, as: money, currency: {native: currencyCode}}
  placed_at:            {native: processedAt, as: instant}
  paid_at:              {native: paidAt, as: instant}
  cancelled_at:         {native: cancelledAt, as: instant}
  completed_at:         {native: closedAt, as: instant}
  external_customer_id: {native: customer.id, as: text}
  buyer_message:        {native: note, as: text}
  recipient_name:       {native: shippingAddress.name, as: text}
  recipient_phone:      {native: shippingAddress.phone, as: text}
  recipient_country:    {native: shippingAddress.country, as: text}
  recipient_province:   {native: shippingAddress.province, as: text}
  recipient_city:       {native: shippingAddress.city, as: text}
  recipient_street:     {native: shippingAddress.address1, as: text}
  recipient_zip:        {native: shippingAddress.zip, as: text}
  source_updated_at:    {native: updatedAt, as: instant}
  "lines[].external_line_id":  {native: "lineItems.nodes[].id", as: text}
  "lines[].external_sku_id":   {native: "lineItems.nodes[].variant.id", as: text}
  "lines[].sku_snapshot":      {native: "lineItems.nodes[].sku", as: text}
  "lines[].title_snapshot":    {native: "lineItems.nodes[].title", as: text}
  "lines[].options_snapshot":  {native: "lineItems.nodes[].variantTitle", as: text}
  "lines[].quantity":          {native: "lineItems.nodes[].quantity", as: steps, scale: 0}
  "lines[].unit_price_minor":  {native: "lineItems.nodes[].unitPrice.money.amount", as: money, currency: {native: currencyCode}}
  "lines[].line_subtotal":     {native: "lineItems.nodes[].subtotal.money.amount", as: money, currency: {native: currencyCode}}
  "lines[].line_discount":     {native: "lineItems.nodes[].discount.money.amount", as: money, currency: {native: currencyCode}}
  "lines[].requires_shipping": {native: "lineItems.nodes[].requiresShipping", as: boolean}
  "payments[].external_txn_id": {native: "transactions[].id", as: text}
  "payments[].amount":          {native: "transactions[].amount.money.amount", as: money, currency: {native: currencyCode}}
  "payments[].state":           {native: "transactions[].status", as: enum, table: {SUCCESS: captured, PENDING: pending, FAILURE: failed}}
"""  # noqa: E501 - one pair per line


def documents(count: int, *, seed: int = 7) -> list[dict[str, Any]]:
    """Make order documents; the size of the mean one is about 3.3 KB as JSON."""
    rng = random.Random(seed)  # noqa: S311 - sample data
    return [_document(rng, number) for number in range(count)]


def _money(rng: random.Random) -> dict[str, Any]:
    amount = f"{rng.randrange(100, 90_000) / 100:.2f}"
    both = {"amount": amount, "currencyCode": "CNY"}
    return {"money": both, "presentment": dict(both)}


def _document(rng: random.Random, number: int) -> dict[str, Any]:
    return {
        "id": f"gid://acme/Order/{5_000_000 + number}",
        "name": f"#{1000 + number}",
        "status": rng.choice(["OPEN", "CLOSED", "CANCELLED"]),
        "currencyCode": "CNY",
        "presentmentCurrencyCode": "CNY",
        "taxesIncluded": True,
        "total": _money(rng), "totalTax": _money(rng), "totalShipping": _money(rng),
        "processedAt": f"2026-10-05T08:{number % 60:02d}:00Z",
        "paidAt": f"2026-10-05T08:{number % 60:02d}:30Z",
        "cancelledAt": None,
        "closedAt": None,
        "updatedAt": f"2026-10-05T09:{number % 60:02d}:00Z",
        "note": None if number % 3 else "请在下午送货",
        "tags": ["web", "new"],
        "customer": None if number % 5 == 0 else {
            "id": f"gid://acme/Customer/{number}", "displayName": "王小明", "email": None,
        },
        "shippingAddress": {
            "name": "王小明", "phone": "+8613800000000", "country": "CN", "province": "上海",
            "city": "上海市", "address1": f"南京西路 {number} 号", "address2": None, "zip": "200040",
        },
        "lineItems": {"nodes": [_line(rng, number, at) for at in range(2 + number % 2)]},
        "transactions": [
            {"id": f"gid://acme/Txn/{number}", "kind": "SALE", "status": "SUCCESS",
             "gateway": "alipay", "amount": _money(rng)},
        ],
    }  # fmt: skip


def _line(rng: random.Random, number: int, at: int) -> dict[str, Any]:
    return {
        "id": f"gid://acme/LineItem/{number}-{at}", "title": "纯棉圆领短袖T恤", "variantTitle": "白色 / XL",
        "sku": f"TS-{at:03d}-XL", "vendor": "Acme", "quantity": rng.randrange(1, 5),
        "requiresShipping": True, "isGiftCard": False, "taxable": True,
        "variant": {"id": f"gid://acme/Variant/{at}", "barcode": "6901234567892"},
        "unitPrice": _money(rng), "subtotal": _money(rng), "discount": _money(rng),
        "discountAllocations": [], "customAttributes": [],
    }  # fmt: skip


_AMOUNT = next(field for field in shape(ChannelOrder).fields if field.name == "amount_payable")
_READERS = {
    code: scaled_reader(partial(to_minor, currency=code), 2, _AMOUNT, number=False)
    for code in ("CNY", "USD")
}
_STATES = {"OPEN": "confirmed", "CLOSED": "completed", "CANCELLED": "cancelled"}
_PAID = {"SUCCESS": "captured", "PENDING": "pending", "FAILURE": "failed"}
_A = ABSENT


def _inside(document: dict[str, Any], *names: str) -> Any:
    value: Any = document
    for name in names:
        if value is None or value is _A:
            return value
        value = value.get(name, _A)
    return value


def _time(value: Any) -> Any:
    return value if value is None or value is _A else instant(value)


def _amount(document: dict[str, Any], name: str, read: Callable[[Any], int]) -> Any:
    outer = document.get(name, _A)
    if outer is None or outer is _A:
        return outer
    inner = outer.get("money", _A)
    if inner is None or inner is _A:
        return inner
    amount = inner.get("amount", _A)
    return amount if amount is None or amount is _A else read(amount)


def by_hand(d: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Map one order the way a person would write it."""
    a, get = _A, d.get
    read = _READERS[d["currencyCode"]]
    address = get("shippingAddress", a)
    if address is None or address is a:
        name = phone = country = province = city = street = postcode = address
    else:
        of = address.get
        name, phone, country = of("name", a), of("phone", a), of("country", a)
        province, city = of("province", a), of("city", a)
        street, postcode = of("address1", a), of("zip", a)
    nodes = _inside(d, "lineItems", "nodes")
    lines = a if nodes is None or nodes is a else [_hand_line(node, read) for node in nodes]
    found = get("transactions", a)
    payments = a if found is None or found is a else [
        (a, one["id"], a, _amount(one, "amount", read), _PAID[one["status"]], a) for one in found
    ]  # fmt: skip
    return [(
        a, d["id"], get("name", a), a, a, _STATES[d["status"]], a, a, a, a, a, d["currencyCode"],
        a, a, a, _amount(d, "totalShipping", read), a, _amount(d, "totalTax", read),
        get("taxesIncluded", a), a, a, _amount(d, "total", read), a, a, a, _time(d["processedAt"]),
        _time(get("paidAt", a)), a, a, _time(get("closedAt", a)), _time(get("cancelledAt", a)),
        a, a, a, a, _inside(d, "customer", "id"), get("note", a), a, a, name, phone, country,
        province, city, a, street, postcode, a, a, a, a, a, a, a, _time(get("updatedAt", a)), a,
        lines, a, payments, a,
    )]  # fmt: skip


def _hand_line(node: dict[str, Any], read: Callable[[Any], int]) -> tuple[Any, ...]:
    a, get = _A, node.get
    variant = get("variant", a)
    sku = variant if variant is None or variant is a else variant.get("id", a)
    return (
        a, node["id"], a, a, a, a, sku, a, get("sku", a), get("title", a), get("variantTitle", a), a,
        node["quantity"], a, a, a, a, a, a, a, a, a, _amount(node, "unitPrice", read), a,
        _amount(node, "subtotal", read), _amount(node, "discount", read), a, a, a, a,
        get("requiresShipping", a), a, a, a, a, a, a,
    )  # fmt: skip


def compiled() -> Mapping:
    """Load the file of this benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "order.yaml"
        file.write_text(FILE, encoding="utf-8")
        return load(file)


def _took(function: Callable[[Any], Any], docs: list[dict[str, Any]]) -> float:
    started = time.process_time()
    for document in docs:
        function(document)
    return (time.process_time() - started) / len(docs) * 1e6


def run(rounds: int = ROUNDS, count: int = DOCUMENTS) -> dict[str, Any]:
    """Measure, and return the figures. First makes sure that both ways yield the same rows."""
    docs, mapping = documents(count), compiled()
    assert all(mapping.to_canonical(document) == by_hand(document) for document in docs)
    sizes = [len(json.dumps(document, ensure_ascii=False).encode()) for document in docs]
    ways: dict[str, Callable[[Any], Any]] = {
        "hand_us": by_hand, "compiled_us": mapping.to_canonical, "slow_us": mapping.read_slowly,
    }  # fmt: skip
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, function in ways.items():
            took[name].append(_took(function, docs))
    median = {name: round(statistics.median(values), 2) for name, values in took.items()}
    return {
        "benchmark": "mapping",
        "documents": count,
        "mean_bytes": round(statistics.mean(sizes)),
        **median,
        "ratio": round(median["hand_us"] / median["compiled_us"], 3),
        "per_s": round(1e6 / median["compiled_us"]),
    }


if __name__ == "__main__":
    print(json.dumps(run()))

"""A group of rows becomes one document: a sale, a return, or both, after its sums have been checked.

    document = {receipt_key, store, terminal, business_date, receipt_no, zone, currency, file_at,
                sales: [0 or 1], returns: [0 or 1], members: [0 or 1]}

Returns stand by themselves with positive quantities (canonical model 2.3). A receipt with both
(exchange, 换货) gives both under one key; what comes back pays for what goes out. Identities and
their tolerance: `channels/pos_csv.md`, section 6. Money and quantities are decimal text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from connectors.pos_csv import lines as at
from connectors.pos_csv.dialect import Cells
from connectors.pos_csv.errors import RowProblem
from connectors.pos_csv.layouts import COLUMNS, plain
from connectors.pos_csv.lines import Row, header_minor, tender_minor, text
from connectors.pos_csv.settings import Settings
from connectors.pos_csv.values import id_text, local_time, money
from hub.records.money import allocate

Json = dict[str, Any]

_HEADER: Final = (
    at.STATUS, at.RECEIPT_DISCOUNT, at.ROUNDING, at.TOTAL, at.TENDER, at.CHANGE,
    at.CUSTOMER_NO, at.CUSTOMER_NAME, at.CUSTOMER_PHONE, at.ORIGINAL_NO, at.ORIGINAL_DATE,
)  # fmt: skip
_HEAD: Final = itemgetter(*_HEADER)
_SEPARATORS: Final = re.compile(r"[;；+|、/]")
_TENDER: Final = re.compile(r"(?P<name>[^:：]*?)\s*[:：]\s*(?P<amount>\S.*)")


class Unbalanced(RowProblem):
    """The receipt's sums do not agree; the document is complete otherwise and may be released."""

    def __init__(self, problem: RowProblem, document: Json) -> None:
        super().__init__(problem.code, problem.column, problem.why)
        self.document = document


@dataclass(frozen=True, slots=True)
class Sums:
    """The receipt's amounts in minor units. `sale` is what is payable, `back` what is given back."""

    sale: int
    back: int
    discount: int
    rounding: int
    difference: int
    """The file's own total less ours: not zero means a misread column or a broken receipt."""


def receipt_key(row: Row, rules: Settings) -> str:
    """Return the receipt's name for all times: numbers restart per terminal and day unless told otherwise."""
    return _key(row, rules, id_text(row.cells[at.RECEIPT_NO], "receipt_no").text, row.when.date)


def _key(row: Row, rules: Settings, no: str, day: str) -> str:
    if rules.unique_receipt_no:
        parts: tuple[str, ...] = (row.store, no)
    else:
        parts = (row.store, text(row.cells[at.TERMINAL]) or "", day, no)
    return "/".join(part.replace("/", "%2F") for part in parts)


def build(rows: Sequence[Row], rules: Settings, *, key: str, order: str, file_at: str) -> Json:
    """Build the document of one receipt. Raises `RowProblem`; `Unbalanced` when only the sums are wrong."""
    first, head = rows[0], _header(rows)
    if len({row.void for row in rows}) > 1:
        raise RowProblem("HEADER_CONFLICT", "status", "void and valid rows in one receipt")
    sold = [row for row in rows if row.kind == "sale"]
    back = [row for row in rows if row.kind == "return"]
    sums = _sums(rows, sold, back, head, rules)
    original = _original(first, head, rules, order)
    document: Json = {
        "receipt_key": key,
        "store": first.store,
        "terminal": text(first.cells[at.TERMINAL]),
        "business_date": first.when.date,
        "receipt_no": id_text(first.cells[at.RECEIPT_NO], "receipt_no").text,
        "zone": rules.timezone,
        "currency": rules.currency,
        "file_at": file_at,
        "sales": [_sale(sold, head, sums, rules, key)] if sold else [],
        "returns": [_return(back, sums, rules, key=key, original=original)] if back else [],
        "members": _members(head),
    }
    problem = _tenders(document, head, sums, rules, len(rows))
    if abs(sums.difference) > rules.tolerance_minor * len(rows):
        problem = RowProblem(
            "TOTAL_MISMATCH", "total", "the lines do not add up to the receipt's total"
        )
    if problem:
        raise Unbalanced(problem, document)
    return document


def _header(rows: Sequence[Row]) -> Cells:
    """Take what belongs to the whole receipt once; another value on a later row is a conflict."""
    first = rows[0].cells
    if len(rows) == 1:
        return first
    head, mine = first, _HEAD(first)
    for row in rows[1:]:
        cells = _HEAD(row.cells)
        if cells != mine and any(cells):
            head = _merged(head, row.cells)
    return head


def _merged(head: Cells, cells: Cells) -> Cells:
    out = list(head)
    for column in _HEADER:
        said, cell = out[column].strip(), cells[column].strip()
        if said and cell and said != cell:
            raise RowProblem("HEADER_CONFLICT", COLUMNS[column], "two values in one receipt")
        out[column] = said or cell
    return tuple(out)


def _sums(
    rows: Sequence[Row],
    sold: Sequence[Row],
    back: Sequence[Row],
    head: Sequence[str],
    rules: Settings,
) -> Sums:
    def added(row: Row) -> int:
        figures = row.figures
        return figures.net if rules.tax_included else figures.net + figures.tax

    discount = abs(header_minor(head[at.RECEIPT_DISCOUNT], "receipt_discount", rules) or 0)
    rounding = header_minor(head[at.ROUNDING], "rounding", rules) or 0
    total = header_minor(head[at.TOTAL], "total", rules)
    if rules.rounding_sign == "reduces":
        rounding = -abs(rounding)
    elif not sold and any(row.figures.negative for row in rows):
        rounding = -rounding
    sale, returned = sum(map(added, sold)), sum(map(added, back))
    if sold:
        sale += rounding - discount
        signed = None if total is None else total - (sale - returned)
    else:
        returned += rounding - discount
        signed = None if total is None else abs(total) - returned
    if sale < 0 or returned < 0:
        raise RowProblem("TOTAL_MISMATCH", "receipt_discount", "more discount than goods")
    if signed and sold:
        sale = max(sale + signed, 0)
    elif signed:
        returned = max(returned + signed, 0)
    return Sums(sale, returned, discount, rounding, signed or 0)


def _line_ids(rows: Sequence[Row]) -> list[str]:
    """Name lines by what they say, not where they stand: reordering rows changes nothing."""
    seen: Counter[str] = Counter()
    ids = []
    for row in rows:
        no = row.cells[at.LINE_NO].strip()
        if no and row.kind == "sale":
            ids.append(no)
            continue
        base = f"{row.goods.code or row.goods.name}@{row.figures.price_id}"
        seen[base] += 1
        ids.append(f"{base}#{seen[base]}")
    if len(set(ids)) != len(ids):
        raise RowProblem("DUP_LINE", "line_no", "two rows of a receipt have one line number")
    return ids


def _sale(rows: Sequence[Row], head: Sequence[str], sums: Sums, rules: Settings, key: str) -> Json:
    exp, void, first = rules.exponent, rows[0].void, rows[0]
    ids = _line_ids(rows)
    shares = (
        allocate(sums.discount, [row.figures.net for row in rows])
        if sums.discount
        else [0] * len(rows)
    )
    tax = sum(row.figures.tax for row in rows)
    cashier = text(first.cells[at.CASHIER])
    done_at = None if void else first.when.sold_at
    return {
        "id": key,
        "receipt_no": id_text(first.cells[at.RECEIPT_NO], "receipt_no").text,
        "status": "void" if void else "done",
        "sold_at": first.when.sold_at,
        "done_at": done_at,
        "void_at": first.when.sold_at if void else None,
        "total": money(sums.sale, exp),
        "rounding": money(sums.rounding, exp),
        "tax": money(tax, exp),
        "tax_included": rules.tax_included,
        "customer": text(head[at.CUSTOMER_NO]),
        "memo": text(first.cells[at.COMMENT]),
        "staff": {"store_id": first.store, **({"staff_id": cashier} if cashier else {})},
        "lines": [
            _line(row, line_id, money(share, exp))
            for row, line_id, share in zip(rows, ids, shares, strict=True)
        ],
        "discounts": _discounts(rows, ids, shares, sums.discount, exp),
        "tenders": [],
    }


def _line(row: Row, line_id: str, share: str) -> Json:
    goods, figures = row.goods, row.figures
    return {
        "id": line_id,
        "sku": goods.sku,
        "code": goods.code,
        "barcode": goods.barcode,
        "name": goods.name,
        "spec": goods.spec,
        "unit": goods.unit,
        "quantity": figures.quantity,
        "scale": figures.scale,
        "shipped": "0" if row.void else figures.quantity,
        "cancelled": figures.quantity if row.void else "0",
        "price": figures.price,
        "price_exact": figures.price_exact,
        "gross": figures.gross_text,
        "discount": figures.discount_text,
        "share": share,
        "tax": figures.tax_text,
        "location": row.store,
    }


def _discounts(
    rows: Sequence[Row], ids: Sequence[str], shares: Sequence[int], whole: int, exp: int
) -> list[Json]:
    out: list[Json] = []
    for row, line_id in zip(rows, ids, strict=True):
        if row.figures.discount:
            amount = row.figures.discount_text
            parts = [{"line": line_id, "amount": amount}]
            out.append(
                {"id": f"line:{line_id}", "target": "line", "amount": amount, "parts": parts}
            )
    if whole:
        parts = [
            {"line": line_id, "amount": money(share, exp)}
            for line_id, share in zip(ids, shares, strict=True)
            if share
        ]
        out.append(
            {"id": "receipt", "target": "order", "amount": money(whole, exp), "parts": parts}
        )
    return out


def _return(
    rows: Sequence[Row], sums: Sums, rules: Settings, *, key: str, original: str | None
) -> Json:
    exp, first = rules.exponent, rows[0]
    void = first.void
    nets = [
        row.figures.net if rules.tax_included else row.figures.net + row.figures.tax for row in rows
    ]
    if sum(nets) != sums.back:  # a rounded refund: what was paid out, spread over what came back
        nets = allocate(sums.back, nets)
    lines = [
        {
            "id": line_id,
            "sku": row.goods.sku,
            "code": row.goods.code,
            "quantity": row.figures.quantity,
            "scale": row.figures.scale,
            "amount": money(net, exp),
            "reception": "awaiting" if void else "received",
            "acceptance": "rejected" if void else "accepted",
            "disposition": None if void else "resalable",
            "location": row.store,
        }
        for row, line_id, net in zip(rows, _line_ids(rows), nets, strict=True)
    ]
    total = money(sums.back, exp)
    parts = [{k: line[k] for k in ("id", "quantity", "scale", "amount")} for line in lines]
    refund = {"id": key, "amount": total, "state": "cancelled" if void else "succeeded",
              "at": None if void else first.when.sold_at, "lines": parts}  # fmt: skip
    return {
        "id": key,
        "original": original,
        "status": "void" if void else "done",
        "asked_at": first.when.sold_at,
        "done_at": None if void else first.when.sold_at,
        "total": total,
        "lines": lines,
        "refunds": [refund],
    }


def _original(row: Row, head: Sequence[str], rules: Settings, order: str) -> str | None:
    """Return the key of the receipt that goods come back from, if the file says enough to know it."""
    no = id_text(head[at.ORIGINAL_NO], "original_no").text
    if text(no) is None:
        return None
    day = text(head[at.ORIGINAL_DATE])
    if day is None and not rules.unique_receipt_no:
        return None
    return _key(row, rules, no, local_time(day, order)[:10] if day else "")


def _members(head: Sequence[str]) -> list[Json]:
    card = text(head[at.CUSTOMER_NO])
    if card is None:
        return []
    phone = text(head[at.CUSTOMER_PHONE])
    identities = [{"kind": "pos_card_no", "value": card, "strength": "strong"}]
    if phone and "*" not in phone:  # a masked number is never an identity (canonical model 3.4)
        identities.append({"kind": "phone", "value": phone, "strength": "weak"})
    return [
        {
            "card": card,
            "name": text(head[at.CUSTOMER_NAME]),
            "phone": phone,
            "identities": identities,
        }
    ]


def _tenders(
    document: Json, head: Sequence[str], sums: Sums, rules: Settings, count: int
) -> RowProblem | None:
    """Put the tenders on the sale; return what is wrong with them."""
    if not document["sales"]:
        return None
    sale, key, exp = document["sales"][0], document["receipt_key"], rules.exponent
    due = max(sums.sale - sums.back, 0)
    paid, problem = _paid(head, due, rules, tolerance=rules.tolerance_minor * count)
    by_return = min(sums.back, sums.sale)
    if by_return:
        paid.append(("other", by_return))
    void = sale["status"] == "void"
    sale["tenders"] = [
        {"id": f"{key}#{n}", "method": method, "amount": money(amount, exp),
         "state": "voided" if void else "captured", "at": sale["sold_at"]}
        for n, (method, amount) in enumerate(paid, 1)
    ]  # fmt: skip
    return problem


def _paid(
    head: Sequence[str], due: int, rules: Settings, *, tolerance: int
) -> tuple[list[tuple[str, int]], RowProblem | None]:
    found = _split_tenders(head[at.TENDER])
    if not any(amount for _, amount in found):
        method = rules.tenders.get(found[0][0], "other") if len(found) == 1 else "other"
        return ([(method, due)] if due else []), None
    paid = [
        (rules.tenders.get(name, "other"), tender_minor(amount, rules))
        for name, amount in found
        if amount
    ]
    if len(paid) != len(found) or any(amount < 0 for _, amount in paid):
        if due:
            return paid, RowProblem("TENDER_MISMATCH", "tender", "a tender without a usable amount")
        return [], None
    change = header_minor(head[at.CHANGE], "change", rules) or 0
    for n, (method, amount) in enumerate(paid):
        if change and method == "cash" and amount >= change:
            paid[n], change = (method, amount - change), 0
    if due == 0 or (not change and abs(sum(amount for _, amount in paid) - due) <= tolerance):
        return [(method, amount) for method, amount in paid if amount and due], None
    return paid, RowProblem(
        "TENDER_MISMATCH", "tender", "the tenders do not add up to the receipt's total"
    )


@lru_cache(maxsize=4096)
def _split_tenders(cell: str) -> tuple[tuple[str, str], ...]:
    """Split `现金:15;微信:10.95` into names and amounts; a bare name has no amount."""
    parts = [part.strip() for part in _SEPARATORS.split(cell) if part.strip()]
    found = [(part, _TENDER.fullmatch(part)) for part in parts]
    return tuple((plain(m["name"]), m["amount"]) if m else (plain(part), "") for part, m in found)

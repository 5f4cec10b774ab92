"""One row of a sales file, read: whose receipt it is, sale or return, what goods, which figures.

Tills repeat themselves: the same articles, prices and minutes stand in a million rows. So a row is
read in four parts (when, whose, goods, figures), each from its own cells alone, and a part that was
read before is not read again. Amounts are minor units, positive for sales and returns alike.
Names of the columns: `layouts.COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Final, Literal, NamedTuple, TypeVar

from connectors.pos_csv.dialect import Cells
from connectors.pos_csv.errors import RowProblem
from connectors.pos_csv.layouts import COLUMNS, MEASURED, plain
from connectors.pos_csv.rows import Record
from connectors.pos_csv.settings import Settings
from connectors.pos_csv.values import (
    NULLS,
    business_date,
    gtin_is_wrong,
    id_text,
    local_time,
    minor,
    money,
    number,
    to_minor,
    unguarded,
)

(
    RECEIPT_NO, SOLD_AT, SOLD_TIME, TYPE, STATUS, STORE, TERMINAL, BUSINESS_DATE, CASHIER, LINE_NO,
    SKU, BARCODE, NAME, SPEC, UNIT, QUANTITY, UNIT_PRICE, GROSS, DISCOUNT, NET, TAX,
    RECEIPT_DISCOUNT, ROUNDING, TOTAL, TENDER, CHANGE, CUSTOMER_NO, CUSTOMER_NAME, CUSTOMER_PHONE,
    ORIGINAL_NO, ORIGINAL_DATE, COMMENT,
) = range(len(COLUMNS))  # fmt: skip

Kind = Literal["sale", "return", "skip"]
Marks = tuple[RowProblem, ...]
_Part = TypeVar("_Part")

_MOST_DECIMALS: Final = 4
_MOST_KEPT: Final = 16_384
_WHEN = itemgetter(SOLD_AT, SOLD_TIME, BUSINESS_DATE)
_WHOSE = itemgetter(TYPE, STATUS, STORE)
_GOODS = itemgetter(SKU, BARCODE, NAME, SPEC, UNIT)
_FIGURES = itemgetter(QUANTITY, UNIT, UNIT_PRICE, GROSS, DISCOUNT, NET, TAX)


@dataclass(frozen=True, slots=True)
class Reading:
    """What holds for all rows of a file: the rules, its order of dates, what its name says."""

    rules: Settings
    order: str
    store: str = ""
    date: str = ""
    newest: str = "9999"
    """A sale later than this wall time cannot be: the till's clock is wrong."""


class When(NamedTuple):
    """Wall time of the sale and the store's own day."""

    sold_at: str
    date: str
    marks: Marks = ()


class Whose(NamedTuple):
    """Which store, what the type column says, and whether the receipt is void."""

    store: str
    said: str
    void: bool


class Goods(NamedTuple):
    """What was sold, as the row names it. `code` is the best name there is."""

    sku: str | None
    barcode: str | None
    code: str | None
    name: str | None
    spec: str | None
    unit: str | None
    marks: Marks = ()


class Figures(NamedTuple):
    """Quantity, price and amounts; as numbers where sums need them, as text where the document does."""

    quantity: str
    scale: int
    negative: bool
    price: str
    price_exact: str | None
    price_id: str
    gross: int
    discount: int
    tax: int
    gross_text: str
    discount_text: str
    tax_text: str

    @property
    def net(self) -> int:
        """What the row costs after its own discount, before tax that is added."""
        return self.gross - self.discount


@dataclass(slots=True)
class Row:
    """One good row."""

    record: Record
    row_no: int
    cells: Cells
    kind: Kind
    void: bool
    store: str
    when: When
    goods: Goods
    figures: Figures

    @property
    def marks(self) -> Marks:
        """What is odd about the row without keeping it from being used."""
        return self.when.marks + self.goods.marks


_NO_GOODS: Final = Goods(None, None, None, None, None, None)
_NO_FIGURES: Final = Figures("0", 0, False, "0", None, "0", 0, 0, 0, "0", "0", "0")


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, how: Reading) -> None:
        self._how, self._rules = how, how.rules
        self._when: dict[Cells, When] = {}
        self._whose: dict[Cells, Whose] = {}
        self._goods: dict[Cells, Goods] = {}
        self._figures: dict[Cells, Figures] = {}

    def read(self, record: Record, row_no: int, cells: Cells) -> Row:
        """Read the cells of one record. Raises `RowProblem` with the first thing that is wrong."""
        if not cells[RECEIPT_NO].strip():
            raise RowProblem("REQUIRED", "receipt_no", "empty")
        key = _WHEN(cells)
        when = self._when.get(key) or _kept(self._when, key, _when(key, self._how))
        key = _FIGURES(cells)
        figures = self._figures.get(key)
        negative = figures.negative if figures else _is_negative(cells[QUANTITY], self._rules)
        key = _WHOSE(cells)
        whose = self._whose.get(key) or _kept(self._whose, key, _whose(key, self._how))
        kind = _kind(whose.said, self._rules.return_sign, negative=negative)
        if kind == "skip":
            return Row(
                record, row_no, cells, kind, False, whose.store, when, _NO_GOODS, _NO_FIGURES
            )
        key = _GOODS(cells)
        goods = self._goods.get(key) or _kept(self._goods, key, _goods(key))
        if figures is None:
            key = _FIGURES(cells)
            figures = _kept(self._figures, key, _read_figures(key, self._rules))
        return Row(record, row_no, cells, kind, whose.void, whose.store, when, goods, figures)

    def skeleton(self, record: Record, row_no: int, cells: Cells) -> Row:
        """Read only whose row it is, when the rest of it cannot be read. Raises `RowProblem`."""
        store = _store(cells[STORE], self._how)
        when = When("", "") if self._rules.unique_receipt_no else _when(_WHEN(cells), self._how)
        return Row(record, row_no, cells, "skip", False, store, when, _NO_GOODS, _NO_FIGURES)


def _kept(memory: dict[Cells, _Part], key: Cells, value: _Part) -> _Part:
    if len(memory) >= _MOST_KEPT:
        memory.clear()
    memory[key] = value
    return value


def _when(cells: Cells, how: Reading) -> When:
    date_cell, time_cell, day_cell = (cell.strip() for cell in cells)
    if not date_cell:
        raise RowProblem("REQUIRED", "sold_at", "empty")
    sold_at = local_time(f"{date_cell} {time_cell}" if time_cell else date_cell, how.order)
    if day_cell:
        return When(sold_at, local_time(day_cell, how.order)[:10])
    if "2000" < sold_at <= how.newest:
        return When(sold_at, business_date(sold_at, how.rules.day_starts))
    mark = RowProblem("FUTURE_DATE", "sold_at", "the till's clock is wrong")
    return When(sold_at, how.date or business_date(sold_at, how.rules.day_starts), (mark,))


def _whose(cells: Cells, how: Reading) -> Whose:
    kind, status, store = cells
    said = _word(kind, how.rules.types, "type")
    state = _word(status, how.rules.statuses, "status")
    void = "void" in (said, state)
    return Whose(_store(store, how), "skip" if "skip" in (said, state) else said, void)


def _word(cell: str, table: Mapping[str, str], column: str) -> str:
    word = plain(cell)
    if not word:
        return ""
    meaning = table.get(word)
    if meaning is None:
        raise RowProblem("REQUIRED", column, "a word the connection form does not know")
    return meaning


def _store(cell: str, how: Reading) -> str:
    name = cell.strip() or how.store
    if not name:
        if how.rules.only_store:
            return how.rules.only_store
        raise RowProblem("REQUIRED", "store", "the file does not say which store this is")
    code = how.rules.stores.get(plain(name))
    if code is None:
        raise RowProblem("STORE_UNKNOWN", "store", "no store of this connection")
    return code


def _kind(said: str, sign: str, *, negative: bool) -> Kind:
    if said == "skip":
        return "skip"
    if sign == "positive" and negative and said != "exchange":
        raise RowProblem("NUMBER", "quantity", "negative, though returns are told by their type")
    if sign == "negative" and said == "return" and not negative:
        raise RowProblem("NUMBER", "quantity", "a return with a positive quantity")
    return "return" if negative or (said == "return" and sign != "negative") else "sale"


def _goods(cells: Cells) -> Goods:
    sku, barcode = id_text(cells[0], "sku"), id_text(cells[1], "barcode")
    marks: list[RowProblem] = []
    for column, one in (("sku", sku), ("barcode", barcode)):
        if one.repaired:
            marks.append(RowProblem("EXCEL_NUM", column, "'.0' taken off a code"))
    if gtin_is_wrong(barcode.text):
        marks.append(RowProblem("GTIN_CHECK", "barcode", "the check digit is wrong"))
    name, spec, unit = text(cells[2]), text(cells[3]), text(cells[4])
    code = sku.text or barcode.text or None
    if code is None and name is None:
        raise RowProblem("REQUIRED", "sku", "neither code nor barcode nor name")
    return Goods(sku.text or None, barcode.text or None, code, name, spec, unit, tuple(marks))


def _pieces(cell: str, rules: Settings) -> Decimal:
    amount = number(cell, "quantity", rules.decimal, rules.thousands)
    if amount is None:
        raise RowProblem("REQUIRED", "quantity", "empty")
    return amount


def _is_negative(cell: str, rules: Settings) -> bool:
    return _pieces(cell, rules) < 0


def _read_figures(cells: Cells, rules: Settings) -> Figures:
    quantity_cell, unit, price_cell, *amounts = cells
    signed = _pieces(quantity_cell, rules)
    amount, sign, exp = abs(signed), -1 if signed < 0 else 1, rules.exponent
    price = number(price_cell, "unit_price", rules.decimal, rules.thousands)
    gross, discount, net, tax = (
        _signed(cell, column, sign, rules)
        for cell, column in zip(amounts, ("gross", "discount", "net", "tax"), strict=True)
    )
    if gross is None:
        gross = _gross(net, discount, price, amount, exp)
    if discount is None:
        discount = gross - net if net is not None else 0
    tax = tax or 0
    if net is not None and abs(gross - discount - net) > rules.tolerance_minor:
        raise RowProblem("TOTAL_MISMATCH", "net", "amount less discount is not the net amount")
    if min(gross, discount, tax) < 0 or discount > gross:
        raise RowProblem("NUMBER", "gross", "the sign of an amount contradicts the quantity")
    if not amount and gross:
        raise RowProblem("NUMBER", "quantity", "zero, but not for nothing")
    unit_price = abs(price) if price is not None else _price(gross, amount, exp)
    whole = unit_price.scaleb(exp)
    units = int(whole.to_integral_value())
    pieces, scale = _quantity(amount, plain(unit))
    exact = f"{unit_price:f}"
    return Figures(
        pieces, scale, signed < 0, money(units, exp), None if whole == units else exact, exact, gross, discount,
        tax, money(gross, exp), money(discount, exp), money(tax, exp),
    )  # fmt: skip


def _signed(cell: str, column: str, sign: int, rules: Settings) -> int | None:
    if not cell:
        return None
    value = minor(cell, column, rules.exponent, rules.decimal, rules.thousands)
    return None if value is None else sign * value


def _gross(
    net: int | None, discount: int | None, price: Decimal | None, amount: Decimal, exp: int
) -> int:
    """Complete what the file leaves out: gross = net + discount = unit price x quantity."""
    if net is not None:
        return net + (discount or 0)
    if price is not None:
        return int((abs(price) * amount).scaleb(exp).to_integral_value(ROUND_HALF_UP))
    raise RowProblem("REQUIRED", "gross", "neither amount nor price")


def _price(gross: int, amount: Decimal, exp: int) -> Decimal:
    if not amount:
        return Decimal()
    price = Decimal(gross).scaleb(-exp) / amount
    return price.quantize(Decimal(1).scaleb(-max(exp, 6)))


def _quantity(amount: Decimal, unit: str) -> tuple[str, int]:
    pieces = f"{amount:f}"
    if "." in pieces:
        pieces = pieces.rstrip("0").rstrip(".")
    decimals = len(pieces.partition(".")[2])
    if decimals > _MOST_DECIMALS:
        raise RowProblem("PRECISION", "quantity", f"more than {_MOST_DECIMALS} decimals")
    return pieces, max(3 if decimals or unit in MEASURED else 0, decimals)


def raw_key(cells: Cells) -> Cells | None:
    """Return what tells one receipt's rows from the next, also for rows that cannot be read."""
    no = cells[RECEIPT_NO].strip()
    return (cells[STORE], cells[TERMINAL], no) if no else None


@lru_cache(maxsize=4096)
def text(cell: str) -> str | None:
    """Return a nullable text cell: trimmed, without an export guard; None for empty and null words."""
    value = unguarded(cell.strip())
    return None if value.lower() in NULLS else value


def header_minor(cell: str, column: str, rules: Settings) -> int | None:
    """Read an amount of the whole receipt, sign and all."""
    return minor(cell, column, rules.exponent, rules.decimal, rules.thousands) if cell else None


def tender_minor(cell: str, rules: Settings) -> int:
    """Read one tender's amount. Raises `RowProblem`."""
    value = number(cell, "tender", rules.decimal, rules.thousands)
    if value is None:
        raise RowProblem("NUMBER", "tender", "no amount")
    return to_minor(value, "tender", rules.exponent)

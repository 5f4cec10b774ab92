"""How a till writes its receipts down: Loyverse "Receipts by item", or a Chinese sales detail.

Loyverse header, Sale/Refund, Closed/Cancelled, M/D/YY h:mm AM/PM, BOM: as public exports show it.
Chinese: GB18030, CRLF, a title row above and a 合计 row below when the dial says so, barcodes with
a TAB behind them. Money is in minor units inside and decimal text in the file.
"""

from __future__ import annotations

import csv
import io
import random
from datetime import datetime
from typing import Any

Receipt = dict[str, Any]
Row = list[str]

LOYVERSE = (
    "Date", "Receipt number", "Receipt type", "Category", "SKU", "Item", "Variant", "Modifiers applied",
    "Quantity", "Gross sales", "Discounts", "Net sales", "Cost of goods", "Gross profit", "Taxes", "POS",
    "Store", "Cashier name", "Customer name", "Customer contacts", "Comment", "Status",
)  # fmt: skip
CHINESE = (
    "流水号", "销售时间", "类型", "门店", "收银员", "商品编码", "商品条码", "商品名称", "数量", "单价", "金额",
    "优惠", "实收金额", "抹零", "整单金额", "支付方式", "会员卡号", "原单号", "备注",
)  # fmt: skip
BAD_KINDS = ("sci", "date", "number", "ragged", "quote", "total")
_TYPES = {"sale": "销售", "return": "退货", "exchange": "换货"}


def yuan(minor: int) -> str:
    """Write minor units as decimal text."""
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def net(line: dict[str, Any]) -> int:
    """Return what a line costs, negative when it comes back."""
    gross: int = line["price"] * abs(line["qty"]) - line["discount"]
    return gross if line["qty"] > 0 else -gross


def total(receipt: Receipt) -> int:
    """Return what changes hands for a receipt."""
    return sum(map(net, receipt["lines"])) - int(receipt["rounding"])


def render(layout: str, receipts: list[Receipt], *, shop: str, titled: bool) -> bytes:
    """Write a whole file."""
    rows: list[Row] = []
    for receipt in receipts:
        made = _loyverse(receipt, shop) if layout == "loyverse" else _chinese(receipt, shop)
        rows += _spoiled(layout, receipt, made)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    header = LOYVERSE if layout == "loyverse" else CHINESE
    if titled and layout == "chinese":
        writer.writerow([f"{shop}销售明细表"])
    writer.writerow(header)
    for row in rows:
        if len(row) == 1:
            out.write(row[0] + "\r\n")  # a broken row, as it is
        else:
            writer.writerow(row)
    if titled and layout == "chinese":
        good = [r for r in receipts if not r["bad"] and not r["void"]]
        footer = ["合计"] + [""] * (len(CHINESE) - 1)
        footer[8] = str(sum(line["qty"] for r in good for line in r["lines"]))
        writer.writerow(footer)
    return out.getvalue().encode("utf-8-sig" if layout == "loyverse" else "gb18030")


def _loyverse(receipt: Receipt, shop: str) -> list[Row]:
    at = datetime.fromisoformat(receipt["at"])
    when = f"{at.month}/{at.day}/{at:%y} {at.hour % 12 or 12}:{at:%M} {at:%p}"
    rows = []
    for line in receipt["lines"]:
        sign = 1 if line["qty"] > 0 else -1
        gross, discount = sign * line["price"] * abs(line["qty"]), sign * line["discount"]
        rows.append([
            when, receipt["no"], "Sale" if sign > 0 else "Refund", "", line["sku"], line["name"], "", "",
            f"{line['qty']}.000", yuan(gross), yuan(discount), yuan(gross - discount), "0.00",
            yuan(gross - discount), "0.00", "POS 1", shop, "Li Lei", "", "", receipt["memo"],
            "Cancelled" if receipt["void"] else "Closed",
        ])  # fmt: skip
    return rows


def _chinese(receipt: Receipt, shop: str) -> list[Row]:
    at = datetime.fromisoformat(receipt["at"])
    when = f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M:%S}"
    kind = "作废" if receipt["void"] else _TYPES[receipt["kind"]]
    rows = []
    for n, line in enumerate(receipt["lines"]):
        sign = 1 if line["qty"] > 0 else -1
        first = n == 0
        rows.append([
            receipt["no"], when, kind, shop, "韩梅梅", line["sku"], f"{line['barcode']}\t" if line["barcode"] else "",
            line["name"], str(line["qty"]), yuan(line["price"]), yuan(sign * line["price"] * abs(line["qty"])),
            yuan(sign * line["discount"]), yuan(net(line)),
            yuan(receipt["rounding"]) if first and receipt["rounding"] else "",
            yuan(total(receipt)) if first else "", receipt["tender"] if first else "",
            receipt["card"] if first else "", receipt["original"] if first else "", receipt["memo"] if first else "",
        ])  # fmt: skip
    return rows


def _spoiled(layout: str, receipt: Receipt, rows: list[Row]) -> list[Row]:
    """Break the last row of a receipt that is planted to be bad."""
    kind, last = receipt["bad"], rows[-1]
    loyverse = layout == "loyverse"
    sku, name, quantity, amount = (4, 5, 8, 11) if loyverse else (5, 7, 8, 14)
    if kind == "sci":
        last[sku] = "6.90123E+12"
    elif kind == "date":
        last[0 if loyverse else 1] = "13/45/26 9:05 AM" if loyverse else "2026/13/45 9:05"
    elif kind == "number":
        last[quantity] = "两件"
    elif kind == "ragged":
        del last[-3:]
    elif kind == "quote":
        last[name] = '"12" 平板"'
        rows[-1] = [",".join(last)]
    elif kind == "total":
        rows[0][amount] = "0.01"
    return rows


def tender(rng: random.Random, amount: int) -> str:
    """Draw how a receipt is paid: one tender, or two with their amounts."""
    names = ("微信", "支付宝", "现金", "银行卡", "储值卡")
    if amount > 2000 and rng.random() < 0.2:
        first = rng.randrange(100, amount - 100)
        one, two = rng.sample(names, 2)
        return f"{one}:{yuan(first)};{two}:{yuan(amount - first)}"
    return rng.choice(names)

"""Layouts: which headers a till gives to the columns we know.

A layout is a table `canonical column -> header aliases`, matched after normalisation (`plain`).
Loyverse "Receipts by item": header as in seven public parsers, 2025-2026 (channels/pos_csv.md,
section 1.1, S3). Chinese tills name their columns freely; the preset `chinese` knows the usual
words (section 1.2) and a connection may add or replace aliases.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

COLUMNS: Final = (
    "receipt_no", "sold_at", "sold_time", "type", "status", "store", "terminal", "business_date",
    "cashier", "line_no", "sku", "barcode", "name", "spec", "unit", "quantity", "unit_price",
    "gross", "discount", "net", "tax", "receipt_discount", "rounding", "total", "tender", "change",
    "customer_no", "customer_name", "customer_phone", "original_no", "original_date", "comment",
)  # fmt: skip
"""Every column that means something to us, in the order of a parsed row's cells."""

REQUIRED: Final = ("receipt_no", "sold_at", "quantity")
PII: Final = frozenset({"customer_no", "customer_name", "customer_phone", "comment", "cashier"})
"""Columns whose cells are masked in reports and held rows."""

Aliases = Mapping[str, Sequence[str]]

LOYVERSE: Final[Aliases] = {
    "sold_at": ("Date",),
    "receipt_no": ("Receipt number",),
    "type": ("Receipt type",),
    "sku": ("SKU",),
    "name": ("Item",),
    "spec": ("Variant",),
    "quantity": ("Quantity",),
    "gross": ("Gross sales",),
    "discount": ("Discounts",),
    "net": ("Net sales",),
    "tax": ("Taxes",),
    "terminal": ("POS",),
    "store": ("Store",),
    "cashier": ("Cashier name",),
    "customer_name": ("Customer name",),
    "customer_phone": ("Customer contacts",),
    "comment": ("Comment",),
    "status": ("Status",),
}

CHINESE: Final[Aliases] = {
    "receipt_no": ("流水号", "小票号", "单号", "单据号", "销售单号"),
    "sold_at": ("销售时间", "交易时间", "时间", "日期", "销售日期"),
    "sold_time": ("销售时刻", "交易时刻"),
    "business_date": ("营业日", "营业日期"),
    "type": ("类型", "单据类型", "交易类型", "销售类型"),
    "status": ("状态", "单据状态"),
    "store": ("门店", "门店名称", "门店编号", "店铺", "分店"),
    "terminal": ("收银机", "收银机号", "款台", "机号", "POS机号"),
    "cashier": ("收银员", "营业员"),
    "line_no": ("行号", "序号"),
    "sku": ("商品编码", "货号", "商品编号", "编码", "SKU"),
    "barcode": ("商品条码", "条码", "国际条码"),
    "name": ("商品名称", "品名", "名称"),
    "spec": ("规格", "规格型号"),
    "unit": ("单位",),
    "quantity": ("数量", "销售数量"),
    "unit_price": ("单价", "原价", "售价", "零售价"),
    "gross": ("金额", "原价金额", "小计"),
    "discount": ("优惠", "优惠金额", "折扣金额", "让利"),
    "net": ("实收金额", "实收", "实付金额", "销售金额"),
    "tax": ("税额",),
    "receipt_discount": ("整单优惠", "整单折扣金额"),
    "rounding": ("抹零", "抹零金额"),
    "total": ("单据金额", "整单金额", "整单实收", "应收合计"),
    "tender": ("支付方式", "付款方式", "收款方式"),
    "change": ("找零",),
    "customer_no": ("会员卡号", "会员号", "会员编号"),
    "customer_name": ("会员姓名", "会员名称", "会员"),
    "customer_phone": ("会员手机", "手机号", "会员电话"),
    "original_no": ("原单号", "原流水号", "原小票号", "引单号"),
    "original_date": ("原单日期", "原销售日期"),
    "comment": ("备注",),
}

PRESETS: Final[Mapping[str, Aliases]] = {"loyverse": LOYVERSE, "chinese": CHINESE, "custom": {}}

# 销售 / 退货 / 换货 / 作废; Loyverse Sale, Refund; 思迅 sell_way A, B; Pospal SELL, SELL_RETURN
# (channels/pos_csv.md, sections 1.1, 1.2). Parked (挂单) and training receipts are no sales.
TYPES: Final[Mapping[str, str]] = {
    "sale": "sale", "销售": "sale", "零售": "sale", "正常": "sale", "a": "sale", "sell": "sale",
    "refund": "return", "return": "return", "退货": "return", "退款": "return", "b": "return",
    "sell_return": "return", "exchange": "exchange", "换货": "exchange",
    "void": "void", "作废": "void", "撤单": "void",
    "parked": "skip", "挂单": "skip", "training": "skip", "练习": "skip", "训练": "skip",
}  # fmt: skip

# Loyverse: Closed / Cancelled / Voided (section 1.1).
STATUSES: Final[Mapping[str, str]] = {
    "closed": "done", "completed": "done", "正常": "done", "已完成": "done", "完成": "done",
    "cancelled": "void", "canceled": "void", "voided": "void", "作废": "void", "已作废": "void",
    "已取消": "void", "parked": "skip", "挂单": "skip",
}  # fmt: skip

TENDERS: Final[Mapping[str, str]] = {
    "现金": "cash", "cash": "cash", "微信": "wechat", "微信支付": "wechat", "wechat": "wechat",
    "支付宝": "alipay", "alipay": "alipay", "银行卡": "card", "刷卡": "card", "银联": "card",
    "card": "card", "储值卡": "stored_value", "储值": "stored_value", "会员余额": "stored_value",
    "余额": "stored_value", "积分": "points", "礼品卡": "gift_card", "购物卡": "gift_card",
    "gift card": "gift_card",
}  # fmt: skip

# Units sold by weight or length are counted in thousandths; everything else in pieces.
MEASURED: Final = frozenset(
    {"kg", "g", "l", "ml", "m", "千克", "公斤", "斤", "克", "升", "米", "两"}
)


@lru_cache(maxsize=4096)
def plain(header: str) -> str:
    """Bring a header or a coded word into the form in which aliases are compared."""
    text = unicodedata.normalize("NFKC", header).replace("\ufeff", "").strip()
    for tail in ("(必填)", "(选填)"):
        text = text.removesuffix(tail)
    return " ".join(text.strip("*:： \t").lower().split())


def aliases(layout: str, extra: Aliases) -> dict[str, str]:
    """Return `normalised header -> canonical column`; a connection's own aliases replace the preset's."""
    table = {**PRESETS[layout], **extra}
    return {plain(alias): column for column, names in table.items() for alias in names}

"""The connection form of a POS folder: one JSON Schema, no secret in it.

Keys, defaults and limits: `channels/pos_csv.md`, section 8. Titles are given in English and Chinese.
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]


def _field(en: str, zh: str, **rules: Any) -> Schema:
    return {"title": {"en": en, "zh": zh}, **rules}


def _choice(en: str, zh: str, *options: str) -> Schema:
    return _field(en, zh, type="string", enum=list(options), default=options[0])


def _number(en: str, zh: str, default: float, *, minimum: float = 0) -> Schema:
    kind = "integer" if isinstance(default, int) else "number"
    return _field(en, zh, type=kind, minimum=minimum, default=default)


def _flag(en: str, zh: str, *, default: bool) -> Schema:
    return _field(en, zh, type="boolean", default=default)


def _words(en: str, zh: str, *meanings: str) -> Schema:
    return _field(
        en,
        zh,
        type="object",
        additionalProperties={"type": "string", "enum": list(meanings)},
        default={},
    )


FORM: Final[Schema] = {
    "type": "object",
    "required": ["path", "timezone", "currency", "stores"],
    "additionalProperties": False,
    "properties": {
        "path": _field("Folder with in/ and out/", "数据文件夹", type="string", minLength=1),
        "timezone": _field("Time zone of the stores", "门店时区", type="string", examples=["Asia/Shanghai"]),
        "currency": _field("Currency", "币种", type="string", pattern="^[A-Z]{3}$"),
        "stores": _field(
            "Stores", "门店", type="array", minItems=1,
            items={
                "type": "object", "required": ["code"], "additionalProperties": False,
                "properties": {
                    "code": _field("Code", "编号", type="string", pattern="^[A-Za-z0-9._-]{1,32}$"),
                    "name": _field("Name as in the file", "文件中的名称", type="string"),
                },
            },
        ),
        "layout": _choice("Layout", "文件格式", "loyverse", "chinese", "custom"),
        "columns": _field(
            "Columns: our name -> headers", "列对应", type="object",
            additionalProperties={"type": "array", "items": {"type": "string"}}, default={},
        ),
        "glob": _field("File names", "文件名", type="string", default="*.csv"),
        "name_pattern": _field(
            "What file names say (groups store, date)", "文件名含义", type="string", default="",
        ),
        "ready_mode": _choice("A file is ready when", "文件就绪方式", "marker", "rename", "stable"),
        "settle_seconds": _number("Unchanged for, seconds", "静默秒数", 30.0),
        "marker_grace_s": _number("Wait for the rest, seconds", "等待剩余部分秒数", 900.0),
        "encoding": _choice("Encoding", "编码", "auto", "utf-8", "gb18030", "utf-16", "big5", "cp1252"),
        "delimiter": _choice("Delimiter", "分隔符", "auto", ",", ";", "tab", "|"),
        "date_formats": _field(
            "Order of dates", "日期顺序", type="array",
            items={"type": "string", "enum": ["YMD", "DMY", "MDY"]}, default=[],
        ),
        "decimal": _choice("Decimal sign", "小数点", ".", ","),
        "thousands": _choice("Thousands sign", "千分位", ",", ".", "'", " "),
        "return_sign": _choice("Return rows", "退货行", "auto", "negative", "positive"),
        "rounding_sign": _choice("Rounding column", "抹零列", "reduces", "signed"),
        "type_map": _words("Receipt types", "类型对应", "sale", "return", "exchange", "void", "skip"),
        "status_map": _words("Receipt states", "状态对应", "done", "void", "skip"),
        "tender_map": _words(
            "Payment methods", "支付方式对应",
            "wechat", "alipay", "card", "cash", "stored_value", "points", "gift_card", "other",
        ),
        "tax_included": _flag("Prices include tax", "含税价", default=True),
        "day_starts_at": _field(
            "The business day starts at", "营业日起点", type="string",
            pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", default="00:00",
        ),
        "unique_receipt_no": _flag("Receipt numbers never repeat in a store", "流水号永不重复", default=False),
        "tolerance_minor": _number("Tolerance per line, minor units", "每行容差(分)", 0),
        "commit_every_receipts": _number("Receipts per page", "每页小票数", 500, minimum=1),
        "max_row_errors": _number("Bad rows before a file is refused", "坏行上限", 1000, minimum=1),
        "max_row_error_ratio": _number("Share of bad rows", "坏行比例上限", 0.02),
        "max_file_mb": _number("Largest file, MiB", "文件大小上限", 2048, minimum=1),
        "max_rows": _number("Most rows", "行数上限", 5_000_000, minimum=1),
        "max_files_per_run": _number("Files per run", "每轮文件数", 50, minimum=1),
        "max_age_days": _number("Remember files for, days", "文件记忆天数", 45, minimum=1),
        "on_duplicate_file": _choice("The same file again", "重复文件", "skip", "reprocess"),
        "out_encoding": _choice("Encoding of our files", "回写编码", "utf-8", "gbk", "gb18030"),
        "out_bom": _flag("Begin our files with a BOM", "回写带 BOM", default=False),
        "out_line_ending": _choice("Line ending of our files", "回写换行", "crlf", "lf"),
    },
}  # fmt: skip

DEFAULTS: Final[dict[str, Any]] = {
    name: rules["default"] for name, rules in FORM["properties"].items() if "default" in rules
}

"""Cells to values: decimal texts, dates and ids, with the damage spreadsheets do to them.

Rules: `channels/pos_csv.md`, sections 4 and 5. Everything is read from text; no float anywhere;
a digit that is lost stays lost (`EXCEL_SCI`). Results are cached because tills repeat themselves:
the same prices, quantities and codes stand in a million rows.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from connectors.pos_csv.errors import RowProblem
from hub.records.time import zone

NULLS: Final = frozenset({"", "null", "n/a", "-", "--", "—", "none", "无"})
_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_EXPONENT: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+", re.ASCII)
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_]*", re.ASCII)  # nothing a spreadsheet could have done
_SCI_ID: Final = re.compile(r"\d(?:\.\d+)?[eE]\+\d+", re.ASCII)
_FLOAT_ID: Final = re.compile(r"(\d+)\.0", re.ASCII)
_ERROR_CELL: Final = re.compile(r"#N/A|#REF!|#VALUE!|#NAME\?|#DIV/0!|#NULL!|#NUM!|#{3,}")
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE_ID: Final = re.compile(
    rf"\d{{1,2}}月\d{{1,2}}日|(?:{_MONTHS})-\d{{1,2}}|\d{{1,2}}-(?:{_MONTHS})|\d{{4}}/\d{{1,2}}/\d{{1,2}}",
    re.IGNORECASE | re.ASCII,
)
# A currency sign may stand before the number, also between sign and digits, or behind it.
_CURRENCY: Final = re.compile(r"[¥$€£\s]*([+-]?)[¥$€£\s]*(.*?)[¥$€£元\s]*")
_GUARDED: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


class Id(NamedTuple):
    """An id as text, and whether a spreadsheet's `.0` was taken off it."""

    text: str
    repaired: bool = False


@lru_cache(maxsize=16_384)
def number(cell: str, column: str, decimal: str = ".", thousands: str = ",") -> Decimal | None:
    """Read a decimal text; None for an empty or null cell. Raises `RowProblem`."""
    if _PLAIN.fullmatch(cell) and decimal == ".":
        return Decimal(cell)
    text = unicodedata.normalize("NFKC", cell).strip()
    if text.lower() in NULLS:
        return None
    if _EXPONENT.fullmatch(text):
        raise RowProblem("EXCEL_SCI", column, "a number in scientific notation has lost digits")
    if _ERROR_CELL.fullmatch(text):
        raise RowProblem("NUMBER", column, "a spreadsheet error stands where a number belongs")
    negative = text.startswith("(") and text.endswith(")")
    found = _CURRENCY.fullmatch((text[1:-1] if negative else text).replace("−", "-"))
    text = _ungrouped("".join(found.groups()) if found else text, decimal, thousands, column)
    if not _PLAIN.fullmatch(text):
        raise RowProblem("NUMBER", column, "not a number")
    value = Decimal(text)
    return -value if negative else value


def _ungrouped(text: str, decimal: str, thousands: str, column: str) -> str:
    whole, point, part = text.partition(decimal)
    if thousands in part:
        raise RowProblem("NUMBER", column, "a thousands sign after the decimal sign")
    first, *groups = whole.split(thousands)
    if groups and (any(len(g) != 3 for g in groups) or not 1 <= len(first.lstrip("+-")) <= 3):
        raise RowProblem("NUMBER", column, "thousands signs in the wrong places")
    return first + "".join(groups) + ("." if point else "") + part


@lru_cache(maxsize=16_384)
def minor(
    cell: str, column: str, exponent: int, decimal: str = ".", thousands: str = ","
) -> int | None:
    """Read an amount as minor units; more decimals than the currency has are `PRECISION`."""
    value = number(cell, column, decimal, thousands)
    return None if value is None else to_minor(value, column, exponent)


def to_minor(value: Decimal, column: str, exponent: int) -> int:
    """Scale to minor units exactly or raise `PRECISION`."""
    scaled = value.scaleb(exponent)
    whole = int(scaled)
    if whole != scaled:
        raise RowProblem("PRECISION", column, f"more than {exponent} decimals")
    return whole


@lru_cache(maxsize=16_384)
def money(amount: int, exponent: int) -> str:
    """Write minor units as a decimal text in whole units."""
    if not exponent:
        return str(amount)
    whole, part = divmod(abs(amount), 10**exponent)
    return f"{'-' if amount < 0 else ''}{whole}.{part:0{exponent}d}"


@lru_cache(maxsize=16_384)
def id_text(cell: str, column: str) -> Id:
    """Read an id or code: one Excel guard is taken off, damage is refused, the rest stays as it is."""
    if _PLAIN_ID.fullmatch(cell):
        return Id(cell)
    text = cell.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1]
    elif text.startswith("'"):
        text = text[1:]
    text = unicodedata.normalize("NFKC", text).strip()
    if _SCI_ID.fullmatch(text):
        raise RowProblem("EXCEL_SCI", column, "a code in scientific notation has lost digits")
    if _DATE_ID.fullmatch(text) or _ERROR_CELL.fullmatch(text):
        raise RowProblem(
            "EXCEL_NUM", column, "a spreadsheet has turned this code into something else"
        )
    tail = _FLOAT_ID.fullmatch(text)
    return Id(tail[1], repaired=True) if tail else Id(text)


def guarded(text: str) -> str:
    """Guard a text cell so that no spreadsheet runs it as a formula; `unguarded` takes it off again."""
    return f"'{text}" if _GUARDED.match(text) else text


def unguarded(text: str) -> str:
    """Take off the apostrophe of `guarded`: for every text the way out and in is the identity."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


@lru_cache(maxsize=4096)
def gtin_is_wrong(code: str) -> bool:
    """Tell whether a 13-digit retail code has a wrong check digit (GS1 mod 10, weights 1 and 3)."""
    if len(code) != 13 or not code.isdecimal() or code[0] == "2" or code.startswith("02"):
        return False
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(code[:12]))
    return (10 - total % 10) % 10 != int(code[12])


_DATE: Final = re.compile(
    r"(?P<a>\d{1,4})[-/.年](?P<b>\d{1,2})[-/.月](?P<c>\d{1,4})日?"
    r"(?:[ T]*(?P<pre>上午|下午|am|pm)?\s*(?P<h>\d{1,2})[:时](?P<m>\d{2})(?:[:分](?P<s>\d{2})(?:\.\d+)?秒?)?"
    r"\s*(?P<post>上午|下午|am|pm)?)?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT: Final = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:[ T]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?", re.ASCII
)
_WEEKDAY: Final = re.compile(
    r"\s*[(（]?(?:星期|周|礼拜)[一二三四五六日天][)）]?\s*|\s*\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b,?\s*",
    re.IGNORECASE,
)


def date_parts(cell: str) -> tuple[int, int, str, str] | None:
    """Return the three leading numbers' (first, second) and their texts, for deciding D/M against M/D."""
    match = _DATE.match(unicodedata.normalize("NFKC", _WEEKDAY.sub(" ", cell)).strip())
    if not match:
        return None
    return int(match["a"]), int(match["b"]), match["a"], match["c"]


@lru_cache(maxsize=16_384)
def local_time(cell: str, order: str) -> str:
    """Read a date with or without a time as `YYYY-MM-DD HH:MM:SS` wall time. Raises `RowProblem`.

    `order` (`DMY` or `MDY`) is only asked when the date does not begin with a four-digit year.
    """
    if len(cell) in (16, 19) and cell[4] == "-" and cell[10] == " ":
        try:
            return datetime.fromisoformat(cell).strftime("%Y-%m-%d %H:%M:%S")
        except ValueError:
            pass
    text = _WEEKDAY.sub(" ", unicodedata.normalize("NFKC", cell)).strip()
    try:
        moment = _compact(text) or _written(text, order)
    except ValueError as error:
        raise RowProblem("DATE", "sold_at", "no such date or time") from error
    if moment is None:
        raise RowProblem("DATE", "sold_at", "not a date in a known form")
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _compact(text: str) -> datetime | None:
    match = _COMPACT.fullmatch(text)
    if not match:
        return None
    year, month, day, *clock = match.groups()
    hour, minute, second = (int(part or 0) for part in clock)
    return datetime(int(year), int(month), int(day), hour, minute, second)  # noqa: DTZ001 - wall time; the zone comes from the form - wall time


def _written(text: str, order: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if not match:
        return None
    first, second, third = match["a"], int(match["b"]), match["c"]
    if len(first) == 4:
        year, month, day = int(first), second, int(third)
    elif order in ("DMY", "MDY"):
        year = int(third) + (2000 if len(third) <= 2 else 0)
        day, month = (int(first), second) if order == "DMY" else (second, int(first))
    elif len(third) <= 2:
        year, month, day = 2000 + int(first), second, int(third)
    else:
        return None
    hour = _hour(int(match["h"] or 0), (match["pre"] or match["post"] or "").lower())
    return datetime(year, month, day, hour, int(match["m"] or 0), int(match["s"] or 0))  # noqa: DTZ001 - wall time; the zone comes from the form


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    if hour > 12:
        raise ValueError("hour of a twelve-hour clock")
    return hour % 12 + (12 if half in ("pm", "下午") else 0)


@lru_cache(maxsize=4096)
def business_date(local: str, day_starts: str) -> str:
    """Return the business day of a wall time: before `day_starts` it is still yesterday's."""
    if day_starts == "00:00" or local[11:16] >= day_starts:
        return local[:10]
    return (date.fromisoformat(local[:10]) - timedelta(days=1)).isoformat()


@lru_cache(maxsize=4096)
def clock_is_doubtful(local: str, zone_name: str) -> bool:
    """Tell whether a clock change repeats or skips this wall time (the earlier instant is taken)."""
    moment = datetime.fromisoformat(local).replace(tzinfo=zone(zone_name))
    return moment.utcoffset() != moment.replace(fold=1).utcoffset()

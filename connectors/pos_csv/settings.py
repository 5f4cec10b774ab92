"""The connection form, read once into plain values: every rule of parsing is a field here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from connectors.pos_csv.form import DEFAULTS
from connectors.pos_csv.layouts import COLUMNS, STATUSES, TENDERS, TYPES, aliases, plain
from hub.errors import ConfigError
from hub.records.money import exponent
from hub.records.time import zone

ReadyMode = Literal["marker", "rename", "stable"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the form says, checked. Maps are keyed by the normalised word (`layouts.plain`)."""

    path: str
    timezone: str
    currency: str
    exponent: int
    stores: Mapping[str, str]
    """Normalised code or name -> store code."""
    only_store: str | None
    """The store of a file that names none, when the connection has exactly one."""
    aliases: Mapping[str, str]
    types: Mapping[str, str]
    statuses: Mapping[str, str]
    tenders: Mapping[str, str]
    glob: str
    name_pattern: re.Pattern[str] | None
    ready_mode: ReadyMode
    settle_s: float
    marker_grace_s: float
    encoding: str
    delimiter: str
    date_formats: tuple[str, ...]
    decimal: str
    thousands: str
    return_sign: str
    rounding_sign: str
    tax_included: bool
    day_starts: str
    unique_receipt_no: bool
    tolerance_minor: int
    page: int
    max_row_errors: int
    max_row_error_ratio: float
    max_file_bytes: int
    max_rows: int
    max_files: int
    max_age_days: int
    reprocess: bool
    out: Out


@dataclass(frozen=True, slots=True)
class Out:
    """How files for the till are written."""

    encoding: str = "utf-8"
    bom: bool = False
    newline: str = "\r\n"
    stores: Mapping[str, str] = field(default_factory=dict)
    """Code -> name of every store of the connection."""


def settings(form: Mapping[str, Any]) -> Settings:
    """Read a filled-in form. Raises `ConfigError` that names the field and what is allowed."""
    f = {**DEFAULTS, **form}
    for key in ("path", "timezone", "currency", "stores"):
        if not f.get(key):
            raise ConfigError(f"The POS connection needs {key!r}.", key=key)
    _check(f)
    stores = {
        plain(str(s[k])): str(s["code"]) for s in f["stores"] for k in ("name", "code") if s.get(k)
    }
    codes = [str(s["code"]) for s in f["stores"]]
    return Settings(
        path=f["path"], timezone=f["timezone"], currency=f["currency"],
        exponent=exponent(f["currency"]), stores=stores,
        only_store=codes[0] if len(codes) == 1 else None,
        aliases=aliases(f["layout"], f["columns"]),
        types={**TYPES, **_words(f["type_map"])},
        statuses={**STATUSES, **_words(f["status_map"])},
        tenders={**TENDERS, **_words(f["tender_map"])},
        glob=f["glob"],
        name_pattern=_pattern(f["name_pattern"]),
        ready_mode=cast("ReadyMode", f["ready_mode"]), settle_s=float(f["settle_seconds"]),
        marker_grace_s=float(f["marker_grace_s"]), encoding=f["encoding"],
        delimiter={"tab": "\t"}.get(f["delimiter"], f["delimiter"]),
        date_formats=tuple(f["date_formats"]), decimal=f["decimal"], thousands=f["thousands"],
        return_sign=f["return_sign"],
        rounding_sign=f["rounding_sign"], tax_included=bool(f["tax_included"]),
        day_starts=f["day_starts_at"], unique_receipt_no=bool(f["unique_receipt_no"]),
        tolerance_minor=int(f["tolerance_minor"]), page=int(f["commit_every_receipts"]),
        max_row_errors=int(f["max_row_errors"]),
        max_row_error_ratio=float(f["max_row_error_ratio"]),
        max_file_bytes=int(f["max_file_mb"]) * 1_048_576, max_rows=int(f["max_rows"]),
        max_files=int(f["max_files_per_run"]), max_age_days=int(f["max_age_days"]),
        reprocess=f["on_duplicate_file"] == "reprocess",
        out=Out(f["out_encoding"], bool(f["out_bom"]),
                "\n" if f["out_line_ending"] == "lf" else "\r\n",
                {str(s["code"]): str(s.get("name") or s["code"]) for s in f["stores"]}),
    )  # fmt: skip


def _words(table: Mapping[str, str]) -> dict[str, str]:
    return {plain(word): meaning for word, meaning in table.items()}


def _pattern(text: str) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigError(
            f"name_pattern is not a regular expression: {error}.", key="name_pattern"
        ) from error


def _check(f: Mapping[str, Any]) -> None:
    try:
        zone(f["timezone"])
    except ValueError as error:
        raise ConfigError(f"timezone: {error}.", key="timezone") from error
    unknown = sorted(set(f["columns"]) - set(COLUMNS))
    if unknown:
        raise ConfigError(f"columns: {unknown[0]!r} is no column.", key="columns", known=COLUMNS)
    if f["layout"] == "custom" and not f["columns"]:
        raise ConfigError("The layout 'custom' needs 'columns'.", key="columns", known=COLUMNS)
    if f["decimal"] == f["thousands"]:
        raise ConfigError("decimal and thousands cannot be the same sign.", key="thousands")
    codes = [s.get("code") for s in f["stores"]]
    if len(set(codes)) != len(codes) or not all(codes):
        raise ConfigError("Every store needs a code of its own.", key="stores")

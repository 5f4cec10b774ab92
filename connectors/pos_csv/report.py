"""The row report a clerk reads: what was wrong with which row, and the rows to fix and drop in again.

Three files beside the archived one: `X.errors.csv` (UTF-8 with BOM, CRLF, opens in a spreadsheet),
`X.errors.json` (counts by code), `X.rejected.csv` (the rows of every held receipt, untouched, in the
file's own encoding and columns). Format: `channels/pos_csv.md`, section 9.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.pos_csv.dialect import Plan
from connectors.pos_csv.errors import FIX, Code, FileProblem, RowProblem
from connectors.pos_csv.layouts import PII
from connectors.pos_csv.rows import Record
from connectors.pos_csv.values import guarded

HEADER: Final = (
    "row_no", "physical_line", "receipt_no", "line_no", "severity", "code", "column",
    "value_masked", "message", "action",
)  # fmt: skip
_LONGEST: Final = 60


def masked(value: str, column: str) -> str:
    """Show a cell in a report: personal columns and broken lines only by their length."""
    if column in PII or column == "row":
        return f"text of {len(value)} characters" if value else ""
    shown = "".join(c if c.isprintable() else " " for c in value)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"


@dataclass(slots=True)
class Report:
    """Collects findings of one file. Bounded: past `most` errors the file is refused."""

    most: int
    most_ratio: float
    entries: list[tuple[str, ...]] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)
    errors: int = 0

    def error(
        self, record: Record, row_no: int, problem: RowProblem, *, receipt: str, value: str = ""
    ) -> None:
        """Note a row that cannot be used."""
        self.errors += 1
        self._add(record, row_no, problem, receipt, value, "error", "rejected")

    def warning(
        self, record: Record, row_no: int, problem: RowProblem, *, receipt: str, value: str = "",
        action: str = "ignored",
    ) -> None:  # fmt: skip
        """Note something odd about a row that is used all the same."""
        self._add(record, row_no, problem, receipt, value, "warning", action)

    def reject(self, raw: str) -> None:
        """Keep a row of a held receipt for the file to fix."""
        self.rejected.append(raw if raw.endswith(("\n", "\r")) else raw + "\r\n")

    def refuse_if_hopeless(self, rows: int) -> None:
        """Raise `TOO_MANY_ERRORS` past the limits; the share counts from the twentieth error on."""
        if self.errors > self.most or (self.errors >= 20 and self.errors > self.most_ratio * rows):
            raise FileProblem("TOO_MANY_ERRORS", f"{self.errors} bad rows among {rows}")

    def _add(
        self, record: Record, row_no: int, problem: RowProblem, receipt: str, value: str,
        severity: str, action: str,
    ) -> None:  # fmt: skip
        self.codes[f"{severity}:{problem.code}"] += 1
        if len(self.entries) < self.most:
            self.entries.append((
                str(row_no), str(record.line), masked(receipt, "receipt_no"), "", severity, problem.code,
                problem.column, masked(value, problem.column), problem.why, action,
            ))  # fmt: skip

    def errors_csv(self) -> bytes:
        """Write the report for a person."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(HEADER)
        for entry in self.entries:
            writer.writerow([guarded(cell) for cell in entry])
        total = sum(self.codes.values())
        summary = (
            f"{self.errors} errors, {total - self.errors} warnings, {len(self.entries)} listed"
        )
        writer.writerow(["", "", "", "", "summary", "", "", "", summary, ""])
        return out.getvalue().encode("utf-8-sig")

    def errors_json(self, **facts: Any) -> bytes:
        """Write the counts for a program."""
        found = {code.partition(":")[2] for code in self.codes}
        advice = {code: FIX[code] for code in sorted(found) if code in FIX}
        return dump(
            {
                "errors": self.errors,
                "codes": dict(sorted(self.codes.items())),
                "advice": advice,
                **facts,
            }
        )

    def rejected_csv(self, plan: Plan) -> bytes:
        """Write the held rows as they came, under their own header."""
        head = plan.header.raw
        text = head if head.endswith(("\n", "\r")) else head + "\r\n"
        return (text + "".join(self.rejected)).encode(plan.encoding)


def dump(value: Any) -> bytes:
    """Write JSON for a sidecar file."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def file_error(code: Code, why: str) -> bytes:
    """Write the one-line report of a file that was refused before any row was read."""
    return dump(
        {
            "errors": 1,
            "codes": {f"error:{code}": 1},
            "why": why,
            "advice": {code: FIX.get(code, "")},
        }
    )

"""What can be wrong with a till's file or with one of its rows, by the codes of the row report.

FileProblem    the file as a whole cannot be used   -> quarantine/<code>/, nothing of it is taken
RowProblem     one row cannot be used               -> its receipt is held, the others go on

Codes: `channels/pos_csv.md`, section 9. No message carries a cell's text: reports mask values.
"""

from __future__ import annotations

from typing import Final, Literal

Code = Literal[
    "ENCODING", "DIALECT", "HEADER_MISSING", "HEADER_DUP", "RAGGED", "QUOTE", "NUL", "REQUIRED",
    "NUMBER", "PRECISION", "DATE", "DATE_AMBIGUOUS", "GTIN_CHECK", "EXCEL_SCI", "EXCEL_15DIGIT",
    "EXCEL_NUM", "DUP_LINE", "HEADER_CONFLICT", "TOTAL_MISMATCH", "TENDER_MISMATCH",
    "STORE_UNKNOWN", "FUTURE_DATE", "INCOMPLETE", "CHANGED_WHILE_READING", "UNSUPPORTED",
    "TOO_MANY_ERRORS", "SPLIT_RECEIPT",
]  # fmt: skip

FIX: Final[dict[str, str]] = {
    "ENCODING": "Save the file as UTF-8 or GB18030, or name its encoding in the connection form.",
    "HEADER_MISSING": "Check the layout and the column names in the connection form.",
    "DATE_AMBIGUOUS": "Say in the connection form whether dates are DMY or MDY.",
    "EXCEL_SCI": "Export again with codes as text: a spreadsheet has lost digits of this code.",
    "TOTAL_MISMATCH": "Check which columns hold discounts, rounding and totals.",
    "TENDER_MISMATCH": "Check the tender amounts against the receipt's total.",
    "STORE_UNKNOWN": "Add the store to the connection form.",
    "INCOMPLETE": "The writer stopped half-way: have the till write the file again.",
    "TOO_MANY_ERRORS": "Look at the row report; most likely the layout does not fit this file.",
    "UNSUPPORTED": "Export as CSV text; workbooks, archives and web pages are not read.",
}


class FileProblem(Exception):  # noqa: N818 - a finding about a file, not a failure of ours
    """The whole file cannot be used; `partial` means that it may only be unfinished."""

    def __init__(self, code: Code, why: str, *, partial: bool = False) -> None:
        super().__init__(f"{code}: {why}")
        self.code: Code = code
        self.why = why
        self.partial = partial


class RowProblem(Exception):  # noqa: N818 - a finding about a row, not a failure of ours
    """One row or one receipt cannot be used. `column` is the canonical name of the cell."""

    def __init__(self, code: Code, column: str, why: str) -> None:
        super().__init__(f"{code}: {column}: {why}")
        self.code: Code = code
        self.column = column
        self.why = why

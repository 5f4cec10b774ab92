"""Bytes to text: which encoding a file has, decided by decoding all of it strictly.

Rules: `channels/pos_csv.md`, section 3. UTF-8 is tried first (half of all short Chinese UTF-8
texts decode as GB18030 without an error, the reverse is rare); GBK is read as its superset
GB18030; nothing is ever replaced, since a replaced byte in a code is a wrong code.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.pos_csv.errors import FileProblem

_CHUNK: Final = 1 << 20
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What a spreadsheet calls CSV but is not: zip (xlsx), OLE (xls), web page, gzip.
_MAGIC: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")
_PAGES: Final = (b"<html", b"<!doc", b"<?xml", b"<table", b"<meta")


@dataclass(frozen=True, slots=True)
class Trial:
    """How far a file decodes: `broken_at` is the byte offset of the first bad byte, None if all is good."""

    broken_at: int | None = None
    cut_tail: bool = False
    """The only fault is a character that the end of the file cuts in two."""
    beyond_ascii: bool = False


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def candidates(path: Path, pinned: str) -> list[str]:
    """Return the encodings a file may be read in, best first; the header decides among them.

    Raises `FileProblem`: `UNSUPPORTED` for workbooks and pages, `ENCODING` when nothing fits,
    `INCOMPLETE` (partial) when only the last character is cut.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    _refuse_other_formats(head)
    if pinned != "auto":
        return [_pinned(path, pinned)]
    if head.startswith(codecs.BOM_UTF8):
        return [_strict(path, "utf-8-sig")]
    if head.startswith(_UTF16):
        return [_strict(path, "utf-16")]
    utf8 = attempt(path, "utf-8")
    if utf8.broken_at is None:
        return ["utf-8", "gb18030"] if utf8.beyond_ascii else ["utf-8"]
    if utf8.cut_tail and utf8.beyond_ascii:
        raise _cut("utf-8")
    chinese = attempt(path, "gb18030")
    if chinese.broken_at is None:
        return ["gb18030"]
    if chinese.cut_tail:
        raise _cut("gb18030")
    raise FileProblem(
        "ENCODING",
        f"neither UTF-8 (byte {utf8.broken_at}) nor GB18030 (byte {chinese.broken_at})",
    )


def attempt(path: Path, encoding: str) -> Trial:
    """Decode the whole file strictly in constant memory."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset, beyond = 0, False
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                good = chunk[: max(error.start - held, 0)]
                return Trial(offset - held + error.start, beyond_ascii=beyond or not good.isascii())
            beyond = beyond or not text.isascii()
            offset += len(chunk)
    held = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return Trial(offset - held, cut_tail=True, beyond_ascii=beyond)
    return Trial(beyond_ascii=beyond)


def _pinned(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        has_bom = file.read(3) == codecs.BOM_UTF8
    return _strict(path, "utf-8-sig" if encoding == "utf-8" and has_bom else encoding)


def _strict(path: Path, encoding: str) -> str:
    trial = attempt(path, encoding)
    if trial.cut_tail:
        raise _cut(encoding)
    if trial.broken_at is not None:
        raise FileProblem("ENCODING", f"not {encoding}: bad byte at offset {trial.broken_at}")
    return encoding


def _cut(encoding: str) -> FileProblem:
    return FileProblem("INCOMPLETE", f"the last {encoding} character is cut in two", partial=True)


def _refuse_other_formats(head: bytes) -> None:
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if head.startswith(_MAGIC) or start.startswith(_PAGES):
        raise FileProblem(
            "UNSUPPORTED", "the content is a workbook, an archive or a web page, not CSV text"
        )

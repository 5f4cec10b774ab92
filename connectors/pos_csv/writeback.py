"""Stock files for the till: absolute figures, one file per store and push, in `out/`.

    out/stock_<store>_<yyyyMMddHHmmss>_<seq>.csv        seq, store_code, sku, barcode, …
    out/….csv.done                                      {"rows", "sha256", "seq"}

`seq` grows strictly per store: it is reserved in `out/.seq_<store>.json` before the file is
written, so a crash leaves a gap and never a number twice. Cells are guarded against being run as
formulas, numbers stay numbers (channels/pos_csv.md, section 10). A character the till's encoding
lacks is refused for that row, never replaced.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from connectors.pos_csv.settings import Out
from connectors.pos_csv.values import guarded
from hub.errors import Rejected
from hub.records.quantity import to_steps
from hub.sdk import Change, Document, Folder, Outcome

HEADER: Final = (
    "seq", "store_code", "sku", "barcode", "qty_available", "qty_on_hand", "safety_stock", "unit", "as_of",
)  # fmt: skip
_NUMBER: Final = re.compile(r"-?\d{1,19}(?:\.\d{1,4})?", re.ASCII)
_SEQ: Final = re.compile(r"_(\d+)\.csv(?:\.done)?$", re.ASCII)
_FIGURES: Final = {
    "available": "qty_available",
    "on_hand": "qty_on_hand",
    "safety_stock": "safety_stock",
}
_TEXTS: Final = ("sku", "barcode", "unit")


class StockFiles:
    """Writes the stock files of one connection."""

    def __init__(self, folder: Folder, out: Out) -> None:
        self._folder, self._out = folder, out

    async def write(self, changes: Sequence[Change], at: datetime) -> list[Outcome]:
        """Write one file per store; answer every change once, in the given order of stores."""
        outcomes: list[Outcome] = []
        stores: dict[str, list[Change]] = {}
        for change in changes:
            error = self._refused(change.document)
            if error is None:
                stores.setdefault(str(change.document["store"]), []).append(change)
            else:
                outcomes.append(Outcome(change.key, error=error))
        for store, wanted in sorted(stores.items()):
            await self._store(store, wanted, at)
            outcomes += [Outcome(c.key, observed=_observed(c.document)) for c in wanted]
        return outcomes

    def _refused(self, document: Document) -> Rejected | None:
        store = document.get("store")
        if store not in self._out.stores:
            return Rejected("The till's connection has no such store.", code="STORE_UNKNOWN")
        if not document.get("sku"):
            return Rejected("A stock figure without a SKU.", code="REQUIRED")
        for name in _FIGURES.values():
            value = document.get(name)
            needed = name == "qty_available"
            if (value is None and needed) or (
                value is not None and not _NUMBER.fullmatch(str(value))
            ):
                return Rejected(f"{name} is not a number.", code="NUMBER")
        for name in _TEXTS:
            try:
                str(document.get(name) or "").encode(self._out.encoding)
            except UnicodeEncodeError as error:
                why = f"{name} has a character that {self._out.encoding} lacks (position {error.start})."
                return Rejected(
                    why, code="ENCODING", hint="Rename it, or let the till read GB18030."
                )
        return None

    async def _store(self, store: str, changes: Sequence[Change], at: datetime) -> None:
        seq = await self._reserve(store)
        name = f"out/stock_{store}_{at.astimezone(UTC):%Y%m%d%H%M%S}_{seq:06d}.csv"
        content = self._content(store, seq, changes, at)
        with self._folder.write(name) as file:
            file.write(content)
        told = {"rows": len(changes), "sha256": hashlib.sha256(content).hexdigest(), "seq": seq}
        with self._folder.write(f"{name}.done") as file:
            file.write(json.dumps(told).encode())

    async def _reserve(self, store: str) -> int:
        state = f"out/.seq_{store}.json"
        last = 0
        if await self._folder.stat(state) is not None:
            last = int(json.loads((await self._folder.fetch(state)).read_bytes())["seq"])
        for entry in await self._folder.list(f"out/stock_{store}_*"):
            found = _SEQ.search(entry.name)
            last = max(last, int(found[1]) if found else 0)
        with self._folder.write(state) as file:
            file.write(json.dumps({"seq": last + 1}).encode())
        return last + 1

    def _content(self, store: str, seq: int, changes: Sequence[Change], at: datetime) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=self._out.newline)
        writer.writerow(HEADER)
        stamp = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
        for change in changes:
            d = change.document
            writer.writerow([
                seq, store, guarded(str(d["sku"])), guarded(str(d.get("barcode") or "")),
                *(_figure(d.get(name)) for name in _FIGURES.values()),
                guarded(str(d.get("unit") or "")), d.get("as_of") or stamp,
            ])  # fmt: skip
        bom = "\ufeff" if self._out.bom and self._out.encoding != "gbk" else ""
        return (bom + text.getvalue()).encode(self._out.encoding)


def _figure(value: Any) -> str:
    return "" if value is None else str(value)


def _observed(document: Document) -> Mapping[str, int]:
    scale = int(document.get("scale") or 0)
    return {
        field: to_steps(str(document[name]), scale)
        for field, name in _FIGURES.items()
        if document.get(name) is not None
    }

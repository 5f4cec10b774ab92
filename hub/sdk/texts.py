"""Documents handed over as the JSON text they came in, and decoded one at a time.

A page of decoded documents is many times the size of its text. A connector that leaves them as
text lets the engine decode, hash and map one while it is at hand, and forget it before the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

import msgspec

from hub.errors import ContractBroken
from hub.sdk.contract import Document

_DECODE = msgspec.json.Decoder(float_hook=str).decode


def decode(text: bytes | msgspec.Raw) -> Any:
    """Decode JSON as the HTTP kit does: a number with a fraction or exponent comes as its text.

    Raises `ContractBroken` for what is no JSON.
    """
    try:
        return _DECODE(text)
    except RecursionError:
        raise ContractBroken("A document is nested too deep.", code="too_deep") from None
    except (msgspec.MsgspecError, ValueError):
        raise ContractBroken("A document is not JSON.", code="not_json") from None


class Texts(Sequence[Document]):
    """A page's documents, some or all of them still text.

    Asking for one decodes it and applies `finish`; asking twice decodes twice. A text that is no
    JSON raises `ContractBroken` when it is asked for: that record is held, the others go on.
    """

    def __init__(
        self,
        items: Sequence[bytes | msgspec.Raw | Document],
        finish: Callable[[Document], Document],
    ) -> None:
        self.items, self.finish = items, finish

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, at: int) -> Document: ...

    @overload
    def __getitem__(self, at: slice) -> Texts: ...

    def __getitem__(self, at: int | slice) -> Document | Texts:
        """Return a document, decoded and finished, or some of them as they are."""
        if isinstance(at, slice):
            return Texts(self.items[at], self.finish)
        item = self.items[at]
        if isinstance(item, bytes | msgspec.Raw):
            return self.finish(decode(item))
        return item

    def text(self, at: int) -> bytes:
        """Return the text of a document that does not decode."""
        item = self.items[at]
        return bytes(item) if isinstance(item, bytes | msgspec.Raw) else b""


def joined(parts: Sequence[Sequence[Document]]) -> Sequence[Document]:
    """Return the documents of several pages, in order; texts stay texts where one function finishes them."""
    texts = [part for part in parts if isinstance(part, Texts)]
    if len(texts) == len(parts) and all(part.finish == texts[0].finish for part in texts):
        return Texts([item for part in texts for item in part.items], texts[0].finish)
    return [document for part in parts for document in part]

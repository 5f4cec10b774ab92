"""The cyclic collector, kept off while big trees without cycles are made."""

from __future__ import annotations

import gc
import threading


class Quiet:
    """Keeps the cyclic collector off while any page is decoded, mapped or applied, on any thread.

    Decoded documents and rows hold no cycles, and walking them over and over costs more than
    mapping them (performance sheet). Counted, because several walks and threads share one collector.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0

    def __enter__(self) -> None:
        """Switch it off with the first to come."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                gc.disable()

    def __exit__(self, *_error: object) -> None:
        """Switch it on with the last to go."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                gc.enable()


QUIET = Quiet()

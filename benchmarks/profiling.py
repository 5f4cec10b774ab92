"""Processor time of a pull by function, over the loop and the worker threads together.

Each thread's own processor clock is the timer, so waiting for a lock, the disk or the network
costs nothing here, and neither does what else the machine is doing.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hub.db.engine import Database
from hub.sync import pull

_LINES = 90


@contextmanager
def profiled() -> Iterator[None]:
    """Profile the block; prints to stderr by own time, then by time with callees."""
    mine, found = threading.local(), list[cProfile.Profile]()

    def watched(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if getattr(mine, "is_inside", False):
                return work(*args, **kwargs)
            if not hasattr(mine, "profile"):
                mine.profile = cProfile.Profile(time.thread_time)
                found.append(mine.profile)
            mine.is_inside = True
            try:
                return mine.profile.runcall(work, *args, **kwargs)
            finally:
                mine.is_inside = False

        return run

    places: list[tuple[Any, str]] = [(Database, "_write"), (Database, "_read"), (pull, "_quietly")]
    before = [getattr(owner, name) for owner, name in places]
    for (owner, name), work in zip(places, before, strict=True):
        setattr(owner, name, watched(work))
    loop = cProfile.Profile(time.thread_time)
    loop.enable()
    try:
        yield
    finally:
        loop.disable()
        for (owner, name), work in zip(places, before, strict=True):
            setattr(owner, name, work)
        stats = pstats.Stats(loop, *found, stream=sys.stderr)
        stats.sort_stats("tottime").print_stats(_LINES)
        stats.sort_stats("cumtime").print_stats(_LINES)

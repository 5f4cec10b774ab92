"""The collector stays off as long as anyone needs it off, whatever the order of leaving."""

from __future__ import annotations

import gc

from hub.sdk.quiet import Quiet


def test_the_collector_comes_back_only_with_the_last_to_leave() -> None:
    quiet = Quiet()
    first, second = quiet, quiet

    first.__enter__()
    second.__enter__()
    first.__exit__()
    still_off = gc.isenabled()
    second.__exit__()

    assert still_off is False
    assert gc.isenabled() is True

"""When work runs: one question to the database (what is due), one runner, a clock that only wakes it."""

from hub.jobs.local import Clock
from hub.jobs.runner import Runner

__all__ = ["Clock", "Runner"]

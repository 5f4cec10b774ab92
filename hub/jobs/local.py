"""The clock of one process: APScheduler wakes the runner, and decides nothing.

APScheduler 3 drops a job that is a second late by default and may run one beside itself; the
settings below say what we want instead. Its own store stays in memory: the truth is the
`schedule` table.
"""

from __future__ import annotations

import logging

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from hub.jobs.runner import Runner


class Clock:
    """Ticks a runner every `tick_s` seconds until it is stopped."""

    def __init__(self, runner: Runner, *, tick_s: float = 1.0) -> None:
        self.runner = runner
        self._scheduler = AsyncIOScheduler()
        # A tick skipped because the last one still asks the database is what max_instances=1 wants.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.add_job(
            runner.tick,
            "interval",
            seconds=tick_s,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    def start(self) -> None:
        """Start ticking."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Stop ticking and let what runs end."""
        self._scheduler.shutdown(wait=False)
        await self.runner.stop()

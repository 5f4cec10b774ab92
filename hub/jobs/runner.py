"""The runner: asks what is due, runs it under its lock, writes down how it ended and when it comes again.

The last line before a person: here every error ends up, and no exception but the error family
and a bug comes out. A bug is logged without values and treated like `Retry`.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.db import Connection, alerts, connections, flows, leases
from hub.db.connections import ConnectionInfo
from hub.db.flows import Due
from hub.errors import HubError
from hub.jobs.due import ready
from hub.log import get_logger
from hub.records.ids import new_id
from hub.records.time import to_text
from hub.sync import connect, health
from hub.sync.engine import Engine
from hub.sync.pull import pull
from hub.sync.push import push
from hub.sync.reconcile import reconcile
from hub.sync.release import retry_missing

LEASE_S = 60.0
GRACE_S = 20.0

log = get_logger()


@dataclass(slots=True)
class Stats:
    """What the runner did since it started."""

    runs: int = 0
    failures: int = 0


class Runner:
    """Runs due flows, each at most once at a time, at most `max_flows` together."""

    def __init__(
        self, engine: Engine, *, max_flows: int = 8, rng: random.Random | None = None
    ) -> None:
        self.engine = engine
        self.stats = Stats()
        self.holder = f"{os.getpid()}-{new_id('job')}"
        self._slots = asyncio.Semaphore(max_flows)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._is_stopping = False
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs right now."""
        return not self._running

    async def tick(self) -> int:
        """Start what is due and not running; returns how many were started."""
        if self._is_stopping:
            return 0
        found = await self.engine.db.read(ready, to_text(self.engine.now()))
        started = 0
        for run in found:
            if run.lock in self._running or self._slots.locked():
                continue
            self._running[run.lock] = asyncio.create_task(self._guarded(run))
            started += 1
        return started

    async def settle(self) -> None:
        """Wait until what runs now has ended."""
        while self._running:
            await asyncio.gather(*list(self._running.values()), return_exceptions=True)

    async def stop(self) -> None:
        """Claim nothing more, give what runs `GRACE_S` to end, then cancel it: a page is whole or not there."""
        self._is_stopping = True
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=GRACE_S)
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*list(self._running.values()), return_exceptions=True)

    async def _guarded(self, run: Due) -> None:
        try:
            async with self._slots:
                await self._leased(run)
        except Exception as error:
            log.error(
                "run.broke",
                kind=run.flow.kind,
                verb=run.verb,
                error=type(error).__name__,
                exc_info=True,
            )
        finally:
            self._running.pop(run.lock, None)

    async def _leased(self, run: Due) -> None:
        if self.engine.db.is_sqlite:
            await self.run(run)
            return
        now = self.engine.now()
        generation = await self.engine.db.write(
            leases.take, run.flow.merchant_id, run.lock, self.holder,
            now=to_text(now), until=to_text(now + timedelta(seconds=LEASE_S)),
        )  # fmt: skip
        if generation is None:
            return
        beat = asyncio.create_task(self._renew(run, generation, asyncio.current_task()))
        try:
            await self.run(run)
        finally:
            beat.cancel()
            await self.engine.db.write(
                leases.give_back,
                run.flow.merchant_id,
                run.lock,
                generation,
                now=to_text(self.engine.now()),
            )

    async def _renew(self, run: Due, generation: int, holder: asyncio.Task[Any] | None) -> None:
        """Keep the lease; one that was lost ends the run, which may not go on beside another's."""
        while True:
            await asyncio.sleep(LEASE_S / 3)
            until = to_text(self.engine.now() + timedelta(seconds=LEASE_S))
            kept = await self.engine.db.write(
                leases.renew, run.flow.merchant_id, run.lock, generation, until=until
            )
            if not kept:
                log.warning("lease.lost", kind=run.flow.kind, verb=run.verb)
                if holder is not None:
                    holder.cancel()
                return

    async def run(self, run: Due) -> HubError | None:
        """Run one flow now; returns the error it ended with, after writing down what follows from it."""
        info = await self.engine.db.read(
            connections.one, run.flow.merchant_id, run.flow.connection_id
        )
        if info is None:
            return None
        started = to_text(self.engine.now())
        self.stats.runs += 1
        try:
            is_closed = await self._work(run, info, started)
        except HubError as error:
            await self._failed(run, info, started, error)
            return error
        except Exception as error:
            log.error(
                "run.bug",
                kind=run.flow.kind,
                verb=run.verb,
                error=type(error).__name__,
                exc_info=True,
            )
            await self._failed(
                run,
                info,
                started,
                HubError(f"Unexpected {type(error).__name__} in the hub itself."),
            )
            return HubError("bug")
        if not is_closed:
            await self.engine.db.write_page(self._succeeded, run, started)
        return None

    async def _work(self, run: Due, info: ConnectionInfo, started: str) -> bool:
        """Do the verb; True when its end was written in its own last transaction."""
        job_id = new_id("job")
        if run.verb == "pull":
            await pull(
                self.engine, info, run.flow.kind, job_id=job_id,
                closing=lambda conn: self._succeeded(conn, run, started),
            )  # fmt: skip
            await retry_missing(self.engine, run.flow, job_id=job_id)
            return True
        if run.verb == "push":
            await push(self.engine, info, run.flow.kind, job_id=job_id)  # type: ignore[arg-type] # a kind of the manifest
        elif run.verb == "reconcile":
            await reconcile(self.engine, info, run.flow.kind)
        return False

    def _succeeded(self, conn: Connection, run: Due, started: str) -> None:
        now = self.engine.now()
        flows.finished(conn, run, started_at=started, now=now, delay_s=run.every_s, error=None)
        subject = f"{run.flow.kind}:{run.verb}"
        if run.failures:
            alerts.close_alert(
                conn, run.flow.merchant_id, run.flow.connection_id, subject, to_text(now)
            )
            flows.switch_on(conn, run.flow, run.verb)
        session: Any = self.engine.sessions.get(run.flow.connection_id)
        if session is not None:
            connections.save_limit_state(
                conn, run.flow.merchant_id, run.flow.connection_id, session.limits(), to_text(now)
            )

    async def _failed(self, run: Due, info: ConnectionInfo, started: str, error: HubError) -> None:
        self.stats.failures += 1
        limits = self.engine.limits
        verdict = health.judge(
            error,
            failures=run.failures + 1,
            first_s=limits.first_retry_s,
            last_s=limits.last_retry_s,
            rng=self._rng,
        )
        log.warning(
            "run.failed", connection=info.id, kind=run.flow.kind, verb=run.verb, error=type(error).__name__,
            delay_s=round(verdict.delay_s, 1), failures=run.failures + 1,
        )  # fmt: skip
        await self.engine.db.write(self._write_failure, run, info, started, error, verdict)

    def _write_failure(
        self,
        conn: Connection,
        run: Due,
        info: ConnectionInfo,
        started: str,
        error: HubError,
        verdict: health.Verdict,
    ) -> None:
        now = self.engine.now()
        said = str(error)[:500]
        flows.finished(conn, run, started_at=started, now=now, delay_s=verdict.delay_s, error=said)
        if verdict.off_reason is not None:
            again = to_text(now + timedelta(seconds=verdict.delay_s))
            flows.switch_off(conn, run.flow, run.verb, verdict.off_reason, ask_again_at=again)
        if verdict.pause is not None:
            connections.set_state(conn, info.merchant_id, info.id, verdict.pause, to_text(now))
        if verdict.alert:
            # Refused credentials stop every flow: that is one thing to say, not one per flow.
            flow = f"{run.flow.kind}:{run.verb}"
            subject = connect.AUTHORISATION if verdict.pause else flow
            alerts.raise_alert(
                conn, info.merchant_id, info.id, subject,
                cause=type(error).__name__, message=said, hint=error.hint, now=to_text(now),
            )  # fmt: skip

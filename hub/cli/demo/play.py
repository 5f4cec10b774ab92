"""The scenario: channels up, merchant registered, first walks, doors open, traffic, quiet, verdict."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hub import config
from hub.app import Hub, open_hub
from hub.cli.demo.channels import Channel, start_all
from hub.cli.demo.verdict import judge
from hub.cli.out import FAILED, print_json, say
from hub.cli.progress import Bars, Line, bars
from hub.config import LogSettings
from hub.db import Connection, connections, outbox
from hub.db.bulk import change, fetch
from hub.jobs import Clock, Runner
from hub.records.time import to_text
from hub.sync import connect

_ONCE_ACTS, _LIVE_ACTS = 120, 1_000_000
_ONCE_RATE, _LIVE_RATE = 12.0, 1.5
_BAD = 2
_LIMIT_S = 240.0
_PULL_S, _PUSH_S, _RECONCILE_S, _TICK_S = 2, 5, 15, 0.2


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    folder: Path
    seed: int
    is_once: bool
    is_json: bool

    def tell(self, text: str) -> None:
        """Print a line for people, unless a machine reads."""
        if not self.is_json:
            say(text)


class Watch:
    """Shows how far the acts of the demo are, one after the other, by what the engine tells."""

    def __init__(self, options: Options, log: LogSettings) -> None:
        self.options = options
        self._log = replace(log, level="warning") if log.level == "info" else log
        self._line: Line | None = None

    def hear(self, event: str, fields: Mapping[str, Any]) -> None:
        """Hand an event to the line that counts now."""
        if self._line is not None:
            self._line.hear(event, fields)

    @contextmanager
    def line(self, label: str, unit: str, *, hears: bool = True) -> Iterator[tuple[Bars, Line]]:
        """Show a line until the block ends. `hears`: the engine's events count on it."""
        with bars([label], json=self.options.is_json, log=self._log) as shown:
            line = shown.line(label, unit)
            self._line = line if hears else None
            try:
                yield shown, line
            except BaseException:
                line.end(failed=True)
                raise
            finally:
                self._line = None
                line.end()


async def play_until_told(options: Options) -> int:
    """Play the demo; a stop signal ends it in good order, with exit code 0 unless `--once` was cut short."""
    task = asyncio.ensure_future(play(options))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        options.tell("Stopped. Start again with the same folder to go on.")
        return FAILED if options.is_once else 0


async def play(options: Options) -> int:
    """Play the demo; returns the exit code."""
    started = time.monotonic()
    env = {"HUB_HTTP__ALLOW_LOOPBACK": "true"}
    settings = config.load(options.folder / "hub", env)
    hub = await open_hub(settings, exclusive=True)
    channels: list[Channel] = []
    code = FAILED
    try:
        channels = await _channels(hub, options)
        merchant_id = await _merchant(hub, channels, options)
        watch = Watch(options, settings.log)
        runner = Runner(hub.engine.heard_by(watch.hear), max_flows=settings.jobs.max_flows)
        clock = Clock(runner, tick_s=_TICK_S)
        clock.start()
        try:
            await _first_walks(hub, merchant_id, channels, options, watch)
            if options.is_once:
                code = await _to_quiet(hub, merchant_id, runner, channels, watch, started)
            else:
                code = await _live(hub, merchant_id, channels, options)
        finally:
            await clock.stop()
    finally:
        await hub.close()
        for channel in channels:
            channel.end()
    return code


async def _channels(hub: Hub, options: Options) -> list[Channel]:
    first = [
        code
        for code, connector in hub.plugins.connectors.items()
        if (stream := connector.manifest.streams.get("product")) and stream.pull
    ]
    found = await start_all(
        options.folder / "channels",
        seed=options.seed,
        acts=_ONCE_ACTS if options.is_once else _LIVE_ACTS,
        rate=_ONCE_RATE if options.is_once else _LIVE_RATE,
        bad=_BAD,
        first=first,
    )
    for channel in found:
        options.tell(f"Simulated channel {channel.code} at {channel.address}")
    return [channel for channel in found if channel.code in hub.plugins.connectors]


async def _merchant(hub: Hub, channels: Sequence[Channel], options: Options) -> str:
    """Register the demo merchant and the accounts that are not registered yet."""
    found = await hub.db.read(connections.merchants)
    merchant_id = (
        found[0].merchant_id
        if found
        else await hub.add_merchant(
            "演示商家 Demo merchant", currency="CNY", timezone="Asia/Shanghai"
        )
    )
    known = {info.name for info in await hub.db.read(connections.listing, merchant_id)}
    for channel in channels:
        for name, form in channel.accounts:
            if name not in known:
                await _registered(hub, merchant_id, channel.code, name, form)
                options.tell(f"Registered {name} ({channel.code}).")
    await hub.db.write(_hurry, merchant_id, to_text(hub.engine.now()))
    return merchant_id


async def _registered(
    hub: Hub, merchant_id: str, code: str, name: str, form: dict[str, Any]
) -> None:
    """Register through the faults: what a person would do by pressing the button again."""
    from hub.errors import Retry

    for attempt in range(10):
        try:
            await connect.register(hub.engine, merchant_id, code, name, form)
        except Retry:
            await asyncio.sleep(0.2 * (attempt + 1))
        else:
            return
    await connect.register(hub.engine, merchant_id, code, name, form)


def _hurry(conn: Connection, merchant_id: str, now: str) -> None:
    """Let the demo's flows run every few seconds."""
    for verb, every_s in (("pull", _PULL_S), ("push", _PUSH_S), ("reconcile", _RECONCILE_S)):
        change(
            conn,
            "UPDATE schedule SET every_s=?, next_at=? WHERE merchant_id=? AND verb=? AND every_s>?",
            (every_s, now, merchant_id, verb, every_s),
        )


async def _first_walks(
    hub: Hub, merchant_id: str, channels: Sequence[Channel], options: Options, watch: Watch
) -> None:
    """Wait until every stream was walked once, then let the buyers in: stock must be counted first."""
    with watch.line("first walks", "records"):
        await _until(lambda: _walked_once(hub, merchant_id), "the first walk of every stream")
    for channel in channels:
        await channel.ask("open")
    options.tell("First walks done, shelves counted. The shops are open.")


async def _walked_once(hub: Hub, merchant_id: str) -> bool:
    return not await hub.db.read(_unwalked, merchant_id, "")


def _unwalked(conn: Connection, merchant_id: str, since: str) -> list[Any]:
    """Return the pulled streams whose last finished walk did not start after `since`."""
    return fetch(
        conn,
        "SELECT s.connection_id, s.kind FROM schedule s LEFT JOIN cursor c ON c.merchant_id=s.merchant_id "
        "AND c.connection_id=s.connection_id AND c.kind=s.kind WHERE s.merchant_id=? AND s.verb='pull' "
        "AND (c.finished_walk_at IS NULL OR c.finished_walk_at<=?)",
        (merchant_id, since),
    )


async def _until(is_done: Any, what: str) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not await is_done():
        if time.monotonic() > deadline:
            from hub.errors import Retry

            raise Retry(f"The demo waited {_LIMIT_S:.0f} s for {what} in vain.")
        await asyncio.sleep(0.2)


async def _traffic(channels: Sequence[Channel], watch: Watch) -> None:
    """Wait until the buyers have played every act; where no bar shows how many, say it."""
    with watch.line("buyers", "acts", hears=False) as (shown, line):

        async def is_over() -> bool:
            traffic = [(await channel.truth())["traffic"] for channel in channels]
            line.of(sum(t["done"] for t in traffic), sum(t["planned"] for t in traffic))
            if not shown.is_live:
                watch.options.tell(f"  {line.count} of {line.total} acts played")
            await asyncio.sleep(0.5)
            return all(t["finished"] for t in traffic)

        await _until(is_over, "the buyers to finish")


async def _to_quiet(
    hub: Hub,
    merchant_id: str,
    runner: Runner,
    channels: Sequence[Channel],
    watch: Watch,
    started: float,
) -> int:
    """Let the script of buyers end, switch the faults off, wait for rest, compare."""
    options = watch.options
    await _traffic(channels, watch)
    for channel in channels:
        await channel.ask("quiet")
    options.tell("Traffic over, faults off. Waiting for rest.")
    quiet_at = to_text(hub.engine.now())

    async def at_rest() -> bool:
        return not await hub.db.read(_restless, merchant_id, quiet_at)

    with watch.line("coming to rest", "records and changes"):
        await _until(at_rest, "everything to come to rest")
    summary = await judge(hub, merchant_id, channels)
    summary["took_s"] = round(time.monotonic() - started, 1)
    summary["runs"] = runner.stats.runs
    summary["failed_runs"] = runner.stats.failures
    if options.is_json:
        print_json(summary)
    else:
        for key, value in summary.items():
            say(f"  {key}: {value}")
    return 0 if summary["agrees"] else FAILED


def _restless(conn: Connection, merchant_id: str, quiet_at: str) -> bool:
    """Tell whether something is still to be pulled, pushed or compared since the traffic ended."""
    if _unwalked(conn, merchant_id, quiet_at):
        return True
    backlog = outbox.backlog(conn, merchant_id)
    if backlog.get("waiting"):
        return True
    last = fetch(
        conn,
        "SELECT count(*) FROM schedule WHERE merchant_id=? AND verb='reconcile' "
        "AND (last_started_at IS NULL OR last_started_at<=?)",
        (merchant_id, quiet_at),
    )
    return bool(last[0][0])


async def _live(hub: Hub, merchant_id: str, channels: Sequence[Channel], options: Options) -> int:
    """Show what happens until Ctrl-C."""
    from rich.console import Console
    from rich.live import Live

    from hub.cli.demo.view import drawn

    say("Watch below; stop with Ctrl-C. In another terminal:")
    say(f"  HUB_HOME={options.folder / 'hub'} hub report | hub held list | hub stock explain <SKU>")
    with Live(console=Console(), refresh_per_second=2, screen=False) as live:
        while True:
            live.update(await drawn(hub, merchant_id, channels))
            await asyncio.sleep(1.0)

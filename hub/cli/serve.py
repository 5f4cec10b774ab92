"""`hub serve`: run the schedules, unattended, until told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from hub.cli.out import say, with_hub

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.jobs import Runner


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve() -> None:
    """Run every connection's schedules in this process until Ctrl-C or SIGTERM.

    A second stop signal ends at once; a page is stored whole or not at all either way.
    """
    with_hub(_serve, writes=True)


async def _serve(hub: Hub) -> int:
    from hub.db import connections
    from hub.jobs import Clock, Runner

    if hub.engine.is_observe_only:
        say(
            "This database came from another machine or a backup: the hub reads and plans, and writes to no "
            "channel until `hub doctor --adopt` says that this is the one."
        )
    found = await hub.db.read(connections.merchants)
    runner = Runner(hub.engine, max_flows=hub.settings.jobs.max_flows)
    clock = Clock(runner, tick_s=hub.settings.jobs.tick_s)
    clock.start()
    say(f"The hub serves {len(found)} merchant(s). Stop with Ctrl-C.")
    await _stopped(runner)
    await clock.stop()
    say("Stopped. Nothing is lost; the next start goes on where this one ended.")
    return 0


async def _stopped(_runner: Runner) -> None:
    import asyncio
    import signal

    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)

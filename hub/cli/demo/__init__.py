"""`hub demo`: the main job on the embedded default, against simulated channels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.out import Json, fail
from hub.errors import HubError


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Play the whole scenario to quiet, compare, and end.")
    ] = False,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Folder of the demo; default HUB_HOME/demo.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Number the shops and buyers are drawn from.")
    ] = None,
    json: Json = False,
) -> None:
    """Start simulated channels with buyers and faults, and keep them in agreement, live.

    A merchant with a web shop and two stores: orders, products and customers flow in, each sale
    lowers what the other channels show. Killed and started again, it goes on where it was. With
    `--once` the exit code is 0 only if hub and channels agree and nothing was oversold.
    """
    import asyncio

    from hub import config, log
    from hub.cli.demo.play import Options, play_until_told

    try:
        settings = config.load()
        folder = directory or settings.home / "demo"
        log.configure(
            level="warning" if settings.log.level == "info" else settings.log.level, form="auto"
        )
        options = Options(
            folder=folder.absolute(),
            seed=settings.demo.seed if seed is None else seed,
            is_once=once,
            is_json=json,
        )
        code = asyncio.run(play_until_told(options))
    except HubError as error:
        fail(error)
    raise typer.Exit(code)

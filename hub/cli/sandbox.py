"""`hub sandbox run`: a simulated channel, for trying things out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.out import fail
from hub.errors import ConfigError


def add_to(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Simulated channels.", no_args_is_help=True)
    group.callback()(_group)
    group.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(run)
    app.add_typer(group, name="sandbox")


def _group() -> None:
    """Keep `run` a command of its own even while it is the only one."""


def run(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="The simulator, by connector code.")],
    directory: Annotated[Path, typer.Option("--dir", help="Folder for its state.")] = Path(
        ".hub/sandbox"
    ),
    seed: Annotated[int, typer.Option(help="Number its world is drawn from.")] = 7,
    faults: Annotated[str, typer.Option(help="Fault dial, such as 429=0.02,cut=0.01.")] = "",
) -> None:
    """Run a simulator until Ctrl-C; it prints one JSON line with address and demo credentials.

    Options after `--` go to the simulator as they are.
    """
    import os
    import sys

    from hub.sdk.discover import simulators

    modules = simulators().modules
    if code not in modules:
        fail(ConfigError(f"There is no simulator {code!r}.", key="code", known=modules))
    directory.mkdir(parents=True, exist_ok=True)
    given = [
        sys.executable,
        "-m",
        modules[code],
        "--dir",
        str(directory),
        "--seed",
        str(seed),
        "--faults",
        faults,
    ]
    os.execv(sys.executable, [*given, *context.args])  # noqa: S606 - our own interpreter, no shell

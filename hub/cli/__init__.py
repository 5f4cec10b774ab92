"""The command line: `hub`. Every command imports what it needs when it runs, so `--help` is quick.

Exit codes: 0 done, 1 failed, 2 misuse, 3 needs a person. With `--json` stdout carries exactly one
object; logs go to stderr.
"""

from __future__ import annotations

import os
import sys

import typer

from hub.cli import (
    connect,
    connector,
    demo,
    doctor,
    flows,
    held,
    maps,
    sandbox,
    serve,
    stock,
    vault,
)

app = typer.Typer(
    name="hub",
    help="Channel hub (渠道中台): keeps every sales channel of a merchant in agreement.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)
serve.add_to(app)
demo.add_to(app)
flows.add_to(app)
stock.add_to(app)
connect.add_to(app)
held.add_to(app)
maps.add_to(app)
connector.add_to(app)
sandbox.add_to(app)
vault.add_to(app)
doctor.add_to(app)


def main() -> None:
    """Run the command line; the entry point of the distribution.

    What no command expected is a bug of ours: one sentence and exit code 1; the traceback only
    for those who ask for it with HUB_LOG__LEVEL=debug.
    """
    try:
        app()
    except Exception as error:
        if os.environ.get("HUB_LOG__LEVEL", "").lower() == "debug":
            raise
        typer.echo(
            f"hub: an unexpected {type(error).__name__} stopped the command; this is a bug in the hub. "
            "Nothing half-done was stored. HUB_LOG__LEVEL=debug shows where it happened.",
            err=True,
        )
        sys.exit(1)

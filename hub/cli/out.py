"""How every command opens the hub, speaks and ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from hub.errors import ConfigError, Forbidden, HubError, Reauthorize

if TYPE_CHECKING:
    from hub.app import Hub

FAILED, MISUSE, PERSON = 1, 2, 3

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
MerchantId = Annotated[
    str | None, typer.Option("--merchant", help="Merchant id; needed only if there are several.")
]


def say(text: str) -> None:
    """Print a line for people."""
    typer.echo(text)


def print_json(value: Any) -> None:
    """Print one JSON object."""
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; an empty one says so."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        say(f"{title}: none.")
        return
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(drawn)


def fail(error: HubError) -> NoReturn:
    """Say what went wrong and what to do, and end with the code that fits."""
    typer.echo(f"hub: {error}", err=True)
    if error.hint:
        typer.echo(f"     {error.hint}", err=True)
    if isinstance(error, ConfigError):
        raise typer.Exit(MISUSE)
    raise typer.Exit(PERSON if isinstance(error, Reauthorize | Forbidden) else FAILED)


def with_hub(
    work: Callable[[Hub], Coroutine[Any, Any, int]],
    *,
    writes: bool,
    home: Path | None = None,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> NoReturn:
    """Open the hub, do the work, close it, and end with the code the work returns."""
    from hub import config, log
    from hub.app import open_hub

    async def run() -> int:
        settings = config.load(home, env)
        log.configure(level="warning" if quiet else settings.log.level, form=settings.log.format)
        hub = await open_hub(settings, exclusive=writes)
        try:
            return await work(hub)
        finally:
            await hub.close()

    try:
        code = asyncio.run(run())
    except HubError as error:
        fail(error)
    except KeyboardInterrupt:
        typer.echo("hub: stopped.", err=True)
        code = 130
    sys.stdout.flush()
    raise typer.Exit(code)

"""`hub vault rotate`: a new data key for a merchant; everything sealed moves over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from hub.cli.out import Json, MerchantId, print_json, say, with_hub

if TYPE_CHECKING:
    from hub.app import Hub


def add_to(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Sealed secrets and personal data.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(rotate)
    app.add_typer(group, name="vault")


def _group() -> None:
    """Keep `rotate` a command of its own even while it is the only one."""


def rotate(merchant: MerchantId = None, json: Json = False) -> None:
    """Seal everything of a merchant anew under a fresh data key.

    Every row is readable at every moment; started again after a crash it goes on.
    """
    with_hub(lambda hub: _rotate(hub, merchant, json=json), writes=True)


async def _rotate(hub: Hub, merchant: str | None, *, json: bool) -> int:
    from hub.sync.rotation import rotate as moved

    merchant_id = (await hub.merchant(merchant)).merchant_id
    count = await moved(hub.engine, hub.vault, merchant_id)
    await hub.open_keys_of(merchant_id)
    if json:
        print_json({"resealed": count})
    else:
        say(f"{count} sealed value(s) now stand under the new key; the old one is retired.")
    return 0

"""`hub vault rotate`: a new data key for a merchant; everything sealed moves over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from hub.cli.out import Json, MerchantId, print_json, say, with_hub

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.cli.progress import Bars
    from hub.db import Connection

_PASSES = ("vault: seal anew", "vault: look through")


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
    from hub.cli.progress import bars
    from hub.sync.rotation import rotate as moved

    merchant_id = (await hub.merchant(merchant)).merchant_id
    with bars(_PASSES, json=json, log=hub.settings.log) as shown:
        passes = _Passes(shown, await hub.db.read(_sealed, merchant_id))
        with passes:
            count = await moved(hub.engine.heard_by(passes.hear), hub.vault, merchant_id)
    await hub.open_keys_of(merchant_id)
    if json:
        print_json({"resealed": count})
    else:
        say(f"{count} sealed value(s) now stand under the new key; the old one is retired.")
    return 0


def _sealed(conn: Connection, merchant_id: str) -> int:
    """Count everything sealed of a merchant."""
    from hub.db.bulk import fetch
    from hub.sync.rotation import sealed_columns

    return sum(
        fetch(
            conn,
            f'SELECT count(*) FROM "{place.table}" WHERE merchant_id=? AND {place.column} IS NOT NULL',  # noqa: S608 - our own columns
            (merchant_id,),
        )[0][0]
        for place in sealed_columns()
    )


class _Passes:
    """Two lines: every value is sealed anew, then everything is looked through for one left out."""

    def __init__(self, shown: Bars, total: int) -> None:
        self._shown, self._total = shown, total
        self._line = shown.line(_PASSES[0], "values", total=total)

    def hear(self, event: str, fields: Mapping[str, Any]) -> None:
        """Count the values of a page."""
        if event != "page.resealed":
            return
        if self._line.count >= self._total and self._line.label == _PASSES[0]:
            self._line.end()
            self._line = self._shown.line(_PASSES[1], "values", total=self._total)
        self._line.add(fields["rows"])

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        """End the line that runs."""
        self._line.end(failed=kind is not None)

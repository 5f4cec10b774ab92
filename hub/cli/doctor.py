"""`hub doctor`: is everything as it should be, and where does each setting come from?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.out import PERSON, Json, print_json, say, table, with_hub

if TYPE_CHECKING:
    from hub.app import Hub


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt", help="Make this copy of the database the one that writes to channels."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Check the installation: settings, plugins, database, ledgers, counts, what waits.

    Ends with 3 when something needs a person.
    """
    with_hub(lambda hub: _doctor(hub, adopt=adopt, json=json), writes=adopt)


async def _doctor(hub: Hub, *, adopt: bool, json: bool) -> int:
    from hub import config
    from hub.app import adopt as take_over
    from hub.db import connections, held
    from hub.sync.checkup import checkup

    if adopt:
        await take_over(hub.db, hub.settings.home, hub.engine.now)
    findings = await checkup(hub.engine)
    for merchant in await hub.db.read(connections.merchants):
        waiting = len(await hub.db.read(held.listing, merchant.merchant_id))
        if waiting:
            findings.append(
                f"{waiting} record(s) of {merchant.name} are held: `hub held list` shows why."
            )
    if hub.engine.is_observe_only and not adopt:
        findings.append(
            "This database is a copy: nothing is written to channels until `hub doctor --adopt`."
        )
    findings += [f"Plugin {q.name} is quarantined: {q.reason}" for q in hub.plugins.quarantined]
    settings: list[Any] = config.explain(hub.settings)
    if json:
        shown = [
            {"key": s.key, "value": s.value, "source": s.source, "allowed": s.allowed}
            for s in settings
        ]
        print_json({"findings": findings, "settings": shown})
    else:
        table(
            "Settings",
            ("key", "value", "from", "allowed"),
            [(s.key, s.value, s.source, s.allowed) for s in settings],
        )
        for finding in findings:
            say(f"- {finding}")
        say("Everything is as it should be." if not findings else f"{len(findings)} finding(s).")
    return PERSON if findings else 0

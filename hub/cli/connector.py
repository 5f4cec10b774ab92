"""`hub connector list`: what is installed, what it can do, and what stays out."""

from __future__ import annotations

from typing import Any

import typer

from hub.cli.out import Json, print_json, say, table


def add_to(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Installed connectors (渠道插件).", no_args_is_help=True)
    group.callback()(_group)
    group.command("list")(listing)
    app.add_typer(group, name="connector")


def _group() -> None:
    """Keep `list` a command of its own even while it is the only one."""


def listing(json: Json = False) -> None:
    """List connectors with their streams and tier, and the quarantined ones with the reason."""
    from hub.sdk.discover import discover, simulators

    plugins = discover()
    rows = [_row(code, plugins) for code in sorted(plugins.connectors)]
    out = [
        {"name": q.name, "reason": q.reason}
        for q in (*plugins.quarantined, *simulators().quarantined)
    ]
    if json:
        print_json({"connectors": rows, "quarantined": out})
        return
    shown = [
        (
            row["code"], row["title"], row["version"], row["tier"],
            " ".join(k for k, v in row["streams"].items() if v["pull"]),
            " ".join(k for k, v in row["streams"].items() if v["push"]),
        )
        for row in rows
    ]  # fmt: skip
    table("Connectors", ("code", "title", "version", "tier", "pulls", "pushes"), shown)
    for item in out:
        say(f"quarantined: {item['name']}: {item['reason']}")


def _row(code: str, plugins: Any) -> dict[str, Any]:
    connector = plugins.connectors[code]
    manifest = connector.manifest
    return {
        "code": code,
        "title": manifest.title,
        "version": plugins.versions.get(code, ""),
        "streams": {
            kind: {"pull": stream.pull is not None, "push": stream.push is not None}
            for kind, stream in manifest.streams.items()
        },
        "webhooks": manifest.webhooks is not None,
        "tier": _tier(connector),
    }


_TIERS = ("bronze", "silver", "gold", "platinum")


def _tier(connector: Any) -> str:
    """Return the highest tier whose rules, and those of every tier below, are all done or exempt.

    The rules stand in the `quality.yaml` beside the connector: `done`, `{exempt: reason}` or
    `{missing: reason}`.
    """
    import importlib.resources

    import yaml

    package = connector.__module__.rpartition(".")[0] or connector.__module__
    file = importlib.resources.files(package).joinpath("quality.yaml")
    if not file.is_file():
        return "none"
    rules = yaml.safe_load(file.read_text(encoding="utf-8"))
    reached = "none"
    for tier in _TIERS:
        found = rules.get(tier) if isinstance(rules, dict) else None
        if not found or not all(rule == "done" or "exempt" in rule for rule in found.values()):
            break
        reached = tier
    return reached

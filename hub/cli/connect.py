"""`hub connect add | check | list`: a merchant's accounts on channels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.out import PERSON, Json, MerchantId, print_json, say, table, with_hub
from hub.errors import ConfigError

if TYPE_CHECKING:
    from hub.app import Hub


def add_to(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Accounts on channels (授权店铺).", no_args_is_help=True)
    group.command()(add)
    group.command()(check)
    group.command("list")(listing)
    app.add_typer(group, name="connect")


def add(
    code: Annotated[str, typer.Argument(help="The connector, as `hub connector list` names it.")],
    name: Annotated[str, typer.Option("--name", help="What you call this shop.")],
    form: Annotated[
        Path | None,
        typer.Option(
            "--form",
            help="A JSON file with the connection form; - reads stdin. Else you are asked.",
        ),
    ] = None,
    merchant: MerchantId = None,
    currency: Annotated[
        str, typer.Option(help="For a first merchant: currency, ISO 4217.")
    ] = "CNY",
    timezone: Annotated[
        str, typer.Option(help="For a first merchant: IANA zone.")
    ] = "Asia/Shanghai",
    json: Json = False,
) -> None:
    """Register a connection: the form is checked, the credentials are tried, then both are saved.

    Secrets are sealed and never shown again. An account that is registered already is refused.
    """
    with_hub(
        lambda hub: _add(hub, code, name, form, merchant, (currency, timezone), json=json),
        writes=True,
    )


async def _add(
    hub: Hub,
    code: str,
    name: str,
    form: Path | None,
    merchant: str | None,
    first: tuple[str, str],
    *,
    json: bool,
) -> int:
    from hub.db import connections
    from hub.sync import connect

    if code not in hub.plugins.connectors:
        raise ConfigError(
            f"There is no connector {code!r}.", key="code", known=hub.plugins.connectors
        )
    filled = _read_form(form) if form else _ask(hub.plugins.connectors[code].manifest.credentials)
    if not await hub.db.read(connections.merchants):
        merchant_id = await hub.add_merchant("My shop", currency=first[0], timezone=first[1])
    else:
        merchant_id = (await hub.merchant(merchant)).merchant_id
    done = await connect.register(hub.engine, merchant_id, code, name, filled)
    verdicts = [
        {
            "kind": v.kind,
            "verb": v.verb,
            "works": v.works,
            "permission": v.permission,
            "reason": v.reason,
        }
        for v in done.account.verdicts
    ]
    if json:
        print_json(
            {
                "connection": done.info.id, "account": done.account.name, "catalogue": done.info.is_catalogue_source,
                "verdicts": verdicts, "notes": list(done.account.notes),
            }
        )  # fmt: skip
    else:
        say(f"{name!r} is registered: {done.account.name}.")
        _say_verdicts(verdicts, list(done.account.notes))
        say("`hub sync` pulls now; `hub serve` keeps everything in agreement.")
    return 0 if all(v["works"] for v in verdicts) else PERSON


def _say_verdicts(verdicts: list[dict[str, Any]], notes: list[str]) -> None:
    for verdict in verdicts:
        mark = (
            "yes"
            if verdict["works"]
            else f"no - permission {verdict['permission'] or '?'} is missing"
        )
        say(f"  {verdict['verb']} {verdict['kind']}: {mark}")
    for note in notes:
        say(f"  note: {note}")


def _read_form(path: Path) -> dict[str, Any]:
    import json
    import sys

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The form in {path} cannot be read as JSON ({type(error).__name__}).", key="--form"
        ) from None
    if not isinstance(value, dict):
        raise ConfigError(f"The form in {path} is not a JSON object.", key="--form")
    return value


def _ask(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for every field of a form; secrets are not echoed, an empty answer leaves a field out."""
    out: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        title = part.get("title", name)
        shown = title.get("en", name) if isinstance(title, dict) else title
        needed = name in schema.get("required", ())
        answer = typer.prompt(
            f"{shown}{'' if needed else ' (optional)'}",
            default="" if not needed else None,
            show_default=False,
            hide_input=bool(part.get("writeOnly")),
        )
        if answer != "":
            out[name] = _typed(part, answer)
    return out


def _typed(part: Mapping[str, Any], answer: str) -> Any:
    import json

    if part.get("type") == "string":
        return answer
    try:
        return json.loads(answer)
    except ValueError:
        return answer


def check(
    name: Annotated[str, typer.Argument(help="Connection by name or id.")],
    merchant: MerchantId = None,
    json: Json = False,
) -> None:
    """Try a connection's credentials again and show what each ability says."""
    with_hub(lambda hub: _check(hub, name, merchant, json=json), writes=False)


async def _check(hub: Hub, name: str, merchant: str | None, *, json: bool) -> int:
    from hub.sync.session import connector_of, open_session

    merchant_id = (await hub.merchant(merchant)).merchant_id
    info = await hub.info(merchant_id, name)
    connector = connector_of(hub.engine, await open_session(hub.engine, info))
    try:
        account = await connector.check()
    finally:
        await connector.close()
    verdicts = [
        {
            "kind": v.kind,
            "verb": v.verb,
            "works": v.works,
            "permission": v.permission,
            "reason": v.reason,
        }
        for v in account.verdicts
    ]
    if json:
        print_json({"account": account.name, "verdicts": verdicts, "notes": list(account.notes)})
    else:
        say(f"{info.name!r} answers: {account.name}.")
        _say_verdicts(verdicts, list(account.notes))
    return 0 if all(v["works"] for v in verdicts) else PERSON


def listing(merchant: MerchantId = None, json: Json = False) -> None:
    """List the connections and how they stand. No secret is shown."""
    with_hub(lambda hub: _list(hub, merchant, json=json), writes=False)


async def _list(hub: Hub, merchant: str | None, *, json: bool) -> int:
    from hub.db import connections

    merchant_id = (await hub.merchant(merchant)).merchant_id
    rows = [
        {
            "id": i.id, "code": i.code, "name": i.name, "account": i.remote_id, "state": i.state,
            "catalogue": i.is_catalogue_source,
        }
        for i in await hub.db.read(connections.listing, merchant_id)
    ]  # fmt: skip
    if json:
        print_json({"connections": rows})
    else:
        head = ("name", "code", "account", "state", "catalogue", "id")
        table("Connections", head, [tuple(row[n] for n in head) for row in rows])
    return 0

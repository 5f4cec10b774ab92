"""`hub held list | show | release | drop`: records that wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.out import PERSON, Json, MerchantId, print_json, say, table, with_hub

if TYPE_CHECKING:
    from hub.app import Hub


def add_to(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Records that wait for a person (待处理).", no_args_is_help=True)
    group.command("list")(listing)
    group.command()(show)
    group.command()(release)
    group.command()(drop)
    app.add_typer(group, name="held")


def listing(merchant: MerchantId = None, json: Json = False) -> None:
    """List held records with every cause: what, which, why. Ends with 3 if there are any."""
    with_hub(lambda hub: _list(hub, merchant, json=json), writes=False)


async def _list(hub: Hub, merchant: str | None, *, json: bool) -> int:
    from hub.db import connections, held

    merchant_id = (await hub.merchant(merchant)).merchant_id
    names = {i.id: i.name for i in await hub.db.read(connections.listing, merchant_id)}
    rows = await hub.db.read(held.listing, merchant_id)
    for row in rows:
        row["connection"] = names.get(row["connection_id"])
    if json:
        print_json({"held": rows})
    else:
        shown = [
            (
                r["id"],
                r["connection"],
                r["kind"],
                r["external_id"],
                "\n".join(_numbered([cause["message"] for cause in r["causes"]])),
            )
            for r in rows
        ]
        table("Held", ("id", "connection", "kind", "record", "why"), shown)
        if rows:
            say("`hub held show` prints one of them with file, line, both paths and value.")
            say(
                "Fix the cause (a mapping, a SKU, the record on the channel), then `hub held release`."
            )
    return PERSON if rows else 0


def _numbered(causes: list[str]) -> list[str]:
    return [f"{n}. {cause}" for n, cause in enumerate(causes, 1)] if causes[1:] else causes


def show(
    held_id: Annotated[str, typer.Argument(help="The held record to look at.")],
    merchant: MerchantId = None,
    json: Json = False,
) -> None:
    """Show one held record: every cause with its mapping file and line, both paths and the value."""
    with_hub(lambda hub: _show(hub, held_id, merchant, json=json), writes=False)


async def _show(hub: Hub, held_id: str, merchant: str | None, *, json: bool) -> int:
    from hub.db import connections, held

    merchant_id = (await hub.merchant(merchant)).merchant_id
    names = {i.id: i.name for i in await hub.db.read(connections.listing, merchant_id)}
    rows = await hub.db.read(held.listing, merchant_id)
    row = next((row for row in rows if row["id"] == held_id), None)
    if row is not None:
        row["connection"] = names.get(row["connection_id"])
    if json:
        print_json({"held": row})
    else:
        say(f"There is no open held record {held_id!r}." if row is None else told(row))
    return PERSON


def told(row: Mapping[str, Any]) -> str:
    """Return one held record as text for people."""
    lines = [
        f"{row['id']}: {row['kind']} {row['external_id']} of {row['connection']} ({row['verb']}), "
        f"tried {row['attempts']} time(s), {row['first_at']} to {row['last_at']}"
    ]
    for number, cause in enumerate(row["causes"], 1):
        lines += ["", f"{number}. {_headline(cause)}"]
        names = ("value", "file", "line", "code", "request_id", "hint")
        lines += [f"   {name}: {cause[name]}" for name in names if name in cause]
    return "\n".join(lines)


def _headline(cause: Mapping[str, Any]) -> str:
    if "native" not in cause or "why" not in cause:
        return str(cause["message"])
    return f"{cause['canonical']} <- {cause['native']}: {cause['why']}"


def release(
    ids: Annotated[list[str] | None, typer.Argument(help="Held ids; all if left out.")] = None,
    merchant: MerchantId = None,
    json: Json = False,
) -> None:
    """Try held records again with today's mapping. What still does not fit stays held."""
    with_hub(lambda hub: _release(hub, ids, merchant, json=json), writes=True)


async def _release(hub: Hub, ids: list[str] | None, merchant: str | None, *, json: bool) -> int:
    from hub.db import held
    from hub.records.ids import new_id
    from hub.sync.release import release as again

    merchant_id = (await hub.merchant(merchant)).merchant_id
    wanted = ids or [row["id"] for row in await hub.db.read(held.listing, merchant_id)]
    done = await again(hub.engine, merchant_id, wanted, job_id=new_id("job"))
    if json:
        print_json(done)
    else:
        say(f"{done['released']} released, {done['still_held']} still held.")
    return PERSON if done["still_held"] else 0


def drop(
    held_id: Annotated[str, typer.Argument(help="The held record to give up.")],
    merchant: MerchantId = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Give one held record up for good. It is counted as dead and its document is kept."""
    if not yes:
        typer.confirm(f"Give up {held_id} for good?", abort=True)
    with_hub(lambda hub: _drop(hub, held_id, merchant, json=json), writes=True)


async def _drop(hub: Hub, held_id: str, merchant: str | None, *, json: bool) -> int:
    from hub.db import flows, held
    from hub.records.time import to_text

    merchant_id = (await hub.merchant(merchant)).merchant_id

    def give_up(conn: Any) -> bool:
        found = held.document(conn, merchant_id, held_id)
        if found is None or not held.set_aside(
            conn, merchant_id, held_id, to_text(hub.engine.now())
        ):
            return False
        if found[2] == "pull":
            flows.settle(conn, found[0], dead=1)
        return True

    done = await hub.db.write(give_up)
    if json:
        print_json({"dead": int(done)})
    else:
        say("Given up." if done else f"There is no open held record {held_id!r}.")
    return 0 if done else PERSON

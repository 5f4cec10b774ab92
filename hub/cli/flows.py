"""`hub sync`, `push`, `plan`, `reconcile`, `report`: run or look at flows now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.out import FAILED, PERSON, Json, MerchantId, print_json, say, table, with_hub

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.cli.progress import Bars
    from hub.db import Connection
    from hub.db.connections import ConnectionInfo
    from hub.db.flows import Flow

Names = Annotated[
    list[str] | None, typer.Argument(help="Connections by name or id; all if left out.")
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Only this kind; may be given several times.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(sync)
    app.command()(push)
    app.command()(plan)
    app.command()(reconcile)
    app.command()(report)


def sync(
    connection: Names = None, kind: Kinds = None, merchant: MerchantId = None, json: Json = False
) -> None:
    """Pull what changed on the channels, now, then push what waits.

    Repeating it is harmless. Ends with 3 when records are held for a person. A terminal shows
    each flow while it runs: records so far, their rate, and how far it is where the end is known;
    a pipe gets a line when a flow starts and one when it ends.
    """
    with_hub(
        lambda hub: _run(hub, connection, kind, merchant, ("pull", "push"), json=json), writes=True
    )


def push(
    connection: Names = None, kind: Kinds = None, merchant: MerchantId = None, json: Json = False
) -> None:
    """Deliver what waits in the outbox, now. `hub plan` shows it first."""
    with_hub(lambda hub: _run(hub, connection, kind, merchant, ("push",), json=json), writes=True)


def reconcile(
    connection: Names = None, kind: Kinds = None, merchant: MerchantId = None, json: Json = False
) -> None:
    """Compare everything the channels show with what they should show, and ask for what differs."""
    with_hub(
        lambda hub: _run(hub, connection, kind, merchant, ("reconcile",), json=json), writes=True
    )


async def _chosen(hub: Hub, names: list[str] | None, merchant: str | None) -> list[ConnectionInfo]:
    from hub.db import connections

    merchant_id = (await hub.merchant(merchant)).merchant_id
    if names:
        return [await hub.info(merchant_id, name) for name in names]
    return await hub.db.read(connections.listing, merchant_id)


_ORDER = ("product", "inventory", "member", "order")
_UNITS = {"pull": "records", "push": "changes", "reconcile": "differences"}


async def _run(
    hub: Hub,
    names: list[str] | None,
    kinds: list[str] | None,
    merchant: str | None,
    verbs: tuple[str, ...],
    *,
    json: bool,
) -> int:
    from hub.cli.progress import bars

    infos = sorted(
        await _chosen(hub, names, merchant), key=lambda info: not info.is_catalogue_source
    )
    runs = [
        Run(info, verb, kind)
        for verb in verbs
        for info in infos
        for kind in _streams(hub, info.code, verb, kinds)
    ]
    with bars([run.label for run in runs], json=json, log=hub.settings.log) as shown:
        problems = await run_all(hub, runs, shown)
    return await _end(hub, infos, problems, json=json)


@dataclass(frozen=True, slots=True)
class Run:
    """One flow to run."""

    info: ConnectionInfo
    verb: str
    kind: str

    @property
    def label(self) -> str:
        """Return what a person calls it."""
        return f"{self.info.name}: {self.verb} {self.kind}"


async def run_all(hub: Hub, runs: Sequence[Run], shown: Bars) -> list[dict[str, Any]]:
    """Run flows one after the other, each with its bar; returns what went wrong."""
    from hub.cli.progress import Stretch
    from hub.db.flows import Due, Flow
    from hub.jobs import Runner
    from hub.records.time import to_text

    problems: list[dict[str, Any]] = []
    for run in runs:
        info, verb, kind = run.info, run.verb, run.kind
        flow, now = Flow(info.merchant_id, info.id, kind), to_text(hub.engine.now())
        line = shown.line(
            run.label,
            _UNITS[verb],
            total=await hub.db.read(_waiting, flow, now) if verb == "push" else None,
            stretch=Stretch(now) if verb == "pull" else None,
        )
        runner = Runner(hub.engine.heard_by(line.hear))
        error = await runner.run(Due(flow, verb, _every(hub, info.code, kind, verb), 0))
        if error is not None:
            problems.append(
                {"connection": info.name, "kind": kind, "verb": verb, "error": str(error)}
            )
        line.end(failed=error is not None)
    return problems


def _waiting(conn: Connection, flow: Flow, now: str) -> int:
    """Count what a push would take from the outbox now."""
    from hub.db import flows
    from hub.db.bulk import fetch

    walked = flows.position(conn, replace(flow, kind="order")).finished_walk_at
    [(count,)] = fetch(
        conn,
        "SELECT count(*) FROM outbox WHERE merchant_id=? AND connection_id=? AND kind=? "
        "AND state='waiting' AND (not_before IS NULL OR not_before<=?) "
        "AND (after_walk_at IS NULL OR after_walk_at<?)",
        (*flow.key, now, walked),
    )
    return int(count)


def _streams(hub: Hub, code: str, verb: str, kinds: list[str] | None) -> list[str]:
    streams = hub.plugins.connectors[code].manifest.streams
    found = [
        kind
        for kind, stream in streams.items()
        if (stream.pull if verb == "pull" else stream.push) and (not kinds or kind in kinds)
    ]
    return sorted(found, key=lambda k: _ORDER.index(k) if k in _ORDER else len(_ORDER))


def _every(hub: Hub, code: str, kind: str, verb: str) -> int:
    stream = hub.plugins.connectors[code].manifest.streams[kind]  # type: ignore[index] # a kind of the manifest
    half = stream.pull if verb == "pull" else stream.push
    return hub.engine.limits.reconcile_s if verb == "reconcile" or half is None else half.every_s


async def _end(
    hub: Hub, infos: list[ConnectionInfo], problems: list[dict[str, Any]], *, json: bool
) -> int:
    from hub.db import flows, held

    if not infos:
        say("There is no connection yet: `hub connect add` registers one.")
        return 0
    merchant_id = infos[0].merchant_id
    names = {info.id: info.name for info in infos}
    tallies = [
        t for t in await hub.db.read(flows.tallies, merchant_id) if t["connection_id"] in names
    ]
    waiting = len(await hub.db.read(held.listing, merchant_id))
    if json:
        for tally in tallies:
            tally["connection"] = names[tally["connection_id"]]
        print_json({"flows": tallies, "held": waiting, "problems": problems})
    else:
        head = ("connection", "kind", "received", "applied", "duplicate", "held", "dead", "pushed")
        table(
            "So far",
            head,
            [(names[t["connection_id"]], *(t[n] for n in head[1:])) for t in tallies],
        )
        for problem in problems:
            say(f"{problem['connection']}, {problem['verb']} {problem['kind']}: {problem['error']}")
        if waiting:
            say(f"{waiting} record(s) need you: `hub held list` shows them.")
    if problems:
        return FAILED
    return PERSON if waiting else 0


def plan(
    connection: Names = None, kind: Kinds = None, merchant: MerchantId = None, json: Json = False
) -> None:
    """Show what a push would write, figure by figure, without writing it."""
    with_hub(lambda hub: _plan(hub, connection, kind, merchant, json=json), writes=False)


async def _plan(
    hub: Hub, names: list[str] | None, kinds: list[str] | None, merchant: str | None, *, json: bool
) -> int:
    from hub.sync.push import plan as planned

    rows: list[dict[str, Any]] = []
    for info in await _chosen(hub, names, merchant):
        for kind in _streams(hub, info.code, "push", kinds):
            for change in await planned(hub.engine, info, kind):  # type: ignore[arg-type] # a kind of the manifest
                rows.append({"connection": info.name, "kind": kind, **change})
    if json:
        print_json({"changes": rows})
        return 0
    shown = [
        (row["connection"], row.get("sku") or row["key"], name, before, after)
        for row in rows
        for name, (before, after) in row["changes"].items()
    ]
    table("Changes waiting", ("connection", "SKU", "field", "shows", "should show"), shown)
    return 0


def report(merchant: MerchantId = None, json: Json = False) -> None:
    """Show every flow: when it last ended, when it comes again, and what it counted."""
    with_hub(lambda hub: _report(hub, merchant, json=json), writes=False)


async def _report(hub: Hub, merchant: str | None, *, json: bool) -> int:
    from hub.db import alerts, connections, flows, observed

    merchant_id = (await hub.merchant(merchant)).merchant_id
    names = {i.id: i.name for i in await hub.db.read(connections.listing, merchant_id)}
    rows = await hub.db.read(flows.freshness, merchant_id)
    open_alerts = await hub.db.read(alerts.open_alerts, merchant_id)
    drifts = await hub.db.read(observed.drifts, merchant_id)
    if json:
        tallies = await hub.db.read(flows.tallies, merchant_id)
        print_json({"flows": rows, "tallies": tallies, "alerts": open_alerts, "drift": drifts})
        return 0
    now = hub.engine.now()
    shown = []
    for row in rows:
        age = flows.age_s(row["last_finished_at"], now)
        last = "never" if age is None else f"{age:.0f} s ago"
        state = row["off_reason"] or row["last_error"] or "on time"
        shown.append(
            (
                names.get(row["connection_id"]),
                row["kind"],
                row["verb"],
                last,
                f"{row['every_s']} s",
                state,
            )
        )
    table("Flows", ("connection", "kind", "verb", "last ended", "every", "state"), shown)
    table(
        "Alerts",
        ("since", "what", "sentence"),
        [(a["opened_at"], a["cause"], a["message"]) for a in open_alerts],
    )
    head = ("connection", "record", "field", "we keep", "it shows")
    table(
        "Differences in master data",
        head,
        [
            (names.get(d["connection_id"]), d["external_id"], d["field"], d["ours"], d["theirs"])
            for d in drifts
        ],
    )
    return 0

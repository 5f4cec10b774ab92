"""`hub map check | explain | test`: mapping files, without a network."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.out import FAILED, MISUSE, Json, fail, print_json, say, table
from hub.errors import ConfigError, HubError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.mapping import Explained, Mapping

File = Annotated[Path, typer.Argument(help="A mapping file, such as mappings/acme/order.yaml.")]


def add_to(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Field mappings (字段映射).", no_args_is_help=True)
    group.command()(check)
    group.command()(explain)
    group.command()(test)
    app.add_typer(group, name="map")


def check(
    files: Annotated[list[Path], typer.Argument(help="Mapping files.")], json: Json = False
) -> None:
    """Check mapping files: every problem with file, line, key and what is allowed."""
    from hub.mapping import check as problems_of

    found = [problem for path in files for problem in problems_of(path, transforms=_transforms())]
    if json:
        print_json({"files": len(files), "problems": [str(problem) for problem in found]})
    else:
        for problem in found:
            say(str(problem))
        say(f"{len(files)} file(s), {len(found)} problem(s).")
    raise typer.Exit(FAILED if found else 0)


def _transforms() -> Any:
    from hub.sdk.discover import discover

    return discover().transforms


def _load(path: Path) -> Mapping:
    from hub.mapping import load

    try:
        return load(path, transforms=_transforms())
    except HubError as error:
        fail(error)


def explain(
    file: File,
    document: Annotated[Path, typer.Argument(help="One native document as a JSON file.")],
    json: Json = False,
) -> None:
    """Show for one document, field by field, both paths, both values and the line of the mapping."""
    mapping = _load(file)
    try:
        rows = mapping.explain(_document(document))
    except HubError as error:
        fail(error)
    names = ("canonical", "native", "shown_canonical", "shown_native", "line")
    if json:
        print_json({"fields": [_explained(row) for row in rows]})
    else:
        shown = [_explained(row) for row in rows]
        head = tuple(shown[0]) if shown else names
        table(str(file), head, [tuple(row.values()) for row in shown])
        say(misfits(rows))
    raise typer.Exit(0)


def misfits(rows: Sequence[Explained]) -> str:
    """Say which of the explained fields do not fit, one line each."""
    bad = [f"  {r.file}:{r.line}: {r.canonical} <- {r.native}: {r.error}" for r in rows if r.error]
    return "\n".join([f"{len(bad)} place(s) do not fit.", *bad])


def _explained(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _document(path: Path) -> dict[str, Any]:
    try:
        value = json_module.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(
            ConfigError(f"{path} cannot be read as JSON ({type(error).__name__}).", key="document")
        )
    if not isinstance(value, dict):
        fail(ConfigError(f"{path} is not one JSON object.", key="document"))
    return value


def test(
    file: File,
    cases: Annotated[int, typer.Option(help="Generated documents.", min=1, max=10_000)] = 100,
    json: Json = False,
) -> None:
    """Prove a mapping's round trips on its fixtures and on generated documents; shows its coverage."""
    from hub.mapping import test as prove

    try:
        report = prove(file, transforms=_transforms(), cases=cases)
    except ConfigError as error:
        typer.echo(f"hub: {error}", err=True)
        raise typer.Exit(MISUSE) from None
    except HubError as error:
        fail(error)
    if json:
        print_json(report.as_dict())
    else:
        say(report.text())
    raise typer.Exit(0 if report.is_good else FAILED)

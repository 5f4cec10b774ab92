"""Writes the generated part of docs/reference from the code: `make reference`.

Everything above the mark in a page is written by people, everything below it by this module. A
house test compares, so a command, setting, error or hook without documentation cannot land.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from hub import config, errors
from tests.house.tree import ROOT

MARK = "<!-- below: written by `make reference` from the code -->"
FOLDER = ROOT / "docs" / "reference"


def page(path: Path, body: str) -> str:
    """Return a page with its generated part replaced by `body`."""
    written = path.read_text("utf-8").partition(MARK)[0].rstrip()
    return f"{written}\n\n{MARK}\n\n{body.strip()}\n"


def settings() -> str:
    """Every key of the default file, with its comment, default, range and variable."""
    parts = []
    for section, keys in _documented(config.default_text()):
        parts.append(f"## [{section}]\n")
        for key, comment, default in keys:
            full = f"{section}.{key}"
            rule = config.RULES[full]
            parts.append(
                f"### {full}\n\n{comment}\n\n"
                f"Default: `{default}`. Allowed: {rule}. "
                f"Variable: `HUB_{section.upper()}__{key.upper()}`.\n"
            )
    return "\n".join(parts)


def _documented(text: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    section, keys, comment = "", [], ""
    for line in text.splitlines():
        if line.startswith("["):
            if section:
                yield section, keys
            section, keys, comment = line.strip("[]"), [], ""
        elif line.startswith("#"):
            comment = f"{comment} {line.lstrip('# ')}".strip()
        elif " = " in line:
            name, _, default = line.partition(" = ")
            keys.append((name, comment, default))
            comment = ""
        else:
            comment = ""
    yield section, keys


def families() -> str:
    """Every error class: its place in the tree and its docstring."""
    tree = (errors.__doc__ or "").split("\n\n")[1]
    parts = [f"```text\n{tree}\n```\n"]
    for error in _all_errors(errors.HubError):
        bases = ", ".join(base.__name__ for base in error.__bases__)
        where = error.__module__
        parts.append(
            f"## {error.__name__}\n\n`{where}.{error.__name__}({bases})`\n\n{_prose(error)}\n"
        )
    return "\n".join(parts)


def _all_errors(root: type[errors.HubError]) -> list[type[errors.HubError]]:
    """Return the family in the order of the source file; classes of other modules come last."""
    for path in sorted((ROOT / "hub").rglob("*.py")):
        if re.search(
            r"class \w+\((\w+, )*(HubError|ConfigError|ChannelError|Retry)\b",
            path.read_text("utf-8"),
        ):
            dotted = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
            importlib.import_module(dotted.removesuffix(".__init__"))
    found: list[type[errors.HubError]] = []

    def walk(error: type[errors.HubError]) -> None:
        if error.__module__.startswith("hub.") and error not in found:
            found.append(error)
        for child in error.__subclasses__():
            walk(child)

    walk(root)
    return sorted(found, key=lambda e: (e.__module__ != "hub.errors", e.__module__, _line(e)))


def _line(thing: Any) -> int:
    return inspect.getsourcelines(thing)[1]


def _prose(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def hooks() -> str:
    """Every hook: signature and docstring."""
    module = ast.parse((ROOT / "hub" / "sdk" / "hooks.py").read_text("utf-8"))
    specs = importlib.import_module("hub.sdk.hooks").Hooks
    parts = []
    for owner in (n for n in module.body if isinstance(n, ast.ClassDef) and n.name == "Hooks"):
        for node in (n for n in owner.body if isinstance(n, ast.FunctionDef)):
            arguments = [ast.unparse(a) for a in node.args.args if a.arg != "self"]
            returns = ast.unparse(node.returns) if node.returns else "None"
            signature = f"def {node.name}({', '.join(arguments)}) -> {returns}"
            doc = _prose(getattr(specs, node.name))
            parts.append(f"## {node.name}\n\n```python\n{signature}\n```\n\n{doc}\n")
    return "\n".join(parts)


def application() -> Any:
    """Return the whole command line as one click command."""
    module = importlib.import_module("hub.cli")
    apps = [value for value in vars(module).values() if isinstance(value, typer.Typer)]
    return typer.main.get_command(apps[0])


def commands() -> str:
    """Every command: usage, help, arguments and options."""
    return "\n".join(_command(path, command) for path, command in walk(application(), ("hub",)))


def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (words, command) for every command that does something."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        if not child.hidden:
            yield from walk(child, (*path, name))


def _command(path: tuple[str, ...], command: Any) -> str:
    words = " ".join(path)
    rows = []
    usage = []
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or "--help" in parameter.opts:
            continue
        is_option = parameter.param_type_name == "option"
        flag = (
            ", ".join([*parameter.opts, *parameter.secondary_opts])
            if is_option
            else parameter.name.upper()
        )
        if not is_option:
            several = " …" if parameter.nargs == -1 else ""
            usage.append(f"{flag}{several}" if parameter.required else f"[{flag}{several}]")
        rows.append(f"| `{flag}` | {' '.join((getattr(parameter, 'help', None) or '').split())} |")
    text = textwrap.dedent(inspect.cleandoc(command.help or "")).replace("\b", "").strip()
    table = "\n| argument or option | |\n| --- | --- |\n" + "\n".join(rows) + "\n" if rows else ""
    return f"## {words}\n\n```sh\n{' '.join([words, *usage])}\n```\n\n{text}\n{table}"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "errors.md": families,
    "hooks.md": hooks,
    "cli.md": commands,
}
"""Page name to the function that writes its generated part."""


if __name__ == "__main__":
    for file, write in PAGES.items():
        target = FOLDER / file
        target.write_text(page(target, write()), "utf-8")

"""What the house tests walk over: files, syntax trees, and the one list of exemptions."""

from __future__ import annotations

import ast
import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ("hub", "connectors", "sandbox")
PYTHON: Final = (*CODE, "tests", "benchmarks")
EXEMPTIONS: Final = ROOT / "tests" / "house" / "exemptions.toml"
_BUILT: Final = frozenset({
    ".git", ".venv", ".hub", "__pycache__", "build", "dist", "site", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", ".hypothesis", ".import_linter_cache",
})  # fmt: skip
_TEXT: Final = frozenset({
    "", ".md", ".py", ".toml", ".txt", ".in", ".yaml", ".yml", ".json", ".jsonl", ".graphql", ".sql", ".mako",
    ".csv", ".cfg", ".svg", ".css", ".html",
})  # fmt: skip


def files(*suffixes: str, under: tuple[str, ...] = (".",)) -> Iterator[Path]:
    """Yield the repository's files, built ones left out."""
    for top in under:
        for path in sorted((ROOT / top).rglob("*")):
            parts = path.relative_to(ROOT).parts
            is_built = any(p in _BUILT or p.endswith(".egg-info") for p in parts)
            if path.is_file() and not is_built and (not suffixes or path.suffix in suffixes):
                yield path


def texts() -> Iterator[tuple[str, str]]:
    """Yield (path, content) of every text file."""
    for path in files():
        if path.suffix in _TEXT:
            yield name(path), path.read_text(encoding="utf-8", errors="replace")


def name(path: Path) -> str:
    """Return a path as people write it, from the root."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(*under: str) -> list[tuple[str, ast.Module]]:
    """Return (path, syntax tree) of every Python file under these folders."""
    return [(name(path), parsed(path)) for path in files(".py", under=under)]


def exemptions(rule: str) -> dict[str, str]:
    """Return what is exempt from a rule, each with its reason."""
    table: dict[str, Any] = tomllib.loads(EXEMPTIONS.read_text(encoding="utf-8"))
    return dict(table.get(rule, {}))


def judge(rule: str, found: dict[str, str]) -> None:
    """Fail for every finding that is not exempt, and for every exemption that is not needed.

    `found` maps what broke the rule to a sentence. Exemptions can so only shrink.
    """
    exempt = exemptions(rule)
    broken = [f"{what}: {why}" for what, why in sorted(found.items()) if what not in exempt]
    assert not broken, f"rule {rule!r}\n  " + "\n  ".join(broken)
    idle = sorted(set(exempt) - set(found))
    assert not idle, f"rule {rule!r}: no longer needed in exemptions.toml, remove: {idle}"

"""The numbers of our own tree beside our aims: `make measure`; unverified facts: `make facts`.

An aim that is missed is a question to answer, not a failure.
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.house.tree import CODE, ROOT, files, name, parsed

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BRANCHES = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.comprehension, ast.match_case,
)  # fmt: skip
_PATCHES = re.compile(r"monkeypatch\.setattr|\bmock\b|\bpatch\(", re.I)
_TABLE_WIDTH = 34


@dataclass(slots=True)
class Shape:
    """What was counted in one part of the tree."""

    code_lines: list[int] = field(default_factory=list)
    all_lines: list[int] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    complexity: list[int] = field(default_factory=list)
    public: int = 0
    documented: int = 0
    annotated: int = 0
    ignores: int = 0
    longest: str = ""


def code_lines(path: Path) -> int:
    """Count lines that carry code: no blank lines, comments or docstrings."""
    docs: set[int] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docs.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    skip = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
    }  # fmt: skip
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type not in skip:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docs)


def complexity(function: Function) -> int:
    """Count the ways through a function, as McCabe does; boolean operators count as branches."""
    ways = 1
    for node in ast.walk(function):
        ways += isinstance(node, _BRANCHES)
        if isinstance(node, ast.BoolOp):
            ways += len(node.values) - 1
    return ways


def _functions(tree: ast.Module) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def _is_annotated(function: Function) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    named = [a for a in arguments if a.arg not in {"self", "cls"}]
    return function.returns is not None and all(a.annotation for a in named)


def measure(*under: str) -> Shape:
    """Count everything under these folders."""
    shape = Shape()
    longest = 0
    for path in files(".py", under=under):
        if "versions" in path.parts:  # migrations are lists of statements
            continue
        text = path.read_text("utf-8")
        shape.code_lines.append(code_lines(path))
        shape.all_lines.append(text.count("\n"))
        shape.ignores += text.count("type: ignore")
        for function in _functions(parsed(path)):
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            shape.functions.append(length)
            shape.complexity.append(complexity(function))
            shape.annotated += _is_annotated(function)
            if not function.name.startswith("_"):
                shape.public += 1
                shape.documented += ast.get_docstring(function) is not None
            if length > longest:
                longest = length
                shape.longest = f"{name(path)}:{function.lineno} {function.name} ({length})"
    return shape


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _spread(values: Sequence[int]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    p90 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]
    return f"{statistics.median(ordered):g} / {p90} / {ordered[-1]}"


_ROWS: tuple[tuple[str, str, Callable[[Shape], str]], ...] = (
    ("files / code lines", "hub ≤ 140 / 18,000", lambda s: f"{len(s.code_lines)} / {sum(s.code_lines):,}"),
    ("file median / p90 / max", "≤ 120 / 300 / 400", lambda s: _spread(s.all_lines)),
    ("function median / p90 / max", "≤ 10 / 30 / 40", lambda s: _spread(s.functions)),
    ("functions > 40 lines", "0", lambda s: str(sum(n > 40 for n in s.functions))),
    ("complexity mean", "≤ 2.5", lambda s: f"{statistics.fmean(s.complexity or [0]):.2f}"),
    ("complexity > 10", "0", lambda s: str(sum(n > 10 for n in s.complexity))),
    ("public functions documented", "≥ 90 % (sdk 100 %)", lambda s: _share(s.documented, s.public)),
    ("functions fully annotated", "100 %", lambda s: _share(s.annotated, len(s.functions))),
    ("type: ignore per 1,000 lines", "≤ 1", lambda s: f"{1000 * s.ignores / max(1, sum(s.code_lines)):.2f}"),
)  # fmt: skip


def table() -> str:
    """Return the whole table as text."""
    parts = {part: measure(part) for part in CODE} | {"hub/sdk": measure("hub/sdk")}
    tests = measure("tests")
    head = f"{'':<{_TABLE_WIDTH}}{'aim':<22}" + "".join(f"{part:<20}" for part in parts)
    rows = [head]
    for title, aim, of in _ROWS:
        cells = "".join(f"{of(shape):<20}" for shape in parts.values())
        rows.append(f"{title:<{_TABLE_WIDTH}}{aim:<22}{cells}")
    written = sum(sum(parts[part].code_lines) for part in CODE)
    test_text = [p.read_text("utf-8") for p in files(".py", under=("tests",))]
    count = sum(len(re.findall(r"^\s*(?:async )?def test_", text, re.M)) for text in test_text)
    patches = sum(len(_PATCHES.findall(text)) for text in test_text)
    rows += [
        f"{'test : code lines':<{_TABLE_WIDTH}}{'1.2 - 2.0':<22}{sum(tests.code_lines) / max(1, written):.2f}",
        f"{'patches per test':<{_TABLE_WIDTH}}{'≤ 0.05':<22}{patches / max(1, count):.3f} ({patches} in {count})",
        "",
        *(f"longest function of {part}: {shape.longest}" for part, shape in parts.items()),
    ]
    return "\n".join(rows)


def facts() -> list[str]:
    """Return every line that marks a fact nobody here could verify."""
    found = []
    for path in files(
        ".py", ".yaml", ".json", ".graphql", ".md", under=(*CODE, "mappings", "docs")
    ):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if "UNVERIFIED:" in line:
                found.append(f"{name(path)}:{number}: {line.split('UNVERIFIED:', 1)[1].strip()}")
    return found


if __name__ == "__main__":
    if "--facts" in sys.argv:
        unverified = facts()
        print("\n".join([*unverified, f"{len(unverified)} facts not verified"]))
    else:
        print(f"{ROOT.name}\n{table()}")

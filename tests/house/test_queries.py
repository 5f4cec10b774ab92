"""The tenant wall and bound SQL: every query names its merchant, no query is pasted together."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

from tests.house.tree import judge, modules

QUERY_PACKAGES = ("hub/db", "hub/commerce")
SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
BUILT_ON = {"select", "insert", "update", "delete"}


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path, tree in modules(*QUERY_PACKAGES):
        if "migrations" in path:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def _texts(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _is_query(node: ast.FunctionDef) -> bool:
    doc = ast.get_docstring(node, clean=False)
    has_sql = any(SQL.match(text) for text in _texts(node) if text != doc)
    calls = {
        ast.unparse(c.func).rpartition(".")[2] for c in ast.walk(node) if isinstance(c, ast.Call)
    }
    takes_connection = any(
        a.annotation is not None and ast.unparse(a.annotation) == "Connection"
        for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    )
    return takes_connection and (has_sql or bool(calls & BUILT_ON))


def test_every_query_names_its_merchant() -> None:
    found = {
        f"{path}:{node.name}": f"line {node.lineno}: a query without a merchant"
        for path, node in functions()
        if _is_query(node) and "merchant" not in ast.unparse(node)
    }
    judge("tenant-wall", found)


def test_merchant_id_is_the_first_column_of_every_primary_key() -> None:
    metadata = importlib.import_module("hub.db.tables").metadata
    found = {
        table.name: f"primary key {[c.name for c in table.primary_key]}"
        for table in metadata.sorted_tables
        if next(iter(table.primary_key)).name != "merchant_id"
    }
    judge("merchant-first", found)


def test_no_sql_text_is_pasted_together_from_values() -> None:
    found = {}
    for path, tree in modules("hub"):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).rpartition(".")[2]
                in {"text", "exec_driver_sql", "execute"}
                and node.args
                and isinstance(node.args[0], ast.BinOp | ast.Call)
                and re.search(r"\.format\(|%", ast.unparse(node.args[0]))
                and any(SQL.match(text) for text in _texts(node.args[0]))
            ):
                found[f"{path}:{node.lineno}"] = ast.unparse(node.args[0])[:60]
    judge("pasted-sql", found)

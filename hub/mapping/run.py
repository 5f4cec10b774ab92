"""The one place that turns a syntax tree into a function: nothing else in the hub executes made code.

A tree is built from parsed parts (a mapping file) or from numbers and our own names (the forms of
parts); no text of a file or a document is ever in it.
"""

from __future__ import annotations

import ast
from typing import Any


def made(module: ast.Module, label: str, names: dict[str, Any], wanted: str) -> Any:
    """Run a module with these names in sight, and no others, and return what it defines as `wanted`."""
    code = compile(ast.fix_missing_locations(module), f"<{label}>", "exec")
    exec(code, names)  # noqa: S102 - a tree of allowed nodes, never a text from outside
    return names[wanted]

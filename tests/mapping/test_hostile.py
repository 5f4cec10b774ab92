"""SEC-10: whatever a mapping file says, the compiled function is built of a few harmless nodes."""

from __future__ import annotations

import ast
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.mapping import load
from hub.mapping.compile import compile_rows
from hub.mapping.load import inspect

from .test_laws import FILES, transforms

NODES = {
    "Module", "FunctionDef", "arguments", "arg", "Assign", "Return", "Expr", "If", "For", "IfExp",
    "BoolOp", "And", "Or", "Compare", "Is", "In", "Eq", "LtE", "Call", "Attribute", "Subscript",
    "Name", "Load", "Store", "Constant", "List", "Tuple", "UnaryOp", "USub",
}  # fmt: skip
ATTRIBUTES = {"get", "append", "isprintable"}
NAME = re.compile(r"(?:d|out|A|type|str|int|list|choose|hollow|nothing|rows|[nvreltc][0-9]+)\Z")

HOSTILE = [
    "x'); __import__('os').system('id')  #", '"""\nimport os\n"""', "{0.__class__.__mro__}", "__import__",
    "a\nb", "a\u2028b", "\\N{BULLET}", "d.get('x')", "f'{A}'", "${HOME}", "lambda: 0", "a\x00b", "A", "rows", "'", "\\",
]  # fmt: skip
words = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20))


def harmless(source_tree: ast.AST) -> None:
    for node in ast.walk(source_tree):
        assert type(node).__name__ in NODES
        if isinstance(node, ast.Attribute):
            assert node.attr in ATTRIBUTES
        if isinstance(node, ast.Name):
            assert NAME.match(node.id), node.id
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, str | int | bool | None)


def quoted(word: str) -> str:
    return json.dumps(word)


@settings(deadline=None, max_examples=150)
@given(path=words, key=words, word=words, const=words, header=words)
def test_no_string_of_a_file_becomes_code(tmp_path_factory, path, key, word, const, header):
    folder = tmp_path_factory.mktemp("hostile")
    file = folder / "order.yaml"
    file.write_text(
        f"kind: order\nkey: {quoted(header)}\nupdated: {quoted(path)}\npairs:\n"
        f"  external_order_id: {{native: {quoted(path)}, as: text}}\n"
        f"  order_state: {{native: s, as: enum, table: {{{quoted(key)}: pending}}}}\n"
        f"  currency: {{native: c, as: text}}\n"
        f"  amount_payable: {{native: t, as: money, currency: {{native: {quoted(word)}}}}}\n"
        f"  placed_at: {{native: p, as: instant}}\n"
        f"  display_no: {{const: {quoted(const)}}}\n"
        f'  "lines[].external_line_id": {{native: {quoted(word + "[].i")}, as: text}}\n'
        f'  "lines[].quantity": {{native: {quoted(word + "[].q")}, as: steps, scale: 0}}\n'
        f'  "lines[].line_subtotal": {{native: {quoted(word + "[].s")}, as: money, currency: CNY}}\n',
        encoding="utf-8",
    )

    spec, problems = inspect(file)
    if spec is None:
        assert problems
        return
    _, source = compile_rows(spec)

    harmless(ast.parse(source))


def test_a_hostile_word_that_is_allowed_stays_a_word(file):
    text = "x') or __import__('os').system('id') or ('"
    mapping = load(
        file(
            f"kind: order\nkey: {quoted(text)}\npairs:\n"
            f"  external_order_id: {{native: {quoted(text)}, as: text}}\n"
            "  order_state: {const: pending}\n  currency: {const: CNY}\n"
            "  amount_payable: {const: 5}\n  placed_at: {native: p, as: instant}\n"
            f"  display_no: {{const: {quoted(text)}}}\n"
        )
    )
    one, two = text.split(".")  # a dot is path grammar

    row = mapping.to_canonical({one: {two: "7"}, "p": "2026-10-05T08:00:00Z"})[0]

    harmless(ast.parse(mapping.source))
    assert (row[1], row[2]) == ("7", text)


def test_the_compiled_function_has_no_builtins(acme):
    names = acme._rows.__globals__

    assert names["__builtins__"] == {}
    assert "open" not in names


def test_every_mapping_of_the_house_compiles_to_harmless_nodes():
    for path in FILES:
        mapping = load(path, transforms=transforms(path.parent.name))

        harmless(ast.parse(mapping.source))

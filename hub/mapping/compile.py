"""Compile a bound mapping into one straight-line, null-safe Python function.

The function is built as `ast` nodes from parsed parts; text of the file enters it only as
constants (keys to look up, words to yield). Names are numbered, the only attributes are `get`,
`append` and `isprintable`, and it runs without builtins. What it yields equals `walk.read`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hub.mapping import walk
from hub.mapping.codec import Codec
from hub.mapping.paths import EACH, Segment, Where
from hub.mapping.rows import Row
from hub.mapping.run import made
from hub.mapping.shape import Field, settle, shape, usual
from hub.mapping.spec import ITEM, ROOT, Branch, Level, Pair, Ref, Spec
from hub.records.base import ABSENT, Record
from hub.records.rows import defaults, thaw, thaw_all

Rows = Callable[[Any], list[Row]]


@dataclass(slots=True)
class Node:
    """A step in the tree of native paths of one scope. `var` is set where somebody reads."""

    var: str = ""
    below: dict[Segment, Node] = field(default_factory=dict)

    def leaves(self) -> Iterator[str]:
        """Yield the variables that are read below this node."""
        for child in self.below.values():
            if child.var:
                yield child.var
            yield from child.leaves()


def compile_rows(spec: Spec, *, as_new: bool = False) -> tuple[Rows, str]:
    """Return the function from a document to its rows, and its source for people.

    `as_new`: to rows as they are first stored, equal to `thaw` of the others.
    """
    maker = _Maker(spec, as_new=as_new)
    module = ast.fix_missing_locations(maker.module())
    source = ast.unparse(module)
    rows: Rows = made(module, spec.file.name, maker.names, "rows")
    return rows, source


class _Maker:
    def __init__(self, spec: Spec, *, as_new: bool) -> None:
        self.spec, self.as_new = spec, as_new
        self.names: dict[str, Any] = {
            "__builtins__": {}, "A": ABSENT, "type": type, "str": str, "int": int, "list": list,
            "choose": walk.choose, "hollow": walk.hollow, "nothing": walk.no_list,
        }  # fmt: skip
        self.count = 0
        self.branches: set[str] = set()
        self.vars: dict[tuple[int, tuple[Segment, ...]], str] = {}

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def given(self, letter: str, value: Any) -> str:
        """Put a value into the function's namespace; return its name."""
        name = self.fresh(letter)
        self.names[name] = value
        return name

    def module(self) -> ast.Module:
        body: list[ast.stmt] = [_assign(["out"], ast.List(elts=[], ctx=ast.Load()))]
        root = self.tree(ROOT, self.refs(ROOT))
        body += self.reads("d", root)
        body += self.items("d", self.spec.each.segments if self.spec.each else ())
        body.append(ast.Return(_name("out")))
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg("d")], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        later: dict[str, Any] = (
            {"type_params": []} if "type_params" in ast.FunctionDef._fields else {}
        )  # 3.12
        function = ast.FunctionDef(
            name="rows", args=arguments, body=body, decorator_list=[], **later
        )
        return ast.Module(body=[function], type_ignores=[])

    def items(self, var: str, steps: tuple[Segment, ...]) -> list[ast.stmt]:
        """Loop over what `each` names; inside, build one row."""
        if EACH not in steps:
            self.vars[(ITEM, ())] = var
            body, row = self.level(self.spec.top, var)
            return [*body, _append("out", row)]
        stop = steps.index(EACH)
        node = Node()
        there = self.place(node, steps[:stop]) if stop else var
        element = self.fresh("e")
        inner = self.items(element, steps[stop + 1 :])
        check = ast.Expr(_call("nothing", _name(there)))
        return [*self.reads(var, node), self.loop(there, element, inner, [check])]

    def loop(
        self, var: str, element: str, body: list[ast.stmt], otherwise: list[ast.stmt]
    ) -> ast.stmt:
        each = ast.For(target=_store(element), iter=_name(var), body=body, orelse=[])
        return ast.If(test=_is_type(var, "list"), body=[each], orelse=otherwise)

    # reading

    def refs(self, scope: int) -> list[Ref]:
        """Return what the whole file reads from one scope."""
        found = [pair.side for pair in walk.pairs_below(self.spec.top) if pair.side and pair.reads]
        found += [pair.ref for pair in walk.pairs_below(self.spec.top) if pair.ref and pair.reads]
        found += [branch.ref for branch in _branches(self.spec.top)]
        return [ref for ref in found if ref.scope == scope]

    def tree(self, scope: int, refs: list[Ref]) -> Node:
        node = Node()
        for ref in refs:
            if ref.segments:
                self.vars[(scope, ref.segments)] = self.place(node, ref.segments)
        return node

    def place(self, node: Node, segments: tuple[Segment, ...]) -> str:
        for segment in segments:
            node = node.below.setdefault(segment, Node())
        node.var = node.var or self.fresh("n")
        return node.var

    def reads(self, var: str, node: Node) -> list[ast.stmt]:
        """Read every place below `var`, each step once."""
        out: list[ast.stmt] = []
        for segment, child in node.below.items():
            name = child.var or self.fresh("n")
            if isinstance(segment, Where):
                word = _call("choose", _name(var), _const(segment.key), _const(segment.value))
                out.append(_assign([name], word))
            else:
                out.append(_assign([name], _get(var, str(segment))))
            out += self.inside(name, child)
        return out

    def inside(self, name: str, node: Node) -> list[ast.stmt]:
        named = Node(below={s: n for s, n in node.below.items() if isinstance(s, str)})
        chosen = Node(below={s: n for s, n in node.below.items() if isinstance(s, Where)})
        out = self.reads(name, chosen)
        if named.below:
            empty = _assign(list(named.leaves()), _call("hollow", _name(name)))
            out.append(ast.If(test=_name(name), body=self.reads(name, named), orelse=[empty]))
        return out

    # records

    def level(self, level: Level, var: str) -> tuple[list[ast.stmt], ast.expr]:
        """Return the statements that read one record, and the tuple they end in."""
        mine = [ref for ref in self.refs_of(level) if ref.scope == level.depth]
        self.vars[(level.depth, ())] = var
        body = self.reads(var, self.tree(level.depth, mine))
        slots: dict[tuple[int, ...], ast.expr] = {}
        for pair in level.pairs:
            if pair.reads:
                slots[pair.slot] = self.value(pair, body)
        for branch in level.branches:
            slots[branch.slot] = self.branch(branch, body)
        return body, self.new(level.record, (), slots) if self.as_new else _row(
            level.record, (), slots
        )

    def new(
        self,
        record: type[Record],
        slot: tuple[int, ...],
        slots: dict[tuple[int, ...], ast.expr],
    ) -> ast.expr:
        """Return the list of a new record's values: its defaults where nothing came, and room for its id."""
        cells = []
        for known, default in zip(shape(record).fields, defaults(record), strict=True):
            here = (*slot, known.index)
            if known.part is None:
                cells.append(self.filled(slots.get(here), default))
            elif here not in slots:
                is_list = known.kind == "list"
                cells.append(_list() if is_list else self.new(known.part, here, slots))
            else:
                cells.append(self.parts(known, slots[here]))
        return _list(*cells, _const(""))

    def filled(self, found: ast.expr | None, default: Any) -> ast.expr:
        plain = default is None or type(default) in (str, int, bool)
        instead = _const(default) if plain else _name(self.given("d", default))
        if found is None or not isinstance(found, ast.Name):
            return instead if found is None else found
        return ast.IfExp(test=_is(found.id, _name("A")), body=instead, orelse=found)

    def parts(self, known: Field, found: ast.expr) -> ast.expr:
        """Return the parts of a new record; those of a branch are made as new ones already."""
        assert known.part is not None  # noqa: S101 - asked for fields with parts only
        if isinstance(found, ast.Name) and found.id in self.branches:
            return ast.BoolOp(ast.Or(), [found, _list()])
        make = partial(thaw_all, known.part) if known.kind == "list" else partial(_one, known.part)
        return _call(self.given("p", make), found)

    def refs_of(self, level: Level) -> list[Ref]:
        pairs = [pair for pair in walk.pairs_below(level) if pair.reads]
        found = [ref for pair in pairs for ref in (pair.ref, pair.side) if ref is not None]
        return found + [branch.ref for branch in _branches(level)]

    def branch(self, branch: Branch, body: list[ast.stmt]) -> ast.expr:
        var = self.vars[(branch.ref.scope, branch.ref.segments)]
        out, element = self.fresh("l"), self.fresh("e")
        inner, row = self.level(branch.level, element)
        loop = self.loop(
            var, element, [*inner, _append(out, row)],
            [_assign([out], _call("nothing", _name(var)))],
        )  # fmt: skip
        assert isinstance(loop, ast.If)  # noqa: S101 - made just above
        loop.body.insert(0, _assign([out], ast.List(elts=[], ctx=ast.Load())))
        body.append(loop)
        self.branches.add(out)
        return _name(out)

    def value(self, pair: Pair, body: list[ast.stmt]) -> ast.expr:
        if pair.codec is None or pair.ref is None:
            return _const(pair.const)
        var = self.vars[(pair.ref.scope, pair.ref.segments)]
        name = self.fresh("v")
        if pair.codec.bare is not None and pair.field.kind != "record":
            body += self.plugged(pair, pair.codec, var, name)
        else:
            body.append(_assign([name], self.converted(pair, pair.codec, var)))
        return _name(name)

    def plugged(self, pair: Pair, codec: Codec, var: str, name: str) -> list[ast.stmt]:
        """Return the statements that call a connector's function and check what it returns."""
        known, reader = pair.field, self.given("r", _settled(pair.field, codec.read))
        call: ast.expr = _call(self.given("r", codec.bare), _name(var))
        if known.required and not known.nullable:
            nothing = ast.BoolOp(ast.Or(), [_is(var, _const(None)), _is(var, _name("A"))])
            call = ast.IfExp(test=nothing, body=_call(reader, _name(var)), orelse=call)
        call = _blanked(pair, var, _guarded(pair, var, call))
        checked: ast.expr = _call(self.given("r", codec.valid), _name(name))
        if known.nullable and known.kind != "list":
            test = _is(name, _const(None))
            checked = ast.IfExp(test=test, body=_const(None), orelse=checked)
        test_of = self.usual(usual(known), known, name)
        if test_of is not None:
            checked = ast.IfExp(test=test_of, body=_name(name), orelse=checked)
        return [_assign([name], call), _assign([name], checked)]

    def converted(self, pair: Pair, codec: Codec, var: str) -> ast.expr:
        """Return the expression for one value: the usual form in line, the rest by a call."""
        reader = codec.read
        if pair.field.kind == "record":
            reader = _settled(pair.field, codec.read)
        call = _call(self.given("r", reader), _name(var))
        if codec.dynamic and pair.side is not None:
            call.args.append(_name(self.vars[(pair.side.scope, pair.side.segments)]))
        return _blanked(pair, var, self.inline(codec, pair.field, var, _guarded(pair, var, call)))

    def inline(self, codec: Codec, limits: Field, var: str, rest: ast.expr) -> ast.expr:
        value: ast.expr = _name(var)
        if codec.inline == "table":
            table = self.given("t", codec.table)
            test: ast.expr | None = _compare(_name(var), ast.In(), _name(table))
            value = ast.Subscript(value=_name(table), slice=_name(var), ctx=ast.Load())
        else:
            test = self.usual(codec.inline, limits, var)
        return rest if test is None else ast.IfExp(test=test, body=value, orelse=rest)

    def usual(self, kind: str, limits: Field, var: str) -> ast.expr | None:
        """Return the test that a usual value of a kind passes; None where there is none."""
        if kind == "text":
            printable = ast.Call(_attribute(var, "isprintable"), args=[], keywords=[])
            return ast.BoolOp(ast.And(), [_is_type(var, "str"), printable])
        if kind == "int":
            inside = ast.Compare(
                _const(limits.low), [ast.LtE(), ast.LtE()], [_name(var), _const(limits.high)]
            )
            return ast.BoolOp(ast.And(), [_is_type(var, "int"), inside])
        if kind == "bool":
            return ast.BoolOp(ast.Or(), [_is(var, _const(True)), _is(var, _const(False))])
        if kind == "enum":
            words = self.given("t", frozenset(limits.choices))
            known = _compare(_name(var), ast.In(), _name(words))
            return ast.BoolOp(ast.And(), [_is_type(var, "str"), known])
        return None


def _blanked(pair: Pair, var: str, found: ast.expr) -> ast.expr:
    """Let an empty text read as the pair says."""
    if not pair.blank:
        return found
    blank: ast.expr = _name("A") if pair.blank == "absent" else _const(None)
    return ast.IfExp(test=_compare(_name(var), ast.Eq(), _const("")), body=blank, orelse=found)


def _guarded(pair: Pair, var: str, call: ast.expr) -> ast.expr:
    """Let null and absent pass where the field may be so; elsewhere the call refuses them."""
    known = pair.field
    if known.kind == "record" or (known.required and not known.nullable):
        return call
    none, absent = _is(var, _const(None)), _is(var, _name("A"))
    either = ast.BoolOp(ast.Or(), [none, absent])
    if known.kind == "list" or pair.null_absent:
        return ast.IfExp(test=either, body=_name("A"), orelse=call)
    test = none if known.required else either if known.nullable else absent
    return ast.IfExp(test=test, body=_name(var), orelse=call)


def _settled(known: Field, read: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda value: settle(known, value, read)


def _branches(level: Level) -> Iterator[Branch]:
    for branch in level.branches:
        yield branch
        yield from _branches(branch.level)


def _row(
    record: type[Record], slot: tuple[int, ...], slots: dict[tuple[int, ...], ast.expr]
) -> ast.expr:
    elements = []
    for known in shape(record).fields:
        here = (*slot, known.index)
        if here in slots:
            elements.append(slots[here])
        elif known.kind == "record" and known.part is not None:
            elements.append(_row(known.part, here, slots))
        else:
            elements.append(_name("A"))
    return ast.Tuple(elts=elements, ctx=ast.Load())


def _one(part: type[Record], row: Any) -> list[Any]:
    return thaw(part, row or defaults(part))


def _list(*cells: ast.expr) -> ast.List:
    return ast.List(elts=list(cells), ctx=ast.Load())


def _name(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def _store(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Store())


def _const(value: str | int | bool | None) -> ast.Constant:
    if type(value) not in (str, int, bool, type(None)):
        raise TypeError("a constant is text, a whole number, true, false or null")
    return ast.Constant(value=value)


def _attribute(var: str, name: str) -> ast.Attribute:
    return ast.Attribute(value=_name(var), attr=name, ctx=ast.Load())


def _get(var: str, key: str) -> ast.Call:
    return ast.Call(_attribute(var, "get"), args=[_const(key), _name("A")], keywords=[])


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(func=_name(name), args=list(args), keywords=[])


def _append(name: str, value: ast.expr) -> ast.stmt:
    return ast.Expr(ast.Call(_attribute(name, "append"), args=[value], keywords=[]))


def _assign(names: list[str], value: ast.expr) -> ast.stmt:
    return ast.Assign(targets=[_store(name) for name in names], value=value)


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.Compare:
    return ast.Compare(left=left, ops=[op], comparators=[right])


def _is(var: str, value: ast.expr) -> ast.Compare:
    return _compare(_name(var), ast.Is(), value)


def _is_type(var: str, name: str) -> ast.Compare:
    return _compare(_call("type", _name(var)), ast.Is(), _name(name))

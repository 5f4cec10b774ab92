"""Binding: from checked YAML to levels, pairs and codecs, noting everything that is wrong.

A pair that cannot be bound is left out and noted; the others are still bound, so that one run
reports every problem of a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.mapping import paths
from hub.mapping.codec import Codec, is_native
from hub.mapping.document import Text
from hub.mapping.native import NativeSchema
from hub.mapping.paths import EACH, Path, Segment, Where, show
from hub.mapping.shape import Field, shape
from hub.mapping.spec import ITEM, ROOT, Branch, Level, Pair, Ref
from hub.mapping.transforms import BUILT_IN, plugin
from hub.records.base import Record
from hub.sdk.hooks import Transform

_COMMON = frozenset({"native", "as", "way", "null", "empty"})
_CONST = frozenset({"native", "const", "way"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where a canonical path ends: the level, the slot in its row, and the field."""

    level: Level
    slot: tuple[int, ...]
    field: Field


class Binder:
    """Binds one file. `top` is the result; problems are in `text`."""

    def __init__(
        self,
        text: Text,
        record: type[Record],
        *,
        each: Path | None,
        transforms: Mapping[str, Transform],
        schema: NativeSchema | None,
    ) -> None:
        self.text, self.each, self.schema = text, each, schema
        self.transforms = transforms
        self.top = Level(record, ITEM)
        self.branches: dict[tuple[Segment, ...], Branch] = {}
        self.natives: dict[tuple[Segment, ...], tuple[Segment, ...]] = {}

    # canonical side

    def target(self, name: str, path: Path, native: Path | None) -> Target | None:
        """Find the field a canonical path names; lists on the way become branches."""
        level, lists = self.top, 0
        slot: tuple[int, ...] = ()
        known = shape(self.top.record)
        at_end = len(path.segments) - 1
        at = 0
        while at <= at_end:
            segment = path.segments[at]
            field = known.get(segment) if isinstance(segment, str) else None
            if field is None or not field.open:
                self._unknown(name, segment, field, known.record)
                return None
            if at == at_end:
                return Target(level, (*slot, field.index), field)
            deeper = path.segments[at + 1] is EACH
            if field.part is None or deeper != (field.kind == "list") or at + deeper == at_end:
                self._not_inside(name, field)
                return None
            known = shape(field.part)
            if deeper:
                lists += 1
                branch = self._branch(
                    name, path, native, lists, (level, (*slot, field.index), field)
                )
                if branch is None:
                    return None
                level, slot = branch.level, ()
            else:
                slot = (*slot, field.index)
            at += 1 + deeper
        return None

    def _unknown(
        self, name: str, segment: Segment, field: Field | None, record: type[Record]
    ) -> None:
        word = show((segment,))
        why = f"{record.__name__} has no field {word!r}"
        if field is not None:
            why = f"{word!r} of {record.__name__} is filled by the hub and cannot be mapped"
        known = tuple(sorted(field.name for field in shape(record).fields if field.open))
        self.wrong((name,), why, known)

    def _not_inside(self, name: str, field: Field) -> None:
        why = f"{field.name!r} is one value: nothing stands inside it"
        if field.kind == "list":
            why = f"{field.name!r} is a list: write {field.name}[].field, or map it whole"
        elif field.kind == "record":
            why = f"{field.name!r} is one object: write {field.name}.field"
        self.wrong((name,), why)

    def _branch(
        self,
        name: str,
        path: Path,
        native: Path | None,
        lists: int,
        place: tuple[Level, tuple[int, ...], Field],
    ) -> Branch | None:
        """Return the branch of the n-th list, made when a pair with a native list first comes."""
        prefix, _ = path.cut(lists)
        branch = self.branches.get(prefix)
        if native is None or native.rooted or native.lists < lists:
            if branch is None:
                why = f"nothing aligns {show(prefix)} with a native list: map one field of it first"
                self.wrong((name,), why)
            return branch
        there, _ = native.cut(lists)
        level, slot, field = place
        if branch is None:
            _, inside = native.cut(lists - 1)
            stop = inside.index(EACH)
            branch = Branch(
                show(prefix), show(there), self.text.line(("pairs", name)), field, slot,
                Ref(level.depth, inside[:stop]), Level(_part(field), level.depth + 1),
            )  # fmt: skip
            self.branches[prefix], self.natives[prefix] = branch, there
            level.branches.append(branch)
        elif self.natives[prefix] != there:
            why = f"{show(prefix)} is aligned with {branch.native}, not with {show(there)}"
            self.wrong((name, "native"), why)
            return None
        return branch

    # native side

    def path(self, keys: tuple[str | int, ...], text: str) -> Path | None:
        """Parse a path; a bad one is noted."""
        try:
            return self.typed(paths.parse(text))
        except ValueError as error:
            self.text.wrong(self.text.line(keys), keys, str(error))
            return None

    def typed(self, path: Path) -> Path:
        """Let choices know from the native schema whether their key is a number."""
        if self.schema is None or not any(isinstance(step, Where) for step in path.segments):
            return path
        steps: list[Segment] = []
        for step in path.segments:
            if isinstance(step, Where):
                here = self.absolute(Path((*steps, step, step.key), path.rooted))
                steps.append(replace(step, integer=self.schema.only_integer(here)))
            else:
                steps.append(step)
        return Path(tuple(steps), path.rooted)

    def absolute(self, path: Path) -> tuple[Segment, ...]:
        """Return a native path from the document's root, for the schema."""
        if path.rooted or self.each is None:
            return path.segments
        return (*self.each.segments, *path.segments)

    def in_schema(self, keys: tuple[str | int, ...], path: Path) -> None:
        """Note a native path that the native schema does not know."""
        gone = self.schema.why_not(self.absolute(path)) if self.schema else None
        if gone is not None:
            self.text.wrong(self.text.line(keys), keys, gone[0], gone[1])

    def ref(self, keys: tuple[str | int, ...], path: Path, canonical: Path) -> Ref | None:
        """Place a native path in the scopes around a canonical one."""
        if path.rooted:
            if path.lists:
                self.text.wrong(self.text.line(keys), keys, "a path from `$` passes no list")
                return None
            return Ref(ROOT if self.each else ITEM, path.segments)
        scope, lists = ITEM, 0
        while lists < path.lists:
            lists += 1
            branch = (
                self.branches.get(canonical.cut(lists)[0]) if lists <= canonical.lists else None
            )
            if branch is None or self.natives[canonical.cut(lists)[0]] != path.cut(lists)[0]:
                why = f"{show(path.cut(lists)[0])} is not the list this pair stands in"
                self.text.wrong(self.text.line(keys), keys, why)
                return None
            scope = branch.level.depth
        return Ref(scope, path.cut(path.lists)[1])

    # pairs

    def pair(self, name: str, options: Mapping[str, Any]) -> None:
        """Bind one pair into its level."""
        canonical = self.path(("pairs", name), name)
        native = None
        if "native" in options:
            native = self.path(("pairs", name, "native"), options["native"])
            if native is None:
                return
            self.in_schema(("pairs", name, "native"), native)
        if canonical is None or (
            native is not None and not self._parallel(name, canonical, native)
        ):
            return
        target = self.target(name, canonical, native)
        if target is None:
            return
        made = self._made(name, options, canonical, native, target)
        if made is not None:
            target.level.pairs.append(made)

    def _parallel(self, name: str, canonical: Path, native: Path) -> bool:
        if canonical.lists == native.lists or native.rooted:
            return True
        why = (
            f"{canonical} has {canonical.lists} [] and {native} has {native.lists}:"
            " both sides pass the same number of lists (`$.` reaches the document from inside one)"
        )
        self.wrong((name, "native"), why)
        return False

    def _made(
        self,
        name: str,
        options: Mapping[str, Any],
        canonical: Path,
        native: Path | None,
        target: Target,
    ) -> Pair | None:
        ref = None
        if native is not None:
            ref = self.ref(("pairs", name, "native"), native, canonical)
            if ref is None:
                return None
        is_const = "const" in options
        way = options.get("way", "in" if is_const else "both")
        codec, side, const = None, None, {}
        if is_const:
            if not self._const(name, options, target.field, way):
                return None
            const = {"const": options["const"]}
        else:
            codec = self._codec(name, {**options, "way": way}, target.field)
            side = self._side(name, options, canonical)
            if codec is None or not self._may_write(name, way, native, codec, target.level.depth):
                return None
            if not self._blanks(name, options, target.field):
                return None
            self._words(name, options, codec, native)
        return Pair(
            canonical=name,
            native=options.get("native", ""),
            line=self.text.line(("pairs", name)),
            way=way,
            field=target.field,
            slot=target.slot,
            ref=ref,
            codec=codec,
            side=side,
            side_native=self._side_text(options),
            null_absent=options.get("null") == "absent",
            blank=options.get("empty", ""),
            **const,
        )

    def _const(self, name: str, options: Mapping[str, Any], field: Field, way: str) -> bool:
        bad = sorted(set(options) - _CONST)
        for option in bad:
            self.wrong((name, option), "a const pair has no such option", tuple(sorted(_CONST)))
        if way == "both":
            self.wrong((name, "way"), "a const pair goes one way", ("in", "out"))
            return False
        if way == "out":
            if "native" not in options:
                self.wrong((name,), "a const pair on the way out needs `native`", ("native",))
            return "native" in options and not bad
        value = options["const"]
        try:
            if value is None and not field.nullable:
                raise ValueError("this field has no null")
            if value is not None:
                field.fit(value)
        except ValueError as error:
            self.wrong((name, "const"), str(error), tuple(map(str, field.choices)))
            return False
        return not bad

    def _blanks(self, name: str, options: Mapping[str, Any], field: Field) -> bool:
        """Absent and null must be something the field can be."""
        before = len(self.text.problems)
        for option in ("null", "empty"):
            if options.get(option) == "absent" and field.required:
                self.wrong((name, option), f"{field.name} cannot be absent")
        if options.get("empty") == "null" and not field.nullable:
            self.wrong((name, "empty"), f"{field.name} has no null", ("absent",))
        return len(self.text.problems) == before

    def _codec(self, name: str, options: Mapping[str, Any], field: Field) -> Codec | None:
        wanted = options["as"]
        known = BUILT_IN.get(wanted)
        if known is None:
            return self._plugin(name, options, field)
        before = len(self.text.problems)
        for option in sorted(set(options) - _COMMON - known.options):
            allowed = tuple(sorted(known.options | _COMMON))
            self.wrong((name, option), f"`{wanted}` has no such option", allowed)
        for option in sorted(known.needs - set(options)):
            self.wrong((name,), f"`{wanted}` needs `{option}`", (option,))
        if field.kind not in known.fits:
            fitting = tuple(
                sorted(word for word, kind in BUILT_IN.items() if field.kind in kind.fits)
            )
            why = f"`{wanted}` does not yield {field.kind}, which {field.name} is"
            self.wrong((name, "as"), why, (*fitting, *sorted(self.transforms)))
        if len(self.text.problems) > before:
            return None

        def note(option: str, why: str, allowed: tuple[str, ...]) -> None:
            self.wrong((name, option), why, allowed)

        codec = known.build(field, options, note)
        return codec if len(self.text.problems) == before else None

    def _plugin(self, name: str, options: Mapping[str, Any], field: Field) -> Codec | None:
        wanted = options["as"]
        if wanted not in self.transforms:
            known = (*sorted(BUILT_IN), *sorted(self.transforms))
            self.wrong((name, "as"), f"no transform is named {wanted!r}", known)
            return None
        extra = sorted(set(options) - _COMMON)
        for option in extra:
            self.wrong((name, option), f"`{wanted}` has no such option", tuple(sorted(_COMMON)))
        return None if extra else plugin(wanted, self.transforms[wanted], field)

    def _may_write(
        self, name: str, way: str, native: Path | None, codec: Codec, depth: int
    ) -> bool:
        if way == "in" or native is None:
            return True
        why = ""
        if codec.write is None:
            why = f"`{codec.name}` has no way back"
        elif not native.segments:
            why = "the whole document is not written"
        elif native.rooted and (self.each or depth > ITEM):
            why = "a path from `$` is read only here"
        if why:
            self.wrong((name,), f"{why}: say `way: in`", ("way: in",))
        return not why

    def _side_text(self, options: Mapping[str, Any]) -> str:
        for kind in BUILT_IN.values():
            value = options.get(kind.side) if kind.side else None
            if is_native(value):
                return str(value["native"]) if isinstance(value, Mapping) else ""
        return ""

    def _side(self, name: str, options: Mapping[str, Any], canonical: Path) -> Ref | None:
        known = BUILT_IN.get(options["as"])
        value = options.get(known.side) if known is not None and known.side else None
        if known is None or not isinstance(value, Mapping):
            return None
        keys = ("pairs", name, known.side, "native")
        path = self.path(keys, value["native"])
        if path is None:
            return None
        self.in_schema(keys, path)
        return self.ref(keys, path, canonical)

    def _words(
        self, name: str, options: Mapping[str, Any], codec: Codec, native: Path | None
    ) -> None:
        """An enum of the native schema must be covered by the table, or `default` says what else."""
        if self.schema is None or native is None or codec.inline != "table" or "default" in options:
            return
        gone = [
            word for word in self.schema.words(self.absolute(native)) if word not in codec.table
        ]
        if gone:
            words = ", ".join(map(str, gone))
            why = f"the native schema also knows {words}: add them, or a `default`"
            self.wrong((name, "table"), why)

    def wrong(self, keys: tuple[str, ...], why: str, known: tuple[str, ...] = ()) -> None:
        """Note what is wrong with a pair."""
        where = ("pairs", *keys)
        self.text.wrong(self.text.line(where), where, why, known)


def _part(field: Field) -> type[Record]:
    if field.part is None:
        raise TypeError(f"{field.name} has no parts")
    return field.part

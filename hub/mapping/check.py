"""For people who write mapping files: `check` lists what is wrong, `test` proves the laws.

`test` reads the fixtures beside a file and documents made up from its native schema, holds every
law on them, and says how much of both sides the file covers.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigError, MappingError
from hub.mapping import laws
from hub.mapping.document import Problem
from hub.mapping.engine import Mapping
from hub.mapping.load import NO_TRANSFORMS, inspect, load
from hub.mapping.native import NativeSchema
from hub.mapping.paths import EACH, Segment, parse, show
from hub.mapping.shape import shape
from hub.mapping.spec import Spec
from hub.records.base import Record
from hub.sdk.contract import Document
from hub.sdk.hooks import Transform

if TYPE_CHECKING:
    from hub.mapping.samples import Samples, Setting

BUDGET_S = 4.0
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which fields of one side a file maps, and which it leaves out."""

    mapped: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.mapped)} of {len(self.mapped) + len(self.missing)} fields"


@dataclass(slots=True)
class Report:
    """What `hub map test` found. `refused` counts made-up documents a transform did not take."""

    file: Path
    canonical: Coverage
    native: Coverage
    fixtures: int = 0
    cases: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """True if something was tried and every law held."""
        return not self.failures and self.fixtures + self.cases > 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        sides = {"canonical": self.canonical, "native": self.native}
        return {
            "file": str(self.file),
            "is_good": self.is_good,
            "fixtures": self.fixtures,
            "cases": self.cases,
            "refused": self.refused,
            "failures": self.failures,
            "coverage": {
                name: {"mapped": list(side.mapped), "missing": list(side.missing)}
                for name, side in sides.items()
            },
            "took_s": self.took_s,
        }

    def text(self) -> str:
        """Return the report for people."""
        lines = [f"{self.file}: {'the laws hold' if self.is_good else 'NOT GOOD'}"]
        lines += [f"  {failure}" for failure in self.failures]
        if not self.failures and not self.is_good:
            lines.append("  nothing was tried: no fixture, and no made-up document could be read")
        lines.append(
            f"  tried: {self.fixtures} fixtures, {self.cases} made-up documents"
            f" ({self.refused} more that a transform refused), {self.took_s} s"
        )
        lines.append(f"  canonical side: {self.canonical}; native side: {self.native}")
        for name, side in (("canonical", self.canonical), ("native", self.native)):
            if side.missing:
                lines.append(f"  not mapped, {name}: {', '.join(side.missing)}")
        return "\n".join(lines)


def check(path: Path, *, transforms: Map[str, Transform] = NO_TRANSFORMS) -> list[Problem]:
    """Return every problem of a mapping file; an empty list means that it loads."""
    return inspect(path, transforms=transforms)[1]


def test(
    path: Path,
    fixtures: Path | None = None,
    *,
    cases: int = 50,
    budget_s: float = BUDGET_S,
    transforms: Map[str, Transform] = NO_TRANSFORMS,
) -> Report:
    """Hold the laws on fixtures (`<fixtures>/<kind>*.json`) and on `cases` made-up documents.

    Default folder: `fixtures/` beside the file. When `budget_s` is up, fewer cases were tried:
    the report's `cases` says how many. A failure ends the run.
    """
    started = time.monotonic()
    mapping = load(path, transforms=transforms)
    report = Report(path, canonical_coverage(mapping.spec), native_coverage(mapping.spec))
    for name, document in _fixtures(mapping, fixtures or path.parent / "fixtures"):
        report.fixtures += 1
        _hold(mapping, document, name, report)
    if cases:
        _made_up(mapping, cases, report, until=started + budget_s)
    report.took_s = round(time.monotonic() - started, 3)
    return report


def _fixtures(mapping: Mapping, folder: Path) -> Iterator[tuple[str, Document]]:
    """Yield the documents of a folder; a file holds one document or a list of them."""
    stream = mapping.source_stream
    for file in sorted(folder.glob(f"{stream}*.json")) if folder.is_dir() else ():
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            raise ConfigError(f"{file} is not JSON.", key=file.name) from None
        for at, document in enumerate(found if isinstance(found, list) else [found]):
            yield f"{file.name}[{at}]", document


def _hold(mapping: Mapping, document: Document, name: str, report: Report) -> None:
    try:
        laws.agreement(mapping, document)
        laws.get_put(mapping, document)
        laws.fresh(mapping, document)
    except (MappingError, laws.LawBroken) as error:
        report.failures += _told(f"{name}: ", error)


def _made_up(mapping: Mapping, cases: int, report: Report, *, until: float) -> None:
    try:
        import hypothesis  # noqa: PLC0415 - Hypothesis is an extra - a test tool, not needed to run the hub

        from hub.mapping import samples  # noqa: PLC0415 - Hypothesis is an extra
    except ImportError:
        raise ConfigError(
            "Made-up documents need Hypothesis, which is not installed.",
            key="hypothesis",
            hint="Install the package `hypothesis`, or ask for fixtures only (cases = 0).",
        ) from None
    made = samples.Samples(mapping.spec)

    @hypothesis.settings(
        max_examples=cases, deadline=None, database=None, derandomize=True,
        phases=[hypothesis.Phase.generate], suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(hypothesis.strategies.data(), samples.settings)
    def one(data: Any, setting: Setting) -> None:
        if time.monotonic() > until or report.failures:
            raise _Enough
        _case(mapping, made, data, setting, report)

    with contextlib.suppress(_Enough):
        one()


class _Enough(KeyboardInterrupt):
    """Time is up, or one failure is found. Hypothesis lets go at once of an interrupt, only of it."""


def _case(mapping: Mapping, made: Samples, data: Any, setting: Setting, report: Report) -> None:
    document = data.draw(made.documents(setting))
    row = data.draw(made.rows(setting))
    plugins = {p.canonical for p in mapping.spec.pairs() if p.codec is not None and p.codec.plugin}
    try:
        laws.agreement(mapping, document)
    except MappingError as error:
        if laws.only_in(error, plugins):
            report.refused += 1
        else:
            report.failures += _told("the native schema allows it, the mapping refuses it: ", error)
        return
    except laws.LawBroken as error:
        report.failures.append(str(error))
        return
    report.cases += 1
    try:
        laws.get_put(mapping, document)
        laws.fresh(mapping, document)
        if laws.can_put(mapping):
            laws.put_get(mapping, row, document)
    except (MappingError, laws.LawBroken) as error:
        report.failures += _told("", error)


def _told(prefix: str, error: MappingError | laws.LawBroken) -> list[str]:
    """Return one failure for each cause of an error."""
    sentences = error.sentences() if isinstance(error, MappingError) else [str(error)]
    return [f"{prefix}{sentence}" for sentence in sentences]


def canonical_coverage(spec: Spec) -> Coverage:
    """Say which open fields of the record the file fills."""
    mapped = {pair.canonical for pair in spec.pairs() if pair.reads}
    names = list(_canonical_names(spec.record, ""))
    return _coverage(names, lambda name: _covered(name, mapped))


def _canonical_names(record: type[Record], prefix: str) -> Iterator[str]:
    for known in shape(record).fields:
        if not known.open:
            continue
        here = f"{prefix}{known.name}"
        if known.part is None:
            yield here
        else:
            yield from _canonical_names(known.part, here + ("[]." if known.kind == "list" else "."))


def _covered(name: str, mapped: set[str]) -> bool:
    """A field is covered by its own pair, or by one that maps an object or a list around it."""
    return name in mapped or any(name.startswith((f"{other}.", f"{other}[]")) for other in mapped)


def native_coverage(spec: Spec) -> Coverage:
    """Say which fields of the native schema the file reads or writes. `.` counts for nothing."""
    if spec.native_schema is None:
        return Coverage((), ())
    prefix = spec.each.segments if spec.each is not None else ()
    texts = [text for pair in spec.pairs() for text in (pair.native, pair.side_native) if text]
    used = set()
    for text in (*texts, spec.heads["key"][0]):
        path = parse(text)
        used.add(show(path.segments if path.rooted else (*prefix, *path.segments)))
    used -= {".", show(prefix)}
    schema = NativeSchema(spec.native_schema)
    names = [show(path) for path in _native_paths(schema, spec.native_schema, ())]
    plain = {_without_choices(name) for name in used}
    return _coverage(names, lambda name: _covered(name, plain))


def _without_choices(text: str) -> str:
    """Read `stock[name=shop].n` as `stock[].n`, as the schema has it."""
    segments = parse(text).segments
    return show(tuple(step if isinstance(step, str) else EACH for step in segments))


def _native_paths(
    schema: NativeSchema, node: Any, path: tuple[Segment, ...]
) -> Iterator[tuple[Segment, ...]]:
    """Yield the paths of all leaves a schema names."""
    below: dict[str, Any] = {}
    items = None
    for branch in schema.branches(node):
        below.update(branch.get("properties", {}))
        if isinstance(branch.get("items"), dict):
            items = branch["items"]
    if len(path) < MAX_DEPTH and items is not None:
        yield from _native_paths(schema, items, (*path, EACH))
    elif len(path) < MAX_DEPTH and below:
        for name, inner in below.items():
            yield from _native_paths(schema, inner, (*path, name))
    elif path:
        yield path


def _coverage(names: list[str], covered: Callable[[str], bool]) -> Coverage:
    mapped = tuple(name for name in names if covered(name))
    return Coverage(mapped, tuple(name for name in names if name not in set(mapped)))

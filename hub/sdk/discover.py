"""Finding connectors and simulators that are installed, and keeping out what is broken.

entry point --import--> module --hooks--> connector classes --validate--> Plugins
      any step fails -> quarantined with one sentence; the others go on, the hub stays up

Each entry point is loaded by itself (pluggy's own loader lets one broken package stop the
host). A connector whose code and manifest disagree is refused here, not at three in the morning.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import pluggy
import structlog

from hub.errors import HubError
from hub.sdk.contract import KIND_NAMES, Connector, Manifest, Stream, codes
from hub.sdk.credentials import Problem, form_problems, schema_problems
from hub.sdk.hooks import PROJECT, Hooks, Transform

CONNECTORS: Final = "hub.connectors"
SIMULATORS: Final = "hub.simulators"
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_REASON_MAX: Final = 300  # characters: one sentence

Observer = Callable[[str, Mapping[str, Any]], None]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An entry point, or one connector of it, that stays out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plugins:
    """What is installed and usable, by connector code; and what is not."""

    connectors: Mapping[str, type[Connector]] = field(default_factory=dict)
    transforms: Mapping[str, Transform] = field(default_factory=dict)
    quarantined: Sequence[Quarantined] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    observers: Mapping[str, Observer] = field(default_factory=dict)

    def observe(self, event: str, fields: Mapping[str, Any]) -> None:
        """Tell every observer, in the order of their names; one that fails stops no other."""
        for name, observer in self.observers.items():
            try:
                observer(event, fields)
            except Exception as error:
                _log.warning("observer.failed", plugin=name, error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Simulators:
    """The simulators that are there: connector code to module name."""

    modules: Mapping[str, str]
    quarantined: Sequence[Quarantined] = ()


class PluginError(HubError):
    """A plug-in is not what it should be; the text says why."""


def discover(
    points: Iterable[EntryPoint] | None = None, *, allow: Collection[str] | None = None
) -> Plugins:
    """Load every connector package, one by one, sorted by name.

    `points` defaults to the installed entry points; `allow` names those that may load (others
    are quarantined), None means all.
    """
    found = _Found()
    for point in _sorted(CONNECTORS, points):
        if allow is not None and point.name not in allow:
            found.quarantined.append(Quarantined(point.name, "Not on the allowed list."))
            continue
        try:
            found.add(point, _load(point))
        except (Exception, SystemExit) as error:
            found.quarantined.append(Quarantined(point.name, _sentence(error)))
    return Plugins(
        found.connectors, found.transforms, tuple(found.quarantined), found.versions, found.observers
    )  # fmt: skip


def simulators(points: Iterable[EntryPoint] | None = None) -> Simulators:
    """Return the simulators that are installed, without importing them."""
    modules, missing = {}, []
    for point in _sorted(SIMULATORS, points):
        if _is_there(point.module):
            modules[point.name] = point.module
        else:
            missing.append(Quarantined(point.name, f"Module {point.module} is not there."))
    return Simulators(modules, tuple(missing))


def validate(connector: type[Connector]) -> list[str]:
    """Say where a connector's code and manifest disagree; empty when they agree."""
    manifest = getattr(connector, "manifest", None)
    if not isinstance(manifest, Manifest):
        return ["it has no manifest"]
    return [
        *_manifest_problems(manifest),
        *_ability_problems(connector, manifest),
        *schema_problems(manifest.credentials),
    ]


def validate_credentials(manifest: Manifest, form: Mapping[str, Any]) -> list[Problem]:
    """Say what is wrong with a filled-in form: (field, sentence). Never repeats what was typed."""
    return form_problems(manifest.credentials, form)


def _manifest_problems(manifest: Manifest) -> Iterator[str]:
    if not _CODE.match(manifest.code):
        yield f"code {manifest.code!r} must be lower-case letters, digits and underscores"
    if not manifest.title.strip():
        yield "it has no title"
    if not manifest.streams:
        yield "it declares no stream"
    topics = manifest.webhooks.topics.values() if manifest.webhooks else ()
    for kind in sorted({*manifest.streams, *topics} - set(KIND_NAMES)):
        yield f"unknown kind {kind!r}; known: {', '.join(KIND_NAMES)}"
    for kind, stream in manifest.streams.items():
        yield from (f"{kind}: {why}" for why in _stream_problems(kind, stream))
    if manifest.rate and (manifest.rate.calls <= 0 or manifest.rate.per_s <= 0):
        yield "rate: calls and per_s must be above 0"


def _stream_problems(kind: str, stream: Stream) -> Iterator[str]:
    if stream.pull is None and stream.push is None:
        yield "declares neither pull nor push"
    if stream.pull and (stream.pull.every_s < 1 or stream.pull.page < 1 or stream.pull.lag_s < 0):
        yield "pull needs every_s >= 1, page >= 1, lag_s >= 0"
    if stream.push and (stream.push.batch < 1 or stream.push.every_s < 1):
        yield "push needs batch >= 1 and every_s >= 1"
    if stream.pull and kind == "message":
        yield "messages are pushed, never pulled"


def _ability_problems(connector: type[Connector], manifest: Manifest) -> Iterator[str]:
    streams = manifest.streams.values()
    declared = {
        "pull": any(stream.pull for stream in streams),
        "push": any(stream.push for stream in streams),
        "receive": manifest.webhooks is not None,
        "renew": manifest.renews,
    }
    for verb, said in declared.items():
        coded = codes(connector, verb)
        if said and not coded:
            yield f"it declares {verb!r} and does not code it"
        if coded and not said:
            yield f"it codes {verb!r} and does not declare it"
    if codes(connector, "receive") and inspect.iscoroutinefunction(connector.receive):
        yield "receive must be a plain function: it does no I/O"


class _Found:
    """What has been taken in so far."""

    def __init__(self) -> None:
        self.connectors: dict[str, type[Connector]] = {}
        self.transforms: dict[str, Transform] = {}
        self.quarantined: list[Quarantined] = []
        self.versions: dict[str, str] = {}
        self.observers: dict[str, Observer] = {}

    def add(self, point: EntryPoint, manager: pluggy.PluginManager) -> None:
        """Take in one package; a connector of it that is wrong stays out alone."""
        offered = [found for part in manager.hook.hub_connectors() for found in part]
        transforms = _transforms(manager, offered)
        version = point.dist.version if point.dist else "unknown"
        for connector in offered:
            why = "; ".join(self._problems(connector))
            if why:
                self.quarantined.append(Quarantined(point.name, f"{_name(connector)}: {why}."))
                continue
            self.connectors[connector.manifest.code] = connector
            self.versions[connector.manifest.code] = version
        self.transforms |= transforms
        if manager.hook.hub_observe.get_hookimpls():
            self.observers[point.name] = _observer(manager)

    def _problems(self, connector: Any) -> list[str]:
        if not (isinstance(connector, type) and issubclass(connector, Connector)):
            return ["it is no Connector class"]
        problems = validate(connector)
        if not problems and connector.manifest.code in self.connectors:
            problems = [f"code {connector.manifest.code!r} is taken by another package"]
        return problems


def _load(point: EntryPoint) -> pluggy.PluginManager:
    """Import one package and register it alone, so that a bad hook of it touches nobody else."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(point.load(), name=point.name)
    manager.check_pending()
    if not manager.hook.hub_connectors.get_hookimpls():
        raise PluginError("It has no hub_connectors hook.")
    return manager


def _transforms(manager: pluggy.PluginManager, offered: Sequence[Any]) -> dict[str, Transform]:
    found: dict[str, Transform] = {}
    for part in manager.hook.hub_transforms():
        found |= part
    prefixes = tuple(f"{one.manifest.code}_" for one in offered if hasattr(one, "manifest"))
    for name, transform in found.items():
        if not isinstance(transform, Transform):
            raise PluginError(f"Transform {name!r} is no Transform.")
        if not name.startswith(prefixes):
            raise PluginError(f"Transform {name!r} must begin with the connector's code and '_'.")
    return found


def _observer(manager: pluggy.PluginManager) -> Observer:
    def observe(event: str, fields: Mapping[str, Any]) -> None:
        manager.hook.hub_observe(event=event, fields=fields)

    return observe


def _sorted(group: str, points: Iterable[EntryPoint] | None) -> list[EntryPoint]:
    every = entry_points(group=group) if points is None else points
    return sorted(every, key=lambda point: (point.name, point.value))


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except Exception:  # a parent package that breaks on import
        return False


def _name(connector: Any) -> str:
    return getattr(connector, "__name__", type(connector).__name__)


def _sentence(error: BaseException) -> str:
    """Return the first line of an error as one sentence, with its kind unless it is ours."""
    lines = str(error).strip().splitlines()
    said = lines[0] if lines else "no reason given"
    text = said if isinstance(error, PluginError) else f"{type(error).__name__}: {said}"
    return text[:_REASON_MAX].rstrip(".") + "."

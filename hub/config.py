"""Settings: a default file, the operator's file, the environment; checked before anything starts.

`config.default.toml` documents every key. `HUB_HOME/config.toml` overrides it, the environment's
`HUB_<SECTION>__<KEY>` overrides both. An unknown key, a wrong type or a value out of range is a
`ConfigError` that names the key, the place it came from and what is allowed. Only `hub.app` and
`hub.cli` import this module; everyone else is handed values.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_type_hints

from hub.errors import ConfigError

HOME_VARIABLE: Final = "HUB_HOME"
_DEFAULT_HOME: Final = ".hub"
_DEFAULT_FILE: Final = "config.default.toml"
_VARIABLE: Final = re.compile(r"HUB_([A-Z0-9]+)__([A-Z0-9_]+)")
_MASK: Final = "…"
_LONGEST: Final = 80  # characters of a wrong value that an error repeats


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `least` to `most`, both included."""

    least: float
    most: float

    def allows(self, value: float) -> bool:
        """Tell whether the value lies within."""
        return math.isfinite(value) and self.least <= value <= self.most

    def __str__(self) -> str:
        """Name the range in a sentence."""
        return f"{self.least} to {self.most}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a closed list of texts."""

    names: tuple[str, ...]

    def allows(self, value: str) -> bool:
        """Tell whether the value is listed."""
        return value in self.names

    def __str__(self) -> str:
        """Name the choice in a sentence."""
        return ", ".join(self.names)


@dataclass(frozen=True, slots=True)
class Confidential:
    """The value may carry a password: never shown in full."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the data lies. `url` is an SQLAlchemy address, never empty."""

    url: Annotated[str, Confidential()] = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """Where the master key lies."""

    master_key_file: str


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How much is logged and in which form."""

    level: Annotated[str, OneOf(("debug", "info", "warning", "error"))]
    format: Annotated[str, OneOf(("auto", "console", "json"))]


@dataclass(frozen=True, slots=True)
class JobsSettings:
    """When due work is looked for, and how much runs at once."""

    tick_s: Annotated[float, Range(0.05, 60)]
    max_flows: Annotated[int, Range(1, 256)]


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """How long raw documents are kept."""

    archive_days: Annotated[int, Range(1, 3650)]


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where connections may lead."""

    allow_loopback: bool


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the demo plays."""

    seed: Annotated[int, Range(0, 2**31 - 1)]


@dataclass(frozen=True, slots=True)
class Settings:
    """Effective settings. `sources` names, per key, the place its value came from."""

    home: Path
    database: DatabaseSettings
    vault: VaultSettings
    log: LogSettings
    jobs: JobsSettings
    sync: SyncSettings
    http: HttpSettings
    demo: DemoSettings
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as `hub doctor` shows it; `value` is masked where it may carry a secret."""

    key: str
    value: str
    source: str
    allowed: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a key accepts: its type and, perhaps, a limit."""

    type: type
    limit: Range | OneOf | None
    is_confidential: bool

    def __str__(self) -> str:
        if self.limit is not None:
            return str(self.limit)
        return {bool: "true or false", str: "text"}[self.type]


def _sections() -> dict[str, type]:
    hints = get_type_hints(Settings)
    return {f.name: hints[f.name] for f in fields(Settings) if f.name not in {"home", "sources"}}


def _rules() -> dict[str, _Rule]:
    rules = {}
    for section, owner in _sections().items():
        for name, hint in get_type_hints(owner, include_extras=True).items():
            base, *marks = get_args(hint) or (hint,)
            limit = next((m for m in marks if isinstance(m, Range | OneOf)), None)
            secret = any(isinstance(m, Confidential) for m in marks)
            rules[f"{section}.{name}"] = _Rule(base, limit, secret)
    return rules


RULES: Final[Mapping[str, _Rule]] = _rules()
"""Every key, `section.name`, with what it accepts."""


def load(home: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings.

    `home` wins over the variable HUB_HOME. All problems are reported at once.
    """
    env = os.environ if env is None else env
    folder = (home or Path(env.get(HOME_VARIABLE) or _DEFAULT_HOME)).expanduser().absolute()
    values: dict[str, Any] = {}
    sources = {"home": "given" if home else HOME_VARIABLE if env.get(HOME_VARIABLE) else "default"}
    problems: list[ConfigError] = []
    for source, key, raw in _layers(folder, env):
        try:
            values[key] = _checked(key, raw, source)
        except ConfigError as problem:
            problems.append(problem)
        sources[key] = source
    _raise(problems)
    values["database.url"] = values["database.url"] or f"sqlite:///{folder / 'hub.db'}"
    values["vault.master_key_file"] = values["vault.master_key_file"] or str(folder / "master.key")
    sections = {
        section: owner(**{f.name: values[f"{section}.{f.name}"] for f in fields(owner)})
        for section, owner in _sections().items()
    }
    return Settings(home=folder, sources=sources, **sections)


def explain(settings: Settings) -> list[Effective]:
    """Return every effective value and where it came from, secrets blanked."""
    shown = [Effective("home", repr(str(settings.home)), settings.sources["home"], "a folder")]
    for key, rule in RULES.items():
        section, name = key.split(".")
        value = getattr(getattr(settings, section), name)
        shown.append(Effective(key, _show(value, rule), settings.sources[key], str(rule)))
    return shown


def default_text() -> str:
    """Return the default file as it ships, comments included."""
    return resources.files("hub").joinpath(_DEFAULT_FILE).read_text(encoding="utf-8")


def _layers(home: Path, env: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    """Yield (source, key, raw value), weakest layer first."""
    yield from _flat(_parse(default_text(), _DEFAULT_FILE), "default")
    file = home / "config.toml"
    if file.is_file():
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} cannot be read: {type(error).__name__}.") from error
        yield from _flat(_parse(text, str(file)), str(file))
    for variable in sorted(env):
        match = _VARIABLE.fullmatch(variable)
        if match:
            yield variable, f"{match[1]}.{match[2]}".lower(), _FromText(env[variable])


class _FromText(str):
    """A value that still has to be read from a variable's text."""

    __slots__ = ()


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not valid TOML: {error}.") from error


def _flat(tables: Mapping[str, Any], source: str) -> Iterator[tuple[str, str, Any]]:
    for section, content in tables.items():
        if isinstance(content, dict):
            yield from ((source, f"{section}.{name}", raw) for name, raw in content.items())
        else:
            yield source, section, content


def _checked(key: str, raw: Any, source: str) -> Any:
    rule = RULES.get(key)
    if rule is None:
        raise _unknown(key, source)
    value = _read(raw, rule)
    if value is None or (rule.limit is not None and not rule.limit.allows(value)):
        raise ConfigError(
            f"{key} = {_show(raw, rule)} ({source}) is not allowed. Allowed: {rule}.", key=key
        )
    return value


def _unknown(key: str, source: str) -> ConfigError:
    section = key.partition(".")[0]
    siblings = [known for known in RULES if known.startswith(f"{section}.")]
    return ConfigError(
        f"There is no setting {key!r} ({source}).",
        key=key,
        known=siblings or [f"[{name}]" for name in _sections()],
    )


def _read(raw: Any, rule: _Rule) -> Any:
    """Return the value in its own type, or None where it is not of that type."""
    if isinstance(raw, _FromText):
        raw = _from_text(str(raw), rule.type)
    if rule.type is float and type(raw) is int:
        return float(raw)
    return raw if type(raw) is rule.type else None


def _from_text(text: str, wanted: type) -> Any:
    if wanted is bool:
        return {"true": True, "false": False}.get(text.lower())
    try:
        return wanted(text)
    except ValueError:
        return None


def _show(value: Any, rule: _Rule) -> str:
    if rule.is_confidential:
        return _without_password(str(value))
    if isinstance(value, str):
        return repr(str(value) if len(value) <= _LONGEST else f"{value[:_LONGEST]}{_MASK}")
    return str(value).lower()


def _without_password(address: str) -> str:
    """Keep driver, host and path, which help to find a mistake; mask the rest."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return repr(_MASK if address else "")
    place = rest.rpartition("@")[2].partition("?")[0]
    return repr(f"{scheme}://{_MASK + '@' if '@' in rest else ''}{place}")


def _raise(problems: list[ConfigError]) -> None:
    if len(problems) == 1:
        raise problems[0]
    if problems:
        lines = " ".join(str(problem) for problem in problems)
        raise ConfigError(f"{len(problems)} settings are wrong. {lines}", key=problems[0].key)

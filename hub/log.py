"""Logging: one event a line, to stderr, with nothing in it that a stranger may not read.

An event is named `noun.verb` and carries fields, never a sentence: `page.applied documents=100
took_s=0.8`. Only fields on `SHOWN` are printed as they are, the value of any other one is masked:
allow-lists age well, deny-lists leak. Texts from outside cannot forge a line, because control and
direction characters are escaped. A traceback shows where, never the local variables, and never the
message of an error that is not ours: foreign messages carry URLs with tokens in them. What
libraries log through the standard module is shown from WARNING on, as a template without its
arguments.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO, cast

import structlog

from hub.errors import HubError

SHOWN: Final = frozenset({
    "age_s", "applied", "archived", "at", "attempt", "bytes", "calls", "canonical", "changed",
    "channel", "code", "connection", "cost", "count", "created", "cursor_age_s", "day", "dead",
    "delay_s", "deleted", "dir", "disagreements", "documents", "done", "due", "duplicate",
    "duplicates", "error", "event", "every_s", "failed", "failures", "fault", "faults", "field", "file",
    "flow", "flows", "format", "freshness_s", "held", "hint", "hook", "host", "id", "job",
    "key_id", "kind", "level", "line", "location", "mapping", "members", "merchant",
    "method", "migration", "module", "native", "new", "orders", "outcomes", "oversold", "page", "pages",
    "path", "permission", "pid", "plugin", "port", "pushed", "queued", "reason", "receipts",
    "received", "records", "rejected", "released", "request_id", "revision", "role", "rows",
    "rule", "run", "seed", "signal", "state", "status", "stream", "table", "timestamp", "to",
    "took_s", "topic", "total", "trace", "type", "unchanged", "until", "updated", "variants",
    "verb", "version", "waited_s", "waiting", "why", "written",
})  # fmt: skip
"""Field names whose values are shown. None of them may hold personal data or a secret."""

MASK: Final = "…"
_LONGEST: Final = 500  # characters of one value
_FRAMES: Final = 12  # of a traceback, counted from where it broke
_EVENT: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_UNNAMED: Final = "event.unnamed"
_ADDRESS: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?([^\s?#]*)[?#]?[^\s]*", re.I)
_PLACEHOLDER: Final = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[a-zA-Z%]")


def configure(*, level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Set up logging for this process. Calling it again replaces what was set up before.

    `level`: debug, info, warning or error. `form`: console, json, or auto, which is console on a
    terminal. `stream` is stderr unless a test wants to read it.
    """
    out = _Tolerant(stream or sys.stderr)
    is_terminal = out.isatty()
    as_json = form == "json" or (form == "auto" and not is_terminal)
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=is_terminal)
    )
    steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_event,
        _flatten_error,
        _show_only_listed,
    ]
    structlog.configure(
        processors=[*steps, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", out)),
        cache_logger_on_first_use=False,
    )
    _adopt_libraries()


def get_logger(name: str | None = None, **bound: Any) -> Any:
    """Return a logger; the module's `name` and `bound` fields go with each of its events."""
    return structlog.get_logger(**({"module": name} if name else {}), **bound)


def shown(value: Any) -> Any:
    """Return a value as a log line may show it: plain, short, without control characters.

    Our own errors are shown in full, foreign ones by their type only.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_clean(str(name)): _field(str(name), part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [shown(part) for part in value]
    return _clean(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str | Path | HubError):
        return str(value)
    if isinstance(value, BaseException):
        return type(value).__name__
    return value.isoformat() if isinstance(value, date) else f"<{type(value).__name__}>"


def where(error: BaseException) -> str:
    """Return the way to an error, outermost frame first: `a.py:12 pull > b.py:3 call`.

    Names and lines only: no source text, no local variables, no message.
    """
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " > ".join(f"{_module(f.filename)}:{f.lineno} {f.name}" for f in frames)


def _module(filename: str) -> str:
    parts = Path(filename).parts
    return "/".join(parts[-3:])


def _clean(text: str) -> str:
    text = _ADDRESS.sub(_without_query, text)
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + MASK
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _without_query(match: re.Match[str]) -> str:
    whole = match[0]
    plain = match[1] + match[2]
    return plain if plain == whole else f"{plain}{MASK}"


def _field(name: str, value: Any) -> Any:
    return shown(value) if name in SHOWN else MASK


def _name_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A sentence in the place of an event name may carry anything: it is not shown."""
    if not _EVENT.fullmatch(str(event.get("event", ""))):
        event["event"] = _UNNAMED
    return event


def _flatten_error(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Turn `exc_info` into the fields error, type and trace."""
    given = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = _error_of(given)
    if error is not None:
        event.setdefault("error", error)
        event["type"] = type(error).__name__
        event["trace"] = where(error)
    return event


def _error_of(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _show_only_listed(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {_clean(str(name)): _field(str(name), value) for name, value in event.items()}


class _Tolerant:
    """A stream whose failures (disk full, reader gone) lose a line and never stop the hub."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class _Adopted(logging.Handler):
    """Hands what libraries log to our own pipeline, without arguments and foreign messages."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            logging.ERROR if record.levelno >= logging.ERROR else logging.WARNING,
            "library.logged",
            module=record.name,
            why=template(record),
            exc_info=record.exc_info,
        )


def template(record: logging.LogRecord) -> str:
    """Return a library's message with every argument that is not a number left out."""
    text = str(record.msg)
    first = text.splitlines()[0] if text else ""
    if record.name == "py.warnings":  # `file:line: Category: whatever somebody wrote`
        return ": ".join(first.split(": ")[:2])
    if not record.args:
        return first
    args: Iterable[Any] = (
        record.args.values() if isinstance(record.args, Mapping) else tuple(record.args)
    )
    left = iter(args)

    def fill(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        value = next(left, None)
        is_number = isinstance(value, int | float) and not isinstance(record.args, Mapping)
        return str(value) if is_number else MASK

    return _PLACEHOLDER.sub(fill, first)


def _adopt_libraries() -> None:
    """Route the standard module through us, never below WARNING.

    httpx logs whole URLs at INFO and httpcore headers at DEBUG, so the level of the hub's own log
    does not apply to libraries.
    """
    root = logging.getLogger()
    root.handlers[:] = [h for h in root.handlers if not _is_ours_or_console(h)]
    root.addHandler(_Adopted())
    root.setLevel(logging.WARNING)
    for name in ("httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _is_ours_or_console(handler: logging.Handler) -> bool:
    is_console = type(handler) is logging.StreamHandler
    return isinstance(handler, _Adopted) or is_console

"""Instants: UTC, microseconds, one text form that sorts as time does.

`2026-10-05T08:00:00.000000Z` is the form on the record path and in SQLite; PostgreSQL keeps
the same instant as `timestamptz`. A time without a zone is refused here, never guessed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("time without a zone")
    return value.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_utc)]
"""An aware datetime, normalised to UTC."""


def now() -> datetime:
    """Return the present instant. Called at the rim only; everything below takes `now` as a value."""
    return datetime.now(UTC)


def to_text(value: datetime) -> str:
    """Write an aware datetime in the one sortable form."""
    return _utc(value).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> datetime:
    """Read RFC 3339 / ISO 8601 with an offset or `Z`. Raises `ValueError` without a zone."""
    return _utc(datetime.fromisoformat(text))


def normal(text: str) -> str:
    """Bring an RFC 3339 text into the sortable form; the usual UTC second form takes no rebuilding."""
    if len(text) == 20 and text[4::3] == "--T::Z":  # noqa: PLR2004 - 2026-10-05T08:00:00Z
        datetime.fromisoformat(text)
        return text[:19] + ".000000Z"
    return to_text(from_text(text))


@cache
def zone(name: str) -> ZoneInfo:
    """Return the IANA zone. Raises `ValueError` for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def from_local(text: str, zone_name: str) -> datetime:
    """Read `2026-10-05 08:00[:00]` as wall time in a zone.

    A time that a clock change repeats or skips means the earlier instant (fold 0).
    """
    value = datetime.fromisoformat(text)
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    return value.replace(tzinfo=zone(zone_name)).astimezone(UTC)


def to_local(value: datetime, zone_name: str) -> str:
    """Write an instant as wall time `2026-10-05 08:00:00` in a zone."""
    return value.astimezone(zone(zone_name)).strftime("%Y-%m-%d %H:%M:%S")

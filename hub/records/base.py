"""What every record shares: frozen values, PII marks, and the sentinel for *absent*.

A record is nested the way people speak of it (an order has lines). A table is one level of it:
`hub.db.tables` derives a SQLModel table from each class here, so both always have the same fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

PiiClass = Literal["pii", "pii_high", "sensitive", "token", "free_text"]


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent.ABSENT
"""The channel did not send this field. Not null, not empty, not zero: what we hold stays."""


@dataclass(frozen=True, slots=True)
class Pii:
    """Marks a text field as personal: sealed in its column `<field>_enc`.

    With `index`, a keyed hash of the normalised value stands in `<field>_bidx`, so that equal
    values can be found without opening any.
    """

    kind: PiiClass
    index: Literal["phone", "email", "text"] | None = None


@dataclass(frozen=True, slots=True)
class Json:
    """Marks a field that is stored as JSON because the canonical model writes json there."""


@dataclass(frozen=True, slots=True)
class Link:
    """Marks a field that holds one of our own ids: never mapped, filled by the hub."""

    table: str


class Record(BaseModel):
    """A frozen, validated value. `table` names its table, `key` the fields that name it to its channel."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_timedelta="float", hide_input_in_errors=True
    )

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        """Never show field values: a record may hold personal data."""
        return f"<{type(self).__name__} {self.table}>"

    __str__ = __repr__


def derived(*, default: Any) -> Any:
    """Declare a field the hub computes by itself; a mapping file may not set it."""
    return Field(default=default, json_schema_extra={"derived": True})

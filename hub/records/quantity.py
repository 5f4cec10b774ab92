"""Quantity: int64 steps of 10^-scale of the sale unit (0 for pieces, 3 for kilograms)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from hub.records.money import INT64, half_up, scaled

Steps = Annotated[int, Field(strict=True, ge=-INT64 - 1, le=INT64)]
Count = Annotated[int, Field(strict=True, ge=0, le=INT64)]
"""Steps that cannot be negative."""

Scale = Annotated[int, Field(strict=True, ge=0, le=4)]


def to_steps(text: str, scale: int) -> int:
    """Read a decimal text ("0.535" kg at scale 3) as steps (535).

    Raises `ValueError` for anything but a finite decimal, for more decimals than `scale`
    (trailing zeros do not count), and beyond int64.
    """
    found = scaled(text, scale)
    if found is None:
        raise ValueError(f"more than {scale} decimals")
    return found


def to_text(steps: int, scale: int) -> str:
    """Write steps as a plain decimal text without trailing zeros: 1500 at scale 3 is "1.5"."""
    text = f"{Decimal(steps).scaleb(-scale):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def line_total(price_minor: int, steps: int, scale: int) -> int:
    """Return price per whole unit times quantity, rounded half up once."""
    return half_up(Decimal(price_minor) * Decimal(steps).scaleb(-scale))


@dataclass(frozen=True, slots=True)
class Quantity:
    """Steps that know their scale. Adding two scales raises `ValueError`."""

    steps: int
    scale: int = 0

    def __add__(self, other: Quantity) -> Quantity:
        if other.scale != self.scale:
            raise ValueError(f"cannot add scale {other.scale} to scale {self.scale}")
        return Quantity(self.steps + other.steps, self.scale)

"""Money: int64 minor units beside an ISO 4217 code. `Decimal` lives only at the edges.

Facts: ISO 4217 exponents (JPY 0, KWD 3, else 2). Rules: canonical model, sections 2.2 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated

from pydantic import Field

INT64 = 2**63 - 1
_SHORT = 12  # digits of the usual amount, far from any bound
_INT64_DIGITS = 40  # leading zeros counted; beyond this nobody needs to look

Minor = Annotated[int, Field(strict=True, ge=-INT64 - 1, le=INT64)]
"""A signed amount in minor units (fen, cent) of the row's currency."""

Amount = Annotated[int, Field(strict=True, ge=0, le=INT64)]
"""An unsigned amount in minor units."""

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]

# ISO 4217, "minor unit" column; every code not listed has 2 decimals.
_EXPONENTS = dict.fromkeys(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)


def exponent(currency: str) -> int:
    """Return how many decimals the currency has: CNY 2, JPY 0, KWD 3."""
    return _EXPONENTS.get(currency, 2)


def to_minor(text: str, currency: str) -> int:
    """Read a decimal text in whole units ("12.30" yuan) as minor units (1230 fen).

    Raises `ValueError` for anything that is not a finite decimal, for more decimals than the
    currency has (trailing zeros do not count), and beyond int64.
    """
    places = exponent(currency)
    found = scaled(text, places)
    if found is None:
        raise ValueError(f"more decimals than {currency} has ({places})")
    return found


def scaled(text: str, places: int) -> int | None:
    """Read a decimal text as a whole number of 10^-places; None if it has more decimals than that.

    Exact whatever the number's length. Only plain ASCII digits are a number: what `Decimal` takes
    beyond that (`1_000`, other scripts' digits) is a slip of the source.
    """
    if type(text) is str and text.isascii():
        head, dot, tail = text.partition(".")
        if head.isdigit() and len(head) <= _SHORT and len(tail) <= places:
            if tail.isdigit():
                return int(head + tail) * int(10 ** (places - len(tail)))
            if not dot:
                return int(head) * int(10**places)
    return _scaled_slowly(text, places)


def _scaled_slowly(text: str, places: int) -> int | None:
    """Read what is not of the usual short form: signs, exponents, many digits, and what is refused."""
    try:
        number = Decimal(text)
    except (InvalidOperation, TypeError) as error:
        raise ValueError("not a decimal number") from error
    if not text.isascii() or "_" in text:
        raise ValueError("not a decimal number")
    if not number.is_finite():
        raise ValueError("not a finite number")
    if not number:
        return 0
    sign, digits, power = number.as_tuple()
    shift = int(power) + places
    kept = len(digits) + shift
    if kept <= 0 or any(digits[kept:]):
        return None
    whole = "".join(map(str, digits[:kept]))
    if kept > _INT64_DIGITS:
        raise ValueError("beyond 64 bits")
    value: int = int(whole) * 10 ** max(0, shift)
    if value > INT64:
        raise ValueError("beyond 64 bits")
    return -value if sign else value


def to_text(minor: int, currency: str) -> str:
    """Write minor units as a decimal text in whole units, always with the currency's decimals."""
    return str(
        Decimal(minor).scaleb(-exponent(currency)).quantize(Decimal(1).scaleb(-exponent(currency)))
    )


def half_up(value: Decimal) -> int:
    """Round once, half away from zero: the only rounding the hub itself does on money."""
    return int(value.to_integral_value(rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount that knows its currency. Adding two currencies raises `ValueError`."""

    amount: int
    currency: str

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)


def allocate(total: int, weights: Sequence[int], quantities: Sequence[int] = ()) -> list[int]:
    """Split `total` minor units over lines in proportion to `weights`, exactly.

    Largest remainder, ties to the lowest position; integers only. Weights that are all zero
    fall back to `quantities`, then to equal parts. A share never passes its weight (only then
    is the rest spread again), as long as the weights can carry the total.
    """
    if not weights:
        if total:
            raise ValueError("nothing to allocate to")
        return []
    if sum(weights) == 0:
        basis = list(quantities) if sum(quantities) else [1] * len(weights)
        return _largest_remainder(total, basis)
    shares = _largest_remainder(total, weights)
    if total > sum(weights):
        return shares
    return _capped(shares, weights)


def _largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    left = total - sum(shares)
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[:left]:
        shares[i] += 1
    return shares


def _capped(shares: list[int], caps: Sequence[int]) -> list[int]:
    over = 0
    for i, cap in enumerate(caps):
        if shares[i] > cap:
            over += shares[i] - cap
            shares[i] = cap
    for i, cap in enumerate(caps):
        step = min(over, cap - shares[i])
        shares[i] += step
        over -= step
    return shares

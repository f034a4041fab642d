"""The results to as many digits as every machine agrees on.

The same data give results that differ in their last bits from machine to machine, because BLAS, NumPy and the C library
take other instructions on other processors, and because another number of threads adds numbers in another order. What
is shown, written or compared is therefore rounded once, here, so that “2.25” is never “2.3” on one machine and “2.2” on
another.
"""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")

DIGITS = 8
"""Significant digits. A number that differs in its 15th digit then changes once in some ten million times."""

DECIMALS = 8
"""Digits after the point: what is smaller is the rounding error of a difference."""

_P_VALUES = ("p", "p_holm", "p_permutation")
"""Fields that hold probabilities, which may be very small and mean it."""


def rounded(results: T) -> T:
    """The same results, every float in them rounded to :data:`DIGITS` and, but for p-values, :data:`DECIMALS`."""
    return _rounded(results, DECIMALS)  # type: ignore[no-any-return]


def _rounded(value: Any, decimals: int | None) -> Any:
    if isinstance(value, float):
        return _number(value, decimals)
    if is_dataclass(value) and not isinstance(value, type):
        of_fields = {
            field.name: _rounded(getattr(value, field.name), None if field.name in _P_VALUES else decimals)
            for field in fields(value)
        }
        return type(value)(**of_fields)
    if isinstance(value, Mapping):
        return {key: _rounded(each, decimals) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_rounded(each, decimals) for each in value)
    return value


def _number(value: float, decimals: int | None) -> float:
    if not math.isfinite(value):
        return value
    kept = value if decimals is None else round(value, decimals)
    return float(f"{kept:.{DIGITS}g}") + 0.0  # + 0.0: no −0.0

"""Numbers as a reader of the report reads them: “ρ = 0.60 (95 % CI 0.31 to 0.79), p < 0.001”."""

import re
from collections.abc import Iterable
from dataclasses import replace

from reports.results.measures import Correlation, Estimate, Interval, NotComputable, Spread

MINUS = "−"

SMALLEST_P = 0.001
"""A smaller p-value is written as “< 0.001”."""


_NAMES = {"random": "random search", "tpe": "TPE", "people": "all people"}


def called(name: str) -> str:
    """What a reader reads for a group or a searcher."""
    return _NAMES.get(name, name)


def number(value: float, digits: int = 1) -> str:
    """With so many digits after the point, a true minus sign, and thousands apart; never “−0.0”."""
    text = f"{value:,.{digits}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.") else MINUS + text[1:]
    return text


def whole(value: float) -> str:
    """As many digits as it needs, four at most: ``12``, ``2.5``, ``0.001``."""
    return f"{value:.4g}".replace("-", MINUS)


def percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1 as percent."""
    return f"{number(100 * share, digits)} %"


def p_value(p: float) -> str:
    """``p = 0.029`` or ``p < 0.001``."""
    return f"p < {SMALLEST_P:g}" if p < SMALLEST_P else f"p = {p:.3f}"


def interval(given: Interval | NotComputable, digits: int = 1, unit: str = "") -> str:
    """``95 % CI 0.31 to 0.79``; empty where there is none."""
    if isinstance(given, NotComputable):
        return ""
    bounds = f"{number(given.low, digits)} to {number(given.high, digits)}"
    return f"{number(100 * given.level, 0)} % CI {bounds}{unit}"


def estimate(given: Estimate, digits: int = 1, unit: str = "") -> str:
    """``55.9 % (95 % CI 46.3 to 64.8 %)``."""
    bounds = interval(given.interval, digits, unit)
    return f"{number(given.value, digits)}{unit}" + (f" ({bounds})" if bounds else "")


def spread(given: Spread, digits: int = 1) -> str:
    """``55.9 ± 26.3``; of one value without the second."""
    sd = "" if isinstance(given.sd, NotComputable) else f" ± {number(given.sd, digits)}"
    return f"{number(given.mean, digits)}{sd}"


def correlation(given: Correlation) -> str:
    """``ρ = 0.60 (95 % CI 0.31 to 0.79), p < 0.001``."""
    return f"ρ = {estimate(given.rho, 2)}, {p_value(given.p)}"


def lead(given: Estimate, digits: int = 1) -> str:
    """``6.2 points ahead (95 % CI 1.0 to 11.4)``, or so many points behind."""
    if given.value >= 0:
        bounds, how, value = given.interval, "ahead", given.value
    else:
        bounds, how, value = given.interval, "behind", -given.value
        if isinstance(bounds, Interval):
            bounds = replace(bounds, low=-bounds.high, high=-bounds.low)
    told = interval(bounds, digits)
    return f"{number(value, digits)} points {how}" + (f" ({told})" if told else "")


def counted(count: int, one: str, several: str | None = None) -> str:
    """``1 person``, ``no people``, ``1 204 trials``."""
    name = one if count == 1 else several or f"{one}s"
    return f"{number(count, 0) if count else 'no'} {name}"


_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def in_words(count: int) -> str:
    """A count in a sentence: in words up to twelve (``no``, ``one``, … ``twelve``), in digits beyond (``1,204``)."""
    return _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"


def people(count: int) -> str:
    """``31 people``."""
    return counted(count, "person", "people")


def listed(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def capital(text: str) -> str:
    """With a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def typographic(text: str) -> str:
    """With ’ for ', and without line breaks within “p = 0.03” and “55 %”."""
    return _CLOSE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text.replace("'", "’"))


_CLOSE = re.compile(r" [%=<±](?: |(?=[\s.,;:)]|$))")

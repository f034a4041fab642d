"""Tables of how many tries it takes, and of curves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reports.results.measures import Curve, Estimate, NotComputable
from reports.results.paper import AccuracyAfterTries, GroupTries, Threshold
from reports.tables.columns import FROM, GROUP, TO, Column, Entry, Heading, Layout, high, low, or_none


def _mean(tries: GroupTries) -> Estimate | None:
    return tries.mean if isinstance(tries.mean, Estimate) else None


THRESHOLDS = Layout[GroupTries](
    labels=(Heading("threshold", "threshold %", 0), GROUP),
    columns=(
        Column("n", "n", lambda tries: tries.n, otherwise=0),
        Column("reached", "reached it", lambda tries: tries.reached),
        Column("never", "never", lambda tries: tries.never),
        Column("mean", "mean tries", lambda tries: mean.value if (mean := _mean(tries)) else None, 1),
        Column("low", FROM, lambda tries: low(mean) if (mean := _mean(tries)) else None, 1),
        Column("high", TO, lambda tries: high(mean) if (mean := _mean(tries)) else None, 1),
        Column("median", "median", lambda tries: or_none(tries.median), 1),
        Column("mean_at_least", "mean of all, at least", lambda tries: tries.mean_at_least, 1),
    ),
    note=lambda tries: tries.mean.why if isinstance(tries.mean, NotComputable) else None,
)


def thresholds(found: Sequence[Threshold]) -> Iterator[Entry[GroupTries]]:
    """The numbers of figure 6."""
    for threshold in found:
        yield from (Entry((threshold.accuracy, group), tries) for group, tries in threshold.groups.items())


class Point(NamedTuple):
    """A point of a curve."""

    at: float
    mean: float
    error: float | None
    n: int


_POINT: tuple[Column[Point], ...] = (
    Column("at", "at", lambda point: point.at, 1),
    Column("mean", "mean", lambda point: point.mean, 2),
    Column("standard_error", "standard error", lambda point: point.error, 2),
    Column("n", "n", lambda point: point.n),
)

CURVES = Layout[Point](labels=(GROUP,), columns=_POINT, has_note=False)


def curves(found: Mapping[str, Curve | NotComputable]) -> Iterator[Entry[Point]]:
    """Every point of every curve."""
    for group, curve in found.items():
        if isinstance(curve, Curve):
            yield from (Entry((group,), point) for point in map(Point, curve.at, curve.mean, curve.error, curve.n))


AFTER_TRIES = Layout[Point](labels=(Heading("curve", "curve"), GROUP), columns=_POINT, has_note=False)


def after_tries(found: AccuracyAfterTries) -> Iterator[Entry[Point]]:
    """The curves of figure 7."""
    named = {
        "best so far": found.best.default,
        "best so far, of those who still try": found.best.alternative,
        "this try": found.this_try,
    }
    for name, of_groups in named.items():
        yield from (Entry((name, *entry.labels), entry.numbers) for entry in curves(of_groups))

"""Tables of how many tries people need, with those who never get there."""

from collections.abc import Iterator, Sequence

from reports.results.paper import Threshold
from reports.results.survival import LogRank, TriesNeeded
from reports.tables.columns import FROM, GROUP, TO, Column, Entry, Heading, Layout, or_none

_THRESHOLD = Heading("threshold", "threshold %", 0)

NEEDED = Layout[TriesNeeded](
    labels=(_THRESHOLD, GROUP),
    columns=(
        Column("n", "n", lambda found: found.n, otherwise=0),
        Column("reached", "reached it", lambda found: found.reached),
        Column("median", "median tries", lambda found: or_none(found.median), 0),
        Column("low", FROM, lambda found: or_none(found.low), 0),
        Column("high", TO, lambda found: or_none(found.high), 0),
    ),
    note=lambda found: next(
        (each.why for each in (found.median, found.low, found.high) if not isinstance(each, float)), None
    ),
)

LOG_RANK = Layout[LogRank](
    labels=(_THRESHOLD,),
    columns=(
        Column("first", "first", lambda test: test.first),
        Column("second", "second", lambda test: test.second),
        Column("n_first", "n", lambda test: test.n_first),
        Column("n_second", "n", lambda test: test.n_second),
        Column("statistic", "z", lambda test: test.statistic, 2),
        Column("p", "p", lambda test: test.p, 3, is_p=True),
        Column("p_holm", "p, Holm", lambda test: test.p_holm, 3, is_p=True),
    ),
)


def needed(found: Sequence[Threshold]) -> Iterator[Entry[TriesNeeded]]:
    """Each group's median."""
    for threshold in found:
        yield from (Entry((threshold.accuracy, group), each) for group, each in threshold.needed.items())


def log_rank(found: Sequence[Threshold]) -> Iterator[Entry[LogRank]]:
    """The tests of pairs."""
    for threshold in found:
        yield from (Entry((threshold.accuracy,), each) for each in threshold.log_rank)

"""Tables of who took part."""

from collections.abc import Iterator
from typing import NamedTuple

from reports.results.measures import Histogram, NotComputable
from reports.results.paper import Experience
from reports.results.study_results import Counts
from reports.tables.columns import GROUP, Column, Entry, Heading, Layout
from reports.wording import called

COUNTS = Layout[float](
    labels=(Heading("what", "what"),), columns=(Column("count", "count", lambda count: count),), has_note=False
)


def counts(found: Counts) -> Iterator[Entry[float]]:
    """How many there are of everything."""
    yield from (Entry((what,), count) for what, count in _counts(found))


def _counts(found: Counts) -> Iterator[tuple[str, float]]:
    yield "people invited", found.invited
    yield "… who consented", found.consented
    yield "… who told their background", found.described
    yield "… who began", found.began
    yield "people analysed", found.analysed
    yield from ((f"… {group}", count) for group, count in found.by_group.items())
    yield "… final choice made automatically", found.chosen_by_clock
    yield "people in a session now", found.unfinished
    yield "people who withdrew (in no figure)", found.withdrawn
    yield "sessions that a researcher ended", found.cancelled
    yield "people who submitted nothing", found.empty
    yield "trials of the people analysed", found.submitted
    yield "… different configurations", found.different
    yield from ((f"… {state}", count) for state, count in found.trials.items())
    yield "hours trained in them", round(found.seconds_trained / 3600, 1)
    yield "evaluations of final choices", sum(found.evaluations.values())
    yield from ((f"… {state}", count) for state, count in found.evaluations.items() if count)
    for searcher, states in found.searcher_trials.items():
        yield f"artificial participants: {called(searcher)}", found.artificial_participants.get(searcher, 0)
        yield from ((f"… trials {state}", count) for state, count in states.items() if count)


class Bin(NamedTuple):
    """A bar of a histogram."""

    low: float
    high: float
    height: int


def bins(histogram: Histogram) -> Iterator[Bin]:
    """The bars of a histogram."""
    yield from map(Bin, histogram.edges[:-1], histogram.edges[1:], histogram.counts)


EXPERIENCE = Layout[Bin](
    labels=(GROUP,),
    columns=(
        Column("from", "from months", lambda each: each.low, 0),
        Column("to", "to months", lambda each: each.high, 0),
        Column("count", "people", lambda each: each.height),
    ),
    has_note=False,
)


def experience(found: Experience | NotComputable) -> Iterator[Entry[Bin]]:
    """The bars of figure 3."""
    if isinstance(found, Experience):
        for group, of_group in found.by_group.items():
            yield from (Entry((group,), each) for each in bins(Histogram(found.histogram.edges, of_group)))

"""Tables of how people begin, why they choose what they choose, and how they search."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reports.results.further import GroupSearch
from reports.results.measures import NotComputable
from reports.results.paper import GroupComments, GroupStart
from reports.tables.columns import FROM, GROUP, TO, Column, Entry, Heading, Layout, high, low
from training.hyperparameters import HYPERPARAMETERS

LABELS = {each.name: each.label for each in HYPERPARAMETERS}

STARTS = Layout[GroupStart](
    labels=(GROUP,),
    columns=(
        Column("defaults", "all at default", lambda start: start.defaults),
        Column("others", "something changed", lambda start: start.others),
        Column("share", "share", lambda start: start.share.value, 2),
        Column("low", FROM, lambda start: low(start.share), 2),
        Column("high", TO, lambda start: high(start.share), 2),
        Column("above", "with defaults: above 50 %", lambda start: start.above),
        Column("known", "of", lambda start: len(start.accuracies)),
        Column("others_above", "others: above 50 %", lambda start: start.others_above),
        Column("others_known", "of", lambda start: len(start.others_accuracies)),
    ),
)


class CommentShare(NamedTuple):
    """One kind of comment in a group."""

    group: GroupComments
    comment: str


COMMENTS = Layout[CommentShare](
    labels=(GROUP,),
    columns=(
        Column("people", "people", lambda each: each.group.people),
        Column("silent", "without comments", lambda each: each.group.silent),
        Column("comment", "comment", lambda each: each.comment),
        Column("count", "count", lambda each: each.group.counts[each.comment]),
        Column("share", "share", lambda each: each.group.shares[each.comment], 2),
    ),
    has_note=False,
)


def comments(found: Mapping[str, GroupComments | NotComputable]) -> Iterator[Entry[CommentShare]]:
    """The numbers of figure 9."""
    for name, group in found.items():
        if isinstance(group, GroupComments):
            yield from (Entry((name,), CommentShare(group, comment)) for comment in group.shares)


SEARCHES = Layout[GroupSearch](
    labels=(GROUP,),
    columns=(
        Column("people", "people", lambda group: group.people),
        Column("steps", "steps", lambda group: group.steps),
        Column("distance", "distance", lambda group: group.distance.value, 2),
        Column("low", FROM, lambda group: low(group.distance), 2),
        Column("high", TO, lambda group: high(group.distance), 2),
        Column("changed", "values changed", lambda group: group.changed.value, 1),
        Column("changed_low", FROM, lambda group: low(group.changed), 1),
        Column("changed_high", TO, lambda group: high(group.changed), 1),
        Column("one_value", "one value", lambda group: group.one_value.value, 2),
        Column("same", "none", lambda group: group.same, 2),
        Column("exploitation", "exploitation", lambda group: group.exploitation, 2),
        Column("exploration", "exploration", lambda group: group.exploration, 2),
        Column("improved", "improved", lambda group: group.improved, 2),
    ),
)

CHANGED = Layout[float](
    labels=(Heading("hyperparameter", "hyperparameter"), GROUP),
    columns=(Column("share", "share", lambda share: share, 2),),
    has_note=False,
)


def changed(found: Mapping[str, Mapping[str, float]]) -> Iterator[Entry[float]]:
    """Which values steps change."""
    for group, shares in found.items():
        yield from (Entry((LABELS.get(name, name), group), share) for name, share in shares.items())

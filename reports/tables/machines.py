"""Tables of people against machines, of the importance of hyperparameters, and of a follow-up."""

from collections.abc import Iterator
from typing import NamedTuple

from reports.results.further import AgainstRandom, AgainstTpe, FollowUp, Importance, PowerLine
from reports.results.measures import NotComputable
from reports.tables.columns import FROM, GROUP, TO, Column, Entry, Layout, high, low
from reports.tables.strategies import LABELS

AGAINST_RANDOM = Layout[AgainstRandom](
    labels=(GROUP,),
    columns=(
        Column("n", "n", lambda found: found.n),
        Column("best", "best validation %", lambda found: found.best, 1),
        Column("random_best", "random search’s", lambda found: found.random_best, 1),
        Column("advantage", "advantage", lambda found: found.advantage.value, 1),
        Column("low", FROM, lambda found: low(found.advantage), 1),
        Column("high", TO, lambda found: high(found.advantage), 1),
        Column("ahead", "ahead in", lambda found: found.ahead, 2),
        Column("worth", "worth random tries", lambda found: found.worth),
    ),
)

AGAINST_TPE = Layout[AgainstTpe](
    labels=(GROUP,),
    columns=(
        Column("n", "n", lambda found: found.n_people),
        Column("n_tpe", "n, TPE", lambda found: found.n_tpe),
        Column("people", "people’s mean %", lambda found: found.people.mean, 1),
        Column("tpe", "TPE’s", lambda found: found.tpe.mean, 1),
        Column("difference", "difference", lambda found: found.difference.mean.value, 1),
        Column("low", FROM, lambda found: low(found.difference.mean), 1),
        Column("high", TO, lambda found: high(found.difference.mean), 1),
        Column("rank_biserial", "rank-biserial r", lambda found: found.difference.rank_biserial.value, 2),
        Column("p", "p", lambda found: found.difference.test.p, 3, is_p=True),
        Column("p_permutation", "p, permutation", lambda found: found.difference.test.p_permutation, 3, is_p=True),
        Column("p_holm", "p, Holm", lambda found: found.difference.test.p_holm, 3, is_p=True),
    ),
)


class Share(NamedTuple):
    """How much one hyperparameter accounts for."""

    hyperparameter: str
    of: Importance


IMPORTANCE = Layout[Share](
    labels=(),
    columns=(
        Column("hyperparameter", "hyperparameter", lambda each: LABELS.get(each.hyperparameter, each.hyperparameter)),
        Column("share", "share", lambda each: each.of.shares[each.hyperparameter], 3),
        Column("sd", "sd", lambda each: each.of.sd.get(each.hyperparameter), 3),
        Column("n", "trials", lambda each: each.of.n),
    ),
)


def importance(found: Importance | NotComputable) -> Iterator[Entry[Share]]:
    """The shares of fANOVA, the largest first."""
    if isinstance(found, NotComputable):
        yield Entry((), found)
    else:
        yield from (Entry((), Share(name, found)) for name in found.shares)


class PowerPoint(NamedTuple):
    """The power at one number of people."""

    line: PowerLine
    people: int
    power: float


FOLLOW_UP = Layout[PowerPoint](
    labels=(),
    columns=(
        Column("what", "true correlation", lambda point: point.line.what),
        Column("rho", "ρ", lambda point: point.line.rho, 2),
        Column("people", "people", lambda point: point.people),
        Column("power", "power", lambda point: point.power, 2),
    ),
)


def follow_up(found: FollowUp | NotComputable) -> Iterator[Entry[PowerPoint]]:
    """The power at each number of people."""
    if isinstance(found, NotComputable):
        yield Entry((), found)
        return
    for line in found.lines:
        yield from (Entry((), PowerPoint(line, at, power)) for at, power in zip(line.at, line.power, strict=True))

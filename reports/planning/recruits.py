"""Who takes part in a planned study: groups, their months of experience, and how accuracies are spread."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy import special

from reports.analysis import final_accuracy
from reports.analysis.follow_up import Case, cases
from reports.data.population import Population
from reports.data.study_data import StudyData
from reports.results.measures import NotComputable
from reports.statistics.arrays import Floats
from reports.statistics.inference import FEWEST_PAIRS
from storage.study_rules import GROUPS

_NODES = np.linspace(-8, 8, 2_049)
"""Standard normal numbers at which quantiles are kept: dense enough at both ends for narrow distributions, too."""

PAPER_RHO = 0.6
"""Months against final accuracy in the paper's section 3.1."""

PAPER_MEAN, PAPER_SD = 55.9, 26.3
"""Final accuracy in the paper's section 3, in percent."""

_PAPER_MONTHS = (
    (0.0,) * 8,
    (1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 6.0, 6.0, 6.0, 9.0, 9.0, 9.0),
    (10.0, 12.0, 12.0, 15.0, 18.0, 24.0, 24.0, 30.0, 36.0, 48.0, 60.0),
)
"""The sizes are the paper's: 8, 12 and 11. It does not tell the months in numbers, so those within groups are ours."""


@dataclass(frozen=True)
class Group:
    """A group: how many people are in it, and the months of those who were observed (none: not known)."""

    name: str
    people: int
    months: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Recruits:
    """Who takes part.

    Attributes:
        groups: From the least experience to the most, where they are groups of experience.
        accuracies: Quantiles of everybody's final accuracy in percent, to be read by :func:`at_normal`.
        source: A sentence on where these come from.
        observed: Correlations that were observed, to plan with; empty where none was, or none may be known yet.
    """

    groups: tuple[Group, ...]
    accuracies: Floats
    source: str
    observed: tuple[Case, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The groups' names."""
        return tuple(group.name for group in self.groups)

    @property
    def people(self) -> int:
        """How many there are in all groups together."""
        return sum(group.people for group in self.groups)

    @property
    def months(self) -> Floats:
        """Everybody's observed months."""
        return np.array([month for group in self.groups for month in group.months], dtype=np.float64)

    def with_groups(self, groups: Sequence[tuple[str | None, int]]) -> "Recruits":
        """Other group sizes. A group of a name that is here keeps its months.

        Args:
            groups: Names and sizes. Without names they are those that are here if there are as many, else numbered.
        """
        names = self.names if len(groups) == len(self.groups) else ()
        months = {group.name: group.months for group in self.groups}
        found = []
        for place, (given, people) in enumerate(groups):
            name = given or (names[place] if names else f"group{place + 1}")
            found.append(Group(name, people, months.get(name, ())))
        return replace(self, groups=tuple(found))


def paper() -> Recruits:
    """The paper's 31 people, with accuracies of its mean and standard deviation."""
    groups = tuple(Group(name, len(months), months) for name, months in zip(GROUPS, _PAPER_MONTHS, strict=True))
    source = (
        "Months and accuracies as in the paper. It does not tell the months in numbers: those of its 12 medium (1 to "
        "9) and 11 experts (10 to 60) are assumed."
    )
    return Recruits(groups, beta_quantiles(PAPER_MEAN, PAPER_SD), source)


def of_study(data: StudyData, task: str, *, closed: bool) -> Recruits:
    """The people who finished a study with this task.

    Args:
        closed: Whether the study is closed. Before that, its accuracies stay unread: nobody is to look at them.

    Returns:
        Recruits without groups where fewer than three people finished.
    """
    people = Population.analysed(data, data.people(task))
    groups = tuple(
        Group(name, len(months), tuple(sorted(float(month) for month in months)))
        for name, months in people.by_group(people.months).items()
        if len(months)
    )
    about = f"People as in the study “{data.name}”"
    none = Recruits(groups, beta_quantiles(PAPER_MEAN, PAPER_SD), f"{about}, accuracies as in the paper.")
    if len(people) < FEWEST_PAIRS:
        return replace(none, groups=())
    known = final_accuracy.points(people, lost_count=True)
    if not closed or len(known) < FEWEST_PAIRS:
        return none
    found = final_accuracy.experience(known, task)
    observed = () if isinstance(found, NotComputable) else tuple(cases(found))
    values = np.array([point.accuracy for point in known], dtype=np.float64)
    quantiles = np.quantile(values, special.ndtr(_NODES))
    return Recruits(groups, quantiles, f"{about}, months and accuracies.", observed)


@cache
def beta_quantiles(mean: float, sd: float) -> Floats:
    """Quantiles of accuracies from 0 to 100 % (beta distribution), to be read by :func:`at_normal`.

    Args:
        mean: Above 0 and below 100.
        sd: Above 0 and below √(mean · (100 − mean)).
    """
    share = mean / 100
    together = share * (1 - share) / (sd / 100) ** 2 - 1
    return np.asarray(100 * special.betaincinv(share * together, (1 - share) * together, special.ndtr(_NODES)))


def at_normal(quantiles: Floats, normal: Floats) -> Floats:
    """Standard normal numbers turned into values of these quantiles, on straight lines between them."""
    return np.interp(normal, _NODES, quantiles)

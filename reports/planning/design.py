"""What is planned: a test of the report, the effects that it is to find, and the groups of the study."""

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np

from reports.planning.recruits import Recruits
from reports.planning.registered_tests import RegisteredTest
from reports.statistics.inference import FEWEST_PAIRS
from reports.wording import listed, whole

ANY, ALL = "any", "all"
"""What counts as found in a test of several pairs of groups: one pair at least, or every pair. Or a pair is named."""

MOST_EFFECTS = 4
MOST_STUDIES = 1_000_000
MOST_PEOPLE = 10_000
FEWEST_STUDIES = 100


class NotPlannable(ValueError):
    """The design cannot be simulated; ``str(error)`` says why, and what to give instead."""


@dataclass(frozen=True)
class Correlated:
    """Final accuracy rises with experience: Spearman's ``rho``, from −1 to 1; ``what`` says where it comes from."""

    rho: float
    what: str = ""

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to find."""
        return self.rho == 0

    @property
    def label(self) -> str:
        """Such as “ρ = 0.6”."""
        return f"ρ = {whole(self.rho)}" + (f" ({self.what})" if self.what else "")


@dataclass(frozen=True)
class Different:
    """Groups have these means and standard deviations of final accuracy, in percent."""

    means: tuple[float, ...]
    sds: tuple[float, ...]

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to find."""
        return len(set(self.means)) == len(set(self.sds)) == 1

    @property
    def label(self) -> str:
        """Such as “40 ± 25, 55 ± 20”."""
        return ", ".join(f"{whole(mean)} ± {whole(sd)}" for mean, sd in zip(self.means, self.sds, strict=True))


Effect = Correlated | Different


@dataclass(frozen=True)
class Design:
    """A study that is planned.

    Attributes:
        recruits: Who takes part: groups, months, accuracies.
        fixed: Whether each group has its share of the people in every study; otherwise people come as they come.
        people: The numbers of people whose power is asked for, ascending.
        outcome: :data:`ANY`, :data:`ALL` or a pair such as ``novice-expert``; of a test without pairs :data:`ANY`.
        alpha: The level of the two-sided test.
        studies: Simulated at each number of people.
        seed: The random numbers follow from it.
        most: The largest number of people that is looked at.
    """

    test: RegisteredTest
    effects: tuple[Effect, ...]
    recruits: Recruits
    fixed: bool
    people: tuple[int, ...]
    outcome: str = ANY
    alpha: float = 0.05
    studies: int = 10_000
    seed: int = 0
    most: int = 1_000

    def checked(self) -> Self:
        """The same design.

        Raises:
            NotPlannable: It cannot be simulated.
        """
        for problem in (*self._about_numbers(), *self._about_groups(), *self._about_effects()):
            raise NotPlannable(problem)
        return self

    @property
    def no_effect(self) -> Effect:
        """Nothing to find: no correlation, or groups that all have the average mean and standard deviation."""
        effect = self.effects[0]
        if isinstance(effect, Correlated):
            return Correlated(0.0)
        count = len(effect.means)
        return Different((sum(effect.means) / count,) * count, (sum(effect.sds) / count,) * count)

    @property
    def pairs(self) -> tuple[str, ...]:
        """The pairs of groups, such as ``novice-expert``, for a test that compares them."""
        names = self.recruits.names
        return tuple(f"{first}-{second}" for first, second in combinations(names, 2)) if self.test.is_of_pairs else ()

    def sizes(self, people: int) -> tuple[int, ...]:
        """So many people in the groups' shares: rounded down, and the rest to those with the largest remainders."""
        shares = np.array([group.people for group in self.recruits.groups], dtype=np.float64)
        exact = np.round(shares * people / shares.sum(), 9)
        sizes = np.floor(exact).astype(np.int64)
        first = np.argsort(sizes - exact, kind="stable")[: people - int(sizes.sum())]
        sizes[first] += 1
        return tuple(int(size) for size in sizes)

    def _about_numbers(self) -> list[str]:
        found = []
        if not 0 < self.alpha < 1:
            found.append("Alpha is above 0 and below 1, such as 0.05.")
        if not FEWEST_STUDIES <= self.studies <= MOST_STUDIES:
            found.append(f"Simulate {FEWEST_STUDIES} to {MOST_STUDIES:,} studies; with fewer the power is a guess.")
        if self.seed < 0:
            found.append("The seed is 0 or a larger whole number.")
        if not self.people or min(self.people) < FEWEST_PAIRS or max(self.people) > MOST_PEOPLE:
            found.append(f"The number of people is from {FEWEST_PAIRS} to {MOST_PEOPLE:,}.")
        if not FEWEST_PAIRS <= self.most <= MOST_PEOPLE:
            found.append(f"The largest number of people to look at is from {FEWEST_PAIRS} to {MOST_PEOPLE:,}.")
        return found

    def _about_groups(self) -> list[str]:
        found = []
        groups = self.recruits.groups
        if self.test is not RegisteredTest.SPEARMAN and len(groups) < 2:
            found.append("A comparison needs two groups at least.")
        if any(group.people < 1 for group in groups):
            found.append("Each group has one person or more.")
        if len(set(self.recruits.names)) < len(groups):
            found.append("Two groups have the same name.")
        if self.test is RegisteredTest.SPEARMAN and not all(group.months for group in groups):
            found.append(
                f"Spearman's correlation needs the months of each group, and they are known of "
                f"{listed(group.name for group in groups if group.months) or 'none'} only."
                if any(group.months for group in groups)
                else "Spearman's correlation needs people's months, and these groups have none. Leave the groups out, "
                "or give the paper's three: --groups 8,12,11."
            )
        if self.outcome not in (ANY, ALL, *self.pairs):
            known = listed((ANY, ALL, *self.pairs)) if self.pairs else ""
            found.append(
                f"There is no pair “{self.outcome}”. There are: {known}."
                if known
                else f"{self.test} does not compare pairs of groups, so there is no pair to choose."
            )
        return found

    def _about_effects(self) -> list[str]:
        if not self.effects or len(self.effects) > MOST_EFFECTS:
            return [f"Give one to {MOST_EFFECTS} effects."]
        found = []
        for effect in self.effects:
            if isinstance(effect, Correlated):
                if not -1 <= effect.rho <= 1:
                    found.append("A correlation is from −1 to 1, such as 0.6.")
            else:
                found.extend(self._about_difference(effect))
        return found

    def _about_difference(self, effect: Different) -> list[str]:
        if self.test is RegisteredTest.SPEARMAN:
            return ["Spearman's correlation takes --rho; means and standard deviations are for tests between groups."]
        count = len(self.recruits.groups)
        if len(effect.means) != count or len(effect.sds) != count:
            names = listed(self.recruits.names)
            return [f"Give one mean and one standard deviation for each of the {count} groups ({names})."]
        for mean, sd in zip(effect.means, effect.sds, strict=True):
            if not 0 < mean < 100:
                return ["A mean accuracy is above 0 and below 100 %."]
            if not 0 < sd**2 < mean * (100 - mean):
                most = float(np.sqrt(mean * (100 - mean)))
                return [
                    f"Accuracies from 0 to 100 % with the mean {whole(mean)} have a standard deviation above 0 and "
                    f"below {most:.1f}."
                ]
        return []

"""The numbers of a plan."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.results.measures import Estimate


@dataclass(frozen=True)
class Power:
    """The power at a number of people.

    Attributes:
        groups: People of each group; with groups of no fixed size the number to expect.
        power: The share of simulated studies that find the effect, with Wilson's interval for their number.
        outcomes: The same for a test of pairs: for ``any`` pair, ``all`` of them, and each.
    """

    people: int
    groups: Mapping[str, float]
    power: Estimate
    outcomes: Mapping[str, Estimate]


@dataclass(frozen=True)
class Needed:
    """The number of people for a power.

    Attributes:
        power: From 0 to 1.
        people: None when it is more than :attr:`Plan.most`, or there is no effect.
        low, high: From which number on the upper, and the lower, end of the power's interval reaches it.
    """

    power: float
    people: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class PowerLine:
    """One effect.

    Attributes:
        label: Such as “ρ = 0.6”.
        rho: Spearman's correlation; None when the effect is in ``means`` and ``sds``.
        means, sds: Of the groups' final accuracies in percent; empty when the effect is in ``rho``.
        asked: At the numbers of people that were asked for.
        curve: At all numbers that were simulated, ascending.
        needed: For a power of 80 and of 90 %.
    """

    label: str
    rho: float | None
    means: tuple[float, ...]
    sds: tuple[float, ...]
    asked: tuple[Power, ...]
    curve: tuple[Power, ...]
    needed: tuple[Needed, ...]

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to find."""
        return self.rho == 0 or (self.rho is None and len(set(self.means)) == len(set(self.sds)) == 1)


@dataclass(frozen=True)
class Plan:
    """The power of a planned study.

    Attributes:
        test: Its name, such as ``spearman``.
        what: A sentence on the test, and on what counts as found.
        recruits: A sentence on who takes part.
        outcome: Of a test of pairs ``any``, ``all`` or the pair.
        groups: The people of each group, whose shares other numbers of people keep.
        fixed: Whether each simulated study has these shares; otherwise people come as they come.
        studies: Simulated at each number of people.
        most: The largest number of people that was looked at.
        without_effect: At the numbers of people that were asked for: how often the test finds what is not there.
        versions: Of what computed this.
    """

    test: str
    what: str
    recruits: str
    outcome: str
    groups: Mapping[str, int]
    fixed: bool
    alpha: float
    studies: int
    seed: int
    most: int
    lines: tuple[PowerLine, ...]
    without_effect: tuple[Power, ...]
    versions: Mapping[str, str]

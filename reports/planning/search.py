"""The power of a design at many numbers of people, and how many people it needs."""

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np

from reports.analysis.follow_up import ENOUGH, POWERS, SIZES, crossing
from reports.planning.design import Correlated, Design, Effect
from reports.planning.results import Needed, Plan, Power, PowerLine
from reports.planning.sentences import recruits, what
from reports.planning.simulation import found
from reports.results.measures import Estimate, Interval
from reports.results.rounding import rounded
from reports.statistics.inference import share

Progress = Callable[[float, str], None]
"""A function that is called before each number of people: the share that is done, from 0 to 1, and what comes now."""

_CLOSE = 0.04
"""Between two numbers of people that differ by no more than this share, power is taken to be on a straight line."""


def plan(design: Design, progress: Progress | None = None) -> Plan:
    """Simulate a design: the power that was asked for, the whole curve, and the people that are needed.

    The same design gives the same numbers on every machine.

    Raises:
        NotPlannable: The design cannot be simulated.
    """
    design.checked()
    tell = progress or _silent
    without = _Line(design, design.no_effect, tell)
    without_effect = tuple(without.power(people, 0.0) for people in design.people)
    lines = []
    for place, effect in enumerate(design.effects):
        lines.append(_Line(design, effect, _part_of(tell, place, len(design.effects))).line())
    groups = design.recruits.groups
    return rounded(
        Plan(
            test=str(design.test),
            what=what(design),
            recruits=recruits(design),
            outcome=design.outcome,
            groups={group.name: group.people for group in groups},
            fixed=design.fixed,
            alpha=design.alpha,
            studies=design.studies,
            seed=design.seed,
            most=design.most,
            lines=tuple(lines),
            without_effect=without_effect,
            versions={"python": platform.python_version()} | {name: version(name) for name in ("numpy", "scipy")},
        )
    )


class _Line:
    """The powers of one effect; every number of people is simulated once."""

    def __init__(self, design: Design, effect: Effect, tell: Progress) -> None:
        self.design = design
        self.effect = effect
        self.tell = tell
        self.powers: dict[int, Power] = {}

    def line(self) -> PowerLine:
        design, effect = self.design, self.effect
        for people in design.people:
            self.power(people, 0.0)
        if not effect.is_none:
            self._grid()
        return PowerLine(
            label=effect.label,
            rho=effect.rho if isinstance(effect, Correlated) else None,
            means=() if isinstance(effect, Correlated) else effect.means,
            sds=() if isinstance(effect, Correlated) else effect.sds,
            needed=tuple(self._needed(wanted) for wanted in POWERS),
            asked=tuple(self.powers[people] for people in design.people),
            curve=tuple(self.powers[people] for people in sorted(self.powers)),
        )

    def power(self, people: int, done: float) -> Power:
        if people not in self.powers:
            self.tell(done, f"{self.effect.label}: {people} people")
            design = self.design
            outcomes = {
                outcome: share(int(np.count_nonzero(flags)), design.studies)
                for outcome, flags in found(design, self.effect, people).items()
            }
            self.powers[people] = Power(people, self._groups(people), outcomes[design.outcome], outcomes)
        return self.powers[people]

    def _groups(self, people: int) -> dict[str, float]:
        groups = self.design.recruits.groups
        if self.design.fixed:
            return {group.name: float(size) for group, size in zip(groups, self.design.sizes(people), strict=True)}
        return {group.name: people * group.people / self.design.recruits.people for group in groups}

    def _grid(self) -> None:
        """A coarse curve until the power is high enough, then more numbers of people where a power is crossed."""
        grid = [*(size for size in SIZES if size < self.design.most), self.design.most]
        for place, people in enumerate(grid):
            if self.power(people, sum(grid[:place]) / sum(grid)).power.value >= ENOUGH:
                break
        for wanted in POWERS:
            while (between := self._between(wanted)) is not None:
                self.power(between, 1.0)

    def _between(self, wanted: float) -> int | None:
        """A number of people in the middle of the two between which the power is crossed; None if these are close."""
        sizes, powers = self._curve(lambda power: power.value)
        if powers[-1] < wanted or powers[0] >= wanted:
            return None
        after = int(np.argmax(powers >= wanted))
        low, high = sizes[after - 1], sizes[after]
        return None if high - low <= max(1, int(_CLOSE * high)) else (low + high) // 2

    def _needed(self, wanted: float) -> Needed:
        if self.effect.is_none:
            return Needed(wanted, None, None, None)
        return Needed(
            wanted,
            people=self._reaches(wanted, lambda power: power.value),
            low=self._reaches(wanted, lambda power: _ends(power).high),
            high=self._reaches(wanted, lambda power: _ends(power).low),
        )

    def _reaches(self, wanted: float, number: Callable[[Estimate], float]) -> int | None:
        sizes, powers = self._curve(number)
        return crossing(sizes, powers, wanted) if powers[-1] >= wanted else None

    def _curve(self, number: Callable[[Estimate], float]) -> tuple[Sequence[int], np.ndarray]:
        sizes = sorted(people for people in self.powers if people <= self.design.most)
        return sizes, np.maximum.accumulate([number(self.powers[people].power) for people in sizes])


def _ends(power: Estimate) -> Interval:
    if not isinstance(power.interval, Interval):  # Wilson's is always defined
        raise TypeError(f"A power without an interval: {power}.")
    return power.interval


def _part_of(tell: Progress, place: int, count: int) -> Progress:
    return lambda done, doing: tell((place + done) / count, doing)


def _silent(_share: float, _what: str) -> None:
    """Tell nobody."""

"""How people search: what they change from try to try. (The paper's section 3.2 asks why some get there faster.)"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reports.analysis import random_settings
from reports.analysis.tries import mean_curve, nobody
from reports.data import configuration_space
from reports.data.population import Population
from reports.data.study_data import ParticipantRow, Trials
from reports.results.further import GroupSearch, SearchBehaviour
from reports.results.measures import Curve, NotComputable, Reading
from reports.statistics import inference, resampling
from reports.statistics.arrays import Flags, Floats, Integers, rounded
from storage.study_rules import GROUPS
from training.hyperparameters import HYPERPARAMETERS

FEW_VALUES = 2
"""A step that changes so many values of the best so far, and neither optimizer nor loss function, exploits it."""

NEAR = 0.1
"""In the other reading, a step within this distance exploits."""

DEFINITION = (
    "Exploitation changes one or two values of the best so far, and neither optimizer nor loss function; "
    "exploration changes more."
)
OTHERWISE = f"Exploitation stays within a distance of {NEAR} of the best so far; exploration goes further."

_SHIFTS = 10


class Steps:
    """Every try after somebody's first complete one, compared with the best so far.

    Attributes:
        owners: The participant who made each step, as a position in the population.
        tries: The number of the try that each step is, from 0.
        distance: From the best so far.
        changed: Shape (steps, 15): which values differ, of those that the optimizer uses.
        improved: Whether its accuracy beats the best so far.
    """

    def __init__(self, population: Population) -> None:
        trials, rows = population.trials, population.indices
        accuracies = np.where(trials.complete, trials.accuracy, np.nan)[rows]
        before = _best_before(accuracies, population.owners)
        steps = before >= 0
        self.owners = population.owners[steps]
        self.tries = population.places[steps]
        values = trials.values[rows]
        units = configuration_space.unit(values)
        self.distance = configuration_space.distances(units[steps], units[before[steps]])
        self.changed: Flags = (values[steps] != values[before[steps]]) & configuration_space.used(values[steps])
        self.improved: Flags = np.nan_to_num(accuracies[steps], nan=-1.0) > accuracies[before[steps]]

    @property
    def count_changed(self) -> Integers:
        """How many values each step changes."""
        return np.asarray(self.changed.sum(axis=1), dtype=np.int64)

    @property
    def same(self) -> Flags:
        """Which steps change nothing."""
        return np.asarray(self.count_changed == 0)

    @property
    def few_values(self) -> Flags:
        """Which steps exploit, by the number of values that they change."""
        few = (self.count_changed >= 1) & (self.count_changed <= FEW_VALUES)
        return np.asarray(few & ~self.changed[:, configuration_space.CHOICES].any(axis=1))

    @property
    def near(self) -> Flags:
        """Which steps exploit, by their distance."""
        return np.asarray((self.count_changed >= 1) & (rounded(self.distance) <= NEAR))

    def per_person(self, values: NDArray[np.generic], people: int) -> Floats:
        """Everybody's mean over their steps; NaN for those without any."""
        count = np.bincount(self.owners, minlength=people)
        total = np.bincount(self.owners, weights=values.astype(np.float64), minlength=people)
        return np.asarray(np.divide(total, count, out=np.full(people, np.nan), where=count > 0))


def behaviour(population: Population, tpe: Population, random: Sequence[ParticipantRow], name: str) -> SearchBehaviour:
    """Search behaviour of people by group, and of TPE's artificial participants beside them."""
    steps, machine_steps = Steps(population), Steps(tpe)
    distance = steps.per_person(steps.distance, len(population))
    changed = steps.per_person(steps.count_changed, len(population))
    known = np.isfinite(distance)
    months = population.months[known]
    everyone = {group: (population, steps, population.members(group)) for group in GROUPS}
    if len(tpe):
        everyone["tpe"] = (tpe, machine_steps, np.ones(len(tpe), dtype=bool))
    return SearchBehaviour(
        groups=Reading(
            {group: _group(group, *each, by_distance=False, name=name) for group, each in everyone.items()},
            {group: _group(group, *each, by_distance=True, name=name) for group, each in everyone.items()},
            DEFINITION,
            OTHERWISE,
        ),
        distance_by_try={group: _by_try(group, *each) for group, each in everyone.items()},
        changed_values={
            group: found for group, each in everyone.items() if (found := _changed_values(*each)) is not None
        },
        random_distance=random_distance(population.trials, random_settings.indices(random)),
        experience_distance=inference.spearman(
            months, distance[known], name=f"{name}/search/distance", of=("months of experience", "step lengths")
        ),
        experience_changed=inference.spearman(
            months, changed[known], name=f"{name}/search/changed", of=("months of experience", "numbers of changes")
        ),
        kruskal_distance=inference.kruskal(population.by_group(distance, known), name=f"{name}/search/kruskal"),
    )


def random_distance(trials: Trials, which: Integers) -> float | NotComputable:
    """The mean distance between two settings drawn at random: what steps of a random strategy would measure."""
    if len(which) < 2:
        return NotComputable("No two random settings have been drawn.")
    units = configuration_space.unit(trials.values[which])
    shifts = range(1, min(_SHIFTS, len(which) - 1) + 1)
    return float(
        np.mean([configuration_space.distances(units, np.roll(units, shift, axis=0)).mean() for shift in shifts])
    )


def _best_before(accuracies: Floats, owners: Integers) -> Integers:
    """For each try the place of its owner's best complete one before it (the earliest of equal ones), or −1."""
    before = np.full(len(accuracies), -1, dtype=np.int64)
    best, owner = -1, -1
    for position, accuracy in enumerate(accuracies.tolist()):
        if owners[position] != owner:
            best, owner = -1, owners[position]
        before[position] = best
        if not math.isnan(accuracy) and (best < 0 or accuracy > accuracies[best]):
            best = position
    return before


def _group(
    group: str, population: Population, steps: Steps, members: Flags, *, by_distance: bool, name: str
) -> GroupSearch | NotComputable:
    if not members.any():
        return nobody(group)
    people = len(population)
    with_steps = members & (np.bincount(steps.owners, minlength=people) > 0)
    if not with_steps.any():
        return NotComputable(f"Nobody in the group {group} tried anything after a complete trial.")

    def mean(values: NDArray[np.generic]) -> Floats:
        return steps.per_person(values, people)[with_steps]

    key = f"{name}/search/{group}"
    exploits = steps.near if by_distance else steps.few_values
    exploration = resampling.mean(mean(~exploits & ~steps.same), f"{key}/exploration")
    return GroupSearch(
        group=group,
        people=int(np.count_nonzero(with_steps)),
        steps=int(np.count_nonzero(with_steps[steps.owners])),
        distance=resampling.mean(mean(steps.distance), f"{key}/distance"),
        changed=resampling.mean(mean(steps.count_changed), f"{key}/changed"),
        one_value=resampling.mean(mean(steps.count_changed == 1), f"{key}/one"),
        same=float(mean(steps.same).mean()),
        exploitation=float(mean(exploits).mean()),
        exploration=exploration.value,
        improved=float(mean(steps.improved).mean()),
        exploration_interval=exploration.interval,
    )


def _by_try(group: str, population: Population, steps: Steps, members: Flags) -> Curve | NotComputable:
    table = np.full((len(population), population.most_tries), np.nan)
    table[steps.owners, steps.tries] = steps.distance
    return mean_curve(group, table[members])


def _changed_values(_population: Population, steps: Steps, members: Flags) -> Mapping[str, float] | None:
    of_group = members[steps.owners]
    if not of_group.any():
        return None
    shares = steps.changed[of_group].mean(axis=0)
    return {each.name: float(share) for each, share in zip(HYPERPARAMETERS, shares, strict=True)}

"""Arms are compared as groups are: boxes, Levene, Mann–Whitney, Kruskal–Wallis, on final accuracies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reports.analysis import final_accuracy
from reports.data.population import Population, final
from reports.results.arms import Arms, Suggestions
from reports.results.measures import NotComputable, Reading
from reports.statistics.arrays import Flags, Floats
from storage.schema.states import Suggestion
from storage.study_rules import GROUPS

NO_ARMS = NotComputable("The study has no arms.")


def readings(population: Population, arms: Sequence[str], name: str) -> Reading[Arms | NotComputable]:
    """The arms in both readings of what an evaluation without an accuracy counts as.

    Args:
        arms: The names of the arms, in the order of the rules.
        name: What the resampling follows from.
    """
    counted, left_out = (_accuracies(population, lost_count=lost_count) for lost_count in (True, False))
    both = np.array_equal(counted, left_out, equal_nan=True)
    default = compared(population, counted, arms, f"{name}/arms")
    return Reading(
        default,
        default if both else compared(population, left_out, arms, f"{name}/arms"),
        final_accuracy.DEFINITION,
        final_accuracy.OTHERWISE,
    )


def compared(population: Population, values: Floats, arms: Sequence[str], name: str) -> Arms | NotComputable:
    """A comparison of the arms.

    Args:
        population: Whom it is about.
        values: One for each of them; NaN for those who are left out.
        arms: The names of the arms, in the order of the rules.
        name: What the resampling follows from.
    """
    if not arms:
        return NO_ARMS
    of_arm = np.array([row.arm or "" for row in population.rows], dtype=np.str_)
    known = np.isfinite(values)
    members = {arm: _members(of_arm, arm) & known for arm in arms}
    return Arms(
        people={
            arm: {group: int(np.count_nonzero(those & population.members(group))) for group in GROUPS}
            for arm, those in members.items()
        },
        suggestions={arm: _suggestions(population, of_arm, arm) for arm in arms},
        comparison=final_accuracy.comparison({arm: values[those] for arm, those in members.items()}, name, of="arm"),
    )


def _members(of_arm: NDArray[np.str_], arm: str) -> Flags:
    return np.asarray(of_arm == arm) if len(of_arm) else np.zeros(0, dtype=bool)


def _accuracies(population: Population, *, lost_count: bool) -> Floats:
    found = [final(row, lost_count=lost_count) for row in population.rows]
    return np.array([np.nan if each is None else each.accuracy for each in found], dtype=np.float64)


def _suggestions(population: Population, of_arm: NDArray[np.str_], arm: str) -> Suggestions:
    used = [
        use
        for row, own in zip(population.rows, of_arm, strict=True)
        if own == arm
        for use in population.trials.suggestions[row.trials]
        if use
    ]
    return Suggestions(shown=len(used), taken=sum(use == Suggestion.TAKEN for use in used))

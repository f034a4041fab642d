"""Which hyperparameters the accuracy depends on: functional analysis of variance of a random forest.

Hutter, Hoos and Leyton-Brown (2014); the hyperparameters are on the common scales of
:mod:`reports.analysis.configuration_space`.
"""

import numpy as np

from reports.analysis.random_settings import scores
from reports.data import configuration_space
from reports.data.study_data import Trials
from reports.results.further import Importance
from reports.results.measures import NotComputable, Reading
from reports.statistics import fanova
from reports.statistics.arrays import TOLERANCE, Floats, Integers, rounded
from reports.statistics.inference import same
from reports.statistics.resampling import SEED, generator
from reports.wording import in_words
from training.hyperparameters import HYPERPARAMETERS

FEWEST = 30
"""With fewer trials a forest is too uncertain."""

MOST = 2_000
"""Trials that a forest is grown from; its analysis takes time that grows faster than they do."""

FORESTS = 3
TREES = 32

DEFINITION = (
    "All trials, of people and of searchers. One that diverged or failed counts as 0 %, a cancelled one is left out."
)
OTHERWISE = "Only settings drawn at random, so that it does not matter which values people like to try."


def importance(
    trials: Trials, everything: Integers, random: Integers, name: str
) -> Reading[Importance | NotComputable]:
    """Importance from all trials of a task, and from its random settings."""
    return Reading(
        _importance(trials, everything, f"{name}/importance/all"),
        _importance(trials, random, f"{name}/importance/random"),
        DEFINITION,
        OTHERWISE,
    )


def _importance(trials: Trials, which: Integers, name: str) -> Importance | NotComputable:
    accuracies = rounded(scores(trials, which))  # a tree splits elsewhere for a last bit
    known = np.isfinite(accuracies)
    which, accuracies = which[known], accuracies[known]
    of = len(which)
    if of < FEWEST:
        verb = "is one trial" if of == 1 else f"are {in_words(of)} trials"
        return NotComputable(f"There {verb} with an accuracy; {FEWEST} are needed at least.")
    if same(accuracies):
        return NotComputable("All trials have the same accuracy, so it depends on nothing.")
    if of > MOST:
        part = np.sort(generator(name).choice(of, MOST, replace=False))
        which, accuracies = which[part], accuracies[part]
        if same(accuracies):
            return NotComputable("Nearly all trials have the same accuracy, so it depends on nothing.")
    columns, variables = _columns(configuration_space.unit(trials.values[which]))
    try:
        found = [
            fanova.shares(columns, accuracies, variables, trees=TREES, seed=SEED + forest) for forest in range(FORESTS)
        ]
    except fanova.NoVariance:
        return NotComputable("All trials have the same values, so they tell no hyperparameters apart.")
    effects = np.array(found)
    if (effects.sum(axis=1) <= TOLERANCE).any():
        return NotComputable("No hyperparameter accounts for anything by itself.")
    forests = effects / effects.sum(axis=1, keepdims=True)
    mean, sd = forests.mean(axis=0), forests.std(axis=0, ddof=1)
    order = np.argsort(-rounded(mean), kind="stable")
    return Importance(
        shares={HYPERPARAMETERS[position].name: float(mean[position]) for position in order},
        sd={HYPERPARAMETERS[position].name: float(sd[position]) for position in order},
        main_effects=float(effects.sum(axis=1).mean()),
        n=len(which),
        of=of,
    )


def _columns(units: Floats) -> tuple[Floats, list[list[int]]]:
    """Numbers as they are and an indicator for each value of a choice; and which columns each hyperparameter has."""
    columns: list[Floats] = []
    variables: list[list[int]] = []
    for position, each in enumerate(HYPERPARAMETERS):
        of_this = (
            [(units[:, position] == choice).astype(np.float64) for choice in range(len(each.choices))]
            if each.kind == "choice"
            else [units[:, position]]
        )
        variables.append(list(range(len(columns), len(columns) + len(of_this))))
        columns.extend(of_this)
    return np.column_stack(columns), variables

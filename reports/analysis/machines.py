"""People against machines: how good they are after so many tries, and after so much time.

What random search achieves with k tries is computed, not drawn: with N settings drawn at random, the expected best of k
of them follows from their order (as Dodge et al., 2019, report it; here without replacement).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.special import gammaln

from reports.analysis import final_accuracy
from reports.analysis.random_settings import scores
from reports.analysis.tries import mean_curve, nobody
from reports.data.population import Population, best_so_far
from reports.data.study_data import Trials
from reports.results.further import AgainstRandom, AgainstTpe, Machines
from reports.results.measures import Curve, NotComputable, Reading
from reports.results.paper import Difference
from reports.statistics import inference, resampling
from reports.statistics.arrays import TOLERANCE, Flags, Floats, Integers, rounded, weighted_sums
from storage.schema.states import TrialState
from storage.study_rules import GROUPS

PEOPLE, RANDOM, TPE = "people", "random", "tpe"

TIME_POINTS = 121
SEARCHES = 400
"""Random searches that are simulated, to see how good they are after some time."""

_MOST_DRAWS = 2_000
_RESAMPLES = 400
_FEWEST_DRAWN = 2

_TOO_FEW_DRAWN = NotComputable("No random settings have been drawn and trained, so there is no random search.")
_NO_TPE = NotComputable("No artificial participant of TPE has finished, so there is nothing to compare.")


def machines(
    people: Population, tpe: Population, trials: Trials, drawn: Integers, limit_minutes: float, name: str
) -> Machines:
    """Everything about people against random search and TPE on one task."""
    values = scores(trials, drawn)
    ended = np.isfinite(values)
    values, seconds = values[ended], np.nan_to_num(trials.seconds[drawn][ended])
    at = np.linspace(0.0, limit_minutes, TIME_POINTS)
    clock = trials.ended / 60
    random_by_time = _random_by_time(values, seconds / 60, at, name)
    everyone = {PEOPLE: np.ones(len(people), dtype=bool), **{group: people.members(group) for group in GROUPS}}

    def by_time(of_people: Floats) -> Mapping[str, Curve | NotComputable]:
        table = _best_by(people, of_people, at)
        return {
            **{group: mean_curve(group, table[members], at) for group, members in everyone.items()},
            RANDOM: random_by_time,
            TPE: mean_curve(TPE, _best_by(tpe, _training_minutes(tpe), at), at) if len(tpe) else _NO_TPE,
        }

    return Machines(
        by_tries={
            **{
                group: mean_curve(group, people.best_so_far[members], made=people.made[members])
                for group, members in everyone.items()
            },
            RANDOM: random_by_tries(values, name),
            TPE: mean_curve(TPE, tpe.best_so_far, made=tpe.made) if len(tpe) else _NO_TPE,
        },
        by_time=Reading(
            by_time(people.table(clock)),
            by_time(_training_minutes(people)),
            "A person's time, with the time to think, against a machine's training time.",
            "Training time for both.",
        ),
        against_random={
            **{group: _against_random(group, people, members, values, name) for group, members in everyone.items()},
            TPE: _against_random(TPE, tpe, np.ones(len(tpe), dtype=bool), values, name) if len(tpe) else _NO_TPE,
        },
        against_tpe=_corrected(
            {group: _against_tpe(group, people, members, tpe, name) for group, members in everyone.items()}
        ),
        random_drawn=len(values),
    )


# --- random search ----------------------------------------------------------------------------------------------------


def chance_of_best(settings: int, tries: int) -> Floats:
    """The chance that each of ``settings`` in ascending order is the best of ``tries`` different ones of them."""
    order = np.arange(1, settings + 1, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = _log_choose(order - 1, tries - 1) - _log_choose(np.float64(settings), tries)
    return np.where(order >= tries, np.exp(np.where(order >= tries, logarithm, 0.0)), 0.0)


def expected_best(values: Floats, most_tries: int | None = None) -> Floats:
    """The expected best of 1, 2, … different ones of the values, up to all of them (or ``most_tries``)."""
    ordered = np.sort(values)
    most = len(values) if most_tries is None else min(most_tries, len(values))
    return np.array([weighted_sums(chance_of_best(len(values), tries), ordered) for tries in range(1, most + 1)])


def random_by_tries(values: Floats, name: str) -> Curve | NotComputable:
    """What random search expects after each number of tries; the error is that of having drawn these settings."""
    count = len(values)
    if count < _FEWEST_DRAWN:
        return _TOO_FEW_DRAWN
    random = resampling.generator("random by tries", name)
    chances = np.array([chance_of_best(count, tries) for tries in range(1, count + 1)])
    again = np.sort(values[random.integers(0, count, (_RESAMPLES, count))], axis=1)
    expected = np.array([weighted_sums(chances, each) for each in again])
    return Curve(
        name=RANDOM,
        at=tuple(float(tries) for tries in range(1, count + 1)),
        mean=tuple(float(each) for each in weighted_sums(chances, np.sort(values))),
        error=tuple(float(each) for each in expected.std(axis=0, ddof=1)),
        n=(count,) * count,
    )


def _random_by_time(values: Floats, minutes: Floats, at: Floats, name: str) -> Curve | NotComputable:
    """Simulated random searches: each draws settings with replacement, one after another, until the time is up."""
    if len(values) < _FEWEST_DRAWN:
        return _TOO_FEW_DRAWN
    random = resampling.generator("random by time", name)
    mean = float(minutes.mean())
    enough = _MOST_DRAWS if mean <= 0 else int(np.clip(2 * at[-1] / mean + 20 + TOLERANCE, 20, _MOST_DRAWS))
    drawn = random.integers(0, len(values), (SEARCHES, enough))
    ends = np.cumsum(minutes[drawn], axis=1)
    table = _best_at(ends, best_so_far(values[drawn]), at)
    means = table.mean(axis=0)
    return Curve(
        name=RANDOM,
        at=tuple(float(each) for each in at),
        mean=tuple(float(each) for each in means),
        error=(None,) * len(at),
        n=(len(values),) * len(at),
    )


def _log_choose(n: Floats | np.float64, k: int) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1.0) - gammaln(n - k + 1))


# --- equal time -------------------------------------------------------------------------------------------------------


def _training_minutes(population: Population) -> Floats:
    """When each try ended, by the time trained until then."""
    seconds = np.nan_to_num(population.table(population.trials.seconds))
    return np.asarray(np.cumsum(seconds, axis=1) / 60)


def _best_by(population: Population, ends: Floats, at: Floats) -> Floats:
    """Everybody's best so far at these minutes, of the tries that had ended; 0 before there is one."""
    if not population.most_tries:
        return np.zeros((len(population), len(at)))
    finished = np.maximum.accumulate(np.where(np.isfinite(ends), ends, -np.inf), axis=1)
    ends = np.where(population.made & ~population.are(TrialState.WAITING, TrialState.RUNNING), finished, np.inf)
    return _best_at(ends, population.best_so_far, at)


def _best_at(ends: Floats, best: Floats, at: Floats) -> Floats:
    """The last best of each row that had ended by each time; ``ends`` ascend along each row."""
    counts = np.array([np.searchsorted(rounded(row), rounded(at), side="right") for row in ends])
    padded = np.concatenate([np.zeros((len(best), 1)), best], axis=1)
    return np.asarray(np.take_along_axis(padded, counts, axis=1))


# --- comparisons ------------------------------------------------------------------------------------------------------


def _against_random(
    group: str, population: Population, members: Flags, values: Floats, name: str
) -> AgainstRandom | NotComputable:
    if len(values) < _FEWEST_DRAWN:
        return _TOO_FEW_DRAWN
    members = members & (population.tries > 0)
    if not members.any():
        return nobody(group)
    ordered = np.sort(values)
    best = population.best[members]
    tries = np.minimum(population.tries[members], len(values))
    expected = expected_best(values)
    random_best = expected[tries - 1]
    ahead = [_ahead(ordered, one, int(count)) for one, count in zip(best, tries, strict=True)]
    as_good = np.flatnonzero(expected >= best.mean() - TOLERANCE)
    return AgainstRandom(
        group=group,
        n=len(best),
        best=float(best.mean()),
        random_best=float(random_best.mean()),
        advantage=resampling.mean(best - random_best, f"{name}/against random/{group}"),
        ahead=float(np.mean(ahead)),
        worth=int(as_good[0]) + 1 if len(as_good) else None,
    )


def _ahead(ordered: Floats, best: float, tries: int) -> float:
    """The chance that a random search with so many tries stays below ``best``, ties counting half."""
    chances = chance_of_best(len(ordered), tries)
    below, up_to = np.searchsorted(ordered, best, side="left"), np.searchsorted(ordered, best, side="right")
    return float((chances[:below].sum() + chances[:up_to].sum()) / 2)


def _against_tpe(
    group: str, people: Population, members: Flags, tpe: Population, name: str
) -> AgainstTpe | NotComputable:
    ours, theirs = final_accuracy.accuracies(people)[members], final_accuracy.accuracies(tpe)
    ours, theirs = ours[np.isfinite(ours)], theirs[np.isfinite(theirs)]
    if not len(theirs):
        return _NO_TPE
    if not len(ours):
        return nobody(group)
    found = inference.difference((TPE, theirs), (group, ours), name=f"{name}/against tpe/{group}")
    if not isinstance(found, Difference):
        return found
    of_people, of_tpe = inference.spread(ours), inference.spread(theirs)
    if isinstance(of_people, NotComputable) or isinstance(of_tpe, NotComputable):  # neither is empty
        return _NO_TPE
    return AgainstTpe(group, len(ours), len(theirs), of_people, of_tpe, found)


def _corrected(tests: Mapping[str, AgainstTpe | NotComputable]) -> Mapping[str, AgainstTpe | NotComputable]:
    """The same with Holm's correction over all of them."""
    known = [each.difference.test.p for each in tests.values() if isinstance(each, AgainstTpe)]
    corrected = iter(inference.holm(known))
    return {
        group: replace(
            each, difference=replace(each.difference, test=replace(each.difference.test, p_holm=next(corrected)))
        )
        if isinstance(each, AgainstTpe)
        else each
        for group, each in tests.items()
    }

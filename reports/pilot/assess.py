"""Whether a task is fit to measure skill.

A person's skill can show where a setting's accuracy belongs to the setting and not to the seed, where some settings
learn and others do not, where the test split is large enough to tell them apart, and where a trial is long enough for
time to matter and short enough for several tries.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from reports.pilot.measures import Finding, Pilot, PilotRun
from reports.results.measures import Estimate, Interval, NotComputable
from reports.statistics.arrays import Floats
from reports.statistics.resampling import LEVEL
from reports.wording import estimate, in_words, number, percent
from training.tasks import TaskFacts

AGREEMENT = 0.75
"""An intraclass correlation from here on is called good (Koo and Li 2016, doi:10.1016/j.jcm.2016.02.012)."""

MOST_FICKLE = 0.25
"""At most this share of the good settings may fail to learn with another seed."""

FEWEST_GOOD = 3
"""Of fewer good settings nobody can say how many fail with another seed."""

FEWEST_LEARN = 0.25
"""At least this share of the trials must do better than guessing: otherwise a good try is luck."""

LARGEST_ERROR = 2.5
"""Points: the largest standard error of an accuracy of 50 %. 400 test images have it; the paper's 500 have 2.2."""

SHORTEST_TRIAL = 30.0
"""Seconds: who waits for less does not look at the plot, and has no reason to cancel."""

FEWEST_TRIES = 5.0
"""In the time limit: with fewer nobody can learn from a try."""

_GUESSING = 0.99
"""Of networks that only guess, this share does no better than the accuracy that is called guessing."""


def assess(
    task: str,
    facts: TaskFacts,
    settings: Sequence[Mapping[str, object]],
    seeds: Sequence[int],
    runs: Sequence[PilotRun],
    *,
    epochs: int,
    limit_minutes: float,
) -> Pilot:
    """Say what the trials of a pilot tell of its task.

    Args:
        task: Its name.
        facts: Sizes of its splits, and its classes.
        settings: What was trained.
        seeds: That each was trained with.
        runs: One for each setting and seed, in any order.
        epochs: Of every trial.
        limit_minutes: The time that a participant has.

    Raises:
        ValueError: Fewer than two settings or seeds, or not one run for each pair.
    """
    accuracies = _table(settings, seeds, runs)
    guessing = guessing_accuracy(facts)
    learns = accuracies > guessing
    trained = [run for run in runs if run.epochs > 0]
    per_epoch: float | NotComputable = NotComputable("No trial has trained for an epoch.")
    tries: float | NotComputable = per_epoch
    if trained:
        per_epoch = float(np.median([run.seconds / run.epochs for run in trained]))
        tries = 60 * limit_minutes / (per_epoch * epochs)
    within = float(accuracies.var(axis=1, ddof=1).mean())
    between = float(accuracies.mean(axis=1).var(ddof=1)) - within / len(seeds)
    half_way = (guessing + float(accuracies.max())) / 2
    good = learns.any(axis=1) & (accuracies.max(axis=1) >= half_way)
    fickle: float | NotComputable = _too_few(int(good.sum()))
    if good.sum() >= FEWEST_GOOD:
        fickle = float((~learns[good].all(axis=1)).mean())
    agreement = intraclass_correlation(accuracies)
    dead = float(1 - learns.mean())
    error = 50 / math.sqrt(facts.test_images)
    return Pilot(
        task=task,
        settings=tuple(settings),
        seeds=tuple(seeds),
        epochs=epochs,
        accuracies=tuple(tuple(row) for row in accuracies.tolist()),
        best=float(accuracies.mean(axis=1).max()),
        guessing=guessing,
        between_settings=math.sqrt(max(between, 0)),
        between_seeds=math.sqrt(within),
        agreement=agreement,
        dead=dead,
        good=int(good.sum()),
        fickle=fickle,
        seconds_per_epoch=per_epoch,
        tries=tries,
        standard_error=error,
        findings=(
            _of_agreement(agreement),
            _of_fickle(fickle),
            _of_dead(dead),
            _of_error(error, facts.test_images),
            *_of_time(per_epoch, tries, epochs, limit_minutes),
        ),
    )


def guessing_accuracy(facts: TaskFacts) -> float:
    """The validation accuracy in percent that 99 of 100 networks that only guess do not exceed."""
    count = stats.binom.ppf(_GUESSING, facts.validation_images, 1 / facts.classes)
    return float(100 * count / facts.validation_images)


def intraclass_correlation(values: Floats) -> Estimate | NotComputable:
    """ICC(1): the share of the variance of single values that is between rows, with its exact interval.

    Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420. The interval holds for normal values.

    Args:
        values: Rows × columns, at least 2 × 2. The columns of different rows have nothing to do with one another.
    """
    rows, columns = values.shape
    between = columns * float(values.mean(axis=1).var(ddof=1))
    within = float(values.var(axis=1, ddof=1).mean())
    if between == 0 and within == 0:
        return NotComputable("All trials have the same accuracy.")
    value = (between - within) / (between + (columns - 1) * within)
    if within == 0:
        why = NotComputable("The seeds of a setting do not differ.")
        return Estimate(value, why, rows)
    tail, ratio = (1 - LEVEL) / 2, between / within
    above, below = rows - 1, rows * (columns - 1)
    low = ratio / float(stats.f.isf(tail, above, below))
    high = ratio * float(stats.f.isf(tail, below, above))
    ends = [(each - 1) / (each + columns - 1) for each in (low, high)]
    return Estimate(value, Interval(ends[0], ends[1], LEVEL, "exact F"), rows)


def _table(settings: Sequence[object], seeds: Sequence[int], runs: Sequence[PilotRun]) -> Floats:
    """The accuracies: a row for each setting, a column for each seed."""
    if len(settings) < 2 or len(seeds) < 2:
        raise ValueError("A pilot needs two settings and two seeds at least.")
    of = {(run.setting, run.seed): run.accuracy for run in runs}
    wanted = [(setting, seed) for setting in range(len(settings)) for seed in seeds]
    if sorted(of) != sorted(wanted) or len(of) != len(runs):
        raise ValueError("A pilot needs one run for each setting and seed.")
    return np.array([of[pair] for pair in wanted], dtype=np.float64).reshape(len(settings), len(seeds))


def _of_agreement(agreement: Estimate | NotComputable) -> Finding:
    return Finding(
        "agreement of seeds",
        estimate(agreement, 2) if isinstance(agreement, Estimate) else agreement.why,
        f"an intraclass correlation of {AGREEMENT:g} at least",
        isinstance(agreement, Estimate) and agreement.value >= AGREEMENT,
        "What one seed gives says little about the next: the final accuracy is not that of the choice.",
    )


def _too_few(good: int) -> NotComputable:
    if good == 0:
        return NotComputable("No setting has learnt.")
    are = "Only one setting is good" if good == 1 else f"Only {in_words(good)} settings are good"
    return NotComputable(f"{are}: train more settings to tell.")


def _of_fickle(fickle: float | NotComputable) -> Finding:
    return Finding(
        "good settings that learn nothing with another seed",
        fickle.why if isinstance(fickle, NotComputable) else percent(fickle),
        f"at most {percent(MOST_FICKLE)} of those that come half the way from guessing to the best",
        not isinstance(fickle, NotComputable) and fickle <= MOST_FICKLE,
        "A participant’s good try may fail when it is trained again, through no fault of theirs.",
    )


def _of_dead(dead: float) -> Finding:
    return Finding(
        "trials that diverged or only guess",
        percent(dead),
        f"at most {percent(1 - FEWEST_LEARN)}",
        dead <= 1 - FEWEST_LEARN,
        "Hardly any setting learns: who finds one is lucky.",
    )


def _of_error(error: float, images: int) -> Finding:
    return Finding(
        "standard error of a test accuracy of 50 %",
        f"{number(error)} points, from {number(images, 0)} test images",
        f"at most {number(LARGEST_ERROR)} points",
        error <= LARGEST_ERROR,
        "Chance hides the differences between people.",
    )


def _of_time(
    per_epoch: float | NotComputable, tries: float | NotComputable, epochs: int, limit_minutes: float
) -> tuple[Finding, Finding]:
    if isinstance(per_epoch, NotComputable) or isinstance(tries, NotComputable):
        found, seconds, count = "no trial has trained for an epoch", 0.0, 0.0
    else:
        seconds, count = per_epoch * epochs, tries
        found = f"{number(seconds, 0 if seconds >= 10 else 1)} s for {epochs} epochs of {number(per_epoch, 1)} s"
    return (
        Finding(
            "a trial is worth waiting for",
            found,
            f"{number(SHORTEST_TRIAL, 0)} s at least",
            seconds >= SHORTEST_TRIAL,
            "Trials are over before anybody looks, so neither the time limit nor Cancel matters.",
        ),
        Finding(
            f"trials in {number(limit_minutes, 0)} minutes",
            number(count, 0),
            f"{number(FEWEST_TRIES, 0)} at least",
            count >= FEWEST_TRIES,
            "Nobody can try often enough to learn from it.",
        ),
    )

"""From a study's data to every number of its report."""

import platform
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from reports.analysis import (
    arms,
    final_accuracy,
    follow_up,
    importance,
    machines,
    participants,
    pooled,
    random_settings,
    registration,
    regression,
    search_behaviour,
    strategies,
    tries,
    variance_components,
)
from reports.data.population import Population
from reports.data.study_data import StudyData
from reports.data.what_is_left_out import LEFT_OUT
from reports.results.rounding import rounded
from reports.results.study_results import MoreTime, StudyHeader, StudyResults, TaskResults
from reports.statistics.resampling import SEED

Progress = Callable[[str], None]
"""A function that is called before each step with the name of the step, such as “final accuracies”."""

STEPS = (
    "counts",
    "final accuracies",
    "tries",
    "habits",
    "search behaviour",
    "people against machines",
    "importance of hyperparameters",
    "planning a follow-up",
)
"""The names of the steps of each task; in a study of several tasks, “task: step”."""

_PACKAGES = ("numpy", "scipy", "scikit-learn")


def compute(data: StudyData, progress: Progress | None = None) -> StudyResults:
    """Everything, the same for the same data on every machine: rounded to the digits that machines agree on."""
    tasks = data.tasks

    def telling(task: str) -> Progress:
        before = f"{task}: " if len(tasks) > 1 else ""
        return lambda step: progress(before + step) if progress else None

    return rounded(
        StudyResults(
            study=header(data),
            registered=registration.registered_analysis(data),
            counts=participants.counts(data),
            tasks=tuple(task_results(data, task, telling(task)) for task in tasks),
            pooled=pooled.pooled(data, tasks),
        )
    )


def header(data: StudyData) -> StudyHeader:
    """The study, its rules, and the versions of the libraries that computed the results."""
    return StudyHeader(
        name=data.name,
        opened=data.opened,
        is_interim=data.is_interim,
        rules_hash=data.rules_hash,
        tasks=data.tasks,
        limit_minutes=data.rules.limit_minutes,
        limits_minutes=_limits(data),
        more_time=_more_time(data),
        evaluation_seeds=data.rules.evaluation_seeds,
        thresholds=data.rules.thresholds,
        groups=data.rules.groups,
        amendments=data.amendments,
        left_out=LEFT_OUT[data.background],
        versions={"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        seed=SEED,
        arms=data.rules.arms,
        assignment=data.assignment,
    )


def _limits(data: StudyData) -> tuple[float, ...]:
    """The different lengths of people's sessions, in minutes; that of the rules when nobody began."""
    seconds = {row.limit_seconds for row in data.people() if row.limit_seconds is not None and not row.withdrawn}
    return tuple(sorted(each / 60 for each in seconds)) or (data.rules.limit_minutes,)


def _more_time(data: StudyData) -> MoreTime:
    given = [row.extended_seconds / 60 for row in data.people() if row.extended_seconds > 0 and not row.withdrawn]
    return MoreTime(len(given), max(given, default=0.0))


def task_results(data: StudyData, task: str, tell: Progress) -> TaskResults:
    """Everything about one task."""
    people = Population.analysed(data, data.people(task))
    tpe = Population.analysed(data, data.artificial("tpe", task))
    random = data.artificial("random", task)
    settings = random_settings.indices(random)
    tell("counts")
    counted = participants.counts(data, task)
    drawn = random_settings.random_settings(random, data.trials, task)
    experience = participants.experience(people)
    tell("final accuracies")
    finals = final_accuracy.readings(people, task)
    of_arms = arms.readings(people, [arm.name for arm in data.rules.arms], task)
    regressions = regression.regressions(people, data.rules.questions, background=data.background)
    tell("tries")
    thresholds = tries.thresholds(people, data.rules.thresholds, task)
    after_tries = tries.after_tries(people)
    tell("habits")
    default_start = strategies.default_start(people)
    comments = strategies.comments(people, task)
    tell("search behaviour")
    behaviour = search_behaviour.behaviour(people, tpe, random, task)
    tell("people against machines")
    against = machines.machines(people, tpe, data.trials, settings, data.rules.longest_minutes, task)
    tell("importance of hyperparameters")
    everything = np.sort(np.concatenate([people.indices, tpe.indices, settings]))
    important = importance.importance(data.trials, everything, settings, task)
    tell("planning a follow-up")
    return TaskResults(
        task=task,
        counts=counted,
        random_settings=drawn,
        experience=experience,
        final=finals,
        thresholds=thresholds,
        after_tries=after_tries,
        default_start=default_start,
        comments=comments,
        regressions=regressions,
        search=behaviour,
        machines=against,
        importance=important,
        components=variance_components.components(people),
        follow_up=follow_up.follow_up(finals.default.experience, people.months, task),
        arms=of_arms,
    )

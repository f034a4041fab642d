"""Every table of a report, in the order of the page."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from reports.naming import ending
from reports.results.arms import Arms
from reports.results.measures import NotComputable
from reports.results.registration import RegisteredAnalysis
from reports.results.study_results import Counts, Pooled, StudyResults, TaskResults
from reports.tables import accuracy, arms, correlations, machines, people, registered, strategies, survival, tries
from reports.tables.columns import Entry, Sheet

T = TypeVar("T")


def sheets(results: StudyResults) -> Mapping[str, Sheet]:
    """All tables by their names; with several tasks, names end in the task's."""
    found = [counts(results.counts), *registered_sheets(results.registered)]
    for task in results.tasks:
        found.extend(task_sheets(task, ending(results, task.task)).values())
    if isinstance(results.pooled, Pooled):
        found.extend(pooled_sheets(results.pooled).values())
    return {sheet.name: sheet for sheet in found}


def counts(found: Counts, end: str = "") -> Sheet:
    """How many there are of everything."""
    return replace(Sheet.of(f"counts{end}", "Counts", people.COUNTS, people.counts(found)), is_sortable=False)


def registered_sheets(found: RegisteredAnalysis) -> Iterator[Sheet]:
    """The registered test, and the deviations: each where there is one."""
    if not isinstance(found.plan, NotComputable):
        yield Sheet.of(
            "registered-test",
            "The registered test",
            registered.PRIMARY,
            [Entry((found.plan.primary_test,), found.primary)],
        )
    if found.deviations:
        yield registered.deviations(found.deviations)


def task_sheets(task: TaskResults, end: str = "") -> Mapping[str, Sheet]:
    """A task's tables, by their names without the task's."""
    found = [sheet for sheet in _of(task) if sheet.rows]
    if end:
        found.append(counts(task.counts))
    return {sheet.name: replace(sheet, name=f"{sheet.name}{end}") for sheet in found}


POOLED_SHEETS = ("pooled-boxes", "pooled-correlations", "pooled-regressions")
_POOLED_ARMS = ("pooled-arms-levene", "pooled-arms-differences", "pooled-arms-all")


def pooled_sheets(pooled: Pooled) -> Mapping[str, Sheet]:
    """Tables of all tasks together."""
    boxes, correlation, regressions = POOLED_SHEETS
    within = correlations.corrected({"months and final accuracy, within tasks": pooled.experience})
    found: tuple[Sheet, ...] = (
        Sheet.of(boxes, "Final accuracy minus the task’s mean", accuracy.BOXES, _by_label(pooled.boxes)),
        Sheet.of(correlation, "Correlation within tasks", correlations.CORRELATIONS, within),
        Sheet.of(
            regressions,
            "Regressions, with the task as a factor",
            correlations.REGRESSIONS,
            correlations.regressions(pooled.regressions),
        ),
    )
    if isinstance(pooled.arms, Arms):
        boxes_of_arms = _by_label(pooled.arms.comparison.boxes)
        title = "Final accuracy per arm, minus the task’s mean"
        found = (*found, Sheet.of("pooled-arms", title, accuracy.BOXES, boxes_of_arms))
        found = (*found, *arms.comparisons(pooled.arms, *_POOLED_ARMS))
    return {sheet.name: sheet for sheet in found}


def _by_label(found: Mapping[str, T | NotComputable]) -> Iterator[Entry[T]]:
    """A row for each name, such as a group's."""
    yield from (Entry((name,), numbers) for name, numbers in found.items())


def _alone(found: T | NotComputable) -> Iterator[Entry[T]]:
    """One row without a label."""
    yield Entry((), found)


def _each(found: Iterable[T | NotComputable], *labels: str) -> Iterator[Entry[T]]:
    """A row for each, all with the same labels."""
    yield from (Entry(labels, numbers) for numbers in found)


def _of(task: TaskResults) -> Iterator[Sheet]:
    yield from _of_people(task)
    yield from _of_groups(task)
    yield from arms.sheets(task.arms)
    yield from _of_tries(task)
    yield Sheet.of(
        "correlations",
        "All rank correlations with months of experience",
        correlations.CORRELATIONS,
        correlations.correlations(task),
        "Holm’s correction is over all of them but another reading of the first.",
    )
    yield Sheet.of(
        "regressions",
        "Regressions of final accuracy",
        correlations.REGRESSIONS,
        correlations.regressions(task.regressions),
        correlations.HC3,
    )
    yield from _of_search(task)
    yield from _of_machines(task)
    yield Sheet.of_readings("importance", "Importance", machines.IMPORTANCE, task.importance, machines.importance)
    yield Sheet.of("components", "Components of variance", accuracy.COMPONENTS, accuracy.components(task.components))
    yield Sheet.of("follow-up", "Power of a follow-up", machines.FOLLOW_UP, machines.follow_up(task.follow_up))


def _of_people(task: TaskResults) -> Iterator[Sheet]:
    yield Sheet.of_readings(
        "figure-1", "Random settings: the histogram", accuracy.RANDOM_BINS, task.random_settings, accuracy.random_bins
    )
    yield Sheet.of_readings(
        "random-settings", "Random settings", accuracy.RANDOM_SETTINGS, task.random_settings, _alone
    )
    yield Sheet.of("figure-3", "Experience: the histogram", people.EXPERIENCE, people.experience(task.experience))


def _of_groups(task: TaskResults) -> Iterator[Sheet]:
    final = task.final
    levene = final.default.levene
    yield Sheet.of_readings(
        "figure-4", "Everybody’s final accuracy", accuracy.POINTS, final, lambda found: _each(found.points)
    )
    yield Sheet.of_readings(
        "figure-5", "Final accuracy per group", accuracy.BOXES, final, lambda found: _by_label(found.boxes)
    )
    yield Sheet.of(
        "table-2",
        "Table 2. Levene’s test between groups",
        accuracy.LEVENE,
        (*_each(levene.default, "mean"), *_each(levene.alternative, "median")),
        f"{levene.definition} {levene.otherwise} Holm’s correction is over the three pairs.",
    )
    yield Sheet.of(
        "differences",
        "Final accuracy between groups: Mann–Whitney",
        accuracy.DIFFERENCES,
        _each(final.default.differences),
        "The rank-biserial correlation goes from −1 to 1; positive where the second group is better.",
    )
    yield Sheet.of(
        "all-groups",
        "All groups at once: Kruskal–Wallis",
        accuracy.SEVERAL,
        _by_label({"final accuracy": final.default.kruskal, "distance of steps": task.search.kruskal_distance}),
    )


def _of_tries(task: TaskResults) -> Iterator[Sheet]:
    after = task.after_tries
    yield Sheet.of_readings("figure-6", "Tries until a threshold", tries.THRESHOLDS, task.thresholds, tries.thresholds)
    yield Sheet.of_readings(
        "tries-needed", "Tries until half have reached it", survival.NEEDED, task.thresholds, survival.needed
    )
    yield Sheet.of_readings(
        "tries-log-rank", "Tries between groups: log-rank", survival.LOG_RANK, task.thresholds, survival.log_rank
    )
    yield Sheet.of(
        "figure-7",
        "Accuracy after k tries",
        tries.AFTER_TRIES,
        tries.after_tries(after),
        f"{after.best.definition} {after.best.otherwise} {after.this_try_definition}",
    )
    yield Sheet.of("figure-8", "Starting with defaults", strategies.STARTS, _by_label(task.default_start.groups))
    yield Sheet.of_readings("figure-9", "Comments", strategies.COMMENTS, task.comments.groups, strategies.comments)


def _of_search(task: TaskResults) -> Iterator[Sheet]:
    search = task.search
    yield Sheet.of_readings("search", "Search behaviour", strategies.SEARCHES, search.groups, _by_label)
    yield Sheet.of("search-distance", "Distance by try", tries.CURVES, tries.curves(search.distance_by_try))
    yield Sheet.of(
        "search-values",
        "Share of steps that change a value",
        strategies.CHANGED,
        strategies.changed(search.changed_values),
    )


def _of_machines(task: TaskResults) -> Iterator[Sheet]:
    found = task.machines
    yield Sheet.of(
        "machines-tries", "Best validation accuracy at equal tries", tries.CURVES, tries.curves(found.by_tries)
    )
    yield Sheet.of_readings(
        "machines-time", "Best validation accuracy at equal time", tries.CURVES, found.by_time, tries.curves
    )
    yield Sheet.of(
        "against-random",
        "Against random search with as many tries",
        machines.AGAINST_RANDOM,
        _by_label(found.against_random),
    )
    yield Sheet.of(
        "against-tpe", "Against TPE: final test accuracy", machines.AGAINST_TPE, _by_label(found.against_tpe)
    )

"""The report's tables: what :mod:`reports.results` holds, as rows, for CSV and for the page."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from reports.naming import ending
from reports.results.measures import NotComputable, Reading, SeveralTest
from reports.results.study_results import Counts, Pooled, StudyResults, TaskResults
from reports.tables import rows
from reports.tables.rows import Cell, Row

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: In the CSV's first line.
        label: What a reader of the page reads.
        digits: After the point, on the page; None for text and whole numbers.
        is_p: Whether it holds p-values, of which small ones are not told exactly on the page.
    """

    name: str
    label: str
    digits: int | None = None
    is_p: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        name: Of its file: ``table-2``.
        rows: Each as long as ``columns``; None where there is no number.
        note: What a reader needs to know besides.
        is_sortable: Whether its rows make sense in another order.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    is_sortable: bool = True

    def csv(self) -> bytes:
        """It as CSV: UTF-8, commas, a line feed after each line, numbers with up to 12 digits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(column.name for column in self.columns)
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return text.getvalue().encode()


def sheets(results: StudyResults) -> Mapping[str, Sheet]:
    """All tables by their names; with several tasks, names end in the task's."""
    found = [counts(results.counts)]
    for task in results.tasks:
        found.extend(task_sheets(task, ending(results, task.task)).values())
    if isinstance(results.pooled, Pooled):
        found.extend(pooled_sheets(results.pooled).values())
    return {sheet.name: sheet for sheet in found}


def counts(found: Counts, end: str = "") -> Sheet:
    """How many there are of everything."""
    return Sheet(f"counts{end}", "Counts", _COUNTS, tuple(rows.counts(found)), is_sortable=False)


def task_sheets(task: TaskResults, end: str = "") -> Mapping[str, Sheet]:
    """A task's tables, by their names without the task's."""
    found = [sheet for sheet in _of(task) if sheet.rows]
    if end:
        found.append(counts(task.counts))
    return {sheet.name: replace(sheet, name=f"{sheet.name}{end}") for sheet in found}


POOLED_SHEETS = ("pooled-boxes", "pooled-correlations", "pooled-regressions")


def pooled_sheets(pooled: Pooled) -> Mapping[str, Sheet]:
    """Tables of all tasks together."""
    boxes, correlations, regressions = POOLED_SHEETS
    found = (
        Sheet(boxes, "Final accuracy minus the task’s mean", _BOX, tuple(rows.boxes(pooled.boxes))),
        Sheet(
            correlations,
            "Correlation within tasks",
            _CORRELATION,
            tuple(rows.correlation("months and final accuracy, within tasks", pooled.experience)),
        ),
        Sheet(
            regressions,
            "Regressions, with the task as a factor",
            _REGRESSION,
            tuple(rows.regressions(pooled.regressions)),
        ),
    )
    return {sheet.name: sheet for sheet in found}


def _of(task: TaskResults) -> Iterator[Sheet]:
    final, default = task.final, task.final.default
    both = _both
    yield Sheet(
        "figure-1", "Random settings: the histogram", _READ + _BINS, both(task.random_settings, rows.random_bins)
    )
    yield Sheet("random-settings", "Random settings", _READ + _RANDOM, both(task.random_settings, rows.random_settings))
    yield Sheet("figure-3", "Experience: the histogram", _EXPERIENCE, tuple(rows.experience(task.experience)))
    yield Sheet(
        "figure-4", "Everybody’s final accuracy", _READ + _POINT, both(final, lambda each: rows.points(each.points))
    )
    yield Sheet("figure-5", "Final accuracy per group", _READ + _BOX, both(final, lambda each: rows.boxes(each.boxes)))
    yield Sheet(
        "table-2",
        "Table 2. Levene’s test between groups",
        (Column("centre", "deviations from the"), *_PAIR),
        (*rows.pairs("mean", default.levene.default), *rows.pairs("median", default.levene.alternative)),
        f"{default.levene.definition} {default.levene.otherwise} Holm’s correction is over the three pairs.",
    )
    yield Sheet(
        "differences",
        "Final accuracy between groups: Mann–Whitney",
        _DIFFERENCE,
        tuple(rows.differences(default.differences)),
        "The rank-biserial correlation goes from −1 to 1; positive where the second group is better.",
    )
    yield Sheet("all-groups", "All groups at once: Kruskal–Wallis", _SEVERAL, tuple(rows.several(_several(task))))
    yield Sheet("figure-6", "Tries until a threshold", _READ + _TRIES, both(task.thresholds, rows.thresholds))
    yield Sheet(
        "figure-7",
        "Accuracy after k tries",
        (Column("curve", "curve"), *_CURVE),
        (
            *_labelled("best so far", rows.curves(task.after_tries.best.default)),
            *_labelled("best so far, of those who still try", rows.curves(task.after_tries.best.alternative)),
            *_labelled("this try", rows.curves(task.after_tries.this_try)),
        ),
        f"{task.after_tries.best.definition} {task.after_tries.best.otherwise} {task.after_tries.this_try_definition}",
    )
    yield Sheet("figure-8", "Starting with defaults", _START, tuple(rows.starts(task.default_start)))
    yield Sheet("figure-9", "Comments", _READ + _COMMENT, both(task.comments.groups, rows.comments))
    yield Sheet(
        "correlations", "All rank correlations with months of experience", _CORRELATION, tuple(_correlations(task))
    )
    yield Sheet(
        "regressions", "Regressions of final accuracy", _REGRESSION, tuple(rows.regressions(task.regressions)), _HC3
    )
    yield Sheet("search", "Search behaviour", _READ + _SEARCH, both(task.search.groups, rows.searches))
    yield Sheet("search-distance", "Distance by try", _CURVE, tuple(rows.curves(task.search.distance_by_try)))
    yield Sheet(
        "search-values", "Share of steps that change a value", _CHANGED, tuple(rows.changed(task.search.changed_values))
    )
    yield Sheet(
        "machines-tries", "Best validation accuracy at equal tries", _CURVE, tuple(rows.curves(task.machines.by_tries))
    )
    yield Sheet(
        "machines-time",
        "Best validation accuracy at equal time",
        _READ + _CURVE,
        both(task.machines.by_time, rows.curves),
    )
    yield Sheet(
        "against-random",
        "Against random search with as many tries",
        _RANDOM_RIVAL,
        tuple(rows.against_random(task.machines)),
    )
    yield Sheet("against-tpe", "Against TPE: final test accuracy", _TPE_RIVAL, tuple(rows.against_tpe(task.machines)))
    yield Sheet("importance", "Importance", _READ + _IMPORTANCE, both(task.importance, rows.importance))
    yield Sheet("components", "Components of variance", _COMPONENTS, tuple(rows.components(task.components)))
    yield Sheet("follow-up", "Power of a follow-up", _POWER, tuple(rows.follow_up(task.follow_up)))


def _several(task: TaskResults) -> Mapping[str, SeveralTest | NotComputable]:
    return {"final accuracy": task.final.default.kruskal, "distance of steps": task.search.kruskal_distance}


def _correlations(task: TaskResults) -> Iterator[Row]:
    final = task.final
    yield from rows.correlation("final accuracy", final.default.experience)
    if final.default.experience != final.alternative.experience:
        yield from rows.correlation("final accuracy, other reading", final.alternative.experience)
    for threshold in task.thresholds.default:
        yield from rows.correlation(f"tries to reach {threshold.accuracy:g} %", threshold.correlation)
    yield from rows.correlation("share of guesses among comments", task.comments.guessing)
    yield from rows.correlation("distance of steps", task.search.experience_distance)
    yield from rows.correlation("values changed per step", task.search.experience_changed)


def _both(reading: Reading[T], make: Callable[[T], Iterable[Row]]) -> tuple[Row, ...]:
    """The rows of both readings with a first cell that says which; once where they agree."""
    default = tuple(make(reading.default))
    other = tuple(make(reading.alternative))
    if default == other:
        return _labelled("both", default)
    return _labelled("the paper’s", default) + _labelled("the other", other)


def _labelled(label: Cell, found: Iterable[Row]) -> tuple[Row, ...]:
    return tuple((label, *row) for row in found)


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


# --- columns ----------------------------------------------------------------------------------------------------------

Columns = Sequence[Column]

_HC3 = (
    "Least squares with standard errors that allow for unequal variances (HC3). Coefficients are percentage points per "
    "unit; of log(1 + months), per unit of the natural logarithm."
)


def _interval(digits: int) -> tuple[Column, ...]:
    return Column("low", "95 % CI from", digits), Column("high", "to", digits)


_WHY = Column("note", "note")
_GROUP = Column("group", "group")
_N = Column("n", "n")
_READ = (Column("reading", "reading"),)
_COUNTS = (Column("what", "what"), Column("count", "count"))
_BINS = (Column("from", "from %", 0), Column("to", "to %", 0), Column("count", "settings"))
_RANDOM = (_N, Column("mean", "mean %", 1), Column("sd", "sd", 1), *_interval(1), _WHY)
_EXPERIENCE = (_GROUP, Column("from", "from months", 0), Column("to", "to months", 0), Column("count", "people"))
_POINT = (
    Column("code", "code"),
    _GROUP,
    Column("months", "months", 1),
    Column("accuracy", "test accuracy %", 1),
    Column("sd", "sd between seeds", 2),
    Column("evaluations", "evaluations"),
)
_BOX = (
    _GROUP,
    _N,
    Column("mean", "mean", 1),
    *_interval(1),
    Column("sd", "sd", 1),
    Column("median", "median", 1),
    Column("median_low", "95 % CI from", 1),
    Column("median_high", "to", 1),
    Column("q1", "first quartile", 1),
    Column("q3", "third", 1),
    Column("lowest", "lowest", 1),
    Column("highest", "highest", 1),
    _WHY,
)
_TEST = (Column("p", "p", 3, is_p=True), Column("p_permutation", "p, permutation", 3, is_p=True))
_PAIR = (
    Column("first", "first"),
    Column("second", "second"),
    Column("n_first", "n"),
    Column("n_second", "n"),
    Column("statistic", "W", 2),
    Column("freedom", "df"),
    *_TEST,
    Column("p_holm", "p, Holm", 3, is_p=True),
    _WHY,
)
_DIFFERENCE = (
    Column("first", "first"),
    Column("second", "second"),
    Column("n_first", "n"),
    Column("n_second", "n"),
    Column("difference", "mean difference", 1),
    *_interval(1),
    Column("rank_biserial", "rank-biserial r", 2),
    Column("r_low", "95 % CI from", 2),
    Column("r_high", "to", 2),
    Column("statistic", "U", 1),
    *_TEST,
    Column("p_holm", "p, Holm", 3, is_p=True),
    _WHY,
)
_SEVERAL = (
    Column("of", "of"),
    Column("groups", "groups"),
    _N,
    Column("statistic", "H", 2),
    Column("freedom", "df"),
    *_TEST,
    Column("epsilon_squared", "ε²", 2),
    _WHY,
)
_TRIES = (
    Column("threshold", "threshold %", 0),
    _GROUP,
    _N,
    Column("reached", "reached it"),
    Column("never", "never"),
    Column("mean", "mean tries", 1),
    *_interval(1),
    Column("median", "median", 1),
    Column("mean_at_least", "mean of all, at least", 1),
    _WHY,
)
_CURVE = (
    _GROUP,
    Column("at", "at", 1),
    Column("mean", "mean", 2),
    Column("standard_error", "standard error", 2),
    _N,
)
_START = (
    _GROUP,
    Column("defaults", "all at default"),
    Column("others", "something changed"),
    Column("share", "share", 2),
    *_interval(2),
    Column("above", "with defaults: above 50 %"),
    Column("known", "of"),
    Column("others_above", "others: above 50 %"),
    Column("others_known", "of"),
    _WHY,
)
_COMMENT = (
    _GROUP,
    Column("people", "people"),
    Column("silent", "without comments"),
    Column("comment", "comment"),
    Column("count", "count"),
    Column("share", "share", 2),
)
_CORRELATION = (
    Column("of", "months and …"),
    _N,
    Column("rho", "ρ", 2),
    *_interval(2),
    *_TEST,
    _WHY,
)
_REGRESSION = (
    Column("model", "model"),
    Column("covariate", "covariate"),
    Column("coefficient", "coefficient", 2),
    Column("error", "error", 2),
    Column("t", "t", 2),
    Column("p", "p", 3, is_p=True),
    *_interval(2),
    _N,
    Column("r_squared", "R²", 2),
    Column("r_squared_adjusted", "adjusted", 2),
    _WHY,
)
_SEARCH = (
    _GROUP,
    Column("people", "people"),
    Column("steps", "steps"),
    Column("distance", "distance", 2),
    *_interval(2),
    Column("changed", "values changed", 1),
    Column("changed_low", "95 % CI from", 1),
    Column("changed_high", "to", 1),
    Column("one_value", "one value", 2),
    Column("same", "none", 2),
    Column("exploitation", "exploitation", 2),
    Column("exploration", "exploration", 2),
    Column("improved", "improved", 2),
    _WHY,
)
_CHANGED = (Column("hyperparameter", "hyperparameter"), _GROUP, Column("share", "share", 2))
_RANDOM_RIVAL = (
    _GROUP,
    _N,
    Column("best", "best validation %", 1),
    Column("random_best", "random search’s", 1),
    Column("advantage", "advantage", 1),
    *_interval(1),
    Column("ahead", "ahead in", 2),
    Column("worth", "worth random tries"),
    _WHY,
)
_TPE_RIVAL = (
    _GROUP,
    _N,
    Column("n_tpe", "n, TPE"),
    Column("people", "people’s mean %", 1),
    Column("tpe", "TPE’s", 1),
    Column("difference", "difference", 1),
    *_interval(1),
    Column("rank_biserial", "rank-biserial r", 2),
    *_TEST,
    _WHY,
)
_IMPORTANCE = (
    Column("hyperparameter", "hyperparameter"),
    Column("share", "share", 3),
    Column("sd", "sd", 3),
    Column("n", "trials"),
    _WHY,
)
_COMPONENTS = (Column("what", "what"), Column("value", "value", 2), *_interval(2), _WHY)
_POWER = (
    Column("what", "true correlation"),
    Column("rho", "ρ", 2),
    Column("people", "people"),
    Column("power", "power", 2),
    _WHY,
)

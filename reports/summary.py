"""The report in a few lines, for a channel: plain text, and the figures that go with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from reports.figures.arms import differences
from reports.figures.catalogue import plates
from reports.figures.plate import Plate
from reports.figures.survival import in_words as medians
from reports.naming import ending
from reports.results.arms import Arms
from reports.results.further import AgainstRandom, AgainstTpe
from reports.results.measures import Correlation, NotComputable, PairTest
from reports.results.paper import GroupTries, Threshold
from reports.results.registration import PrimaryResult
from reports.results.study_results import StudyResults, TaskResults
from reports.wording import (
    capital,
    correlation,
    counted,
    estimate,
    lead,
    listed,
    number,
    p_value,
    people,
    percent,
    spread,
    typographic,
    whole,
)
from training.tasks import BUILT_IN

FIGURES = ("figure-4", "figure-7", "machines-tries")
"""The figures that a reader sees first."""


@dataclass(frozen=True)
class Short:
    """A short report.

    Attributes:
        headline: One line.
        lines: Sentences without markup, the most important first.
        figures: To be posted with it: ``plate.files()["png"]``, ``plate.title``, ``plate.description``. Those that
            cannot be computed are left out.
    """

    headline: str
    lines: tuple[str, ...]
    figures: tuple[Plate, ...]


def short(results: StudyResults) -> Short:
    """The report in a few lines, with codes and counts but no names."""
    counts = results.counts
    lines = [*everybody_lines(results), *([results.study.left_out] if results.study.left_out else [])]
    for task in results.tasks:
        before = f"{task.task}: " if len(results.tasks) > 1 else ""
        lines.extend(before + line for line in task_lines(task))
    drawn = plates(results)
    names = [f"{name}{ending(results, task.task)}" for task in results.tasks for name in FIGURES]
    return Short(
        headline=f"{results.study.name}: {people(counts.analysed)}, {counted(counts.submitted, 'trial')}",
        lines=tuple(typographic(line) for line in lines),
        figures=tuple(drawn[name] for name in names if not isinstance(drawn[name].content, NotComputable)),
    )


def _for_demonstration(results: StudyResults) -> Iterator[str]:
    for task in results.tasks:
        if task.task in BUILT_IN.names and BUILT_IN[task.task].shows_only:
            yield f"For demonstration only: {task.task} is not fit to measure skill."


def everybody_lines(results: StudyResults) -> tuple[str, ...]:
    """Lines on the people who took part, on what was registered, and on all tasks together."""
    pooled = results.pooled
    first = (_who(results), *registered_lines(results), *_for_demonstration(results))
    if isinstance(pooled, NotComputable) or not isinstance(pooled.experience, Correlation):
        return first
    return *first, f"All tasks together: months and final accuracy, {correlation(pooled.experience)}."


def registered_lines(results: StudyResults) -> Iterator[str]:
    """Lines on the registered test and on what deviated; on whether the study goes on."""
    registered = results.registered
    if results.study.is_interim:
        yield "This is an interim report: the study is not closed."
    if isinstance(registered.plan, NotComputable):
        yield registered.plan.why
        return
    yield f"Registered test (confirmatory): {primary_line(registered.primary)}"
    count = len(registered.deviations)
    yield f"{capital(counted(count, 'deviation'))} from what was registered on {registered.plan.day}."


def primary_line(primary: PrimaryResult | NotComputable) -> str:
    """The result of the registered test in a sentence, or why there is none."""
    if isinstance(primary, NotComputable):
        return primary.why
    found = "significant" if primary.is_significant else "not significant"
    return (
        f"{primary.measure} = {estimate(primary.effect, 2)}, {p_value(primary.p)} ({people(primary.n)}): {found} at "
        f"{primary.alpha:g}."
    )


def task_lines(task: TaskResults) -> tuple[str, ...]:
    """Lines on one task."""
    return tuple(_lines(task))


def _who(results: StudyResults) -> str:
    counts = results.counts
    groups = listed(f"{number(count, 0)} {group}" for group, count in counts.by_group.items())
    withdrew = f"; {people(counts.withdrawn)} withdrew" if counts.withdrawn else ""
    going = f"; {people(counts.unfinished)} still tuning" if counts.unfinished else ""
    return f"{capital(people(counts.analysed))} finished ({groups}){withdrew}{going}."


def _lines(task: TaskResults) -> Iterator[str]:
    final = task.final.default
    if isinstance(final.spread, NotComputable):
        yield final.spread.why
        return
    yield f"Final accuracy {spread(final.spread)} % ({people(final.spread.n)})."
    if isinstance(final.experience, Correlation):
        yield (
            f"Months of experience and final accuracy: {correlation(final.experience)}, "
            f"by permutation {p_value(final.experience.p_permutation)}."
        )
    else:
        yield f"Experience and final accuracy: {final.experience.why}"
    levene = [each for each in final.levene.default if isinstance(each, PairTest)]
    if levene:
        pairs = "; ".join(
            f"{each.first} and {each.second} {p_value(each.p)} (Holm {p_value(each.p_holm)})" for each in levene
        )
        yield f"Levene’s test: {pairs}."
    if isinstance(task.arms.default, Arms):
        yield from (f"Arms: {told}." for told in differences(task.arms.default))
    reached = [_threshold(threshold) for threshold in task.thresholds.default]
    yield from (line for line in reached if line)
    if isinstance(task.comments.guessing, Correlation):
        yield f"Months of experience and the share of guesses: {correlation(task.comments.guessing)}."
    random = task.machines.against_random.get("people")
    if isinstance(random, AgainstRandom):
        yield (
            f"Against random search with as many tries, people are {lead(random.advantage)} in best validation "
            f"accuracy; a person wins {percent(random.ahead)} of comparisons."
        )
    tpe = task.machines.against_tpe.get("people")
    if isinstance(tpe, AgainstTpe):
        yield f"Against TPE, people are {lead(tpe.difference.mean)} in final accuracy."


def _threshold(threshold: Threshold) -> str:
    means = [
        f"{group.group} {number(group.mean.value)}"
        for group in threshold.groups.values()
        if isinstance(group, GroupTries) and not isinstance(group.mean, NotComputable)
    ]
    if not means:
        return ""
    return (
        f"Tries until half have reached {whole(threshold.accuracy)} %: {medians(threshold)}. "
        f"Mean tries of those who reached it: {listed(means)}."
    )

"""Every figure of a report."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from reports.figures import arms, efficiency, further, machines, people, strategies, survival
from reports.figures.plate import Plate
from reports.naming import ending
from reports.results.measures import NotComputable, Reading
from reports.results.study_results import Pooled, StudyResults, TaskResults
from reports.wording import typographic

T = TypeVar("T")

OTHER = "other-reading"
"""The end of the name of a figure that shows what the paper's reading does not."""

_OF_PEOPLE = ("figure-4", "figure-5", "figure-6", "figure-7", "figure-8", "figure-9", "tries-", "search-", "machines-")
"""How the names of figures begin that show what people did, whatever their arm."""


def plates(results: StudyResults) -> Mapping[str, Plate]:
    """All figures by their names; with several tasks, names end in the task's: ``figure-4-digits-squeezenet``."""
    found = [plate for task in results.tasks for plate in task_plates(task, ending(results, task.task)).values()]
    if isinstance(results.pooled, Pooled):
        found.append(further.pooled(results.pooled))
    return {plate.name: plate for plate in found}


def task_plates(task: TaskResults, end: str = "") -> Mapping[str, Plate]:
    """A task's figures, by their names without the task's."""
    arms_together = "" if isinstance(task.arms.default, NotComputable) else " The arms are together here."
    return {
        plate.name: replace(
            plate,
            name=f"{plate.name}{end}",
            caption=typographic(plate.caption + (arms_together if plate.name.startswith(_OF_PEOPLE) else "")),
        )
        for plate in _of(task)
    }


def _of(task: TaskResults) -> Iterator[Plate]:
    yield from _readings(task.random_settings, "figure-1", people.random_settings)
    yield people.experience(task.experience)
    yield from _readings(task.final, "figure-4", people.accuracy_against_experience)
    yield from _readings(task.final, "figure-5", people.accuracy_by_group)
    if not isinstance(task.arms.default, NotComputable):
        yield from _readings(task.arms, arms.NAME, arms.accuracy_by_arm)
    yield from _readings(task.thresholds, "figure-6", efficiency.tries_to_threshold)
    yield from _readings(task.thresholds, survival.NAME, survival.tries_needed)
    yield from _readings(
        task.after_tries.best,
        "figure-7",
        lambda each, said, name: efficiency.accuracy_after_tries(each, said, name=name),
    )
    yield efficiency.accuracy_after_tries(
        task.after_tries.this_try,
        task.after_tries.this_try_definition,
        name="figure-7-this-try",
        what="of each try itself",
    )
    yield strategies.default_start(task.default_start)
    yield from _readings(
        task.comments.groups, "figure-9", lambda each, said, name: strategies.comments(each, task.comments, said, name)
    )
    yield from _readings(task.search.groups, "search-steps", strategies.steps)
    yield strategies.distance(task.search)
    yield strategies.changed_values(task.search)
    yield machines.by_tries(task.machines)
    yield from _readings(task.machines.by_time, "machines-time", machines.by_time)
    yield machines.difference(task.machines)
    yield from _readings(task.importance, "importance", further.importance)
    yield further.components(task.components)
    yield further.follow_up(task.follow_up)


def _readings(reading: Reading[T], name: str, make: Callable[[T, str, str], Plate]) -> Iterator[Plate]:
    """The paper's reading, and the other one where it gives other numbers and can be drawn."""
    yield make(reading.default, reading.definition, name)
    if not reading.agree:
        other = make(reading.alternative, reading.otherwise, f"{name}-{OTHER}")
        if not isinstance(other.content, NotComputable):
            yield replace(other, title=f"{other.title} (the other reading)")

"""Names of files."""

import re

from reports.results.study_results import StudyResults


def slug(name: str, otherwise: str = "study") -> str:
    """A name as a part of file names: lower-case letters and digits with hyphens between them.

    Args:
        otherwise: What stands for a name without a letter or digit of English.
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or otherwise


def ending(results: StudyResults, task: str) -> str:
    """What names of a task's figures and tables end in: nothing when there is one task only."""
    if len(results.tasks) == 1:
        return ""
    names = [_task_name(each.task) for each in results.tasks]
    position = [each.task for each in results.tasks].index(task)
    return f"-{names[position]}" if names.count(names[position]) == 1 else f"-{names[position]}-{position + 1}"


def _task_name(task: str) -> str:
    """Names of tasks keep their capitals, dots and underscores, as the study file writes them."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", task).strip("-.") or "task"

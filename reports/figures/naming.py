"""Names of files."""

import re

from reports.results.everything import StudyResults


def ending(results: StudyResults, task: str) -> str:
    """What names of a task's figures and tables end in: nothing when there is one task only."""
    if len(results.tasks) == 1:
        return ""
    names = [_file_name(each.task) for each in results.tasks]
    place = [each.task for each in results.tasks].index(task)
    return f"-{names[place]}" if names.count(names[place]) == 1 else f"-{names[place]}-{place + 1}"


def _file_name(task: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", task).strip("-.") or "task"

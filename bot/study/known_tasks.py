"""The study's tasks, as far as the bot needs them: what participants may know of them, and how large a batch may be."""

from collections.abc import Sequence

from bot.runner.running_jobs import RunningJobs
from training.networks.architectures import least_bytes_per_image
from training.tasks import Task, TaskFacts


class KnownTasks:
    """The tasks by their names. Any other name, or none, means the first one.

    Args:
        tasks: The study's tasks, at least one.
        jobs: Knows how much memory the workers have.
    """

    def __init__(self, tasks: Sequence[Task], jobs: RunningJobs) -> None:
        self._first = tasks[0]
        self._tasks = {task.name: task for task in tasks}
        self._jobs = jobs

    def facts(self, name: str | None) -> TaskFacts:
        """What participants may know of a task."""
        return self._task(name).facts

    def largest_batch(self, name: str | None) -> int | None:
        """The size of a batch beyond which the workers surely have no memory for a task; none if that is unknown."""
        memory, task = self._jobs.memory, self._task(name)
        return None if memory is None else memory // least_bytes_per_image(task.network, task.facts.image_size)

    def _task(self, name: str | None) -> Task:
        return self._first if name is None else self._tasks.get(name, self._first)

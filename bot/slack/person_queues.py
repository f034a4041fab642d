"""Runs what people ask for on a few threads, so that nobody can take them all."""

import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto


class Place(Enum):
    """What became of a task that was given."""

    TAKEN = auto()
    """It runs now or later."""
    REPLACED = auto()
    """It runs later, instead of one with the same key."""
    FULL = auto()
    """It was left out: too many of this person's tasks wait."""
    FULL_AGAIN = auto()
    """It was left out, and another one was before it. The person does not have to be told again."""
    CLOSED = auto()
    """It was left out: no more tasks are taken."""


@dataclass(frozen=True)
class _Task:
    do: Callable[[], object]
    key: Hashable | None


class PersonQueues:
    """A queue for each person. Safe from any thread.

    Of each person one task runs at a time, in the order in which they were given. People take turns: whoever has given
    many tasks waits for a free thread after each of them like everybody else.

    Args:
        name: The name of the threads.
        threads: How many tasks run at the same time.
        most_waiting: How many tasks of one person may wait; those that must not be left out do not count.
    """

    def __init__(self, name: str, threads: int, most_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._queues: dict[str, deque[_Task]] = {}
        self._overflowed: set[str] = set()
        self._closed = False

    def add(self, person: str, do: Callable[[], object], *, key: Hashable | None = None, must: bool = False) -> Place:
        """Run a task soon.

        Args:
            person: Whose task it is.
            do: The task. It must not raise an exception.
            key: The task takes the place of a waiting one of the same person with the same key.
            must: Whether it must not be left out, however many wait.
        """
        task = _Task(do, key)
        with self._lock:
            if self._closed:
                return Place.CLOSED
            queue = self._queues.get(person)
            if queue is None:
                self._queues[person] = deque([task])
                self._pool.submit(self._run_next, person)
                return Place.TAKEN
            if key is not None and (waiting := next((place for place in queue if place.key == key), None)) is not None:
                queue[queue.index(waiting)] = task
                return Place.REPLACED
            if len(queue) >= self._most_waiting and not must:
                was_told = person in self._overflowed
                self._overflowed.add(person)
                return Place.FULL_AGAIN if was_told else Place.FULL
            queue.append(task)
            return Place.TAKEN

    def close(self) -> None:
        """Take no more tasks, and return when those that were given have run."""
        with self._lock:
            self._closed = True  # from now on, a person's next task runs on the thread of the one before
        self._pool.shutdown(wait=True)

    def _run_next(self, person: str) -> None:
        while True:
            with self._lock:
                task = self._queues[person].popleft()
            try:
                task.do()
            finally:
                goes_on_here = self._pass_on(person)
            if not goes_on_here:
                return

    def _pass_on(self, person: str) -> bool:
        """After a task: let the others have a turn before the person's next one. Returns whether it is done here."""
        with self._lock:
            if not self._queues[person]:
                del self._queues[person]
                self._overflowed.discard(person)
                return False
            if self._closed:
                return True
            self._pool.submit(self._run_next, person)
            return False

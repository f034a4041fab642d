"""Runs what people ask for on a few threads, so that nobody can take them all."""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto

log = logging.getLogger(__name__)


class Place(Enum):
    """What became of a task that was given."""

    TAKEN = auto()
    """It runs now or later."""
    REPLACED = auto()
    """It runs later, instead of one with the same key."""
    FULL = auto()
    """It was left out: too many of this person's tasks wait."""
    CLOSED = auto()
    """It was left out: no more tasks are taken."""


@dataclass(frozen=True)
class _Task:
    do: Callable[[], object]
    key: Hashable | None


@dataclass
class _Person:
    waiting: deque[_Task] = field(default_factory=deque)
    threads: int = 0


class PersonQueues:
    """A queue for each person. Safe from any thread.

    A person's tasks begin in the order in which they were given, and only some of them run at the same time. People
    take turns: whoever has given many tasks waits for a free thread after each of them like everybody else.

    Args:
        name: The name of the threads.
        threads: How many tasks run at the same time.
        at_a_time: How many of them may be one person's.
        most_waiting: How many tasks of one person may wait, but for those that must not be left out.
    """

    def __init__(self, name: str, threads: int, *, at_a_time: int, most_waiting: float = math.inf) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._at_a_time = at_a_time
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._people: dict[str, _Person] = {}
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
            queue = self._people.setdefault(person, _Person())
            if (
                key is not None
                and (same := next((each for each in queue.waiting if each.key == key), None)) is not None
            ):
                queue.waiting[queue.waiting.index(same)] = task
                return Place.REPLACED
            if queue.threads < self._at_a_time:
                queue.threads += 1
                self._pool.submit(self._run_next, person, queue)
            elif len(queue.waiting) >= self._most_waiting and not must:
                return Place.FULL
            queue.waiting.append(task)
            return Place.TAKEN

    def waiting(self, person: str) -> int:
        """How many tasks of a person wait."""
        with self._lock:
            queue = self._people.get(person)
            return 0 if queue is None else len(queue.waiting)

    def close(self) -> None:
        """Take no more tasks, and return when those that were given have run."""
        with self._lock:
            self._closed = True  # from now on, a person's next task runs on the thread of the one before
        self._pool.shutdown(wait=True)

    def _run_next(self, person: str, queue: _Person) -> None:
        goes_on_here = True
        while goes_on_here:
            with self._lock:
                task = queue.waiting.popleft() if queue.waiting else None
            try:
                if task is not None:
                    task.do()
            except BaseException:  # the person's other tasks run nevertheless
                log.exception("a task of a person ended with an error")
            goes_on_here = self._pass_on(person, queue)

    def _pass_on(self, person: str, queue: _Person) -> bool:
        """After a task: let the others have a turn before the person's next one. Returns whether it is done here."""
        with self._lock:
            if queue.waiting and self._closed:
                return True
            if queue.waiting:
                self._pool.submit(self._run_next, person, queue)
                return False
            queue.threads -= 1
            if not queue.threads:
                del self._people[person]
            return False

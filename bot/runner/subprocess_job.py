"""Runs long computations (the report, the open data) in a process of its own: no acknowledgement waits for them."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import ParamSpec, TypeVar

from storage.refusals import Refused

Params = ParamSpec("Params")
Result = TypeVar("Result")

_NICE = 10
"""The niceness of the process: people's trials go first."""


class NotMade(Exception):
    """A computation has no result; ``str(error)`` says why, in a sentence."""


class SubprocessJob:
    """Runs one computation at a time. Safe from any thread."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")  # a fork would copy the bot's threads and connections
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._closed = False

    def run(self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Call a module's function in another process, and return its result. Arguments and result must pickle.

        Raises:
            NotMade: Another computation runs, this one refuses or fails, or the bot is closing.
        """
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_run, args=(there, function, args, kwargs), daemon=True)
        with self._lock:
            if self._closed:
                raise NotMade("The bot is being stopped.")
            if self._process is not None:
                raise NotMade("Something else is being made at the moment. Please try again when it is ready.")
            self._process = process
            process.start()
        there.close()
        try:
            succeeded, made = here.recv()
        except EOFError:
            raise NotMade("The computation was stopped before its end. Please try again.") from None
        finally:
            here.close()
            process.join()
            with self._lock:
                self._process = None
        if not succeeded:
            raise NotMade(made)
        result: Result = made
        return result

    def close(self) -> None:
        """Stop the computation that runs, and start no more."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.terminate()


def _run(
    answer: Connection, function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    os.nice(_NICE)
    try:
        answer.send((True, function(*args, **kwargs)))
    except (Refused, NotMade) as error:
        answer.send((False, str(error)))
    except Exception as error:  # the person who waits is told only its type: its text may contain a name
        answer.send((False, f"It failed ({type(error).__name__}). The log of the bot has the details."))
        raise

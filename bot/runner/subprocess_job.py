"""Long computations in a process of their own, so that no acknowledgement waits for them: the report, the open data."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import ParamSpec, TypeVar

from storage.refusals import Refused

Given = ParamSpec("Given")
Made = TypeVar("Made")

_NICE = 10
"""People's trials go before."""


class NotMade(Exception):
    """A computation gave nothing; ``str(error)`` says why, in a sentence."""


class SubprocessJob:
    """Runs one computation at a time. Safe from any thread."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")  # our threads and connections are none of its business
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._closed = False

    def run(self, function: Callable[Given, Made], *args: Given.args, **named: Given.kwargs) -> Made:
        """Call a function of a module in another process, and wait for what it returns; all of it must pickle.

        Raises:
            NotMade: Another computation is under way; it refused, or failed; or we are closing.
        """
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_run, args=(there, function, args, named), daemon=True)
        with self._lock:
            if self._closed:
                raise NotMade("The bot is being stopped.")
            if self._process is not None:
                raise NotMade("Something else is being made at the moment. Please try again when it is there.")
            self._process = process
            process.start()
        there.close()
        try:
            well, made = here.recv()
        except EOFError:
            raise NotMade("The computation was stopped before its end. Please try again.") from None
        finally:
            here.close()
            process.join()
            with self._lock:
                self._process = None
        if not well:
            raise NotMade(made)
        result: Made = made
        return result

    def close(self) -> None:
        """Stop what is under way, and begin nothing more."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.terminate()


def _run(
    answer: Connection, function: Callable[..., object], args: tuple[object, ...], named: dict[str, object]
) -> None:
    os.nice(_NICE)
    try:
        answer.send((True, function(*args, **named)))
    except (Refused, NotMade) as error:
        answer.send((False, str(error)))
    except Exception as error:  # the one who waits for it is told; what it says may hold a name
        answer.send((False, f"It failed ({type(error).__name__}). The log of the bot has the details."))
        raise

"""Errands: long work that makes many calls to Slack, and that nobody else waits for."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain

from bot.slack.error_reporting import ErrorReporter, may_pass, name_of
from bot.slack.lasting_thread import LastingThread
from bot.slack.rate_limiter import CallNotMade, Priority, RateLimiter, on_terms

log = logging.getLogger(__name__)

_THREADS = 2

_LONGEST_YIELD = 2.0
"""Seconds for which a step waits for people who are being answered. With people at every moment, errands go on too."""

_RETRY_SECONDS = (5.0, 60.0)
"""The pauses before a step that failed is tried again. After the last one, it is given up."""

Step = Callable[[], object]
"""A call or two. It may be repeated: nobody knows whether a call was made whose answer did not come."""


@dataclass(eq=False)
class _Errand:
    """An errand that is not finished.

    Attributes:
        doing, tell: As in :meth:`Errands.add`.
        steps: The steps that are left of this round.
        failed: The steps of the next round.
        round: How many rounds have ended.
        not_before: When the round begins.
        done, given_up: The number of steps that succeeded, and of those that failed for good.
    """

    doing: str
    steps: Iterator[Step]
    tell: Callable[[str], object] | None
    failed: list[Step] = field(default_factory=list)
    round: int = 0
    not_before: float = 0.0
    done: int = 0
    given_up: int = 0

    def begin_next_round(self) -> None:
        """Rest for some seconds, and then do again what failed."""
        self.not_before = time.monotonic() + _RETRY_SECONDS[self.round]
        self.round += 1
        self.steps, self.failed = iter(self.failed), []


class Errands:
    """Does errands step by step, all of them in turn. Safe from any thread.

    Before each step people who are being answered go first, and within Slack's rate limits everybody else does
    (:attr:`Priority.ERRAND`). A step that fails does not stop the errand: it is tried again after the others, unless
    the error is lasting. The first step of an errand that failed for good is reported, and the others are logged.

    Args:
        errors: Reports errors.
        limiter: Keeps the workspace's rate limits.
        let_others_go_first: Waits until nobody is being answered, but at most for the seconds that it is given.
    """

    def __init__(
        self, errors: ErrorReporter, limiter: RateLimiter, let_others_go_first: Callable[[float], None]
    ) -> None:
        self._errors = errors
        self._limiter = limiter
        self._let_others_go_first = let_others_go_first
        self._changed = threading.Condition()
        self._waiting: deque[_Errand] = deque()
        self._under_way: list[_Errand] = []
        self._closing = self._is_over = False
        self._threads: list[LastingThread] = []

    @property
    def threads(self) -> Sequence[LastingThread]:
        """The threads that were started: the first errands start them."""
        return tuple(self._threads)

    def add(self, doing: str, steps: Iterable[Step], *, tell: Callable[[str], object] | None = None) -> None:
        """Do an errand soon. After :meth:`close` none is begun.

        Args:
            doing: What it does, in a few words, for the report of an error.
            steps: Its steps. An iterator is asked for the next one when that is due, on the thread of the errand.
            tell: Gives a text to the person who waits for it.
        """
        with self._changed:
            if self._closing:
                log.info("not begun, because the bot is closing: %s", doing)
                return
            self._waiting.append(_Errand(doing, iter(steps), tell))
            if len(self._threads) < _THREADS:
                self._threads.append(LastingThread(f"errand-{len(self._threads)}", self._work))
                self._threads[-1].start()
            self._changed.notify_all()

    def close(self, flush: float) -> None:
        """Go on for at most ``flush`` seconds, and then stop after the calls that are under way. The rest is logged."""
        with self._changed:
            self._closing = True
        self._limiter.wake()
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: not (self._under_way or self._ready()), timeout=flush)
            self._is_over = True
            self._changed.notify_all()
        self._limiter.wake()
        for thread in self._threads:
            thread.join(1.0)
        for errand in [*self._under_way, *self._waiting]:
            log.warning("not finished, because the bot is closing: %s (%d steps are done)", errand.doing, errand.done)

    def _work(self) -> None:
        while (errand := self._next()) is not None:
            goes_on = False
            try:
                with self._terms():
                    goes_on = self._go_on(errand)
            except Exception as error:  # noqa: BLE001 - an iterator that fails has no next step
                self._errors.report(error, errand.doing, tell=errand.tell)
            with self._changed:
                self._under_way.remove(errand)
                if goes_on:
                    self._waiting.append(errand)
                self._changed.notify_all()

    def _terms(self) -> AbstractContextManager[None]:
        """The terms of a step. While the bot is being closed, nobody presses any more, and the rest goes at once."""
        if self._closing:
            return on_terms(Priority.RESULT, abandon=lambda: self._is_over)
        return on_terms(Priority.ERRAND, abandon=lambda: self._closing)

    def _ready(self) -> list[_Errand]:
        return [errand for errand in self._waiting if errand.not_before <= time.monotonic()]

    def _next(self) -> _Errand | None:
        """Wait for an errand whose next step is due; none when no more steps are done."""
        with self._changed:
            while not self._is_over:
                if ready := self._ready():
                    self._waiting.remove(ready[0])
                    self._under_way.append(ready[0])
                    return ready[0]
                due = min((errand.not_before for errand in self._waiting), default=None)
                self._changed.wait(None if due is None else max(0.0, due - time.monotonic()))
        return None

    def _go_on(self, errand: _Errand) -> bool:
        """Do the next step of an errand. Returns whether there may be another one."""
        if not self._closing:
            self._let_others_go_first(_LONGEST_YIELD)
        step = next(errand.steps, None)
        if step is not None:
            self._attempt(errand, step)
            return True
        if errand.failed:
            errand.begin_next_round()
            return True
        if errand.given_up:
            log.error("%d steps failed, and %d are done: %s", errand.given_up, errand.done, errand.doing)
        return False

    def _attempt(self, errand: _Errand, step: Step) -> None:
        try:
            step()
            errand.done += 1
        except Exception as error:  # noqa: BLE001 - the other steps are still to be done
            if self._is_over:
                return
            if self._closing and isinstance(error, CallNotMade):  # it waited on other terms
                errand.steps = chain([step], errand.steps)
                return
            if may_pass(error) and errand.round < len(_RETRY_SECONDS):
                log.warning("is tried again later: %s (%s)", errand.doing, name_of(error))
                errand.failed.append(step)
                return
            errand.given_up += 1
            if errand.given_up == 1:
                self._errors.report(error, errand.doing, tell=errand.tell)
            else:
                log.warning("failed again: %s (%s)", errand.doing, name_of(error))

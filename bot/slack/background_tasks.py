"""The threads of the bot: which kinds there are, and what may run on which.

A thread that waits for Slack (for an answer, or for its turn within the rate limits) does nothing else meanwhile. So
what somebody has just pressed never shares a thread with what follows from it, and short work never shares one with
long work.

===================================  ============================================================  ====================
Threads                              What runs there                                               Waits for Slack
===================================  ============================================================  ====================
``listener`` (32), and as many of    Acknowledging. What somebody submits is also checked and      never
Bolt's before them                   stored here, because the acknowledgement is the answer.
``answer`` (32)                      What somebody has just pressed, typed or opened, until it is  10 s for its turn,
                                     answered: opening a form, redrawing it, a reply.              3 s for a modal
``follow-up`` (8)                    What follows from it or from the clock, a call or two each:   until its turn comes
                                     notices, a trial's reply, a goodbye, a baseline's next step.
``files`` (2)                        What is computed, drawn or uploaded for a researcher.         until its turn comes
``errand`` (2)                       Long work of many calls (:mod:`bot.slack.errands`): deleting  after all others
                                     messages, inviting people, Home tabs, catching up.
``live-feed`` (6),                   Messages that change while a trial runs                       until its turn comes
``picture-deleter``                  (:mod:`bot.live.feed`).
``admins``, ``final-report``         The report channel (:mod:`bot.admin.reporter`).               until its turn comes
``alerts``, ``jobs``                 Alerts and workers' reports: they go into the database.        never
``scheduler``, and APScheduler's (9) What is due. It is read from the database, and passed on to   never
                                     the threads above.
``watchdog``                         Whether the threads of this table live and go on.             never
===================================  ============================================================  ====================

:class:`BackgroundTasks` has the threads that are named ``answer``, ``follow-up``, ``files`` and ``errand``.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.slack.errands import Errands, Step
from bot.slack.error_reporting import ErrorReporter
from bot.slack.lasting_thread import LastingThread
from bot.slack.rate_limiter import CallNotMade, RateLimiter, on_terms

log = logging.getLogger(__name__)

_ANSWER_THREADS, _FOLLOW_UP_THREADS, _FILE_THREADS = 32, 8, 2

_ANSWER_SECONDS = 10.0
"""How long each call of an answer waits for its turn. A person who waits longer is asked to try again."""

Tell = Callable[[str], object]
"""Gives a text to the person who waits for a task."""


class BackgroundTasks:
    """Runs tasks soon, each kind on threads of its own, and reports those that fail. Safe from any thread.

    Args:
        errors: Reports errors.
        limiter: Keeps the workspace's rate limits.
    """

    def __init__(self, errors: ErrorReporter, limiter: RateLimiter) -> None:
        self._errors = errors
        self._limiter = limiter
        self._answering = _Busy()
        self._answers = ThreadPoolExecutor(_ANSWER_THREADS, thread_name_prefix="answer")
        self._follow_ups = ThreadPoolExecutor(_FOLLOW_UP_THREADS, thread_name_prefix="follow-up")
        self._files = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="files")
        self._errands = Errands(errors, limiter, self._answering.wait_until_idle)
        self._closing = self._is_over = False

    @property
    def closed(self) -> bool:
        """Whether the bot is being stopped."""
        return self._closing

    @property
    def threads(self) -> Sequence[LastingThread]:
        """The threads of errands that were started."""
        return self._errands.threads

    def answer(self, doing: str, task: Callable[[], Any], *, tell: Tell | None = None) -> None:
        """Handle what somebody has just pressed, typed or opened. Nothing else can take its threads.

        Args:
            doing: What the task does, in a few words, for the report of an error.
            task: The task. What may take longer than an answer, it passes on to :meth:`run`, :meth:`make_files` or
                :meth:`run_errand`.
            tell: Gives a text to the person who waits.
        """
        self._answering.begin()
        if not self._submit(
            self._answers, doing, task, tell, timeout=_ANSWER_SECONDS, whatever_happens=self._answering.end
        ):
            self._answering.end()

    def run(self, doing: str, task: Callable[[], Any]) -> None:
        """Do what follows from something that has happened: a call or two.

        Args:
            doing, task: As in :meth:`answer`.
        """
        self._submit(self._follow_ups, doing, task)

    def make_files(self, doing: str, task: Callable[[], Any], *, tell: Tell) -> None:
        """Make files for somebody and send them, or check uploads.

        Args:
            doing, task, tell: As in :meth:`answer`.
        """
        self._submit(self._files, doing, task, tell)

    def run_errand(self, doing: str, steps: Iterable[Step], *, tell: Tell | None = None) -> None:
        """Do long work step by step. Between two steps others go first.

        Args:
            doing, tell: As in :meth:`answer`.
            steps: The steps, a call or two each: see :class:`bot.slack.errands.Errands`.
        """
        self._errands.add(doing, steps, tell=tell)

    def close(self, flush: float) -> None:
        """Accept no more tasks. Go on with those that were given for ``flush`` seconds, and give up the rest."""
        self._closing = True
        giving_up = threading.Timer(flush, self._give_up)
        giving_up.daemon = True
        giving_up.start()
        self._errands.close(flush)
        for pool in (self._answers, self._files, self._follow_ups):
            pool.shutdown(wait=True)
        giving_up.cancel()

    def _give_up(self) -> None:
        self._is_over = True
        self._limiter.wake()

    def _submit(
        self,
        pool: ThreadPoolExecutor,
        doing: str,
        task: Callable[[], Any],
        tell: Tell | None = None,
        *,
        timeout: float | None = None,
        whatever_happens: Callable[[], None] = lambda: None,
    ) -> bool:
        """Have a task run. Returns whether it will: none does after :meth:`close`."""

        def run() -> None:
            try:
                with on_terms(timeout=timeout, abandon=lambda: self._is_over):
                    self._attempt(doing, task, tell)
            finally:
                whatever_happens()

        try:
            if not self._closing:
                pool.submit(run)
                return True
        except RuntimeError:  # the pool was closed a moment ago
            pass
        log.info("not done, because the bot is closing: %s", doing)
        return False

    def _attempt(self, doing: str, task: Callable[[], Any], tell: Tell | None) -> None:
        if self._is_over:
            log.info("not done, because the bot is closing: %s", doing)
            return
        try:
            task()
        except CallNotMade as error:
            if self._closing:
                log.info("not finished, because the bot is closing: %s", doing)
            else:
                self._errors.too_slow(error, doing, tell=tell)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must be told
            if self._closing:
                log.info("not finished, because the bot is closing: %s (%s)", doing, error)
            else:
                self._errors.report(error, doing, tell=tell)


class _Busy:
    """Counts the answers that wait for a thread or are given."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def begin(self) -> None:
        with self._changed:
            self._count += 1

    def end(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until everybody is answered, but no longer than this."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, timeout=seconds)

"""The threads of the bot: which kinds there are, and what may run on which.

A thread that waits for Slack (for an answer, or for its turn within the rate limits) does nothing else meanwhile. So
what somebody has just pressed never shares a thread with what follows from it, and short work never shares one with
long work.

===================================  ============================================================  ====================
Threads                              What runs there                                               Waits for Slack
===================================  ============================================================  ====================
``listener`` (32), and as many of    Acknowledging. What somebody submits is also checked and      never
Bolt's before them                   stored here, because the acknowledgement is the answer.
``answer`` (32), in a queue for      What somebody has just pressed, typed or opened: opening a    10 s for its turn,
each person                          form, redrawing it, preparing a reply.                        3 s for a modal
``reply`` (16), in a queue for       Posting these replies.                                        a minute
each person
``post`` (8)                         Posting what follows from a press or from the clock, a call   a quarter of an hour
                                     or two each: notices, a trial's message, a goodbye.
``follow-up`` (2)                    What follows and needs only the database: a baseline's next   never
                                     step, a lost trial.
``files`` (2)                        What is computed, drawn or uploaded for a researcher.         a quarter of an hour
``errand`` (2)                       Long work of many calls (:mod:`bot.slack.errands`): deleting  after all others
                                     messages, inviting people, Home tabs, catching up.
``live-feed`` (6),                   Messages that change while a trial runs                       until its turn comes
``picture-deleter``                  (:mod:`bot.live.feed`).
``admins``, ``final-report``         The report channel (:mod:`bot.admin.reporter`).               until its turn comes
``alerts``, ``jobs``                 Alerts and workers' reports: they go into the database.        never
``scheduler``, APScheduler's (10)    What is due. It is read from the database, and passed on to   never
                                     the threads above.
``watchdog``                         Whether the threads of this table live and go on.             never
===================================  ============================================================  ====================

Nobody can take all of them: of each person only some tasks run and wait, and their calls have a share of each of
Slack's limits (:mod:`bot.slack.person_queues`, :mod:`bot.slack.rate_limiter`).

:class:`BackgroundTasks` has the threads from ``answer`` to ``errand``.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.slack.errands import Errands, Step
from bot.slack.error_reporting import TOO_MANY, ErrorReporter
from bot.slack.lasting_thread import LastingThread
from bot.slack.person_queues import PersonQueues, Place
from bot.slack.rate_limiter import CallNotMade, Priority, RateLimiter, Terms, on_terms

log = logging.getLogger(__name__)

_ANSWER_THREADS, _REPLY_THREADS, _POST_THREADS, _FOLLOW_UP_THREADS, _FILE_THREADS = 32, 16, 8, 2, 2

_ANSWERS_AT_A_TIME = 4
"""How many presses of one person are handled at a time. Replies keep their order: one is posted after the other."""

_MOST_ANSWERS, _MOST_REPLIES = 20, 8
"""While so many answers or replies of one person wait, what they press and write is left out, and they are told so."""

_ANSWER_SECONDS, _REPLY_SECONDS, _LONGEST_WAIT = 10.0, 60.0, 900.0
"""How long each call waits for its turn: in an answer, in a reply, and elsewhere."""

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
        self._answers = PersonQueues(
            "answer", _ANSWER_THREADS, at_a_time=_ANSWERS_AT_A_TIME, most_waiting=_MOST_ANSWERS
        )
        self._replies = PersonQueues("reply", _REPLY_THREADS, at_a_time=1)
        self._posts = ThreadPoolExecutor(_POST_THREADS, thread_name_prefix="post")
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

    def answer(
        self,
        doing: str,
        task: Callable[[], Any],
        *,
        person: str,
        tell: Tell | None = None,
        key: Hashable | None = None,
        must: bool = False,
    ) -> None:
        """Handle what somebody has just pressed, typed or opened. Nothing else can take its threads.

        Args:
            doing: What the task does, in a few words, for the report of an error.
            task: The task. A reply it passes on to :meth:`reply`, and what may take longer than an answer to
                :meth:`post`, :meth:`make_files` or :meth:`run_errand`.
            person: Their Slack user. When too many of their tasks wait, this one is left out, and they are told so.
            tell: Gives a text to the person who waits.
            key: The task takes the place of a waiting one of this person with the same key.
            must: Whether it is never left out: it was submitted, and cannot be pressed again.
        """
        terms = Terms(Priority.PRESS, _ANSWER_SECONDS, self._abandoned, person)
        self._answering.begin()

        def run() -> None:
            try:
                self._attempt(doing, task, terms, tell)
            finally:
                self._answering.end()

        if self._closing:
            place = Place.CLOSED
        elif not must and self._replies.waiting(person) >= _MOST_REPLIES:
            place = Place.FULL
        else:
            place = self._answers.add(person, run, key=key, must=must)
        if place is not Place.TAKEN:  # it does not run, or another one does not
            self._answering.end()
        if place is Place.CLOSED:
            log.info("not done, because the bot is closing: %s", doing)
        elif place is Place.FULL:
            log.warning("left out, because too many tasks of one person wait: %s", doing)
            if tell is not None:
                self.reply(doing, lambda: tell(TOO_MANY), person=person, key=TOO_MANY)

    def reply(self, doing: str, task: Callable[[], Any], *, person: str, key: Hashable | None = None) -> None:
        """Post a reply to what somebody has pressed or typed, after the replies before it.

        Args:
            doing, person, key: As in :meth:`answer`.
            task: Posts it.
        """
        terms = Terms(Priority.PRESS, _REPLY_SECONDS, self._abandoned, person)
        if self._replies.add(person, lambda: self._attempt(doing, task, terms), key=key) is Place.CLOSED:
            log.info("not done, because the bot is closing: %s", doing)

    def post(self, doing: str, task: Callable[[], Any]) -> None:
        """Post what follows from something that has happened: a call or two.

        Args:
            doing, task: As in :meth:`answer`.
        """
        self._submit(self._posts, doing, task)

    def run(self, doing: str, task: Callable[[], Any]) -> None:
        """Do what follows from something that has happened, and needs only the database.

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
        self._answers.close()
        for pool in (self._files, self._posts, self._follow_ups):
            pool.shutdown(wait=True)
        self._replies.close()  # the last ones: all others may reply
        giving_up.cancel()

    def _give_up(self) -> None:
        self._is_over = True
        self._limiter.wake()

    def _abandoned(self) -> bool:
        return self._is_over

    def _submit(self, pool: ThreadPoolExecutor, doing: str, task: Callable[[], Any], tell: Tell | None = None) -> None:
        """Have a task run. None does after :meth:`close`."""
        terms = Terms(timeout=_LONGEST_WAIT, abandon=self._abandoned)
        try:
            if not self._closing:
                pool.submit(self._attempt, doing, task, terms, tell)
                return
        except RuntimeError:  # the pool was closed a moment ago
            pass
        log.info("not done, because the bot is closing: %s", doing)

    def _attempt(self, doing: str, task: Callable[[], Any], terms: Terms, tell: Tell | None = None) -> None:
        if self._is_over:
            log.info("not done, because the bot is closing: %s", doing)
            return
        with on_terms(terms.priority, timeout=terms.timeout, abandon=terms.abandon, person=terms.person):
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

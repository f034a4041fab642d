"""Keeps Slack's rate limits: a call waits until Slack would accept it.

Slack counts calls per method, workspace and app in a sliding minute, and messages per channel and second
(https://docs.slack.dev/apis/web-api/rate-limits). The :class:`RateLimiter` counts the same. It uses the limit and never
exceeds it: a call counts from the moment when it is allowed until one window after its *answer* came, so delays of the
network do not matter. What somebody has just pressed goes before what the study tells people, that before all frames of
live plots, and those before errands. One person's presses never use more than a part of a limit.
"""

import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit

from slack_sdk.http_retry import ConnectionErrorRetryHandler, RetryHandler
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

logger = logging.getLogger(__name__)


class Priority(IntEnum):
    """Which calls go first when not all can."""

    PRESS = 0
    """Somebody has just pressed or written something, and looks at the screen."""
    RESULT = 1
    """A person waits for it: a result, a cancellation, the end of the time."""
    FRAME = 2
    """A frame of a running plot: the next one is as good."""
    ERRAND = 3
    """A step of long work that nobody waits for."""


@dataclass(frozen=True)
class Limit:
    """At most ``calls`` calls in any ``seconds`` seconds."""

    calls: int
    seconds: float = 60.0


_TIER_1, _TIER_2, _TIER_3, _TIER_4 = Limit(1), Limit(20), Limit(50), Limit(100)

SLACK_LIMITS: Mapping[str, Limit] = {
    "apps.connections.open": _TIER_1,
    "conversations.list": _TIER_2,
    "usergroups.users.list": _TIER_2,
    "chat.delete": _TIER_3,
    "chat.deleteScheduledMessage": _TIER_3,
    "chat.scheduleMessage": _TIER_3,
    "chat.update": _TIER_3,
    "conversations.history": _TIER_3,
    "conversations.info": _TIER_3,
    "conversations.open": _TIER_3,
    "conversations.replies": _TIER_3,
    "files.delete": _TIER_3,
    "chat.postEphemeral": _TIER_4,
    "conversations.members": _TIER_4,
    "files.completeUploadExternal": _TIER_4,
    "files.getUploadURLExternal": _TIER_4,
    "files.info": _TIER_4,
    "users.info": _TIER_4,
    "views.open": _TIER_4,
    "views.publish": _TIER_4,
    "views.push": _TIER_4,
    "views.update": _TIER_4,
    "chat.postMessage": Limit(240),  # "several hundred messages per minute per workspace"
}
"""Calls per minute, from each method's page of Slack's reference. Calls of other methods do not wait."""

POST_PER_CHANNEL = Limit(3, seconds=3.0)
"""``chat.postMessage``: one message a second per channel, with short bursts."""

RESULTS_LEAVE_FREE = 0.02
"""The part of a limit that results never use, so that a press does not wait when many are told at once: 4 of 240."""

FRAMES_LEAVE_FREE = 0.04
"""The part of a limit that frames never use, so that a result does not wait: 2 of 50."""

ERRANDS_LEAVE_FREE = 0.5
"""The part of a limit that errands never use: after a burst of their calls there is room for many people's."""

PERSON_SHARE = 0.25
"""The part of a limit that one person's presses may use. Nobody needs it: it is 25 forms a minute."""

CAUTION = 0.75
"""After a refusal a method's limit is multiplied by this factor. It recovers over ten windows."""


def _never() -> bool:
    return False


def _ignore(_method: str, _seconds: float) -> None:
    """The default of ``on_limited``: do nothing."""


class CallNotMade(RuntimeError):
    """A call was not made: its turn did not come in time, its caller abandoned it, or the limiter was closed."""


class ShareUsedUp(CallNotMade):
    """A call was not made, because the person who pressed has used their share of Slack's limits."""


@dataclass(frozen=True)
class Terms:
    """The terms on which calls wait for their turn.

    Attributes:
        priority: Of the calls that wait, the one with the lowest value goes first; equal ones in their order.
        timeout: The longest wait in seconds; ``None`` waits until the limiter is closed.
        abandon: Returns whether the caller no longer wants its turn. It is called again after :meth:`RateLimiter.wake`.
        person: Who pressed; their calls have a share of each limit. Empty for calls that nobody's press has caused.
    """

    priority: Priority = Priority.RESULT
    timeout: float | None = None
    abandon: Callable[[], bool] = _never
    person: str = ""


_USUAL_TERMS = Terms()
_terms: ContextVar[Terms] = ContextVar("terms", default=_USUAL_TERMS)
_held: ContextVar[str] = ContextVar("held", default="")
"""The method for which the running code has its turn already."""
_give_up_at: ContextVar[float] = ContextVar("give_up_at", default=math.inf)
"""Until when, in monotonic time, the call that has its turn may be repeated."""


@contextmanager
def on_terms(
    priority: Priority | None = None,
    *,
    timeout: float | None = None,
    abandon: Callable[[], bool] | None = None,
    person: str | None = None,
) -> Iterator[None]:
    """Let the calls inside the ``with`` block wait on these terms. Terms that are not given stay as they are.

    Args:
        priority, timeout, abandon, person: As in :class:`Terms`.
    """
    terms = _terms.get()
    if person is not None:
        terms = replace(terms, person=person)
    if priority is not None:
        terms = replace(terms, priority=priority)
    if timeout is not None:
        terms = replace(terms, timeout=timeout)
    if abandon is not None:
        terms = replace(terms, abandon=abandon)
    before = _terms.set(terms)
    try:
        yield
    finally:
        _terms.reset(before)


@dataclass
class _Window:
    """The calls of the last seconds: the times of their answers, and the number of calls without an answer yet."""

    limit: Limit
    answered: deque[float] = field(default_factory=deque)
    under_way: int = 0

    def wait(self, now: float, calls: int) -> float:
        """Seconds until the window has room for one of ``calls`` calls; infinite while that needs an answer first."""
        while self.answered and self.answered[0] <= now - self.limit.seconds:
            self.answered.popleft()
        surplus = len(self.answered) + self.under_way - calls + 1
        if surplus <= 0:
            return 0.0
        if surplus > len(self.answered):
            return math.inf
        return self.answered[surplus - 1] + self.limit.seconds - now


@dataclass(frozen=True, order=True)
class _Ticket:
    """A caller's ticket in the queue of a method."""

    priority: Priority
    number: int
    channel: str | None = field(compare=False)
    person: str = field(compare=False)


class _Parts:
    """A window for each part of the calls, such as those of one person. Those that are idle are forgotten."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._windows: dict[str, _Window] = {}

    def window(self, name: str, now: float) -> _Window:
        if name not in self._windows:
            idle = [name for name, window in self._windows.items() if not window.under_way and not window.wait(now, 1)]
            for each in idle:
                del self._windows[each]
            self._windows[name] = _Window(self._limit)
        return self._windows[name]


class _Queue:
    """The calls of one method: those that were made, and those that wait. Guarded by the limiter's lock."""

    def __init__(self, limit: Limit, per_channel: Limit | None) -> None:
        self.window = _Window(limit)
        self.waiting: list[_Ticket] = []
        self.held_until = -math.inf
        self._channels = _Parts(per_channel) if per_channel is not None else None
        self._people = _Parts(Limit(max(1, math.floor(limit.calls * PERSON_SHARE)), limit.seconds))
        self._last_frame = -math.inf
        self._refused_at = -math.inf
        self._caution = 1.0

    def wait(self, ticket: _Ticket, now: float) -> float:
        """Seconds until the limits allow this ticket's call."""
        waits = [self.held_until - now]
        calls = self._calls(now)
        if ticket.priority is Priority.RESULT:
            calls -= math.floor(calls * RESULTS_LEAVE_FREE)
        elif ticket.priority is Priority.FRAME:
            calls = _less(calls, FRAMES_LEAVE_FREE)
            # Frames are spread evenly: after a burst of frames, the next calls would wait for a minute.
            waits.append(self._last_frame + self.window.limit.seconds / self.window.limit.calls - now)
        elif ticket.priority is Priority.ERRAND:
            calls = _less(calls, ERRANDS_LEAVE_FREE)
        waits.append(self.window.wait(now, calls))
        waits += [window.wait(now, window.limit.calls) for window in self._parts(ticket, now)]
        return max(waits)

    def share_is_used_up(self, ticket: _Ticket, now: float) -> bool:
        """Whether the person who pressed has used their share."""
        if not ticket.person:
            return False
        share = self._people.window(ticket.person, now)
        return share.wait(now, share.limit.calls) > 0

    def is_next(self, ticket: _Ticket, now: float) -> bool:
        """Whether this ticket's call may be made now, and no other call that may be made now comes before it."""
        return self.wait(ticket, now) <= 0 and not any(
            other < ticket and self.wait(other, now) <= 0 for other in self.waiting
        )

    def start(self, ticket: _Ticket, now: float) -> None:
        for window in self._windows(ticket, now):
            window.under_way += 1
        if ticket.priority is Priority.FRAME:
            self._last_frame = now

    def finish(self, ticket: _Ticket, now: float) -> None:
        for window in self._windows(ticket, now):
            window.under_way -= 1
            window.answered.append(now)

    def refuse(self, now: float, seconds: float) -> None:
        self.held_until = max(self.held_until, now + seconds)
        self._caution, self._refused_at = self._caution_now(now) * CAUTION, now

    def _calls(self, now: float) -> int:
        return max(1, math.floor(self.window.limit.calls * self._caution_now(now)))

    def _caution_now(self, now: float) -> float:
        windows_since = (now - self._refused_at) / self.window.limit.seconds
        return min(1.0, self._caution + windows_since / 10)

    def _windows(self, ticket: _Ticket, now: float) -> list[_Window]:
        return [self.window, *self._parts(ticket, now)]

    def _parts(self, ticket: _Ticket, now: float) -> list[_Window]:
        """The windows of the ticket's channel and of its person, where these have a limit."""
        windows = []
        if self._channels is not None and ticket.channel is not None:
            windows.append(self._channels.window(ticket.channel, now))
        if ticket.person:
            windows.append(self._people.window(ticket.person, now))
        return windows


def _less(calls: int, free: float) -> int:
    """The number of calls that are left when a part of them is kept free. Of one or two, none is kept free."""
    return max(1, calls - math.ceil(calls * free)) if calls > 2 else calls


class RateLimiter:
    """Lets calls to Slack pass, each method at its own rate. One per workspace and app; safe from any thread.

    Args:
        limits: The limit of each method. Calls of a method without a limit do not wait.
        per_channel: The additional limit of ``chat.postMessage`` in each channel.

    Attributes:
        on_limited: Called with the method and the seconds to wait when Slack refuses a call nevertheless. It must not
            wait for anything.
    """

    def __init__(
        self, limits: Mapping[str, Limit] = SLACK_LIMITS, *, per_channel: Limit | None = POST_PER_CHANNEL
    ) -> None:
        self._changed = threading.Condition()
        self._queues = {
            method: _Queue(limit, per_channel if method == "chat.postMessage" else None)
            for method, limit in limits.items()
        }
        self._numbers = count()
        self._closed = False
        self.on_limited: Callable[[str, float], None] = _ignore

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Return this limiter: Bolt copies its client for every listener, but all copies must share one limiter."""
        return self

    @contextmanager
    def turn(self, method: str, *, channel: str | None = None) -> Iterator[None]:
        """Wait for this method's next turn on the current terms. The call is made inside the ``with`` block.

        Inside the block, a call of the same method does not wait again.

        Args:
            method: The method's name, such as ``chat.update``.
            channel: For ``chat.postMessage``: the channel of the message.

        Raises:
            CallNotMade: The wait was too long, it was abandoned, or the limiter was closed. The call must not be made.
        """
        queue = self._queues.get(method)
        if queue is None or _held.get() == method:
            yield
            return
        terms = _terms.get()
        ticket = _Ticket(terms.priority, next(self._numbers), channel, terms.person)
        give_up_at = math.inf if terms.timeout is None else time.monotonic() + terms.timeout
        self._await_turn(queue, ticket, method, terms, give_up_at)
        before, end_before = _held.set(method), _give_up_at.set(give_up_at)
        try:
            yield
        finally:
            _held.reset(before)
            _give_up_at.reset(end_before)
            with self._changed:
                queue.finish(ticket, time.monotonic())
                self._changed.notify_all()

    def slow_down(self, method: str, seconds: float) -> None:
        """Note that Slack refused a call of this method: make none for ``seconds``, and fewer after that."""
        with self._changed:
            if (queue := self._queues.get(method)) is not None:
                queue.refuse(time.monotonic(), seconds)
        self.on_limited(method, seconds)

    def pause(self, seconds: float, abandon: Callable[[], bool] = _never) -> bool:
        """Sleep until the time is over, the limiter is closed, or :meth:`wake` is called while ``abandon`` holds.

        Returns:
            Whether the whole pause was slept.
        """
        with self._changed:
            return not self._changed.wait_for(lambda: self._closed or abandon(), timeout=seconds)

    def pause_on_terms(self, seconds: float) -> bool:
        """As :meth:`pause`, on the current terms: they say when to abandon."""
        return self.pause(seconds, _terms.get().abandon)

    def wake(self) -> None:
        """Let all waiting callers check again whether to abandon."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse all calls that wait, and all later calls."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _await_turn(self, queue: _Queue, ticket: _Ticket, method: str, terms: Terms, give_up_at: float) -> None:
        with self._changed:
            queue.waiting.append(ticket)
            try:
                while True:
                    if self._closed or terms.abandon():
                        raise CallNotMade(f"{method} was not called: the connection to Slack is being closed.")
                    now = time.monotonic()
                    if queue.is_next(ticket, now):
                        queue.start(ticket, now)
                        return
                    wait = queue.wait(ticket, now)
                    # Whoever cannot be served in time is told at once, and holds no thread meanwhile.
                    if now >= give_up_at or (math.isfinite(wait) and now + wait > give_up_at):
                        error = ShareUsedUp if queue.share_is_used_up(ticket, now) else CallNotMade
                        raise error(f"{method} was not called: its turn does not come within {terms.timeout:g} s.")
                    until = min(max(wait, 0.001), give_up_at - now)
                    self._changed.wait(None if math.isinf(until) else until)
            finally:
                queue.waiting.remove(ticket)
                self._changed.notify_all()


class RateLimitedHandler(RateLimitErrorRetryHandler):
    """After HTTP 429, tells the limiter, waits as long as Slack demands, and tries again."""

    def __init__(self, limiter: RateLimiter, max_retry_count: int = 3) -> None:
        super().__init__(max_retry_count)
        self._limiter = limiter

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002 - the SDK passes it by name
    ) -> None:
        """Called by the SDK before a retry. There is none when the limiter is closed, or the call is abandoned.

        Raises:
            CallNotMade: The retry would come too late for the call's terms.
        """
        headers = response.headers if response else {}
        retry_after = next((values for name, values in headers.items() if name.lower() == "retry-after"), ["1"])
        seconds = float(retry_after[0])
        method = urlsplit(request.url).path.rsplit("/", 1)[-1]
        logger.warning("Slack limits %s: no more calls for %g s.", method, seconds)
        self._limiter.slow_down(method, seconds)
        if time.monotonic() + seconds > _give_up_at.get():
            raise CallNotMade(f"{method} was not called: Slack takes none for {seconds:g} s.")
        # Several calls may have been refused at the same time. They must not be repeated at the same time.
        if self._limiter.pause(seconds + random.uniform(0, 0.5), _terms.get().abandon):  # noqa: S311
            state.next_attempt_requested = True
            state.increment_current_attempt()


class _ConnectionErrors(ConnectionErrorRetryHandler):
    """After a broken connection, tries again, unless the call would post a message twice."""

    def _can_retry(self, **given: Any) -> bool:
        return not _posts(given["request"]) and super()._can_retry(**given)


class _ServerErrors(ServerErrorRetryHandler):
    """After an error of Slack's servers, tries again, unless the call would post a message twice."""

    def _can_retry(self, **given: Any) -> bool:
        return not _posts(given["request"]) and super()._can_retry(**given)


def _posts(request: HttpRequest) -> bool:
    """Whether a call posts a message each time it is made. :mod:`bot.slack.posted_once` repeats it."""
    return urlsplit(request.url).path.endswith("/chat.postMessage")


def retry_handlers(limiter: RateLimiter) -> list[RetryHandler]:
    """The SDK's handlers for retries: connection errors, server errors, and rate limits, which the limiter is told.

    Posts are repeated after a rate limit alone: after the other errors nobody knows whether they were made.
    """
    return [
        _ConnectionErrors(max_retry_count=2),
        _ServerErrors(max_retry_count=2),
        RateLimitedHandler(limiter),
    ]

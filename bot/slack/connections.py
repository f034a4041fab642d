"""Notices that another program is connected as the same Slack app.

Slack sends what people do to any one of the app's connections
(https://docs.slack.dev/apis/events-api/using-socket-mode), so with two bots each gets a part of it. Slack greets a new
connection with the number of connections that the app has. The bot that was there first is told nothing, but it can
tell from its own messages. Slack sends an event for each message that the app posts in a conversation with a person: an
event about a message that this process has not posted, or no event about messages that it has posted, means that
somebody else is connected. Then one more connection is opened for a moment, for its greeting.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from cachetools import LRUCache
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient

log = logging.getLogger(__name__)

CHECK_SECONDS = 5.0
"""How often :meth:`Connections.check` is to be called."""

_REFRESH_SECONDS = 30.0
"""How long more connections than ours mean nothing: Slack replaces old ones, and counts some that were just closed."""

_EVENT_SECONDS = 15.0
"""How long the event about a message may be on its way; its answer may come after it."""

_LOST_EVENTS = 2
"""So many messages without an event are no accident."""

_LOOK_AGAIN_SECONDS, _LOOK_WHETHER_OVER_SECONDS = 300.0, 60.0
"""The time between two looks after one that found no other program, and after one that found some."""

_REPEAT_SECONDS = 3600.0
"""The time between two alarms about the same program."""

_MOST_REMEMBERED = 2_000
_NEW = frozenset({None, "thread_broadcast"})


class OwnMessages:
    """The messages that this process has posted, and the events about messages of the app. Safe from any thread.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._posted: LRUCache[str, bool] = LRUCache(_MOST_REMEMBERED)
        self._without_event: LRUCache[str, float] = LRUCache(_MOST_REMEMBERED)
        self._not_posted: LRUCache[str, float] = LRUCache(_MOST_REMEMBERED)
        self._hears_itself = False

    def posted(self, channel: str, ts: str) -> None:
        """Note that this process has posted a message."""
        with self._lock:
            self._posted[ts] = True
            if self._not_posted.pop(ts, None) is None and channel.startswith("D"):
                self._without_event[ts] = self._clock()

    def found(self, ts: str) -> None:
        """Note that a message of the app is ours, although Slack's answer was lost, or the process before posted it."""
        with self._lock:
            self._posted[ts] = True
            self._not_posted.pop(ts, None)

    def heard(self, ts: str) -> None:
        """Note an event about a new message of the app."""
        with self._lock:
            self._hears_itself = True
            self._without_event.pop(ts, None)
            if ts not in self._posted:
                self._not_posted[ts] = self._clock()

    def tell_of_another(self) -> bool:
        """Whether another program must have posted a message, or got the events about messages of this process."""
        with self._lock:
            late = self._clock() - _EVENT_SECONDS
            lost = sum(at < late for at in self._without_event.values())
            return any(at < late for at in self._not_posted.values()) or (self._hears_itself and lost >= _LOST_EVENTS)

    def forget(self) -> None:
        """Forget what has happened up to now."""
        with self._lock:
            self._without_event.clear()
            self._not_posted.clear()


class Hearing:
    """Whether Slack is heard over the connection of this process. Safe from any thread.

    Args:
        client: The connection. It asks every two seconds whether Slack is there (:mod:`bot.slack.bolt`).
    """

    def __init__(self, client: SocketModeClient) -> None:
        self._client = client
        self._messages = 0
        client.message_listeners.append(self._received)

    def last(self) -> Hashable | None:
        """Something else each time when Slack was heard; none while there is no connection."""
        session = self._client.current_session
        if session is None or not session.is_active():
            return None
        return session.session_id, session.last_ping_pong_time, self._messages

    def is_alive(self) -> bool:
        """Whether the SDK's threads live, once they were started. Without them nothing is heard any more."""
        client = self._client
        runners = [client.current_session_runner, client.message_processor]
        if client.current_app_monitor_started:
            runners.append(client.current_app_monitor)
        return client.closed or all(each.is_alive() for each in runners)

    def _received(self, _: object, __: dict[str, Any], ___: str | None = None) -> None:
        self._messages += 1


class Connections:
    """Watches how many connections the app has. Safe from any thread.

    Args:
        client: The connection of this process.
        messages: The messages of this process.
        look: Opens one more connection, and returns how many there are then; none if that is not known. It may wait.
        run: Has a function run soon, on a thread that may wait; takes what it does, in a few words, and the function.
        another: Called with the number of other connections, and at most once an hour after that.
        alone: Called when they are gone.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        client: BaseSocketModeClient,
        messages: OwnMessages,
        look: Callable[[], int | None],
        run: Callable[[str, Callable[[], None]], object],
        *,
        another: Callable[[int], None],
        alone: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._messages = messages
        self._look = look
        self._run = run
        self._another = another
        self._alone = alone
        self._clock = clock
        self._greeted = False
        self._in_doubt_since: float | None = None
        self._looked_at = self._alarmed_at = float("-inf")
        self._others = 0
        self._looking = threading.Lock()
        client.message_listeners.append(self._received)

    def check(self) -> None:
        """If there is a reason to, have somebody look how many connections there are, and raise or end the alarm.

        Call it every ``CHECK_SECONDS`` seconds. It waits for nothing.
        """
        now = self._clock()
        doubtful = self._in_doubt_since is not None and now - self._in_doubt_since >= _REFRESH_SECONDS
        if self._others:
            doubtful = now - self._looked_at >= _LOOK_WHETHER_OVER_SECONDS
        elif not doubtful and self._messages.tell_of_another():
            doubtful = now - self._looked_at >= _LOOK_AGAIN_SECONDS
        if not doubtful:
            return
        self._looked_at = now
        self._run("counting the app's connections", self._count)

    def _count(self) -> None:
        if not self._looking.acquire(blocking=False):
            return  # the look before this one is not over
        try:
            found = self._look()
            if found is None:
                return
            self._in_doubt_since = None
            self._messages.forget()
            ours = 1 + self._client.is_connected()  # with the one that was opened to look
            self._judge(found - ours, self._looked_at)
        finally:
            self._looking.release()

    def _judge(self, others: int, now: float) -> None:
        if others > 0:
            self._others = others
            if now - self._alarmed_at >= _REPEAT_SECONDS:
                self._alarmed_at = now
                log.error("another program is connected as the same Slack app: %d more connections than ours", others)
                self._another(others)
        elif self._others:
            self._others, self._alarmed_at = 0, float("-inf")
            log.warning("no other program is connected as the same Slack app any more")
            self._alone()

    def _received(self, _: object, message: dict[str, Any], __: str | None = None) -> None:
        """Read what Slack sends over the connection, beside Bolt."""
        if message.get("type") == "hello":
            ours = 2 if self._greeted else 1  # a connection that is replaced is still there
            self._greeted = True
            if int(message.get("num_connections", 0)) > ours and self._in_doubt_since is None:
                self._in_doubt_since = self._clock()
        elif message.get("type") == "events_api":
            payload = message.get("payload") or {}
            event = payload.get("event") or {}
            ours = event.get("app_id") == payload.get("api_app_id")
            if event.get("type") == "message" and event.get("subtype") in _NEW and ours:
                self._messages.heard(str(event["ts"]))

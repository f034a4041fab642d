"""Posts that are there once, although an answer of Slack was lost, or the bot was killed before it could note one.

Slack posts a message each time that it is told to. So every post carries a mark in its metadata
(https://docs.slack.dev/messaging/message-metadata), which people do not see. When nobody knows whether an attempt was
carried out, the conversation is read before the next attempt, and a message with the mark is taken for the post. The
scopes with which the bot reads a conversation suffice for that, and no type of metadata has to be declared.

Whoever may read a conversation with an app of their own can read the mark. It is random, or an HMAC, and so it tells
neither whom nor what the message is about.
"""

import http.client
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cachetools import LRUCache
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.slack.error_reporting import may_pass, name_of
from bot.slack.rate_limiter import CallNotMade, RateLimiter

log = logging.getLogger(__name__)

EVENT_TYPE = "posted_once"
"""The type of the metadata: the same for all posts."""

_PAUSES = (0.5, 1.0)
"""Seconds before the second and the third attempt."""

_CLOCKS_DIFFER = timedelta(minutes=1)
"""How much Slack's clock and this machine's may differ."""

_PAGE, _MOST_PAGES = 200, 5
"""How many messages are read at once; and how many pages, before a post is taken for missing."""

_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Once:
    """What makes a post the same post in every attempt.

    Attributes:
        mark: What its metadata carry. It is opaque: it must tell nobody whom or what the post is about.
        since: It was not posted before this moment, aware.
    """

    mark: str = field(default_factory=lambda: secrets.token_hex(16))
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the post."""
        return {"event_type": EVENT_TYPE, "event_payload": {"mark": self.mark}}


@dataclass(frozen=True)
class Posted:
    """A message that is posted: its ts, and the ID of the picture in it."""

    ts: str
    file_id: str | None = None


class PostedOnce:
    """Makes posts, each of them once. Safe from any thread, but one post is for one thread at a time.

    Args:
        client: The client with the bot's token. It does not repeat posts by itself.
        limiter: Keeps the workspace's rate limits.
        began: When this process began, aware. What another process was to post before, it may have posted.
    """

    def __init__(self, client: WebClient, limiter: RateLimiter, began: datetime) -> None:
        self._client = client
        self._limiter = limiter
        self._began = began
        self._lock = threading.Lock()
        self._posted: LRUCache[str, Posted] = LRUCache(_MOST_REMEMBERED)
        self._missing: LRUCache[str, bool] = LRUCache(_MOST_REMEMBERED)
        self._unknown: set[str] = set()

    def find(self, channel: str, once: Once, thread_ts: str | None = None) -> Posted | None:
        """The post, if it is there already. Slack is asked only where it may be, and nobody knows.

        Args:
            channel: The ID of the conversation.
            once: The post.
            thread_ts: The message that it replies to.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack does not answer now.
        """
        with self._lock:
            posted = self._posted.get(once.mark)
            is_of_before = once.since < self._began and once.mark not in self._missing
            if posted is not None or not (once.mark in self._unknown or is_of_before):
                return posted
        posted = self._look(channel, once, thread_ts)
        with self._lock:
            self._unknown.discard(once.mark)
            if posted is None:
                self._missing[once.mark] = True
            else:
                self._posted[once.mark] = posted
        return posted

    def post(self, channel: str, once: Once, thread_ts: str | None, send: Callable[[], Posted]) -> Posted:
        """Post a message, unless it is there already. An attempt without a clear answer is followed by others.

        Args:
            channel, once, thread_ts: As in :meth:`find`.
            send: Posts it, with its metadata.

        Raises:
            SlackApiError: Slack refuses it, or does not say whether it has posted it.
            CallNotMade, OSError: Slack cannot be reached.
        """
        posted = self.find(channel, once, thread_ts)
        pauses = iter(_PAUSES)
        while posted is None:
            try:
                posted = send()
            except Exception as error:
                if not may_have_arrived(error):
                    raise
                with self._lock:
                    self._unknown.add(once.mark)
                pause = next(pauses, None)
                if pause is None or not self._limiter.pause_on_terms(pause):
                    raise
                log.warning("nobody knows whether a message was posted (%s): it is looked for", name_of(error))
                try:
                    posted = self.find(channel, once, thread_ts)
                except (SlackApiError, CallNotMade, OSError) as not_found:
                    raise error from not_found  # the caller has to know that it may be posted
            else:
                self._note(once, posted)
        return posted

    def _note(self, once: Once, posted: Posted) -> None:
        with self._lock:
            self._unknown.discard(once.mark)
            self._missing.pop(once.mark, None)
            self._posted[once.mark] = posted

    def _look(self, channel: str, once: Once, thread_ts: str | None) -> Posted | None:
        """Look for a post in its conversation or thread; none if it is not there, or Slack will not say."""
        read: Callable[..., Any] = self._client.conversations_history
        if thread_ts is not None:
            read = partial(self._client.conversations_replies, ts=thread_ts)
        oldest, cursor = str((once.since - _CLOCKS_DIFFER).timestamp()), None
        try:
            for _ in range(_MOST_PAGES):
                page = read(channel=channel, oldest=oldest, limit=_PAGE, cursor=cursor, include_all_metadata=True)
                for message in page["messages"]:
                    if mark_of(message) == once.mark:
                        return Posted(str(message["ts"]), picture_in(message.get("blocks") or ()))
                cursor = (page.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    break
        except SlackApiError as error:
            if may_pass(error):
                raise
            log.warning("Slack does not tell whether a message was posted: %s", name_of(error))
        return None


def mark_of(message: Mapping[str, Any]) -> str | None:
    """The mark of a message as Slack gives it; none if it has none."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    mark = (metadata.get("event_payload") or {}).get("mark")
    return mark if isinstance(mark, str) else None


def picture_in(blocks: Iterable[Block | Mapping[str, Any]]) -> str | None:
    """The ID of the picture in a message's blocks; none if there is none."""
    plain = (block.to_dict() if isinstance(block, Block) else block for block in blocks)
    files = (block.get("slack_file") for block in plain)
    return next((str(file["id"]) for file in files if file), None)


def may_have_arrived(error: Exception) -> bool:
    """Whether a message may be posted although its call failed."""
    if isinstance(error, SlackApiError):
        status = getattr(error.response, "status_code", 200)
        return status >= 500 or error.response.get("error") in ("internal_error", "fatal_error", "request_timeout")
    return isinstance(error, OSError | http.client.HTTPException)

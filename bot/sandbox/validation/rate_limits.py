"""Slack's rate limits: a sliding window per method, and one message a second into each channel."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.validation.strictness import Rules


@dataclass
class _Bucket:
    tokens: float
    refilled: float


class RateLimits:
    """Counts the calls that were let through. Refused calls do not count, as in Slack."""

    def __init__(self, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._clock = clock
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._posts: dict[str, _Bucket] = {}

    def retry_after(self, method: str, channel: str | None = None) -> int:
        """Count a call, or refuse it.

        Args:
            method: The Web API method, such as ``chat.update``.
            channel: The channel that ``chat.postMessage`` posts into.

        Returns:
            0 if the call may go on, otherwise the whole seconds to wait (at least 1).
        """
        if self._rules.limits is None:
            return 0
        now = self._clock()
        wait = self._window_wait(method, now)
        if wait <= 0 and channel is not None and method == "chat.postMessage":
            wait = self._channel_wait(channel, now)
        if wait > 0:
            return max(1, math.ceil(wait))
        self._calls[method].append(now)
        return 0

    def _window_wait(self, method: str, now: float) -> float:
        limit = (self._rules.limits or {}).get(method)
        if limit is None:
            return 0.0
        calls = self._calls[method]
        while calls and calls[0] <= now - self._rules.window_seconds:
            calls.popleft()
        return calls[0] + self._rules.window_seconds - now if len(calls) >= limit else 0.0

    def _channel_wait(self, channel: str, now: float) -> float:
        bucket = self._posts.setdefault(channel, _Bucket(float(self._rules.post_burst), now))
        earned = (now - bucket.refilled) * self._rules.posts_per_second
        bucket.tokens, bucket.refilled = min(float(self._rules.post_burst), bucket.tokens + earned), now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._rules.posts_per_second
        bucket.tokens -= 1
        return 0.0

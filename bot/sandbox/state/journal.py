"""Two bounded logs: the changes that people's clients wait for, and the traffic between the workspace and the app."""

import asyncio
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Literal

ChangeKind = Literal["message", "views", "home", "conversations", "people"]
TrafficKind = Literal["call", "envelope", "ack", "connection", "warning"]

_CHANGES_KEPT, _TRAFFIC_KEPT = 10_000, 5_000


@dataclass(frozen=True)
class Change:
    """Something that a client shows is different now. ``audience`` is who can see it; ``None``: everybody."""

    n: int
    type: ChangeKind
    channel: str | None
    ts: str | None
    audience: frozenset[str] | None

    def seen_by(self, user: str) -> bool:
        """Whether this person's client has to know."""
        return self.audience is None or user in self.audience

    def as_json(self) -> dict[str, Any]:
        """The change without its audience."""
        return {"n": self.n, "type": self.type} | {
            key: value for key, value in (("channel", self.channel), ("ts", self.ts)) if value is not None
        }


@dataclass(frozen=True)
class Traffic:
    """One call, envelope or acknowledgement. ``at`` is Unix time, ``ms`` how long it took."""

    n: int
    at: float
    kind: TrafficKind
    name: str
    status: str
    ms: float | None
    detail: str

    def as_json(self) -> dict[str, Any]:
        """All of it, as the traffic drawer reads it."""
        return asdict(self)


class ChangeLog:
    """Numbered changes. Lives on the server's event loop; nothing in it may be called from another thread."""

    def __init__(self) -> None:
        self.now = 0
        self.closed = False
        self._kept: deque[Change] = deque(maxlen=_CHANGES_KEPT)
        self._news = asyncio.Event()

    def add(
        self,
        kind: ChangeKind,
        *,
        channel: str | None = None,
        ts: str | None = None,
        audience: frozenset[str] | None = None,
    ) -> None:
        """Note a change and wake everybody who waits."""
        self.now += 1
        self._kept.append(Change(self.now, kind, channel, ts, audience))
        self._wake()

    def close(self) -> None:
        """Answer every waiting client now: the workspace stops."""
        self.closed = True
        self._wake()

    def since(self, n: int, user: str) -> list[Change]:
        """What changed for this person after number ``n``; everything at once where too much was missed."""
        if n > self.now or (self._kept and n + 1 < self._kept[0].n):
            kinds: tuple[ChangeKind, ...] = ("people", "conversations", "home", "views")
            return [Change(self.now, kind, None, None, None) for kind in kinds]
        found: list[Change] = []
        for change in reversed(self._kept):
            if change.n <= n:
                break
            if change.seen_by(user):
                found.append(change)
        return found[::-1]

    async def wait(self, n: int, user: str, seconds: float) -> list[Change]:
        """Wait until something changed for this person after ``n``, at most this long."""
        deadline = time.monotonic() + seconds
        while not (found := self.since(n, user)) and not self.closed:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            news = self._news
            try:
                await asyncio.wait_for(news.wait(), remaining)
            except TimeoutError:
                break
        return found

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class TrafficLog:
    """What went between the workspace and the app, newest last. It holds names and outcomes, never a token."""

    def __init__(self) -> None:
        self.now = 0
        self._kept: deque[Traffic] = deque(maxlen=_TRAFFIC_KEPT)

    def add(self, kind: TrafficKind, name: str, status: str, *, ms: float | None = None, detail: str = "") -> None:
        """Note one call, envelope or acknowledgement."""
        self.now += 1
        rounded = None if ms is None else round(ms, 1)
        self._kept.append(Traffic(self.now, time.time(), kind, name, status, rounded, detail))

    def since(self, n: int) -> list[Traffic]:
        """The entries after number ``n``."""
        return [entry for entry in self._kept if entry.n > n]

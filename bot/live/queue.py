"""The queue of the live feed: first the words that a person waits for, then pictures, in turn for all messages."""

import threading
import time
from dataclasses import dataclass, field
from enum import IntEnum

from bot.live.fallbacks import Shown

RETRIES = 8
"""How often an update that a person waits for is tried again, after 1, 2, 4 … and at most 30 seconds."""

MOST_SUBJECTS = 5_000
"""The number of subjects whose picture is remembered. Beyond it, the one unchanged for longest is forgotten."""


class Urgency(IntEnum):
    """The urgency of a picture: the lowest value is drawn first."""

    LAST = 0  # the picture of a result, which stays
    FRAME = 1


@dataclass
class Subject:
    """What the feed knows about one message.

    Attributes:
        name: The name of the subject, such as ``trial:17``.
        sending: Held while an update is sent, so that the newest update is sent last.
        served_at: When an update was last started or sent.
        shown: The picture in the message.
        noted: Whether the picture is stored in the database.
        doubtful: Files that the message may show, because the answer to their update was lost.
        results: How many results were sent.
        attempts, not_before: The failed attempts of the current update, and the earliest time of the next one.
    """

    name: str
    sending: threading.Lock = field(default_factory=threading.Lock)
    served_at: float = float("-inf")
    shown: Shown | None = None
    noted: bool = False
    doubtful: list[str] = field(default_factory=list)
    results: int = 0
    attempts: int = 0
    not_before: float = float("-inf")


class FeedQueue:
    """The updates that wait, and those that are being sent. Every subject waits at most once. Safe from any thread.

    Attributes:
        is_closing: Whether the queue accepts nothing new, and frames are not sent any more.
        is_stopped: Whether nothing is sent any more.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._subjects: dict[str, Subject] = {}
        self._words_waiting: dict[str, Subject] = {}
        self._words_under_way: set[str] = set()
        self._pictures_waiting: dict[str, Urgency] = {}
        self._pictures_under_way: set[str] = set()
        self.is_closing = self.is_stopped = False

    def add(self, name: str, *, awaited: bool) -> None:
        """Add a subject that has changed. Never waits; does nothing after :meth:`close`.

        Args:
            name: The name of the subject.
            awaited: Whether a person waits for the words.
        """
        with self._changed:
            if self.is_closing:
                return
            if awaited:
                subject = self._subject(name)
                subject.attempts = 0
                self._words_waiting.setdefault(name, subject).not_before = float("-inf")
            elif name in self._pictures_waiting:
                return
            else:
                self._subject(name)
                self._pictures_waiting[name] = Urgency.FRAME
            self._changed.notify_all()

    def next(self, *, pictures: bool) -> tuple[Subject, Urgency | None] | None:
        """Wait for the next update.

        Args:
            pictures: Whether the caller also sends pictures.

        Returns:
            The subject and the urgency of its picture, or ``None`` for words; ``None`` when the queue is stopped.
        """
        with self._changed:
            while not self.is_stopped:
                now = time.monotonic()
                wake_at = float("inf")
                for subject in self._words_waiting.values():
                    if subject.name in self._words_under_way:
                        continue
                    if subject.not_before <= now:
                        del self._words_waiting[subject.name]
                        self._words_under_way.add(subject.name)
                        subject.served_at = now
                        return subject, None
                    wake_at = min(wake_at, subject.not_before)
                if pictures and (name := self._next_picture()) is not None:
                    urgency = self._pictures_waiting.pop(name)
                    self._pictures_under_way.add(name)
                    # It is set before the update, which may fail: a message that cannot be updated must not be next.
                    self._subjects[name].served_at = now
                    return self._subjects[name], urgency
                self._changed.wait(None if wake_at == float("inf") else wake_at - now)
        return None

    def done(self, subject: Subject, urgency: Urgency | None) -> None:
        """Note that an update from :meth:`next` has ended, with or without success."""
        with self._changed:
            (self._words_under_way if urgency is None else self._pictures_under_way).discard(subject.name)
            self._changed.notify_all()

    def overtake(self, subject: Subject) -> None:
        """Drop the waiting frame of a subject: the words that are sent now show the same state."""
        with self._changed:
            if self._pictures_waiting.get(subject.name) is Urgency.FRAME:
                del self._pictures_waiting[subject.name]

    def words_sent(self, subject: Subject, *, picture_lags: bool) -> None:
        """Note that words were sent. If the picture is older than they are, a last picture follows."""
        with self._changed:
            if picture_lags and self._subjects.get(subject.name) is subject:  # unless it was forgotten
                self._pictures_waiting[subject.name] = Urgency.LAST

    def retry(self, subject: Subject, urgency: Urgency | None, *, lasting: bool) -> None:
        """Try a failed update again later if a person waits for it, unless the error is lasting."""
        with self._changed:
            subject.attempts += 1
            if urgency is not Urgency.FRAME and not lasting and subject.attempts <= RETRIES:
                subject.not_before = time.monotonic() + min(2.0 ** (subject.attempts - 1), 30.0)
                self._words_waiting.setdefault(subject.name, subject)

    def forget(self, subject: Subject) -> None:
        """Forget a subject that has no message (any more)."""
        with self._changed:
            self._subjects.pop(subject.name, None)
            self._words_waiting.pop(subject.name, None)
            self._pictures_waiting.pop(subject.name, None)

    def close(self) -> None:
        """Accept nothing new, and drop the frames."""
        with self._changed:
            self.is_closing = True
            self._pictures_waiting = {
                name: urgency for name, urgency in self._pictures_waiting.items() if urgency is Urgency.LAST
            }
            self._changed.notify_all()

    def stop(self, *, within: float) -> list[str]:
        """Wait until all updates are sent, for at most this many seconds, and then give out no more.

        Returns:
            The subjects whose words were not sent.
        """
        with self._changed:
            self._changed.wait_for(self._is_idle, timeout=max(0.0, within))
            unsent = sorted(self._words_waiting.keys() | self._words_under_way)
            self.is_stopped = True
            self._changed.notify_all()
        return unsent

    def _is_idle(self) -> bool:
        return not (self._words_waiting or self._words_under_way or self._pictures_waiting or self._pictures_under_way)

    def _next_picture(self) -> str | None:
        """The most urgent picture; of equally urgent ones, the one whose message was updated longest ago."""
        free = [name for name in self._pictures_waiting if name not in self._pictures_under_way]
        return min(free, key=lambda name: (self._pictures_waiting[name], self._subjects[name].served_at), default=None)

    def _subject(self, name: str) -> Subject:
        subject = self._subjects.pop(name, None) or Subject(name)
        self._subjects[name] = subject  # the dictionary starts with the one unchanged for longest
        if len(self._subjects) > MOST_SUBJECTS:
            busy = (
                self._words_waiting.keys() | self._words_under_way
                | self._pictures_waiting.keys() | self._pictures_under_way
            )  # fmt: skip
            oldest = next((each for each in self._subjects if each not in busy and each != name), None)
            if oldest is not None:
                del self._subjects[oldest]
        return subject

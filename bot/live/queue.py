"""The queue of the live feed: first the updates that a person waits for, then frames, in turn for all messages."""

import threading
import time
from dataclasses import dataclass, field

from bot.live.forms import Shown

RETRIES = 8
"""How often an update that a person waits for is tried again, after 1, 2, 4 … and at most 30 seconds."""

MOST_SUBJECTS = 5_000
"""The number of subjects whose picture is remembered. Beyond it, the one unchanged for longest is forgotten."""


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
        results: How many updates that a person waits for were begun.
        attempts, not_before: The failed attempts of the current update, and the earliest time of the next one.
        reposted_at: When its plot was last posted anew.
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
    reposted_at: float = float("-inf")


@dataclass(frozen=True)
class Job:
    """An update to send.

    Attributes:
        subject: Whose message.
        awaited: Whether a person waits for it; otherwise it is a frame.
    """

    subject: Subject
    awaited: bool


class FeedQueue:
    """The updates that wait, and those that are being sent. Every subject waits at most once. Safe from any thread.

    Attributes:
        is_closing: Whether the queue accepts nothing new, and frames are not sent any more.
        is_stopped: Whether nothing is sent any more.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._subjects: dict[str, Subject] = {}
        self._awaited: dict[str, Subject] = {}
        self._awaited_under_way: set[str] = set()
        self._frames: set[str] = set()
        self._frames_under_way: set[str] = set()
        self.is_closing = self.is_stopped = False

    def add(self, name: str, *, awaited: bool) -> None:
        """Add a subject that has changed. Never waits; does nothing after :meth:`close`.

        Args:
            name: The name of the subject.
            awaited: Whether a person waits for the update.
        """
        with self._changed:
            if self.is_closing:
                return
            if awaited:
                subject = self._subject(name)
                subject.attempts = 0
                self._awaited.setdefault(name, subject).not_before = float("-inf")
            elif name in self._frames:
                return
            else:
                self._subject(name)
                self._frames.add(name)
            self._changed.notify_all()

    def next(self, *, frames: bool) -> Job | None:
        """Wait for the next update.

        Args:
            frames: Whether the caller also sends frames.

        Returns:
            The update; ``None`` when the queue is stopped.
        """
        with self._changed:
            while not self.is_stopped:
                now = time.monotonic()
                wake_at = float("inf")
                for subject in self._awaited.values():
                    if subject.name in self._awaited_under_way:
                        continue
                    if subject.not_before <= now:
                        del self._awaited[subject.name]
                        self._awaited_under_way.add(subject.name)
                        self._frames.discard(subject.name)  # what is sent now shows the same state
                        subject.served_at = now
                        return Job(subject, awaited=True)
                    wake_at = min(wake_at, subject.not_before)
                if frames and (name := self._next_frame()) is not None:
                    self._frames.discard(name)
                    self._frames_under_way.add(name)
                    # It is set before the update, which may fail: a message that cannot be updated must not be next.
                    self._subjects[name].served_at = now
                    return Job(self._subjects[name], awaited=False)
                self._changed.wait(None if wake_at == float("inf") else wake_at - now)
        return None

    def done(self, job: Job) -> None:
        """Note that an update from :meth:`next` has ended, with or without success."""
        with self._changed:
            (self._awaited_under_way if job.awaited else self._frames_under_way).discard(job.subject.name)
            self._changed.notify_all()

    def retry(self, job: Job, *, lasting: bool) -> None:
        """Try a failed update again later if a person waits for it, unless the error is lasting."""
        subject = job.subject
        with self._changed:
            subject.attempts += 1
            if job.awaited and not lasting and subject.attempts <= RETRIES:
                subject.not_before = time.monotonic() + min(2.0 ** (subject.attempts - 1), 30.0)
                self._awaited.setdefault(subject.name, subject)

    def forget(self, subject: Subject) -> None:
        """Forget a subject that has no message (any more)."""
        with self._changed:
            self._subjects.pop(subject.name, None)
            self._awaited.pop(subject.name, None)
            self._frames.discard(subject.name)

    def close(self) -> None:
        """Accept nothing new, and drop the frames."""
        with self._changed:
            self.is_closing = True
            self._frames.clear()
            self._changed.notify_all()

    def stop(self, *, within: float) -> list[str]:
        """Wait until all updates are sent, for at most this many seconds, and then give out no more.

        Returns:
            The subjects for whose update a person waits, and which were not sent.
        """
        with self._changed:
            self._changed.wait_for(self._is_idle, timeout=max(0.0, within))
            unsent = sorted(self._awaited.keys() | self._awaited_under_way)
            self.is_stopped = True
            self._changed.notify_all()
        return unsent

    def _is_idle(self) -> bool:
        return not (self._awaited or self._awaited_under_way or self._frames or self._frames_under_way)

    def _next_frame(self) -> str | None:
        """Of the messages that wait for a frame, the one that was updated longest ago."""
        free = self._frames - self._frames_under_way
        return min(free, key=lambda name: self._subjects[name].served_at, default=None)

    def _subject(self, name: str) -> Subject:
        subject = self._subjects.pop(name, None) or Subject(name)
        self._subjects[name] = subject  # the dictionary starts with the one unchanged for longest
        if len(self._subjects) > MOST_SUBJECTS:
            busy = self._awaited.keys() | self._awaited_under_way | self._frames | self._frames_under_way
            oldest = next((each for each in self._subjects if each not in busy and each != name), None)
            if oldest is not None:
                del self._subjects[oldest]
        return subject

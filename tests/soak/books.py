"""The harness's own record: what people sent and which answer they got, and when something was out of order.

Nothing in it comes from the bot or its database.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from tests.soak.plan import Fault


class Answer(StrEnum):
    """What a person was told when they sent a form: it was taken, it was not, or nothing at all."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Submission:
    """A form that somebody sent. A form may be sent several times.

    Attributes:
        person: The Slack user.
        form: The view's id.
        rate: The learning rate in the form. No other form has it; ``None`` in the form for the final choice.
        at, answered_at: Unix time.
    """

    person: str
    form: str
    rate: float | None
    answer: Answer
    at: float
    answered_at: float


@dataclass(frozen=True)
class Outage:
    """A time in which a fault kept the bot from its work, in Unix time."""

    fault: Fault
    begun: float
    ended: float

    def overlap(self, begun: float, ended: float) -> float:
        """How many seconds of this time it covers."""
        return max(0.0, min(self.ended, ended) - max(self.begun, begun))


def covered(outages: list[Outage], begun: float, ended: float, *, recovery: float = 0.0) -> float:
    """How many seconds of a time at least one outage covers.

    Args:
        recovery: Seconds that each outage goes on after its end.
    """
    total, until = 0.0, begun
    for each in sorted(outages, key=lambda outage: outage.begun):
        start, end = max(each.begun, until), min(each.ended + recovery, ended)
        if end > start:
            total, until = total + end - start, end
    return total


@dataclass
class Books:
    """What happened, as people and the harness saw it. Safe from any thread.

    Attributes:
        submissions: What people sent.
        outages: What was out of order, and when.
        counts: How often each fault was made.
        stuck: People who could not go on, and why.
    """

    submissions: list[Submission] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    counts: dict[Fault, int] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)
    went_on: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _rates: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def rate_of(self, form: str) -> str:
        """The learning rate for a form, as it is typed: always the same for one form, and no other form has it."""
        with self._lock:
            return self._rates.setdefault(form, f"{0.001 + next(self._numbers) * 1e-7:.7f}")

    def sent(self, submission: Submission) -> None:
        """Note a form that was sent."""
        with self._lock:
            self.submissions.append(submission)

    def failed(self, why: str) -> None:
        """Note somebody who could not go on."""
        with self._lock:
            self.stuck.append(why)

    def has_gone_on(self) -> None:
        """Note somebody who came to their end."""
        with self._lock:
            self.went_on += 1

    def count(self, fault: Fault) -> None:
        """Note that a fault was made."""
        with self._lock:
            self.counts[fault] = self.counts.get(fault, 0) + 1

    def out(self, fault: Fault, begun: float, ended: float) -> None:
        """Note that something was out of order."""
        with self._lock:
            self.outages.append(Outage(fault, begun, ended))

    @contextmanager
    def outage(self, fault: Fault) -> Iterator[None]:
        """Note that something is out of order within this context, and count it."""
        self.count(fault)
        begun = time.time()
        try:
            yield
        finally:
            self.out(fault, begun, time.time())

"""Which faults happen when. The same seed gives the same plan."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong.

    Attributes:
        KILL_BOT, KILL_WORKER: SIGKILL, as the system does when memory runs out. The bot is started again at once.
        STOP_BOT, STOP_WORKER: SIGSTOP, and SIGCONT some seconds later: a machine that stands still.
        STARVE_WORKER: A worker gets no more memory for some seconds.
        DROP: The connections to Slack are cut.
        REFRESH: Slack asks for new connections, sometimes twice.
        REPEAT: Envelopes come twice, late, and in another order.
        ERRORS: Slack answers many calls with HTTP 500, and does not carry them out.
        LIMITED: Slack answers every call with HTTP 429.
        SLOW: Slack's answers take longer than three seconds.
        LOCK: Another program holds the database's lock.
        DISK_FULL: No file of the bot can grow.
    """

    KILL_BOT = "kill bot"
    KILL_WORKER = "kill worker"
    STOP_BOT = "stop bot"
    STOP_WORKER = "stop worker"
    STARVE_WORKER = "starve worker"
    DROP = "drop connections"
    REFRESH = "refresh connections"
    REPEAT = "repeat and delay envelopes"
    ERRORS = "answers 500"
    LIMITED = "answers 429"
    SLOW = "slow answers"
    LOCK = "lock database"
    DISK_FULL = "disk full"


@dataclass(frozen=True)
class Planned:
    """One fault.

    Attributes:
        at: When it begins, in seconds after the start.
        seconds: How long it lasts; 0 for what takes no time.
        pick: Decides what the fault leaves open, such as which worker; from 0 to 1.
    """

    at: float
    fault: Fault
    seconds: float
    pick: float


@dataclass(frozen=True)
class _Often:
    """Seconds between two faults of one kind, from and to, and how long each lasts, from and to."""

    gap: tuple[float, float]
    seconds: tuple[float, float] = (0.0, 0.0)


_OFTEN: Mapping[Fault, _Often] = {
    Fault.KILL_BOT: _Often((10, 21)),
    Fault.KILL_WORKER: _Often((9, 20)),
    Fault.STOP_BOT: _Often((40, 80), (1, 8)),
    Fault.STOP_WORKER: _Often((40, 80), (1, 6)),
    Fault.STARVE_WORKER: _Often((60, 120), (1, 4)),
    Fault.DROP: _Often((30, 60)),
    Fault.REFRESH: _Often((25, 50)),
    Fault.REPEAT: _Often((20, 60), (5, 15)),
    Fault.ERRORS: _Often((40, 80), (2, 6)),
    Fault.LIMITED: _Often((60, 120), (2, 15)),
    Fault.SLOW: _Often((40, 80), (3, 8)),
    Fault.LOCK: _Often((40, 80), (2, 6)),
    Fault.DISK_FULL: _Often((60, 120), (2, 5)),
}

LONG_RUN = 1800.0
"""From so many seconds on, Slack refuses every call for ten minutes once."""

_LONGEST_LIMIT = 600.0


def plan(seconds: float, seed: int) -> list[Planned]:
    """The faults of a run of this length, in their order."""
    found = [each for fault, often in _OFTEN.items() for each in _of_kind(fault, often, seconds, seed)]
    if seconds >= LONG_RUN:
        found.append(Planned(seconds / 2 - _LONGEST_LIMIT / 2, Fault.LIMITED, _LONGEST_LIMIT, 0.0))
    return sorted(found, key=lambda each: (each.at, each.fault))


def _of_kind(fault: Fault, often: _Often, seconds: float, seed: int) -> Iterator[Planned]:
    chance = random.Random(f"{seed}:{fault}")
    at = chance.uniform(0, often.gap[1])
    while at < seconds:
        yield Planned(at, fault, min(chance.uniform(*often.seconds), seconds - at), chance.random())
        at += chance.uniform(*often.gap)

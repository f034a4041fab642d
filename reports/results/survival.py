"""How many tries people need, with those who never get there: they are known to need more than they made."""

from dataclasses import dataclass

from reports.results.measures import NotComputable


@dataclass(frozen=True)
class TriesNeeded:
    """A group's Kaplan–Meier curve: the share that has not reached a threshold after each number of tries.

    Attributes:
        n: People; ``reached`` how many of them reached it.
        at: Numbers of tries, ascending, from 0.
        left: The share (0 to 1) that has not reached it after so many.
        stopped: The numbers of tries after which people stopped who had not reached it, ascending.
        median: The number of tries after which half have reached it.
        low, high: The ends of its 95 % confidence interval (Brookmeyer and Crowley, from log-log bands).
    """

    group: str
    n: int
    reached: int
    at: tuple[float, ...]
    left: tuple[float, ...]
    stopped: tuple[float, ...]
    median: float | NotComputable
    low: float | NotComputable
    high: float | NotComputable


@dataclass(frozen=True)
class LogRank:
    """The log-rank test between two groups.

    Attributes:
        first, second: Their names; ``n_first``, ``n_second`` their sizes.
        statistic: z; negative where the second group needs fewer tries.
        p: Two-sided, by the normal approximation.
        p_holm: After Holm's correction over the pairs of the same threshold.
    """

    first: str
    second: str
    n_first: int
    n_second: int
    statistic: float
    p: float
    p_holm: float

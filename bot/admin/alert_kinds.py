"""The kinds of alerts. What is of one kind is gathered in one post until it is acknowledged."""

import re
from enum import StrEnum

_ERROR = "error: "
_NUMBERS = re.compile(r"\s*:?\d+")


class AlertKind(StrEnum):
    """What can break.

    Attributes:
        WORKER_LOST: The process that trained is gone, and its job runs again.
        SLOT_UNUSABLE: A slot's worker cannot start, or its results would not be comparable.
        OUT_OF_MEMORY: Several configurations in a short time needed more memory than there is.
        TRIAL_FAILED, EVALUATION_FAILED: A run ended with an error.
        DISK_NEARLY_FULL: Soon nothing can be kept any more.
        SLACK_LIMITS: Slack refused calls as too many although we pace them.
        TOO_SLOW: A call came too late for whoever waited for it: more was to be done at once than can be.
        TIME_GIVEN_BACK: A session lost time through our fault.
    """

    WORKER_LOST = "worker_lost"
    SLOT_UNUSABLE = "slot_unusable"
    OUT_OF_MEMORY = "out_of_memory"
    TRIAL_FAILED = "trial_failed"
    EVALUATION_FAILED = "evaluation_failed"
    DISK_NEARLY_FULL = "disk_nearly_full"
    SLACK_LIMITS = "slack_limits"
    TOO_SLOW = "too_slow"
    TIME_GIVEN_BACK = "time_given_back"


_TITLES: dict[str, str] = {
    AlertKind.WORKER_LOST: "A worker was lost",
    AlertKind.SLOT_UNUSABLE: "A slot cannot be used",
    AlertKind.OUT_OF_MEMORY: "Trials run out of memory",
    AlertKind.TRIAL_FAILED: "A trial failed",
    AlertKind.EVALUATION_FAILED: "An evaluation failed",
    AlertKind.DISK_NEARLY_FULL: "The disk is nearly full",
    AlertKind.SLACK_LIMITS: "Slack limits us",
    AlertKind.TOO_SLOW: "An answer came too late",
    AlertKind.TIME_GIVEN_BACK: "Time was given back",
}


def error_while(doing: str) -> str:
    """The kind of an error of ours while something was done: the same for every trial, session and participant.

    Args:
        doing: In a few words without anybody's name, such as ``showing trial:17``.
    """
    return _ERROR + _NUMBERS.sub("", doing)


def title_of(kind: str) -> str:
    """What a reader calls a kind."""
    if kind.startswith(_ERROR):
        return f"Error while {kind.removeprefix(_ERROR)}"
    return _TITLES.get(kind, kind.replace("_", " ").capitalize())

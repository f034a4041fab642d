"""The kinds of alerts. Alerts of one kind are gathered in one post until somebody acknowledges it."""

import re
from enum import StrEnum

_ERROR = "error: "
_NUMBERS = re.compile(r"\s*:?\d+")


class AlertKind(StrEnum):
    """What can go wrong.

    Attributes:
        WORKER_LOST: A worker's process has ended unexpectedly. Its job runs again.
        SLOT_UNUSABLE: A slot's worker cannot start, or its results would not be comparable.
        OUT_OF_MEMORY: Several configurations in a short time needed more memory than there is.
        TRIAL_FAILED, EVALUATION_FAILED: A run ended with an error.
        DISK_NEARLY_FULL: Soon nothing can be stored any more.
        SLACK_LIMITS: Slack refused calls as too many, although the bot limits their rate.
        TOO_SLOW: A call did not get its turn in time: there were more calls at once than Slack's limits allow.
        TIME_GIVEN_BACK: A session lost time through a fault of the bot.
        CRASHED: The bot has started again although it had not been stopped.
        ANOTHER_BOT: Another program is connected as the same Slack app, and gets a part of what people do.
        PART_STOPPED: A thread of the bot has ended, or does not go on.
        CLOCK_SET: The machine's clock was set while the bot ran.
        CONSENT_CHANGED: People are asked to agree to another text than was registered.
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
    CRASHED = "crashed"
    ANOTHER_BOT = "another_bot"
    PART_STOPPED = "part_stopped"
    CLOCK_SET = "clock_set"
    CONSENT_CHANGED = "consent_changed"


_TITLES: dict[str, str] = {
    AlertKind.WORKER_LOST: "A worker was lost",
    AlertKind.SLOT_UNUSABLE: "A slot cannot be used",
    AlertKind.OUT_OF_MEMORY: "Trials run out of memory",
    AlertKind.TRIAL_FAILED: "A trial failed",
    AlertKind.EVALUATION_FAILED: "An evaluation failed",
    AlertKind.DISK_NEARLY_FULL: "The disk is nearly full",
    AlertKind.SLACK_LIMITS: "Slack refuses calls",
    AlertKind.TOO_SLOW: "An answer came too late",
    AlertKind.TIME_GIVEN_BACK: "Time was given back",
    AlertKind.CRASHED: "The bot had crashed",
    AlertKind.ANOTHER_BOT: "Another bot uses this Slack app",
    AlertKind.PART_STOPPED: "A part of the bot had stopped",
    AlertKind.CLOCK_SET: "The clock of the machine was set",
    AlertKind.CONSENT_CHANGED: "The consent text is not the registered one",
}


def error_while(doing: str) -> str:
    """The kind of an error of the bot while it did something: the same for every trial, session and participant.

    Args:
        doing: What the bot did, in a few words without anybody's name, such as ``showing trial:17``.
    """
    return _ERROR + _NUMBERS.sub("", doing)


def title_of(kind: str) -> str:
    """The title of a kind, for readers."""
    if kind.startswith(_ERROR):
        return f"Error while {kind.removeprefix(_ERROR)}"
    return _TITLES.get(kind, kind.replace("_", " ").capitalize())

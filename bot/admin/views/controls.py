"""The buttons under posts in the report channel."""

from dataclasses import dataclass

from slack_sdk.models.blocks import Block, ButtonElement

from bot.slack.block_kit import actions, button, confirm
from storage.schema.states import StudyState

PAUSE = "admin_pause"
RESUME = "admin_resume"
RETRY = "admin_retry"
ACKNOWLEDGE = "admin_acknowledge"

IN_DIGEST = "digest"
"""The value of the buttons under a digest. The digest's buttons change only when one of them is pressed."""

_BLOCK = "admin_controls"


@dataclass(frozen=True)
class Controls:
    """What can be done now.

    Attributes:
        state: The study's state: an open study can be paused, a paused one resumed.
        failed: How many evaluations have failed.
    """

    state: StudyState
    failed: int = 0


def controls_row(controls: Controls, carried: str = "") -> list[Block]:
    """The buttons, as blocks; none if nothing can be done.

    Args:
        controls: What can be done.
        carried: The value of the buttons: ``IN_DIGEST`` or empty.
    """
    row: list[ButtonElement] = []
    if controls.state is StudyState.OPEN:
        row.append(_pause(carried))
    if controls.state is StudyState.PAUSED:
        row.append(button("Resume", RESUME, carried, style="primary"))
    if controls.failed:
        row.append(retry_button(carried))
    return [actions(row, _BLOCK)] if row else []


def retry_button(carried: str = "") -> ButtonElement:
    """The button that runs failed evaluations again."""
    return button("Retry failed evaluations", RETRY, carried)


def _pause(carried: str) -> ButtonElement:
    question = confirm(
        "Pause the study?",
        "Nobody new can join, and no session can start. Running sessions, trials and evaluations go on.",
        "Pause",
        "Do not pause",
    )
    return button("Pause", PAUSE, carried, confirm=question)

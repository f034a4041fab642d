"""What the participants' listeners work with, and how they handle buttons."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from slack_sdk.models.blocks import Block

from bot.participant.home_tab import HomeTabs
from bot.participant.views.next_step import next_step
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.block_kit import section
from bot.slack.client import Slack
from bot.slack.interactions import Interaction, Interactions
from bot.study.service import StudyService
from storage.refusals import Refused

Handler = Callable[["ParticipantContext", Interaction], None]
"""Handles a button. The person is told a refusal in private, with the next step."""


@dataclass(frozen=True)
class ParticipantContext:
    """What the participants' listeners work with.

    Attributes:
        interactions: Listens to presses.
        study: The study as participants use it.
        slack: The workspace.
        tasks: Runs what waits for Slack, each kind on threads of its own.
        home_tabs: The Home tabs.
        is_researcher: Whether a Slack user is a researcher. May wait for Slack.
    """

    interactions: Interactions
    study: StudyService
    slack: Slack
    tasks: BackgroundTasks
    home_tabs: HomeTabs
    is_researcher: Callable[[str], bool]

    def on_press(self, action_id: str, doing: str, handle: Handler) -> None:
        """Listen to a button.

        Args:
            action_id: The button's ``action_id``.
            doing: What the handler does, in a few words, for the report of an error.
            handle: The handler.
        """
        self.interactions.on_press(action_id, doing, partial(self._handle, handle))

    def lead_back(self, press: Interaction, text: str) -> None:
        """Say why nothing was done and what the person can do next, with the button for it."""
        step = next_step(self.study.status(press.user))
        blocks: tuple[Block, ...] = (section(step.text), *step.blocks(block_id="next"))
        press.tell(text, blocks)

    def _handle(self, handle: Handler, press: Interaction) -> None:
        try:
            handle(self, press)
        except Refused as refused:
            self.lead_back(press, str(refused))

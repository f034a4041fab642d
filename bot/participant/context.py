"""What the participants' listeners work with, and how they listen to buttons."""

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
"""Does what a button is for. What it refuses is told to the person in private, with the way on."""


@dataclass(frozen=True)
class ParticipantContext:
    """What the participants' listeners work with.

    Attributes:
        interactions: Presses.
        study: The study as participants use it.
        slack: The workspace.
        tasks: Runs what waits for Slack.
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
            action_id: The button's.
            doing: What it does, in a few words, for the report of an error.
            handle: Does it.
        """
        self.interactions.on_press(action_id, doing, partial(self._handle, handle))

    def lead_back(self, press: Interaction, text: str) -> None:
        """Say why nothing was done, what the person can do next, and give them the button that goes on."""
        step = next_step(self.study.status(press.user))
        blocks: tuple[Block, ...] = (section(step.text), *step.blocks(block_id="next"))
        press.tell(text, blocks)

    def _handle(self, handle: Handler, press: Interaction) -> None:
        try:
            handle(self, press)
        except Refused as refused:
            self.lead_back(press, str(refused))

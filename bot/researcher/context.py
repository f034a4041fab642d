"""What the researchers' listeners work with, and how the bot answers researchers: in private."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.errors import SlackApiError

from bot.checks.slack_checks import Connect
from bot.researcher.permissions import GroupUnknown, Permissions
from bot.researcher.views import answers
from bot.researcher.views.pages import Page
from bot.runner.baselines import Baselines
from bot.runner.running_jobs import RunningJobs
from bot.runner.subprocess_job import SubprocessJob
from bot.settings.settings import Settings
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.block_kit import Message, text_message
from bot.slack.client import Slack
from bot.slack.interactions import Interaction, Interactions, Surface
from bot.slack.rate_limiter import CallNotMade
from bot.study.invitations import Invitations
from bot.study.researcher_actions import ResearcherActions
from storage import researchers
from storage.database import Store
from storage.refusals import Refused
from training.tasks import TaskFacts

log = logging.getLogger(__name__)

NOT_FOR_YOU = (
    "`/study` is for the researchers who run the study. If you take part in it, write me a direct message: "
    "I will show you what you can do next."
)


@dataclass(frozen=True)
class Request:
    """A researcher's request, made with a command or with a button under an answer.

    Attributes:
        interaction: What Slack sent.
        user: The Slack user.
        text: What was typed after the command, or what the pressed button carries.
    """

    interaction: Interaction

    @property
    def user(self) -> str:
        """The Slack user."""
        return self.interaction.user

    @property
    def text(self) -> str:
        """What was typed after the command, or what the pressed button carries."""
        return self.interaction.value

    @property
    def pressed(self) -> bool:
        """Whether it is a press."""
        return self.interaction.surface is not Surface.COMMAND

    def say(self, message: Message) -> None:
        """Give an answer that can be asked for again: in the place of the message with the button, or a new one."""
        self.interaction.answer(message, replace=self.pressed)

    def add(self, message: Message) -> None:
        """Give one more answer that can be asked for again."""
        self.interaction.answer(message)

    def report(self, message: Message, *more: Message) -> None:
        """Tell an outcome, which cannot be asked for again: it stays in the researcher's direct messages."""
        self.interaction.report(message, *more, replace=self.pressed)

    def show(self, page: Page) -> None:
        """Answer with a page: in the open modal, in a new one, or in a message when it is too late for a modal."""
        slack = self.interaction.slack
        if self.interaction.view_id:
            slack.update_modal(self.interaction.view_id, page.modal())
            return
        if not self.pressed:
            try:
                slack.open_modal(self.interaction.trigger_id, page.modal())
            except (SlackApiError, CallNotMade) as error:
                log.info("a page is shown as a message: %s", error)
            else:
                return
        self.interaction.answer(page.message(), replace=self.pressed)


Handler = Callable[["ResearcherContext", Request], None]
"""Handles a researcher's request. The researcher is told what it refuses."""


@dataclass(frozen=True)
class ResearcherContext:
    """What the researchers' listeners work with.

    Attributes:
        interactions: Commands and presses.
        settings: The study's rules.
        facts_of: What participants may know of a task.
        store: The database.
        slack: The workspace.
        actions: What researchers do to the study.
        invitations: Invites people.
        searchers: The artificial participants.
        jobs: The jobs that run.
        subprocesses: Runs long computations.
        tasks: Runs what takes longer than an answer.
        permissions: Knows who is a researcher.
        connect: Opens one more connection to Slack for a moment.
        first_message: What everybody reads first, with the consent text.
        now: The time, aware.
    """

    interactions: Interactions
    settings: Settings
    facts_of: Callable[[str | None], TaskFacts]
    store: Store
    slack: Slack
    actions: ResearcherActions
    invitations: Invitations
    searchers: Baselines
    jobs: RunningJobs
    subprocesses: SubprocessJob
    tasks: BackgroundTasks
    permissions: Permissions
    connect: Connect
    first_message: Message
    now: Callable[[], datetime]

    def handle(self, do: Handler, interaction: Interaction) -> None:
        """Handle a request of a researcher. Anybody else is told that ``/study`` is not for them."""
        request = Request(interaction)
        try:
            if self.permissions.allows(request.user):
                do(self, request)
            else:
                request.add(answers.not_for_you(NOT_FOR_YOU))
        except GroupUnknown as unknown:
            request.add(answers.not_for_you(NOT_FOR_YOU, str(unknown)))
        except Refused as refused:
            request.say(text_message(str(refused)))

    def make_files(self, doing: str, request: Request, make: Callable[[], None]) -> None:
        """Make files for a request and send them, on threads for that. The researcher is told what is refused.

        Args:
            doing: What it does, in a few words, for the report of an error.
            request: The request.
            make: Makes and sends them.
        """

        def attempt() -> None:
            try:
                make()
            except Refused as refused:
                request.say(text_message(str(refused)))

        self.tasks.make_files(doing, attempt, tell=request.interaction.apologise)

    def actor(self, request: Request) -> str:
        """The name of the request's researcher in the event log."""
        return researchers.actor_of(self.store, request.user)

    def note(self, request: Request, text: str) -> str:
        """Write into the event log what a researcher does. Returns the researcher's name in the log."""
        actor = self.actor(request)
        researchers.note_command(self.store, actor=actor, text=text, now=self.now())
        return actor

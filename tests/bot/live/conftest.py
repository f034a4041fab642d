"""A local workspace, a bot that posts in it, and a board of subjects whose state a test changes."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from slack_sdk.models.blocks import Block, MarkdownTextObject, SectionBlock

from bot.live.feed import Address, LiveFeed, Priority, Rendering
from bot.live.forms import LivePlots
from bot.live.plots import Plots
from bot.sandbox.client.person import Person
from bot.sandbox.client.screen import Message
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import SLACK_LIMITS, Rules
from bot.slack.block_kit import Message as SlackMessage
from bot.slack.client import PacedClient
from bot.slack.rate_limiter import POST_PER_CHANNEL, Limit, RateLimiter
from reports.figures.loss_plot import LossCurves

CHARTS = LivePlots()

WINDOW = 4.0
"""Seconds: the workspace's minute is shortened to these, and the limits with it, so that tests are short."""


@dataclass
class Board:
    """What the messages should say, and what went wrong."""

    renderings: dict[str, Rendering] = field(default_factory=dict)
    failures: list[tuple[str, Exception]] = field(default_factory=list)
    reposted: list[str] = field(default_factory=list)

    def render(self, subject: str) -> Rendering | None:
        return self.renderings.get(subject)

    def write(self, subject: str, text: str, shown: LossCurves | None = None) -> None:
        """Change what a subject's message should say."""

        def message(plot: Sequence[Block]) -> SlackMessage:
            return SlackMessage(text, (SectionBlock(text=MarkdownTextObject(text=text)), *plot))

        self.renderings[subject] = replace(
            self.renderings[subject], message=message, curves=shown, file_name=f"{subject}.png"
        )

    def failed(self, subject: str, error: Exception) -> None:
        self.failures.append((subject, error))


@dataclass
class Stage:
    """Everything a test of the feed needs."""

    workspace: LocalWorkspace
    person: Person
    client: PacedClient
    board: Board
    live_plots: LivePlots

    def __post_init__(self) -> None:
        self.feed = self.new_feed()

    def new_feed(self, **given: Any) -> LiveFeed:
        """A feed of these messages, as a bot that starts now has it."""
        plots = Plots(self.client, self.board.failed, lambda: self.live_plots)
        return LiveFeed(self.client, plots, self.board.render, repost=self.board.reposted.append, **given)

    def post(self, subject: str) -> None:
        """Post the message that the feed is to keep up to date."""
        channel = self.person.direct_channel
        posted = self.client.chat_postMessage(channel=channel, text=f"{subject} waits")
        address = Address(str(posted["channel"]), str(posted["ts"]))
        self.board.renderings[subject] = Rendering(address, lambda _: SlackMessage("", ()))

    def change(
        self, subject: str, text: str, shown: LossCurves | None = None, priority: Priority = Priority.FRAME
    ) -> None:
        """Change a subject and tell the feed."""
        self.board.write(subject, text, shown)
        self.feed.touch(subject, priority)

    def message(self, subject: str) -> Message:
        """The message as the person sees it now."""
        message = self.person.message(self.board.renderings[subject].address.ts)
        assert message is not None
        return message

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it did not come; failures: {self.board.failures}"
            time.sleep(0.02)

    def statuses(self, method: str) -> list[str]:
        """What the workspace answered to the calls of a method: ``ok`` or the error's name."""
        return [entry.status.split()[0] for entry in self.workspace.traffic(method)]


OpenStage = Callable[..., Stage]


@pytest.fixture
def open_stage() -> Iterator[OpenStage]:
    """Open a workspace with these rules, and a feed in it with the same limits."""
    with ExitStack() as stack:

        def open_it(
            *,
            limits: Mapping[str, int] | None = None,
            live_plots: LivePlots = CHARTS,
            start: bool = True,
            **rules: object,
        ) -> Stage:
            """``limits``: those that are lower than a minute's in a window of ``WINDOW`` seconds."""
            enforced = {**SLACK_LIMITS, **(limits or {})}
            given = {"file_processing_seconds": 0.1, "window_seconds": WINDOW, "post_burst": 50, **rules}
            workspace = stack.enter_context(LocalWorkspace(rules=Rules(limits=enforced, **given)))
            limiter = RateLimiter(
                {method: Limit(calls, seconds=WINDOW) for method, calls in enforced.items()},
                per_channel=POST_PER_CHANNEL,
            )
            client = PacedClient(workspace.bot_token, workspace.api_url, limiter)
            board = Board()
            stage = Stage(workspace, workspace.person("First participant"), client, board, live_plots)
            stack.callback(stage.feed.close, 0.5)
            if start:
                stage.feed.start()
            return stage

        yield open_it

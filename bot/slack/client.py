"""What the bot says to Slack: every call waits for its turn, every message has its text for screen readers."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.slack.block_kit import Message
from bot.slack.rate_limiter import CallNotMade, Priority, RateLimiter, on_terms, retry_handlers

log = logging.getLogger(__name__)

_TRIGGER_SECONDS = 3.0
"""How long a ``trigger_id`` lives (https://docs.slack.dev/interactivity/handling-user-interaction)."""

_WAIT_SECONDS = 10.0
"""How long a call may wait whose answer somebody looks at."""


class PacedClient(WebClient):
    """Slack's Web API, with every call in its turn: this is the one place where calls wait for the rate limits.

    Args:
        token: The bot's token.
        base_url: The address of the Web API.
        limiter: Keeps the workspace's rate limits. Calls wait on the terms of :func:`bot.slack.rate_limiter.on_terms`.
    """

    def __init__(self, token: str, base_url: str, limiter: RateLimiter) -> None:
        super().__init__(token, base_url=base_url, retry_handlers=retry_handlers(limiter))
        self.limiter = limiter

    def api_call(self, api_method: str, **given: Any) -> SlackResponse:
        """Wait for the method's turn, and call it.

        Raises:
            CallNotMade: Its turn did not come in time.
            SlackApiError: Slack refuses it.
        """
        arguments = given.get("json") or given.get("params") or given.get("data") or {}
        with self.limiter.turn(api_method, channel=arguments.get("channel")):
            return super().api_call(api_method, **given)


class Slack:
    """The workspace, as far as the bot talks to it. Safe from any thread.

    Args:
        client: With the bot's token.
    """

    def __init__(self, client: PacedClient) -> None:
        self.client = client

    def post(self, channel: str, message: Message, *, thread_ts: str | None = None) -> str:
        """Post a message. Returns its ts.

        Raises:
            SlackApiError: Slack refuses it.
        """
        answer = self.client.chat_postMessage(
            channel=channel,
            text=message.text,
            blocks=message.blocks,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    def update(self, channel: str, ts: str, message: Message, priority: Priority = Priority.RESULT) -> None:
        """Replace a message; with another priority where nobody waits for it.

        Raises:
            SlackApiError: Slack refuses it, such as ``message_not_found``.
        """
        with on_terms(priority):
            self.client.chat_update(channel=channel, ts=ts, text=message.text, blocks=message.blocks)

    def delete(self, channel: str, ts: str, file_id: str | None = None) -> None:
        """Delete a message of ours and the picture that it shows; nothing happens to what is deleted already.

        Raises:
            SlackApiError: Slack refuses it.
        """
        with on_terms(Priority.FRAME):
            with _unless_gone("message_not_found"):
                self.client.chat_delete(channel=channel, ts=ts)
            if file_id is not None:
                with _unless_gone("file_not_found", "file_deleted"):
                    self.client.files_delete(file=file_id)

    def whisper(
        self, channel: str, user: str, text: str, *, thread_ts: str | None = None, blocks: Sequence[Block] = ()
    ) -> None:
        """Say something that only one person sees, and only now."""
        self.client.chat_postEphemeral(
            channel=channel, user=user, text=text, blocks=list(blocks) or None, thread_ts=thread_ts
        )

    def replace_pressed(self, response_url: str, message: Message | None) -> None:
        """Replace the message in which somebody pressed a button, or take it away.

        It counts for no rate limit. The address is good for half an hour; when it is too old, nothing happens.
        """
        try:
            answer = WebhookClient(response_url).send(
                text=message.text if message else None,
                blocks=message.blocks if message else None,
                replace_original=True if message else None,
                delete_original=None if message else True,
            )
        except (SlackClientError, OSError) as error:  # what the button did stands, and pressed again it says so
            log.warning("a pressed message stays as it was: %s", error)
            return
        if answer.status_code != 200:
            log.info("a pressed message stays as it was: %s", answer.body)

    def respond(self, response_url: str, message: Message, *, replace: bool = False) -> bool:
        """Answer a command, or a press in a message that only one person sees; it counts for no rate limit.

        Args:
            response_url: Good for half an hour and five answers.
            message: The answer.
            replace: Whether it takes the place of the message with the button.

        Returns:
            Whether Slack took it.
        """
        answer = WebhookClient(response_url).send(
            text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=replace
        )
        if answer.status_code != 200:
            log.info("an answer was not taken: %s", answer.body)
        return answer.status_code == 200

    def group_members(self, group: str) -> frozenset[str]:
        """The people in a user group.

        Raises:
            SlackApiError: Slack refuses to tell, such as ``missing_scope`` or ``no_such_subteam``.
        """
        with on_terms(timeout=_WAIT_SECONDS):
            return frozenset(self.client.usergroups_users_list(usergroup=group)["users"])

    def open_channel(self, user: str) -> str:
        """The channel of the direct messages with a person."""
        return str(self.client.conversations_open(users=[user])["channel"]["id"])

    def open_modal(self, trigger_id: str, view: View) -> None:
        """Open a modal, or push it if one is open.

        Raises:
            CallNotMade: The three seconds that a trigger lives were over.
            SlackApiError: Slack refuses it.
        """
        with on_terms(timeout=_TRIGGER_SECONDS), _in_time("views.open"):
            self.client.views_open(trigger_id=trigger_id, view=view)

    def push_modal(self, trigger_id: str, view: View) -> None:
        """Put a modal on top of the one that is open.

        Raises:
            CallNotMade: The three seconds that a trigger lives were over.
            SlackApiError: Slack refuses it.
        """
        with on_terms(timeout=_TRIGGER_SECONDS), _in_time("views.push"):
            self.client.views_push(trigger_id=trigger_id, view=view)

    def update_modal(self, view_id: str, view: View) -> None:
        """Redraw a modal; nothing happens when it was closed meanwhile."""
        with on_terms(timeout=_WAIT_SECONDS), _unless_gone("not_found"):
            self.client.views_update(view_id=view_id, view=view)

    def publish_home(self, user: str, view: View, priority: Priority = Priority.RESULT) -> None:
        """Show a person's Home tab; with another priority where nobody waits for it."""
        with on_terms(priority):
            self.client.views_publish(user_id=user, view=view)


@contextmanager
def _unless_gone(*errors: str) -> Iterator[None]:
    """Let pass what Slack says of something that is not there any more."""
    try:
        yield
    except SlackApiError as error:
        if error.response["error"] not in errors:
            raise


@contextmanager
def _in_time(method: str) -> Iterator[None]:
    """Tell of a trigger that has expired as of any other call that did not get its turn in time."""
    try:
        yield
    except SlackApiError as error:
        if error.response["error"] in ("expired_trigger_id", "trigger_expired"):
            raise CallNotMade(f"{method} came too late: Slack waits three seconds for it.") from error
        raise

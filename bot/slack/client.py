"""The bot's calls to Slack: every call waits for its turn, and every message has a text for screen readers."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.models.views import View
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.slack.block_kit import UPDATED_TEXT_BYTES, Message
from bot.slack.connections import OwnMessages
from bot.slack.posted_once import Once, Posted, PostedOnce, picture_in
from bot.slack.rate_limiter import CallNotMade, Priority, RateLimiter, on_terms, retry_handlers

log = logging.getLogger(__name__)

_TRIGGER_SECONDS = 3.0
"""How long a ``trigger_id`` lives (https://docs.slack.dev/interactivity/handling-user-interaction)."""

_CALL_SECONDS = 15
"""How long Slack may be silent in a call, before the call is given up or repeated."""

_WAIT_SECONDS = 10.0
"""How long a call may wait when a person waits for its result."""


class PacedClient(WebClient):
    """Slack's Web API. This is the only place where calls wait for the rate limits.

    Args:
        token: The bot's token.
        base_url: The address of the Web API.
        limiter: Keeps the workspace's rate limits. :func:`bot.slack.rate_limiter.on_terms` sets how calls wait.
    """

    def __init__(self, token: str, base_url: str, limiter: RateLimiter) -> None:
        super().__init__(token, base_url=base_url, timeout=_CALL_SECONDS, retry_handlers=retry_handlers(limiter))
        self.limiter = limiter

    def api_call(self, api_method: str, **kwargs: Any) -> SlackResponse:
        """Wait for the method's turn, and call it.

        Raises:
            CallNotMade: Its turn does not come in time.
            SlackApiError: Slack refuses it.
        """
        arguments = kwargs.get("json") or kwargs.get("params") or kwargs.get("data") or {}
        with self.limiter.turn(api_method, channel=arguments.get("channel")):
            return super().api_call(api_method, **kwargs)


class Slack:
    """The workspace: one method for every kind of call that the bot makes. Safe from any thread.

    Args:
        client: The client with the bot's token.
        began: When this process began, aware; by default now.

    Attributes:
        messages: The messages that were posted.
    """

    def __init__(self, client: PacedClient, began: datetime | None = None) -> None:
        self.client = client
        self.messages = OwnMessages()
        self._posts = PostedOnce(client, client.limiter, began or datetime.now(UTC))
        self._direct_channels: dict[str, str] = {}

    @cached_property
    def team_id(self) -> str:
        """Slack's ID of the workspace.

        Raises:
            SlackApiError: Slack refuses to tell.
        """
        return str(self.client.auth_test()["team_id"])

    def post(
        self,
        channel: str,
        message: Message,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        once: Once | None = None,
    ) -> str:
        """Post a message. Returns its ts. It is posted once, also where Slack's answer to an attempt is lost.

        Args:
            channel: The ID of the conversation.
            message: The message; without blocks, only its text is posted.
            thread_ts: The message to reply to, in its thread.
            broadcast: Whether a reply also shows in the conversation, where it counts as unread.
            once: By what the post is known when it is posted again, also by the next process. Without it, every call
                makes a post of its own.

        Raises:
            SlackApiError: Slack refuses it, or does not say whether it has posted it.
            CallNotMade, OSError: Slack cannot be reached.
        """
        once = once or Once()

        def send() -> Posted:
            answer = self.client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=message.blocks,
                thread_ts=thread_ts,
                reply_broadcast=broadcast or None,
                unfurl_links=False,
                unfurl_media=False,
                metadata=once.metadata,
            )
            self.messages.posted(str(answer["channel"]), str(answer["ts"]))
            return Posted(str(answer["ts"]), picture_in(message.blocks))

        ts = self._posts.post(channel, once, thread_ts, send).ts
        self.messages.found(ts)
        return ts

    def posted(self, channel: str, once: Once, thread_ts: str | None = None) -> Posted | None:
        """A post that was made before, perhaps by the process before; none if it was not. Slack is rarely asked.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack does not answer now.
        """
        return self._posts.find(channel, once, thread_ts)

    def update(self, channel: str, ts: str, message: Message, priority: Priority | None = None) -> None:
        """Replace a message. The priority says whether a person waits for it; without one it is that of the task.

        Raises:
            SlackApiError: Slack refuses it, such as ``message_not_found``.
        """
        text = message.text.encode()[:UPDATED_TEXT_BYTES].decode(errors="ignore")
        with on_terms(priority):
            self.client.chat_update(channel=channel, ts=ts, text=text, blocks=message.blocks)

    def delete(self, channel: str, ts: str, file_id: str | None = None) -> None:
        """Delete a message of the bot and the picture that it shows, unless they are deleted already.

        Raises:
            SlackApiError: Slack refuses it.
        """
        with _unless_gone("message_not_found"):
            self.client.chat_delete(channel=channel, ts=ts)
        if file_id is not None:
            self.delete_file(file_id)

    def delete_file(self, file_id: str) -> None:
        """Delete a file of the bot, unless it is deleted already.

        Raises:
            SlackApiError: Slack refuses it.
        """
        with _unless_gone("file_not_found", "file_deleted"):
            self.client.files_delete(file=file_id)

    def replace_pressed(self, response_url: str, message: Message) -> bool:
        """Replace the message in which somebody pressed a button.

        The call does not count for a rate limit. The address is valid for half an hour; after that, nothing happens.

        Returns:
            Whether Slack accepted it.
        """
        try:
            webhook = WebhookClient(response_url, timeout=_CALL_SECONDS)
            answer = webhook.send(text=message.text, blocks=message.blocks, replace_original=True)
        except (SlackClientError, OSError) as error:  # the step is done; a second press says that it is
            log.warning("a pressed message stays as it was: %s", error)
            return False
        if answer.status_code != 200:
            log.info("a pressed message stays as it was: %s", answer.body)
        return answer.status_code == 200

    def respond(self, response_url: str, message: Message, *, replace: bool = False) -> bool:
        """Answer a command, or a press in a message that only one person sees. It does not count for a rate limit.

        Args:
            response_url: The address for the answer, valid for half an hour and five answers.
            message: The answer.
            replace: Whether it replaces the message with the button.

        Returns:
            Whether Slack accepted it.
        """
        try:
            answer = WebhookClient(response_url, timeout=_CALL_SECONDS).send(
                text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=replace
            )
        except (SlackClientError, OSError) as error:
            log.warning("an answer is not given at its address: %s", error)
            return False
        if answer.status_code != 200:
            log.info("Slack did not accept an answer: %s", answer.body)
        return answer.status_code == 200

    def group_members(self, group: str) -> frozenset[str]:
        """The people in a user group.

        Raises:
            SlackApiError: Slack refuses to tell, such as ``missing_scope`` or ``no_such_subteam``.
        """
        with on_terms(timeout=_WAIT_SECONDS):
            return frozenset(self.client.usergroups_users_list(usergroup=group)["users"])

    def open_channel(self, user: str) -> str:
        """Open the channel of the direct messages with a person. Slack is asked each time.

        Raises:
            SlackApiError: Slack refuses it, such as ``user_disabled``.
        """
        channel = str(self.client.conversations_open(users=[user])["channel"]["id"])
        self._direct_channels[user] = channel
        return channel

    def direct_channel(self, user: str) -> str:
        """The channel of the direct messages with a person, who uses the bot now. It never changes, so it is kept.

        Raises:
            SlackApiError: Slack refuses to open it.
        """
        return self._direct_channels.get(user) or self.open_channel(user)

    def open_modal(self, trigger_id: str, view: View) -> None:
        """Open a modal, or put it on top of the one that is open.

        Raises:
            CallNotMade: The three seconds in which a trigger is valid were over.
            SlackApiError: Slack refuses it.
        """
        with on_terms(timeout=_TRIGGER_SECONDS), _in_time("views.open"):
            self.client.views_open(trigger_id=trigger_id, view=view)

    def push_modal(self, trigger_id: str, view: View) -> None:
        """Put a modal on top of the one that is open.

        Raises:
            CallNotMade: The three seconds in which a trigger is valid were over.
            SlackApiError: Slack refuses it.
        """
        with on_terms(timeout=_TRIGGER_SECONDS), _in_time("views.push"):
            self.client.views_push(trigger_id=trigger_id, view=view)

    def update_modal(self, view_id: str, view: View) -> None:
        """Redraw a modal, unless it was closed."""
        with on_terms(timeout=_WAIT_SECONDS), _unless_gone("not_found"):
            self.client.views_update(view_id=view_id, view=view)

    def publish_home(self, user: str, view: View) -> None:
        """Show a person's Home tab."""
        self.client.views_publish(user_id=user, view=view)


@contextmanager
def _unless_gone(*errors: str) -> Iterator[None]:
    """Ignore Slack's errors for something that does not exist any more."""
    try:
        yield
    except SlackApiError as error:
        if error.response["error"] not in errors:
            raise


@contextmanager
def _in_time(method: str) -> Iterator[None]:
    """Treat an expired trigger like any other call that did not get its turn in time.

    A trigger that was used already belongs to a press that Slack has delivered twice: its modal is open.
    """
    try:
        yield
    except SlackApiError as error:
        if error.response["error"] == "exchanged_trigger_id":
            log.info("%s: Slack has delivered a press twice", method)
            return
        if error.response["error"] in ("expired_trigger_id", "trigger_expired"):
            raise CallNotMade(f"{method} came too late: Slack waits three seconds for it.") from error
        raise

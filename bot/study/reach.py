"""Whom the bot can write to, and why not. Slack answers in its own way for every kind of account."""

from enum import StrEnum

from slack_sdk.errors import SlackApiError


class Unreachable(StrEnum):
    """Why the bot cannot write to somebody.

    Attributes:
        BOT: The user is a bot.
        DEACTIVATED: The person's account is deactivated.
        OTHER_ORGANISATION: The person belongs to another organisation, and is in no channel with the bot.
        NOT_VISIBLE: The bot is not allowed to see the person.
        UNKNOWN: There is no such person in the workspace.
    """

    BOT = "bot"
    DEACTIVATED = "deactivated"
    OTHER_ORGANISATION = "other_organisation"
    NOT_VISIBLE = "not_visible"
    UNKNOWN = "unknown"


_ERRORS = {
    "cannot_dm_bot": Unreachable.BOT,
    "user_disabled": Unreachable.DEACTIVATED,
    "invalid_user_combination": Unreachable.OTHER_ORGANISATION,
    "user_not_visible": Unreachable.NOT_VISIBLE,
    "user_not_found": Unreachable.UNKNOWN,
    "users_not_found": Unreachable.UNKNOWN,
}
"""The errors of ``conversations.open`` (https://docs.slack.dev/reference/methods/conversations.open)."""


def why_unreachable(error: SlackApiError) -> Unreachable | None:
    """What Slack's refusal to open a conversation says about a person; none when it says nothing about them."""
    return _ERRORS.get(error.response["error"])

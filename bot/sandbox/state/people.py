"""The people of the workspace, and the kinds of accounts that Slack tells apart.

Kinds and errors are those of Slack's reference: https://docs.slack.dev/reference/objects/user-object and
https://docs.slack.dev/reference/methods/conversations.open. ``cannot_dm_bot`` is not documented, but Slack's support
confirms it: two bots cannot have a conversation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

Role = Literal["participant", "researcher", "admin"]

GROUPS: dict[str, Role] = {"S00000001": "researcher", "S00000002": "admin"}
"""The workspace's user groups, by id: everybody of that role."""


class Kind(StrEnum):
    """The kind of an account.

    Attributes:
        MEMBER: A full member of the workspace.
        GUEST: A guest in several channels.
        SINGLE_CHANNEL_GUEST: A guest in one channel.
        BOT: The bot user of another app.
        DEACTIVATED: A person whose account was deactivated. What was said to them stays.
        EXTERNAL: A person of another organisation who is in a channel with the app (Slack Connect).
        STRANGER: A person of another organisation who is in no channel with the app.
        HIDDEN: A person whom the app is not allowed to see.
    """

    MEMBER = "member"
    GUEST = "guest"
    SINGLE_CHANNEL_GUEST = "single_channel_guest"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    EXTERNAL = "external"
    STRANGER = "stranger"
    HIDDEN = "hidden"


NO_CONVERSATION: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.BOT: "cannot_dm_bot",
        Kind.DEACTIVATED: "user_disabled",
        Kind.STRANGER: "invalid_user_combination",
        Kind.HIDDEN: "user_not_visible",
    }
)
"""The kinds of accounts with which the app can open no conversation, with the error of ``conversations.open``."""


@dataclass(frozen=True)
class Member:
    """Somebody in the workspace, or known to it. An empty ``id`` is given by the workspace when they join."""

    name: str
    role: Role = "participant"
    id: str = ""
    kind: Kind = Kind.MEMBER

    @property
    def is_present(self) -> bool:
        """Whether they can use this workspace: look at the page, write, press."""
        return self.kind not in NO_CONVERSATION

    @property
    def is_deactivated(self) -> bool:
        """Whether the account was deactivated."""
        return self.kind is Kind.DEACTIVATED

    @property
    def is_of_another_organisation(self) -> bool:
        """Whether the account belongs to another organisation's workspace."""
        return self.kind in {Kind.EXTERNAL, Kind.STRANGER}

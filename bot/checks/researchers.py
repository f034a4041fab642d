"""Whether the researchers that ``study.toml`` names exist, and whether the bot can write to them.

``conversations.open`` tells who exists, who is a bot and whose account is deactivated, with a scope that the bot needs
anyway. Nobody notices: a conversation shows up when something is posted in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.checks.findings import NO_ANSWER, Finding, fine, not_checked, reason, wrong
from bot.settings.settings import SlackSection

RESEARCHERS = "Researchers"

_MEMBERS_TRIED = 3
"""How many members of a group are tried as somebody to whom the bot can write."""

_NOBODY = "Slack knows nobody with this ID: copy it again (in their profile: ⋮, Copy member ID) into study.toml."
_PERSON_SAID: dict[str, str] = {
    "user_not_found": _NOBODY,
    "users_not_found": _NOBODY,
    "channel_not_found": _NOBODY,
    "user_disabled": "Their account is deactivated: take them out of study.toml.",
    "cannot_dm_bot": "This is a bot: name a person in study.toml.",
    "invalid_user_combination": "They belong to another organisation: name somebody of this workspace in study.toml.",
    "user_not_visible": "The bot may not see them: name somebody else in study.toml.",
    "missing_scope": "The bot token may not open conversations: see the scopes.",
}
_GROUP_SAID: dict[str, str] = {
    "no_such_subteam": "Slack knows no user group with this ID: copy it again (⋮, Copy group ID) into study.toml.",
    "missing_scope": "The bot token may not read user groups: see the scopes.",
}


@dataclass(frozen=True)
class Reached:
    """A researcher, or a group of them, with a conversation if there is one.

    Attributes:
        finding: What the check found.
        channel: The conversation of the bot with somebody of them; empty for none.
    """

    finding: Finding
    channel: str = ""


def reach(client: WebClient, settings: SlackSection) -> Iterator[Reached]:
    """Look for every researcher and user group that ``study.toml`` names."""
    if not settings.researchers:
        yield Reached(
            wrong(
                RESEARCHERS,
                "study.toml names none, so nobody can open the study. Add IDs of people or of a user group to "
                "researchers.",
            )
        )
    for user in (each for each in settings.researchers if each in settings.people):
        yield _person(client, user)
    for group in settings.groups:
        yield _group(client, group)


def _person(client: WebClient, user: str) -> Reached:
    check = f"Researcher {user}"
    try:
        channel = str(client.conversations_open(users=[user])["channel"]["id"])
    except SlackApiError as error:
        said = _PERSON_SAID.get(str(error.response.get("error")))
        return Reached(wrong(check, said or f"The bot cannot write to them. ({reason(error)}.) Name somebody else."))
    except NO_ANSWER as error:
        return Reached(not_checked(check, f"{reason(error)}."))
    return Reached(fine(check, "They are here, and the bot can write to them."), channel)


def _group(client: WebClient, group: str) -> Reached:
    check = f"User group {group}"
    try:
        members = [str(each) for each in client.usergroups_users_list(usergroup=group)["users"]]
    except SlackApiError as error:
        said = _GROUP_SAID.get(str(error.response.get("error")))
        return Reached(wrong(check, said or f"Its members cannot be read. ({reason(error)}.)"))
    except NO_ANSWER as error:
        return Reached(not_checked(check, f"{reason(error)}."))
    if not members:
        return Reached(wrong(check, "Nobody is in it: add the researchers to it."))
    many = "1 person is" if len(members) == 1 else f"{len(members)} people are"
    channels = (_person(client, member).channel for member in members[:_MEMBERS_TRIED])
    return Reached(fine(check, f"{many} in it."), next((channel for channel in channels if channel), ""))

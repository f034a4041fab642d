"""Who is a researcher: the people whom ``study.toml`` names, and the members of the user groups that it names."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError

from bot.settings.settings import SlackSection
from bot.slack.client import Slack
from bot.slack.rate_limiter import CallNotMade

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 300.0
"""How long the answer about a group's members is used again."""

AGAIN_SECONDS = 30.0
"""How long Slack is not asked again after it did not answer."""


class GroupUnknown(Exception):
    """Slack does not tell who is in a group, so nobody counts as a member; ``str(error)`` says so to the person."""


@dataclass(frozen=True)
class _Read:
    """Slack's answer about a group: its members, or why they are unknown, and until when the answer is used."""

    members: frozenset[str]
    why_not: str
    until: float


class Permissions:
    """Knows who may use ``/study``. Safe from any thread.

    Args:
        settings: Who is named.
        slack: Tells who is in a group.
        clock: Seconds that only grow.
    """

    def __init__(self, settings: SlackSection, slack: Slack, clock: Callable[[], float] = time.monotonic) -> None:
        self._people, self._groups = settings.people, settings.groups
        self._slack = slack
        self._clock = clock
        self._asking = threading.Lock()
        self._read: dict[str, _Read] = {}

    def allows(self, user: str) -> bool:
        """Whether somebody is a researcher. May wait for Slack if ``study.toml`` names groups.

        Raises:
            GroupUnknown: ``study.toml`` does not name them, and a group that they may be in cannot be read.
        """
        if user in self._people:
            return True
        groups = {name: self._group(name) for name in self._groups}
        if any(user in group.members for group in groups.values()):
            return True
        for name, group in groups.items():
            if group.why_not:
                raise GroupUnknown(
                    f"I cannot read who is in the researchers' user group {name}: {group.why_not}. Until I can, "
                    "`/study` is only for people whose own ID is in study.toml (slack.researchers)."
                )
        return False

    def includes(self, user: str) -> bool:
        """Whether somebody is a researcher; also false when a group cannot be read."""
        try:
            return self.allows(user)
        except GroupUnknown:
            return False

    @property
    def known(self) -> frozenset[str]:
        """The researchers, as far as that is known without asking Slack."""
        return self._people.union(*(group.members for group in self._read.values()))

    def _group(self, name: str) -> _Read:
        read = self._read.get(name)
        if read is not None and self._clock() < read.until:
            return read
        with self._asking:  # one thread asks Slack, and the others wait for its answer
            read = self._read.get(name)
            if read is None or self._clock() >= read.until:
                read = self._ask(name)
                self._read = {**self._read, name: read}
            return read

    def _ask(self, name: str) -> _Read:
        try:
            return _Read(self._slack.group_members(name), "", self._clock() + REMEMBERED_SECONDS)
        except SlackApiError as error:
            why = f"Slack answers “{error.response['error']}”"
        except (CallNotMade, OSError):
            why = "Slack does not answer"
        log.warning("the members of the user group %s are not known: %s", name, why)
        return _Read(frozenset(), why, self._clock() + AGAIN_SECONDS)

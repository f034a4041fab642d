"""The researchers' part of the Home tab: the running sessions, and how far the study is."""

from collections.abc import Callable
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.researcher.permissions import Permissions
from bot.researcher.views.status import counts, line
from bot.runner.running_jobs import RunningJobs
from bot.slack.block_kit import context, divider, header, section, sections
from storage.database import Store
from storage.queries import history
from storage.queries.history import Status
from storage.refusals import Refused

_MOST_SESSIONS = 400
"""A view has 100 blocks, and a participant's own part needs room too."""


class HomeSection:
    """Makes the researchers' part of Home tabs. Safe from any thread.

    Args:
        store: The database.
        jobs: The jobs that run.
        slots: How many slots there are.
        permissions: Knows who is a researcher.
        now: The time, aware.
    """

    def __init__(
        self, store: Store, jobs: RunningJobs, slots: int, permissions: Permissions, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._slots = slots
        self._permissions = permissions
        self._now = now

    def blocks(self, user: str) -> list[Block]:
        """What a Slack user sees as a researcher; nothing for anybody else. May wait for Slack."""
        if not self._permissions.includes(user):
            return []
        try:
            status = history.status(self._store, now=self._now())
        except Refused:
            status = None
        return status_blocks(status, self._jobs.slots_ready, self._slots)


def status_blocks(status: Status | None, slots_ready: int, slots: int) -> list[Block]:
    """The study at a glance, as blocks.

    Args:
        status: The counts; none when there is no study.
        slots_ready: Slots whose worker is up.
        slots: All slots.
    """
    if status is None:
        return [header("The study"), section("No study is open at the moment."), divider()]
    blocks: list[Block] = [header("The study"), section("\n".join(counts(status, slots_ready, slots)))]
    running = [line(each) for each in status.running]
    blocks += sections(running[:_MOST_SESSIONS] or ["Nobody is tuning at the moment."])
    if len(running) > _MOST_SESSIONS:
        blocks.append(context(f"… and {len(running) - _MOST_SESSIONS} more."))
    return [*blocks, context("`/study` works anywhere in Slack. `/study help` lists all commands."), divider()]

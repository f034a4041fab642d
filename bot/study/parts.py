"""What the study is made of while it runs: one object that knows all parts, and decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.admin.reporter import Admins
from bot.live.feed import LiveFeed
from bot.participant.direct_messages import Conversation
from bot.researcher.permissions import Access
from bot.runner.dispatcher import Jobs
from bot.runner.scheduler import Clock
from bot.settings.settings import Settings
from bot.slack.background_tasks import Errands, Trouble
from bot.slack.client import Slack
from storage.database import Store
from training.tasks import TaskFacts

if TYPE_CHECKING:
    from bot.participant.home_tab import Homes


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


@dataclass
class Parts:
    """The parts of a running study.

    Attributes:
        settings: The rules.
        facts_of: What participants may know of a task; of the study's first one for somebody who was assigned none.
        store: What happened.
        slack: The workspace.
        admins: Tells admins what happens and what breaks.
        trouble: Is told what goes wrong.
        errands: Does what may wait until a listener has acknowledged.
        conversation: Writes to participants.
        access: Knows who is a researcher.
        now: The time, aware.
        feed, jobs, clock: They call back into the study, so :mod:`bot.app` adds them when it is there.
        homes: The Home tabs, which need the parts; the study adds them.
    """

    settings: Settings
    facts_of: Callable[[str | None], TaskFacts]
    store: Store
    slack: Slack
    admins: Admins
    trouble: Trouble
    errands: Errands
    conversation: Conversation
    access: Access
    now: Callable[[], datetime] = utc_now
    feed: LiveFeed = field(init=False)
    jobs: Jobs = field(init=False)
    clock: Clock = field(init=False)
    homes: "Homes" = field(init=False)

"""Deletes in Slack what people had deleted who left: all that the database says remains, also after a restart."""

import threading
import time
from functools import partial

from bot.slack.background_tasks import BackgroundTasks
from bot.slack.client import Slack
from bot.study.protocols import Admins
from storage.database import Store
from storage.schema.tables import PendingDeletion
from storage.transitions import deletion

GO_ON_SECONDS = 5.0
"""How often the bot looks whether something remains."""

_REST_SECONDS = 900.0
"""After this time a deletion is tried again that was begun and did not succeed, nor at the errand's own next tries."""


class Deletions:
    """Works off the pending deletions as an errand. Safe from any thread.

    Args:
        store: The database.
        slack: The workspace.
        admins: Change their posts.
        tasks: Runs the errand.
        report_channel: Slack's ID of the report channel, where posts are changed and not deleted.
    """

    def __init__(
        self, store: Store, slack: Slack, admins: Admins, tasks: BackgroundTasks, *, report_channel: str
    ) -> None:
        self._store = store
        self._slack = slack
        self._admins = admins
        self._tasks = tasks
        self._report_channel = report_channel
        self._lock = threading.Lock()
        self._begun: dict[int, float] = {}

    def go_on(self) -> None:
        """Delete soon what remains in Slack, and in the write-ahead log of the database. Waits for nothing."""
        self._store.scrub_again()
        with self._lock:
            remaining = deletion.pending(self._store)
            now = time.monotonic()
            self._begun = {each.id: self._begun[each.id] for each in remaining if each.id in self._begun}
            due = [each for each in remaining if now - self._begun.get(each.id, -_REST_SECONDS) >= _REST_SECONDS]
            self._begun.update({each.id: now for each in due})
        if due:
            self._tasks.run_errand(
                "deleting the messages of somebody who left", [partial(self._delete, each) for each in due]
            )

    def _delete(self, remaining: PendingDeletion) -> None:
        if remaining.channel == self._report_channel:
            self._admins.take_back(remaining.ts)
        else:
            self._slack.delete(remaining.channel, remaining.ts, remaining.file_id)
        deletion.done(self._store, remaining.id)

"""Publishes Home tabs: when a person opens theirs, and again when its content has changed."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakValueDictionary

from cachetools import LRUCache
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.participant.views.home_tab import home_tab
from bot.slack.background_tasks import BackgroundTasks
from bot.slack.client import Slack
from bot.slack.errands import Step
from bot.study.participant_status import status_of
from storage.database import Store
from storage.refusals import Refused
from storage.transitions import participants, sessions

log = logging.getLogger(__name__)

_MOST_OPEN = 1000
"""The number of people whose tab is kept up to date: those who opened theirs most recently."""

_PAUSE_SECONDS = 1.0
_RESEARCHERS_PAUSE_SECONDS = 5.0
"""The shortest time between two updates of a tab. A researcher's tab shows everybody, so it changes more often."""

_UNSEEN = ""
"""The content of a tab that may be open since before the bot was started."""

_NOT_SHOWN = frozenset({"not_enabled", "user_not_found"})
"""Slack's errors for a tab that nobody can see: Home tabs are switched off, or the person has left the workspace."""


@dataclass
class _Batch:
    """People whose tabs are published together, a pause after the first of them is due.

    Attributes:
        pause: The pause in seconds.
        due: The people.
        timer: Ends the pause. It stays until the tabs are published, so that there is one errand at a time.
    """

    pause: float
    due: set[str] = field(default_factory=set)
    timer: threading.Timer | None = None


class HomeTabs:
    """Keeps Home tabs up to date. Safe from any thread.

    Args:
        store: The database.
        slack: The workspace.
        tasks: Runs the publishing.
        consent_text: What participants agree to.
        researcher_blocks: Returns what a Slack user sees as a researcher; empty for others. May wait for Slack.
        known_researchers: Returns the Slack users who are researchers, as far as they are known without asking Slack.
    """

    def __init__(
        self,
        store: Store,
        slack: Slack,
        tasks: BackgroundTasks,
        consent_text: str,
        researcher_blocks: Callable[[str], Sequence[Block]],
        known_researchers: Callable[[], Collection[str]],
    ) -> None:
        self._store = store
        self._slack = slack
        self._tasks = tasks
        self._consent_text = consent_text
        self._researcher_blocks = researcher_blocks
        self._known_researchers = known_researchers
        self._lock = threading.Lock()
        self._shown: LRUCache[str, str] = LRUCache(_MOST_OPEN)
        self._publishers: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._people = _Batch(_PAUSE_SECONDS)
        self._researchers = _Batch(_RESEARCHERS_PAUSE_SECONDS)

    def opened(self, user: str) -> None:
        """Publish the Home tab of somebody who opened it. Waits for Slack."""
        with self._lock:
            self._shown[user] = self._shown.get(user, _UNSEEN)
            self._people.due.discard(user)
        self._publish(user)

    def expect(self, participant_id: int) -> None:
        """Update the tab of a participant soon: it may be open since before the bot was started."""
        identity = participants.identity_of(self._store, participant_id)
        if identity is not None:
            with self._lock:
                self._shown.setdefault(identity.slack_user, _UNSEEN)
            self._mark_due(self._people, [identity.slack_user])

    def changed(self, participant_id: int) -> None:
        """Update a participant's tab and the researchers' tabs soon. Waits only for the database."""
        identity = participants.identity_of(self._store, participant_id)
        if identity is not None:
            self._mark_due(self._people, [identity.slack_user])
        self._mark_due(self._researchers, self._known_researchers())

    def session_changed(self, session_id: int) -> None:
        """Update the tab of a session's participant and the researchers' tabs soon."""
        try:
            session = sessions.get(self._store, session_id)
        except Refused:
            return
        self.changed(session.participant_id)

    def all_changed(self) -> None:
        """Update all open tabs soon: the study was opened, paused, resumed or closed."""
        with self._lock:
            open_tabs = list(self._shown)
        self._mark_due(self._people, open_tabs)

    def forget(self, user: str) -> None:
        """Publish the tab of somebody who has left the study, and forget them."""
        with self._lock:
            known = self._shown.pop(user, None)
        if known is not None:
            self._publish(user)
            with self._lock:
                self._shown.pop(user, None)

    def _mark_due(self, batch: _Batch, users: Iterable[str]) -> None:
        """Publish the open tabs of these people after a pause. Changes during the pause are published with them."""
        with self._lock:
            batch.due |= {user for user in users if user in self._shown}
            if batch.timer is None:
                self._start_timer(batch)

    def _start_timer(self, batch: _Batch) -> None:
        """Publish what is due after a pause. The lock must be held."""
        batch.timer = None
        if batch.due:
            batch.timer = threading.Timer(batch.pause, self._time_to_publish, [batch])
            batch.timer.daemon = True
            batch.timer.start()

    def _time_to_publish(self, batch: _Batch) -> None:
        self._tasks.run_errand("showing a Home tab", self._publish_due(batch))

    def _publish_due(self, batch: _Batch) -> Iterator[Step]:
        """One step for each person. What changes until the last step is published after another pause."""
        with self._lock:
            users, batch.due = batch.due, set()
        for user in users:
            yield partial(self._publish, user)
        with self._lock:
            self._start_timer(batch)

    def _publish(self, user: str) -> None:
        """Publish the tab as it is now, unless the person sees the same already."""
        with self._lock:
            publisher = self._publishers.setdefault(user, threading.Lock())
        with publisher:  # so that of two changes the newer one is published last
            view = home_tab(
                status_of(self._store, user),
                self._consent_text,
                researcher=self._researcher_blocks(user),
            )
            shown = hashlib.sha256(json.dumps(view.to_dict()).encode()).hexdigest()
            with self._lock:
                if self._shown.get(user) == shown:
                    return
            try:
                self._slack.publish_home(user, view)
            except SlackApiError as error:
                if error.response["error"] not in _NOT_SHOWN:
                    raise
                log.info("a Home tab is not shown: %s", error.response["error"])
            with self._lock:
                self._shown[user] = shown

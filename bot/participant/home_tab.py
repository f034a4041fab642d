"""The Home tabs of whoever looks at theirs: published when opened, and again when what they tell has changed."""

import hashlib
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.participant.views.home_tab import home_tab
from bot.researcher.home_section import status_blocks
from bot.slack.rate_limiter import Priority
from bot.study.participant_status import standing_of
from storage.queries import history
from storage.refusals import Refused
from storage.transitions import participants, sessions

if TYPE_CHECKING:
    from bot.study.parts import Parts

log = logging.getLogger(__name__)

_MOST_OPEN = 1000
"""People whose tab is kept up to date; whoever opened theirs longest ago gets it when they open it again."""

_PAUSE_SECONDS = 1.0
_RESEARCHERS_PAUSE_SECONDS = 5.0
"""A tab is brought up to date this often at most, however much happens; a researcher's tells of everybody."""

_UNSEEN = ""
"""What is shown to somebody whose tab may be open since before we started."""

_NOT_SHOWN = frozenset({"not_enabled", "user_not_found"})
"""The Home tab is switched off in the app, or the person has left the workspace: nothing is owed to anybody."""


@dataclass
class _Batch:
    """People whose tabs are published together, a pause after the first of them is due."""

    pause: float
    due: set[str] = field(default_factory=set)
    timer: threading.Timer | None = None


class Homes:
    """Keeps Home tabs up to date. Safe from any thread.

    Args:
        parts: The running study.
    """

    def __init__(self, parts: "Parts") -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._shown: OrderedDict[str, str] = OrderedDict()
        self._publishers: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._people = _Batch(_PAUSE_SECONDS)
        self._researchers = _Batch(_RESEARCHERS_PAUSE_SECONDS)

    def opened(self, user: str) -> None:
        """Somebody looks at their Home tab: show it. Waits for Slack."""
        with self._lock:
            known = self._shown.pop(user, _UNSEEN)
            self._shown[user] = known
            while len(self._shown) > _MOST_OPEN:
                self._shown.popitem(last=False)
            self._people.due.discard(user)
        self._publish(user)

    def expect(self, participant_id: int) -> None:
        """A participant may be looking at a tab that was published before we started."""
        identity = participants.identity_of(self._parts.store, participant_id)
        if identity is not None:
            with self._lock:
                self._shown.setdefault(identity.slack_user, _UNSEEN)
            self._mark_due(self._people, [identity.slack_user])

    def changed(self, participant_id: int) -> None:
        """Where a participant stands has changed. Waits for nothing but the database."""
        identity = participants.identity_of(self._parts.store, participant_id)
        if identity is not None:
            self._mark_due(self._people, [identity.slack_user])
        self._mark_due(self._researchers, self._parts.access.known)

    def session_changed(self, session_id: int) -> None:
        """The same by a session."""
        try:
            session = sessions.get(self._parts.store, session_id)
        except Refused:
            return
        self.changed(session.participant_id)

    def all_changed(self) -> None:
        """Something changed for everybody: the study opened, paused, went on, closed."""
        with self._lock:
            open_tabs = list(self._shown)
        self._mark_due(self._people, open_tabs)

    def forget(self, user: str) -> None:
        """Somebody has left the study: show them so, and keep nothing of them."""
        with self._lock:
            known = self._shown.pop(user, None)
        if known is not None:
            self._publish(user)
            with self._lock:
                self._shown.pop(user, None)

    def _mark_due(self, batch: _Batch, users: Iterable[str]) -> None:
        """Publish the tabs of these people soon, as far as they are open; all that changes meanwhile goes with it."""
        with self._lock:
            due = {user for user in users if user in self._shown}
            batch.due |= due
            if not due or batch.timer is not None:
                return
            batch.timer = threading.Timer(batch.pause, self._time_to_publish, [batch])
            batch.timer.daemon = True
            batch.timer.start()

    def _time_to_publish(self, batch: _Batch) -> None:
        self._parts.errands.run("showing the Home tabs", partial(self._publish_due, batch))

    def _publish_due(self, batch: _Batch) -> None:
        with self._lock:
            batch.timer = None
        while (user := self._next_due(batch)) is not None:
            self._publish(user, Priority.FRAME)

    def _next_due(self, batch: _Batch) -> str | None:
        with self._lock:
            return batch.due.pop() if batch.due else None

    def _publish(self, user: str, priority: Priority = Priority.RESULT) -> None:
        """Show the tab as it is now, unless that is what the person sees."""
        with self._lock:
            publisher = self._publishers.setdefault(user, threading.Lock())
        with publisher:  # of two changes the newer is shown last
            view = home_tab(
                standing_of(self._parts.store, user),
                self._parts.settings.consent_text,
                researcher=self._for_researcher(user),
            )
            shown = hashlib.sha256(json.dumps(view.to_dict()).encode()).hexdigest()
            with self._lock:
                if self._shown.get(user) == shown:
                    return
            try:
                self._parts.slack.publish_home(user, view, priority)
            except SlackApiError as error:
                if error.response["error"] not in _NOT_SHOWN:
                    raise
                log.info("a Home tab is not shown: %s", error.response["error"])
            with self._lock:
                self._shown[user] = shown

    def _for_researcher(self, user: str) -> list[Block]:
        settings = self._parts.settings
        if not self._parts.access.includes(user):
            return []
        try:
            status = history.status(self._parts.store, now=self._parts.now())
        except Refused:
            status = None
        return status_blocks(status, self._parts.jobs.slots_ready, settings.machine.slots)

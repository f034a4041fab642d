"""The results of participants: posted when all evaluations have ended, and changed when some were run again."""

import threading

from bot.admin.report_channel import ReportChannel
from bot.admin.views.participant_results import participant_finished, results_deleted
from bot.settings.settings import GroupsSection
from bot.slack.block_kit import Message
from storage import posts
from storage.database import Store
from storage.queries import history, people
from storage.queries.results import hides_results
from storage.refusals import Refused
from storage.transitions import deletion, evaluations, participants, sessions, studies

_REPORT = "report:"


class ParticipantResults:
    """Posts the results of participants. Safe from any thread.

    Args:
        store: The database.
        channel: Where results are posted.
        groups: Groups participants by their experience.

    Attributes:
        posted: How many participants' results were posted since the start.
    """

    def __init__(self, store: Store, channel: ReportChannel, groups: GroupsSection) -> None:
        self._store = store
        self._channel = channel
        self._groups = groups
        self._lock = threading.Lock()
        self._due: set[int] = set()
        self._shown: dict[int, Message] = {}
        self.posted = 0

    def catch_up(self) -> None:
        """Expect the results that were not posted before the last stop; take back those that were posted too late."""
        for post in posts.of_family(self._store, _REPORT):
            number = post.subject.removeprefix(_REPORT)
            if self._channel.id and number.isdecimal() and not self._is_there(int(number)):
                deletion.take_back(self._store, post.subject, self._channel.id, post.ts)
        study = studies.newest_study(self._store)
        for line in people.people(self._store, study.id) if study is not None else ():
            if line.session_id is not None and line.final_chosen and not self._channel.has(_subject(line.session_id)):
                self.expect(line.session_id)

    def expect(self, session_id: int) -> None:
        """Look at a session's results soon: an evaluation of its final choice has ended."""
        with self._lock:
            self._due.add(session_id)

    def take_back(self, ts: str) -> None:
        """Remove results from a post: their participant has left, and their data is deleted. Waits for Slack.

        Args:
            ts: The post's. A post that is gone is left alone.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached.
        """
        self._channel.change(ts, results_deleted())

    def tell(self) -> None:
        """Post the results that are complete.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached. The next call posts the rest.
        """
        with self._lock:
            due = sorted(self._due)
        for session_id in due:
            with self._lock:
                self._due.discard(session_id)  # an evaluation that ends from here on makes it due again
            try:
                self._post(session_id)
            except Exception:
                self.expect(session_id)
                raise

    def _post(self, session_id: int) -> None:
        try:
            view = history.session_view(self._store, session_id)
            if view.choice is None:
                return
            summary = evaluations.evaluation_summary(self._store, view.choice.id)
            months = participants.get(self._store, view.participant_id).months
        except Refused:  # its participant has left the study, and the data is deleted
            return
        if not summary.all_done:
            return
        hidden = hides_results(studies.newest_study(self._store))
        message = participant_finished(view, summary, self._groups.group(months or 0.0), hidden=hidden)
        if self._shown.get(session_id) == message:
            return
        new = not self._channel.has(_subject(session_id))
        ts = self._channel.show(_subject(session_id), message)
        self._shown[session_id] = message
        self.posted += new
        if not self._is_there(session_id):  # their participant left meanwhile, when the post was not yet to be found
            late = deletion.take_back(self._store, _subject(session_id), self._channel.id, ts)
            self.take_back(ts)
            deletion.done(self._store, late)

    def _is_there(self, session_id: int) -> bool:
        try:
            sessions.get(self._store, session_id)
        except Refused:
            return False
        return True


def _subject(session_id: int) -> str:
    return f"{_REPORT}{session_id}"

"""The daily digest: when it is due, and what is in it. At most one is posted per day."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.admin.drawings import Drawings
from bot.admin.report_channel import ReportChannel
from bot.admin.views.digests import Digest, Finished, GroupFigures, digest_post
from bot.runner.scheduler import last_time
from bot.settings.settings import Settings
from storage import alerts, events, posts
from storage.database import Store
from storage.queries import history, people
from storage.queries.people import ParticipantLine
from storage.queries.results import hides_results
from storage.schema.states import EventKind, ParticipantState
from storage.schema.tables import Post, Study
from storage.study_rules import GROUPS
from storage.transitions import studies

_NOT_NEWS = {
    EventKind.STUDY_PREPARED,
    EventKind.IDENTITY_FORGOTTEN,
    EventKind.RECONCILED,
    EventKind.BOT_STOPPED,
    EventKind.CLOCK_SET,
    EventKind.COMMANDED,
    EventKind.ALERT_ACKNOWLEDGED,
}
"""Events that need no digest: a day without other events has none."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Digests:
    """Posts the digest.

    A digest covers the time from the previous digest until the time of day at which it is due. So everything is in
    exactly one digest, also when the bot was away.

    Args:
        settings: When it is due, and the groups.
        store: The database.
        channel: Where the digest is posted.
        now: The time, aware.
    """

    def __init__(self, settings: Settings, store: Store, channel: ReportChannel, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._store = store
        self._channel = channel
        self._now = now
        self._drawings = Drawings()
        self._lock = threading.Lock()
        self._due_at: datetime | None = _LONG_AGO  # at the start the bot does not know, so it checks

    def is_due(self, moment: datetime) -> None:
        """Note that a digest is due as soon as ``now`` says this moment, which may be a second or two later."""
        with self._lock:
            self._due_at = moment

    def tell(self) -> None:
        """Post the digest if one is due.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached. The next call posts it.
        """
        with self._lock:
            moment = self._due_at
            if moment is None or self._now() < moment:
                return
            self._due_at = None
        try:
            self._tell()
        except Exception:
            with self._lock:
                self._due_at = self._due_at or moment
            raise

    def redraw(self, ts: str) -> bool:
        """Bring a posted digest up to date: a button under it was pressed, or somebody's data was deleted.

        Args:
            ts: The post's. A post that is no digest of the current study stays as it is.

        Returns:
            Whether it is a digest of the current study.
        """
        posted = posts.of_family(self._store, posts.DIGEST)
        place = next((number for number, post in enumerate(posted) if post.ts == ts), None)
        study = studies.newest_study(self._store)
        if place is None or study is None:
            return False
        until = posts.digest_until(posted[place])
        since = _later(study, posted[:place])
        if since >= until:
            return False

        def draw() -> None:
            digest = self._digest(study, since, until)
            self._channel.change(ts, digest_post(replace(digest, changed_at=self._now())))

        self._drawings.draw(ts, draw)
        return True

    def _tell(self) -> None:
        slack = self._settings.slack
        until = last_time(slack.digest_at, slack.zone, self._now())
        study = studies.newest_study(self._store)
        if study is not None and (since := self._since(study)) < until and self._happened(since, until):
            digest = self._digest(study, since, until)
            ts = self._channel.show(f"{posts.DIGEST}{until.isoformat()}", digest_post(digest))
            after = self._digest(study, since, until)
            if (after.finished, after.groups) != (digest.finished, digest.groups):  # somebody left meanwhile
                self.redraw(ts)

    def _since(self, study: Study) -> datetime:
        return _later(study, posts.of_family(self._store, posts.DIGEST))

    def _happened(self, since: datetime, until: datetime) -> bool:
        news = set(EventKind) - _NOT_NEWS
        if events.read(self._store, kinds=news, since=since, until=until, limit=1):
            return True
        return any(since < each.last_at <= until for each in alerts.unacknowledged(self._store))

    def _digest(self, study: Study, since: datetime, until: datetime) -> Digest:
        kinds = (EventKind.SESSION_FINISHED, EventKind.DESCRIBED, EventKind.TRIAL_SUBMITTED)
        news = events.read(self._store, kinds=kinds, since=since, until=until)
        everybody = {person.code: person for person in people.people(self._store, study.id)}
        present = {code: person for code, person in everybody.items() if person.state is not ParticipantState.WITHDRAWN}
        hidden = hides_results(study)
        ended = [event.participant for event in news if event.kind is EventKind.SESSION_FINISHED]
        return Digest(
            since=since,
            until=until,
            status=history.status(self._store, now=self._now()),
            finished=tuple(self._finished(present[code], hidden) for code in ended if code in present),
            joined=sum(event.kind is EventKind.DESCRIBED for event in news),
            submitted=sum(event.kind is EventKind.TRIAL_SUBMITTED and event.participant in everybody for event in news),
            groups=tuple(self._figures(group, list(present.values()), hidden) for group in GROUPS),
            alerts=tuple(alerts.unacknowledged(self._store)),
            hidden=hidden,
        )

    def _finished(self, person: ParticipantLine, hidden: bool) -> Finished:
        mean = None if hidden else _final_accuracy(person)
        return Finished(person.code, self._group(person), _is_evaluated(person), mean)

    def _figures(self, group: str, present: list[ParticipantLine], hidden: bool) -> GroupFigures:
        evaluated = [each for each in present if self._group(each) == group and _is_evaluated(each)]
        finals = () if hidden else (_final_accuracy(each) for each in evaluated)
        return GroupFigures(group, len(evaluated), tuple(each for each in finals if each is not None))

    def _group(self, person: ParticipantLine) -> str:
        return self._settings.groups.group(person.months or 0.0)


def _later(study: Study, posted: Sequence[Post]) -> datetime:
    """When the time begins that no digest covers: the end of the last one's, or the study's beginning."""
    return max([study.prepared_at, *map(posts.digest_until, posted[-1:])])


def _is_evaluated(person: ParticipantLine) -> bool:
    """Whether there are evaluations of their final choice, and all have ended."""
    return person.evaluations_total > 0 and person.evaluations_done == person.evaluations_total


def _final_accuracy(person: ParticipantLine) -> float | None:
    """The mean of a participant's test accuracies in percent, once all evaluations have ended."""
    return person.mean_test_accuracy if _is_evaluated(person) else None

"""Posts about the bot's starts and the events of the study. They follow from the event log: each is posted once."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.admin.alert_kinds import AlertKind
from bot.admin.report_channel import ReportChannel
from bot.admin.views import announcements
from bot.admin.views.announcements import Signed, Start
from bot.admin.views.controls import Controls
from bot.slack.block_kit import Message, duration
from bot.slack.mentions import without_people
from storage import events, posts
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import EventKind, Searcher, SessionEnd, StudyState
from storage.schema.tables import Event, Study
from storage.study_rules import assigns, parse_rules
from storage.transitions import evaluations, recovery, sessions, studies
from storage.transitions.assignment import commitment, published_secret

_STATE_AFTER = {
    EventKind.STUDY_OPENED: StudyState.OPEN,
    EventKind.STUDY_PAUSED: StudyState.PAUSED,
    EventKind.STUDY_RESUMED: StudyState.OPEN,
    EventKind.STUDY_CLOSED: StudyState.CLOSED,
}
"""The study's state after each event that changes it. Only the newest post has the button that changes it again."""


_START_POST_IS_NEW = timedelta(days=1)


class Announcements:
    """Posts the events that have happened since its last call.

    That the bot has started is one post, whose text changes at the next start: admins need to know that the bot runs,
    and not every start. After a day a start is news again, and gets a new post; so it does when the post is gone or the
    channel is another one.

    After a crash there is an alert too, a post of its own with *Acknowledge*. A changed post notifies nobody, and
    somebody has to find out why the bot ended: nobody had stopped it, and people were without it. When it crashes again
    and again, the alert is one post with a count, until somebody acknowledges it. After a stop that a researcher made
    there is no alert: they know, and the post about the start says what was given back.

    Args:
        store: Has the event log.
        channel: Where events are posted.
        raise_alert: Takes the kind of an alert and a sentence about it.
        slots: How many trials run at once.
        now: The time, aware.
    """

    def __init__(
        self,
        store: Store,
        channel: ReportChannel,
        raise_alert: Callable[[str, str], None],
        slots: int,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._channel = channel
        self._raise_alert = raise_alert
        self._slots = slots
        self._now = now
        self._start_is_told = False
        self._read_to = 0
        self._newest_change: Event | None = None  # the newest posted event of those in _STATE_AFTER
        self._alerts_after = 0

    def begin(self) -> None:
        """Raise no alert for what happened before now: it was raised when it happened."""
        newest = events.read(self._store, limit=1)
        self._alerts_after = newest[-1].id if newest else 0

    def tell(self) -> None:
        """Post the events that have not been posted.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached. The next call posts the rest.
        """
        if not self._start_is_told:
            self._tell_start()
            self._start_is_told = True
        for event in events.read(self._store, after=self._read_to, kinds=[*_VIEWS, *_ALERTS]):
            if event.kind in _VIEWS:
                self._tell(event)
            elif event.id > self._alerts_after:
                self._alert(event)
            self._read_to = event.id

    def _alert(self, event: Event) -> None:
        kind, text_of = _ALERTS[event.kind]
        if text := text_of(event):
            self._raise_alert(kind, text)

    def _tell_start(self) -> None:
        """Change the post about the last start, if it is a day old at most. Make a new one otherwise."""
        study = studies.newest_study(self._store)
        if study is None:
            return
        family = f"start:{self._channel.id}:"
        last = posts.newest(self._store, family)
        posted_at = self._now() if last is None else datetime.fromisoformat(last.subject.removeprefix(family))
        if self._now() - posted_at > _START_POST_IS_NEW:
            posted_at = self._now()
        start = _newest_start(self._store, posted_at, self._now())
        message = announcements.bot_started(study.name, study.state, study.rules_hash, self._slots, start)
        self._channel.show(f"{family}{posted_at.isoformat()}", message)

    def _tell(self, event: Event) -> None:
        subject = f"event:{event.id}"
        is_posted = self._channel.has(subject)
        if event.kind in _STATE_AFTER:
            if self._newest_change is not None and not is_posted:
                self._show(self._newest_change, None)
            self._newest_change = event
        if not is_posted:
            state = _STATE_AFTER.get(event.kind)
            self._show(event, Controls(state) if state is not None else None)

    def _show(self, event: Event, controls: Controls | None) -> None:
        message = _VIEWS[event.kind](self._store, event, controls)
        if message is not None:
            self._channel.show(f"event:{event.id}", message)


EventView = Callable[[Store, Event, Controls | None], Message | None]
"""Makes the post about an event; none for some events."""


def _opened(store: Store, event: Event, controls: Controls | None) -> Message:
    rules, study = str(event.details["rules_hash"]), _study(store, event)
    hidden = commitment(study) if assigns(parse_rules(study.rules)) else None
    return announcements.study_opened(study.name, rules, _signed(event), controls, commitment=hidden)


def _paused(store: Store, event: Event, controls: Controls | None) -> Message:
    return announcements.study_paused(_study(store, event).name, _signed(event), controls)


def _resumed(store: Store, event: Event, controls: Controls | None) -> Message:
    return announcements.study_resumed(_study(store, event).name, _signed(event), controls)


def _amended(store: Store, event: Event, _: Controls | None) -> Message:
    name, reason = (without_people(str(event.details[key])) for key in ("amendment", "reason"))
    rules = str(event.details["rules_hash"])
    return announcements.study_amended(_study(store, event).name, name, reason, rules, _signed(event))


def _closed(store: Store, event: Event, _: Controls | None) -> Message:
    study = _study(store, event)
    secret = published_secret(study) if assigns(parse_rules(study.rules)) else None
    return announcements.study_closed(study.name, len(evaluations.due(store)), _signed(event), secret=secret)


def _withdrawn(store: Store, event: Event, _: Controls | None) -> Message:
    deleted = events.read(store, after=event.id, kind=EventKind.DATA_DELETED, subject=event.subject)
    return announcements.participant_left(_code(event), _signed(event), data_deleted=bool(deleted))


def _cancelled(_: Store, event: Event, __: Controls | None) -> Message | None:
    return announcements.session_cancelled(_code(event), _signed(event)) if _is_of_a_person(event) else None


def _finished(store: Store, event: Event, _: Controls | None) -> Message | None:
    """A post about a session without a submitted trial. Results of other sessions are posted later."""
    try:
        session = sessions.get(store, int(event.subject.partition(":")[2]))
    except Refused:  # deleted, as its participant wished
        return None
    if session.ended_as is not SessionEnd.EMPTY or not _is_of_a_person(event):
        return None
    return announcements.session_empty(_code(event), _signed(event))


def _extended(_: Store, event: Event, __: Controls | None) -> Message:
    length = timedelta(seconds=float(event.details["seconds"] or 0))
    return announcements.time_extended(_code(event), length, _signed(event))


def _evaluations_cancelled(_: Store, event: Event, __: Controls | None) -> Message:
    return announcements.evaluations_cancelled(_code(event), int(event.details["count"] or 0), _signed(event))


def _baseline_started(_: Store, event: Event, __: Controls | None) -> Message:
    details = event.details
    searcher, tries = Searcher(details["searcher"]), details["tries"]
    return announcements.baseline_started(details["code"], searcher, details["wanted"], tries, _signed(event))


def _baseline_stopped(_: Store, event: Event, __: Controls | None) -> Message:
    return announcements.baseline_stopped(event.details["code"], _signed(event))


_VIEWS: Mapping[EventKind, EventView] = {
    EventKind.STUDY_OPENED: _opened,
    EventKind.STUDY_PAUSED: _paused,
    EventKind.STUDY_RESUMED: _resumed,
    EventKind.STUDY_AMENDED: _amended,
    EventKind.STUDY_CLOSED: _closed,
    EventKind.WITHDRAWN: _withdrawn,
    EventKind.SESSION_CANCELLED: _cancelled,
    EventKind.SESSION_FINISHED: _finished,
    EventKind.TIME_EXTENDED: _extended,
    EventKind.EVALUATIONS_CANCELLED: _evaluations_cancelled,
    EventKind.BASELINE_STARTED: _baseline_started,
    EventKind.BASELINE_STOPPED: _baseline_stopped,
}


def _newest_start(store: Store, posted_at: datetime, now: datetime) -> Start:
    """The newest start in the event log.

    Args:
        store: Has the event log.
        posted_at: When the post about it was made; before the study opens, starts are counted from there.
        now: When the bot started, if the log does not say it.
    """
    starts = events.read(store, kind=EventKind.RECONCILED)
    opened = events.read(store, kind=EventKind.STUDY_OPENED, limit=1)
    restarts = [each for each in starts[1:] if (each.id > opened[0].id if opened else each.at > posted_at)]
    since = "the study was opened" if opened else "this was posted"
    if not starts:
        return Start(now, 0, since, ())
    before = starts[-2].id if len(starts) > 1 else 0
    given = events.read(store, after=before, kind=EventKind.TIME_GIVEN_BACK)
    lost = [(_code(each), _seconds(each)) for each in given if each.details.get("why") == recovery.BOT_WAS_DOWN]
    return Start(starts[-1].at, len(restarts), since, tuple(lost))


def _study(store: Store, event: Event) -> Study:
    return studies.get(store, int(event.subject.partition(":")[2]))


def _signed(event: Event) -> Signed:
    return Signed(event.actor, event.at)


def _code(event: Event) -> str:
    return event.participant or "Somebody"


def _is_of_a_person(event: Event) -> bool:
    return _code(event).startswith("P")


def _seconds(event: Event) -> timedelta:
    return timedelta(seconds=float(event.details["seconds"] or 0))


def _given_back(event: Event) -> str:
    """About time that was given back while the bot ran. After a start, the post about the start says it."""
    if event.details.get("why") == recovery.BOT_WAS_DOWN:
        return ""
    return f"{_code(event)} was given back {_seconds(event).total_seconds():.0f} s: {event.details['why']}."


def _crashed(event: Event) -> str:
    """About a crash before a start."""
    if not event.details.get("crashed"):
        return ""
    away, again = timedelta(seconds=float(event.details["down_seconds"] or 0)), event.details["restarted"]
    return (
        f"I have started again, although nobody had stopped me. I was away for {duration(away)}, and sessions got that "
        f"time back. {again} of the trials and evaluations start over. The log may say why I ended. If it does not, "
        "look into the log of the machine."
    )


def _clock_set(event: Event) -> str:
    """About a clock that was set."""
    seconds = _seconds(event).total_seconds()
    way = "forward" if seconds > 0 else "back"
    return (
        f"The clock of my machine was set {way} by {duration(timedelta(seconds=abs(seconds)))}. Everybody keeps the "
        f"time that was left: the deadlines moved with it ({event.details['sessions']} sessions)."
    )


_ALERTS: Mapping[EventKind, tuple[AlertKind, Callable[[Event], str]]] = {
    EventKind.TIME_GIVEN_BACK: (AlertKind.TIME_GIVEN_BACK, _given_back),
    EventKind.RECONCILED: (AlertKind.CRASHED, _crashed),
    EventKind.CLOCK_SET: (AlertKind.CLOCK_SET, _clock_set),
}
"""The kind of the alert about an event, and its text; an empty text means that there is none."""

"""Posts about the events of the study. They are read from the event log, so each event is posted once."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.admin.alert_kinds import AlertKind
from bot.admin.report_channel import ReportChannel
from bot.admin.views import announcements
from bot.admin.views.announcements import Signed
from bot.admin.views.controls import Controls
from bot.slack.block_kit import Message
from bot.slack.mentions import without_people
from storage import events
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import EventKind, Searcher, SessionEnd, StudyState
from storage.schema.tables import Event, Study
from storage.transitions import evaluations, sessions, studies

_STATE_AFTER = {
    EventKind.STUDY_OPENED: StudyState.OPEN,
    EventKind.STUDY_PAUSED: StudyState.PAUSED,
    EventKind.STUDY_RESUMED: StudyState.OPEN,
    EventKind.STUDY_CLOSED: StudyState.CLOSED,
}
"""The study's state after each event that changes it. Only the newest post has the button that changes it again."""


class Announcements:
    """Posts the events that have happened since its last call.

    Args:
        store: Has the event log.
        channel: Where events are posted.
        raise_alert: Takes the kind of an alert and a sentence about it.
    """

    def __init__(self, store: Store, channel: ReportChannel, raise_alert: Callable[[str, str], None]) -> None:
        self._store = store
        self._channel = channel
        self._raise_alert = raise_alert
        self._read_to = 0
        self._newest_change: Event | None = None  # the newest posted event of those in _STATE_AFTER
        self._alerts_after = 0

    def begin(self) -> None:
        """Raise no alert for time that was given back before now: it was raised when it happened."""
        newest = events.read(self._store, limit=1)
        self._alerts_after = newest[-1].id if newest else 0

    def tell(self) -> None:
        """Post the events that have not been posted.

        Raises:
            SlackApiError, CallNotMade, OSError: Slack refuses, or cannot be reached. The next call posts the rest.
        """
        for event in events.read(self._store, after=self._read_to, kinds=[*_VIEWS, EventKind.TIME_GIVEN_BACK]):
            if event.kind is EventKind.TIME_GIVEN_BACK:
                if event.id > self._alerts_after:
                    self._raise_alert(AlertKind.TIME_GIVEN_BACK, _given_back(event))
            else:
                self._tell(event)
            self._read_to = event.id

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
    rules = str(event.details["rules_hash"])
    return announcements.study_opened(_study(store, event).name, rules, _signed(event), controls)


def _paused(store: Store, event: Event, controls: Controls | None) -> Message:
    return announcements.study_paused(_study(store, event).name, _signed(event), controls)


def _resumed(store: Store, event: Event, controls: Controls | None) -> Message:
    return announcements.study_resumed(_study(store, event).name, _signed(event), controls)


def _amended(store: Store, event: Event, _: Controls | None) -> Message:
    name, reason = (without_people(str(event.details[key])) for key in ("amendment", "reason"))
    rules = str(event.details["rules_hash"])
    return announcements.study_amended(_study(store, event).name, name, reason, rules, _signed(event))


def _closed(store: Store, event: Event, _: Controls | None) -> Message:
    return announcements.study_closed(_study(store, event).name, len(evaluations.due(store)), _signed(event))


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
    EventKind.BASELINE_STARTED: _baseline_started,
    EventKind.BASELINE_STOPPED: _baseline_stopped,
}


def _study(store: Store, event: Event) -> Study:
    return studies.get(store, int(event.subject.partition(":")[2]))


def _signed(event: Event) -> Signed:
    return Signed(event.actor, event.at)


def _code(event: Event) -> str:
    return event.participant or "Somebody"


def _is_of_a_person(event: Event) -> bool:
    return _code(event).startswith("P")


def _given_back(event: Event) -> str:
    return f"{_code(event)} was given back {float(event.details['seconds'] or 0):.0f} s: {event.details['why']}."

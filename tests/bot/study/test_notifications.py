"""Notices are posted once, in their order, until they are posted; one person's trouble holds up nobody else."""

import threading
import time
from datetime import UTC, datetime

import pytest
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import OperationalError

from bot.slack.background_tasks import BackgroundTasks
from bot.slack.error_reporting import ErrorReporter
from bot.slack.rate_limiter import RateLimiter
from bot.study.notifications import Notifications
from storage.database import Store
from storage.schema.states import NoticeKind
from storage.transitions import notices, participants, studies
from tests.bot.alarms import Alarms
from tests.storage.databases import make_sqlite

NOW = datetime(2030, 3, 1, 9, tzinfo=UTC)
PATIENCE = 20


class Answer:
    """What Slack answers to a call that it refuses."""

    def __init__(self, error, status_code=200):
        self.status_code = status_code
        self.data = {"ok": False, "error": error}

    def __getitem__(self, name):
        return self.data[name]

    def get(self, name, default=None):
        return self.data.get(name, default)


class Conversation:
    """Posts notices, or fails as a test says."""

    def __init__(self):
        self.posted = []
        self.failures = {}
        self.changed = threading.Condition()

    def tell(self, notice):
        failure = self.failures.get(notice.participant_id)
        if failure is not None:
            raise failure
        with self.changed:
            self.posted.append((notice.participant_id, notice.kind))
            self.changed.notify_all()


@pytest.fixture
def store(tmp_path):
    make_sqlite(tmp_path / "study.db")
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    studies.prepare_study(store, name="s", rules="{}", rules_hash="h", now=NOW)
    studies.open_study(store, actor="researcher-1", now=NOW)
    yield store
    store.close()


@pytest.fixture
def alarms():
    return Alarms()


@pytest.fixture
def conversation():
    return Conversation()


@pytest.fixture
def notifications(store, conversation, alarms):
    errors = ErrorReporter(alarms)
    tasks = BackgroundTasks(errors, RateLimiter())
    yield Notifications(store, conversation, tasks, errors)
    tasks.close(flush=PATIENCE)


def invite(store, user):
    return participants.invite(store, slack_user=user, slack_channel=f"D{user}", now=NOW).id


def consent(store, participant):
    participants.consent(store, participant, consent_hash="c", now=NOW)


def wait_until(true):
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_participants_notices_are_posted_once_and_in_their_order(store, notifications, conversation):
    person = invite(store, "U1")
    consent(store, person)
    for _ in range(5):
        notifications.deliver()
    wait_until(lambda: not notices.pending(store))
    assert conversation.posted == [(person, NoticeKind.GREETING), (person, NoticeKind.BACKGROUND)]


def test_a_notice_that_slack_does_not_take_now_waits_and_holds_up_nobody_else(
    store, notifications, conversation, alarms
):
    unlucky, other = invite(store, "U1"), invite(store, "U2")
    conversation.failures[unlucky] = SlackApiError("", Answer("service_unavailable", 503))
    notifications.deliver()
    wait_until(lambda: [each.participant_id for each in notices.pending(store)] == [unlucky])
    assert conversation.posted == [(other, NoticeKind.GREETING)]
    assert alarms.told == []

    del conversation.failures[unlucky]
    wait_until(lambda: notifications.deliver() or not notices.pending(store))
    assert conversation.posted[-1] == (unlucky, NoticeKind.GREETING)


def test_somebody_who_does_something_while_their_greeting_is_being_refused_is_tried_once_more(
    store, notifications, conversation
):
    person = invite(store, "U1")
    tell, refused = conversation.tell, []

    def tell_late(notice):
        if notice.kind is NoticeKind.GREETING and not refused:
            consent(store, person)  # in the Home tab, just now
            notifications.try_again(person)
            refused.append(notice)
            raise SlackApiError("", Answer("restricted_action"))
        tell(notice)

    conversation.tell = tell_late
    notifications.deliver()
    wait_until(lambda: not notices.pending(store))
    assert conversation.posted == [(person, NoticeKind.GREETING), (person, NoticeKind.BACKGROUND)]


def test_a_notice_that_can_never_be_posted_is_told_to_the_admins_and_given_up(
    store, notifications, conversation, alarms
):
    person = invite(store, "U1")
    assert notifications.deliver_now(person).complete
    consent(store, person)
    conversation.failures[person] = SlackApiError("", Answer("restricted_action"))
    notifications.deliver()
    wait_until(lambda: not notices.pending(store))
    assert alarms.told == [("telling a participant (background)", "SlackApiError")]


@pytest.mark.parametrize(
    ("failure", "told", "refused"),
    [
        (SlackApiError("", Answer("restricted_action")), "SlackApiError", "restricted_action"),
        (KeyError("a fault of ours"), "KeyError", "code "),
    ],
)
def test_a_greeting_that_slack_refuses_is_told_once_and_kept_for_the_next_invitation(
    store, notifications, conversation, alarms, failure, told, refused
):
    person, other = invite(store, "U1"), invite(store, "U2")
    conversation.failures[person] = failure
    for _ in range(5):  # as the sweep does
        notifications.deliver()
        wait_until(lambda: conversation.posted == [(other, NoticeKind.GREETING)])
        wait_until(lambda: alarms.told)
    assert alarms.told == [("telling a participant (greeting)", told)]
    assert notices.awaits(store, person, NoticeKind.GREETING)

    again = notifications.deliver_now(person)
    assert again.refused.startswith(refused)
    assert not again.complete
    del conversation.failures[person]
    assert notifications.deliver_now(person).complete
    assert conversation.posted[-1] == (person, NoticeKind.GREETING)
    assert notices.pending(store) == []


def test_a_greeting_that_slack_does_not_take_now_waits_also_for_somebody_who_waits_for_it(
    store, notifications, conversation
):
    person = invite(store, "U1")
    conversation.failures[person] = SlackApiError("", Answer("internal_error"))
    assert notifications.deliver_now(person).waiting
    del conversation.failures[person]
    notifications.deliver()
    wait_until(lambda: not notices.pending(store))
    assert notifications.deliver_now(person).complete
    assert conversation.posted == [(person, NoticeKind.GREETING)]


def test_a_notice_that_was_posted_and_could_not_be_deleted_is_not_posted_again(
    store, notifications, conversation, monkeypatch
):
    person, works, failed = invite(store, "U1"), notices.done, threading.Event()

    def locked(*_):
        failed.set()
        raise OperationalError("DELETE", {}, Exception("database is locked"))

    monkeypatch.setattr(notices, "done", locked)
    notifications.deliver()
    assert failed.wait(PATIENCE)
    monkeypatch.setattr(notices, "done", works)
    wait_until(lambda: notifications.deliver() or not notices.pending(store))
    assert conversation.posted == [(person, NoticeKind.GREETING)]


def test_a_notice_that_is_written_while_another_is_posted_needs_no_other_occasion(store, notifications, conversation):
    person = invite(store, "U1")
    posting, go_on = threading.Event(), threading.Event()
    tell = conversation.tell

    def slowly(notice):
        posting.set()
        assert go_on.wait(PATIENCE)
        tell(notice)

    conversation.tell = slowly
    notifications.deliver()
    assert posting.wait(PATIENCE)
    consent(store, person)
    notifications.deliver()
    go_on.set()
    wait_until(lambda: not notices.pending(store))
    assert [kind for _, kind in conversation.posted] == [NoticeKind.GREETING, NoticeKind.BACKGROUND]


def test_while_the_disk_is_full_the_admins_are_told_once(store, notifications, conversation, alarms, monkeypatch):
    works, tries = notices.done, []

    def full(*_):
        tries.append("deleted")
        raise OperationalError("DELETE", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(notices, "done", full)
        person, other = invite(store, "U1"), invite(store, "U2")
        for _ in range(5):  # as the sweep does
            before = len(tries)
            # Who is just being failed with is left out by a delivery, so there may have to be another one.
            wait_until(lambda before=before: notifications.deliver() or len(tries) >= before + 2)
    assert [doing for doing, *_ in alarms.told] == ["telling a participant"]
    assert notices.done is works
    wait_until(lambda: notifications.deliver() or not notices.pending(store))
    assert sorted(conversation.posted) == sorted([(person, NoticeKind.GREETING), (other, NoticeKind.GREETING)])

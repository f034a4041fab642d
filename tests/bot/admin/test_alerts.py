"""Alerts are gathered in one post for each kind, and counted there until somebody acknowledges it."""

import time
from datetime import UTC, datetime

import pytest
from slack_sdk import WebClient
from sqlalchemy.exc import OperationalError

from bot.admin import alerts as gathering
from bot.admin.alert_kinds import AlertKind, error_while
from bot.sandbox.server.local_workspace import LocalWorkspace
from storage import alerts
from storage.refusals import Reason, Refused
from tests.bot.admin.office import UNHURRIED, Office

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def office(tmp_path, study_file, monkeypatch):
    monkeypatch.setattr(gathering, "SECONDS_BETWEEN_UPDATES", 0.2)
    with LocalWorkspace(rules=UNHURRIED) as workspace:
        channel = workspace.channel_id("study-reports")
        database = f"sqlite:///{tmp_path / 'study.db'}"
        office = Office(study_file(tmp_path, report_channel=channel, database=database), workspace, NOON)
        office.open()
        yield office
        office.close()
        office.workspace.stop()
        office.store.close()


def shown(office, words):
    """The posts that say these words."""
    return [each for each in office.posts if words in each.text_of_everything]


def test_a_repeated_alert_is_counted_in_its_first_post(office):
    office.admins.alert(AlertKind.WORKER_LOST, "The worker in slot 1 was lost.")
    first = office.told("The worker in slot 1 was lost.")
    office.later(minutes=7)
    for slot in (2, 3):
        office.admins.alert(AlertKind.WORKER_LOST, f"The worker in slot {slot} was lost.")
    now = office.told("The worker in slot 3 was lost.")
    assert now.ts == first.ts
    assert now.text == "⚠️ A worker was lost · 3 times: The worker in slot 3 was lost."
    assert f"First <!date^{int(NOON.timestamp())}^" in now.text_of_everything
    assert f"last <!date^{int(office.now.timestamp())}^" in now.text_of_everything
    assert now.buttons == ("Acknowledge",)
    assert len(office.quiet()) == 1


def test_other_kinds_have_posts_of_their_own(office):
    office.admins.alert(AlertKind.WORKER_LOST, "The worker in slot 1 was lost.")
    office.admins.alert(AlertKind.TRIAL_FAILED, "trial:3 of P001 failed.")
    office.admins.alert(error_while("showing trial:17"), "TypeError.")
    office.admins.alert(error_while("showing trial:18"), "ValueError.")
    for words in ("slot 1 was lost", "trial:3 of P001", "ValueError"):
        office.told(words)
    assert sorted(each.text for each in office.quiet()) == [
        "⚠️ A trial failed: trial:3 of P001 failed.",
        "⚠️ A worker was lost: The worker in slot 1 was lost.",
        "⚠️ Error while showing trial · 2 times: ValueError.",
    ]


def test_a_storm_is_few_updates_and_the_newest_wins(office, monkeypatch):
    monkeypatch.setattr(gathering, "SECONDS_BETWEEN_UPDATES", 1.0)
    begun = time.monotonic()
    for number in range(200):
        office.admins.alert(AlertKind.SLACK_LIMITS, f"Refused {number}.")
        office.admins.wake()
    office.told("Refused 199.")
    seconds = time.monotonic() - begun
    (post,) = shown(office, "Refused")
    assert "200 times" in post.text
    assert len(office.workspace.traffic("chat.update")) <= seconds / 1.0 + 1


def test_an_acknowledged_post_names_the_person_by_their_code_and_the_next_alert_is_a_new_post(office):
    office.admins.alert(AlertKind.DISK_NEARLY_FULL, "1.50 GB left.")
    first = office.told("1.50 GB left.")
    (raised,) = alerts.unacknowledged(office.store)
    office.later(minutes=5)
    office.admins.alerts.acknowledge(raised.id, "researcher-4")
    seen = office.told("Acknowledged by researcher-4 at")
    assert seen.ts == first.ts
    assert f"<!date^{int(office.now.timestamp())}^" in seen.text_of_everything
    assert seen.buttons == ()
    with pytest.raises(Refused, match="researcher-4 has acknowledged this already") as refused:
        office.admins.alerts.acknowledge(raised.id, "researcher-5")
    assert refused.value.reason is Reason.ALREADY_ACKNOWLEDGED

    office.admins.alert(AlertKind.DISK_NEARLY_FULL, "0.70 GB left.")
    second = office.told("0.70 GB left.")
    assert second.ts != first.ts
    assert "times" not in second.text
    office.quiet()
    assert "researcher-4" in office.admin.message(first.ts, office.channel).text_of_everything


def test_a_restart_repeats_no_post_and_goes_on_counting(office):
    office.admins.alert(AlertKind.WORKER_LOST, "Once.")
    first = office.told("Once.")
    office.restart()
    assert [each.ts for each in office.quiet()] == [first.ts]
    office.admins.alert(AlertKind.WORKER_LOST, "Twice.")
    assert office.told("Twice.").ts == first.ts
    assert "2 times" in office.told("Twice.").text


def test_an_alert_raised_while_slack_is_away_is_told_when_it_is_back(office):
    place = office.go_offline()
    for number in range(1, 4):
        office.admins.alert(AlertKind.WORKER_LOST, f"Time {number}.")
    deadline = time.monotonic() + 30
    while not alerts.unacknowledged(office.store) and time.monotonic() < deadline:
        time.sleep(0.01)
    office.come_back(*place)
    assert "3 times" in office.told("Time 3.").text


def test_an_alert_raised_while_slack_is_away_survives_a_restart(office):
    place = office.go_offline()
    office.admins.alert(AlertKind.WORKER_LOST, "Nobody heard it.")
    office.close()
    assert [each.latest for each in alerts.unacknowledged(office.store)] == ["Nobody heard it."]
    office.come_back(*place)
    office.open()
    office.told("Nobody heard it.")


def test_a_post_that_somebody_deleted_is_posted_anew(office):
    office.admins.alert(AlertKind.WORKER_LOST, "Once.")
    first = office.told("Once.")
    WebClient(office.workspace.bot_token, base_url=office.workspace.api_url).chat_delete(
        channel=office.channel, ts=first.ts
    )
    office.admins.alert(AlertKind.WORKER_LOST, "Twice.")
    second = office.told("Twice.")
    assert second.ts != first.ts
    assert second.buttons == ("Acknowledge",)


def test_an_alert_while_the_database_is_away_is_posted_once(office, monkeypatch):
    works = alerts.raise_alert

    def fails(*_, **__):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(alerts, "raise_alert", fails)
    for _ in range(5):
        office.admins.alert(error_while("talking to the workers"), "OperationalError, code 1A2B3C.")
    said = office.told("OperationalError, code 1A2B3C.")
    assert said.buttons == ()
    assert "The database cannot be written" in said.text_of_everything
    monkeypatch.setattr(alerts, "raise_alert", works)
    office.quiet()
    assert len(shown(office, "OperationalError")) == 1


def test_a_call_that_slack_refused_as_one_too_many_is_told(office):
    office.limiter.slow_down("chat.update", 12)
    told = office.told("Slack accepts no chat.update for 12 s.")
    assert told.text.startswith("⚠️ Slack refuses calls")


def test_nothing_is_posted_where_no_channel_is_named(office):
    office.close()
    slack = office.settings.slack.model_copy(update={"report_channel": ""})
    office.settings = office.settings.model_copy(update={"slack": slack})
    office.open()
    office.admins.alert(AlertKind.WORKER_LOST, "Unheard.")
    office.admins.wake()
    office.close()
    assert office.posts == []
    assert [each.latest for each in alerts.unacknowledged(office.store)] == ["Unheard."]

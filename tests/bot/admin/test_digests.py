"""The daily digest: one a day at most, what happened since the one before, in the study's own time of day."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.admin.alert_kinds import AlertKind
from bot.admin.report_channel import ReportChannel
from bot.runner.scheduler import last_time, next_time
from bot.sandbox.server.local_workspace import LocalWorkspace
from storage.schema.states import JobKind, TrialState
from storage.transitions import baselines, deletion, evaluations, participants, queue, studies
from tests.bot.admin.office import UNHURRIED, VALUES, Office
from training.hyperparameters import Configuration

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MORNING = datetime(2030, 3, 1, 9, tzinfo=UTC)


def local(*day, hour=18, minute=0):
    return datetime(*day, hour, minute, tzinfo=AMSTERDAM)


@pytest.fixture
def office(tmp_path, study_file, request):
    with LocalWorkspace(rules=UNHURRIED) as workspace:
        given = {
            "report_channel": workspace.channel_id("study-reports"),
            "database": f"sqlite:///{tmp_path / 'study.db'}",
            "evaluation_seeds": [1, 2],
            "interim": getattr(request, "param", "shown"),
            "digest_at": "18:00",
            "time_zone": "Europe/Amsterdam",
        }
        office = Office(study_file(tmp_path, **given), workspace, MORNING)
        studies.open_study(office.store, actor="researcher-1", now=office.later(minutes=5))
        office.open()
        yield office
        office.close()
        office.store.close()


def evening(office, moment):
    """It is the time of day, and a moment later."""
    office.now = moment + timedelta(seconds=1)
    office.bells.ring(moment)
    return digests(office)


def digests(office):
    return [each for each in office.quiet() if "digest" in each.text]


def test_a_digest_tells_the_day_and_the_figures_so_far(office):
    office.finished(0, 40.0)
    office.finished(0, 50.0)
    office.finished(24, 80.0)
    waits = office.seated(3)
    office.tried(waits)
    office.chosen(waits)
    office.seated(5)
    leaves = office.seated(7)
    office.tried(leaves)
    office.chosen(leaves)
    participants.withdraw(office.store, leaves.participant_id, delete_data=False, now=office.now)
    office.admins.alert(AlertKind.WORKER_LOST, "The worker in slot 1 was lost.")
    office.told("The worker in slot 1 was lost.")
    office.run(JobKind.EVALUATION, TrialState.FAILED)

    (digest,) = evening(office, local(2030, 3, 1))
    said = digest.text_of_everything
    assert "4 participants have finished*, 6 joined, 5 trials were submitted." in said
    for told in ("P001 (novice): test accuracy 40.0 %", "P003 (expert): test accuracy 80.0 %"):
        assert f"• {told}" in said
    assert "• P004 (medium): not evaluated yet" in said
    assert "P006" not in said
    assert "• novice: 2 finished, accuracy 45.0 ± 7.1 %" in said
    assert "• medium: 0 finished\n" in said
    assert "• expert: 1 finished, accuracy 80.0 %" in said
    assert "Participants: 5. Left the study: 1. In a session now: 1. In the queue: 0." in said
    assert "Evaluations: 9 done, 1 left, 1 failed, 2 cancelled." in said
    assert "*Not acknowledged*\n• A worker was lost, last <!date^" in said
    assert f"From <!date^{int(MORNING.timestamp())}^" in said
    assert f"to <!date^{int(local(2030, 3, 1).timestamp())}^" in said
    assert digest.buttons == ("Pause", "Retry failed evaluations")
    assert not re.search(r"[UD]\d{7}X", said)


@pytest.mark.parametrize("office", ["hidden"], indirect=True)
def test_while_results_are_hidden_a_digest_and_posts_tell_none_and_after_the_end_they_do(office):
    office.finished(0, 41.25)
    office.finished(24, 83.75)
    waits = office.seated(3)
    office.tried(waits)
    office.chosen(waits)
    (digest,) = evening(office, local(2030, 3, 1))
    said = digest.text_of_everything
    assert "• P001 (novice): evaluated" in said
    assert "• P003 (medium): not evaluated yet" in said
    assert "*Evaluated so far* (test results are hidden until the study is closed)" in said
    assert "• novice: 1 finished\n• medium: 0 finished\n• expert: 1 finished" in said
    assert "P001 has finished: the evaluations are done, 1 trial in 0.0 minutes." in [
        each.text for each in office.posts
    ]
    told = "\n".join(each.text_of_everything for each in office.posts)
    assert "2 of 2 evaluations complete" in told
    assert not re.search(r"41\.2|83\.7|test accuracy", told)

    office.evaluated(60.5, 60.5)
    studies.close_study(office.store, actor="researcher-1", now=office.later(hours=2))
    said = evening(office, local(2030, 3, 2))[-1].text_of_everything
    assert "• expert: 1 finished, accuracy 83.8 %" in said


def test_a_digest_loses_what_it_said_of_somebody_who_has_their_data_deleted(office):
    session = office.finished(0, 43.25)
    (digest,) = evening(office, local(2030, 3, 1))
    assert "P001 (novice): test accuracy 43.2 %" in digest.text_of_everything
    leaves(office, session)
    for each in deletion.pending(office.store):
        office.admins.take_back(each.ts)
    told = office.told("brought up to date", gone="43.2")
    assert told.ts == digest.ts
    assert "P001" not in told.text_of_everything
    assert "43.2" not in "\n".join(each.text_of_everything for each in office.quiet())


def test_a_digest_that_is_posted_while_somebody_has_their_data_deleted_does_not_keep_it(office, monkeypatch):
    session, say = office.finished(0, 43.25), ReportChannel.say

    def leave_meanwhile(channel, message):
        ts = say(channel, message)
        if "digest" in message.text:
            leaves(office, session)
        return ts

    monkeypatch.setattr(ReportChannel, "say", leave_meanwhile)
    office.now = local(2030, 3, 1) + timedelta(seconds=1)
    office.bells.ring(local(2030, 3, 1))
    office.told("brought up to date", gone="43.2")


def leaves(office, session):
    given = {"delete_data": True, "now": office.now, "report_channel": office.channel}
    participants.withdraw(office.store, session.participant_id, **given)


def test_a_digest_tells_how_far_the_searchers_are(office):
    configurations = [Configuration.create(VALUES)] * 3
    given = {"task": "t", "configurations": configurations, "seed": 1, "training_seed": 1, "actor": "researcher-1"}
    baselines.start_random(office.store, **given, now=office.now)
    office.run(JobKind.TRIAL, TrialState.COMPLETE, 30.0)
    office.run(JobKind.TRIAL, TrialState.COMPLETE, 40.0)
    (digest,) = evening(office, local(2030, 3, 1))
    assert "• R1: 2 of 3 configurations, running, accuracy 35.0 ± 7.1 %" in digest.text_of_everything
    assert "0 trials were submitted" in digest.text_of_everything


def test_a_clock_of_the_bot_that_is_late_by_a_second_does_not_cost_a_day(office):
    office.finished(0, 40.0)
    office.now = local(2030, 3, 1) - timedelta(seconds=1)
    office.bells.ring(local(2030, 3, 1))  # by the machine's clock
    assert digests(office) == []
    office.finished(24, 80.0)  # in this second
    office.now = local(2030, 3, 1)
    (digest,) = digests(office)
    assert "2 participants have finished" in digest.text_of_everything


def test_a_day_on_which_nothing_happened_has_no_digest(office):
    office.finished(0, 40.0)
    assert len(evening(office, local(2030, 3, 1))) == 1
    office.later(hours=12)
    assert len(evening(office, local(2030, 3, 2))) == 1
    office.now = local(2030, 3, 3, hour=11)
    office.seated()
    newest = evening(office, local(2030, 3, 3))[-1]
    assert "1 joined" in newest.text_of_everything
    assert "P001" not in newest.text_of_everything


def test_there_is_one_digest_a_day_however_often_the_bot_starts(office):
    office.finished(0, 40.0)
    (first,) = evening(office, local(2030, 3, 1))
    for _ in range(2):
        office.restart()
        office.bells.ring(local(2030, 3, 1))
        assert [each.ts for each in digests(office)] == [first.ts]


def test_the_time_while_the_bot_was_away_is_in_the_next_digest_and_nothing_is_in_two(office):
    office.finished(0, 40.0)
    evening(office, local(2030, 3, 1))
    office.now = local(2030, 3, 1, hour=20)
    office.finished(24, 70.0)
    office.close()  # for two days, over the time of the digest
    office.now = local(2030, 3, 3, hour=20)
    office.finished(3, 55.0)
    office.open()
    first, second = digests(office)
    assert "P001" in first.text_of_everything
    assert "P002" in second.text_of_everything
    assert f"From <!date^{int(local(2030, 3, 1).timestamp())}^" in second.text_of_everything
    assert f"to <!date^{int(local(2030, 3, 3).timestamp())}^" in second.text_of_everything
    for code in ("P001", "P003"):
        assert f"• {code}" not in second.text_of_everything
    third = evening(office, local(2030, 3, 4))[-1]
    assert "• P003" in third.text_of_everything


def test_a_digest_that_slack_did_not_take_is_posted_when_it_does(office):
    office.finished(0, 40.0)
    place = office.go_offline()
    office.now = local(2030, 3, 1) + timedelta(seconds=1)
    office.bells.ring(local(2030, 3, 1))
    office.come_back(*place)
    assert "P001" in office.told("the day’s digest").text_of_everything


def test_only_a_pause_is_news_too_and_what_researchers_read_is_none(office):
    (opening,) = evening(office, local(2030, 3, 1))
    assert opening.buttons == ("Pause",)
    office.now = local(2030, 3, 2, hour=12)
    studies.pause_study(office.store, actor="researcher-1", now=office.now)
    paused = evening(office, local(2030, 3, 2))[-1]
    assert "(the study is paused)" in paused.text_of_everything
    assert paused.buttons == ("Resume",)


def test_participants_in_the_queue_are_counted(office):
    session = office.seated()
    assert len(evaluations.due(office.store)) == 0
    person = office.described()
    queue.join(office.store, person.id, now=office.now)
    assert session.participant_id != person.id
    (digest,) = evening(office, local(2030, 3, 1))
    assert "In a session now: 1. In the queue: 1." in digest.text_of_everything


@pytest.mark.parametrize(
    ("now", "before", "after"),
    [
        (local(2030, 3, 1, hour=12), local(2030, 2, 28), local(2030, 3, 1)),
        (local(2030, 3, 1), local(2030, 3, 1), local(2030, 3, 2)),
        (local(2030, 3, 1, hour=23), local(2030, 3, 1), local(2030, 3, 2)),
        # Clocks are set forward on 31 March and back on 27 October.
        (local(2030, 3, 31, hour=1), local(2030, 3, 30), local(2030, 3, 31)),
        (local(2030, 10, 27, hour=1), local(2030, 10, 26), local(2030, 10, 27)),
    ],
)
def test_the_time_of_day_is_that_of_the_study_summer_and_winter(now, before, after):
    assert last_time(time(18), AMSTERDAM, now) == before
    assert next_time(time(18), AMSTERDAM, now) == after


def test_a_time_of_day_that_comes_twice_rings_once_and_one_that_is_skipped_rings_all_the_same():
    half_past_two = time(2, 30)
    rung, now = [], local(2030, 3, 29, hour=12).astimezone(UTC)
    while now < local(2030, 11, 1).astimezone(UTC):
        now = next_time(half_past_two, AMSTERDAM, now)
        rung.append(now)
    days = [each.astimezone(AMSTERDAM).date() for each in rung]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    assert all(last_time(half_past_two, AMSTERDAM, each) == each for each in rung)

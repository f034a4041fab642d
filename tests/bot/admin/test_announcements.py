"""The report channel tells every event of the study once, and names nobody."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient

from bot.admin.disk import NEARLY_FULL_BYTES, DiskWatch
from bot.admin.report_channel import ReportChannel
from bot.sandbox.server.local_workspace import LocalWorkspace
from storage import events
from storage.allocation import commitment_of
from storage.schema.states import EventKind, JobKind, TrialState
from storage.transitions import (
    baselines,
    choices,
    deletion,
    evaluations,
    jobs,
    participants,
    recovery,
    sessions,
    studies,
    trials,
)
from tests.bot.admin.office import UNHURRIED, VALUES, Office
from training.hyperparameters import Configuration

MORNING = datetime(2030, 3, 1, 9, tzinfo=UTC)
BY = "researcher-1"


@pytest.fixture
def office(tmp_path, study_file):
    with LocalWorkspace(rules=UNHURRIED) as workspace:
        channel, database = workspace.channel_id("study-reports"), f"sqlite:///{tmp_path / 'study.db'}"
        given = {"report_channel": channel, "database": database, "evaluation_seeds": [1, 2], "interim": "shown"}
        office = Office(study_file(tmp_path, **given), workspace, MORNING)
        office.open()
        yield office
        office.close()
        office.workspace.stop()
        office.store.close()


def opened(office):
    return studies.open_study(office.store, actor=BY, now=office.now)


def texts(office):
    return [each.text for each in office.quiet()]


def test_the_bot_says_that_it_is_up_and_what_the_study_waits_for(office):
    assert "has not opened yet: `/study open` opens it" in office.told("I have started").text_of_everything
    opened(office)
    office.restart()
    office.told("I have started, with 2 slots. *Black Magic* is open.")


def test_the_opening_is_told_with_the_hash_of_the_rules_and_who_did_it(office):
    opened(office)
    post = office.told("Black Magic is open")
    assert office.settings.rules_hash() in post.text_of_everything
    assert f"By {BY}, <!date^{int(MORNING.timestamp())}^" in post.text_of_everything
    assert post.buttons == ("Pause",)


def test_a_pause_and_its_end_are_told_and_only_the_newest_has_a_button(office):
    opened(office)
    opening = office.told("Black Magic is open")
    studies.pause_study(office.store, actor="researcher-2", now=office.later(hours=1))
    paused = office.told("Black Magic is paused")
    assert paused.buttons == ("Resume",)
    assert "By researcher-2" in paused.text_of_everything
    assert office.admin.message(opening.ts, office.channel).buttons == ()
    studies.resume_study(office.store, actor=BY, now=office.later(hours=1))
    resumed = office.told("Black Magic goes on")
    assert resumed.buttons == ("Pause",)
    assert office.admin.message(paused.ts, office.channel).buttons == ()
    assert office.admin.message(opening.ts, office.channel).buttons == ()
    studies.close_study(office.store, actor=BY, now=office.later(hours=1))
    closed = office.told("Black Magic is closed")
    assert "All evaluations have ended. The full report follows." in closed.text_of_everything
    assert [each.buttons for each in office.quiet()] == [(), (), (), ()]


def test_the_hash_of_the_secret_is_told_at_the_opening_and_the_secret_at_the_end_where_people_are_assigned(office):
    study = studies.current_study(office.store)
    with office.store.write() as transaction:
        transaction.merge(study).rules = '{"arms": [{"name": "control"}, {"name": "short", "minutes": 60}]}'
    opened(office)
    opening = office.told("Black Magic is open").text_of_everything
    assert commitment_of(study.assignment_secret) in opening
    assert study.assignment_secret not in opening
    studies.close_study(office.store, actor=BY, now=office.later(hours=1))
    assert study.assignment_secret in office.told("Black Magic is closed").text_of_everything


def test_nothing_is_told_of_a_secret_that_nobody_was_assigned_by(office):
    opened(office)
    assert "secret" not in office.told("Black Magic is open").text_of_everything
    studies.close_study(office.store, actor=BY, now=office.later(hours=1))
    assert "secret" not in office.told("Black Magic is closed").text_of_everything


def test_a_restart_repeats_nothing_and_leaves_nothing_out(office):
    opened(office)
    office.told("Black Magic is open")
    office.close()
    studies.pause_study(office.store, actor=BY, now=office.later(hours=1))
    studies.resume_study(office.store, actor=BY, now=office.later(hours=1))
    office.open()
    told = ["Black Magic is open.", "Black Magic is paused.", "Black Magic goes on."]
    assert texts(office) == told
    assert [each.buttons for each in office.quiet()] == [(), (), ("Pause",)]
    office.restart()
    assert texts(office) == told


def test_events_while_slack_is_away_are_told_in_their_order_when_it_is_back(office):
    opened(office)
    office.told("Black Magic is open")
    place = office.go_offline()
    studies.pause_study(office.store, actor=BY, now=office.later(hours=1))
    studies.resume_study(office.store, actor=BY, now=office.later(hours=1))
    office.come_back(*place)
    office.told("Black Magic goes on")
    assert texts(office)[-2:] == ["Black Magic is paused.", "Black Magic goes on."]


def test_an_amendment_is_told_by_name_with_its_reason_and_without_anybodys_name(office):
    opened(office)
    given = {"rules": "{}", "rules_hash": "ab" * 32}
    reason = "<@U0123456789> asked for <b>more</b> & better"
    studies.amend_study(office.store, name="Longer", reason=reason, **given, actor=BY, now=office.now)
    post = office.told("The rules of Black Magic have changed")
    assert "*Longer*: @… asked for @… &amp; better" in post.text_of_everything or "&lt;b&gt;" in post.text_of_everything
    assert "ab" * 32 in post.text_of_everything
    assert "U0123456789" not in post.text_of_everything


def test_participants_who_leave_or_get_more_time_are_named_by_their_codes(office):
    opened(office)
    leaves, goes, stays, empty = (office.seated() for _ in range(4))
    now = {"now": office.now}
    participants.withdraw(office.store, leaves.participant_id, delete_data=True, **now)
    participants.withdraw(office.store, goes.participant_id, delete_data=False, actor=BY, **now)
    sessions.extend_by_researcher(office.store, stays.id, timedelta(minutes=10), actor=BY, **now)
    sessions.cancel_session(office.store, stays.id, actor=BY, **now)
    office.now = empty.deadline
    sessions.expire(office.store, empty.id, grace=timedelta(minutes=1), now=office.now)
    choices.choose_by_clock(office.store, empty.id, seeds=[1], now=office.later(minutes=1))
    assert texts(office)[1:] == [
        "👋 P001 has left the study. The link between the code and the Slack user is deleted, and so is their data.",
        "👋 P002 was taken out of the study by researcher-1. The link between the code and the Slack user is deleted. "
        "Their data is kept under the code.",
        "researcher-1 gave P003 10 min more.",
        "researcher-1 ended the session of P003 without a final choice.",
        "The session of P004 has ended without a trial, so there is nothing to evaluate.",
    ]
    assert not [each for each in office.posts if re.search(r"[UD]\d{7}X", each.text_of_everything)]


def test_searchers_are_told_when_they_begin_and_are_stopped_and_not_as_people(office):
    opened(office)
    given = {"task": "t", "seed": 1, "actor": BY, "now": office.now}
    drawn = [Configuration.create(VALUES)] * 2
    baselines.start_random(office.store, configurations=drawn, training_seed=1, **given)
    baselines.start_tpe(office.store, wanted=31, tries=20, seconds=7200.0, **given)
    baselines.stop(office.store, actor="researcher-2", now=office.now)
    assert texts(office)[1:] == [
        "Random search R1 has started: 2 configurations, in idle slots.",
        "TPE T1 has started: 31 artificial participants with at most 20 trials each, in idle slots.",
        "researcher-2 stopped the baseline R1. Its trials are kept.",
        "researcher-2 stopped the baseline T1. Its trials are kept.",
    ]


def test_time_given_back_while_the_bot_runs_is_an_alert_each_time_and_not_told_again_after_a_restart(office):
    opened(office)
    office.seated()
    session = office.seated()
    for _ in range(2):
        trials.submit(office.store, session.id, configuration=Configuration.create(VALUES), comments={}, now=office.now)
        job = jobs.claim(office.store, now=office.now, slot=0)
        jobs.lost(office.store, job, now=office.later(seconds=90))
        trials.cancel(office.store, job.id, now=office.now)
    post = office.told("⚠️ *Time was given back* · 2 times")
    assert "P002 was given back 90 s" in post.text
    before = texts(office)
    office.restart()
    assert texts(office) == before


def start_again(office, *, crashed=False, away=90):
    """Stop the bot, or let it crash, and start it again after some time."""
    office.close()
    if not crashed:
        recovery.note_stop(office.store, now=office.now)
    else:
        recovery.heartbeat(office.store, now=office.now)
    office.later(seconds=away)
    office.open(recover=True)


def starts(office):
    """The posts that say that the bot has started."""
    seen = office.admin.messages(office.channel)
    return [each for each in seen if each.text.startswith("I have started, with") and not each.deleted]


def test_a_start_changes_the_post_about_the_last_one_and_says_how_many_there_were(office):
    opened(office)
    office.restart(recover=True)
    office.told("I have started, with 2 slots. *Black Magic* is open.")
    (post,) = starts(office)
    assert "Started again" not in post.text_of_everything
    for count in ("once", "2 times", "3 times"):
        start_again(office)
        told = office.told(f"Started again {count} since the study was opened")
        assert f"Newest start: <!date^{int(office.now.timestamp())}^" in told.text_of_everything
        assert (told.ts, len(starts(office))) == (post.ts, 1)
    studies.pause_study(office.store, actor=BY, now=office.now)
    start_again(office)
    assert "*Black Magic* is paused" in office.told("Started again 4 times").text


def test_starts_before_the_study_opens_are_counted_since_the_post(office):
    office.restart(recover=True)
    start_again(office)
    assert "Started again once since this was posted" in office.told("Started again").text_of_everything


def test_a_start_after_a_day_gets_a_post_of_its_own(office):
    opened(office)
    office.restart(recover=True)
    office.told("I have started")
    first = starts(office)
    start_again(office, away=24 * 3600 + 1)
    second = office.told("Started again once")
    assert [each.ts for each in starts(office)] == [first[0].ts, second.ts]
    start_again(office, away=23 * 3600)
    assert office.told("Started again 2 times").ts == second.ts


def test_a_start_whose_post_was_deleted_gets_a_new_one(office):
    opened(office)
    office.restart(recover=True)
    first = office.told("I have started")
    WebClient(token=office.workspace.bot_token, base_url=office.workspace.api_url).chat_delete(
        channel=office.channel, ts=first.ts
    )
    start_again(office)
    assert office.told("Started again once").ts != first.ts


def test_time_that_is_given_back_at_a_start_is_told_in_its_post_and_needs_nobody_to_act(office):
    opened(office)
    office.restart(recover=True)
    office.seated()
    office.seated()
    start_again(office, away=240)
    told = office.told("Started again once")
    assert "I was away: P001 was given back 4 min, P002 was given back 4 min." in told.text_of_everything
    assert not [each for each in office.quiet() if each.text.startswith("⚠️")]
    start_again(office, away=0)
    assert "given back" not in office.told("Started again 2 times").text_of_everything


def test_after_a_crash_the_admins_get_an_alert_that_is_counted_until_somebody_has_seen_it(office):
    opened(office)
    office.restart(recover=True)
    start_again(office)
    office.told("Started again once")
    assert not [each for each in office.quiet() if each.text.startswith("⚠️")]
    start_again(office, crashed=True, away=240)
    alert = office.told("The bot had crashed")
    assert "nobody had stopped me. I was away for 4 min" in alert.text
    assert alert.buttons == ("Acknowledge",)
    start_again(office, crashed=True)
    assert office.told("⚠️ *The bot had crashed* · 2 times").ts == alert.ts
    start_again(office)
    office.told("Started again 4 times")
    assert len([each for each in office.quiet() if each.text.startswith("⚠️")]) == 1


def test_results_are_posted_once_and_changed_when_evaluations_are_run_again(office):
    opened(office)
    session = office.seated(24)
    office.tried(session)
    office.chosen(session)
    office.evaluated(70.0)
    job = office.run(JobKind.EVALUATION, TrialState.FAILED)
    office.admins.evaluated(job.session_id)
    post = office.told("P001 has finished")
    assert "*P001* (expert): test accuracy 70.0 %" in post.text_of_everything
    assert "1 of 2 evaluations complete · 1 failed" in post.text_of_everything
    evaluations.retry_failed(office.store, now=office.now, actor=BY)
    office.evaluated(80.0)
    changed = office.told("2 of 2 evaluations complete")
    assert changed.ts == post.ts
    assert "test accuracy 75.0 ± 7.1 %" in changed.text
    before = texts(office)
    office.restart()
    assert texts(office) == before


def test_results_that_nobody_posted_before_a_stop_are_posted_at_the_start(office):
    opened(office)
    office.close()
    office.finished(0, 33.0)
    office.finished(0, 44.0)
    office.open()
    office.told("P002 has finished: test accuracy 44.0")
    assert len([each for each in office.quiet() if "has finished" in each.text]) == 2


def test_the_results_of_somebody_who_has_their_data_deleted_are_taken_away(office):
    opened(office)
    session = office.finished(0, 33.3)
    post = office.told("P001 has finished")
    office.quiet()  # the post is noted, too
    given = {"delete_data": True, "now": office.now, "report_channel": office.channel}
    participants.withdraw(office.store, session.participant_id, **given)
    (pending,) = deletion.pending(office.store)
    assert (pending.channel, pending.ts) == (office.channel, post.ts)
    office.admins.take_back(pending.ts)
    deleted = office.told("their data is deleted", gone="33.3")
    assert deleted.ts == post.ts
    office.restart()
    assert "33.3" not in "\n".join(each.text_of_everything for each in office.quiet())


def test_results_that_are_on_their_way_while_their_data_is_deleted_are_taken_away_too(office, monkeypatch):
    opened(office)
    say = ReportChannel.say

    def leave_meanwhile(channel, message):
        ts = say(channel, message)
        if "P001 has finished" in message.text:
            participants.withdraw(office.store, session.participant_id, delete_data=True, now=office.now)
        return ts

    monkeypatch.setattr(ReportChannel, "say", leave_meanwhile)
    session = office.finished(0, 33.3)
    office.told("their data is deleted", gone="33.3")
    assert "33.3" not in "\n".join(each.text_of_everything for each in office.quiet())


def test_steps_of_a_participant_before_the_end_are_in_the_log_and_not_posted(office):
    opened(office)
    office.seated()
    assert texts(office) == ["Black Magic is open."]
    kinds = {each.kind for each in events.read(office.store)}
    assert {EventKind.INVITED, EventKind.CONSENTED, EventKind.DESCRIBED, EventKind.SESSION_BEGUN} <= kinds


@pytest.mark.parametrize(
    ("free", "told"),
    [
        ([3.0, 2.1], []),
        ([1.5, 1.4, 0.8], ["1.50"]),
        ([1.5, 0.75, 0.7, 0.3], ["1.50", "0.75", "0.30"]),
        ([1.5, 5.0, 1.6], ["1.50", "1.60"]),
    ],
)
def test_a_disk_that_fills_up_is_told_with_its_threshold_and_not_again_and_again(tmp_path, free, told):
    alerts, left = [], iter(free)
    folders = {"the database": tmp_path, "the images": tmp_path / "not" / "there yet"}
    now = [0.0]
    watch = DiskWatch(folders, lambda kind, text: alerts.append(text), lambda _: int(now[0] * 1024**3))
    for now[0] in left:
        watch.check()
    assert [re.search(r"has (\d\.\d\d) GB left", each)[1] for each in alerts] == told
    assert NEARLY_FULL_BYTES == 2 * 1024**3
    assert all("The disk with the database and the images" in each and "less than 2 GB" in each for each in alerts)
    assert all(str(tmp_path) not in each for each in alerts)


def test_a_folder_that_cannot_be_looked_at_is_no_reason_to_stop(tmp_path, caplog):
    def fails(_):
        raise PermissionError("no")

    alerts = []
    DiskWatch({"the images": tmp_path}, lambda *told: alerts.append(told), fails).check()
    assert alerts == []
    assert "cannot see how full the disk of the images is" in caplog.text

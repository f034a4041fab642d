"""Buttons under the posts of the report channel: who may press them, what they do, and what the log keeps of it."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from bot.admin.alert_kinds import AlertKind
from bot.settings.settings import Settings
from storage import alerts, events
from storage.schema.states import EventKind, StudyState, TrialState
from storage.schema.tables import Evaluation, Study
from storage.transitions import evaluations, studies
from tests.storage.reading import evaluations_of

PATIENCE = 60.0


@pytest.fixture(scope="module")
def office(tmp_path_factory, open_alone):
    """A house for these tests alone: pausing its study would disturb other tests."""
    with open_alone(tmp_path_factory.mktemp("presses"), slots=1) as house:
        yield house


@pytest.fixture
def researcher(office):
    return office.workspace.person("Researcher")


def told(person, channel, words, after=""):
    """What only this person sees in the report channel."""
    return person.wait_for(
        lambda message: message.ephemeral and words in message.text, PATIENCE, channel=channel, after=after
    )


def kept(person, words, after=""):
    """What stays in the direct messages of this person."""
    return person.wait_for(lambda message: not message.ephemeral and words in message.text, PATIENCE, after=after)


def post(office, words, button=None):
    """The newest post with these words, and this button."""

    def fits(message):
        return words in message.text_of_everything and (button is None or button in message.buttons)

    return office.admin.wait_for(
        lambda message: not message.ephemeral and fits(message), PATIENCE, channel=office.reports
    )


def state(office):
    return studies.current_study(office.store).state


def raised(office, kind, text):
    """An alert that is posted."""
    office.running.admins.alert(kind, text)
    return post(office, text, "Acknowledge")


def test_an_admin_acts_by_buttons_and_is_known_as_one(office):
    opening = post(office, "Black Magic is open", "Pause")
    office.admin.press(opening, "Pause")
    paused = post(office, "Black Magic is paused", "Resume")
    assert "By admin-1" in paused.text_of_everything
    alert = raised(office, AlertKind.SLOT_UNUSABLE, "Slot 1 is not used.")
    office.admin.press(alert, "Acknowledge")
    post(office, "Acknowledged by admin-1 at <!date^")
    office.admin.press(paused, "Resume")
    post(office, "Black Magic goes on", "Pause")
    done = [each for each in events.read(office.store) if each.actor.startswith("admin")]
    assert [each.kind for each in done] == [
        EventKind.STUDY_PAUSED,
        EventKind.ALERT_ACKNOWLEDGED,
        EventKind.STUDY_RESUMED,
    ]
    assert {each.actor for each in done} == {"admin-1"}


def test_a_participant_who_presses_is_told_so_in_private_and_nothing_is_done(office):
    opening = post(office, "Black Magic goes on", "Pause")
    alert = raised(office, AlertKind.TRIAL_FAILED, "trial:1 of P001 failed.")
    reader = office.workspace.add_person("Reads the reports", "admin")
    reader.open_home()
    reader.press(reader.wait_for("I agree", PATIENCE), "I agree")
    reader.wait_for("Tell us about you", PATIENCE)
    reader.press(opening, "Pause")
    said = told(reader, office.reports, "and you have agreed to take part in it. Nothing was done.")
    reader.press(alert, "Acknowledge")
    told(reader, office.reports, "and you have agreed to take part in it. Nothing was done.", after=said.ts)
    assert state(office) is StudyState.OPEN
    assert [each.kind for each in alerts.unacknowledged(office.store)] == [AlertKind.TRIAL_FAILED]
    assert office.admin.last_ephemeral(office.reports) is None


def leave(person):
    before = person.messages()[-1].ts
    person.say("withdraw")
    person.press(person.wait_for("Leave the study", PATIENCE, after=before), "Leave the study")
    person.wait_for("You have left", PATIENCE, after=before)


def test_who_had_agreed_and_left_may_not_press_also_when_they_are_back(office):
    opening = post(office, "Black Magic goes on", "Pause")
    left = office.workspace.add_person("Has left", "admin")
    left.open_home()
    left.press(left.wait_for("I agree", PATIENCE), "I agree")
    left.wait_for("Tell us about you", PATIENCE)
    leave(left)
    count = len(events.read(office.store))
    left.press(opening, "Pause")
    said = told(left, office.reports, "you have agreed to take part in it. Nothing was done.")
    assert len(events.read(office.store)) == count
    left.say("hello")
    left.wait_for("You have taken part in this study before.", PATIENCE, after=said.ts)
    office.running.invitations.invite(left.id, let_in_by="researcher-1")
    left.wait_for("I agree", PATIENCE, after=said.ts)
    left.press(opening, "Pause")
    told(left, office.reports, "you have agreed to take part in it. Nothing was done.", after=said.ts)
    assert state(office) is StudyState.OPEN


def test_buttons_outside_the_report_channel_are_for_researchers_alone(office):
    running = post(office, "Black Magic goes on", "Pause")
    client, elsewhere = office.running.slack.client, office.admin.direct_channel
    blocks = [dict(each) for each in running.blocks]
    moved = client.chat_postMessage(channel=elsewhere, text=running.text, blocks=blocks)
    office.admin.press(office.admin.message(str(moved["ts"]), elsewhere), "Pause")
    kept(office.admin, "This is not the report channel any more. Nothing was done.")
    assert state(office) is StudyState.OPEN


def test_a_pause_asks_is_done_by_a_researcher_and_ends_by_the_button_of_its_own_post(office, researcher):
    opening = post(office, "Black Magic goes on", "Pause")
    researcher.press(opening, "Pause", confirm=False)
    assert state(office) is StudyState.OPEN
    researcher.press(opening, "Pause")
    paused = post(office, "Black Magic is paused", "Resume")
    assert "By researcher-2" in paused.text_of_everything
    assert state(office) is StudyState.PAUSED
    assert researcher.message(opening.ts, office.reports).buttons == ()
    researcher.press(paused, "Resume")
    post(office, "Black Magic goes on", "Pause")
    assert state(office) is StudyState.OPEN
    for kind in (EventKind.STUDY_PAUSED, EventKind.STUDY_RESUMED):
        assert [each.actor for each in events.read(office.store, kind=kind)] == ["admin-1", "researcher-2"]


def test_a_button_of_an_old_screen_says_how_it_is(office, researcher):
    running = post(office, "Black Magic goes on", "Pause")
    researcher.press(running, "Pause")
    paused = post(office, "Black Magic is paused", "Resume")
    client = office.running.slack.client
    blocks = [dict(each) for each in running.blocks]
    screen = client.chat_postMessage(channel=office.reports, text=running.text, blocks=blocks)
    researcher.press(office.admin.message(str(screen["ts"]), office.reports), "Pause")
    told(researcher, office.reports, "is paused already")
    client.chat_delete(channel=office.reports, ts=screen["ts"])
    researcher.press(paused, "Resume")
    post(office, "Black Magic goes on", "Pause")


def test_an_action_by_command_is_posted_with_a_button_too(office, researcher):
    before = post(office, "Black Magic goes on", "Pause")
    office.running.actions.pause("researcher-1")
    paused = post(office, "Black Magic is paused", "Resume")
    assert researcher.message(before.ts, office.reports).buttons == ()
    researcher.press(paused, "Resume")
    post(office, "Black Magic goes on", "Pause")


def test_two_presses_at_the_same_moment_pause_once(office, researcher, at_once):
    running = post(office, "Black Magic goes on", "Pause")
    before = len(events.read(office.store, kind=EventKind.STUDY_PAUSED))
    at_once(*[lambda: researcher.press(running, "Pause")] * 3)
    paused = post(office, "Black Magic is paused", "Resume")
    told(researcher, office.reports, "is paused already", after=running.ts)
    assert len(events.read(office.store, kind=EventKind.STUDY_PAUSED)) == before + 1
    researcher.press(paused, "Resume")
    post(office, "Black Magic goes on", "Pause")


def test_an_alert_is_acknowledged_once_and_says_by_whom(office, researcher, at_once):
    alert = raised(office, AlertKind.WORKER_LOST, "The worker in slot 0 was lost.")
    at_once(*[lambda: researcher.press(alert, "Acknowledge")] * 2)
    seen = post(office, "Acknowledged by researcher-2 at <!date^")
    assert seen.ts == alert.ts
    assert seen.buttons == ()
    told(researcher, office.reports, "researcher-2 has acknowledged this already", after=alert.ts)
    done = events.read(office.store, kind=EventKind.ALERT_ACKNOWLEDGED)[1:]
    assert [(each.actor, each.details["alert"]) for each in done] == [("researcher-2", "worker_lost")]

    again = raised(office, AlertKind.WORKER_LOST, "The worker in slot 0 was lost once more.")
    assert again.ts != alert.ts
    researcher.press(again, "Acknowledge")
    researcher.wait_until(lambda: not researcher.message(again.ts, office.reports).buttons, PATIENCE)


@pytest.mark.long
def test_failed_evaluations_run_again_and_the_results_follow(office, researcher):
    office.wait_for_machines()
    person = office.seated("Is evaluated twice")
    office.trained(person)
    office.finish(person)
    code = office.participant(person).code
    results = office.reported(f"{code} has finished: the evaluations are done")
    fail(office, office.session(person).choice.id)
    alert = raised(office, AlertKind.EVALUATION_FAILED, f"evaluation:1 of {code} failed in slot 0: RuntimeError.")
    assert alert.buttons == ("Retry failed evaluations", "Acknowledge")
    researcher.press(alert, "Retry failed evaluations")
    kept(researcher, "1 evaluation runs again.", after=alert.ts)
    told(researcher, office.reports, "I have answered in your direct messages with me.", after=alert.ts)
    office.admin.wait_until(lambda: not evaluations.due(office.store), PATIENCE)
    (retried,) = events.read(office.store, kind=EventKind.RETRIED)
    assert retried.actor.startswith("researcher-")
    summary = evaluations.evaluation_summary(office.store, office.session(person).choice.id)
    assert (summary.complete, summary.failed) == (1, 0)
    assert f"{summary.mean:.1f} %" not in results.text
    researcher.press(alert, "Retry failed evaluations")
    kept(researcher, "No evaluation has failed", after=alert.ts)
    posted = [each for each in office.admin.messages(office.reports) if f"{code} has finished" in each.text]
    assert [each.ts for each in posted] == [results.ts]


def test_an_admin_who_looked_at_the_bot_and_never_agreed_keeps_the_buttons(office):
    """Opening the bot is enough to be greeted, and the greeting is what everybody can decline by leaving."""
    looked, declined = (office.workspace.add_person(name, "admin") for name in ("Has looked", "Has declined"))
    for person in (looked, declined):
        person.open_home()
        person.wait_for("I agree", PATIENCE)
        assert office.running.study.person(person.id) is not None
    leave(declined)
    for person in (looked, declined):
        person.press(post(office, "Black Magic goes on", "Pause"), "Pause")
        paused = post(office, "Black Magic is paused", "Resume")
        assert state(office) is StudyState.PAUSED
        person.press(paused, "Resume")
        post(office, "Black Magic goes on", "Pause")
        assert state(office) is StudyState.OPEN


def fail(office, final_choice):
    """As if the machine had broken while it evaluated."""
    with office.store.write() as transaction:
        (evaluation,) = evaluations_of(office.store, final_choice)
        row = transaction.get(Evaluation, evaluation.id)
        row.state, row.test_accuracy, row.reason = TrialState.FAILED, None, "No."


@pytest.mark.long
def test_the_digest_comes_by_itself_and_has_a_button_that_follows_the_study(tmp_path, open_alone):
    much_later = (datetime.now(UTC) + timedelta(hours=12)).strftime("%H:%M:%S")
    with open_alone(tmp_path, digest_at=much_later, time_zone="UTC") as office:
        researcher = office.workspace.person("Researcher")
        office.described("Joins today")
        office.close()
        soon = (datetime.now(UTC) + timedelta(seconds=10)).strftime("%H:%M:%S")
        office.study.write_text(office.study.read_text(encoding="utf-8").replace(much_later, soon), encoding="utf-8")
        office.open()
        digest = post(office, "the day’s digest", "Pause")
        assert "1 joined" in digest.text_of_everything
        researcher.press(digest, "Pause")
        paused = post(office, "the day’s digest", "Resume")
        assert "the study is paused" in paused.text_of_everything
        assert "brought up to date <!date^" in paused.text_of_everything
        researcher.press(post(office, "the day’s digest", "Resume"), "Resume")
        post(office, "the day’s digest", "Pause")
        office.close()
        office.open()
        office.reported("I have started")
        digests = [each for each in office.admin.messages(office.reports) if "digest" in each.text]
        assert [each.ts for each in digests] == [digest.ts]


def words_of(message):
    """What a post says, but for when it was brought up to date and for the study's state."""
    blocks = [{key: value for key, value in each.items() if key != "block_id"} for each in message.blocks]
    said = json.dumps([each for each in blocks if each["type"] != "actions"])
    return re.sub(r" \\u00b7 brought up to date <!date[^>]*>", "", said).replace("study is paused", "study is open")


@pytest.mark.long
def test_however_often_a_digest_is_pressed_it_says_the_same(tmp_path, open_alone):
    name = "R&D <now> & then"
    with open_alone(tmp_path, name=name, slots=1) as office:
        researcher = office.workspace.person("Researcher")
        office.described("Joins today")
        with office.store.write() as transaction:  # as if it were the third day
            study = transaction.exec(select(Study)).one()
            study.prepared_at -= timedelta(days=2)
            day_before = datetime.now(UTC) - timedelta(hours=25)
            joined = {"kind": EventKind.DESCRIBED, "subject": "participant:1", "participant": "P001"}
            events.record(transaction, at=day_before, actor="P001", **joined)
        office.running.admins._digest_is_due(office.running.clocks.now())
        digest = post(office, "the day’s digest", "Pause")
        assert f"{name}: the day’s digest" in digest.text_of_everything
        before = words_of(digest)
        for button, other in (("Pause", "Resume"), ("Resume", "Pause")) * 3:
            researcher.press(post(office, "the day’s digest", button), button)
            pressed = post(office, "the day’s digest", other)
            assert pressed.ts == digest.ts
            assert words_of(pressed) == before


def test_settings_say_when_and_where(study_file, tmp_path):
    slack = Settings.load(study_file(tmp_path)).slack
    assert (f"{slack.digest_at:%H:%M}", slack.zone.key) == ("18:00", "Europe/Amsterdam")

"""The time runs out while a trial trains: one participant answers within the grace period, the other does not."""

from dataclasses import dataclass

import pytest

from bot.sandbox.seen import Message
from storage import evaluations, events, history
from storage.states import Chooser, EventKind, JobKind, SessionState, TrialState

LIMIT_MINUTES = 0.3
GRACE_MINUTES = 0.2


@dataclass
class RanOut:
    """What a participant saw when the time was up. Messages are as they were then."""

    house: object
    person: object
    root: Message
    complete: Message
    running: Message
    warnings: list[Message]
    up: Message


@pytest.fixture(scope="module")
def both(tmp_path_factory, open_alone):
    """Two participants whose time runs out side by side while their second trial trains."""
    folder = tmp_path_factory.mktemp("time-limit")
    limits = {"limit_minutes": LIMIT_MINUTES, "warnings_minutes": [0.2, 0.1], "grace_minutes": GRACE_MINUTES}
    with open_alone(folder, **limits) as house:
        wait_for_workers(house)
        people = [house.described("Answers"), house.described("Is silent")]
        for person in people:
            person.press(person.wait_for("Your task"), "Start")
        complete = [house.trained(person) for person in people]
        running = [house.training(person) for person in people]
        ups = [person.wait_for("Your time is up", 60) for person in people]
        yield [RanOut(house, *each) for each in zip(people, map(house.root, people), complete, running, map(warnings, people), ups, strict=True)]


def wait_for_workers(house):
    """Machines that have just begun to start would take the participants' time."""
    house.admin.wait_until(lambda: house.running.study.jobs.slots_ready == 2, 60)


def warnings(person):
    return [each for each in person.messages() if "minutes left" in each.text]


@pytest.fixture(scope="module")
def answered(both):
    """The first participant, after the final choice was made within the grace period."""
    ran_out = both[0]
    house, person = ran_out.house, ran_out.person
    person.press(ran_out.up, "Choose")
    form = person.wait_for_modal("Your final choice")
    assert form.field("Final configuration").options[0].startswith("1 · ")
    assert person.submit() == {}
    person.wait_for("Thank you for taking part", 30)
    return ran_out


@pytest.fixture(scope="module")
def silent(both, answered):
    """The other one, after the grace period."""
    both[1].person.wait_for("Thank you for taking part", 60)
    return both[1]


def test_participants_are_warned_before_their_time_is_up(both):
    for ran_out in both:
        texts = [each.text for each in ran_out.warnings]
        assert [text.split(" minutes")[0] for text in texts] == ["⏳ 0.2", "⏳ 0.1"]
        assert all("your time is up at <!date^" in text for text in texts)
        assert [each.buttons for each in ran_out.warnings] == [("Finish",)] * 2


def test_the_running_trial_is_stopped_and_its_losses_are_kept(both):
    for ran_out in both:
        assert "Trial 2 was stopped; its losses are kept" in ran_out.up.text
        ran_out.house.trial(ran_out.person, 2, "· cancelled")
        trial = ran_out.house.session(ran_out.person).trials[1]
        assert trial.state is TrialState.CANCELLED
        assert history.epochs_of(ran_out.house.store, JobKind.TRIAL, trial.id)
        expired = events.read(ran_out.house.store, kind=EventKind.SESSION_EXPIRED, subject=f"session:{trial.session_id}")
        assert [each.actor for each in expired] == ["clock"]


def test_during_the_grace_period_only_the_final_choice_is_left(both):
    for ran_out in both:
        ran_out.person.wait_for(lambda message: message.text.startswith("Time is up.") and message.buttons == ("Choose", "History"))
        for number in (1, 2):
            message = ran_out.house.trial(ran_out.person, number)
            ran_out.person.wait_until(lambda ts=message.ts, person=ran_out.person: person.message(ts).buttons == ("Choose", "History"), 30)


@pytest.mark.parametrize(
    ("shown", "button", "explanation"),
    [
        ("running", "Cancel", "there is nothing to cancel"),
        ("complete", "Tune from here", "Your time is up"),
        ("complete", "New configuration", "Your time is up"),
        ("root", "New configuration", "Your time is up"),
    ],
)
def test_an_old_button_is_answered_in_private_during_the_grace_period(both, repost, shown, button, explanation):
    ran_out = both[0]
    before = ran_out.house.session(ran_out.person)
    assert before.state is SessionState.CHOOSING
    ran_out.person.press(repost(ran_out.house, ran_out.person, getattr(ran_out, shown)), button)
    ran_out.house.told(ran_out.person, explanation)
    assert ran_out.house.session(ran_out.person) == before


def test_a_choice_within_the_grace_period_is_the_participants(answered):
    session = answered.house.session(answered.person)
    assert session.state is SessionState.FINISHED
    assert (session.choice.trial_number, session.choice.chosen_by) == (1, Chooser.PARTICIPANT)


def test_without_an_answer_the_clock_takes_the_best_validated_trial(silent):
    session = silent.house.session(silent.person)
    assert session.state is SessionState.FINISHED
    assert (session.choice.trial_number, session.choice.chosen_by) == (session.best.number, Chooser.CLOCK)
    assert "your best configuration was taken" in silent.person.wait_for("Thank you for taking part").text


def test_the_report_says_who_chose(answered, silent):
    for ran_out, who in ((answered, "made by the participant"), (silent, "made by the clock")):
        session = ran_out.house.session(ran_out.person)
        report = ran_out.house.reported(f"{session.participant} has finished")
        assert f"final choice: trial 1, {who}" in report.text_of_everything
        assert evaluations.all_done(ran_out.house.store, session.choice.id)


@pytest.mark.parametrize(
    ("shown", "button", "explanation"),
    [
        ("root", "New configuration", "This session is over"),
        ("root", "Finish", "final choice is recorded"),
        ("up", "Choose", "final choice is recorded"),
        ("running", "Cancel", "there is nothing to cancel"),
        ("complete", "Tune from here", "This session is over"),
    ],
)
def test_an_old_button_of_an_ended_session_is_answered_in_private(silent, repost, shown, button, explanation):
    before = silent.house.session(silent.person)
    silent.person.press(repost(silent.house, silent.person, getattr(silent, shown)), button)
    silent.house.told(silent.person, explanation)
    assert silent.house.session(silent.person) == before
    assert silent.person.modal() is None

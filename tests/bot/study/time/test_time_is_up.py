"""The time runs out while a trial trains: it is stopped, and only the final choice is left."""

import pytest

from storage import events
from storage.queries import history
from storage.schema.states import Chooser, EventKind, JobKind, SessionState, TrialState


@pytest.fixture(scope="module")
def ran_out(tmp_path_factory, open_alone, run_out):
    """A participant who has all the time that they need for the final choice."""
    folder, limits = tmp_path_factory.mktemp("choosing"), {"limit_minutes": 0.25, "warnings_minutes": [0.2, 0.05]}
    with open_alone(folder, slots=1, **limits) as house:
        yield run_out(house)


@pytest.fixture(scope="module")
def answered(ran_out):
    """The same participant, after the final choice."""
    person = ran_out.person
    person.press(ran_out.up, "Choose")
    form = person.wait_for_modal("Your final choice")
    assert form.field("Final configuration").options[0].startswith("1 · ")
    person.fill({"Final configuration": form.field("Final configuration").options[0]})
    assert person.submit() == {}
    person.wait_for("Your final choice is recorded:", 30)
    return ran_out


def test_participants_are_warned_before_their_time_is_up(ran_out):
    texts = [each.text for each in ran_out.warnings]
    assert [text.split(" minutes")[0] for text in texts] == ["⏳ You have 0.2", "⏳ You have 0.05"]
    assert all("Your session runs until <!date^" in text for text in texts)
    assert all("Finish" in each.buttons for each in ran_out.warnings)


def test_the_running_trial_is_stopped_and_its_losses_are_kept(ran_out):
    assert "Trial 2 was stopped. Its losses are kept" in ran_out.up.text
    ran_out.house.trial(ran_out.person, 2, "· cancelled")
    trial = ran_out.house.session(ran_out.person).trials[1]
    assert trial.state is TrialState.CANCELLED
    assert history.epochs_of(ran_out.house.store, JobKind.TRIAL, trial.id)
    expired = events.read(ran_out.house.store, kind=EventKind.SESSION_EXPIRED)
    assert [each.actor for each in expired] == ["clock"]


def test_during_the_grace_period_only_the_final_choice_is_left(ran_out):
    person = ran_out.person
    stopped = ran_out.house.trial(person, 2, "· cancelled")
    for message in (ran_out.root, ran_out.complete, stopped):
        person.wait_until(lambda ts=message.ts: person.message(ts).buttons == ("Choose", "History"), 30)
    person.wait_until(lambda: person.message(ran_out.running.ts).text.startswith("Trial 2 has ended"), 30)
    assert person.message(ran_out.running.ts).buttons == ()
    assert person.message(ran_out.root.ts).text.startswith("Time is up. 2 trials, best validation accuracy")


@pytest.mark.parametrize(
    ("shown", "button", "explanation"),
    [
        ("running", "Cancel", "there is nothing to cancel"),
        ("complete", "Tune from here", "Your time is up"),
        ("root", "New configuration", "Your time is up"),
    ],
)
def test_an_old_button_is_answered_in_private(ran_out, repost, shown, button, explanation):
    before = ran_out.house.session(ran_out.person)
    assert before.state is SessionState.CHOOSING
    old = repost(ran_out.house, ran_out.person, getattr(ran_out, shown))
    ran_out.person.press(old, button)
    ran_out.house.told(ran_out.person, explanation, after=old.ts)
    assert ran_out.house.session(ran_out.person) == before


def test_a_form_that_was_open_when_the_time_ran_out_says_so(ran_out, repost, monkeypatch):
    person, study = ran_out.person, ran_out.house.running.study
    with monkeypatch.context() as patched:
        patched.setattr(type(study), "may_submit", lambda *_: None)  # as if it had been opened a minute ago
        person.press(repost(ran_out.house, person, ran_out.complete), "Tune from here")
        person.wait_for_modal("New configuration")
    person.submit()
    told = person.wait_for_modal("Not submitted").text_of_everything
    assert "Your time is up, so this configuration was not submitted. You can still make it your final choice" in told
    person.close()


def test_a_choice_within_the_grace_period_is_the_participants(answered):
    session = answered.house.session(answered.person)
    assert session.state is SessionState.FINISHED
    assert (session.choice.trial_number, session.choice.chosen_by) == (1, Chooser.PARTICIPANT)
    report = answered.house.reported("P001 has finished")
    assert "final choice: trial 1, made by the participant" in report.text_of_everything

"""Two presses at once, or events that arrive twice, result in one participant, one session and one trial."""

from dataclasses import replace

import pytest

from bot.sandbox.client.person import WorkspaceError
from storage import events
from storage.refusals import Refused
from storage.schema.states import EventKind
from tests.bot.conftest import QUICK
from training.hyperparameters import Configuration


@pytest.fixture(scope="module")
def echoing(tmp_path_factory, open_alone, rules):
    """A workspace that delivers every event twice, although it was acknowledged."""
    with open_alone(tmp_path_factory.mktemp("echo"), rules(duplicate_events=True)) as house:
        yield house


def kinds(house, person):
    return [each.kind for each in events.read(house.store, participant=house.participant(person).code)]


def posts(person, words):
    return [each for each in person.messages() if words in each.text_of_everything]


def test_an_event_that_is_delivered_twice_greets_once(echoing):
    person = echoing.newcomer("Heard twice")
    person.open_home()
    person.wait_for("I agree")
    person.say("help")
    person.wait_for("I agree", after=posts(person, "I agree")[0].ts)
    assert kinds(echoing, person) == [EventKind.INVITED]


def test_two_first_messages_at_once_make_one_participant(echoing, at_once):
    person = echoing.newcomer("Writes and looks")
    at_once(lambda: person.say("hello"), person.open_home, lambda: person.say("is anybody there?"))
    person.wait_for("I agree")
    assert kinds(echoing, person) == [EventKind.INVITED]


def test_agreeing_twice_is_agreeing_once(echoing, at_once):
    person = echoing.newcomer("Agrees twice")
    person.open_home()
    greeting = person.wait_for("I agree")
    at_once(*[lambda: person.press(greeting, "I agree")] * 2)
    echoing.told(person, "agreed")
    person.wait_until(lambda: posts(person, "you can answer them only once"), 60)
    assert kinds(echoing, person).count(EventKind.CONSENTED) == 1
    assert len(posts(person, "you can answer them only once")) == 1


def test_starting_twice_starts_one_session(echoing, at_once):
    person = echoing.described("Starts twice")
    task = person.wait_for("Your task")
    at_once(*[lambda: person.press(task, "Start")] * 2)
    person.wait_for_modal("New configuration")
    echoing.told(person, "Your session has begun already")
    echoing.submit(person)
    assert kinds(echoing, person).count(EventKind.SESSION_BEGUN) == 1
    assert len([each for each in person.messages() if each.text.startswith("Your session runs until")]) == 1
    echoing.end_sessions()


def test_submitting_twice_submits_one_trial(echoing, at_once):
    person = echoing.seated("Submits twice")
    echoing.fill(person, {"Epochs": "1", "Batch size": "512", "Loss function": "L1 loss", "Optimizer": "SGD"})
    answers = at_once(person.submit, person.submit)
    refused = [each for each in answers if isinstance(each, WorkspaceError) or each]
    assert len(refused) == 1
    assert kinds(echoing, person).count(EventKind.TRIAL_SUBMITTED) == 1
    echoing.trial(person, 1)
    assert len([each for each in person.messages() if each.text.startswith("Trial 1")]) == 1
    echoing.end_sessions()


def test_a_form_that_is_sent_again_after_its_trial_has_ended_is_no_second_trial(open_house, rules):
    """No answer came in time, so the person sends it once more: Slack keeps the form open, as it was."""
    house = open_house(rules(), slots=1)
    person = house.seated("Gets no answer")
    house.fill(person, QUICK)
    inside = house.workspace._parts.workspace
    usual, inside.rules = inside.rules, replace(inside.rules, ack_seconds=0.0)
    with pytest.raises(WorkspaceError, match="trouble connecting"):
        person.submit()
    inside.rules = usual
    house.trial(person, 1, "validation accuracy")
    assert person.submit() == {}
    assert person.modal() is None
    assert kinds(house, person).count(EventKind.TRIAL_SUBMITTED) == 1


def test_submitting_on_two_screens_at_once_submits_one_trial(echoing, at_once):
    person = echoing.seated("Has two screens")
    echoing.fill(person, {"Epochs": "900", "Batch size": "64", "Loss function": "L1 loss", "Optimizer": "SGD"})
    values = Configuration.create({"epochs": 800, "batch_size": 64, "loss": "l1", "optimizer": "sgd"})
    study, session = echoing.running.study, echoing.session(person).id
    taken, other = at_once(person.submit, lambda: study.submit(person.id, session, values, {}))
    assert bool(taken) != isinstance(other, Refused)
    assert kinds(echoing, person).count(EventKind.TRIAL_SUBMITTED) == 1
    echoing.end_sessions()


def test_cancelling_twice_cancels_once(echoing, at_once):
    person = echoing.seated("Cancels twice")
    running = echoing.training(person)
    at_once(*[lambda: person.press(running, "Cancel")] * 2)
    echoing.trial(person, 1, "· cancelled")
    person.wait_for(lambda message: "stopped already" in message.text or "nothing to cancel" in message.text)
    assert kinds(echoing, person).count(EventKind.CANCEL_REQUESTED) == 1
    echoing.end_sessions()


def test_nothing_of_it_is_an_error_to_the_admins(echoing):
    assert [each.text for each in echoing.admin.messages(echoing.reports) if "Error" in each.text] == []

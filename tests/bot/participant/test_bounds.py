"""What bounds a configuration: the rules of the study, and the memory of the machine that trains."""

from datetime import UTC, datetime

import pytest

from bot.settings.settings import Settings
from storage import events
from storage.schema.states import EventKind, TrialState
from storage.transitions import studies
from tests.bot.scripted_workers import ENVIRONMENT, ScriptedWorkers
from training.networks.architectures import least_bytes_per_image
from training.tasks import DIGITS_SQUEEZENET
from training.trial import Ending
from training.workers import Ready, WorkerEvent
from training.workers.protocol import OUR_FAULT, OUT_OF_MEMORY

PATIENCE = 60.0
PLAIN = {"Epochs": "2", "Batch size": "64", "Loss function": "Cross entropy", "Optimizer": "SGD", "Learning rate": "1"}


def complaints(person):
    """Submit the form, and get what it says at its fields."""
    person.submit()
    form = person.modal()
    return {each.label: each.error for each in form.fields if each.error} if form else {}


def test_the_most_steps_of_the_study_are_said_at_the_epochs(open_house):
    house = open_house(start=False, slots=1, most_steps=100)
    house.open(ScriptedWorkers())
    person = house.seated("Trains for long")
    house.fill(person, {**PLAIN, "Epochs": "5"})  # 23 batches each
    said = complaints(person)
    assert said.keys() == {"Epochs"}
    assert "take more than 100 steps of training" in said["Epochs"]
    assert house.session(person).trials == ()
    person.fill({"Epochs": "4"})
    assert complaints(person) == {}
    assert house.session(person).trials[0].configuration.epochs == 4


BEYOND = {"Learning rate": "2000", "Momentum": "10", "Weight decay": "101"}


def test_what_the_optimizer_takes_may_be_entered(open_house):
    house = open_house(start=False, slots=1)
    house.open(ScriptedWorkers())
    person = house.seated("Tries a lot")
    house.fill(person, {**PLAIN, **BEYOND, "Epochs": "1200"})
    assert "Accepted: 0 or more." in person.modal().text_of_everything
    assert complaints(person) == {}
    values = house.session(person).trials[0].configuration
    assert (values.learning_rate, values.momentum, values.weight_decay, values.epochs) == (2000, 10, 101, 1200)


@pytest.mark.parametrize("earlier", [False, True], ids=["narrow bounds", "a study of an earlier version"])
def test_narrow_bounds_are_as_ever(open_house, earlier):
    house = open_house(start=False, slots=1, bounds="narrow")
    settings = Settings.load(house.study)
    if earlier:  # its rules and its study file say nothing of bounds
        store = house.store
        given = {"name": settings.study.name, "rules": settings.rules(), "rules_hash": settings.rules_hash()}
        studies.prepare_study(store, **given, now=datetime.now(UTC))
        studies.open_study(store, actor="researcher-1", now=datetime.now(UTC))
        text = house.study.read_text(encoding="utf-8")
        house.study.write_text(text.replace('bounds = "narrow"', ""), encoding="utf-8")
    house.open(ScriptedWorkers())
    person = house.seated("Tries a lot")
    house.fill(person, {**PLAIN, **BEYOND, "Epochs": "1200"})
    assert "Accepted: from 0 to 1." in person.modal().text_of_everything
    assert complaints(person) == {
        "Epochs": "Epochs must be from 1 to 1000: “1200” is not.",
        "Learning rate": "Learning rate must be above 0 and up to 100: “2000” is not.",
        "Momentum": "Momentum must be from 0 to 1: “10” is not.",
        "Weight decay": "Weight decay must be from 0 to 100: “101” is not.",
    }
    told = person.say("lr 2000")
    assert "Learning rate must be above 0 and up to 100" in person.wait_for("2000", after=told).text
    person.close()
    person.press(person.wait_for("Your task"), "What do the settings do?")
    assert "Accepted: from 1 to 1000" in person.wait_for_modal("The 15 settings").text_of_everything


def test_the_form_warns_once_of_more_epochs_than_there_is_time_for(open_house):
    workers = ScriptedWorkers()
    house = open_house(start=False, slots=1)
    house.open(workers)
    workers.ready()
    person = house.seated("Has much patience")
    house.fill(person, PLAIN)
    assert complaints(person) == {}
    person.wait_until(lambda: house.session(person).trials[0].state is TrialState.RUNNING, PATIENCE)
    workers.epoch(1)
    workers.epoch(2)
    workers.end(Ending.COMPLETE, 50.0, seconds=120.0)
    house.trial(person, 1, "validation accuracy 50")

    def sent(**values):
        person.fill(values)
        person.submit()
        return person.modal()

    person.press(house.root(person), "New configuration")
    person.wait_for_modal("New configuration")
    form = sent(Epochs="500")
    assert "500 epochs would take about 8 h 20 min, at the speed of your last trial" in form.text_of_everything
    assert "is stopped, and gets no accuracy. To train it all the same" in form.text_of_everything
    assert form.field("Epochs").value == "500"
    assert len(house.session(person).trials) == 1
    form = sent(Epochs="400")
    assert "400 epochs would take about 6 h 40 min" in form.text_of_everything
    assert sent() is None
    assert house.session(person).trials[1].configuration.epochs == 400


class WorkersOfTheStudy(ScriptedWorkers):
    """Workers that are made as the bot makes its own, and that have all the memory that they may take."""

    are_supervised = True

    def __init__(self, _tasks, slots, _threads, *, devices, memory):
        super().__init__(slots)
        self.memory = memory

    def start(self):
        self.events.put(WorkerEvent(0, None, Ready(ENVIRONMENT, self.memory)))


def test_a_batch_for_which_workers_have_no_memory_is_said_at_its_field(open_house, monkeypatch):
    least = least_bytes_per_image(DIGITS_SQUEEZENET.network, DIGITS_SQUEEZENET.facts.image_size)
    house = open_house(start=False, slots=1, worker_memory=100.5 * least / 2**30)
    monkeypatch.setattr("bot.app.LocalWorkers", WorkersOfTheStudy)
    monkeypatch.setattr(house, "_borrowed", lambda _: None)
    house.open()
    house.wait_for_machines()
    person = house.seated("Has large batches")
    house.fill(person, {**PLAIN, "Batch size": "101"})
    said = complaints(person)
    assert said == {
        "Batch size": "A batch of 101 needs more memory than the machine that trains has: enter a smaller number."
    }
    person.fill({"Batch size": "100"})
    assert complaints(person) == {}
    assert house.session(person).trials[0].configuration.batch_size == 100


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "said", "given_back"), [("configuration", OUT_OF_MEMORY, 0), ("ours", OUR_FAULT, 1)], ids=["memory", "us"]
)
def test_a_trial_that_took_all_memory_is_said_to_have_and_only_our_own_faults_give_time_back(
    open_house, fault, said, given_back
):
    workers = ScriptedWorkers()
    house = open_house(start=False, slots=1)
    house.open(workers)
    workers.ready()
    person = house.seated("Takes all memory")
    deadline = house.session(person).deadline
    house.submit(person)
    person.wait_until(lambda: house.session(person).trials[0].state is TrialState.RUNNING, PATIENCE)
    workers.epoch(1)
    workers.killed(said, fault)

    assert said in house.trial(person, 1, "failed").text
    (failed,) = house.session(person).trials
    assert (failed.state, failed.reason) == (TrialState.FAILED, said)
    assert len(events.read(house.store, kind=EventKind.TIME_GIVEN_BACK)) == given_back
    assert (house.session(person).deadline > deadline) == bool(given_back)

    house.submit(person)
    workers.ready()
    person.wait_until(lambda: house.session(person).trials[1].state is TrialState.RUNNING, PATIENCE)
    workers.epoch(1)
    workers.end(Ending.COMPLETE, 50.0)
    house.trial(person, 2, "validation accuracy 50")

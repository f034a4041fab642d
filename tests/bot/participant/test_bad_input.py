"""A mistake in the form is reported at its field, and nothing that the person typed is lost."""

import pytest

from tests.bot.conftest import PATIENCE
from training.trial import TrialRequest

PLAIN = {"Epochs": "3", "Batch size": "64", "Loss function": "L1 loss", "Optimizer": "SGD", "Momentum": ".5"}


@pytest.fixture
def tuner(house):
    return house.seated("Types anything")


@pytest.mark.parametrize(
    ("field", "typed", "complaint"),
    [
        ("Epochs", "ten", "Please enter a number"),
        ("Epochs", "0", "Epochs must be 1 or more"),
        ("Epochs", "2.5", "whole number"),
        ("Batch size", "2000", "larger than the training set, which has about 1,400 images"),
        ("Batch size", "1,000", "could mean 1.0 or 1000"),
        ("Learning rate", "NaN", "Please enter a number"),
        ("Learning rate", "1e999", "larger than any number"),
        ("Weight decay", "🙂🙂", "Please enter a number"),
        ("Learning rate", "9" * 3000, "larger than any number"),
        ("Learning rate", "lots " * 600, "Please enter a number"),
    ],
)
def test_a_value_that_cannot_be_used_is_said_at_its_field(house, tuner, field, typed, complaint):
    house.fill(tuner, PLAIN)
    house.give_reason(tuner, "Epochs", "Other", "I have little time")
    before = {each.label: each.value for each in tuner.fill({field: typed}).fields}

    errors = tuner.submit()

    form = tuner.modal()
    assert [form.field(field).block_id] == list(errors)
    assert complaint in form.field(field).error
    assert len(form.field(field).error) < 200
    assert {each.label: each.value for each in form.fields} == before
    assert house.session(tuner).trials == ()


def test_every_mistake_is_said_at_once(house, tuner):
    house.fill(tuner, {**PLAIN, "Epochs": "many", "Momentum": "-2"})
    house.give_reason(tuner, "Batch size", "Other")
    tuner.wait_until(lambda: "Batch size: your reason" in [each.label for each in tuner.modal().fields])
    tuner.submit()
    wrong = {each.label: each.error for each in tuner.modal().fields if each.error}
    assert wrong.keys() == {"Epochs", "Momentum", "Batch size: your reason"}
    assert "say why" in wrong["Batch size: your reason"]


def test_a_corrected_form_is_taken(house, tuner):
    house.fill(tuner, {**PLAIN, "Epochs": "one", "Batch size": "512"})
    assert tuner.submit() != {}
    tuner.fill({"Epochs": "1"})
    assert tuner.submit() == {}
    assert house.session(tuner).trials[0].configuration.momentum == 0.5


def test_values_that_go_with_an_optimizer_come_back_with_it(house, tuner):
    house.fill(tuner, {**PLAIN, "Momentum": "0.77"})
    house.give_reason(tuner, "Momentum", "Other", "my lucky number")
    house.fill(tuner, {"Optimizer": "Adam", "Beta1": "0.5"})
    house.fill(tuner, {"Optimizer": "RMSprop"})
    assert tuner.modal().field("Momentum").value == "0.77"
    assert tuner.modal().field("Momentum: your reason").value == "my lucky number"
    house.fill(tuner, {"Optimizer": "Adam"})
    assert tuner.modal().field("Beta1").value == "0.5"


def test_a_form_sent_before_it_was_redrawn_comes_back_with_the_fields_it_lacked(house, tuner):
    view = tuner.fill({"Epochs": "7", "Batch size": "512"})
    unseen = {view.field("Loss function"): ("mse", "Mean squared error"), view.field("Optimizer"): ("sgd", "SGD")}
    send_unseen(tuner, view, unseen)

    form = house.wait_for_fields(tuner, "SGD")
    assert "Your optimizer has other settings" in form.text_of_everything
    assert [form.field(label).value for label in ("Epochs", "Optimizer", "Momentum")] == ["7", "SGD", "0"]
    assert house.session(tuner).trials == ()
    tuner.fill({"Epochs": "1", "Momentum": "0.25"})
    assert tuner.submit() == {}
    assert house.session(tuner).trials[0].configuration.momentum == 0.25


def send_unseen(person, view, chosen):
    """Choose and submit so quickly that the app hears of both at once."""
    values = {
        field.block_id: {
            field.action_id: {
                "type": field.type,
                "selected_option": {"value": value, "text": {"type": "plain_text", "text": text}},
            }
        }
        for field, (value, text) in chosen.items()
    }
    person._call("POST", f"/ui/{person.id}/views/{view.id}/submit", {"values": values}, refuse=False)


def test_a_second_submission_while_a_trial_trains_is_refused_with_the_reason(house, tuner):
    house.training(tuner)
    check_that_a_second_one_is_refused(house, tuner, "Trial 1 is training, and you can have one trial at a time")


class Asleep:
    """Machines that never wake up: whatever is submitted waits."""

    slots = 2

    def start(self) -> None: ...

    def submit(self, slot: int, job: str, request: TrialRequest) -> None: ...

    def stop(self, job: str) -> None: ...

    def next_event(self, timeout: float) -> None: ...

    def close(self) -> None: ...


def test_a_second_submission_while_a_trial_waits_is_refused_with_the_reason(open_house):
    house = open_house(start=False)
    house.open(Asleep())
    person = house.seated("Is impatient")
    assert "starts as soon as a slot is free" in house.submit(person).text
    check_that_a_second_one_is_refused(house, person, "Trial 1 is waiting, and you can have one trial at a time")


def check_that_a_second_one_is_refused(house, person, why):
    person.say("tune")
    person.press(person.wait_for("Prepare the next one", PATIENCE), "Prepare the next one")
    person.wait_for_modal("New configuration", PATIENCE)
    house.wait_for_fields(person, "SGD")
    form = person.fill({"Epochs": "5", "Learning rate": "0.5"})
    assert why in " ".join(person.submit().values())
    assert why in person.modal().field("Epochs").error
    assert [each.value for each in person.modal().fields] == [each.value for each in form.fields]
    assert len(house.session(person).trials) == 1

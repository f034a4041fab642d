"""The session ends with the participant's final choice: a trial, or values that were never tried."""

from storage.schema.states import Chooser, SessionState, TrialState
from storage.transitions import evaluations


def choose_other_values(person):
    person.fill({"Final configuration": "Other values, which I enter now"})
    assert person.submit() == {}
    return person.wait_for_modal("Final configuration")


def test_new_values_can_be_the_final_choice(house):
    person = house.seated("Knows better")
    house.trained(person)
    person.press(house.root(person), "Finish")
    person.wait_for_modal("Your final choice")
    form = choose_other_values(person)
    assert form.field("Epochs").value == "1"  # what was entered last
    assert "not tried again" in form.text_of_everything
    house.fill(person, {"Optimizer": "Adam", "Batch size": "500", "Beta1": "0.7"})
    assert person.submit() == {}
    assert "Adam" in person.wait_for("Your final choice is recorded:").text
    assert person.modal() is None

    session = house.session(person)
    assert session.state is SessionState.FINISHED
    assert (session.choice.trial_number, session.choice.chosen_by) == (None, Chooser.PARTICIPANT)
    assert (session.choice.configuration.beta1, session.choice.configuration.batch_size) == (0.7, 500)
    report = house.reported(f"{session.participant} has finished")
    assert "final choice: new values, made by the participant" in report.text_of_everything
    assert evaluations.evaluation_summary(house.store, session.choice.id).complete == 1


def test_no_trial_is_preselected(house):
    person = house.seated("Must choose")
    house.trained(person)
    person.press(house.root(person), "Finish")
    form = person.wait_for_modal("Your final choice")
    assert not form.field("Final configuration").value
    assert person.submit() != {}
    assert house.session(person).state is SessionState.ACTIVE
    person.close()


def test_mistakes_in_the_final_values_are_said_at_their_fields(house):
    person = house.seated("Has tried nothing")
    person.close()
    person.press(house.root(person), "Finish")
    assert person.wait_for_modal("Your final choice").field("Final configuration").options == (
        "Other values, which I enter now",
    )
    choose_other_values(person)
    house.fill(person, {"Optimizer": "SGD", "Loss function": "L1 loss", "Epochs": "0", "Batch size": "1500"})
    person.submit()
    wrong = {each.label for each in person.modal().fields if each.error}
    assert wrong == {"Epochs", "Batch size"}
    assert house.session(person).state is SessionState.ACTIVE


def test_finishing_while_a_trial_trains_stops_it(house):
    person = house.seated("Has seen enough")
    house.trained(person)
    house.training(person)
    person.press(house.root(person), "Finish")
    assert "trial 2 is cancelled" in house.choose_best(person).text_of_everything
    person.submit()
    cancelled = house.trial(person, 2, "· cancelled")
    person.wait_until(lambda: person.message(cancelled.ts).buttons == (), 30)
    assert house.session(person).trials[1].state is TrialState.CANCELLED
    assert house.session(person).choice.trial_number == 1


def test_a_choice_that_comes_second_is_told_of_the_first(house):
    person = house.seated("Chooses twice")
    house.trained(person)
    person.press(house.root(person), "Finish")
    house.choose_best(person)
    house.end_sessions()  # on another screen
    chosen = house.session(person).choice
    assert person.submit() == {}
    assert "The session is over already" in person.wait_for_modal("Your final choice").text_of_everything
    assert house.session(person).choice == chosen


def test_an_unexpected_word_leads_to_what_comes_next(house):
    person = house.seated("Chats")
    person.close()
    house.root(person)
    answer = person.wait_for("Your session runs until", after=person.say("so, what now?"))
    assert answer.buttons == ("New configuration", "History", "Finish", "What do the settings do?")
    house.training(person)
    person.say("please cancel")
    house.trial(person, 1, "· cancelled")

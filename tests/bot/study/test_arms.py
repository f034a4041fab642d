"""Two arms in one study: each participant is treated as their arm says, and never reads its name."""

import pytest

from bot.sandbox.client.person import Person
from bot.sandbox.client.screen import View
from storage.allocation import disagreements
from storage.schema.states import Suggestion
from storage.schema.tables import Trial
from storage.transitions import studies
from storage.transitions.assignment import assignments
from tests.bot.conftest import BACKGROUND, PATIENCE, QUICK, House
from tests.bot.researcher.asking import look

ARMS = """
[[arms]]
name = "usual-arm"

[[arms]]
name = "treated-arm"
presets = false
epoch_accuracies = true
suggestions = true
minutes = 45
"""


@pytest.fixture
def house(open_house) -> House:
    house = open_house(start=False)
    text = house.study.read_text(encoding="utf-8")
    house.study.write_text(text.replace("\n[slack]", f"{ARMS}\n[slack]"), encoding="utf-8")
    house.open()
    return house


def one_of_each(house: House, watch) -> dict[str, tuple[Person, object]]:
    """A participant in each arm, and somebody who reads along with them. A block has each arm three times at most."""
    found: dict[str, tuple[Person, object]] = {}
    for number in range(8):
        person = house.agree(f"Person {number}")
        witness = watch(person)
        person.press(person.wait_for("Tell us about you", PATIENCE), "Tell us about you")
        person.wait_for_modal("About you", PATIENCE)
        person.fill(BACKGROUND)
        assert person.submit() == {}
        person.wait_for("Your task", PATIENCE)
        found.setdefault(house.participant(person).arm, (person, witness))
        if len(found) == 2:
            return found
    raise AssertionError("eight people are in one arm")


@pytest.mark.long
def test_each_is_treated_as_their_arm_says_and_reads_no_name(house, watch):
    people = one_of_each(house, watch)
    usual, treated = people["usual-arm"][0], people["treated-arm"][0]

    # The time limit, in every text that tells it.
    for person, minutes in ((usual, 120), (treated, 45)):
        assert f"You have {minutes} minutes" in person.wait_for("Your task", PATIENCE).text_of_everything
        person.say("time")
        person.wait_for(f"{minutes} minutes", PATIENCE)
        person.press(person.wait_for("Your task", PATIENCE), "Start")
        person.wait_for_modal("New configuration", PATIENCE)
        view = house.session(person)
        assert (view.deadline - view.started_at).total_seconds() == 60 * minutes

    # The form of one has presets; that of the other has none, and suggests values.
    form = usual.modal()
    assert "Preset" in form.text_of_everything
    assert "Suggested values" not in form.text_of_everything
    form = treated.modal()
    assert "reset" not in form.text_of_everything
    assert "Suggested values" in form.text_of_everything
    treated.close(everything=True)
    house.trained(treated, {**QUICK, "Weight decay": "0", "Momentum": "0.5", "Epochs": "2"})
    house.trained(usual, Epochs="2")
    assert "Validation accuracy after each epoch: " in house.trial(treated, 1, "validation accuracy").text_of_everything
    assert "after each epoch" not in house.trial(usual, 1, "validation accuracy").text_of_everything

    # What stays at its preset is not told by leaving it out, where the presets are not shown.
    used = [each.label.lower() for each, _ in house.session(treated).trials[0].configuration.further(whole=True)]
    treated.say("history")
    table = treated.wait_for("Your trials: ", PATIENCE)
    for shown in (house.trial(treated, 1), table):
        assert all(f"{label} " in shown.text_of_everything.lower() for label in used)
    assert "weight decay" not in house.trial(usual, 1).text_of_everything

    # A suggestion is taken over.
    form = house.form(treated)
    treated.press(form, "Take over")

    def taken_over() -> View | None:
        form = treated.modal()
        return form if form is not None and "The fields show them now" in form.text_of_everything else None

    shown = treated.wait_until(taken_over, PATIENCE)
    assert shown.field("Epochs").value
    house.fill(treated, {"Epochs": "1"})
    assert treated.submit() == {}
    house.trial(treated, 2)
    with house.store.read() as transaction:
        first, second = (transaction.get(Trial, each.id) for each in house.session(treated).trials)
        assert (first.suggestion, second.suggestion) == (Suggestion.SHOWN, Suggestion.TAKEN)
        assert transaction.get(Trial, house.session(usual).trials[0].id).suggestion is None

    # Researchers read the arm. Participants read no name of one.
    researcher = house.workspace.person("Researcher")
    code = house.participant(treated).code
    assert "arm `treated-arm`" in look(researcher, f"participant {code}", f"Participant {code}").text_of_everything
    for _, witness in people.values():
        assert not [text for text in witness.close() if "treated" in text or "usual-arm" in text]
    study = studies.current_study(house.store)
    assert disagreements(assignments(house.store, study.id), study.assignment_secret) == []

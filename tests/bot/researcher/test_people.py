"""What researchers see of participants, and do for or to one of them."""

from datetime import timedelta

import pytest

from storage import events
from storage.queries import history
from storage.schema.states import EventKind, ParticipantState, SessionEnd, SessionState, TrialState
from storage.transitions import participants
from tests.bot.researcher.asking import PATIENCE, answer, ask, look, text_of
from tests.storage.reading import unfinished_sessions


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


def code_of(house, person):
    return house.participant(person).code


def line_about(researcher, code):
    """The block about a participant in the list, on whatever page it is."""
    page = look(researcher, "participants", "Participants")
    while True:
        found = [block for block in page.blocks if f"*{code}*" in block.get("text", {}).get("text", "")]
        if found:
            return found[0]
        before = page
        researcher.press(page, "Next")
        page = researcher.wait_until(
            lambda before=before: (view := researcher.modal()) and view.blocks != before.blocks and view, PATIENCE
        )


def test_participants_are_listed_by_code_and_one_of_them_is_shown_with_accuracies(house, researcher):
    house.wait_for_machines()
    person = house.seated("Is looked at")
    house.form(person)
    house.give_reason(person, "Epochs", "Other", "a hunch & more")
    house.trained(person)
    house.finish(person)
    house.reported(f"*{code_of(house, person)}*")
    code, view = code_of(house, person), house.session(person)
    best = f"{view.best.validation_accuracy:.1f} %"

    line = line_about(researcher, code)
    assert f"*{code}* · medium · finished · 1 trial, best {best} · 1 of 1 evaluations" in line["text"]["text"]
    assert "test" not in line["text"]["text"]
    researcher.close()
    shown = look(researcher, f"participant {code.lower()}", f"Participant {code}")
    told = shown.text_of_everything
    assert "medium, 3.5 months of deep learning" in told
    assert "doctorate" in told
    assert "programming years: 10" in told
    assert f"Trial 1 · validation accuracy {best}" in told
    assert "“a hunch &amp; more”: epochs" in told
    assert "*Final choice:* trial 1, made by the participant" in told
    assert "1 of 1 evaluations have ended. Test results are hidden until the study is closed." in told
    assert "test accuracy" not in told
    assert person.id not in told
    assert person.name not in told


def test_loss_plots_come_as_a_direct_message_with_alt_texts(house, researcher):
    house.wait_for_machines()
    person = house.seated("Is drawn")
    house.trained(person)
    house.trained(person, epochs="2")
    code = code_of(house, person)
    shown = look(researcher, f"participant {code}", f"Participant {code}")
    researcher.press(shown, "Send me these loss plots")
    sent = researcher.wait_for(f"Loss plots of {code}", PATIENCE)
    assert "Trial 2 · validation accuracy" in sent.text
    assert [file["name"] for file in sent.files] == [f"{code}-trial-1.png", f"{code}-trial-2.png"]
    assert not sent.ephemeral
    researcher.wait_until(
        lambda: (view := researcher.modal()) and "2 loss plots are in your direct messages" in view.text_of_everything,
        PATIENCE,
    )


@pytest.mark.long
def test_the_trials_of_a_participant_are_turned_in_pages(house, researcher):
    house.wait_for_machines()
    person = house.seated("Tries a lot")
    for _ in range(6):
        house.trained(person)
    code = code_of(house, person)
    shown = look(researcher, f"participant {code}", f"Participant {code}")
    assert "Page 1 of 2" in shown.text_of_everything
    assert "Trial 5 ·" in shown.text_of_everything
    assert "Trial 6 ·" not in shown.text_of_everything
    researcher.press(shown, "Next")
    second = researcher.wait_until(
        lambda: (view := researcher.modal()) and "Page 2 of 2" in view.text_of_everything and view, PATIENCE
    )
    assert "Trial 6 ·" in second.text_of_everything
    assert second.buttons == ("Send me these loss plots", "All participants", "Previous")
    researcher.press(second, "All participants")
    researcher.wait_for_modal("Participants", PATIENCE)


def test_more_time_is_given_and_the_participant_is_told(house, researcher):
    house.wait_for_machines()
    person = house.seated("Needs longer")
    before = house.session(person)
    told = text_of(ask(researcher, f"extend {before.participant} 1h30m"))
    assert f"✅ {before.participant} has 1 h 30 min more to tune, until <!date^" in told
    after = house.session(person)
    assert after.deadline == before.deadline + timedelta(minutes=90)
    person.wait_for("The researchers have extended your session until", PATIENCE)
    extended = events.read(house.store, kind=EventKind.TIME_EXTENDED)[-1]
    assert (extended.actor, extended.participant) == ("researcher-1", before.participant)


def test_a_session_is_ended_by_a_researcher_and_the_participant_is_told_kindly(house, researcher, at_once):
    house.wait_for_machines()
    person = house.seated("Is stopped")
    house.trained(person)
    running = house.training(person)
    code = code_of(house, person)
    question = ask(researcher, f"cancel {code}")
    assert f"End the session of {code}?" in text_of(question)
    assert "2 trials so far, the best" in text_of(question)
    assert "Trial 2 is in progress. It is stopped." in text_of(question)
    at_once(*[lambda: researcher.press(question, "Yes, end it")] * 3)
    done = f"✅ The session of {code} has ended. I tell them."
    researcher.wait_until(lambda: done in text_of(researcher.message(question.ts)), PATIENCE)
    person.wait_for("The researchers have ended your session.", PATIENCE)
    house.trial(person, 2, "cancelled")
    person.wait_until(lambda: not person.message(running.ts).buttons, PATIENCE)
    person.wait_until(lambda: house.session(person).trials[1].state is TrialState.CANCELLED, PATIENCE)
    view = house.session(person)
    assert (view.state, view.ended_as, view.choice) == (SessionState.FINISHED, SessionEnd.CANCELLED, None)
    assert done in text_of(researcher.message(question.ts))
    assert "is not in a session now" in text_of(ask(researcher, f"cancel {code}"))
    assert "is not in a session now" in text_of(ask(researcher, f"extend {code} 10m"))
    ended = events.read(house.store, kind=EventKind.SESSION_CANCELLED)[-1]
    assert (ended.actor, ended.participant) == ("researcher-1", code)


def test_a_participant_is_taken_out_and_what_they_did_is_kept(house, researcher):
    house.wait_for_machines()
    person = house.seated("Is taken out")
    house.trained(person)
    participant = house.participant(person)
    question = ask(researcher, f"withdraw {participant.code}")
    assert "what they did is kept under the code" in text_of(question)
    answer(researcher, question, "Yes, take them out", f"{participant.code} is out of the study")
    person.wait_for("The researchers have ended your part in the study", PATIENCE)
    assert participants.by_slack_user(house.store, person.id) is None
    assert participants.get(house.store, participant.id).state is ParticipantState.WITHDRAWN
    assert len(history.session_of_participant(house.store, participant.id).trials) == 1
    assert "has left the study already" in text_of(ask(researcher, f"withdraw {participant.code}"))
    assert f"{person.id}> has left" not in text_of(ask(researcher, "status"))
    told = text_of(ask(researcher, f"invite @{person.name}"))
    assert f"Left the study, so I did not write to them: <@{person.id}>" in told


@pytest.mark.long
def test_a_participants_data_is_deleted_where_they_agreed_to_that(open_house):
    house = open_house(withdrawn_data="delete")
    researcher = house.workspace.person("Researcher")
    house.wait_for_machines()
    person = house.seated("Is deleted")
    agreed_to = next(each for each in person.messages() if "Before you take part" in each.text_of_everything)
    assert "and so is everything that you entered and trained" in agreed_to.text_of_everything
    house.trained(person)
    house.training(person)
    shown = [each for each in person.messages() if each.text.startswith("Trial ")]
    assert len(shown) >= 2  # the result of the first one, and the second one
    participant = house.participant(person)
    question = ask(researcher, f"withdraw {participant.code}")
    assert "everything that they entered and trained is deleted: their answers, 2 trials" in text_of(question)
    answer(researcher, question, "Yes, take them out", "Their data is deleted")
    person.wait_for("Everything that you entered and trained is deleted", PATIENCE)
    assert history.session_of_participant(house.store, participant.id) is None
    kept = participants.get(house.store, participant.id)
    assert (kept.months, kept.education, kept.answers) == (None, None, {})
    assert not unfinished_sessions(house.store)
    person.wait_until(lambda: not any(person.message(each.ts) for each in shown), PATIENCE)
    person.wait_until(lambda: house.pictures == [], PATIENCE)
    shown = look(researcher, f"participant {participant.code}", f"Participant {participant.code}")
    assert "has left" in shown.text_of_everything

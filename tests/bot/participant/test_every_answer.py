"""The answer to anything that a person writes has one next step, or says that it goes on by itself."""

import pytest
from slack_sdk.models.blocks import ActionsBlock, ContextBlock

from bot.participant.form_state import FormMemory, Purpose
from bot.participant.parse_configuration import read_line
from bot.participant.views import answers, home_tab, onboarding, typed_configuration
from bot.participant.views.next_step import led_back
from storage.schema.states import ParticipantState, StudyState
from tests.bot.participant.statuses import BY_ITSELF, CONFIGURATION, NOW, statuses
from training.tasks import TaskFacts

LAST = FormMemory.new(Purpose.TRY, "1", CONFIGURATION).initial

ANSWERS = {
    "help": answers.help_with,
    "start": answers.start_offered,
    "tune": answers.form_offered,
    "time": lambda status: answers.time_left(status, 120.0, NOW),
    "history": answers.trials_made,
    "history without a table": answers.trials_made_in_sections,
    "cancel trial 7": lambda status: answers.cancel_offered(status, (7,)),
    "finish": answers.finish_offered,
    "what is momentum?": lambda status: answers.about_settings(["momentum"], status),
    "hmm": lambda status: answers.not_understood("hmm", status),
    "lr 1e-3": lambda status: typed_configuration.typed_configuration(
        read_line("lr 1e-3"), status, training_images=1437, last=LAST
    ),
    "lr many": lambda status: typed_configuration.typed_configuration(
        read_line("lr many, batch 1e9"), status, training_images=1437, last=LAST
    ),
    "a refusal": lambda status: led_back("That cannot be done now.", status),
    "the Home tab": lambda status: home_tab.home_tab(status, "Before you take part."),
}


def written(shown):
    """The words of a message or view, small print aside."""
    blocks = [block for block in shown.blocks if not isinstance(block, ContextBlock)]
    return " ".join(block.text.text for block in blocks if getattr(block, "text", None))


def buttons(shown):
    return [element for block in shown.blocks if isinstance(block, ActionsBlock) for element in block.elements]


@pytest.mark.parametrize("said", ANSWERS)
@pytest.mark.parametrize("where", statuses())
def test_every_answer_has_one_way_on(where, said):
    answer = ANSWERS[said](statuses()[where])
    ways = [each for each in buttons(answer) if each.style == "primary"]
    asks = said.startswith("cancel") and "Press *Cancel* to stop it" in written(answer)
    assert len(ways) <= 1
    assert ways or asks or any(each in written(answer) for each in BY_ITSELF), written(answer)


@pytest.mark.parametrize("where", statuses())
def test_nobody_is_offered_what_cannot_be_done_where_they_stand(where):
    status = statuses()[where]
    offered = {each.text.text for said in ANSWERS.values() for each in buttons(said(status))}
    session = status.session
    if session is None:
        assert not offered & {"New configuration", "Prepare the next one", "Finish", "Choose", "Cancel", "History"}
    elif session.unfinished is not None:
        assert "New configuration" not in offered
    else:
        assert not offered & {"Cancel", "Prepare the next one"}
    if session is not None or status.state is not ParticipantState.DESCRIBED or status.study is StudyState.CLOSED:
        assert "Start" not in offered


def test_the_answers_on_the_way_in_have_one_way_on_too():
    facts = TaskFacts(10, 1437, 180, 180, 32)
    for message, way in (
        (onboarding.greeting("Before you take part."), "I agree"),
        (onboarding.ask_background(), "Tell us about you"),
        (onboarding.briefing(facts, 120), "Start"),
        (onboarding.called(NOW), "Start"),
        (answers.goodbye(for_good=False), "Show me the study"),
        (answers.leaving_offered(), "Stay in the study"),
    ):
        assert [each.text.text for each in buttons(message) if each.style == "primary"] == [way]
    for message in (onboarding.in_queue(1), onboarding.in_queue(2, late=True), answers.taken_out(deleted=False)):
        assert any(each in written(message) for each in BY_ITSELF)
        assert not [each for each in buttons(message) if each.style == "primary"]

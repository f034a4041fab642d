"""A researcher cancels the evaluations of one participant, and everybody who must know is told."""

import pytest

from storage import events
from storage.schema.states import EventKind, TrialState
from storage.transitions import evaluations
from tests.bot.researcher.asking import answer, ask, look, text_of
from tests.bot.scripted_workers import ENVIRONMENT, ScriptedWorkers
from tests.storage.reading import evaluations_of
from training.trial import Ending, Outcome, Part
from training.workers import Started


class LongEvaluations(ScriptedWorkers):
    """Workers whose evaluations do not end by themselves."""

    def __init__(self):
        super().__init__()
        self.stopped = []

    def submit(self, slot, job, request):
        super().submit(slot, job, request) if request.part is Part.TRIAL else self.say(Started(), job)

    def stop(self, job):
        self.stopped.append(job)
        self.say(Outcome(Ending.STOPPED, None, 0, 1.0, 1.0, ENVIRONMENT), job)


@pytest.fixture
def workers():
    return LongEvaluations()


@pytest.fixture
def house(open_house, workers):
    house = open_house(start=False, slots=1)
    house.open(workers)
    workers.ready()
    return house


def test_evaluations_are_cancelled_after_a_question_and_the_running_one_is_stopped(house, workers):
    researcher = house.workspace.person("Researcher")
    person = house.seated("Has long evaluations")
    house.submit(person)
    code = house.participant(person).code
    assert "nothing to cancel" in text_of(ask(researcher, f"cancel-evaluations {code}"))
    researcher.wait_until(lambda: workers.running, 60)
    workers.epoch(1)
    workers.end(Ending.COMPLETE, 50.0)
    house.trial(person, 1, "validation accuracy")
    house.finish(person)
    choice = house.session(person).choice

    def states():
        return [each.state for each in evaluations_of(house.store, choice.id)]

    researcher.wait_until(lambda: states() == [TrialState.RUNNING], 60)
    question = ask(researcher, f"cancel-evaluations {code.lower()}")
    assert f"Cancel the evaluations of {code}?" in text_of(question)
    assert "1 of 1 are waiting or running" in text_of(question)
    assert "no final accuracy" in text_of(question)
    answer(researcher, question, "Yes, cancel them", f"Evaluations of {code} that were cancelled: 1.")
    assert states() == [TrialState.CANCELLED]
    assert workers.stopped == [f"evaluation:{evaluations_of(house.store, choice.id)[0].id}"]
    [event] = events.read(house.store, kind=EventKind.EVALUATIONS_CANCELLED)
    assert (event.actor, event.participant) == ("researcher-1", code)

    # Admins read it, and so do researchers later.
    house.reported(f"researcher-1 cancelled 1 evaluation of {code} that had not ended.")
    assert "1 cancelled" in house.reported("0 of 1 evaluations complete").text_of_everything
    assert "1 cancelled." in text_of(ask(researcher, "status"))
    shown = look(researcher, f"participant {code}", f"Participant {code}")
    assert "1 of 1 evaluations have ended (1 cancelled)" in shown.text_of_everything
    assert "nothing to cancel" in text_of(ask(researcher, f"cancel-evaluations {code}"))
    assert evaluations.due(house.store) == []

    # What was cancelled by mistake can be run again.
    assert "no evaluation has failed" in text_of(ask(researcher, "evaluate"))
    researcher.wait_until(lambda: house.running.jobs.all() == [], 60)
    assert "run again: 1." in text_of(ask(researcher, f"evaluate {code.lower()}"))
    researcher.wait_until(lambda: states() == [TrialState.RUNNING], 60)
    assert "none runs again" in text_of(ask(researcher, f"evaluate {code}"))

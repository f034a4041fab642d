"""The whole study on PostgreSQL: over a restart, beside searchers, until the report and the open data."""

from contextlib import ExitStack

import pytest

from storage import events
from storage.queries import history
from storage.schema.states import EventKind, TrialState
from storage.transitions import baselines
from tests.bot.researcher.asking import answer, ask
from tests.storage.postgresql import PostgreSQL

PATIENCE = 120.0


@pytest.fixture
def house(tmp_path, open_alone):
    with ExitStack() as stack:
        server = stack.enter_context(PostgreSQL())
        yield stack.enter_context(open_alone(tmp_path, database=server.new()))


def test_a_study_is_kept_on_postgresql_from_the_first_hello_to_the_report(house):
    assert house.store.engine.dialect.name == "postgresql"
    researcher = house.workspace.person("Researcher")
    house.wait_for_machines()
    person = house.seated("Is kept")
    house.trained(person)
    house.training(person)
    house.close()
    house.open()
    person.wait_for("Sorry, you lost time through our fault", PATIENCE)
    assert [each.participant for each in events.read(house.store, kind=EventKind.TIME_GIVEN_BACK)] == ["P001"]
    house.running.searchers.start_random(2, "researcher-1", most_epochs=1)
    person.say("cancel")
    house.trial(person, 2, "· cancelled")
    house.finish(person)
    house.reported("P001 has finished: the evaluations are done")
    researcher.wait_until(lambda: not baselines.running(house.store), PATIENCE)
    assert [each.state for each in house.session(person).trials] == [TrialState.COMPLETE, TrialState.CANCELLED]
    answer(researcher, ask(researcher, "close"), "Yes, close it for good", "The study is closed")
    assert history.status(house.store, now=house.running.study.now()).running == ()

    report = house.admin.wait_for(
        lambda message: bool(message.files) and "full report" in message.text, PATIENCE, channel=house.reports
    )
    assert [each["name"] for each in report.files if each["name"].endswith(".zip")] == ["black-magic-report.zip"]
    researcher.command("/study", "export")
    sent = researcher.wait_for(lambda message: bool(message.files), PATIENCE)
    assert [each["name"] for each in sent.files] == ["black-magic.zip"]

"""The process that trains is killed: the trial runs again by itself, the admins are told, no time is lost."""

import re
from datetime import timedelta

import pytest

from storage import events
from storage.schema.states import EventKind
from tests.warm_workers import kill


@pytest.mark.long
def test_a_trial_whose_worker_is_killed_runs_again(open_house):
    house = open_house(slots=1)
    house.wait_for_machines()
    person = house.seated("Trains on bad luck")
    house.submit(person, epochs="6", batch_size="64")
    message = house.trial(person, 1, "training, epoch", button="Cancel")
    before = house.session(person)
    kill(house.workers, 0)

    assert re.search(r"was lost with trial:\d+ of P\d{3,}", house.reported("was lost with").text)
    result = house.trial(person, 1, "validation accuracy")
    session = house.session(person)
    assert result.ts != message.ts
    assert session.trials[0].attempts == 2
    assert session.deadline - before.deadline == session.given_back > timedelta(0)
    assert events.read(house.store, kind=EventKind.LOST, subject=session.trials[0].subject)
    person.wait_until(lambda: f"<!date^{int(session.deadline.timestamp())}^" in house.root(person).text, 30)

"""What had not ended in a stranger's bundle: nothing here trains it, waits for it or tells anybody about it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from storage.bundle import import_bundle
from storage.database import Store
from storage.queries.due import due
from storage.schema.states import JobKind, TrialState
from storage.schema.tables import Evaluation, Session, Trial
from storage.transitions import evaluations, jobs, queue, recovery
from tests.storage.bundle.bundles import files, zipped
from tests.storage.conftest import NINE, Lab

TRIALS = (
    "participant,number,epochs,batch_size,loss,optimizer,validation_accuracy,state\n"
    "P1,1,5,64,nll,sgd,20,\nP1,2,5,64,nll,sgd,,waiting\nP2,1,10,32,nll,adam,55.25,\nP2,2,10,32,nll,adam,,running\n"
    "P3,1,10,32,nll,adam,55.25,\nR1,1,10,32,nll,adam,,waiting\nR1,2,10,32,nll,adam,,running\n"
)
SESSIONS = "participant,state,grace_ends_seconds\nP1,active,\nP2,choosing,7800\nP3,finished,\nR1,active,\n"
UNFINISHED = files(
    participants="code,months,kind\nP1,0,\nP2,24.5,\nP3,5,\nR1,,random\n",
    sessions=SESSIONS,
    trials=TRIALS,
    evaluations="participant,seed,test_accuracy,state\nP3,1,,waiting\nP3,2,,running\nP3,3,,failed\nP3,4,50,\n",
)


@pytest.fixture
def imported(store: Store, tmp_path) -> Lab:
    import_bundle(store, zipped(tmp_path / "theirs.zip", UNFINISHED))
    return Lab(store)


def test_nothing_of_it_is_trained(imported):
    assert jobs.claim(imported.store, now=NINE, slot=0) is None
    assert jobs.claim(imported.store, now=NINE, slot=0, kinds=[JobKind.TRIAL]) is None
    assert evaluations.due(imported.store) == []


def test_nothing_of_it_takes_a_seat(imported):
    imported.seats = 1
    imported.open()
    participant = imported.described()
    queue.join(imported.store, participant.id, now=imported.now)
    assert queue.call_next(imported.store, seats=1, now=imported.now).id == participant.id
    imported.begin(participant)


def test_nothing_of_it_is_due_and_nothing_starts_over(imported):
    found = due(imported.store, warnings=[timedelta(minutes=10)], now=NINE)
    assert (found.warnings, found.expired, found.unanswered, found.next_at) == ((), (), (), None)
    again = recovery.reconcile(imported.store, now=NINE)
    assert (again.trials, again.evaluations, again.given_back) == ((), (), ())


def test_a_study_beside_it_has_its_own_evaluations_alone(imported):
    assert evaluations.retry_failed(imported.store, now=NINE) == []
    assert evaluations.ensure(imported.store, seeds=[1, 2, 99], now=NINE) == 0
    imported.open()
    session = imported.seated()
    imported.tried(session, 20.0)
    imported.choose(session, 1)
    assert jobs.claim(imported.store, now=imported.now, slot=0).participant == "P001"


def test_it_is_imported_as_cancelled(imported):
    with imported.store.read() as transaction:
        assert [each.state for each in transaction.exec(select(Trial).order_by(Trial.id))] == [
            TrialState.COMPLETE, TrialState.CANCELLED, TrialState.COMPLETE, TrialState.CANCELLED, TrialState.COMPLETE,
            TrialState.CANCELLED, TrialState.CANCELLED,
        ]  # fmt: skip
        assert [str(each.ended_as) for each in transaction.exec(select(Session).order_by(Session.id))] == [
            "cancelled", "cancelled", "chosen", "cancelled"
        ]  # fmt: skip
        assert [str(each.state) for each in transaction.exec(select(Evaluation).order_by(Evaluation.id))] == [
            "cancelled", "cancelled", "failed", "complete"
        ]  # fmt: skip

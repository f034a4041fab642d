"""Somebody who has left is known again until the study is closed, and nothing tells which code they had."""

import pytest
from sqlmodel import select

from storage import events
from storage.database import Store
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind
from storage.schema.tables import FormerParticipant, Participant
from storage.transitions import participants, studies


def leave(lab, number, *, delete_data=True):
    """The person with this number leaves."""
    person = participants.by_slack_user(lab.store, f"U{number:04}")
    participants.withdraw(lab.store, person.id, delete_data=delete_data, now=lab.later(minutes=1))


def come(lab, number, **options):
    user = f"U{number:04}"
    return participants.invite(lab.store, slack_user=user, slack_channel=f"D{user[1:]}", now=lab.now, **options)


def rows(store):
    with store.read() as transaction:
        return transaction.exec(select(FormerParticipant)).all()


def refused(lab, number):
    with pytest.raises(Refused) as refusal:
        come(lab, number)
    return refusal.value


@pytest.mark.parametrize("delete_data", [True, False])
def test_somebody_who_has_left_is_refused_also_after_a_restart(lab, delete_data):
    lab.seated()
    leave(lab, 1, delete_data=delete_data)
    refusal = refused(lab, 1)
    assert refusal.reason is Reason.LEFT_BEFORE
    assert "have taken part in this study before" in str(refusal)
    assert participants.has_left(lab.store, "U0001")
    assert not participants.has_left(lab.store, "U0002")
    assert come(lab, 2).code == "P002"
    again = Store(lab.store.engine.url.render_as_string(hide_password=False))
    assert participants.has_left(again, "U0001")
    again.close()


def test_somebody_who_left_before_they_agreed_is_forgotten_and_may_come_back(lab):
    lab.invite()
    leave(lab, 1)
    assert rows(lab.store) == []
    assert come(lab, 1).code == "P002"


def test_a_researcher_may_let_them_in_again_once_which_is_on_record(lab):
    lab.described()
    leave(lab, 1)
    back = come(lab, 1, let_in_by="researcher-2")
    assert back.code == "P002"
    (event,) = events.read(lab.store, kind=EventKind.LET_IN_AGAIN)
    assert (event.participant, event.actor, event.details) == ("P002", "researcher-2", {})
    assert rows(lab.store) == []
    participants.consent(lab.store, back.id, consent_hash="c", now=lab.now)
    leave(lab, 1)
    assert refused(lab, 1).reason is Reason.LEFT_BEFORE


def test_letting_in_somebody_who_never_left_is_an_invitation_like_any_other(lab):
    assert come(lab, 1, let_in_by="researcher-2").code == "P001"
    assert come(lab, 1, let_in_by="researcher-2").code == "P001"
    assert events.read(lab.store, kind=EventKind.LET_IN_AGAIN) == []


def test_nobody_is_let_in_while_the_study_is_paused_and_they_are_still_known(lab):
    lab.described()
    leave(lab, 1)
    studies.pause_study(lab.store, actor="researcher-1", now=lab.now)
    with pytest.raises(Refused) as refusal:
        come(lab, 1, let_in_by="researcher-2")
    assert refusal.value.reason is Reason.STUDY_PAUSED
    assert refused(lab, 1).reason is Reason.LEFT_BEFORE


def test_closing_the_study_destroys_the_keys_and_the_hashes(lab):
    for number in (1, 2):
        lab.described()
        leave(lab, number)
    assert len({each.key for each in rows(lab.store)}) == 2
    studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    assert rows(lab.store) == []
    lab.open("another", "b")
    assert come(lab, 1).study_id != 1


def test_neither_a_time_nor_the_order_of_the_rows_tells_who_left_when(lab):
    count = 12
    for _ in range(count):
        lab.described()
    for number in range(1, count + 1):
        leave(lab, number)
    kept = rows(lab.store)
    assert set(FormerParticipant.model_fields) == {"user_hash", "key"}
    assert [each.user_hash for each in kept] == sorted(each.user_hash for each in kept)
    with lab.store.read() as transaction:
        codes = [each.code for each in transaction.exec(select(Participant))]
        if not lab.store.is_sqlite:  # the transaction that wrote a row is the same for all of them
            connection = transaction.connection()
            assert len(set(connection.exec_driver_sql("SELECT xmin::text FROM former_participant").scalars())) == 1
    told = " ".join(f"{each.user_hash} {each.key}" for each in kept)
    assert not any(code in told for code in codes)
    assert "U0001" not in told

"""Every transition that tells a participant something writes one notice, in the transaction of the transition."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from storage.database import Transaction
from storage.refusals import Refused
from storage.schema.states import JobKind, NoticeKind, SessionState, TrialState
from storage.transitions import (
    baselines,
    choices,
    jobs,
    notices,
    participants,
    queue,
    recovery,
    sessions,
    studies,
    trials,
)
from storage.transitions.jobs import Ending

TEN = timedelta(minutes=10)


def pending(lab) -> list[tuple]:
    """What is still to be told, and to whom."""
    return [
        (notice.kind, notice.participant_id, notice.session_id, notice.details)
        for notice in notices.pending(lab.store)
        if notice.at == lab.now
    ]


@pytest.fixture
def told(lab):
    """Forgets the notices so far, and moves the clock on: what is pending afterwards is new."""

    def forget() -> None:
        for notice in notices.pending(lab.store):
            notices.done(lab.store, notice.id)
        lab.later(seconds=1)

    return forget


def refused(call) -> None:
    with pytest.raises(Refused):
        call()


def test_every_step_of_the_way_in_is_told_once(lab):
    def describe():
        return participants.describe(
            lab.store,
            1,
            months=6,
            education="",
            answers={},
            tasks=["digits"],
            group="medium",
            block_seed=1,
            now=lab.now,
        )

    def consent():
        return participants.consent(lab.store, 1, consent_hash="c", now=lab.now)

    def invite():
        return participants.invite(lab.store, slack_user="U1", slack_channel="D1", now=lab.now)

    invite()
    assert pending(lab) == [(NoticeKind.GREETING, 1, None, {})]
    invite()  # they are known
    refused(describe)
    assert len(pending(lab)) == 1
    consent()
    refused(consent)
    assert pending(lab)[1:] == [(NoticeKind.BACKGROUND, 1, None, {})]
    describe()
    refused(describe)
    assert pending(lab)[2:] == [(NoticeKind.BRIEFING, 1, None, {})]


def test_the_queue_tells_the_position_and_the_call(lab, told):
    lab.seats = 1
    session, first, second = lab.seated(), lab.described(), lab.described()
    told()
    for participant in (first, second, second):
        queue.join(lab.store, participant.id, now=lab.now)
    assert pending(lab) == [
        (NoticeKind.IN_QUEUE, first.id, None, {"position": 1, "late": False}),
        (NoticeKind.IN_QUEUE, second.id, None, {"position": 2, "late": False}),
        (NoticeKind.IN_QUEUE, second.id, None, {"position": 2, "late": False}),
    ]
    told()
    refused(lambda: queue.join(lab.store, session.participant_id, now=lab.now))
    assert queue.call_next(lab.store, seats=1, now=lab.now) is None
    assert pending(lab) == []
    lab.withdraw(session)
    queue.call_next(lab.store, seats=1, now=lab.now)
    assert pending(lab) == [(NoticeKind.CALLED, first.id, None, {})]
    told()
    queue.join(lab.store, first.id, now=lab.now)
    assert pending(lab) == [(NoticeKind.IN_QUEUE, first.id, None, {"position": 1, "late": True})]


def test_the_end_of_the_time_is_told_with_the_trial_that_was_stopped(lab, told):
    session, idle = lab.seated(), lab.seated()
    lab.submit(session)
    told()
    refused(lambda: lab.expire(session))
    lab.later(hours=2)
    for each in (session, idle):
        lab.expire(each)
        refused(lambda each=each: lab.expire(each))
    assert pending(lab) == [
        (NoticeKind.TRIAL_ENDED, 1, session.id, {"trial": 1}),  # it waited, so it has ended at once
        (NoticeKind.TIME_IS_UP, 1, session.id, {"stopped": 1}),
        (NoticeKind.TIME_IS_UP, 2, idle.id, {"stopped": None}),
    ]


def test_the_final_choice_is_thanked_for_whoever_made_it(lab, told, make_configuration):
    lab.seats = 3
    chooses, leaves_it, empty = lab.seated(), lab.seated(), lab.seated()
    lab.tried(leaves_it, 50.0)
    told()
    refused(lambda: lab.choose(chooses, 9))
    lab.choose(chooses, make_configuration())
    refused(lambda: lab.choose(chooses, make_configuration()))
    assert pending(lab) == [(NoticeKind.THANKS, chooses.participant_id, chooses.id, {})]
    lab.later(hours=2)
    for session in (leaves_it, empty):
        lab.expire(session)
    told()
    lab.now += lab.grace
    for session in (leaves_it, empty):
        choices.choose_by_clock(lab.store, session.id, seeds=lab.seeds, now=lab.now)
    assert [notice[:3] for notice in pending(lab)] == [
        (NoticeKind.THANKS, leaves_it.participant_id, leaves_it.id),
        (NoticeKind.THANKS, empty.participant_id, empty.id),
    ]


def test_a_researcher_who_extends_or_cancels_a_session_is_told_of(lab, told):
    session = lab.seated()
    lab.submit(session)
    lab.claim()
    told()

    def extend():
        return sessions.extend_by_researcher(lab.store, session.id, TEN, actor="researcher-1", now=lab.now)

    def cancel():
        return sessions.cancel_session(lab.store, session.id, actor="researcher-1", now=lab.now)

    extend()
    cancel()
    refused(extend)
    refused(cancel)
    assert pending(lab) == [
        (NoticeKind.TIME_EXTENDED, 1, session.id, {"seconds": 600.0}),
        (NoticeKind.SESSION_CANCELLED, 1, session.id, {"stopped": 1}),
    ]


def test_a_warning_is_told_with_its_minutes(lab, told):
    session = lab.seated()
    told()

    def warn():
        return sessions.warn(lab.store, session.id, warnings=[TEN], now=lab.now)

    refused(warn)
    lab.now = session.deadline - TEN
    warn()
    refused(warn)
    assert pending(lab) == [(NoticeKind.WARNING, 1, session.id, {"minutes": 10.0})]


def test_time_given_back_is_told_whatever_took_it(lab, told):
    session = lab.seated()
    lab.submit(session)
    lost = lab.claim()
    told()
    lab.later(minutes=1)
    jobs.lost(lab.store, lost, now=lab.now)
    refused(lambda: jobs.lost(lab.store, lost, now=lab.now))
    given = (NoticeKind.TIME_GIVEN_BACK, 1, session.id)
    assert [notice[:3] for notice in pending(lab)] == [given]
    failed = lab.claim()
    lab.later(minutes=2)
    ending = Ending(TrialState.FAILED, reason="The machine broke.", our_fault=True)
    jobs.finish(lab.store, failed, ending, now=lab.now)
    ended = (NoticeKind.TRIAL_ENDED, 1, session.id, {"trial": 1})
    assert pending(lab) == [(*given, {"seconds": 120.0}), ended]
    recovery.heartbeat(lab.store, now=lab.now)
    lab.later(minutes=3)
    for _ in range(2):
        recovery.reconcile(lab.store, now=lab.now)
    assert pending(lab) == [(*given, {"seconds": 180.0})]


def test_what_a_participant_sees_by_themselves_is_not_told(lab, told):
    session = lab.seated()
    told()
    lab.submit(session)
    studies.pause_study(lab.store, actor="researcher-1", now=lab.now)
    studies.resume_study(lab.store, actor="researcher-1", now=lab.now)
    assert notices.pending(lab.store) == []


def test_the_end_of_every_trial_is_told(lab, told):
    session = lab.seated()
    told()
    waiting = lab.submit(session)
    trials.cancel(lab.store, waiting.id, now=lab.now)
    lab.tried(session, 50.0)
    assert pending(lab) == [(NoticeKind.TRIAL_ENDED, 1, session.id, {"trial": number}) for number in (1, 2)]
    assert notices.awaits_result(lab.store, 1, waiting.id)
    told()
    assert not notices.awaits_result(lab.store, 1, waiting.id)


def test_a_transaction_that_is_undone_leaves_no_notice(lab, told):
    session = lab.seated()
    told()
    lab.later(hours=2)

    def fail(_):
        raise ConnectionError("the database is gone")

    event.listen(Transaction, "before_commit", fail)
    try:
        with pytest.raises(ConnectionError):
            lab.expire(session)
    finally:
        event.remove(Transaction, "before_commit", fail)
    assert notices.pending(lab.store) == []
    assert sessions.get(lab.store, session.id).state is SessionState.ACTIVE
    lab.expire(session)
    assert [notice[0] for notice in pending(lab)] == [NoticeKind.TIME_IS_UP]


def test_searchers_are_told_nothing(lab, told, make_configuration):
    lab.start_random(1)
    tpe = lab.member(lab.start_tpe(wanted=2))
    for _ in range(2):
        jobs.lost(lab.store, lab.claim(), now=lab.later(minutes=1))
    lab.complete(lab.claim())
    baselines.submit(lab.store, tpe.id, make_configuration(), now=lab.now)
    lab.complete(jobs.claim(lab.store, now=lab.now, slot=0, kinds=tuple(JobKind)))
    baselines.choose(lab.store, tpe.id, seeds=lab.seeds, now=lab.now)
    recovery.reconcile(lab.store, now=lab.later(hours=1))
    baselines.stop(lab.store, actor="researcher-1", now=lab.now)
    assert notices.pending(lab.store) == []


def test_people_without_a_link_to_slack_are_told_nothing(lab):
    lab.seats = 1
    session, waiting = lab.seated(), lab.described()
    lab.forget_links()
    assert notices.pending(lab.store) == []
    queue.join(lab.store, waiting.id, now=lab.now)
    lab.later(hours=2)
    lab.expire(session)
    queue.call_next(lab.store, seats=1, now=lab.now)
    lab.later(hours=1)
    choices.choose_by_clock(lab.store, session.id, seeds=lab.seeds, now=lab.now)
    assert notices.pending(lab.store) == []


@pytest.mark.parametrize("delete_data", [False, True])
def test_a_withdrawal_deletes_the_notices_of_that_participant_alone(lab, delete_data):
    session, other = lab.seated(), lab.invite()
    lab.later(hours=2)
    lab.expire(session)
    lab.withdraw(session, delete_data=delete_data)
    assert {notice.participant_id for notice in notices.pending(lab.store)} == {other.id}
    lab.forget_links()
    assert notices.pending(lab.store) == []


def test_somebody_who_comes_to_a_new_study_is_told_nothing_of_the_old_one(lab):
    lab.invite()
    studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    lab.later(days=1)
    lab.open("luck", "b")
    newcomer = participants.invite(lab.store, slack_user="U0001", slack_channel="D0001", now=lab.now)
    assert [notice.participant_id for notice in notices.pending(lab.store)] == [newcomer.id]


def test_notices_wait_in_the_order_in_which_they_were_written_and_are_done_once(lab):
    for _ in range(3):
        lab.invite()
    first, second, third = notices.pending(lab.store)
    assert [notice.participant_id for notice in (first, second, third)] == [1, 2, 3]
    for _ in range(2):
        notices.done(lab.store, second.id)
    lab.later(minutes=-5)  # a clock that was set back changes no order
    participants.consent(lab.store, 1, consent_hash="c", now=lab.now)
    kinds = [(notice.participant_id, notice.kind) for notice in notices.pending(lab.store)]
    assert kinds == [(1, NoticeKind.GREETING), (3, NoticeKind.GREETING), (1, NoticeKind.BACKGROUND)]


def test_a_done_notice_is_not_mistaken_for_a_later_one(lab):
    lab.invite()
    (notice,) = notices.pending(lab.store)
    notices.done(lab.store, notice.id)
    lab.invite()
    notices.done(lab.store, notice.id)
    assert [each.participant_id for each in notices.pending(lab.store)] == [2]

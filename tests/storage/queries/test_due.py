"""What time has brought: everything is due at its exact second, and not before."""

from datetime import timedelta

import pytest

from storage.queries import due as queries
from storage.queries.due import CALL_HOLDS, Due
from storage.refusals import Reason, Refused
from storage.schema.tables import Session
from storage.transitions import queue, sessions

WARNINGS = (timedelta(minutes=30), timedelta(minutes=10), timedelta(minutes=1))
MOMENT = timedelta(microseconds=1)
NOTHING: dict[str, tuple[int, ...]] = {"warnings": (), "expired": (), "unanswered": ()}


def due(lab) -> Due:
    return queries.due(lab.store, warnings=WARNINGS, now=lab.now)


def warn(lab, session) -> float:
    """Gives the warning that is due. Returns its minutes."""
    return sessions.warn(lab.store, session.id, warnings=WARNINGS, now=lab.now).before.total_seconds() / 60


def extend(lab, session, **duration: float) -> Session:
    return sessions.extend_by_researcher(lab.store, session.id, timedelta(**duration), actor="admin-1", now=lab.now)


def test_nothing_is_due_without_a_session(lab):
    lab.described()
    assert due(lab) == Due(**NOTHING, next_at=None)


def test_a_session_has_its_warnings_its_deadline_and_its_grace_at_the_exact_second(lab):
    session = lab.seated()
    assert due(lab) == Due(**NOTHING, next_at=session.deadline - WARNINGS[0])
    for before, following in zip(WARNINGS, (*WARNINGS[1:], timedelta(0)), strict=True):
        moment, next_at = session.deadline - before, session.deadline - following
        lab.now = moment - MOMENT
        assert due(lab) == Due(**NOTHING, next_at=moment)
        lab.now = moment
        assert due(lab) == Due(**NOTHING | {"warnings": (session.id,)}, next_at=next_at)
        warn(lab, session)
        assert due(lab) == Due(**NOTHING, next_at=next_at)
    lab.now = session.deadline - MOMENT
    assert due(lab) == Due(**NOTHING, next_at=session.deadline)
    lab.now = session.deadline
    assert due(lab) == Due(**NOTHING | {"expired": (session.id,)}, next_at=None)
    lab.expire(session)
    end = lab.now + lab.grace
    assert due(lab) == Due(**NOTHING, next_at=end)
    lab.now = end - MOMENT
    assert due(lab) == Due(**NOTHING, next_at=end)
    lab.now = end
    assert due(lab) == Due(**NOTHING | {"unanswered": (session.id,)}, next_at=None)
    lab.now += timedelta(days=3)  # nobody looked for a long time
    assert due(lab) == Due(**NOTHING | {"unanswered": (session.id,)}, next_at=None)


def test_sessions_are_due_each_for_itself(lab):
    lab.seats = 3
    first = lab.seated()
    lab.later(minutes=20)
    second = lab.seated()
    lab.later(minutes=40)
    third = lab.seated()
    lab.now = first.deadline
    lab.expire(first)
    lab.now = second.deadline
    assert due(lab) == Due(
        warnings=(), expired=(second.id,), unanswered=(first.id,), next_at=third.deadline - WARNINGS[0]
    )
    lab.now = third.deadline - WARNINGS[0]
    assert due(lab).warnings == (third.id,)


def test_a_finished_session_is_never_due(lab, make_configuration):
    session = lab.seated()
    lab.choose(session, make_configuration())
    lab.later(days=1)
    assert due(lab) == Due(**NOTHING, next_at=None)


def test_nothing_of_a_searcher_is_ever_due(lab):
    lab.start_random(1)
    lab.member(lab.start_tpe())
    lab.later(days=1)
    assert due(lab) == Due(**NOTHING, next_at=None)


def test_a_call_from_the_queue_lapses_at_a_moment_to_wake_up_at(lab):
    lab.seats = 1
    session, first, second = lab.seated(), lab.described(), lab.described()
    for participant in (first, second):
        queue.join(lab.store, participant.id, now=lab.now)
    lab.withdraw(session)
    assert due(lab).next_at is None
    queue.call_next(lab.store, seats=1, now=lab.now)
    called_at = lab.now
    assert due(lab).next_at == called_at + CALL_HOLDS
    lab.later(minutes=14, seconds=59)
    assert due(lab).next_at == called_at + CALL_HOLDS
    lab.later(seconds=1)
    assert due(lab).next_at is None
    lab.begin(first)
    assert due(lab).next_at == lab.now + lab.limit - WARNINGS[0]


class TestWarnings:
    def refusal(self, lab, session) -> Reason:
        with pytest.raises(Refused) as refused:
            warn(lab, session)
        return refused.value.reason

    def given_until_the_deadline(self, lab, session) -> list[tuple[timedelta, float]]:
        """Each warning that somebody gives who looks at ``next_at``: how long before the deadline, and its minutes."""
        given = []
        while lab.now < session.deadline:
            if due(lab).warnings:
                given.append((session.deadline - lab.now, warn(lab, session)))
                assert self.refusal(lab, session) is Reason.NOT_YET
            lab.now = due(lab).next_at
        return given

    def test_each_is_given_once(self, lab):
        session = lab.seated()
        given = self.given_until_the_deadline(lab, session)
        assert given == [(before, before.total_seconds() / 60) for before in WARNINGS]

    def test_of_several_that_are_due_the_last_is_given_and_the_others_never(self, lab):
        session = lab.seated()
        lab.now = session.deadline - timedelta(minutes=5)
        assert warn(lab, session) == 10
        assert due(lab).warnings == ()
        lab.now = session.deadline - timedelta(minutes=1)
        assert warn(lab, session) == 1

    def test_their_order_in_the_rules_does_not_matter(self, lab):
        session = lab.seated()
        lab.now = session.deadline - timedelta(minutes=5)
        warned = sessions.warn(lab.store, session.id, warnings=WARNINGS[::-1], now=lab.now)
        assert (warned.before, warned.session.id) == (timedelta(minutes=10), session.id)

    def test_a_session_that_is_shorter_than_a_warning_is_not_warned_so(self, lab):
        lab.limit = timedelta(minutes=30)
        session = lab.seated()
        assert due(lab) == Due(**NOTHING, next_at=session.deadline - timedelta(minutes=10))

    @pytest.mark.parametrize("given_back", [False, True])
    def test_after_more_time_those_are_given_whose_moment_is_still_to_come(self, lab, given_back):
        session = lab.seated()
        lab.now = session.deadline - timedelta(minutes=10)
        assert warn(lab, session) == 10
        lab.now = session.deadline - timedelta(minutes=5)
        moved = lab.give_back(session, minutes=15) if given_back else extend(lab, session, minutes=15)
        # 20 minutes are left: that of 30 minutes is past, those of 10 and 1 come (again).
        assert due(lab) == Due(**NOTHING, next_at=moved.deadline - timedelta(minutes=10))
        given = self.given_until_the_deadline(lab, moved)
        assert given == [(timedelta(minutes=10), 10), (timedelta(minutes=1), 1)]

    def test_one_that_is_due_while_time_is_given_back_is_not_given_too_early(self, lab):
        session = lab.seated()
        lab.now = session.deadline - timedelta(minutes=10)
        extend(lab, session, minutes=1)
        assert due(lab).warnings == ()
        lab.later(minutes=1)
        assert warn(lab, session) == 10

    def test_none_is_given_after_the_deadline_while_choosing_or_to_the_finished(self, lab):
        session = lab.seated()
        lab.now = session.deadline
        assert due(lab).warnings == ()
        assert self.refusal(lab, session) is Reason.TIME_IS_UP
        lab.expire(session)
        assert self.refusal(lab, session) is Reason.TIME_IS_UP
        lab.withdraw(session)
        assert self.refusal(lab, session) is Reason.SESSION_OVER

    def test_two_sweeps_at_once_warn_once(self, lab, at_once):
        session = lab.seated()
        lab.now = session.deadline - timedelta(minutes=10)
        results = at_once(*[lambda: warn(lab, session)] * 3)
        assert sorted(type(each).__name__ for each in results) == ["Refused", "Refused", "float"]

from datetime import timedelta

import pytest

from storage.refusals import Reason, Refused
from storage.transitions import participants, sessions, studies
from storage.transitions.queue import CALL_HOLDS


def next_code(lab) -> str | None:
    found = participants.next_in_line(lab.store, seats=lab.seats, now=lab.now)
    return None if found is None else found.code


def free_a_seat(lab, session) -> None:
    sessions.give_back(lab.store, session.id, timedelta(seconds=1), why="test", now=lab.now)
    lab.withdraw(session)


@pytest.fixture
def full(lab):
    """Both seats taken (P001, P002), three in line (P003, P004, P005)."""
    lab.seats = 2
    full = [lab.seated(), lab.seated()]
    for place in (1, 2, 3):
        waiting = lab.described()
        assert participants.line_up(lab.store, waiting.id, now=lab.later(seconds=1)) == place
    return full


def test_the_clock_does_not_start_without_a_seat(lab, full):
    with pytest.raises(Refused, match="your time has not started") as refused:
        lab.seated()
    assert refused.value.reason is Reason.NO_SEAT


def test_lining_up_twice_keeps_the_place(lab, full):
    assert participants.line_up(lab.store, 3, now=lab.later(minutes=5)) == 1
    assert [participants.place_in_line(lab.store, each) for each in (1, 3, 4, 5)] == [None, 1, 2, 3]


def test_leaving_the_line_moves_the_others_up(lab, full):
    participants.leave_line(lab.store, 3, now=lab.now)
    assert participants.place_in_line(lab.store, 4) == 1
    with pytest.raises(Refused, match="not waiting"):
        participants.leave_line(lab.store, 3, now=lab.now)


def test_the_first_in_line_is_called_when_a_seat_is_free_and_nobody_overtakes(lab, full):
    assert next_code(lab) is None
    free_a_seat(lab, full[0])
    assert next_code(lab) == "P003"
    for other in (participants.get(lab.store, 4), lab.described()):
        with pytest.raises(Refused) as refused:
            lab.begin(other)
        assert refused.value.reason is Reason.NO_SEAT
    participants.mark_called(lab.store, 3, now=lab.now)
    with pytest.raises(Refused, match="called already"):
        participants.mark_called(lab.store, 3, now=lab.now)
    assert next_code(lab) is None
    lab.begin(participants.get(lab.store, 3))
    assert participants.place_in_line(lab.store, 4) == 1


def test_the_first_in_line_need_not_wait_for_the_call(lab, full):
    free_a_seat(lab, full[0])
    assert lab.begin(participants.get(lab.store, 3)).id


def test_who_does_not_answer_the_call_blocks_nobody_for_long(lab, full):
    free_a_seat(lab, full[0])
    participants.mark_called(lab.store, 3, now=lab.now)
    lab.now += CALL_HOLDS
    assert next_code(lab) == "P004"
    participants.mark_called(lab.store, 4, now=lab.now)
    with pytest.raises(Refused):  # the seat is P004's now
        lab.begin(participants.get(lab.store, 3))
    lab.begin(participants.get(lab.store, 4))


def test_nobody_is_called_while_the_study_is_paused(lab, full):
    free_a_seat(lab, full[0])
    studies.pause_study(lab.store, actor="researcher-1", now=lab.now)
    assert next_code(lab) is None


def test_who_was_called_before_a_pause_is_called_anew_after_it(lab, full):
    free_a_seat(lab, full[0])
    participants.mark_called(lab.store, 3, now=lab.now)
    studies.pause_study(lab.store, actor="researcher-1", now=lab.now)
    with pytest.raises(Refused, match="paused"):
        lab.begin(participants.get(lab.store, 3))
    lab.now += CALL_HOLDS
    studies.resume_study(lab.store, actor="researcher-1", now=lab.now)
    assert next_code(lab) == "P003"
    participants.mark_called(lab.store, 3, now=lab.now)
    assert next_code(lab) is None
    assert lab.begin(participants.get(lab.store, 3)).id


def test_only_those_who_may_begin_can_line_up(lab):
    newcomer = lab.invite()
    with pytest.raises(Refused) as refused:
        participants.line_up(lab.store, newcomer.id, now=lab.now)
    assert refused.value.reason is Reason.NOT_CONSENTED
    session = lab.seated()
    with pytest.raises(Refused) as refused:
        participants.line_up(lab.store, session.participant_id, now=lab.now)
    assert refused.value.reason is Reason.SESSION_RUNNING


def test_the_last_seat_goes_to_one_of_two_who_press_start_at_once(lab, at_once):
    lab.seats = 1
    both = [lab.described(), lab.described()]
    results = at_once(*(lambda each=each: lab.begin(each) for each in both))
    assert sorted(type(each).__name__ for each in results) == ["Refused", "Session"]

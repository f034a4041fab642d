from datetime import timedelta

import pytest

from storage import events
from storage.queries.due import CALL_HOLDS, due
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind
from storage.transitions import participants, queue, studies


def call(lab) -> str | None:
    """The code of the participant who is called."""
    called = queue.call_next(lab.store, seats=lab.seats, now=lab.now)
    return None if called is None else called.code


def join(lab, participant_id: int) -> int:
    return queue.join(lab.store, participant_id, now=lab.now)


def begin(lab, participant_id: int):
    return lab.begin(participants.get(lab.store, participant_id))


def calls(lab) -> list[str]:
    """Everybody who was called, in order."""
    return [event.participant for event in events.read(lab.store, kind=EventKind.CALLED)]


@pytest.fixture
def full(lab):
    """Both seats are taken (P001, P002), and three people are in the queue (P003, P004, P005)."""
    lab.seats = 2
    full = [lab.seated(), lab.seated()]
    for position in (1, 2, 3):
        lab.later(seconds=1)
        assert join(lab, lab.described().id) == position
    return full


def test_the_clock_does_not_start_without_a_seat(lab, full):
    with pytest.raises(Refused, match="your time has not started") as refused:
        lab.seated()
    assert refused.value.reason is Reason.NO_SEAT


def test_joining_twice_keeps_the_position(lab, full):
    lab.later(minutes=5)
    assert join(lab, 3) == 1
    assert [queue.position_of(lab.store, participant) for participant in (1, 3, 4, 5)] == [None, 1, 2, 3]
    assert len(events.read(lab.store, kind=EventKind.LINED_UP)) == 3


def test_two_who_join_at_the_same_moment_stand_in_the_order_of_their_numbers(lab, full):
    later, earlier = lab.described(), lab.described()
    assert [join(lab, each.id) for each in (earlier, later)] == [4, 4]
    assert [queue.position_of(lab.store, each.id) for each in (earlier, later)] == [5, 4]


def test_somebody_who_withdraws_leaves_the_queue_and_the_others_move_up(lab, full):
    participants.withdraw(lab.store, 3, delete_data=False, now=lab.now)
    assert [queue.position_of(lab.store, participant) for participant in (3, 4, 5)] == [None, 1, 2]


def test_the_first_in_the_queue_is_called_when_a_seat_is_free_and_nobody_overtakes(lab, full):
    assert call(lab) is None
    lab.withdraw(full[0])
    for other in (participants.get(lab.store, 4), lab.described()):
        with pytest.raises(Refused) as refused:
            lab.begin(other)
        assert refused.value.reason is Reason.NO_SEAT
    assert call(lab) == "P003"
    assert call(lab) is None
    begin(lab, 3)
    assert queue.position_of(lab.store, 4) == 1
    assert call(lab) is None
    assert calls(lab) == ["P003"]


def test_with_two_free_seats_two_are_called(lab, full):
    for session in full:
        lab.withdraw(session)
    assert [call(lab), call(lab), call(lab)] == ["P003", "P004", None]


def test_the_first_in_the_queue_need_not_wait_for_the_call(lab, full):
    lab.withdraw(full[0])
    assert begin(lab, 3).id


def test_somebody_who_does_not_answer_the_call_blocks_nobody_for_long(lab, full):
    lab.withdraw(full[0])
    assert call(lab) == "P003"
    lab.now += CALL_HOLDS - timedelta(microseconds=1)
    assert call(lab) is None
    lab.now += timedelta(microseconds=1)
    assert call(lab) == "P004"
    with pytest.raises(Refused):  # the seat is P004's now
        begin(lab, 3)
    begin(lab, 4)


def test_a_call_that_lapsed_is_a_moment_at_which_the_next_is_called(lab, full):
    lab.withdraw(full[0])
    assert call(lab) == "P003"
    lab.now = due(lab.store, warnings=[], now=lab.now).next_at
    assert call(lab) == "P004"


def test_somebody_who_missed_the_call_keeps_their_position_and_is_called_again(lab, full):
    lab.withdraw(full[0])
    assert call(lab) == "P003"
    lab.now += CALL_HOLDS
    assert call(lab) == "P004"
    assert join(lab, 3) == 1
    lab.withdraw(full[1])
    assert call(lab) == "P003"
    assert begin(lab, 3).id


def test_everybody_missed_their_call_and_nobody_is_called_twice_for_one(lab, full):
    lab.withdraw(full[0])
    for code in ("P003", "P004", "P005", None):
        assert call(lab) == code
        lab.now += CALL_HOLDS
    assert calls(lab) == ["P003", "P004", "P005"]


def test_nobody_is_called_while_the_study_is_paused(lab, full):
    lab.withdraw(full[0])
    studies.pause_study(lab.store, actor="researcher-1", now=lab.now)
    assert call(lab) is None


def test_somebody_who_was_called_before_a_pause_is_called_again_after_it(lab, full):
    lab.withdraw(full[0])
    assert call(lab) == "P003"
    studies.pause_study(lab.store, actor="researcher-1", now=lab.now)
    with pytest.raises(Refused, match="paused"):
        begin(lab, 3)
    lab.now += CALL_HOLDS
    studies.resume_study(lab.store, actor="researcher-1", now=lab.now)
    assert call(lab) == "P003"
    assert call(lab) is None
    assert begin(lab, 3).id


def test_nobody_is_called_before_there_is_a_study(empty_lab):
    assert call(empty_lab) is None


def test_only_those_who_may_begin_can_join(lab):
    newcomer, session = lab.invite(), lab.seated()
    for participant, reason in ((newcomer.id, Reason.NOT_CONSENTED), (session.participant_id, Reason.SESSION_RUNNING)):
        with pytest.raises(Refused) as refused:
            join(lab, participant)
        assert refused.value.reason is reason


def test_the_last_seat_goes_to_one_of_two_who_press_start_at_once(lab, at_once):
    lab.seats = 1
    both = [lab.described(), lab.described()]
    results = at_once(*(lambda each=each: lab.begin(each) for each in both))
    assert sorted(type(each).__name__ for each in results) == ["Refused", "Session"]


def test_two_threads_that_call_at_once_call_one_participant_for_each_seat(lab, full, at_once):
    lab.withdraw(full[0])
    results = at_once(*[lambda: call(lab)] * 3)
    assert sorted(results, key=str) == [None, None, "P003"]
    assert calls(lab) == ["P003"]
    lab.withdraw(full[1])
    assert sorted(at_once(*[lambda: call(lab)] * 3), key=str) == [None, None, "P004"]

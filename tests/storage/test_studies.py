import pytest

from storage import participants, studies
from storage.refusal import Reason, Refused
from storage.states import StudyState


def open_again(lab, *, name="skill", rules_hash="a" * 64):
    return studies.open_study(lab.store, name=name, rules_toml="", rules_hash=rules_hash, now=lab.now)


def test_opening_again_with_the_same_rules_goes_on_with_the_study(lab):
    first = studies.current_study(lab.store)
    assert open_again(lab).id == first.id
    assert open_again(lab).rules_toml == "hours = 2"


def test_opening_with_other_rules_names_both_and_says_what_to_do(lab):
    with pytest.raises(Refused, match=r"aaaaaaaa.*bbbbbbbb.*Put the old rules back, or close") as refused:
        open_again(lab, rules_hash="b" * 64)
    assert refused.value.reason is Reason.RULES_DIFFER


def test_a_pause_keeps_newcomers_out_and_lets_the_others_go_on(lab):
    session = lab.seated()
    ready = lab.described()
    studies.pause_study(lab.store, now=lab.now)
    for not_now in (lab.invite, lambda: lab.begin(ready)):
        with pytest.raises(Refused, match="paused") as refused:
            not_now()
        assert refused.value.reason is Reason.STUDY_PAUSED
    assert lab.tried(session, 60.0).validation_accuracy == 60.0
    studies.resume_study(lab.store, now=lab.now)
    assert lab.begin(ready).id


def test_pausing_and_resuming_twice_is_told(lab):
    with pytest.raises(Refused, match="nothing to resume"):
        studies.resume_study(lab.store, now=lab.now)
    studies.pause_study(lab.store, now=lab.now)
    with pytest.raises(Refused, match="paused already"):
        studies.pause_study(lab.store, now=lab.now)


def test_a_study_is_not_closed_over_somebodys_head(lab):
    session = lab.seated()
    with pytest.raises(Refused, match=r"Still in a session: P001\. Nothing was closed\.") as refused:
        studies.close_study(lab.store, now=lab.now)
    assert refused.value.reason is Reason.STILL_RUNNING
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    assert studies.close_study(lab.store, now=lab.now).state is StudyState.CLOSED
    assert studies.current_study(lab.store) is None


def test_after_the_end_evaluations_still_run_and_nobody_begins(lab):
    ready = lab.described()
    session = lab.seated()
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    studies.close_study(lab.store, now=lab.now)
    assert lab.claim().key == "evaluation:1"
    with pytest.raises(Refused, match="closed"):
        lab.begin(ready)
    with pytest.raises(Refused, match="No study is open"):
        lab.invite()
    with pytest.raises(Refused, match="No study is open"):
        studies.close_study(lab.store, now=lab.now)


def test_a_closed_studys_name_is_taken_and_another_opens_a_new_one(lab):
    studies.close_study(lab.store, now=lab.now)
    with pytest.raises(Refused, match="Give the new study another name"):
        open_again(lab)
    assert open_again(lab, name="skill 2").id == 2


def test_who_took_part_in_an_earlier_study_is_somebody_new_in_the_next(lab):
    before = lab.invite()
    studies.close_study(lab.store, now=lab.now)
    open_again(lab, name="skill 2")
    lab.invited = 0
    after = lab.invite()
    assert (after.id, after.study_id, after.code) == (before.id + 1, 2, "P001")
    assert participants.identity_of(lab.store, before.id) is None
    assert participants.by_slack_user(lab.store, "U0001").id == after.id

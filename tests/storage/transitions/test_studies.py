import pytest

from storage import events
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind, StudyState, TrialState
from storage.schema.tables import Identity
from storage.transitions import baselines, participants, studies
from tests.storage.reading import amendments_of

RESEARCHER = "researcher-1"


def refusal(call) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def close(lab):
    return studies.close_study(lab.store, actor=RESEARCHER, now=lab.now)


def pause(lab):
    return studies.pause_study(lab.store, actor=RESEARCHER, now=lab.now)


def resume(lab):
    return studies.resume_study(lab.store, actor=RESEARCHER, now=lab.now)


def amend(lab, name="longer", rules="b"):
    return studies.amend_study(
        lab.store,
        name=name,
        reason="the trials take longer than we thought",
        rules=rules,
        rules_hash=rules * 64,
        actor=RESEARCHER,
        now=lab.now,
    )


def finished(lab):
    """Somebody who has made a final choice."""
    session = lab.seated()
    lab.tried(session, 50.0)
    return lab.choose(session, 1)


def test_a_prepared_study_lets_nobody_in_until_a_researcher_opens_it(empty_lab):
    lab = empty_lab
    prepared = lab.prepare()
    assert (prepared.state, prepared.prepared_at, prepared.opened_at) == (StudyState.PREPARED, lab.now, None)
    too_early = refusal(lab.invite)
    assert (too_early.reason, "has not opened yet" in str(too_early)) == (Reason.STUDY_NOT_OPEN, True)
    opened = studies.open_study(lab.store, actor=RESEARCHER, now=lab.later(days=1))
    assert (opened.id, opened.state, opened.opened_at) == (prepared.id, StudyState.OPEN, lab.now)
    assert lab.invite().code == "P001"
    assert [(each.kind, each.actor) for each in events.read(lab.store, subject="study:1")] == [
        (EventKind.STUDY_PREPARED, "bot"),
        (EventKind.STUDY_OPENED, RESEARCHER),
    ]


def test_before_it_opened_a_study_can_be_neither_paused_resumed_nor_closed(empty_lab):
    empty_lab.prepare()
    for call in (pause, resume, close, amend):
        assert refusal(lambda call=call: call(empty_lab)).reason is Reason.STUDY_NOT_OPEN


def test_before_it_opened_other_rules_take_the_place_of_the_old_ones(empty_lab):
    first = empty_lab.prepare(rules="a")
    assert empty_lab.prepare(rules="a").id == first.id
    second = empty_lab.prepare(rules="b")
    assert (second.id, second.rules_hash, second.rules) == (first.id, "b" * 64, "b")
    assert len(events.read(empty_lab.store, kind=EventKind.STUDY_PREPARED)) == 2


def test_a_study_that_never_opened_gives_way_to_one_of_another_name(empty_lab):
    first = empty_lab.prepare("skill")
    second = empty_lab.prepare("luck", "b")
    assert second.id != first.id
    assert studies.current_study(empty_lab.store).name == "luck"
    assert studies.study_named(empty_lab.store, "skill") is None


def test_preparing_again_with_the_same_rules_goes_on_with_the_study(lab):
    first = studies.current_study(lab.store)
    assert lab.prepare().id == first.id
    pause(lab)
    assert (lab.prepare().id, lab.prepare().state) == (first.id, StudyState.PAUSED)
    assert len(events.read(lab.store, kind=EventKind.STUDY_PREPARED)) == 1


@pytest.mark.parametrize("name", ["skill", "luck"])
def test_other_rules_than_those_of_the_open_study_name_both_and_say_what_to_do(lab, name):
    with pytest.raises(Refused, match=r"aaaaaaaa.*bbbbbbbb.*Put the old rules back.*`blackmagic amend ") as refused:
        lab.prepare(name, "b")
    assert refused.value.reason is Reason.RULES_DIFFER


def test_opening_twice_or_while_paused_is_told(lab):
    def again():
        studies.open_study(lab.store, actor=RESEARCHER, now=lab.now)

    assert refusal(again).reason is Reason.STUDY_OPEN
    pause(lab)
    paused = refusal(again)
    assert (paused.reason, "Resume it" in str(paused)) == (Reason.STUDY_PAUSED, True)
    resume(lab)
    close(lab)
    assert refusal(again).reason is Reason.STUDY_CLOSED


def test_without_any_study_there_is_nothing_to_open(empty_lab):
    lab = empty_lab
    for call in (pause, resume, close, amend, lambda lab: studies.open_study(lab.store, actor="bot", now=lab.now)):
        assert refusal(lambda call=call: call(lab)).reason is Reason.NO_STUDY


def test_a_pause_keeps_newcomers_out_and_lets_the_others_go_on(lab):
    session = lab.seated()
    ready = lab.described()
    pause(lab)
    for not_now in (lab.invite, lambda: lab.begin(ready)):
        with pytest.raises(Refused, match="paused") as refused:
            not_now()
        assert refused.value.reason is Reason.STUDY_PAUSED
    assert lab.tried(session, 60.0).validation_accuracy == 60.0
    resume(lab)
    assert lab.begin(ready).id


def test_pausing_and_resuming_twice_is_told(lab):
    with pytest.raises(Refused, match="nothing to resume"):
        resume(lab)
    pause(lab)
    with pytest.raises(Refused, match="paused already"):
        pause(lab)


def test_the_log_tells_which_researcher_did_it(lab):
    for deed in (pause, resume, close):
        deed(lab)
    told = [(each.kind, each.actor) for each in events.read(lab.store, subject="study:1")]
    assert told[2:] == [
        (EventKind.STUDY_PAUSED, RESEARCHER),
        (EventKind.STUDY_RESUMED, RESEARCHER),
        (EventKind.STUDY_CLOSED, RESEARCHER),
    ]


def test_a_study_is_not_closed_over_somebodys_head(lab):
    session = lab.seated()
    with pytest.raises(Refused, match=r"Still in a session: P001\. Nothing was closed\.") as refused:
        close(lab)
    assert refused.value.reason is Reason.STILL_RUNNING
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    assert close(lab).state is StudyState.CLOSED
    assert studies.current_study(lab.store) is None
    assert studies.newest_study(lab.store).name == "skill"


def test_closing_stops_the_searchers_and_leaves_peoples_evaluations(lab):
    finished(lab)
    baseline = lab.start_random(3)
    assert close(lab).state is StudyState.CLOSED
    (view,) = baselines.members(lab.store, baseline.id)
    assert {each.state for each in view.trials} == {TrialState.CANCELLED}
    assert [(each.id, each.stopped) for each in baselines.statuses(lab.store, 1)] == [(baseline.id, True)]
    assert lab.claim().key == "evaluation:1"


def test_after_the_end_evaluations_still_run_and_nobody_begins(lab):
    ready = lab.described()
    finished(lab)
    close(lab)
    assert lab.claim().key == "evaluation:1"
    with pytest.raises(Refused, match="closed"):
        lab.begin(ready)
    with pytest.raises(Refused, match="There is no study"):
        lab.invite()
    assert refusal(lambda: close(lab)).reason is Reason.STUDY_CLOSED


def test_the_bot_goes_on_with_a_closed_study_of_the_same_rules_which_stays_closed(lab):
    close(lab)
    again = lab.prepare()
    assert (again.id, again.state) == (1, StudyState.CLOSED)
    assert history.status(lab.store, now=lab.now).state is StudyState.CLOSED


def test_a_closed_studys_name_is_taken_and_another_opens_a_new_one(lab):
    close(lab)
    refused = refusal(lambda: lab.prepare(rules="b"))
    assert (refused.reason, "give the new study another name" in str(refused)) == (Reason.STUDY_CLOSED, True)
    assert lab.open("skill 2", "b").id == 2
    assert studies.study_named(lab.store, "skill").id == 1


def test_who_took_part_in_an_earlier_study_is_somebody_new_in_the_next(lab):
    before = lab.invite()
    link = participants.identity_of(lab.store, before.id)
    close(lab)
    assert participants.identity_of(lab.store, before.id) is None
    with lab.store.write() as transaction:  # a bot of an earlier version was killed while it closed the study
        transaction.add(Identity(**link.model_dump()))
    lab.prepare("skill 2")
    lab.invited = 0
    assert refusal(lab.invite).reason is Reason.STUDY_NOT_OPEN
    lab.open("skill 2")
    lab.invited = 0
    after = lab.invite()
    assert (after.id, after.study_id, after.code) == (before.id + 1, 2, "P001")
    assert participants.identity_of(lab.store, before.id) is None
    assert participants.by_slack_user(lab.store, "U0001").id == after.id


def test_an_amendment_changes_the_rules_and_keeps_both_and_the_reason(lab):
    amendment = amend(lab)
    assert (amendment.old_rules_hash, amendment.old_rules) == ("a" * 64, "a")
    assert (amendment.rules_hash, amendment.rules, amendment.at) == ("b" * 64, "b", lab.now)
    study = studies.current_study(lab.store)
    assert (study.rules_hash, study.rules, study.state) == ("b" * 64, "b", StudyState.OPEN)
    assert lab.prepare(rules="b").id == study.id
    assert refusal(lambda: lab.prepare(rules="a")).reason is Reason.RULES_DIFFER
    (event,) = events.read(lab.store, kind=EventKind.STUDY_AMENDED)
    assert (event.actor, event.details["amendment"], event.details["reason"]) == (
        RESEARCHER,
        "longer",
        "the trials take longer than we thought",
    )


def test_amendments_have_names_of_their_own_and_change_something(lab):
    assert refusal(lambda: amend(lab, rules="a")).reason is Reason.NOTHING_TO_AMEND
    amend(lab)
    pause(lab)
    assert refusal(lambda: amend(lab, rules="c")).reason is Reason.NAME_TAKEN
    amend(lab, "back again", "a")
    assert [each.name for each in amendments_of(lab.store, 1)] == ["longer", "back again"]
    with pytest.raises(ValueError, match="a name and a reason"):
        amend(lab, " ", "d")
    close(lab)
    assert refusal(lambda: amend(lab, "late", "d")).reason is Reason.STUDY_CLOSED

import math
from pathlib import Path

import pytest

from storage import events, history, participants, trials
from storage.refusal import Reason, Refused
from storage.states import ParticipantState, SessionState, TrialState


def test_codes_count_up_and_an_invitation_twice_is_one_participant(lab):
    assert [lab.invite().code for _ in range(3)] == ["P001", "P002", "P003"]
    again = participants.invite(lab.store, slack_user="U0002", slack_channel="D9999", now=lab.now)
    assert again.code == "P002"
    assert participants.identity_of(lab.store, again.id).slack_channel == "D9999"


def test_two_invitations_at_the_same_moment_make_one_participant(lab, at_once):
    def invite():
        return participants.invite(lab.store, slack_user="U1", slack_channel="D1", now=lab.now)

    assert {each.code for each in at_once(invite, invite, invite)} == {"P001"}


def test_experience_is_asked_after_consent_once_and_kept(lab):
    participant = lab.invite()

    def describe(months):
        return participants.describe(
            lab.store, participant.id, months=months, education="Doctorate", answers={"age": "30"}, now=lab.now
        )

    with pytest.raises(Refused) as refused:
        describe(3)
    assert refused.value.reason is Reason.NOT_CONSENTED
    assert participants.consent(lab.store, participant.id, consent_hash="c", now=lab.now).consent_hash == "c"
    with pytest.raises(Refused) as refused:
        participants.consent(lab.store, participant.id, consent_hash="d", now=lab.now)
    assert refused.value.reason is Reason.ALREADY_CONSENTED
    assert describe(2.5).state is ParticipantState.DESCRIBED
    with pytest.raises(Refused, match="locked") as refused:
        describe(99)
    assert refused.value.reason is Reason.LOCKED
    kept = participants.get(lab.store, participant.id)
    assert (kept.months, kept.education, kept.answers) == (2.5, "Doctorate", {"age": "30"})


@pytest.mark.parametrize("months", [-1, math.nan, math.inf])
def test_months_are_a_number_from_zero(lab, months):
    participant = lab.invite()
    participants.consent(lab.store, participant.id, consent_hash="c", now=lab.now)
    with pytest.raises(ValueError, match="0 or more"):
        participants.describe(lab.store, participant.id, months=months, education="", answers={}, now=lab.now)


def test_withdrawing_ends_the_session_stops_the_trial_and_empties_the_link(lab):
    session = lab.seated()
    lab.submit(session)
    job = lab.claim()
    withdrawal = participants.withdraw(lab.store, session.participant_id, now=lab.now)
    assert withdrawal.session.state is SessionState.FINISHED
    assert withdrawal.stopping.subject == job.key
    assert participants.identity_of(lab.store, session.participant_id) is None
    assert participants.by_slack_user(lab.store, "U0001") is None
    assert trials.get(lab.store, job.id).cancel_requested_at == lab.now
    with pytest.raises(Refused, match="withdrawn") as refused:
        participants.withdraw(lab.store, session.participant_id, now=lab.now)
    assert refused.value.reason is Reason.WITHDRAWN
    with pytest.raises(Refused, match="withdrawn"):
        lab.begin(participants.get(lab.store, session.participant_id))


def test_withdrawing_cancels_a_waiting_trial_at_once(lab):
    session = lab.seated()
    lab.submit(session)
    withdrawal = participants.withdraw(lab.store, session.participant_id, now=lab.now)
    assert withdrawal.cancelled.state is TrialState.CANCELLED
    assert history.session_view(lab.store, session.id).choice is None


def test_who_withdrew_cannot_be_found_in_the_file(lab, tmp_path: Path):
    participant = participants.invite(lab.store, slack_user="UVERYSECRET", slack_channel="DHIDDEN", now=lab.now)
    participants.withdraw(lab.store, participant.id, now=lab.now)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"UVERYSECRET" not in content
    assert b"DHIDDEN" not in content


def test_forgetting_all_empties_the_links_and_nothing_else(lab):
    session = lab.seated()
    lab.tried(session, 70.0)
    lab.invite()
    before = history.session_view(lab.store, session.id)
    assert participants.forget_all(lab.store, now=lab.now) == 2
    assert participants.identity_of(lab.store, session.participant_id) is None
    assert history.session_view(lab.store, session.id) == before
    assert participants.get(lab.store, session.participant_id).state is ParticipantState.DESCRIBED
    assert participants.forget_all(lab.store, now=lab.now) == 0


def test_the_event_log_knows_codes_only(lab):
    session = lab.seated()
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    participants.withdraw(lab.store, session.participant_id, now=lab.now)
    rows = events.read(lab.store)
    assert {each.participant for each in rows} == {None, "P001"}
    everything = " ".join(each.model_dump_json() for each in rows)
    assert "U0001" not in everything
    assert "D0001" not in everything
    assert [each.kind for each in events.read(lab.store, subject="participant:1")] == [
        "invited",
        "consented",
        "described",
        "withdrawn",
    ]
    assert [each.kind for each in events.read(lab.store, participant="P001", limit=1)] == ["withdrawn"]

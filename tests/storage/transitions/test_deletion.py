"""What is still to be deleted in Slack is written when somebody leaves, names no code, and goes row by row."""

from datetime import timedelta

from sqlmodel import select

from storage import posts
from storage.schema.tables import Post
from storage.transitions import deletion, participants, studies

REPORTS = "C0REPORTS"


def with_messages(lab):
    """Somebody who has finished, with messages in their conversation and in the report channel."""
    session = lab.seated()
    trial = lab.tried(session, 50.0)
    lab.choose(session, 1)
    noted = {"channel": "D0001"}
    posts.remember_for(lab.store, session.id, session.subject, ts="1.1", **noted)
    posts.remember_for(lab.store, session.id, trial.subject, ts="1.2", **noted)
    posts.remember_for(lab.store, session.id, posts.result_of(trial.id), ts="1.3", file_id="F1", **noted)
    posts.remember(lab.store, f"report:{session.id}", ts="9.1")
    for days in (-1, 1, 2):
        posts.remember(lab.store, f"digest:{(lab.now + timedelta(days=days)).isoformat()}", ts=f"8.{days}")
    posts.remember(lab.store, "start:1", ts="7.1")
    lab.later(days=3)
    return session, trial


def remaining(lab):
    return [(each.channel, each.ts, each.file_id) for each in deletion.pending(lab.store)]


def noted(lab):
    with lab.store.read() as transaction:
        return sorted(each.subject.partition(":")[0] for each in transaction.exec(select(Post)))


def test_all_messages_about_somebody_are_to_be_deleted_replies_before_their_root(lab):
    session, _ = with_messages(lab)
    lab.seated()
    given = {"delete_data": True, "report_channel": REPORTS, "now": lab.now}
    participants.withdraw(lab.store, session.participant_id, **given)
    assert remaining(lab) == [
        ("D0001", "1.3", "F1"),
        ("D0001", "1.2", None),
        ("D0001", "1.1", None),
        (REPORTS, "9.1", None),
        (REPORTS, "8.1", None),  # the digests since they have finished
        (REPORTS, "8.2", None),
    ]
    assert noted(lab) == ["digest", "digest", "digest", "start"]


def test_a_message_that_is_deleted_is_forgotten_at_once(lab):
    session, _ = with_messages(lab)
    lab.withdraw(session, delete_data=True)
    first, *rest = deletion.pending(lab.store)
    deletion.done(lab.store, first.id)
    deletion.done(lab.store, first.id)
    assert [each.id for each in deletion.pending(lab.store)] == [each.id for each in rest]


def test_where_data_is_kept_messages_stay_and_nobody_knows_which_they_were(lab):
    session, _ = with_messages(lab)
    withdrawal = lab.withdraw(session)
    assert [each.ts for each in withdrawal.posts] == ["1.3", "1.2", "1.1"]
    assert remaining(lab) == []
    assert noted(lab) == ["digest", "digest", "digest", "report", "start"]


def test_when_the_study_is_closed_nobody_knows_any_more_which_messages_there_were(lab):
    with_messages(lab)
    studies.close_study(lab.store, actor="researcher-1", now=lab.now)
    assert remaining(lab) == []
    assert noted(lab) == ["digest", "digest", "digest", "report", "start"]
    assert participants.identity_of(lab.store, 1) is None  # in the same transaction


def test_a_message_that_is_posted_while_they_leave_is_deleted_or_not_noted(lab):
    kept, deleted = lab.seated(), lab.seated()
    lab.withdraw(kept)
    lab.withdraw(deleted, delete_data=True)
    assert not posts.remember_for(lab.store, kept.id, kept.subject, channel="D0001", ts="1.1")
    assert not posts.remember_for(lab.store, deleted.id, deleted.subject, channel="D0002", ts="2.1", file_id="F2")
    assert noted(lab) == []
    assert remaining(lab) == [("D0002", "2.1", "F2")]

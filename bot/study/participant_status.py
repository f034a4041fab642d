"""A person's status in the study: everything that decides what they can do next."""

from dataclasses import dataclass

from storage.database import Store
from storage.queries import history
from storage.queries.history import SessionView
from storage.schema.states import ParticipantState, StudyState
from storage.transitions import participants, queue, studies


@dataclass(frozen=True)
class ParticipantStatus:
    """A person's status in the study.

    Attributes:
        study: The study's state; closed when there is none.
        participant: The participant's id; none for somebody who does not take part (any more).
        state: How far the participant has come; none for somebody who does not take part.
        position: Their position in the queue, from 1; none when they are not in the queue.
        called: Whether they were called from the queue.
        session: Their session, running or finished.
        has_left: Whether they had agreed to take part in this study and have left it.
    """

    study: StudyState
    participant: int | None = None
    state: ParticipantState | None = None
    position: int | None = None
    called: bool = False
    session: SessionView | None = None
    has_left: bool = False


def status_of(store: Store, user: str) -> ParticipantStatus:
    """Read the status of a Slack user. Somebody who took part in an earlier study is new in this one."""
    study = studies.current_study(store)
    state = study.state if study is not None else StudyState.CLOSED
    participant = participants.by_slack_user(store, user)
    if participant is None or (study is not None and participant.study_id != study.id):
        return ParticipantStatus(state, has_left=participants.has_left(store, user))
    return ParticipantStatus(
        study=state,
        participant=participant.id,
        state=participant.state,
        position=queue.position_of(store, participant.id),
        called=participant.called_at is not None,
        session=history.session_of_participant(store, participant.id),
    )

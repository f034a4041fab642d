"""Where somebody stands in the study: all that decides what they can do next, read at once."""

from dataclasses import dataclass

from storage.database import Store
from storage.queries import history
from storage.queries.history import SessionView
from storage.schema.states import ParticipantState, StudyState
from storage.transitions import participants, queue, studies


@dataclass(frozen=True)
class Standing:
    """Where somebody stands.

    Attributes:
        study: The study's state; closed when there is none.
        participant: The participant's id; none for somebody the study does not know (any more).
        state: How far the participant has come; none where there is no participant.
        place: Their place in line, from 1; none when they do not wait.
        called: Whether they were called from the line.
        session: Their session, running or finished.
    """

    study: StudyState
    participant: int | None = None
    state: ParticipantState | None = None
    place: int | None = None
    called: bool = False
    session: SessionView | None = None


def standing_of(store: Store, user: str) -> Standing:
    """Where a Slack user stands now. Whoever took part in an earlier study is new in this one."""
    study = studies.current_study(store)
    state = study.state if study is not None else StudyState.CLOSED
    participant = participants.by_slack_user(store, user)
    if participant is None or (study is not None and participant.study_id != study.id):
        return Standing(state)
    return Standing(
        study=state,
        participant=participant.id,
        state=participant.state,
        place=queue.place_in_line(store, participant.id),
        called=participant.called_at is not None,
        session=history.session_of_participant(store, participant.id),
    )

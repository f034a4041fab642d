"""Within a transaction: the study that goes on now, and whether it is open; a participant who is a person."""

from sqlmodel import col, select

from storage.database import Transaction
from storage.refusals import Reason, Refused
from storage.schema.states import StudyState
from storage.schema.tables import Participant, Study


def find(transaction: Transaction) -> Study | None:
    """The study that is prepared, open or paused; ``None`` if there is no such study."""
    return transaction.exec(select(Study).where(col(Study.current).is_(True))).first()


def find_newest(transaction: Transaction) -> Study | None:
    """The study that is prepared, open or paused. If all are closed, the newest."""
    return find(transaction) or transaction.exec(select(Study).order_by(col(Study.id).desc())).first()


def need(transaction: Transaction) -> Study:
    """The study that is prepared, open or paused.

    Raises:
        Refused: There is none (``NO_STUDY``).
    """
    study = find(transaction)
    if study is None:
        raise Refused(Reason.NO_STUDY, "There is no study at the moment.")
    return study


def need_newest(transaction: Transaction) -> Study:
    """The study that :func:`find_newest` finds.

    Raises:
        Refused: There is no study yet (``NO_STUDY``).
    """
    study = find_newest(transaction)
    if study is None:
        raise Refused(Reason.NO_STUDY, "There is no study yet.")
    return study


def need_begun(transaction: Transaction) -> Study:
    """The study that is open or paused.

    Raises:
        Refused: There is none (``NO_STUDY``), it is closed (``STUDY_CLOSED``) or not open yet (``STUDY_NOT_OPEN``).
    """
    study = find(transaction)
    if study is None and find_newest(transaction) is not None:
        raise Refused(Reason.STUDY_CLOSED, "The study is closed. Nothing was changed.")
    study = need(transaction)
    if study.state is StudyState.PREPARED:
        raise Refused(Reason.STUDY_NOT_OPEN, f"The study “{study.name}” has not opened yet. Open it first.")
    return study


def need_open(transaction: Transaction, study_id: int) -> Study:
    """This study, if new people may take part and sessions may begin.

    Raises:
        Refused: It has not opened (``STUDY_NOT_OPEN``), is paused (``STUDY_PAUSED``) or closed (``STUDY_CLOSED``).
    """
    study = transaction.need(Study, study_id)
    match study.state:
        case StudyState.PREPARED:
            raise Refused(
                Reason.STUDY_NOT_OPEN,
                "The study has not opened yet. Please write to me again when it has. I look forward to it.",
            )
        case StudyState.PAUSED:
            raise Refused(
                Reason.STUDY_PAUSED,
                "The study is paused at the moment, so no session can begin. Please try again later.",
            )
        case StudyState.CLOSED:
            raise Refused(Reason.STUDY_CLOSED, "The study is closed. Thank you for your interest.")
        case StudyState.OPEN:
            return study


def need_person(transaction: Transaction, participant_id: int) -> Participant:
    """This participant, if it is a person.

    Raises:
        Refused: It is an artificial participant (``NOT_A_PERSON``), or there is none (``UNKNOWN``).
    """
    participant = transaction.need(Participant, participant_id)
    if participant.baseline_id is not None:
        raise Refused(
            Reason.NOT_A_PERSON, f"{participant.code} is a searcher, not a person. Stop the baseline to end its part."
        )
    return participant

"""The study itself: opened with its rules, paused, resumed, closed."""

from datetime import datetime

from sqlmodel import col, select

from storage import events
from storage.columns import utc
from storage.database import Store, Transaction
from storage.refusal import Reason, Refused
from storage.states import Actor, EventKind, SessionState, StudyState
from storage.tables import Participant, Session, Study


def open_study(store: Store, *, name: str, rules_toml: str, rules_hash: str, now: datetime) -> Study:
    """Open a study, or go on with the one that is open (or paused) with the same rules.

    Raises:
        Refused: ``RULES_DIFFER``, other rules are in force; ``STUDY_CLOSED``, a study of that name is over.
    """
    now = utc(now)
    with store.write() as transaction:
        study = find(transaction)
        if study is not None:
            if study.rules_hash != rules_hash:
                raise Refused(
                    Reason.RULES_DIFFER,
                    f"The study “{study.name}” has the rules it was opened with (version {study.rules_hash[:8]}), "
                    f"and these are others (version {rules_hash[:8]}, “{name}”). Nothing was changed. "
                    "Put the old rules back, or close the study and open a new one under another name.",
                )
            return study
        if transaction.exec(select(Study).where(Study.name == name)).first() is not None:
            raise Refused(
                Reason.STUDY_CLOSED,
                f"The study “{name}” is closed and its records are kept. Give the new study another name.",
            )
        study = Study(name=name, rules_toml=rules_toml, rules_hash=rules_hash, opened_at=now)
        transaction.add(study)
        transaction.flush()
        _record(transaction, study, EventKind.STUDY_OPENED, now)
        return study


def current_study(store: Store) -> Study | None:
    """The study that is open or paused."""
    with store.read() as transaction:
        return find(transaction)


def pause_study(store: Store, *, now: datetime) -> Study:
    """Let nobody new in and no session begin; sessions, trials and evaluations go on.

    Raises:
        Refused: No study is open (``NO_STUDY``), or it is paused already (``STUDY_PAUSED``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = need(transaction)
        if study.state is StudyState.PAUSED:
            raise Refused(Reason.STUDY_PAUSED, f"The study “{study.name}” is paused already.")
        study.state, study.paused_at = StudyState.PAUSED, now
        _record(transaction, study, EventKind.STUDY_PAUSED, now)
        return study


def resume_study(store: Store, *, now: datetime) -> Study:
    """End a pause.

    Raises:
        Refused: No study is open (``NO_STUDY``), or it is not paused (``STUDY_OPEN``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = need(transaction)
        if study.state is StudyState.OPEN:
            raise Refused(Reason.STUDY_OPEN, f"The study “{study.name}” is open; there is nothing to resume.")
        study.state, study.paused_at = StudyState.OPEN, None
        _record(transaction, study, EventKind.STUDY_RESUMED, now)
        return study


def close_study(store: Store, *, now: datetime) -> Study:
    """End the study for good. Evaluations that wait still run; the line is emptied.

    Raises:
        Refused: No study is open (``NO_STUDY``), or somebody is still in a session (``STILL_RUNNING``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = need(transaction)
        people = select(Participant).where(Participant.study_id == study.id)
        unfinished = select(Session.participant_id).where(Session.state != SessionState.FINISHED)
        seated = transaction.exec(people.where(col(Participant.id).in_(unfinished)).order_by(Participant.code)).all()
        if seated:
            raise Refused(
                Reason.STILL_RUNNING,
                f"Still in a session: {', '.join(each.code for each in seated)}. Nothing was closed. "
                "Pause the study so that nobody else begins, and close it when they have finished.",
            )
        for waiting in transaction.exec(people.where(col(Participant.waiting_since).is_not(None))):
            waiting.waiting_since = waiting.called_at = None
        study.state, study.current, study.closed_at = StudyState.CLOSED, None, now
        _record(transaction, study, EventKind.STUDY_CLOSED, now)
        return study


def find(transaction: Transaction) -> Study | None:
    """The study that is open or paused, within a transaction."""
    return transaction.exec(select(Study).where(col(Study.current).is_(True))).first()


def need(transaction: Transaction) -> Study:
    """The study that is open or paused, within a transaction.

    Raises:
        Refused: There is none (``NO_STUDY``).
    """
    study = find(transaction)
    if study is None:
        raise Refused(Reason.NO_STUDY, "No study is open at the moment.")
    return study


def need_open(transaction: Transaction, study_id: int) -> Study:
    """That study, if people may come in and begin.

    Raises:
        Refused: It is paused (``STUDY_PAUSED``) or closed (``STUDY_CLOSED``).
    """
    study = transaction.need(Study, study_id)
    if study.state is StudyState.PAUSED:
        raise Refused(Reason.STUDY_PAUSED, "The study is paused at the moment. Please try again later.")
    if study.state is StudyState.CLOSED:
        raise Refused(Reason.STUDY_CLOSED, "The study is closed. Thank you for your interest.")
    return study


def _record(transaction: Transaction, study: Study, kind: EventKind, now: datetime) -> None:
    rules = study.rules_hash
    events.record(transaction, at=now, actor=Actor.RESEARCHER, kind=kind, subject=f"study:{study.id}", rules_hash=rules)

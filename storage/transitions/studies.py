"""The study itself: prepared with its rules, opened, amended, paused, resumed, closed."""

from datetime import datetime

from sqlmodel import col, select

from storage import events
from storage.database import Store, Transaction
from storage.queries.current import find, find_newest, need, need_begun, need_newest, need_open
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, SessionState, StudyState
from storage.schema.tables import Amendment, Participant, Session, Study
from storage.transitions import baselines

__all__ = [
    "amend_study",
    "amendments",
    "close_study",
    "current_study",
    "find",
    "find_newest",
    "get",
    "need",
    "need_begun",
    "need_newest",
    "need_open",
    "newest_study",
    "open_study",
    "pause_study",
    "prepare_study",
    "resume_study",
    "study_named",
]


def prepare_study(store: Store, *, name: str, rules_toml: str, rules_hash: str, now: datetime) -> Study:
    """Make a study that can be opened, or go on with the one that these rules are of.

    While a study is prepared, other rules take the place of its own, and another study takes its place: nobody can
    have taken part. A closed study goes on with its evaluations and its reports, and stays closed.

    Raises:
        Refused: ``RULES_DIFFER``, other rules are in force; ``STUDY_CLOSED``, a study of that name had other rules.
    """
    now = utc(now)
    with store.write() as transaction:
        study = find(transaction)
        if study is not None and study.state is not StudyState.PREPARED:
            if study.rules_hash != rules_hash:
                raise Refused(Reason.RULES_DIFFER, _rules_differ(study, name, rules_hash))
            return study
        named = transaction.exec(select(Study).where(Study.name == name)).first()
        if named is not None and named.state is StudyState.CLOSED and named.rules_hash != rules_hash:
            raise Refused(
                Reason.STUDY_CLOSED,
                f"The study “{name}” is closed, had other rules, and its records are kept. "
                "Give the new study another name.",
            )
        if study is not None and study is not named:
            transaction.delete(study)
            transaction.flush()
        if named is not None and named.rules_hash == rules_hash:
            return named
        study = named or Study(name=name, rules_toml=rules_toml, rules_hash=rules_hash, prepared_at=now)
        study.rules_toml, study.rules_hash, study.prepared_at = rules_toml, rules_hash, now
        transaction.add(study)
        transaction.flush()
        _record(transaction, study, EventKind.STUDY_PREPARED, now, Actor.BOT, name=name)
        return study


def open_study(store: Store, *, actor: str, now: datetime) -> Study:
    """Let people in: prepared → open. From here on the rules are fixed.

    Raises:
        Refused: It is open (``STUDY_OPEN``), paused (``STUDY_PAUSED``) or closed (``STUDY_CLOSED``), or there is none
            (``NO_STUDY``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = find(transaction)
        if study is None and find_newest(transaction) is not None:
            raise Refused(
                Reason.STUDY_CLOSED, "The study is closed for good. A new one needs another name in its study file."
            )
        study = need(transaction)
        if study.state is StudyState.OPEN:
            raise Refused(Reason.STUDY_OPEN, f"The study “{study.name}” is open already.")
        if study.state is StudyState.PAUSED:
            raise Refused(Reason.STUDY_PAUSED, f"The study “{study.name}” is paused: resume it, and it goes on.")
        study.state, study.opened_at = StudyState.OPEN, now
        _record(transaction, study, EventKind.STUDY_OPENED, now, actor)
        return study


def current_study(store: Store) -> Study | None:
    """The study that is prepared, open or paused."""
    with store.read() as transaction:
        return find(transaction)


def newest_study(store: Store) -> Study | None:
    """The study that is prepared, open or paused; when all are closed, the newest of them."""
    with store.read() as transaction:
        return find_newest(transaction)


def get(store: Store, study_id: int) -> Study:
    """The study as of now.

    Raises:
        Refused: There is none (``UNKNOWN``).
    """
    with store.read() as transaction:
        return transaction.need(Study, study_id)


def study_named(store: Store, name: str) -> Study | None:
    """The study of this name, also when it is closed."""
    with store.read() as transaction:
        return transaction.exec(select(Study).where(Study.name == name)).first()


def pause_study(store: Store, *, actor: str, now: datetime) -> Study:
    """Let nobody new in and no session begin; sessions, trials and evaluations go on.

    Raises:
        Refused: It is paused already (``STUDY_PAUSED``), not open yet (``STUDY_NOT_OPEN``), closed (``STUDY_CLOSED``),
            or there is none (``NO_STUDY``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = need_begun(transaction)
        if study.state is StudyState.PAUSED:
            raise Refused(Reason.STUDY_PAUSED, f"The study “{study.name}” is paused already.")
        study.state, study.paused_at = StudyState.PAUSED, now
        _record(transaction, study, EventKind.STUDY_PAUSED, now, actor)
        return study


def resume_study(store: Store, *, actor: str, now: datetime) -> Study:
    """End a pause. Whoever had been called from the line, and could not begin because of it, is to be called anew.

    Raises:
        Refused: It is not paused (``STUDY_OPEN``), not open yet (``STUDY_NOT_OPEN``), closed (``STUDY_CLOSED``), or
            there is none (``NO_STUDY``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = need_begun(transaction)
        if study.state is StudyState.OPEN:
            raise Refused(Reason.STUDY_OPEN, f"The study “{study.name}” is open; there is nothing to resume.")
        study.state, study.paused_at = StudyState.OPEN, None
        called = select(Participant).where(Participant.study_id == study.id, col(Participant.called_at).is_not(None))
        for participant in transaction.exec(called):
            participant.called_at = None
        _record(transaction, study, EventKind.STUDY_RESUMED, now, actor)
        return study


def close_study(store: Store, *, actor: str, now: datetime) -> Study:
    """End the study for good. Evaluations that wait still run; the line is emptied.

    Baselines that run are stopped, as :func:`storage.transitions.baselines.stop` does. Call that one before, to know
    which trials their workers have to stop: those that run here go on to their end otherwise.

    Raises:
        Refused: Somebody is still in a session (``STILL_RUNNING``); it is not open yet (``STUDY_NOT_OPEN``), closed
            (``STUDY_CLOSED``), or there is none (``NO_STUDY``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = need_begun(transaction)
        people = select(Participant).where(Participant.study_id == study.id, col(Participant.baseline_id).is_(None))
        unfinished = select(Session.participant_id).where(Session.state != SessionState.FINISHED)
        seated = transaction.exec(people.where(col(Participant.id).in_(unfinished)).order_by(Participant.code)).all()
        if seated:
            raise Refused(
                Reason.STILL_RUNNING,
                f"Still in a session: {', '.join(each.code for each in seated)}. Nothing was closed. "
                "Pause the study so that nobody else begins, and close it when they have finished.",
            )
        baselines.stop_all(transaction, actor=actor, now=now)
        for waiting in transaction.exec(people.where(col(Participant.waiting_since).is_not(None))):
            waiting.waiting_since = waiting.called_at = None
        study.state, study.current, study.closed_at = StudyState.CLOSED, None, now
        _record(transaction, study, EventKind.STUDY_CLOSED, now, actor)
        return study


def amend_study(
    store: Store, *, name: str, reason: str, rules_toml: str, rules_hash: str, actor: str, now: datetime
) -> Amendment:
    """Change the rules of a study that is open or paused, and keep on record that, when and why.

    Args:
        name: What the amendment is called; different from all others of the study.
        reason: Why the rules are changed.

    Raises:
        Refused: The rules are in force already (``NOTHING_TO_AMEND``), the name was used (``NAME_TAKEN``); the study is
            not open yet (``STUDY_NOT_OPEN``), closed (``STUDY_CLOSED``), or there is none (``NO_STUDY``).
        ValueError: The name or the reason is empty.
    """
    now = utc(now)
    if not name.strip() or not reason.strip():
        raise ValueError("An amendment needs a name and a reason.")
    with store.write() as transaction:
        study = find(transaction)
        if study is not None and study.state is StudyState.PREPARED:
            raise Refused(
                Reason.STUDY_NOT_OPEN,
                f"The study “{study.name}” has not opened yet, so its rules need no amendment: "
                "change the study file, and start the bot again.",
            )
        study = need_begun(transaction)
        if study.rules_hash == rules_hash:
            raise Refused(Reason.NOTHING_TO_AMEND, f"These are the rules of the study “{study.name}” already.")
        of_study = select(Amendment).where(Amendment.study_id == study.id)
        if transaction.exec(of_study.where(Amendment.name == name)).first() is not None:
            raise Refused(
                Reason.NAME_TAKEN,
                f"An amendment is called “{name}” already. Nothing was changed: give this one another.",
            )
        amendment = Amendment(
            study_id=study.id,
            name=name,
            reason=reason,
            at=now,
            old_rules_hash=study.rules_hash,
            old_rules_toml=study.rules_toml,
            rules_hash=rules_hash,
            rules_toml=rules_toml,
        )
        transaction.add(amendment)
        study.rules_toml, study.rules_hash = rules_toml, rules_hash
        _record(transaction, study, EventKind.STUDY_AMENDED, now, actor, amendment=name, reason=reason)
        return amendment


def amendments(store: Store, study_id: int) -> list[Amendment]:
    """A study's amendments, in their order."""
    with store.read() as transaction:
        query = select(Amendment).where(Amendment.study_id == study_id).order_by(col(Amendment.id))
        return list(transaction.exec(query).all())


def _rules_differ(study: Study, name: str, rules_hash: str) -> str:
    return (
        f"The study “{study.name}” has the rules it was opened with (version {study.rules_hash[:8]}), "
        f"and these are others (version {rules_hash[:8]}, “{name}”). Nothing was changed. Put the old rules back; "
        'record the change with `blackmagic amend "NAME" --because "…"`; '
        "or close the study and open a new one under another name."
    )


def _record(
    transaction: Transaction, study: Study, kind: EventKind, now: datetime, actor: str, **details: events.Detail
) -> None:
    events.record(
        transaction,
        at=now,
        actor=actor,
        kind=kind,
        subject=f"study:{study.id}",
        participant=None,
        rules_hash=study.rules_hash,
        **details,
    )

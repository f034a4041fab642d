"""A study is prepared with its rules, opened, amended, paused, resumed, closed."""

from datetime import datetime

from sqlmodel import col, select

from storage import events
from storage.allocation import new_secret
from storage.database import Store, Transaction
from storage.queries.current import find, find_newest, need, need_begun
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import Actor, EventKind, SessionState, StudyState
from storage.schema.tables import Amendment, Participant, Preregistration, Session, Study
from storage.transitions import baselines
from storage.transitions.participants import forget_links


def prepare_study(store: Store, *, name: str, rules: str, rules_hash: str, now: datetime) -> Study:
    """Make a study that can be opened, or find the one that has these rules.

    As long as a study is only prepared, nobody has taken part in it: other rules replace its rules, and a study of
    another name replaces it. A closed study stays closed; its evaluations and reports go on.

    A new study gets the secret from which its allocation sequences follow.

    Args:
        rules: The rules as canonical JSON.
        rules_hash: The SHA-256 of the rules.

    Raises:
        Refused: The study that is open has other rules (``RULES_DIFFER``), or a closed study of that name had other
            rules (``STUDY_CLOSED``).
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
                f"A study “{name}” with other rules is closed, and its records are kept. "
                "Please give the new study another name.",
            )
        if study is not None and study is not named:
            transaction.delete(study)
            transaction.flush()
        if named is not None and named.state is StudyState.PREPARED and named.assignment_secret is None:
            named.assignment_secret = new_secret()  # it was prepared before studies had one
        if named is not None and named.rules_hash == rules_hash:
            return named
        study = named or Study(
            name=name, rules=rules, rules_hash=rules_hash, prepared_at=now, assignment_secret=new_secret()
        )
        study.rules, study.rules_hash, study.prepared_at = rules, rules_hash, now
        transaction.add(study)
        transaction.flush()
        _record(transaction, study, EventKind.STUDY_PREPARED, now, Actor.BOT, name=name)
        return study


def open_study(store: Store, *, actor: str, now: datetime, registration: str | None = None) -> Study:
    """Let people take part: prepared → open. From now on only an amendment changes the rules.

    Args:
        registration: The preregistration as JSON, which is kept from now on; none for a study that is not registered.

    Raises:
        Refused: It is open (``STUDY_OPEN``), paused (``STUDY_PAUSED``) or closed (``STUDY_CLOSED``), or there is none
            (``NO_STUDY``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = find(transaction)
        if study is None and find_newest(transaction) is not None:
            raise Refused(Reason.STUDY_CLOSED, "The study is closed. A new study needs another name in its study file.")
        study = need(transaction)
        if study.state is StudyState.OPEN:
            raise Refused(Reason.STUDY_OPEN, f"The study “{study.name}” is open already.")
        if study.state is StudyState.PAUSED:
            raise Refused(Reason.STUDY_PAUSED, f"The study “{study.name}” is paused. Resume it instead.")
        study.state, study.opened_at = StudyState.OPEN, now
        if registration is not None:
            transaction.add(Preregistration(study_id=study.id, at=now, document=registration))
        _record(transaction, study, EventKind.STUDY_OPENED, now, actor)
        return study


def current_study(store: Store) -> Study | None:
    """The study that is prepared, open or paused; ``None`` if there is no such study."""
    with store.read() as transaction:
        return find(transaction)


def newest_study(store: Store) -> Study | None:
    """The study that is prepared, open or paused. If all are closed, the newest; ``None`` if there is no study."""
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
    """The study of this name, closed or not; ``None`` if there is no such study."""
    with store.read() as transaction:
        return transaction.exec(select(Study).where(Study.name == name)).first()


def pause_study(store: Store, *, actor: str, now: datetime) -> Study:
    """Pause the study: nobody new takes part, and no session begins. Sessions, trials and evaluations go on.

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
    """End a pause. People who were called from the queue before it are called again.

    Raises:
        Refused: It is not paused (``STUDY_OPEN``), not open yet (``STUDY_NOT_OPEN``), closed (``STUDY_CLOSED``), or
            there is none (``NO_STUDY``).
    """
    now = utc(now)
    with store.write() as transaction:
        study = need_begun(transaction)
        if study.state is StudyState.OPEN:
            raise Refused(Reason.STUDY_OPEN, f"The study “{study.name}” is open, so there is nothing to resume.")
        study.state, study.paused_at = StudyState.OPEN, None
        called = select(Participant).where(Participant.study_id == study.id, col(Participant.called_at).is_not(None))
        for participant in transaction.exec(called):
            participant.called_at = None
        _record(transaction, study, EventKind.STUDY_RESUMED, now, actor)
        return study


def close_study(store: Store, *, actor: str, now: datetime) -> Study:
    """End the study for good. Evaluations that wait still run. Nobody is in the queue any more.

    All links between codes and Slack users are deleted in the same transaction: see
    :func:`storage.transitions.participants.forget_links`. A caller who wants to write to somebody looks them up before.

    Baselines that run are stopped, as :func:`storage.transitions.baselines.stop` does. A caller who wants to know which
    trials the workers have to stop calls that function before.

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
                "Pause the study so that nobody else begins. Close it when they have finished.",
            )
        baselines.stop_all(transaction, actor=actor, now=now)
        for participant in transaction.exec(people.where(col(Participant.waiting_since).is_not(None))):
            participant.waiting_since = participant.called_at = None
        study.state, study.current, study.closed_at = StudyState.CLOSED, None, now
        _record(transaction, study, EventKind.STUDY_CLOSED, now, actor)
        forget_links(transaction, now=now, actor=actor)
    store.scrub()
    return study


def amend_study(
    store: Store, *, name: str, reason: str, rules: str, rules_hash: str, actor: str, now: datetime
) -> Amendment:
    """Change the rules of a study that is open or paused, and keep on record what was changed, when and why.

    Args:
        name: The name of the amendment. No other amendment of the study may have it.
        reason: Why the rules are changed.
        rules: The new rules as canonical JSON.
        rules_hash: The SHA-256 of the new rules.

    Raises:
        Refused: The study has these rules already (``NOTHING_TO_AMEND``), the name is taken (``NAME_TAKEN``), the study
            is not open yet (``STUDY_NOT_OPEN``), closed (``STUDY_CLOSED``), or there is none (``NO_STUDY``).
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
                "change the study file and start the bot again.",
            )
        study = need_begun(transaction)
        if study.rules_hash == rules_hash:
            raise Refused(Reason.NOTHING_TO_AMEND, f"The study “{study.name}” has these rules already.")
        of_study = select(Amendment).where(Amendment.study_id == study.id)
        if transaction.exec(of_study.where(Amendment.name == name)).first() is not None:
            raise Refused(
                Reason.NAME_TAKEN,
                f"There is an amendment “{name}” already. Nothing was changed. Please use another name.",
            )
        amendment = Amendment(
            study_id=study.id,
            name=name,
            reason=reason,
            at=now,
            old_rules_hash=study.rules_hash,
            old_rules=study.rules,
            rules_hash=rules_hash,
            rules=rules,
        )
        transaction.add(amendment)
        study.rules, study.rules_hash = rules, rules_hash
        _record(transaction, study, EventKind.STUDY_AMENDED, now, actor, amendment=name, reason=reason)
        return amendment


def _rules_differ(study: Study, name: str, rules_hash: str) -> str:
    return (
        f"The study “{study.name}” has other rules (version {study.rules_hash[:8]}) than the study file "
        f"(version {rules_hash[:8]}, “{name}”). Nothing was changed. Put the old rules back, "
        'record the change with `blackmagic amend "NAME" --because "…"`, '
        "or close the study and open a new one with another name."
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

"""The final choice ends a session. The participant makes it; the clock does when the grace period is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from storage.database import Store, Transaction
from storage.queries.current import need_person
from storage.refusals import Reason, Refused
from storage.schema.columns import utc
from storage.schema.states import Actor, Chooser, NoticeKind, SessionEnd, SessionState, TrialState
from storage.schema.tables import Evaluation, FinalChoice, Session, Trial
from storage.transitions import notices
from storage.transitions.sessions import end_session, last_trial
from storage.transitions.time_credit import code_of
from storage.transitions.trials import describe_end
from training.bounds import Bounds
from training.hyperparameters import Configuration


@dataclass(frozen=True)
class Chosen:
    """How a session ended.

    Attributes:
        session: The session; it is finished.
        choice: The final choice; ``None`` when there was nothing to choose.
        trial: The trial that was chosen; ``None`` when a configuration was.
        stopped: The trial that waited or ran. A worker has to stop it if its state is ``RUNNING``.
    """

    session: Session
    choice: FinalChoice | None
    trial: Trial | None
    stopped: Trial | None


def choose(
    store: Store,
    session_id: int,
    *,
    choice: int | Configuration,
    seeds: Sequence[int],
    training_images: int,
    now: datetime,
    largest_batch: int | None = None,
    most_steps: int | None = None,
    bounds: Bounds = Bounds.OPTIMIZER,
) -> Chosen:
    """End a session with the participant's final choice. Its evaluations wait from now on.

    Args:
        choice: The number of a complete trial, or a configuration.
        seeds: There is one evaluation for each seed. They are the same for every participant.
        training_images: The size of the training split; a batch may not be larger.
        largest_batch, most_steps, bounds: What else bounds a configuration; see :meth:`Configuration.create`.

    Raises:
        Refused: ``SESSION_OVER``, ``TIME_IS_UP`` (the grace period is over), ``NO_SUCH_TRIAL``, ``NOT_COMPLETE``, or
            ``NOT_A_PERSON``.
        InvalidConfiguration: The configuration's batch is too large, or it has too many steps.
        ValueError: There are no seeds, or a seed twice.
    """
    now = utc(now)
    check_seeds(seeds)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        need_person(transaction, session.participant_id)
        need_unfinished(session)
        if session.grace_ends_at is not None and now >= session.grace_ends_at:
            raise Refused(
                Reason.TIME_IS_UP,
                "The time for the final choice is over. We now choose the best of your trials for you.",
            )
        trial: Trial | None = None
        if isinstance(choice, Configuration):
            configuration = Configuration.create(
                choice.as_dict(),
                training_images=training_images,
                largest_batch=largest_batch,
                most_steps=most_steps,
                bounds=bounds,
            )
        else:
            trial = _choosable(transaction, session_id, choice)
            configuration = trial.configuration
        actor = code_of(transaction, session)
        return end_with(transaction, session, configuration, trial, seeds, now, actor, Chooser.PARTICIPANT)


def choose_by_clock(store: Store, session_id: int, *, seeds: Sequence[int], now: datetime) -> Chosen:
    """End a session whose participant made no final choice in the grace period.

    The choice is the complete trial with the best validation accuracy, of equal ones the earlier. Without a complete
    trial, it is the configuration that was submitted last. If nothing was submitted, there is no final choice.

    Raises:
        Refused: It is too early (``NOT_YET``), the session is over (``SESSION_OVER``), or belongs to a searcher
            (``NOT_A_PERSON``).
        ValueError: There are no seeds, or a seed twice.
    """
    now = utc(now)
    check_seeds(seeds)
    with store.write() as transaction:
        session = transaction.need(Session, session_id)
        need_person(transaction, session.participant_id)
        need_unfinished(session)
        if session.state is SessionState.ACTIVE or session.grace_ends_at is None or now < session.grace_ends_at:
            raise Refused(Reason.NOT_YET, "The participant can still choose.")
        trial = best_trial(transaction, session_id) or last_trial(transaction, session_id)
        configuration = trial.configuration if trial is not None else None
        return end_with(transaction, session, configuration, trial, seeds, now, Actor.CLOCK, Chooser.CLOCK)


def best_trial(transaction: Transaction, session_id: int) -> Trial | None:
    """Within a transaction: the complete trial with the best validation accuracy; of equal ones, the earlier."""
    query = select(Trial).where(Trial.session_id == session_id, Trial.state == TrialState.COMPLETE)
    return transaction.exec(query.order_by(col(Trial.validation_accuracy).desc(), col(Trial.number))).first()


def end_with(
    transaction: Transaction,
    session: Session,
    configuration: Configuration | None,
    trial: Trial | None,
    seeds: Sequence[int],
    now: datetime,
    actor: str,
    chooser: Chooser,
) -> Chosen:
    """Within a transaction: end a session with this choice, if there is one, and add its evaluations."""
    final: FinalChoice | None = None
    if configuration is not None:
        final = FinalChoice(
            session_id=session.id,
            trial_id=trial.id if trial else None,
            chosen_by=chooser,
            chosen_at=now,
            **FinalChoice.values(configuration),
        )
        transaction.add(final)
        transaction.flush()
        transaction.add_all(Evaluation(final_choice_id=final.id, seed=seed) for seed in seeds)
    why = (
        f"trial {trial.number} chosen" if trial else "a configuration chosen" if final else "nothing was ever submitted"
    )
    ended_as = SessionEnd.CHOSEN
    if final is None:
        ended_as = SessionEnd.EMPTY
    elif chooser is Chooser.CLOCK:
        ended_as = SessionEnd.CLOCK
    stopped = end_session(transaction, session, ended_as, now=now, actor=actor, why=why)
    notices.add(transaction, NoticeKind.THANKS, session.participant_id, now=now, session_id=session.id)
    return Chosen(session, final, trial, stopped)


def _choosable(transaction: Transaction, session_id: int, number: int) -> Trial:
    query = select(Trial).where(Trial.session_id == session_id, Trial.number == number)
    trial = transaction.exec(query).first()
    if trial is None:
        raise Refused(Reason.NO_SUCH_TRIAL, f"You have no trial {number}. Please choose one from your history.")
    if trial.state is TrialState.COMPLETE:
        return trial
    state = describe_end(trial) if trial.state.is_finished else "has not ended yet"
    raise Refused(
        Reason.NOT_COMPLETE,
        f"Trial {number} {state}. It has no validation accuracy, so you cannot choose it. "
        "Please choose a complete trial, or enter its values as your final configuration.",
    )


def need_unfinished(session: Session) -> None:
    """Within a transaction: check that a session is not over.

    Raises:
        Refused: It is (``SESSION_OVER``).
    """
    if session.state.is_finished:
        raise Refused(Reason.SESSION_OVER, "The session is over already. Nothing was changed.")


def check_seeds(seeds: Sequence[int]) -> None:
    """Check the seeds of evaluations.

    Raises:
        ValueError: They are none, or not different.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"Evaluations need at least one seed, and no seed twice: {list(seeds)}.")

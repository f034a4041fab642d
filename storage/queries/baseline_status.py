"""How far the baselines of a study are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Transaction
from storage.schema.states import Searcher, SessionEnd, SessionState, TrialState
from storage.schema.tables import Baseline, FinalChoice, Participant, Session, Trial


@dataclass(frozen=True)
class BaselineStatus:
    """One baseline at a glance.

    Random search counts its trials, TPE its artificial participants.

    Attributes:
        id, code, searcher, task: The baseline.
        wanted: How many trials, or artificial participants, there are to be.
        tries: How many trials each artificial participant of TPE may submit; ``None`` if that is not limited.
        done: How many have ended, in whatever way.
        complete: How many trials have a validation accuracy, or how many artificial participants have a final choice.
        running: How many run now.
        stopped: Whether a researcher stopped it.
        accuracies: Validation accuracies in percent of the complete trials, or of the final choices, in their order.
    """

    id: int
    code: str
    searcher: Searcher
    task: str
    wanted: int
    tries: int | None
    done: int
    complete: int
    running: int
    stopped: bool
    accuracies: tuple[float, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will run any more, apart from evaluations."""
        return self.done >= self.wanted or (self.stopped and self.running == 0)


def statuses_in(transaction: Transaction, study_id: int) -> tuple[BaselineStatus, ...]:
    """Within a transaction: the baselines of a study, in the order in which they were started."""
    query = select(Baseline).where(Baseline.study_id == study_id).order_by(col(Baseline.id))
    return tuple(_status(transaction, each) for each in transaction.exec(query).all())


def _status(transaction: Transaction, baseline: Baseline) -> BaselineStatus:
    count = _trials if baseline.searcher is Searcher.RANDOM else _members
    done, complete, running, accuracies = count(transaction, baseline.id)
    return BaselineStatus(
        id=baseline.id,
        code=baseline.code,
        searcher=baseline.searcher,
        task=baseline.task,
        wanted=baseline.wanted,
        tries=baseline.tries,
        done=done,
        complete=complete,
        running=running,
        stopped=baseline.stopped_at is not None,
        accuracies=tuple(accuracies),
    )


_Counted = tuple[int, int, int, Sequence[float]]


def _trials(transaction: Transaction, baseline_id: int) -> _Counted:
    query = select(col(Trial.state), col(Trial.validation_accuracy)).join(Session).join(Participant)
    rows = transaction.exec(query.where(Participant.baseline_id == baseline_id).order_by(col(Trial.id))).all()
    return (
        sum(state.is_finished for state, _ in rows),
        sum(state is TrialState.COMPLETE for state, _ in rows),
        sum(state is TrialState.RUNNING for state, _ in rows),
        [accuracy for _, accuracy in rows if accuracy is not None],
    )


def _members(transaction: Transaction, baseline_id: int) -> _Counted:
    of_baseline = Participant.baseline_id == baseline_id
    query = select(col(Session.state), col(Session.ended_as)).join(Participant).where(of_baseline)
    rows = transaction.exec(query).all()
    chosen = select(Trial.validation_accuracy).join(FinalChoice, col(FinalChoice.trial_id) == Trial.id)
    chosen = chosen.join(Session, col(Trial.session_id) == Session.id).join(Participant).where(of_baseline)
    return (
        sum(state.is_finished for state, _ in rows),
        sum(ended_as is SessionEnd.CHOSEN for _, ended_as in rows),
        sum(state is SessionState.ACTIVE for state, _ in rows),
        [each for each in transaction.exec(chosen.order_by(col(Session.id))).all() if each is not None],
    )

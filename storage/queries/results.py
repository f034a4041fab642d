"""Whether a study's test results are hidden, its preregistration, who looked before the end, who came back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Store, Transaction
from storage.registration.document import Registration
from storage.registration.plan import AnalysisPlan
from storage.schema.states import EventKind, StudyState
from storage.schema.tables import Event, Preregistration, Study
from storage.study_rules import parse_rules


@dataclass(frozen=True)
class Look:
    """Somebody read test results before the study was closed.

    Attributes:
        who: The actor, such as ``researcher-1``.
        day: When (ISO, UTC).
        what: What they read, such as ``report``, ``report figure-4``, ``export``.
    """

    who: str
    day: str
    what: str


def hides_results(study: Study | None) -> bool:
    """Whether nobody may read test results of a study now: it has opened and is not closed, and its rules hide them."""
    if study is None or study.state not in (StudyState.OPEN, StudyState.PAUSED):
        return False
    return AnalysisPlan.read(parse_rules(study.rules).get("analysis")).interim == "hidden"


def preregistration_in(transaction: Transaction, study_id: int) -> Registration | None:
    """Within a transaction: what was settled before the study opened; ``None`` if nothing was."""
    row = transaction.get(Preregistration, study_id)
    return None if row is None else Registration.read(row.document)


def preregistration(store: Store, study_id: int) -> Registration | None:
    """What was settled before the study opened; ``None`` if nothing was."""
    with store.read() as transaction:
        return preregistration_in(transaction, study_id)


def looks_in(transaction: Transaction, study_id: int) -> Sequence[Look]:
    """Within a transaction: the looks at a study's test results before it was closed, in their order."""
    query = select(Event).where(col(Event.kind) == EventKind.INTERIM_LOOK, col(Event.subject) == f"study:{study_id}")
    found = transaction.exec(query.order_by(col(Event.id))).all()
    return tuple(Look(each.actor, each.at.date().isoformat(), str(each.details.get("what", ""))) for each in found)


def let_in_again(transaction: Transaction) -> frozenset[str]:
    """The participants, such as ``participant:5``, who had left their study and were let in again by a researcher."""
    query = select(Event.subject).where(col(Event.kind) == EventKind.LET_IN_AGAIN)
    return frozenset(transaction.exec(query).all())

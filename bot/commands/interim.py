"""What commands do with test results of a study that is not closed: hide them, and record who looks."""

from datetime import UTC, datetime

from storage.database import Store
from storage.queries.results import hides_results
from storage.refusals import Reason, Refused
from storage.schema.states import Actor
from storage.schema.tables import Study
from storage.transitions import studies
from storage.transitions.looks import record_look

INTERIM = "Show test results although the study is not closed. It is recorded, and the final report counts it."


def find(store: Store, study_id: int | None) -> Study | None:
    """The study with this number; the newest if none is named."""
    return studies.newest_study(store) if study_id is None else studies.get(store, study_id)


def look(store: Store, study_id: int | None, *, what: str, interim: bool) -> None:
    """Put on record that test results are read, if the study is not closed.

    Args:
        study_id: The study; the newest if none is named.
        what: What is read, such as ``report``.
        interim: Whether ``--interim`` was typed.

    Raises:
        Refused: The results are hidden, and ``--interim`` was not typed (``RESULTS_HIDDEN``).
    """
    study = find(store, study_id)
    if study is None:
        return
    if hides_results(study) and not interim:
        raise Refused(
            Reason.RESULTS_HIDDEN,
            f"The study “{study.name}” is not closed, and its results are hidden until then. Nothing was written. "
            "--interim makes the report now: that is recorded, and the final report counts it.",
        )
    record_look(store, study.id, what=what, actor=Actor.RESEARCHER, now=datetime.now(UTC))

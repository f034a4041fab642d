"""The pages that researchers turn: the study at a glance, its participants, one of them."""

from bot.researcher.views.pages import Page, Place, Subject
from bot.researcher.views.people import Known, participant_page, participants_page
from bot.researcher.views.status import status_page
from bot.study.service import Study
from storage.queries import history, people
from storage.refusals import Reason, Refused
from storage.schema.tables import Study as StoredStudy
from storage.transitions import evaluations, studies


def page(study: Study, place: Place, note: str = "") -> Page:
    """A page as it is now; a number beyond the last is the last.

    Args:
        study: The running study.
        place: Which page.
        note: What was done just now.

    Raises:
        Refused: There is no such participant, or no study.
    """
    match place.subject:
        case Subject.STATUS:
            status = history.status(study.store, now=study.now())
            slots = study.settings.machine.slots
            return status_page(status, study.parts.jobs.slots_ready, slots, study.now(), place.number)
        case Subject.PARTICIPANTS:
            found = people.people(study.store, stored(study).id)
            group = study.settings.groups.group
            groups = {each.code: group(each.months) for each in found if each.months is not None}
            return participants_page(found, groups, place.number)
        case Subject.PARTICIPANT:
            return participant_page(known(study, place.code), place.number, note)


def known(study: Study, code: str) -> Known:
    """All that a researcher may see of a participant.

    Raises:
        Refused: There is none of this code.
    """
    person = study.research.find(code)
    session = history.session_of_participant(study.store, person.id)
    choice = session.choice if session is not None else None
    summary = evaluations.evaluation_summary(study.store, choice.id) if choice is not None else None
    group = study.settings.groups.group(person.months) if person.months is not None else ""
    return Known(person, group, session, summary)


def stored(study: Study) -> StoredStudy:
    """The study as it is kept, also when it is closed.

    Raises:
        Refused: There is none.
    """
    found = studies.study_named(study.store, study.settings.study.name)
    if found is None:
        raise Refused(Reason.NO_STUDY, "There is no study yet.")
    return found

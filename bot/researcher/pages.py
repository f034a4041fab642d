"""The pages that researchers turn: the study at a glance, its participants, one of them."""

from bot.researcher.context import ResearcherContext
from bot.researcher.views.pages import Page, Place, Subject
from bot.researcher.views.people import Known, participant_page, participants_page
from bot.researcher.views.status import status_page
from storage.queries import history, people
from storage.refusals import Reason, Refused
from storage.schema.tables import Study as StoredStudy
from storage.transitions import evaluations, studies


def page(context: ResearcherContext, place: Place, note: str = "") -> Page:
    """A page as it is now; a number beyond the last is the last.

    Args:
        context: What researchers work with.
        place: Which page.
        note: What was done just now.

    Raises:
        Refused: There is no such participant, or no study.
    """
    match place.subject:
        case Subject.STATUS:
            status = history.status(context.store, now=context.now())
            slots = context.settings.machine.slots
            return status_page(status, context.jobs.slots_ready, slots, context.now(), place.number)
        case Subject.PARTICIPANTS:
            found = people.people(context.store, stored(context).id)
            group = context.settings.groups.group
            groups = {each.code: group(each.months) for each in found if each.months is not None}
            return participants_page(found, groups, place.number)
        case Subject.PARTICIPANT:
            return participant_page(known(context, place.code), place.number, note)


def known(context: ResearcherContext, code: str) -> Known:
    """All that a researcher may see of a participant.

    Raises:
        Refused: There is none of this code.
    """
    person = context.actions.find(code)
    session = history.session_of_participant(context.store, person.id)
    choice = session.choice if session is not None else None
    summary = evaluations.evaluation_summary(context.store, choice.id) if choice is not None else None
    group = context.settings.groups.group(person.months) if person.months is not None else ""
    return Known(person, group, session, summary)


def stored(context: ResearcherContext) -> StoredStudy:
    """The study as it is kept, also when it is closed.

    Raises:
        Refused: There is none.
    """
    found = studies.study_named(context.store, context.settings.study.name)
    if found is None:
        raise Refused(Reason.NO_STUDY, "There is no study yet.")
    return found

"""The pages that researchers look at: the study's status, its participants, one participant."""

from bot.researcher.context import ResearcherContext
from bot.researcher.views.pages import Page, Place, Subject
from bot.researcher.views.people import ParticipantDetails, participant_page, participants_page
from bot.researcher.views.status import status_page
from storage import events
from storage.queries import history, people
from storage.queries.results import hides_results
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind, NoticeKind
from storage.schema.tables import Study as StoredStudy
from storage.transitions import evaluations, notices, studies


def page(context: ResearcherContext, place: Place, note: str = "") -> Page:
    """A page as it is now. A page number that is too large means the last page.

    Args:
        context: What researchers work with.
        place: Which page.
        note: A sentence about what was just done.

    Raises:
        Refused: There is no such participant, or no study.
    """
    match place.subject:
        case Subject.STATUS:
            status = history.status(context.store, now=context.now())
            slots = context.settings.machine.slots
            return status_page(status, context.jobs.slots_ready, slots, context.now(), place.number)
        case Subject.PARTICIPANTS:
            study = stored(context)
            lines = people.people(context.store, study.id)
            group = context.settings.groups.group
            groups = {line.code: group(line.months) for line in lines if line.months is not None}
            again, hidden = _let_in_again(context), hides_results(study)
            return participants_page(lines, groups, place.number, again=again, hidden=hidden)
        case Subject.PARTICIPANT:
            return participant_page(details_of(context, place.code), place.number, note)


def details_of(context: ResearcherContext, code: str) -> ParticipantDetails:
    """All that a researcher may see of a participant.

    Raises:
        Refused: There is no participant with this code.
    """
    person = context.actions.find(code)
    session = history.session_of_participant(context.store, person.id)
    choice = session.choice if session is not None else None
    summary = evaluations.evaluation_summary(context.store, choice.id) if choice is not None else None
    group = context.settings.groups.group(person.months) if person.months is not None else ""
    greeted = not notices.awaits(context.store, person.id, NoticeKind.GREETING)
    again, hidden = person.code in _let_in_again(context), hides_results(studies.get(context.store, person.study_id))
    return ParticipantDetails(person, greeted, group, session, summary, again, hidden)


def _let_in_again(context: ResearcherContext) -> frozenset[str]:
    """The codes of people who had left the study before and were let in again."""
    recorded = events.read(context.store, kind=EventKind.LET_IN_AGAIN)
    return frozenset(event.participant for event in recorded if event.participant is not None)


def stored(context: ResearcherContext) -> StoredStudy:
    """The study as the database has it, also when it is closed.

    Raises:
        Refused: There is no study yet.
    """
    study = studies.study_named(context.store, context.settings.study.name)
    if study is None:
        raise Refused(Reason.NO_STUDY, "There is no study yet.")
    return study

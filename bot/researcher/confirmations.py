"""What an action would do to whom: looked up before a researcher is asked, and again before it is done."""

from bot.researcher.context import ResearcherContext
from bot.researcher.views.confirmations import Deed, Question, named
from bot.slack.block_kit import duration, escape, percent
from storage.queries import history
from storage.queries.history import SessionView, Status
from storage.refusals import Reason, Refused
from storage.schema.states import ParticipantState, SessionState, StudyState
from storage.transitions import participants

_STATES_BEFORE = {
    Deed.OPEN: (StudyState.PREPARED,),
    Deed.PAUSE: (StudyState.OPEN,),
    Deed.RESUME: (StudyState.PAUSED,),
    Deed.CLOSE: (StudyState.OPEN, StudyState.PAUSED),
}

_NOT_NOW = {
    StudyState.PREPARED: (Reason.STUDY_NOT_OPEN, "The study has not opened yet: `/study open` opens it."),
    StudyState.OPEN: (Reason.STUDY_OPEN, "The study is open already: there is nothing to do."),
    StudyState.PAUSED: (Reason.STUDY_PAUSED, "The study is paused already: `/study resume` lets it go on."),
    StudyState.CLOSED: (Reason.STUDY_CLOSED, "The study is closed, and stays so."),
}


def question(context: ResearcherContext, deed: Deed, code: str = "") -> Question:
    """What the deed would do now.

    Args:
        context: What researchers work with.
        deed: What a researcher wants.
        code: The participant whom it is about, if it is about one.

    Raises:
        Refused: It cannot be done now.
    """
    if deed is Deed.CANCEL:
        return _cancel(context, code)
    if deed is Deed.WITHDRAW:
        return _withdraw(context, code)
    status = history.status(context.store, now=context.now())
    if status.state not in _STATES_BEFORE[deed]:
        raise Refused(*_NOT_NOW[status.state])
    tuning = tuple(each.participant for each in status.running)
    known = (str(status.state), *tuning, "in line", *status.in_queue)
    name = f"“{escape(status.study)}”"
    match deed:
        case Deed.OPEN:
            rules = context.settings.rules_hash()[:8]
            limit = context.settings.time.limit_minutes
            effects = [
                f"People are let in: each tunes for up to {limit:g} minutes, {context.settings.machine.slots} at once.",
                f"The rules (version {rules}) are fixed: later changes need `blackmagic amend`.",
            ]
            return Question(deed, f"Open the study {name}?", tuple(effects), "Yes, open it", known)
        case Deed.PAUSE:
            effects = [
                _tuning(tuning, "they go on to the end of their time"),
                _waiting(status, "they keep their place"),
                _left(status),
                "Nobody new is let in, and no session begins, until `/study resume`.",
            ]
            return Question(deed, f"Pause the study {name}?", tuple(effects), "Yes, pause it", known)
        case Deed.RESUME:
            effects = [
                "People are let in again, and sessions begin.",
                _waiting(status, "they are called as seats become free"),
            ]
            return Question(deed, f"Let the study {name} go on?", tuple(effects), "Yes, resume it", known)
        case _:
            return _close(status, name, known)


def _close(status: Status, name: str, known: tuple[str, ...]) -> Question:
    if status.running:
        seated = named(each.participant for each in status.running)
        raise Refused(
            Reason.STILL_RUNNING,
            f"Still in a session: {seated}. Nothing was closed. `/study pause` lets nobody else begin; close the "
            "study when they have finished, or end a session with `/study cancel`.",
        )
    people = sum(count for state, count in status.participants.items() if state is not ParticipantState.WITHDRAWN)
    effects = [
        "Nobody is in a session.",
        _waiting(status, "they are told that it is over"),
        _left(status),
        f"The links between {people} {'code and its Slack user' if people == 1 else 'codes and their Slack users'} "
        "are deleted: nobody can be written to any more.",
        "This is for good: the study cannot be opened again.",
    ]
    running = [each.code for each in status.baselines if not each.is_over]
    if running:
        effects.insert(2, f"Running baselines are stopped: {named(running)}.")
    return Question(
        Deed.CLOSE,
        f"Close the study {name}?",
        tuple(effects),
        "Yes, close it for good",
        (*known, "baselines", *running),
    )


def _cancel(context: ResearcherContext, code: str) -> Question:
    person = context.actions.find(code)
    session = history.session_view(context.store, context.actions.session_of(code).id)
    effects = [_so_far(context, session), *_training(session), "Their trials are kept; there is no final choice."]
    effects += ["They are told kindly, and their buttons go.", "This cannot be taken back: nobody has two sessions."]
    known = (person.code, str(session.state), str(len(session.trials)))
    return Question(
        Deed.CANCEL, f"End the session of {person.code}?", tuple(effects), "Yes, end it", known, person.code
    )


def _withdraw(context: ResearcherContext, code: str) -> Question:
    person = context.actions.find(code)
    if person.state is ParticipantState.WITHDRAWN:
        raise Refused(Reason.WITHDRAWN, f"{person.code} has left the study already.")
    session = history.session_of_participant(context.store, person.id)
    effects = []
    if session is not None and not session.state.is_finished:
        effects += [f"Their session ends. {_so_far(context, session)}", *_training(session)]
    if context.settings.study.delete_withdrawn:
        tries = len(session.trials) if session is not None else 0
        effects.append(
            f"As they agreed to, everything that they entered and trained is deleted: their answers, {tries} "
            f"{'trial' if tries == 1 else 'trials'}, the final choice and its evaluations."
        )
    else:
        effects.append("As they agreed to, what they did is kept under the code.")
    reached = participants.identity_of(context.store, person.id) is not None
    effects.append(
        "The link between the code and their Slack user is deleted" + (", and they are told." if reached else ".")
    )
    effects.append("This cannot be taken back.")
    known = (person.code, str(person.state), *_known(session))
    title = f"Take {person.code} out of the study?"
    return Question(Deed.WITHDRAW, title, tuple(effects), "Yes, take them out", known, person.code)


def _known(session: SessionView | None) -> tuple[str, ...]:
    return () if session is None else (str(session.state), str(len(session.trials)))


def _so_far(context: ResearcherContext, session: SessionView) -> str:
    tries = f"{len(session.trials)} {'try' if len(session.trials) == 1 else 'tries'} so far"
    best = session.best
    if best is not None and best.validation_accuracy is not None:
        tries += f", the best {percent(best.validation_accuracy)}"
    if session.state is SessionState.CHOOSING:
        return f"{tries}; their time is up, and they have not chosen yet."
    return f"{tries}; they have {duration(session.time_left(context.now()))} left."


def _training(session: SessionView) -> list[str]:
    running = session.unfinished
    return [] if running is None else [f"Trial {running.number} is in progress: it is stopped."]


def _tuning(codes: tuple[str, ...], what: str) -> str:
    return f"In a session now: {len(codes)} ({named(codes)}); {what}." if codes else "Nobody is in a session."


def _waiting(status: Status, what: str) -> str:
    codes = status.in_queue
    return f"In line: {len(codes)} ({named(codes)}); {what}." if codes else "Nobody waits in line."


def _left(status: Status) -> str:
    left = sum(count for state, count in status.evaluations.items() if not state.is_finished)
    return f"Evaluations left: {left}; they go on." if left else "No evaluations are left."

"""What an action would do: looked up before a researcher is asked, and again before the action is done."""

from bot.researcher import pages
from bot.researcher.context import ResearcherContext
from bot.researcher.views.answers import told
from bot.researcher.views.confirmations import Action, Question, named
from bot.researcher.views.slack_check import left_unchecked
from bot.slack.block_kit import duration, escape, percent
from bot.study.registration import registration
from storage import slack_checks
from storage.queries import history
from storage.queries.history import SessionView, Status
from storage.queries.results import hides_results
from storage.refusals import Reason, Refused
from storage.schema.states import ParticipantState, SessionState, StudyState
from storage.transitions import evaluations

_STATES_BEFORE = {
    Action.OPEN: (StudyState.PREPARED,),
    Action.PAUSE: (StudyState.OPEN,),
    Action.RESUME: (StudyState.PAUSED,),
    Action.CLOSE: (StudyState.OPEN, StudyState.PAUSED),
}

_NOT_NOW = {
    StudyState.PREPARED: (Reason.STUDY_NOT_OPEN, "The study has not opened yet. `/study open` opens it."),
    StudyState.OPEN: (Reason.STUDY_OPEN, "The study is open already. There is nothing to do."),
    StudyState.PAUSED: (Reason.STUDY_PAUSED, "The study is paused already. `/study resume` ends the pause."),
    StudyState.CLOSED: (Reason.STUDY_CLOSED, "The study is closed. It cannot be opened again."),
}


def question(context: ResearcherContext, action: Action, code: str = "") -> Question:
    """The question about an action, with what the action would do now.

    Args:
        context: What researchers work with.
        action: The action that a researcher wants.
        code: The code of the participant, for an action that is about one; the part of the report.

    Raises:
        Refused: It cannot be done now.
    """
    if action.is_look:
        return _look(context, action, code)
    if action is Action.CANCEL:
        return _cancel(context, code)
    if action is Action.WITHDRAW:
        return _withdraw(context, code)
    if action is Action.CANCEL_EVALUATIONS:
        return _cancel_evaluations(context, code)
    status = history.status(context.store, now=context.now())
    if status.state not in _STATES_BEFORE[action]:
        raise Refused(*_NOT_NOW[status.state])
    tuning = tuple(session.participant for session in status.running)
    known = (str(status.state), *tuning, "in the queue", *status.in_queue)
    name = f"“{escape(status.study)}”"
    match action:
        case Action.OPEN:
            if lacks := context.settings.lacks_to_open():
                raise Refused(Reason.NOT_READY, escape(lacks))
            people = registration(context.settings, context.now().date()).plan.target_participants
            rules = context.settings.rules_hash()[:8]
            limit = context.settings.time.limit_minutes
            effects = [
                f"People can join. Each tunes for up to {limit:g} minutes, {context.settings.machine.slots} at once.",
                f"The rules (version {rules}) are fixed. Later changes need `blackmagic amend`.",
                f"The preregistration (hypothesis, primary test, {people} people) is written and posted in the report "
                "channel. Upload it to a registry such as OSF before the first participant.",
            ]
            effects += [
                f"{each.name} is for demonstration only: it is not fit to measure skill. `blackmagic pilot --task "
                f"{each.name}` says why."
                for each in context.settings.study_tasks()
                if each.shows_only
            ]
            team = context.slack.team_id
            unchecked = left_unchecked(slack_checks.newest(context.store), team, context.settings.slack.live_plots)
            if unchecked:
                effects.append(unchecked)
                known = (*known, unchecked)
            return Question(action, f"Open the study {name}?", tuple(effects), "Yes, open it", known)
        case Action.PAUSE:
            effects = [
                _tuning(tuning, "Their sessions go on to the end."),
                _waiting(status, "They keep their positions."),
                _left(status),
                "Until `/study resume`, nobody new can join and no session can start.",
            ]
            return Question(action, f"Pause the study {name}?", tuple(effects), "Yes, pause it", known)
        case Action.RESUME:
            effects = [
                "People can join again, and sessions can start.",
                _waiting(status, "They are called when places are free."),
            ]
            return Question(action, f"Resume the study {name}?", tuple(effects), "Yes, resume it", known)
        case _:
            return _close(status, name, known)


def _look(context: ResearcherContext, action: Action, part: str) -> Question:
    study = pages.stored(context)
    if not hides_results(study):
        raise Refused(Reason.STUDY_CLOSED, f"Results are not hidden any more. `/study {action}` sends them.")
    what = "the open data with test results" if action is Action.EXPORT else f"{part or 'the report'}"
    effects = (
        "The study is not closed, and its results are hidden until then. Who looks again and again finds effects that "
        "are not there: one look after each of 10 to 31 people does so in about one study of five.",
        "This look is recorded in the event log under your name there, and the final report lists it.",
        "It cannot be undone. `/study status` and `/study participants` show how far the study is.",
    )
    known = (str(study.state), str(study.id))
    return Question(action, f"Look at {what} before the end?", effects, "Yes, send it", known, part)


def _close(status: Status, name: str, known: tuple[str, ...]) -> Question:
    if status.running:
        running = named(session.participant for session in status.running)
        raise Refused(
            Reason.STILL_RUNNING,
            f"Still in a session: {running}. The study was not closed. Use `/study pause` so that nobody else can "
            "start. Close the study when they have finished, or end their sessions with `/study cancel`.",
        )
    people = sum(count for state, count in status.participants.items() if state is not ParticipantState.WITHDRAWN)
    effects = [
        "Nobody is in a session.",
        _waiting(status, "They are told that the study is over."),
        _left(status),
        f"The links between {people} {'code and its Slack user' if people == 1 else 'codes and their Slack users'} "
        "are deleted. I cannot write to anybody any more.",
        "This cannot be undone: the study cannot be opened again.",
    ]
    unfinished = [baseline.code for baseline in status.baselines if not baseline.is_over]
    if unfinished:
        effects.insert(2, f"Running baselines are stopped: {named(unfinished)}.")
    return Question(
        Action.CLOSE,
        f"Close the study {name}?",
        tuple(effects),
        "Yes, close it for good",
        (*known, "baselines", *unfinished),
    )


def _cancel(context: ResearcherContext, code: str) -> Question:
    person = context.actions.find(code)
    session = history.session_view(context.store, context.actions.session_of(code).id)
    effects = [_so_far(context, session), *_training(session), "Their trials are kept. There is no final choice."]
    effects.append(f"{told(context.actions.reach(person))} Their buttons disappear.")
    effects.append("This cannot be undone: nobody can have a second session.")
    known = (person.code, str(session.state), str(len(session.trials)))
    return Question(
        Action.CANCEL, f"End the session of {person.code}?", tuple(effects), "Yes, end it", known, person.code
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
        trials = len(session.trials) if session is not None else 0
        effects.append(
            f"As they agreed, everything that they entered and trained is deleted: their answers, {trials} "
            f"{'trial' if trials == 1 else 'trials'}, the final choice and its evaluations."
        )
    else:
        effects.append("As they agreed, what they did is kept under the code.")
    effects.append(f"The link between the code and their Slack user is deleted. {told(context.actions.reach(person))}")
    effects.append("This cannot be undone.")
    known = (person.code, str(person.state), *_state_of(session))
    title = f"Take {person.code} out of the study?"
    return Question(Action.WITHDRAW, title, tuple(effects), "Yes, take them out", known, person.code)


def _cancel_evaluations(context: ResearcherContext, code: str) -> Question:
    person = context.actions.find(code)
    session = history.session_of_participant(context.store, person.id)
    choice = session.choice if session is not None else None
    summary = evaluations.evaluation_summary(context.store, choice.id) if choice is not None else None
    if summary is None or summary.all_done:
        raise Refused(
            Reason.NOT_RUNNING, f"No evaluation of {person.code} is waiting or running, so there is nothing to cancel."
        )
    left = summary.total - summary.done
    rest = f"The results of {summary.done} that have ended are kept, and the report uses those that are complete."
    if not summary.done:
        rest = "None has ended, so the report has no final accuracy for them."
    effects = (
        f"{left} of {summary.total} are waiting or running. They are cancelled, and slots are free for others.",
        rest,
        f"The participant is not told. `/study evaluate {person.code}` runs cancelled evaluations from the beginning.",
    )
    known = (person.code, str(left))
    title = f"Cancel the evaluations of {person.code}?"
    return Question(Action.CANCEL_EVALUATIONS, title, effects, "Yes, cancel them", known, person.code)


def _state_of(session: SessionView | None) -> tuple[str, ...]:
    return () if session is None else (str(session.state), str(len(session.trials)))


def _so_far(context: ResearcherContext, session: SessionView) -> str:
    trials = f"{len(session.trials)} {'trial' if len(session.trials) == 1 else 'trials'} so far"
    best = session.best
    if best is not None and best.validation_accuracy is not None:
        trials += f", the best {percent(best.validation_accuracy)}"
    if session.state is SessionState.CHOOSING:
        return f"{trials}. Their time is up, and they have not chosen yet."
    return f"{trials}. They have {duration(session.time_left(context.now()))} left."


def _training(session: SessionView) -> list[str]:
    running = session.unfinished
    return [] if running is None else [f"Trial {running.number} is in progress. It is stopped."]


def _tuning(codes: tuple[str, ...], what: str) -> str:
    return f"In a session now: {len(codes)} ({named(codes)}). {what}" if codes else "Nobody is in a session."


def _waiting(status: Status, what: str) -> str:
    codes = status.in_queue
    return f"In the queue: {len(codes)} ({named(codes)}). {what}" if codes else "Nobody is in the queue."


def _left(status: Status) -> str:
    left = sum(count for state, count in status.evaluations.items() if not state.is_finished)
    return f"Evaluations left: {left}. They go on." if left else "No evaluations are left."

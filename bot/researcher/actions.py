"""The commands of ``/study`` that change something: the study's state, participants, baselines, evaluations."""

import threading
from collections.abc import Callable, Mapping, Sequence

from cachetools import LRUCache

from bot.researcher import file_delivery
from bot.researcher.confirmations import question
from bot.researcher.context import Request, ResearcherContext
from bot.researcher.parsing import Misspelt, count_of, length_of, nearest, too_much
from bot.researcher.views import answers
from bot.researcher.views.confirmations import Action, Confirmation, question_message
from bot.runner.baselines import MOST
from bot.slack.block_kit import duration, text_message
from storage.queries import history
from storage.schema.states import SessionState

MOST_TRIES = 1_000
_MOST_REMEMBERED = 1_000

_MOST_AT_ONCE = 10
"""Invitations of more people take so long that it is said that they are on their way."""

Outcome = Callable[[ResearcherContext, str, str], str]
"""Does an action to the study or to the participant with a code, as an actor, and says what was done."""


def ask(action: Action, context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Say what an action would do, and ask for a confirmation."""
    if len(words) != action.is_about_somebody:
        raise Misspelt("Name one participant." if action.is_about_somebody else too_much(words))
    request.say(question_message(question(context, action, words[0] if words else "")))


class Confirmed:
    """Does what researchers confirm. It remembers the questions that were answered: a press may come twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: LRUCache[tuple[str, str], bool] = LRUCache(_MOST_REMEMBERED)

    def take(self, context: ResearcherContext, request: Request) -> None:
        """Do the action whose *yes* button was pressed, once."""
        question_asked = (request.interaction.message_ts, request.text)
        with self._lock:
            if question_asked in self._answered:
                return
            self._answered[question_asked] = True
        done = False
        try:
            done = _confirmed(context, request)
        finally:
            if not done:  # it may be tried again
                with self._lock:
                    self._answered.pop(question_asked, None)


def _confirmed(context: ResearcherContext, request: Request) -> bool:
    """Do the action, unless its effects are different now. Returns whether it was done."""
    confirmation = Confirmation.read(request.text)
    asked_now = question(context, confirmation.action, confirmation.code)
    if asked_now.mark != confirmation.mark:
        request.say(question_message(asked_now, again=True))
        return False
    actor = context.note(request, f"{confirmation.action} {confirmation.code}".strip() + " (confirmed)")
    if confirmation.action.is_look:
        file_delivery.send_interim(context, request, confirmation.action, confirmation.code)
        return True
    request.report(text_message(_OUTCOMES[confirmation.action](context, actor, confirmation.code)))
    return True


def _opened(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.open(actor)
    return "✅ The study is open. `/study invite @somebody` invites people. People who write to me can join, too."


def _paused(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.pause(actor)
    return "✅ The study is paused. `/study resume` ends the pause."


def _resumed(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.resume(actor)
    return "✅ The study is open again."


def _closed(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.close(actor)
    return (
        "✅ The study is closed. The evaluations that are left still run. "
        "You can still use `/study report` and `/study export`."
    )


def _cancelled(context: ResearcherContext, actor: str, code: str) -> str:
    context.actions.cancel(code, actor)
    return f"✅ The session of {code} has ended. {answers.told(context.actions.reach(context.actions.find(code)))}"


def _withdrawn(context: ResearcherContext, actor: str, code: str) -> str:
    context.actions.withdraw(code, actor)
    what = "deleted" if context.settings.study.delete_withdrawn else "kept under the code"
    return f"✅ {code} is out of the study. Their data is {what}."


def _evaluations_cancelled(context: ResearcherContext, actor: str, code: str) -> str:
    count = context.actions.cancel_evaluations(code, actor)
    return f"✅ Evaluations of {code} that were cancelled: {count}."


_OUTCOMES: Mapping[Action, Outcome] = {
    Action.OPEN: _opened,
    Action.PAUSE: _paused,
    Action.RESUME: _resumed,
    Action.CLOSE: _closed,
    Action.CANCEL: _cancelled,
    Action.WITHDRAW: _withdrawn,
    Action.CANCEL_EVALUATIONS: _evaluations_cancelled,
}


def extend(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Give a participant more time."""
    if len(words) < 2:
        raise Misspelt("Name a participant, and how much more time they get.")
    length = length_of(words[1:])
    session = context.actions.extend(words[0], length, context.actor(request))
    code = history.session_view(context.store, session.id).participant
    choosing = session.state is SessionState.CHOOSING
    until = session.grace_ends_at if choosing and session.grace_ends_at is not None else session.deadline
    unreachable = context.actions.reach(context.actions.find(code))
    request.report(answers.extended(code, duration(length), until, unreachable, choosing=choosing))


def evaluate(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Run failed evaluations again, and add missing ones; those of one participant also where they were cancelled."""
    if len(words) > 1:
        raise Misspelt(too_much(words[1:]))
    actor = context.actor(request)
    if words:
        reviewed = context.actions.evaluate_again(words[0], actor)
        request.report(text_message(f"✅ Evaluations of {words[0].upper()} that run again: {reviewed.retried}."))
        return
    reviewed = context.actions.evaluate(actor)
    request.report(answers.reviewed(reviewed.retried, reviewed.added))


def baseline(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Start or stop searchers, or say how far they are."""
    if not words:
        request.say(answers.baselines(context.searchers.statuses()))
        return
    kind = words[0].lower()
    begin = {"random": _random, "tpe": _tpe, "stop": _stop}.get(kind)
    if begin is None:
        near = nearest(kind, ("random", "tpe", "stop"))
        suggestion = f" Did you mean `/study baseline {near}`?" if near else ""
        raise Misspelt(f"I do not know the baseline “{words[0]}”.{suggestion}")
    begin(context, request, words[1:])


def _random(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    if not words:
        raise Misspelt("Say how many configurations to draw.")
    count, task = count_of(words[0], MOST), _task(context, words[1:])
    begun = context.searchers.start_random(count, context.actor(request), task=task)
    request.report(answers.random_begun(begun.code, count))


def _tpe(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    if not words:
        raise Misspelt("Say how many artificial participants to start.")
    count, rest, tries = count_of(words[0], MOST), words[1:], None
    if rest and rest[0].lower() == "tries":
        tries, rest = count_of(rest[1] if len(rest) > 1 else "", MOST_TRIES), rest[2:]
    task = _task(context, rest)
    begun = context.searchers.start_tpe(count, context.actor(request), tries, task=task)
    request.report(answers.tpe_begun(begun.code, count, tries, context.settings.time.limit_minutes))


def _task(context: ResearcherContext, words: Sequence[str]) -> str:
    """The task that the last word names. A study with one task needs no name."""
    tasks = context.settings.study.task
    if not words and len(tasks) == 1:
        return tasks[0]
    if not words:
        raise Misspelt(f"This study has several tasks. Add one of them: {', '.join(tasks)}.")
    if len(words) > 1 or words[0] not in tasks:
        raise Misspelt(f"“{' '.join(words)}” is not a task of this study. Its tasks: {', '.join(tasks)}.")
    return words[0]


def _stop(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    if words:
        raise Misspelt(too_much(words))
    stopped = context.searchers.stop(context.actor(request))
    request.report(answers.baselines_stopped([each.code for each in stopped.baselines]))

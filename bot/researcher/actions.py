"""What researchers do with ``/study``: the study's course, its people, its searchers, its evaluations."""

import threading
from collections.abc import Callable, Mapping, Sequence

from cachetools import LRUCache

from bot.researcher.confirmations import question
from bot.researcher.context import Request, ResearcherContext
from bot.researcher.parsing import Misspelt, count_of, length_of, nearest
from bot.researcher.views import answers
from bot.researcher.views.confirmations import Deed, Pressed, question_message
from bot.researcher.views.pages import said
from bot.runner.baselines import MOST
from bot.slack.block_kit import duration
from bot.slack.mentions import people_in
from storage.queries import history
from storage.schema.states import SessionState

MOST_TRIES = 1_000
_MOST_REMEMBERED = 1_000

Outcome = Callable[[ResearcherContext, str, str], str]
"""Does a deed to the study or to the participant of a code, as an actor, and says what was done."""


def ask(deed: Deed, context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Say what a deed would do, and ask."""
    about_somebody = deed in (Deed.CANCEL, Deed.WITHDRAW)
    if len(words) != about_somebody:
        raise Misspelt("Name one participant." if about_somebody else f"“{' '.join(words)}” is too much.")
    request.say(question_message(question(context, deed, words[0] if words else "")))


class Confirmed:
    """Remembers which questions were answered with *yes*: a press may come twice, and counts once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: LRUCache[tuple[str, str], bool] = LRUCache(_MOST_REMEMBERED)

    def take(self, context: ResearcherContext, request: Request) -> None:
        """*Yes* was pressed."""
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
    """Do it, if it would do now what was said that it would. Returns whether it was done."""
    pressed = Pressed.read(request.text)
    asked_now = question(context, pressed.deed, pressed.code)
    if asked_now.mark != pressed.mark:
        request.say(question_message(asked_now, again=True))
        return False
    actor = context.note(request, f"{pressed.deed} {pressed.code}".strip() + " (confirmed)")
    request.say(said(_OUTCOMES[pressed.deed](context, actor, pressed.code)))
    return True


def _opened(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.open(actor)
    return "✅ The study is open. `/study invite @somebody` writes to people; whoever writes to me is let in too."


def _paused(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.pause(actor)
    return "✅ The study is paused. `/study resume` lets it go on."


def _resumed(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.resume(actor)
    return "✅ The study goes on."


def _closed(context: ResearcherContext, actor: str, _: str) -> str:
    context.actions.close(actor)
    return "✅ The study is closed. Evaluations that are left still run; `/study report` and `/study export` go on."


def _cancelled(context: ResearcherContext, actor: str, code: str) -> str:
    context.actions.cancel(code, actor)
    return f"✅ The session of {code} has ended, and they are told."


def _withdrawn(context: ResearcherContext, actor: str, code: str) -> str:
    context.actions.withdraw(code, actor)
    what = "deleted" if context.settings.study.delete_withdrawn else "kept under the code"
    return f"✅ {code} is out of the study; what they did is {what}."


_OUTCOMES: Mapping[Deed, Outcome] = {
    Deed.OPEN: _opened,
    Deed.PAUSE: _paused,
    Deed.RESUME: _resumed,
    Deed.CLOSE: _closed,
    Deed.CANCEL: _cancelled,
    Deed.WITHDRAW: _withdrawn,
}


def invite(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Write to people, and say whom that reached."""
    named = people_in(words)
    if not named.people:
        raise Misspelt("Name whom to write to.")
    outcomes = [(user, context.actions.invite(user)) for user in named.people]
    request.say(answers.invited(outcomes, named.others))


def extend(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Give somebody more time."""
    if len(words) < 2:
        raise Misspelt("Name a participant, and how much longer they have.")
    length = length_of(words[1:])
    session = context.actions.extend(words[0], length, context.actor(request))
    code = history.session_view(context.store, session.id).participant
    choosing = session.state is SessionState.CHOOSING
    until = session.grace_ends_at if choosing and session.grace_ends_at is not None else session.deadline
    request.say(answers.extended(code, duration(length), until, choosing=choosing))


def evaluate(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Run again what failed of the evaluations, and add what is missing."""
    if words:
        raise Misspelt(f"“{' '.join(words)}” is too much.")
    reviewed = context.actions.evaluate(context.actor(request))
    request.say(answers.reviewed(reviewed.retried, reviewed.added))


def baseline(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Start or stop searchers, or say how far they are."""
    if not words:
        request.say(answers.baselines(context.searchers.statuses()))
        return
    kind = words[0].lower()
    begin = {"random": _random, "tpe": _tpe, "stop": _stop}.get(kind)
    if begin is None:
        near = nearest(kind, ("random", "tpe", "stop"))
        raise Misspelt(f"“{words[0]}” is none." + (f" Did you mean `/study baseline {near}`?" if near else ""))
    begin(context, request, words[1:])


def _random(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    if not words:
        raise Misspelt("Say how many settings are to be drawn.")
    count, task = count_of(words[0], MOST), _task(context, words[1:])
    begun = context.searchers.start_random(count, context.actor(request), task=task)
    request.say(answers.random_begun(begun.code, count))


def _tpe(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    if not words:
        raise Misspelt("Say how many artificial participants there are to be.")
    count, rest, tries = count_of(words[0], MOST), words[1:], None
    if rest and rest[0].lower() == "tries":
        tries, rest = count_of(rest[1] if len(rest) > 1 else "", MOST_TRIES), rest[2:]
    task = _task(context, rest)
    begun = context.searchers.start_tpe(count, context.actor(request), tries, task=task)
    request.say(answers.tpe_begun(begun.code, count, tries, context.settings.time.limit_minutes))


def _task(context: ResearcherContext, words: Sequence[str]) -> str:
    """The task that the last word names; of a study with one it goes without saying."""
    tasks = context.settings.study.task
    if not words and len(tasks) == 1:
        return tasks[0]
    if not words:
        raise Misspelt(f"This study has several tasks: add one of {', '.join(tasks)}.")
    if len(words) > 1 or words[0] not in tasks:
        raise Misspelt(f"“{' '.join(words)}” is no task of this study: {', '.join(tasks)}.")
    return words[0]


def _stop(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    if words:
        raise Misspelt(f"“{' '.join(words)}” is too much.")
    stopped = context.searchers.stop(context.actor(request))
    request.say(answers.baselines_stopped([each.code for each in stopped.baselines]))

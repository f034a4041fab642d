"""What researchers do with ``/study``: the study's course, its people, its searchers, its evaluations."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from bot.researcher.confirmations import question
from bot.researcher.interactions import Asked
from bot.researcher.parsing import Misspelt, count_of, length_of, nearest, people_in
from bot.researcher.views import answers
from bot.researcher.views.confirmations import Deed, Pressed, question_message
from bot.researcher.views.pages import said
from bot.runner.baselines import MOST
from bot.slack.block_kit import duration
from bot.study.service import Study
from storage import researchers
from storage.schema.states import SessionState

MOST_TRIES = 1_000
_MOST_REMEMBERED = 1_000

Outcome = Callable[[Study, str, str], str]
"""Does a deed to the study or to the participant of a code, as an actor, and says what was done."""


def ask(deed: Deed, study: Study, asked: Asked, words: Sequence[str]) -> None:
    """Say what a deed would do, and ask."""
    about_somebody = deed in (Deed.CANCEL, Deed.WITHDRAW)
    if len(words) != about_somebody:
        raise Misspelt("Name one participant." if about_somebody else f"“{' '.join(words)}” is too much.")
    asked.say(question_message(question(study, deed, words[0] if words else "")))


class Confirmations:
    """Remembers which questions were answered with *yes*: a press may come twice, and counts once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: OrderedDict[tuple[str, str], None] = OrderedDict()

    def take(self, study: Study, asked: Asked) -> None:
        """*Yes* was pressed."""
        question_asked = (asked.message_ts, asked.text)
        with self._lock:
            if question_asked in self._answered:
                return
            self._answered[question_asked] = None
            if len(self._answered) > _MOST_REMEMBERED:
                self._answered.popitem(last=False)
        done = False
        try:
            done = _confirmed(study, asked)
        finally:
            if not done:  # it may be tried again
                with self._lock:
                    self._answered.pop(question_asked, None)


def _confirmed(study: Study, asked: Asked) -> bool:
    """Do it, if it would do now what was said that it would. Returns whether it was done."""
    pressed = Pressed.read(asked.text)
    asked_now = question(study, pressed.deed, pressed.code)
    if asked_now.mark != pressed.mark:
        asked.say(question_message(asked_now, again=True))
        return False
    actor = note(study, asked, f"{pressed.deed} {pressed.code}".strip() + " (confirmed)")
    asked.say(said(_OUTCOMES[pressed.deed](study, actor, pressed.code)))
    return True


def note(study: Study, asked: Asked, text: str) -> str:
    """Keep in the event log what a researcher does. Returns what the log knows them by."""
    actor = researchers.actor_of(study.store, asked.user)
    researchers.note_command(study.store, actor=actor, text=text, now=study.now())
    return actor


def _opened(study: Study, actor: str, _: str) -> str:
    study.research.open(actor)
    return "✅ The study is open. `/study invite @somebody` writes to people; whoever writes to me is let in too."


def _paused(study: Study, actor: str, _: str) -> str:
    study.research.pause(actor)
    return "✅ The study is paused. `/study resume` lets it go on."


def _resumed(study: Study, actor: str, _: str) -> str:
    study.research.resume(actor)
    return "✅ The study goes on."


def _closed(study: Study, actor: str, _: str) -> str:
    study.research.close(actor)
    return "✅ The study is closed. Evaluations that are left still run; `/study report` and `/study export` go on."


def _cancelled(study: Study, actor: str, code: str) -> str:
    study.research.cancel(code, actor)
    return f"✅ The session of {code} has ended, and they are told."


def _withdrawn(study: Study, actor: str, code: str) -> str:
    study.research.withdraw(code, actor)
    what = "deleted" if study.settings.study.delete_withdrawn else "kept under the code"
    return f"✅ {code} is out of the study; what they did is {what}."


_OUTCOMES: Mapping[Deed, Outcome] = {
    Deed.OPEN: _opened,
    Deed.PAUSE: _paused,
    Deed.RESUME: _resumed,
    Deed.CLOSE: _closed,
    Deed.CANCEL: _cancelled,
    Deed.WITHDRAW: _withdrawn,
}


def invite(study: Study, asked: Asked, words: Sequence[str]) -> None:
    """Write to people, and say whom that reached."""
    named = people_in(words)
    if not named.people:
        raise Misspelt("Name whom to write to.")
    outcomes = [(user, study.research.invite(user)) for user in named.people]
    asked.say(answers.invited(outcomes, named.others))


def extend(study: Study, asked: Asked, words: Sequence[str]) -> None:
    """Give somebody more time."""
    if len(words) < 2:
        raise Misspelt("Name a participant, and how much longer they have.")
    length = length_of(words[1:])
    session = study.research.extend(words[0], length, researchers.actor_of(study.store, asked.user))
    code = study.view(session.id).participant
    choosing = session.state is SessionState.CHOOSING
    until = session.grace_ends_at if choosing and session.grace_ends_at is not None else session.deadline
    asked.say(answers.extended(code, duration(length), until, choosing=choosing))


def evaluate(study: Study, asked: Asked, words: Sequence[str]) -> None:
    """Run again what failed of the evaluations, and add what is missing."""
    if words:
        raise Misspelt(f"“{' '.join(words)}” is too much.")
    reviewed = study.research.evaluate(researchers.actor_of(study.store, asked.user))
    asked.say(answers.reviewed(reviewed.retried, reviewed.added))


def baseline(study: Study, asked: Asked, words: Sequence[str]) -> None:
    """Start or stop searchers, or say how far they are."""
    if not words:
        asked.say(answers.baselines(study.baselines.statuses()))
        return
    kind = words[0].lower()
    begin = {"random": _random, "tpe": _tpe, "stop": _stop}.get(kind)
    if begin is None:
        near = nearest(kind, ("random", "tpe", "stop"))
        raise Misspelt(f"“{words[0]}” is none." + (f" Did you mean `/study baseline {near}`?" if near else ""))
    begin(study, asked, words[1:])


def _random(study: Study, asked: Asked, words: Sequence[str]) -> None:
    if not words:
        raise Misspelt("Say how many settings are to be drawn.")
    count, task = count_of(words[0], MOST), _task(study, words[1:])
    begun = study.baselines.start_random(count, researchers.actor_of(study.store, asked.user), task=task)
    asked.say(answers.random_begun(begun.code, count))


def _tpe(study: Study, asked: Asked, words: Sequence[str]) -> None:
    if not words:
        raise Misspelt("Say how many artificial participants there are to be.")
    count, rest, tries = count_of(words[0], MOST), words[1:], None
    if rest and rest[0].lower() == "tries":
        tries, rest = count_of(rest[1] if len(rest) > 1 else "", MOST_TRIES), rest[2:]
    task = _task(study, rest)
    begun = study.baselines.start_tpe(count, researchers.actor_of(study.store, asked.user), tries, task=task)
    asked.say(answers.tpe_begun(begun.code, count, tries, study.settings.time.limit_minutes))


def _task(study: Study, words: Sequence[str]) -> str:
    """The task that the last word names; of a study with one it goes without saying."""
    tasks = study.settings.study.task
    if not words and len(tasks) == 1:
        return tasks[0]
    if not words:
        raise Misspelt(f"This study has several tasks: add one of {', '.join(tasks)}.")
    if len(words) > 1 or words[0] not in tasks:
        raise Misspelt(f"“{' '.join(words)}” is no task of this study: {', '.join(tasks)}.")
    return words[0]


def _stop(study: Study, asked: Asked, words: Sequence[str]) -> None:
    if words:
        raise Misspelt(f"“{' '.join(words)}” is too much.")
    stopped = study.baselines.stop(researchers.actor_of(study.store, asked.user))
    asked.say(answers.baselines_stopped([each.code for each in stopped.baselines]))

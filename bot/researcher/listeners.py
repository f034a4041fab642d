"""Listeners for ``/study`` and for the buttons under its answers. Only researchers may use them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.researcher import actions, file_delivery, invitations, pages, slack_check
from bot.researcher.context import Handler, Request, ResearcherContext
from bot.researcher.invitations import AGAIN
from bot.researcher.parsing import Misspelt, nearest
from bot.researcher.views import answers
from bot.researcher.views.answers import Usage
from bot.researcher.views.confirmations import NO, YES, Action
from bot.researcher.views.pages import TURN, Page, Place, Subject
from bot.researcher.views.people import PLOTS
from bot.researcher.views.slack_check import FORM, NONE_READ, READ
from bot.slack.mentions import without_people, words_of

COMMAND = "/study"

Run = Callable[[ResearcherContext, Request, Sequence[str]], None]


@dataclass(frozen=True)
class Command:
    """One word after ``/study``.

    Attributes:
        usages: How it is written, and what that does.
        run: Does it.
    """

    usages: tuple[Usage, ...]
    run: Run


def register(context: ResearcherContext) -> None:
    """Listen to ``/study``, and to the buttons under its answers."""

    def on_press(action_id: str | re.Pattern[str], doing: str, do: Handler) -> None:
        context.interactions.on_press(action_id, doing, partial(context.handle, do))

    context.interactions.on_command(COMMAND, "answering a command", partial(context.handle, _run))
    on_press(re.compile(rf"{TURN}\..+"), "turning a page", _turn)
    on_press(PLOTS, "sending loss plots", file_delivery.plots)
    on_press(YES, "doing what a researcher confirmed", actions.Confirmed().take)
    on_press(NO, "leaving things as they are", _leave)
    answered = slack_check.Answered()
    on_press(READ, "asking for numbers", slack_check.open_form)
    on_press(NONE_READ, "keeping what a researcher sees", answered.none)
    context.interactions.on_submission(FORM, "keeping what a researcher sees", partial(answered.form, context))


def _run(context: ResearcherContext, request: Request) -> None:
    words = words_of(request.text) or ["help"]
    name = words[0].lower()
    command = COMMANDS.get(name)
    if command is None:
        request.say(answers.not_known(words[0], _meant(nearest(name, COMMANDS), words[1:])))
        return
    context.note(request, _on_record(name, words[1:]))
    try:
        command.run(context, request, words[1:])
    except Misspelt as misspelt:
        request.say(answers.misspelt(str(misspelt), command.usages))


def _meant(name: str | None, words: Sequence[str]) -> Usage | None:
    """What a misspelt command may have meant, with the words that followed it if they are plain words."""
    if name is None:
        return None
    usage = COMMANDS[name].usages[0]
    if words and all(re.fullmatch(r"[\w.-]{1,40}", word) for word in words[:4]):
        return Usage(" ".join([name, *words[:4]]), usage.effect)
    return usage


def _on_record(name: str, words: Sequence[str]) -> str:
    """The command as the event log keeps it, without the names of the people who are invited."""
    if name != "invite":
        return without_people(" ".join([name, *words]))
    return " ".join(
        [name, *(AGAIN if not place and word.lower() == AGAIN else "@…" for place, word in enumerate(words))]
    )


def _help(_: ResearcherContext, request: Request, __: Sequence[str]) -> None:
    request.say(answers.help_with([usage for each in COMMANDS.values() for usage in each.usages]))


def _status(context: ResearcherContext, request: Request, _: Sequence[str]) -> None:
    page = pages.page(context, Place(Subject.STATUS))
    if page.of == 1:
        request.say(page.message())
    else:
        request.show(page)


def _participants(context: ResearcherContext, request: Request, _: Sequence[str]) -> None:
    request.show(pages.page(context, Place(Subject.PARTICIPANTS)))


def _participant(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    if len(words) != 1:
        raise Misspelt("Name one participant.")
    request.show(pages.page(context, Place(Subject.PARTICIPANT, 1, words[0])))


def _turn(context: ResearcherContext, request: Request) -> None:
    page: Page = pages.page(context, Place.read(request.text))
    request.show(page)


def _leave(_: ResearcherContext, request: Request) -> None:
    request.say(answers.nothing_done())


COMMANDS: Mapping[str, Command] = {
    "help": Command((Usage("help", "lists all commands"),), _help),
    "status": Command((Usage("status", "shows who is tuning, who is in the queue, how far the study is"),), _status),
    "participants": Command((Usage("participants", "lists all participants, and how far each one is"),), _participants),
    "participant": Command(
        (Usage("participant P4071", "shows one: answers, trials with accuracies, loss plots, evaluations"),),
        _participant,
    ),
    "invite": Command(
        (
            Usage("invite @somebody …", "invites people to the study"),
            Usage(f"invite {AGAIN} @somebody", "lets people in who have left the study; it is put on record"),
        ),
        invitations.invite,
    ),
    "extend": Command(
        (Usage("extend P4071 10m", "gives a participant more time (`1h`, `90s`, `1h30m`)"),), actions.extend
    ),
    "cancel": Command(
        (Usage("cancel P4071", "ends a session without a final choice; asks first"),),
        partial(actions.ask, Action.CANCEL),
    ),
    "withdraw": Command(
        (Usage("withdraw P4071", "takes somebody out of the study; asks first"),),
        partial(actions.ask, Action.WITHDRAW),
    ),
    "check": Command(
        (
            Usage(
                "check", "checks the connection to Slack, and which plots people see there: before you open the study"
            ),
        ),
        slack_check.check,
    ),
    "open": Command(
        (Usage("open", "opens the study and fixes its rules; asks first"),), partial(actions.ask, Action.OPEN)
    ),
    "pause": Command(
        (Usage("pause", "lets nobody new join and no session start; asks first"),),
        partial(actions.ask, Action.PAUSE),
    ),
    "resume": Command((Usage("resume", "ends a pause; asks first"),), partial(actions.ask, Action.RESUME)),
    "close": Command((Usage("close", "ends the study for good; asks first"),), partial(actions.ask, Action.CLOSE)),
    "baseline": Command(
        (
            Usage("baseline", "shows how far the searchers are"),
            Usage("baseline random 320", "trains this many configurations drawn at random, in idle slots"),
            Usage(
                "baseline tpe 31",
                "starts this many artificial participants with a person's time; `… tries 20` also limits their trials",
            ),
            Usage("baseline stop", "stops all searchers"),
        ),
        actions.baseline,
    ),
    "evaluate": Command(
        (
            Usage("evaluate", "runs failed evaluations again, and adds missing ones"),
            Usage("evaluate P4071", "runs a participant's evaluations again that failed or were cancelled"),
        ),
        actions.evaluate,
    ),
    "cancel-evaluations": Command(
        (Usage("cancel-evaluations P4071", "cancels a participant's evaluations that have not ended; asks first"),),
        partial(actions.ask, Action.CANCEL_EVALUATIONS),
    ),
    "report": Command(
        (
            Usage("report", "sends you the report: one page with everything, and all its files"),
            Usage("report figure-4", "sends one figure or table; `figures` and `tables` send all of them"),
            Usage("report --interim", "sends it before the study is closed; asks first, and is recorded"),
        ),
        file_delivery.report,
    ),
    "export": Command(
        (
            Usage("export", "sends you the open data: tables under codes, and how far they tell people apart"),
            Usage("export banded", "the same with less of people's background; also `none`, or `full` for all of it"),
            Usage("export --interim", "sends it with test results before the study is closed; asks first"),
        ),
        file_delivery.export,
    ),
}
"""All commands of ``/study``, in the order in which the help lists them."""

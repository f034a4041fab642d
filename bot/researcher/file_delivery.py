"""Sends files to researchers as direct messages: loss plots, the report, the open data."""

import logging
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from slack_sdk.errors import SlackApiError

from bot.researcher import pages
from bot.researcher.confirmations import question
from bot.researcher.context import Request, ResearcherContext
from bot.researcher.parsing import Misspelt, too_much
from bot.researcher.views import answers
from bot.researcher.views.confirmations import Action, question_message
from bot.researcher.views.pages import Place
from bot.researcher.views.people import trial_title, trials_on
from bot.runner import report_files
from bot.runner.report_files import MadeFile
from bot.runner.subprocess_job import NotMade
from bot.slack import uploads
from bot.slack.block_kit import escape
from bot.slack.rate_limiter import CallNotMade
from bot.slack.uploads import File
from reports.figures.loss_plot import draw, loss_curves_of
from reports.naming import slug
from storage.queries import history
from storage.queries.history import SessionView, TrialView
from storage.queries.results import hides_results
from storage.schema.states import Background, JobKind
from storage.transitions.looks import record_look

log = logging.getLogger(__name__)

_OPEN_DATA, _REPORT = "The open data", "The report"
_WITHOUT_RESULTS = "The open data without test results (the study is not closed)"

_SHORT = {"figure": "figures", "table": "tables"}


class NotSent(Exception):
    """A file did not reach its researcher; ``str(error)`` says why."""


def plots(context: ResearcherContext, request: Request) -> None:
    """Send the loss plots of a participant's page: *Send me these loss plots* was pressed there."""
    place = Place.read(request.text)
    context.note(request, f"loss plots of {place.code}, page {place.number}")
    context.make_files("sending loss plots", request, partial(_send_plots, context, request, place))


def _send_plots(context: ResearcherContext, request: Request, place: Place) -> None:
    session = pages.details_of(context, place.code).session
    shown = trials_on(session, place.number)
    drawn = [(trial, picture) for trial in shown if session and (picture := _plot(context, session, trial)) is not None]
    if not drawn:
        request.show(pages.page(context, place, "These trials have no losses yet."))
        return
    titles = "\n".join(trial_title(trial) for trial, _ in drawn)
    try:
        missing = deliver(context, request, [picture for _, picture in drawn], f"Loss plots of {place.code}\n{titles}")
    except NotSent as error:
        request.show(pages.page(context, place, f"⚠️ The loss plots could not be sent: {error}"))
        return
    if missing:
        request.show(pages.page(context, place, answers.plots_not_shown(missing)))
        return
    sent = "✅ The loss plot is" if len(drawn) == 1 else f"✅ {len(drawn)} loss plots are"
    request.show(pages.page(context, place, f"{sent} in your direct messages with me."))


def deliver(context: ResearcherContext, request: Request, content: Sequence[File], comment: str) -> tuple[str, ...]:
    """Send files to the researcher who made the request. Returns the names of those that Slack does not show.

    Raises:
        NotSent: Slack does not take them.
    """
    try:
        channel = context.slack.direct_channel(request.user)
        return uploads.not_shown(context.slack, channel, uploads.send(context.slack, channel, content, comment))
    except SlackApiError as error:
        raise NotSent(f"Slack answers “{error.response['error']}”.") from error
    except (CallNotMade, OSError) as error:
        log.warning("a file could not be sent: %s", error)
        raise NotSent("Slack cannot be reached.") from error


def report(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Send the report, all its figures, all its tables, or one of them.

    While results are hidden, it says so; with ``--interim`` it asks whether to look all the same.
    """
    words, interim = _without_interim(words)
    only = _part(words)
    if not hides_results(pages.stored(context)):
        _send_report(context, request, only)
    elif interim:
        request.say(question_message(question(context, Action.REPORT, only or "")))
    else:
        request.say(answers.results_hidden(" ".join(["report", *words, "--interim"])))


def export(context: ResearcherContext, request: Request, words: Sequence[str]) -> None:
    """Send the study as a bundle of tables under codes, with as much of people's background as is asked for.

    While test results are hidden, they are not in it; with ``--interim`` it asks whether to send them all the same.
    """
    words, interim = _without_interim(words)
    background = _background(words)
    if not hides_results(pages.stored(context)):
        _send_export(context, request, background, test_results=True)
    elif interim:
        request.say(question_message(question(context, Action.EXPORT, background)))
    else:
        _send_export(context, request, background, test_results=False)


def send_interim(context: ResearcherContext, request: Request, action: Action, part: str) -> None:
    """Send test results before the study is closed: a researcher has confirmed it."""
    if action is Action.EXPORT:
        _send_export(context, request, Background(part or Background.STANDARD), test_results=True)
    else:
        _send_report(context, request, part or None)


def _send_report(context: ResearcherContext, request: Request, only: str | None) -> None:
    what = _REPORT if only is None else f"“{only}” of the report"

    def make(folder: Path) -> Sequence[MadeFile]:
        _record(context, request, f"report {only or ''}".strip())
        name = f"{slug(context.settings.study.name)}-report"
        return context.subprocesses.run(report_files.report, *_source(context), folder, name, only)

    _send(context, request, what, make)


def _send_export(context: ResearcherContext, request: Request, background: Background, *, test_results: bool) -> None:
    def make(folder: Path) -> Sequence[MadeFile]:
        if test_results:
            _record(context, request, "export")
        path = folder / f"{slug(context.settings.study.name)}.zip"
        return [context.subprocesses.run(report_files.open_data, *_source(context), path, background, test_results)]

    _send(context, request, _OPEN_DATA if test_results else _WITHOUT_RESULTS, make)


def _record(context: ResearcherContext, request: Request, what: str) -> None:
    """Put on record that test results are read, if the study is not closed."""
    study = pages.stored(context)
    record_look(context.store, study.id, what=what, actor=context.actor(request), now=context.now())


def _without_interim(words: Sequence[str]) -> tuple[list[str], bool]:
    """The words without ``--interim``, and whether it was among them. (Some keyboards make one dash of two.)"""
    left = [word for word in words if word.lstrip("-–—").lower() != "interim"]
    return left, len(left) < len(words)


def _background(words: Sequence[str]) -> Background:
    if not words:
        return Background.STANDARD
    if len(words) > 1:
        raise Misspelt(too_much(words[1:]))
    try:
        return Background(words[0].lower())
    except ValueError:
        known = ", ".join(f"`{each}`" for each in Background)
        raise Misspelt(f"“{words[0]}” is not one of {known}.") from None


def _part(words: Sequence[str]) -> str | None:
    """The part of the report that the words name: ``figure 4`` is ``figure-4``, ``table`` is all tables."""
    part = "-".join(words).lower()
    part = _SHORT.get(part, part)
    if not re.fullmatch(r"[a-z0-9._-]{0,80}", part):
        raise Misspelt(f"“{' '.join(words)}” is not a figure or a table.")
    return part or None


def _source(context: ResearcherContext) -> tuple[str, str]:
    return context.settings.machine.database, context.settings.study.name


def _send(context: ResearcherContext, request: Request, what: str, make: Callable[[Path], Sequence[MadeFile]]) -> None:
    """Say that files are being made, make them, send them, and say whether this worked."""
    request.say(answers.sending(what))

    def make_and_send() -> None:
        with TemporaryDirectory(prefix="black-magic-") as folder:
            try:
                made = make(Path(folder))
                content = [File(each.path.name, each.path, each.alt_text) for each in made]
                title = f"{what} (“{escape(context.settings.study.name)}”)"
                about = [escape(line) for each in made for line in each.about]
                missing = deliver(context, request, content, "\n".join([title, *about]))
            except (NotMade, NotSent) as error:
                request.report(answers.not_sent(what, str(error)))
                return
        if missing:
            request.report(answers.not_shown(what, missing))
        else:
            request.add(answers.sent(what))

    context.make_files("sending files to a researcher", request, make_and_send)


def _plot(context: ResearcherContext, session: SessionView, trial: TrialView) -> File | None:
    epochs = history.epochs_of(context.store, JobKind.TRIAL, trial.id)
    facts = context.facts_of(session.task)
    curves = loss_curves_of(
        epochs,
        epochs_planned=trial.configuration.epochs,
        batches_per_epoch=-(-facts.training_images // trial.configuration.batch_size),
    )
    if curves is None:
        return None
    return File(f"{session.participant}-trial-{trial.number}.png", draw(curves), curves.alt_text)

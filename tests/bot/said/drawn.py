"""Views and messages that depend on time and on chance, drawn in every state that they have."""

from dataclasses import replace
from datetime import timedelta

from bot.live.line_chart import as_chart_blocks, as_text_block
from bot.participant.time_estimate import TimeEstimate
from bot.participant.views import answers, final_choice, home_tab, onboarding, session_thread
from bot.participant.views import trial as trial_views
from bot.participant.views.configuration_form import prepare_note, takes_long
from bot.participant.views.next_step import led_back
from bot.runner.running_jobs import Progress
from bot.settings.consent import WITHDRAWN_DATA
from bot.settings.settings import Settings
from bot.slack.error_reporting import TOO_BUSY, TOO_MANY, apology
from reports.figures.loss_plot import loss_curves
from storage.schema.comments import Comment, Remark
from storage.schema.states import SessionState, TrialState
from tests.bot.participant.statuses import CONFIGURATION, NOW, session, statuses, trial
from tests.bot.said.page import Page, texts_of
from training.tasks import BUILT_IN, TaskFacts
from training.workers.protocol import OUR_FAULT, OUT_OF_MEMORY

_RUNNING = trial(3, TrialState.RUNNING)
_BEST = trial(1, accuracy=50.0, seconds=60)


def draw(page: Page, settings: Settings) -> None:
    """Add them."""
    page.add("The consent text", settings.consent_text, *WITHDRAWN_DATA.values())
    page.add("The questions about experience", onboarding.background_form(settings.questions))
    for name in BUILT_IN.names:
        page.add("The task", onboarding.briefing(BUILT_IN[name].facts, settings.time.limit_minutes))
    page.add(
        "The task, after Start", onboarding.briefing(TaskFacts(2, 999, 99, 9, 32), 1.0, done="✅ You have started.")
    )
    for place in (1, 2, 3):
        page.add(f"Place {place} in the queue", onboarding.in_queue(place), onboarding.in_queue(place, late=True))
    page.add("A place is free", onboarding.called(NOW))
    for where, status in statuses().items():
        page.add(f"The Home tab and the next step: {where}", home_tab.home_tab(status, "…"), led_back("", status))
    _thread(page)
    _trials(page)
    page.add(
        "The form warns of the time", prepare_note(3), takes_long(CONFIGURATION, timedelta(hours=8), timedelta(hours=1))
    )
    page.add("Something fails", TOO_BUSY, TOO_MANY, apology("ABC123"))


def _thread(page: Page) -> None:
    views = {
        "nothing was tried": session(),
        "a trial is complete": session(_BEST),
        "a trial that took long is complete": session(trial(1, accuracy=50.0, seconds=6000)),
        "a trial trains": session(_BEST, _RUNNING),
        "a trial is being cancelled": session(_BEST, replace(_RUNNING, cancel_requested_at=NOW)),
    }
    for where, active in views.items():
        for view in (active, *(replace(active, state=state, grace_ends_at=NOW) for state in SessionState)):
            page.add(f"The thread, {where}", session_thread.session_message(view))
        for minutes in (30.0, 2.0, 1.0):
            for left in (None, timedelta(seconds=10), timedelta(hours=1)):
                estimate = TimeEstimate(timedelta(minutes=1), left)
                page.add(f"{minutes:g} minutes left, {where}", session_thread.warning(minutes, active, estimate))
        page.add(
            f"The time changes, {where}",
            session_thread.time_given_back(60, active),
            session_thread.time_given_back(600, active),
            session_thread.time_extended(active, timedelta(minutes=10)),
            session_thread.time_extended(replace(active, state=SessionState.CHOOSING), timedelta(seconds=30)),
        )
        page.add(
            f"The time is up, {where}", session_thread.time_is_up(active, None), session_thread.time_is_up(active, 3)
        )
        page.add(f"A researcher ends the session, {where}", session_thread.ended_by_researcher(active, 3))
        page.add(f"The trials, {where}", final_choice.history(active), final_choice.final_form(active, 10))
    for by_clock, summary in ((False, "…"), (True, "…"), (False, None)):
        for evaluations in (1, 10):
            page.add("The end", session_thread.thanks(by_clock, summary, evaluations))
    page.add("Leaving", *(answers.leaving_offered(each) for each in (False, True)))
    page.add(
        "Left", answers.left(), *(each(gone) for each in (answers.goodbye, answers.taken_out) for gone in (False, True))
    )
    many = session(*(trial(number, accuracy=50.0) for number in range(1, 150)))
    shown = [final_choice.history(many), home_tab.home_tab(replace(_tuning(), session=many), "…")]
    page.add("Many trials", [text for text in texts_of(shown) if "older ones" in text])


def _trials(page: Page) -> None:
    remarks = {"epochs": Remark(Comment.GUESS), "loss": Remark(Comment.OTHER, "…")}
    told = {
        TrialState.COMPLETE: [""],
        TrialState.FAILED: ["", OUT_OF_MEMORY, OUR_FAULT],
    }
    progress = Progress(17, (2.71, 2.63), (2.71,) * 16)
    for state in TrialState:
        for reason in told.get(state, [""]):
            shown = replace(
                trial(1, state, accuracy=50.0 if state is TrialState.COMPLETE else None, seconds=60),
                reason=reason or None,
                comments=remarks,
            )
            page.add(f"A trial: {state}", trial_views.trial_message(shown, session(shown)))
    for left in (None, timedelta(minutes=1), timedelta(hours=9)):
        estimate = TimeEstimate(timedelta(seconds=40), left)
        page.add("A trial trains", trial_views.trial_message(_RUNNING, session(_RUNNING), progress, (), estimate))
    page.add("A trial trains", trial_views.plot_message(_RUNNING, progress, ()), trial_views.ended_line(_BEST))
    for last in ((), (2.63,), (float("nan"),), (float("inf"),)):
        batches, epochs = ((2.71,) * 18 + last, (2.71, *(2.63,) * 15)) if last else ((), ())
        curves = loss_curves(batches, epochs, epoch=17, epochs_planned=31, batches_per_epoch=23)
        page.add("The losses", as_text_block(curves), *as_chart_blocks(curves))


def _tuning():  # type: ignore[no-untyped-def]
    return next(status for where, status in statuses().items() if where.startswith("tuning, complete"))

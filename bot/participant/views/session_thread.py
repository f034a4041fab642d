"""The messages of a session's thread, except for its trials: the root, warnings, changes of the time, the end."""

from datetime import datetime, timedelta

from slack_sdk.models.blocks import ButtonElement

from bot.participant.time_estimate import TimeEstimate, time_for_another
from bot.participant.views import buttons
from bot.slack.block_kit import Message, actions, clock_time, duration, header, percent, section
from reports.wording import in_words
from storage.queries.history import SessionView, TrialView
from storage.schema.states import SessionEnd, SessionState

LAST_MINUTES = 5.0
"""Minutes. A warning with so little time left considers whether another trial would end in time."""


def so_far(view: SessionView) -> str:
    """The number of trials, and the best one: ``3 trials so far, best validation accuracy *61.2 %* (trial 2).``"""
    trials = f"{len(view.trials)} {'trial' if len(view.trials) == 1 else 'trials'}"
    if view.state is SessionState.ACTIVE:
        trials += " so far"
    best = view.best
    if best is None or best.validation_accuracy is None:
        return f"{trials}."
    return f"{trials}, best validation accuracy *{percent(best.validation_accuracy)}* (trial {best.number})."


def more_times(evaluations: int) -> str:
    """How often the final choice is trained: ``ten more times``."""
    return "once more" if evaluations == 1 else f"{in_words(evaluations)} more times"


def in_progress(view: SessionView) -> str:
    """What happens to the trial that waits or runs, in two sentences; empty when no trial does."""
    running = view.unfinished
    if running is None:
        return ""
    if running.is_stopping:
        return f"Trial {running.number} is being cancelled. In a moment you can go on."
    return f"Trial {running.number} is in progress. Its result appears in the thread by itself."


def session_message(view: SessionView) -> Message:
    """The root of the thread: the deadline, the number of trials, the best one, and what can be done."""
    running = view.unfinished
    match view.state:
        case SessionState.ACTIVE if running is not None:
            text, what = f"Your session runs until {clock_time(view.deadline)}.", in_progress(view)
            cancel = [] if running.is_stopping else [buttons.cancel(running)]
            offered = [*cancel, buttons.history(view), buttons.finish(view)]
        case SessionState.ACTIVE:
            text = f"Your session runs until {clock_time(view.deadline)}."
            what = "Press *New configuration* to train a network. Its result appears in the thread below."
            offered = [
                buttons.new_configuration(view, buttons.WAY_ON),
                buttons.history(view),
                buttons.finish(view),
            ]
        case SessionState.CHOOSING:
            text, until = "Time is up.", clock_time(view.grace_ends_at or view.deadline)
            what = f"Please choose your final configuration before {until}. After that, your best trial is taken."
            offered = [buttons.choose(view), buttons.history(view)]
        case SessionState.FINISHED:
            by_researcher = view.ended_as is SessionEnd.CANCELLED
            text = "The researchers have ended your session." if by_researcher else "Your session is over."
            recorded = "Your final choice is recorded. " if view.choice is not None else ""
            what = f"{recorded}Thank you for taking part! There is nothing more to do."
            offered = [buttons.history(view)]
    return Message(
        text=f"{text} {so_far(view)} {what}",
        blocks=(
            header("Your session"),
            section(f"{text} {so_far(view)}\n{what}"),
            actions(offered, block_id=f"session.{view.state}"),
        ),
    )


def warning(minutes: float, view: SessionView, estimate: TimeEstimate | None = None) -> Message:
    """Warn that little time is left.

    Args:
        minutes: How much time is left.
        view: The session, active.
        estimate: The estimate for the trial that runs, if one does.
    """
    unit = "minute" if minutes == 1 else "minutes"
    text = f"⏳ You have {minutes:g} {unit} left. Your session runs until {clock_time(view.deadline)}."
    hint, offered = _worth_doing(view, timedelta(minutes=minutes), estimate)
    return Message(
        text=f"{text} {hint}",
        blocks=(section(f"{text}\n{hint}"), actions(offered, block_id="warning")),
    )


def _worth_doing(view: SessionView, left: timedelta, estimate: TimeEstimate | None) -> tuple[str, list[ButtonElement]]:
    """What makes sense in the time that is left, in words, and the buttons that do it."""
    running, best = view.unfinished, view.best
    if running is not None and not running.is_stopping:
        return _worth_waiting(view, running, left, estimate)
    if left > timedelta(minutes=LAST_MINUTES):
        hint = "A trial that still trains then is stopped. You can go on, or press *Finish* to end the session now."
        return hint, [buttons.new_configuration(view, buttons.WAY_ON), buttons.finish(view)]
    if best is None:
        hint = (
            "You have no complete trial yet. A short trial may still end in time. "
            "Or press *Finish* to end the session now."
        )
        return hint, [buttons.new_configuration(view, buttons.WAY_ON), buttons.finish(view)]
    if time_for_another(best, left):
        hint = (
            f"Your best trial so far, trial {best.number}, took less time, so there is time to tune it once more. "
            "Or press *Finish* to end the session now."
        )
        tune = buttons.tune_from_here(best, buttons.WAY_ON)
        return hint, [tune, buttons.finish(view)]
    hint = (
        f"Another trial like your best one so far, trial {best.number}, would not end in time. "
        "Press *Finish* to choose your final configuration now."
    )
    return hint, [buttons.finish(view, buttons.WAY_ON), buttons.new_configuration(view)]


def _worth_waiting(
    view: SessionView, running: TrialView, left: timedelta, estimate: TimeEstimate | None
) -> tuple[str, list[ButtonElement]]:
    """What makes sense while a trial is in progress, in words, and the buttons that do it."""
    others = [buttons.cancel(running), buttons.finish(view)]
    if estimate is None or estimate.left is None:
        hint = f"{in_progress(view)} If it is still training when your time is up, it is stopped."
        return hint, others
    if estimate.left <= left:
        return f"{in_progress(view)} It needs about {duration(estimate.left)} more, so it ends in time.", others
    hint = f"Trial {running.number} needs about {duration(estimate.left)} more, so it would be stopped before its end."
    if left > timedelta(minutes=LAST_MINUTES):
        return f"{hint} Cancel it to try something shorter.", others
    hint += " Press *Finish* to choose your final configuration now."
    return hint, [buttons.finish(view, buttons.WAY_ON), buttons.cancel(running)]


def time_is_up(view: SessionView, stopped: int | None) -> Message:
    """The time limit is reached.

    Args:
        view: The session, whose final choice can be made now.
        stopped: The number of the trial that was stopped, if one was.
    """
    text = "⌛ Your time is up."
    if stopped is not None:
        text += f" {_stopped(stopped)}"
    ask = (
        f"Please choose your final configuration before {clock_time(view.grace_ends_at or view.deadline)}. "
        "After that, the trial with your best validation accuracy is taken."
    )
    return Message(
        text=f"{text} {ask}",
        blocks=(section(f"{text}\n{ask}"), actions([buttons.choose(view)], block_id="time_is_up")),
    )


def _stopped(trial: int) -> str:
    return f"Trial {trial} was stopped. Its losses are kept."


def thanks(by_clock: bool, summary: str | None, evaluations: int) -> Message:
    """The session is over.

    Args:
        by_clock: Whether the participant did not choose in time, so that the clock chose.
        summary: The final configuration in a line; none when the participant submitted none.
        evaluations: How often the final configuration is trained and tested.
    """
    if summary is None:
        chosen = "You submitted no configuration, so there is no final choice."
    elif by_clock:
        chosen = f"The time for the final choice is over, so your best configuration was taken: {summary}."
    else:
        chosen = f"Your final choice is recorded: {summary}."
    text = (
        "🎉 Thank you for taking part!\n"
        f"{chosen}\nWe train it {more_times(evaluations)} and test it on new images. "
        "There is nothing more to do. The researchers will tell you about the results when the study has ended."
    )
    if summary is None:
        text = f"Thank you for taking part!\n{chosen} There is nothing more to do."
    return Message(text=text, blocks=(section(text),))


def ended_by_researcher(view: SessionView, stopped: int | None = None) -> Message:
    """A researcher has ended the session, without a final choice.

    Args:
        view: The session, finished.
        stopped: The number of the trial that was stopped, if one was.
    """
    kept = f"{_stopped(stopped)} " if stopped is not None else ""
    text = (
        f"The researchers have ended your session. {kept}What you did until now is kept. You do not need to make a "
        "final choice. Thank you for taking part! There is nothing more to do. "
        "If you would like to know why, ask the researchers."
    )
    row = (actions([buttons.history(view)], block_id="ended"),) if view.trials else ()
    return Message(text=text, blocks=(section(text), *row))


def time_extended(view: SessionView, added: timedelta) -> Message:
    """A researcher has given the participant more time.

    Args:
        view: The session, with its new deadline or its new end of the grace period.
        added: How much more time they have.
    """
    more, until = _more(added), clock_time(_until(view))
    if view.state is SessionState.CHOOSING:
        return _go_on(f"⏱ You have {more} for your final choice. Please choose before {until}.", view, "extended")
    return _go_on(f"⏱ You have {more}. The researchers have extended your session until {until}.", view, "extended")


def time_given_back(seconds: float, view: SessionView) -> Message:
    """The bot was away or lost a trial, so the participant gets the time back.

    Args:
        seconds: How much time is given back.
        view: The session, with its new deadline.
    """
    minutes = max(1, round(seconds / 60))
    text = (
        f"Sorry, you lost time through our fault. I have given you {minutes} {'minute' if minutes == 1 else 'minutes'} "
        f"back, so you now have until {clock_time(_until(view))}. Everything that you entered is kept."
        f"{' The trial that was training starts again.' if view.unfinished else ''}"
    )
    return _go_on(text, view, "given_back")


def _until(view: SessionView) -> datetime:
    choosing = view.state is SessionState.CHOOSING
    return view.grace_ends_at if choosing and view.grace_ends_at is not None else view.deadline


def _more(added: timedelta) -> str:
    minutes, rest = divmod(round(added.total_seconds()), 60)
    if rest or not minutes:
        return f"{duration(added)} more"
    return "1 more minute" if minutes == 1 else f"{minutes} more minutes"


def _go_on(text: str, view: SessionView, block_id: str) -> Message:
    """A message about the time of a session that continues, with the next step."""
    if view.state is SessionState.CHOOSING:
        offered = [buttons.choose(view), buttons.history(view)]
    elif view.unfinished is not None:
        text, offered = f"{text} {in_progress(view)}", [buttons.history(view)]
    else:
        offered = [buttons.new_configuration(view, buttons.WAY_ON), buttons.history(view)]
    return Message(text=text, blocks=(section(text), actions(offered, block_id=block_id)))

"""The session's thread: its root message, one reply per trial, warnings, the end."""

from datetime import datetime, timedelta

from slack_sdk.models.blocks import Block, ButtonElement

from bot.blocks import (
    CONTEXT_TEXT,
    Message,
    actions,
    button,
    clock_time,
    confirm,
    context,
    duration,
    escape,
    header,
    section,
    shorten,
)
from bot.jobs import Progress
from bot.participant.pace import Pace
from storage.history import SessionView, TrialView
from storage.states import SessionState, TrialState
from training.hyperparameters import BY_NAME

NEW = "form_new"
FROM_HERE = "form_from"
CANCEL = "trial_cancel"
HISTORY = "history_open"
FINISH = "finish_open"

_REASON_CHARACTERS = 100
"""Of somebody's own words, in the line under a trial; the whole is kept."""

_LAST_MINUTES = 5.0
"""With less time left, a warning offers no new configuration."""


def percent(accuracy: float) -> str:
    """An accuracy as a person reads it: ``63.9 %``."""
    return f"{accuracy:.1f} %"


def session_message(view: SessionView) -> Message:
    """The root of the thread: how long, how many tries, the best so far, and what can be done."""
    session, best, running = view, view.best, view.unfinished
    tries = f"{len(view.trials)} {'try' if len(view.trials) == 1 else 'tries'}"
    if best is None or best.validation_accuracy is None:
        so_far = f"{tries} so far."
    else:
        so_far = f"{tries}, best validation accuracy *{percent(best.validation_accuracy)}* (trial {best.number})."
    if session.state is SessionState.ACTIVE:
        what = (
            f"Trial {running.number} is in progress: watch it in the thread below."
            if running
            else "Press *New configuration* to train a network. Results arrive in the thread below."
        )
        until = clock_time(session.deadline)
        buttons = [
            button("New configuration", NEW, session.id, style="primary"),
            button("History", HISTORY, session.id),
            button("Finish", FINISH, session.id),
        ]
        text = f"Your session runs until {until}. {so_far}"
    elif session.state is SessionState.CHOOSING:
        until = clock_time(session.grace_ends_at or session.deadline)
        what = f"Please choose your final configuration until {until}; after that your best trial is taken."
        buttons = [
            button("Choose", FINISH, session.id, style="primary"),
            button("History", HISTORY, session.id),
        ]
        text = f"Time is up. {so_far}"
    else:
        what = (
            "Your final choice is recorded. Thank you for taking part! There is nothing more to do."
            if session.choice is not None
            else "Thank you for taking part! There is nothing more to do."
        )
        buttons = [button("History", HISTORY, session.id)]
        text = f"Your session is over. {so_far}"
    return Message(
        text=f"{text} {what}",
        blocks=(header("Your session"), section(f"{text}\n{what}"), actions(buttons, block_id="session")),
    )


def trial_message(
    trial: TrialView,
    session: SessionView,
    progress: Progress | None = None,
    picture: Block | None = None,
    pace: Pace | None = None,
) -> Message:
    """One trial's reply, in whatever state it is.

    Args:
        trial: The trial.
        session: The session as it is now: it decides which buttons are left.
        progress: How far the trial is, while it runs.
        picture: The loss plot, or what stands in for it.
        pace: How long it has taken and will take, while it runs.
    """
    title = f"Trial {trial.number} · {_state(trial, progress)}"
    blocks: list[Block] = [section(f"*{title}*\n{trial.configuration.summary()}")]
    if picture is not None:
        blocks.append(picture)
    if time := _time(trial, session, pace):
        blocks.append(context(time))
    if said := _reasons(trial):
        blocks.append(context(said))
    if buttons := _buttons(trial, session):
        blocks.append(actions(buttons, block_id=f"trial.{trial.id}.{trial.state}"))
    return Message(text=f"{title}. {trial.configuration.summary()}", blocks=tuple(blocks))


def _state(trial: TrialView, progress: Progress | None) -> str:
    match trial.state:
        case TrialState.WAITING:
            return "starts as soon as a place is free"
        case TrialState.RUNNING if trial.is_stopping:
            return "is being cancelled"
        case TrialState.RUNNING:
            epochs = trial.configuration.epochs
            return f"training, epoch {progress.epoch} of {epochs}" if progress else "starting"
        case TrialState.COMPLETE:
            return f"validation accuracy {percent(trial.validation_accuracy or 0.0)}"
        case TrialState.CANCELLED:
            return "cancelled"
        case TrialState.DIVERGED:
            return "diverged: its loss is no longer a number, so it ended"
        case TrialState.FAILED:
            return f"failed. {escape(shorten(trial.reason or 'It was not your fault.', 400))}"


def _time(trial: TrialView, session: SessionView, pace: Pace | None) -> str:
    """How long the trial has taken, and what is to come."""
    if trial.state is TrialState.WAITING:
        return "Its losses and its result appear here by themselves."
    if trial.is_stopping:
        return "In a moment you can go on from here."
    if pace is not None:
        if pace.left is None:
            return f"⏱ {duration(pace.taken)} so far. The result appears here by itself."
        told = f"⏱ {duration(pace.taken)} so far, about {duration(pace.left)} left. The result appears here by itself."
        began = trial.started_at or trial.submitted_at
        if began + pace.taken + pace.left > session.deadline:
            told += f" That is after your time is up ({clock_time(session.deadline)})."
        return told
    if trial.state.is_finished and trial.seconds is not None:
        return f"⏱ Trained for {duration(timedelta(seconds=trial.seconds))}."
    return ""


def _reasons(trial: TrialView) -> str:
    """Why values were chosen, where the participant said so, as far as it fits in a line of small print."""
    line = ""
    for name, remark in trial.comments.items():
        said = f"{BY_NAME[name].label}: {escape(shorten(str(remark), _REASON_CHARACTERS))}"
        longer = f"{line} · {said}" if line else f"💬 {said}"
        if len(longer) > CONTEXT_TEXT - 2:
            return f"{line} …"
        line = longer
    return line


def cancel_button(trial: TrialView) -> ButtonElement:
    """Stops a trial, once the participant has confirmed it."""
    question = confirm(
        "Cancel this trial?",
        f"Trial {trial.number} stops and gets no validation accuracy. Its losses are kept.",
        "Cancel the trial",
        "Let it train",
        style="danger",
    )
    return button("Cancel", CANCEL, trial.id, style="danger", confirm=question)


def _buttons(trial: TrialView, session: SessionView) -> list[ButtonElement]:
    if not trial.state.is_finished:
        if trial.is_stopping:
            return []
        return [cancel_button(trial)]
    if session.state is SessionState.FINISHED:
        return []
    if session.state is SessionState.CHOOSING:
        return [button("Choose", FINISH, session.id, style="primary"), button("History", HISTORY, session.id)]
    return [
        button("Tune from here", FROM_HERE, trial.id, style="primary"),
        button("New configuration", NEW, session.id),
        button("History", HISTORY, session.id),
        button("Finish", FINISH, session.id),
    ]


def warning(minutes: float, deadline: datetime, session: int) -> Message:
    """So much time is left."""
    text = f"⏳ {minutes:g} {'minute' if minutes == 1 else 'minutes'} left: your time is up at {clock_time(deadline)}."
    finish = button("Finish", FINISH, session)
    if minutes < _LAST_MINUTES:
        hint = (
            "What is still training then is stopped. *Finish* ends the session now, with the configuration you choose."
        )
        buttons = [button("Finish", FINISH, session, style="primary")]
    else:
        hint = "What is still training then is stopped. Go on as before, or end the session now with *Finish*."
        buttons = [button("New configuration", NEW, session, style="primary"), finish]
    return Message(
        text=text,
        blocks=(section(f"{text}\n{hint}"), actions(buttons, block_id="warning")),
    )


def time_is_up(grace_ends_at: datetime, session: int, stopped: int | None) -> Message:
    """The time limit is reached.

    Args:
        grace_ends_at: Until when the final choice can be made.
        session: The session's id.
        stopped: The number of the trial that was stopped, if one was.
    """
    text = "⌛ Your time is up."
    if stopped is not None:
        text += f" Trial {stopped} was stopped; its losses are kept."
    ask = (
        f"Please choose your final configuration until {clock_time(grace_ends_at)}. "
        "After that, the trial with your best validation accuracy is taken."
    )
    return Message(
        text=f"{text} {ask}",
        blocks=(
            section(f"{text}\n{ask}"),
            actions([button("Choose", FINISH, session, style="primary")], block_id="time_is_up"),
        ),
    )


def thanks(by_clock: bool, summary: str | None) -> Message:
    """The session is over.

    Args:
        by_clock: Nobody answered in time, and the clock chose.
        summary: The final configuration in a line; none when nothing was ever submitted.
    """
    if summary is None:
        chosen = "You submitted no configuration, so there is no final choice."
    elif by_clock:
        chosen = f"The time for the final choice is over, so your best configuration was taken: {summary}."
    else:
        chosen = f"Your final choice is recorded: {summary}."
    text = (
        "🎉 Thank you for taking part!\n"
        f"{chosen}\nWe train it ten more times and test it on images that nobody has seen. "
        "You need not do anything more. The researchers will tell you about the results when the study has ended."
    )
    if summary is None:
        text = f"Thank you for taking part!\n{chosen} You need not do anything more."
    return Message(text=text, blocks=(section(text),))


def time_given_back(seconds: float, session: SessionView) -> Message:
    """We were away or lost a trial; the time is given back.

    Args:
        seconds: How much.
        session: With its new deadline.
    """
    minutes = max(1, round(seconds / 60))
    choosing = session.state is SessionState.CHOOSING
    deadline = session.grace_ends_at if choosing and session.grace_ends_at is not None else session.deadline
    text = (
        f"Sorry, I was away or lost time for you. I have given you {minutes} {'minute' if minutes == 1 else 'minutes'} "
        f"back: you have until {clock_time(deadline)}. Everything you entered is kept; what was training starts again."
    )
    go_on = (
        button("Choose", FINISH, session.id, style="primary")
        if choosing
        else button("New configuration", NEW, session.id, style="primary")
    )
    buttons = [go_on, button("History", HISTORY, session.id)]
    return Message(text=text, blocks=(section(text), actions(buttons, block_id="given_back")))

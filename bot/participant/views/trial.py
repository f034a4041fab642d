"""A trial's replies in the session's thread: one while it runs, one with its result, and pictures of its losses."""

from collections.abc import Sequence
from datetime import timedelta

from slack_sdk.models.blocks import Block, ButtonElement

from bot.participant.time_estimate import TimeEstimate
from bot.participant.views import buttons
from bot.runner.running_jobs import Progress
from bot.slack.block_kit import (
    CONTEXT_TEXT,
    Message,
    actions,
    clock_time,
    context,
    duration,
    escape,
    percent,
    section,
    shorten,
)
from storage.queries.history import SessionView, TrialView
from storage.schema.states import SessionState, TrialState
from training.hyperparameters import BY_NAME

_REASON_CHARACTERS = 100
"""How much of a reason in the participant's own words is shown under a trial. The database keeps all of it."""

_MOST_EPOCHS = 30
"""The number of epochs after which the validation accuracy is shown."""


def trial_message(
    trial: TrialView,
    session: SessionView,
    progress: Progress | None = None,
    plot: Sequence[Block] = (),
    estimate: TimeEstimate | None = None,
    *,
    after_epochs: bool = False,
) -> Message:
    """A trial as it is now: the reply that shows it while it waits and runs, or the one with its result.

    Args:
        trial: The trial.
        session: The session as it is now. Its state decides which buttons the reply has.
        progress: How far the trial is, while it runs.
        plot: The blocks that show its losses.
        estimate: How long the trial has taken and will take, while it runs.
        after_epochs: Whether the validation accuracy after each epoch is shown.
    """
    title = f"Trial {trial.number} · {_state(trial, progress)}"
    blocks: list[Block] = [section(f"*{title}*\n{trial.summary}"), *plot]
    if after_epochs and trial.epoch_accuracies:
        blocks.append(context(_after_epochs(trial.epoch_accuracies)))
    if time := _time(trial, session, estimate):
        blocks.append(context(time))
    if reasons := _reasons(trial):
        blocks.append(context(reasons))
    if offered := _buttons(trial, session, has_losses=bool(plot)):
        blocks.append(actions(offered, block_id=f"trial.{trial.number}.{trial.state}"))
    return Message(text=f"{title}. {trial.summary}", blocks=tuple(blocks))


def ended_line(trial: TrialView) -> Message:
    """What is left of a running trial's reply once the result is posted."""
    text = f"Trial {trial.number} has ended. Its result is below."
    return Message(text=text, blocks=(context(text),))


def plot_message(trial: TrialView, progress: Progress, plot: Sequence[Block]) -> Message:
    """The losses of a running trial, as they are now."""
    text = f"Trial {trial.number}, epoch {progress.epoch} of {trial.configuration.epochs}: its losses until now."
    return Message(text=text, blocks=(section(text), *plot))


def _state(trial: TrialView, progress: Progress | None) -> str:
    match trial.state:
        case TrialState.WAITING:
            return "in the queue, starts as soon as a slot is free"
        case TrialState.RUNNING if trial.is_stopping:
            return "is being cancelled"
        case TrialState.RUNNING:
            epochs = trial.configuration.epochs
            return f"training, epoch {progress.epoch} of {epochs}" if progress else "starting"
        case TrialState.COMPLETE:
            accuracy = percent(trial.validation_accuracy or 0.0).replace(" ", "\N{NO-BREAK SPACE}")
            return f"validation accuracy {accuracy}"
        case TrialState.CANCELLED:
            return "cancelled"
        case TrialState.DIVERGED:
            return "diverged: its loss is no longer a number, so it ended"
        case TrialState.FAILED:
            return f"failed. {escape(shorten(trial.reason or 'It was not your fault.', 400))}"


def _time(trial: TrialView, session: SessionView, estimate: TimeEstimate | None) -> str:
    """How long the trial has taken, and what happens next."""
    if trial.state is TrialState.WAITING:
        return "Its losses appear here by themselves, and its result below."
    if trial.is_stopping:
        return "In a moment you can go on from here." if session.state is SessionState.ACTIVE else ""
    if estimate is not None:
        if estimate.left is None:
            return f"⏱ {duration(estimate.taken)} so far. The result appears below by itself."
        taken, left = duration(estimate.taken), duration(estimate.left)
        text = f"⏱ {taken} so far, about {left} left. The result appears below by itself."
        began = trial.started_at or trial.submitted_at
        if began + estimate.taken + estimate.left > session.deadline:
            text += f" The trial would end after your time is up ({clock_time(session.deadline)})."
        return text
    if trial.state.is_finished and trial.seconds is not None:
        return f"⏱ Trained for {duration(timedelta(seconds=trial.seconds))}."
    return ""


def _after_epochs(accuracies: Sequence[float]) -> str:
    """The validation accuracies after the epochs, the last ones if they are many."""
    shown = " · ".join(f"{accuracy:.1f}" for accuracy in accuracies[-_MOST_EPOCHS:])
    if len(accuracies) == 1:
        return f"📈 Validation accuracy after the first epoch: {shown} %"
    which = "each epoch" if len(accuracies) <= _MOST_EPOCHS else f"each of the last {_MOST_EPOCHS} epochs"
    return f"📈 Validation accuracy after {which}: {shown} %"


def _reasons(trial: TrialView) -> str:
    """The participant's reasons for values, as many as fit in a line of small print."""
    line = ""
    for name, remark in trial.comments.items():
        reason = f"{BY_NAME[name].label}: {escape(shorten(str(remark), _REASON_CHARACTERS))}"
        longer = f"{line} · {reason}" if line else f"💬 {reason}"
        if len(longer) > CONTEXT_TEXT - 2:
            return f"{line} …"
        line = longer
    return line


def _buttons(trial: TrialView, session: SessionView, *, has_losses: bool) -> list[ButtonElement]:
    if trial.is_stopping:
        return []
    if not trial.state.is_finished:
        return [buttons.cancel(trial), *([buttons.show_picture(trial)] if has_losses else [])]
    match session.state:
        case SessionState.ACTIVE:
            return [
                buttons.tune_from_here(trial, buttons.WAY_ON),
                buttons.new_configuration(session),
                buttons.history(session),
                buttons.finish(session),
            ]
        case SessionState.CHOOSING:
            return [buttons.choose(session), buttons.history(session)]
        case SessionState.FINISHED:
            return []

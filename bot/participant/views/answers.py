"""Answers to what somebody writes: every one ends with the way on."""

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.participant.views import buttons, session_thread
from bot.participant.views.final_choice import result, trial_line
from bot.participant.views.next_step import SHOW, led_back, next_step
from bot.slack.block_kit import (
    TABLE_ROWS,
    TABLE_TEXT,
    Message,
    actions,
    button,
    clock_time,
    context,
    duration,
    escape,
    section,
    shorten,
    table,
)
from bot.study.participant_status import ParticipantStatus
from storage.queries.history import SessionView, TrialView
from storage.schema.states import SessionState
from training.hyperparameters import BY_NAME, LABELS, format_value

LEAVE = "study_leave"

EXAMPLE = "adam, lr 3e-4, 20 epochs, batch 64, cross entropy"

_MOST_IN_SECTIONS = 40
"""A message has 50 blocks."""

_QUOTED = 60


def words(status: ParticipantStatus) -> str:
    """The words that are understood here, in a line."""
    if status.session is None or status.session.state is not SessionState.ACTIVE:
        return "Words that I understand: *help*, *start*, *time*, *history*; *withdraw* to leave the study."
    return (
        "Words that I understand: *help*, *tune*, *time*, *history*, *cancel*, *finish*; "
        "*withdraw* to leave the study. "
        f"Or a configuration in one line: `{EXAMPLE}`."
    )


def help_with(status: ParticipantStatus) -> Message:
    """What all this is, and the way on."""
    view = status.session
    if view is not None and view.state is SessionState.ACTIVE:
        text = (
            "You are looking for the settings with which a network classifies new images best. Submit a configuration, "
            "watch its loss, and learn from its validation accuracy. At the end you name your final configuration."
        )
    else:
        text = "This is a study on how people tune neural networks, and I lead you through it."
    return led_back(text, status, context(words(status)))


def time_left(status: ParticipantStatus, limit_minutes: float, now: datetime) -> Message:
    """How much time there is."""
    view = status.session
    if view is None:
        return led_back(f"You have {limit_minutes:g} minutes from pressing *Start*; your time has not started.", status)
    if view.state is SessionState.ACTIVE:
        left = view.time_left(now)
        text = f"Your session runs until {clock_time(view.deadline)}: {duration(left)} are left."
        told, step = session_thread.so_far(view), next_step(status)
        if progress := session_thread.in_progress(view):
            text += f" {progress}"
        return Message(text=f"{text} {told}", blocks=(section(text), context(told), *step.blocks(block_id="next")))
    return led_back(session_thread.so_far(view), status)


def trials_made(status: ParticipantStatus) -> Message:
    """All trials in a table, the newest first; as many of them as fit."""
    if status.session is None or not status.session.trials:
        return led_back("You have made no trials yet.", status)
    text = f"Your trials: {session_thread.so_far(status.session)}"
    rows, left_out = _rows(status.session.trials)
    more = [context(f"… and {left_out} older ones.")] if left_out else []
    return led_back(text, status, table(rows), *more)


def trials_made_in_sections(status: ParticipantStatus) -> Message:
    """The same without a table, for a workspace that refuses it."""
    if status.session is None or not status.session.trials:
        return led_back("You have made no trials yet.", status)
    trials = status.session.trials
    blocks: list[Block] = [section(trial_line(each)) for each in reversed(trials[-_MOST_IN_SECTIONS:])]
    if len(trials) > _MOST_IN_SECTIONS:
        blocks.append(context(f"… and {len(trials) - _MOST_IN_SECTIONS} older ones."))
    return led_back(f"Your trials: {session_thread.so_far(status.session)}", status, *blocks)


_HEADER = ("Trial", "Accuracy", "Optimizer", "Loss", "Epochs", "Batch", "Learning rate", "Also changed")


def _rows(trials: Sequence[TrialView]) -> tuple[list[Sequence[str]], int]:
    """Rows for the newest trials below their header, and how many trials did not fit."""
    rows: list[Sequence[str]] = [_HEADER]
    characters = sum(map(len, _HEADER))
    for trial in reversed(trials):
        values = trial.configuration
        also = ", ".join(
            f"{each.label.lower()} {format_value(value)}"
            for each, value in values.used()
            if not each.mandatory and each.name != "learning_rate" and value != each.default
        )
        row = [
            str(trial.number),
            result(trial),
            LABELS[values.optimizer],
            LABELS[values.loss],
            str(values.epochs),
            str(values.batch_size),
            format_value(values.learning_rate),
            also,
        ]
        characters += sum(len(cell) or 1 for cell in row)
        if len(rows) == TABLE_ROWS or characters > TABLE_TEXT:
            break
        rows.append(row)
    left_out = len(trials) - len(rows) + 1
    if not any(row[-1] for row in rows[1:]):  # on a phone every column counts
        rows = [row[:-1] for row in rows]
    return rows, left_out


def form_offered(status: ParticipantStatus) -> Message:
    """The way to a new configuration: a form can only be opened by a press."""
    view = status.session
    if view is None or view.state is not SessionState.ACTIVE:
        return led_back("You can tune as soon as your time runs." if view is None else _closed(view), status)
    return led_back(f"You can also write a configuration in one line, such as `{EXAMPLE}`.", status)


def _closed(view: SessionView) -> str:
    return "No more configurations can be tried." if view.state is SessionState.CHOOSING else "Your session is over."


def start_offered(status: ParticipantStatus) -> Message:
    """The way to the start."""
    if status.session is not None and status.session.state is SessionState.ACTIVE:
        return led_back("You have started already.", status)
    return led_back("Here is the way on.", status)


def finish_offered(status: ParticipantStatus) -> Message:
    """The way to the final choice."""
    view = status.session
    if view is None:
        return led_back("There is nothing to finish yet. You may stop at any moment: write *withdraw*.", status)
    if view.state is not SessionState.ACTIVE:
        return led_back("Your tuning is over.", status)
    text = "Finishing ends your session: you name your final configuration, and nothing can be tried after that."
    more = buttons.new_configuration(view) if view.unfinished is None else buttons.prepare_next(view)
    return Message(
        text=text,
        blocks=(
            section(text),
            actions([buttons.finish(view, buttons.WAY_ON), buttons.history(view), more], block_id="finish"),
        ),
    )


def cancelling(trial: int, status: ParticipantStatus) -> Message:
    """A trial is cancelled because its participant wrote so."""
    return led_back(f"Trial {trial} is cancelled. Its losses are kept.", status)


def cancel_offered(status: ParticipantStatus, named: Sequence[int]) -> Message:
    """Asks back, or says that there is nothing to cancel.

    Args:
        status: Where the participant stands.
        named: The numbers of trials that they wrote.
    """
    view = status.session
    running = view.unfinished if view is not None else None
    if view is None or running is None:
        return led_back("There is nothing to cancel.", status)
    text = f"Trial {running.number} is in progress."
    if running.is_stopping:
        return led_back("It is being cancelled already.", status)
    if named and running.number not in named:
        text = f"Only trial {running.number} is in progress; the others have ended."
    return Message(
        text=f"{text} Press Cancel to stop it.",
        blocks=(
            section(f"{text} Press *Cancel* to stop it; its losses are kept."),
            actions([buttons.cancel(running), buttons.prepare_next(view)], block_id="cancel"),
        ),
    )


def leaving_offered(deletes: bool = False) -> Message:
    """Asks whether somebody really wants to leave the study.

    Args:
        deletes: Whether what they did is deleted then, rather than kept under their code.
    """
    text = "You may leave the study at any moment, without giving a reason. "
    if deletes:
        text += "What you entered and trained is deleted then, and so is the link between your code and you: "
    else:
        text += "What you did stays under your code; the link between the code and you is deleted at once: "
    text += "it cannot be undone."
    stay = button("Stay in the study", SHOW, style="primary")
    return Message(
        text=text,
        blocks=(
            section(text),
            actions([button("Leave the study", LEAVE, style="danger"), stay], block_id="leave"),
        ),
    )


def goodbye(deleted: bool = False) -> Message:
    """Said to somebody who has left the study.

    Args:
        deleted: Whether what they did is deleted, rather than kept under their code.
    """
    text = (
        f"You have left the study, and {_what_is_deleted(deleted)}. Thank you for your time! "
        "There is nothing more to do. If you change your mind, you begin anew, under a new code."
    )
    again = button("Show me the study", SHOW, style="primary")
    return Message(text=text, blocks=(section(text), actions([again], block_id="goodbye")))


def taken_out(deleted: bool) -> Message:
    """Said to somebody whom a researcher has taken out of the study.

    Args:
        deleted: Whether what they did is deleted, rather than kept under their code.
    """
    text = (
        f"The researchers have ended your part in the study, and {_what_is_deleted(deleted)}. "
        "Thank you for your time! There is nothing more to do. If you have questions, ask the researchers."
    )
    return Message(text=text, blocks=(section(text),))


def _what_is_deleted(everything: bool) -> str:
    if everything:
        return "everything you entered and trained is deleted, and so is the link between you and your code"
    return "the link between you and your code is deleted; what you did is kept under the code"


def left() -> Message:
    """What becomes of the message of a session that its participant has left."""
    text = "You have left the study. This session is over."
    return Message(text=text, blocks=(section(text),))


def about_settings(names: Sequence[str], status: ParticipantStatus) -> Message:
    """What hyperparameters do, for somebody who mentions them."""
    told = "\n".join(
        f"*{BY_NAME[name].label}*: {BY_NAME[name].help} ({BY_NAME[name].range})" for name in list(names)[:5]
    )
    return led_back(told, status)


def not_understood(text: str, status: ParticipantStatus) -> Message:
    """Somebody wrote something else."""
    said = f"I do not understand “{escape(shorten(' '.join(text.split()), _QUOTED))}”. " if text.strip() else ""
    return led_back(f"{said}Here is where you stand.", status, context(words(status)))

"""Answers to what a participant writes: every one ends with the next step."""

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.participant.views import buttons, session_thread
from bot.participant.views.final_choice import result, trial_line
from bot.participant.views.next_step import ONCE, SHOW, led_back, next_step
from bot.slack.block_kit import (
    MESSAGE_CHARACTERS,
    TABLE_ROWS,
    TABLE_TEXT,
    Message,
    actions,
    as_much_as_fits,
    button,
    characters,
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
from training.bounds import Bounds
from training.hyperparameters import BY_NAME, LABELS, format_value

LEAVE = "study_leave"

ONE_LINE = escape("<optimizer>, <loss function>, epochs <number>, batch size <number>, lr <number>")
"""How a configuration is written in one line. It has no values: an example would influence what people try."""

_QUOTED = 60


def words(status: ParticipantStatus) -> str:
    """The words that the bot understands now, in a line."""
    if status.session is None or status.session.state is not SessionState.ACTIVE:
        return "I understand these words: *help*, *start*, *time*, *history*. Write *withdraw* to leave the study."
    return (
        "I understand these words: *help*, *tune*, *time*, *history*, *cancel*, *finish*. "
        "Write *withdraw* to leave the study. "
        f"You can also write a configuration in one line: `{ONE_LINE}`."
    )


def help_with(status: ParticipantStatus) -> Message:
    """Explain the study, and show the next step."""
    view = status.session
    if view is not None and view.state is SessionState.ACTIVE:
        text = (
            "Your task is to find the settings with which the network classifies new images best. Submit a "
            "configuration, watch its loss, and learn from its validation accuracy. At the end you choose your final "
            "configuration."
        )
    else:
        text = "This is a study on how people tune neural networks. I guide you through it."
    return led_back(text, status, context(words(status)))


def time_left(status: ParticipantStatus, limit_minutes: float, now: datetime) -> Message:
    """Tell how much time the participant has."""
    view = status.session
    if view is None:
        text = f"You will have {limit_minutes:g} minutes, and your time has not started yet."
        return led_back(text, status)
    if view.state is SessionState.ACTIVE:
        left = view.time_left(now)
        text = f"Your session runs until {clock_time(view.deadline)}: {duration(left)} are left."
        trials, step = session_thread.so_far(view), next_step(status)
        if progress := session_thread.in_progress(view):
            text += f" {progress}"
        return Message(text=f"{text} {trials}", blocks=(section(text), context(trials), *step.blocks(block_id="next")))
    return led_back(session_thread.so_far(view), status)


def trials_made(status: ParticipantStatus) -> Message:
    """Show the trials in a table, the newest first, as many of them as fit."""
    if status.session is None or not status.session.trials:
        return led_back("You have made no trials yet.", status)
    text = f"Your trials: {session_thread.so_far(status.session)}"
    around = led_back(text, status, table([_HEADER]), context(_older(len(status.session.trials))))
    rows, left_out = _rows(status.session.trials, min(TABLE_TEXT, MESSAGE_CHARACTERS - characters(around)))
    more = [context(_older(left_out))] if left_out else []
    return led_back(text, status, table(rows), *more)


def trials_made_in_sections(status: ParticipantStatus) -> Message:
    """Show the trials without a table, for a workspace that refuses tables."""
    if status.session is None or not status.session.trials:
        return led_back("You have made no trials yet.", status)
    text, trials = f"Your trials: {session_thread.so_far(status.session)}", status.session.trials

    def with_newest(count: int) -> Message:
        blocks: list[Block] = [section(trial_line(trial)) for trial in reversed(trials[len(trials) - count :])]
        if count < len(trials):
            blocks.append(context(_older(len(trials) - count)))
        return led_back(text, status, *blocks)

    return as_much_as_fits(len(trials), with_newest)


def _older(left_out: int) -> str:
    return f"… and {left_out} older ones. *History* shows more."


_HEADER = ("Trial", "Accuracy", "Optimizer", "Loss", "Epochs", "Batch", "Learning rate", "Also set")


def _rows(trials: Sequence[TrialView], most: int) -> tuple[list[Sequence[str]], int]:
    """Rows of at most so many characters for the newest trials below their header, and how many did not fit."""
    rows: list[Sequence[str]] = [_HEADER]
    length = sum(map(len, _HEADER))
    for trial in reversed(trials):
        values = trial.configuration
        further = values.further(whole=trial.hides_presets)
        also = ", ".join(f"{setting.label.lower()} {format_value(value)}" for setting, value in further)
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
        length += sum(len(cell) or 1 for cell in row)
        if len(rows) == TABLE_ROWS or length > most:
            break
        rows.append(row)
    left_out = len(trials) - len(rows) + 1
    if not any(row[-1] for row in rows[1:]):  # on a phone every column counts
        rows = [row[:-1] for row in rows]
    return rows, left_out


def form_offered(status: ParticipantStatus) -> Message:
    """Offer the form for a new configuration: only a press can open it."""
    view = status.session
    if view is None or view.state is not SessionState.ACTIVE:
        return led_back("You can tune once your session has started." if view is None else _closed(view), status)
    return led_back(f"You can also write a configuration in one line: `{ONE_LINE}`.", status)


def _closed(view: SessionView) -> str:
    return "You cannot try more configurations." if view.state is SessionState.CHOOSING else "Your session is over."


def start_offered(status: ParticipantStatus) -> Message:
    """Offer *Start*."""
    if status.session is not None and status.session.state is SessionState.ACTIVE:
        return led_back("You have started already.", status)
    return led_back("This is your next step.", status)


def finish_offered(status: ParticipantStatus) -> Message:
    """Offer the final choice."""
    view = status.session
    if view is None:
        text = "There is nothing to finish yet. You may leave the study at any time: write *withdraw*."
        return led_back(text, status)
    if view.state is not SessionState.ACTIVE:
        return led_back("Your time for tuning is over.", status)
    text = "Finishing ends your session. You choose your final configuration, and after that you cannot try any more."
    more = buttons.new_configuration(view) if view.unfinished is None else buttons.prepare_next(view)
    return Message(
        text=text,
        blocks=(
            section(text),
            actions([buttons.finish(view, buttons.WAY_ON), buttons.history(view), more], block_id="finish"),
        ),
    )


def cancelling(trial: int, status: ParticipantStatus) -> Message:
    """Confirm that a trial is cancelled because its participant wrote *cancel*."""
    return led_back(f"Trial {trial} is cancelled. Its losses are kept.", status)


def cancel_offered(status: ParticipantStatus, named: Sequence[int]) -> Message:
    """Ask which trial to cancel, or say that there is nothing to cancel.

    Args:
        status: The participant's status.
        named: The trial numbers that the participant wrote.
    """
    view = status.session
    running = view.unfinished if view is not None else None
    if view is None or running is None:
        return led_back("There is nothing to cancel.", status)
    text = f"Trial {running.number} is in progress."
    if running.is_stopping:
        return led_back(f"Trial {running.number} is being cancelled already.", status)
    if named and running.number not in named:
        text = f"Only trial {running.number} is in progress. The others have ended."
    return Message(
        text=f"{text} Press Cancel to stop it.",
        blocks=(
            section(f"{text} Press *Cancel* to stop it. Its losses are kept."),
            actions([buttons.cancel(running), buttons.prepare_next(view)], block_id="cancel"),
        ),
    )


def leaving_offered(deletes: bool = False, for_good: bool = True) -> Message:
    """Ask whether somebody really wants to leave the study.

    Args:
        deletes: Whether their data is deleted then, rather than kept under their code.
        for_good: Whether they cannot come back then, because they have agreed to take part.
    """
    text = "You may leave the study at any time, without giving a reason. "
    if deletes:
        text += "Then what you entered and trained is deleted, and so is the link between your code and you. "
    else:
        text += "Then what you did is kept under your code, but the link between the code and you is deleted. "
    text += "This cannot be undone, and you cannot take part again." if for_good else "This cannot be undone."
    stay = button("Stay in the study", SHOW, style="primary")
    return Message(
        text=text,
        blocks=(
            section(text),
            actions([button("Leave the study", LEAVE, style="danger"), stay], block_id="leave"),
        ),
    )


def goodbye(deleted: bool = False, for_good: bool = True) -> Message:
    """Confirm to somebody that they have left the study.

    Args:
        deleted: Whether their data is deleted, rather than kept under their code.
        for_good: Whether they cannot come back, because they had agreed to take part.
    """
    text = f"You have left the study. {_what_is_deleted(deleted)} Thank you for your time! There is nothing more to do."
    if for_good:
        text += f" {ONCE}"
        return Message(text=text, blocks=(section(text),))
    text += " If you change your mind, you can start again from the beginning, with a new code."
    again = button("Show me the study", SHOW, style="primary")
    return Message(text=text, blocks=(section(text), actions([again], block_id="goodbye")))


def taken_out(deleted: bool) -> Message:
    """Tell somebody that a researcher has taken them out of the study.

    Args:
        deleted: Whether their data is deleted, rather than kept under their code.
    """
    text = (
        f"The researchers have ended your part in the study. {_what_is_deleted(deleted)} "
        "Thank you for your time! There is nothing more to do. If you have questions, ask the researchers."
    )
    return Message(text=text, blocks=(section(text),))


def _what_is_deleted(everything: bool) -> str:
    if everything:
        return "Everything that you entered and trained is deleted, and so is the link between you and your code."
    return "The link between you and your code is deleted. What you did is kept under the code."


def left() -> Message:
    """The root message of a session whose participant has left the study."""
    text = "You have left the study. This session is over."
    return Message(text=text, blocks=(section(text),))


def about_settings(names: Sequence[str], status: ParticipantStatus, bounds: Bounds = Bounds.OPTIMIZER) -> Message:
    """Explain the hyperparameters that somebody mentions.

    Args:
        names: Their names.
        status: The participant's status.
        bounds: The study's bounds.
    """
    explanations = "\n".join(
        f"*{BY_NAME[name].label}*: {BY_NAME[name].help} Accepted: {BY_NAME[name].accepted(bounds)}."
        for name in list(names)[:5]
    )
    return led_back(explanations, status)


def not_understood(text: str, status: ParticipantStatus) -> Message:
    """Answer a text that the bot does not understand."""
    problem = f"I do not understand “{escape(shorten(' '.join(text.split()), _QUOTED))}”. " if text.strip() else ""
    return led_back(f"{problem}Here is your status.", status, context(words(status)))

"""The buttons of a session. Each is made in one place, so it looks and works the same in every message."""

from slack_sdk.models.blocks import ButtonElement

from bot.slack.block_kit import button, confirm
from storage.queries.history import SessionView, TrialView

NEW = "form_new"
FROM_HERE = "form_from"
CANCEL = "trial_cancel"
PICTURE = "trial_picture"
HISTORY = "history_open"
FINISH = "finish_open"

WAY_ON = "primary"
"""The style of the button for the next step. A message has at most one."""


def new_configuration(session: SessionView, style: str | None = None) -> ButtonElement:
    """Opens the form for a new configuration."""
    return button("New configuration", NEW, session.button_value, style=style)


def prepare_next(session: SessionView) -> ButtonElement:
    """Opens the same form while a trial is in progress. It can be filled in now, and sent when the trial has ended."""
    return button("Prepare the next one", NEW, session.button_value)


def tune_from_here(trial: TrialView, style: str | None = None, label: str = "Tune from here") -> ButtonElement:
    """Opens the form filled in with a trial's values."""
    return button(label, FROM_HERE, trial.button_value, style=style)


def history(session: SessionView) -> ButtonElement:
    """Shows all trials of the session."""
    return button("History", HISTORY, session.button_value)


def finish(session: SessionView, style: str | None = None) -> ButtonElement:
    """Opens the form for the final choice, while there is time left."""
    return button("Finish", FINISH, session.button_value, style=style)


def choose(session: SessionView, style: str | None = WAY_ON) -> ButtonElement:
    """Opens the form for the final choice once the time is up."""
    return button("Choose", FINISH, session.button_value, style=style)


def show_picture(trial: TrialView) -> ButtonElement:
    """Posts the losses of a running trial as a picture, as they are now."""
    return button("Show as picture", PICTURE, trial.button_value)


def cancel(trial: TrialView) -> ButtonElement:
    """Stops a trial, once the participant has confirmed it."""
    question = confirm(
        "Cancel this trial?",
        f"Trial {trial.number} stops and gets no validation accuracy. Its losses are kept.",
        "Cancel the trial",
        "Let it train",
        style="danger",
    )
    return button("Cancel", CANCEL, trial.button_value, style="danger", confirm=question)

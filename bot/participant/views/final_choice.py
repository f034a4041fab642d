"""The history of a session, and the form for its final choice."""

from collections.abc import Mapping
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, StaticSelectElement
from slack_sdk.models.views import View

from bot.participant.views import buttons, session_thread
from bot.slack.block_kit import modal, options, percent, section, shorten
from bot.study.outdated import reading_form
from storage.queries.history import SessionView, TrialView
from storage.schema.states import SessionState, TrialState

FINAL_FORM = "final"
NEW_VALUES = "new"
_CHOICE = "choice"
_MOST_TRIALS = 95
"""A modal has 100 blocks and a select 100 options; the newest (or best) trials are shown."""

_ENDED = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "training",
    TrialState.CANCELLED: "cancelled",
    TrialState.DIVERGED: "diverged",
    TrialState.FAILED: "failed",
}


def result(trial: TrialView) -> str:
    """A trial's accuracy, or its state."""
    return percent(trial.validation_accuracy or 0.0) if trial.state is TrialState.COMPLETE else _ENDED[trial.state]


def trial_line(trial: TrialView) -> str:
    """A trial in two lines of mrkdwn: number and result, configuration."""
    return f"*{trial.number} · {result(trial)}*\n{trial.summary}"


def history(view: SessionView) -> View:
    """All trials of the session, the newest first, each with *Tune from here* while the session runs."""
    active = view.state is SessionState.ACTIVE
    blocks: list[Block] = [
        section(trial_line(trial), accessory=buttons.tune_from_here(trial) if active else None)
        for trial in reversed(view.trials[-_MOST_TRIALS:])
    ]
    if not blocks:
        blocks.append(section("You have no trials yet. Press *New configuration* to train your first network."))
    elif len(view.trials) > _MOST_TRIALS:
        blocks.append(section(f"… and {len(view.trials) - _MOST_TRIALS} older ones."))
    return modal("Your trials", blocks, callback_id="history")


def final_form(view: SessionView, evaluations: int) -> View:
    """Ask for the final choice: a complete trial (the best stands first), or new values.

    Args:
        view: The session.
        evaluations: How often the final choice is trained and tested.
    """
    complete = [trial for trial in view.trials if trial.state is TrialState.COMPLETE]
    complete.sort(key=lambda trial: (-(trial.validation_accuracy or 0.0), trial.number))
    labels = {
        str(trial.number): shorten(f"{trial.number} · {result(trial)} · {trial.summary}", 75)
        for trial in complete[:_MOST_TRIALS]
    }
    labels[NEW_VALUES] = "Other values, which I enter now"
    running = view.unfinished
    end = f"This ends your session, and trial {running.number} is cancelled." if running else "This ends your session."
    again = session_thread.more_times(evaluations)
    what = f"Which configuration is your best? It is trained {again} and tested on new images. {end}"
    return modal(
        "Your final choice",
        [
            section(what),
            InputBlock(
                block_id=_CHOICE,
                label="Final configuration",
                element=StaticSelectElement(action_id=_CHOICE, placeholder="Choose one", options=options(labels)),
            ),
        ],
        callback_id=FINAL_FORM,
        submit="Choose and finish",
        close="Not yet",
        private_metadata=view.button_value,
    )


def read_final(values: Mapping[str, Mapping[str, Any]]) -> int | None:
    """Read the number of the chosen trial; none for new values.

    Raises:
        Refused: It cannot be read.
    """
    with reading_form():
        chosen = values[_CHOICE][_CHOICE]["selected_option"]["value"]
        return None if chosen == NEW_VALUES else int(chosen)

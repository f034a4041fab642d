"""What the report channel reads about a participant's results, and that the bot is up."""

from bot.slack.block_kit import Message, context, escape, header, section
from storage.queries.history import SessionView
from storage.schema.states import Chooser, StudyState
from storage.transitions.evaluations import EvaluationSummary


def participant_finished(view: SessionView, summary: EvaluationSummary, group: str) -> Message:
    """A participant's results, once all evaluations of the final choice have ended.

    Args:
        view: The session, finished.
        summary: Its evaluations; accuracies are test accuracies in percent.
        group: novice, medium or expert.
    """
    if summary.mean is None:
        accuracy = "no test accuracy: no evaluation could be completed"
    elif summary.sd is None:
        accuracy = f"test accuracy {summary.mean:.1f} %"
    else:
        accuracy = f"test accuracy {summary.mean:.1f} ± {summary.sd:.1f} %"
    minutes = ((view.finished_at or view.deadline) - view.started_at - view.given_back).total_seconds() / 60
    tries = f"{len(view.trials)} {'try' if len(view.trials) == 1 else 'tries'}"
    lines = [f"*{view.participant}* ({group}): {accuracy}", f"{tries} in {minutes:.1f} minutes"]
    details = [f"{summary.complete} of {summary.total} evaluations complete"]
    if summary.diverged:
        details.append(f"{summary.diverged} diverged")
    if summary.failed:
        details.append(f"{summary.failed} failed")
    if view.choice is not None:
        by = "by the clock" if view.choice.chosen_by is Chooser.CLOCK else "by the participant"
        which = f"trial {view.choice.trial_number}" if view.choice.trial_number is not None else "new values"
        details.append(f"final choice: {which}, made {by}: {view.choice.configuration.summary()}")
    return Message(
        text=f"{view.participant} has finished: {accuracy}, {tries} in {minutes:.1f} minutes.",
        blocks=(header(f"{view.participant} has finished"), section("\n".join(lines)), context(" · ".join(details))),
    )


def results_deleted(code: str) -> Message:
    """In the place of the results of a participant who has left, and wants no data kept."""
    text = f"The results of {code} were here. {code} has left the study, and what they did is deleted."
    return Message(text=text, blocks=(section(text),))


_STANDING = {
    StudyState.PREPARED: "has not opened yet: `/study open` opens it",
    StudyState.OPEN: "is running",
    StudyState.PAUSED: "is paused",
    StudyState.CLOSED: "is closed: what is left of its evaluations still runs",
}


def bot_started(name: str, state: StudyState, rules_hash: str, slots: int) -> Message:
    """The bot is up."""
    text = f"I am up, with {slots} {'slot' if slots == 1 else 'slots'}. *{escape(name)}* {_STANDING[state]}."
    return Message(text=text, blocks=(section(text), context(f"Rules version {rules_hash[:8]}")))

"""Posts about a participant's results."""

from bot.slack.block_kit import Message, context, header, section
from storage.queries.history import SessionView
from storage.schema.states import Chooser
from storage.transitions.evaluations import EvaluationSummary


def participant_finished(view: SessionView, summary: EvaluationSummary, group: str, *, hidden: bool = False) -> Message:
    """A participant's results, once all evaluations of the final choice have ended.

    Args:
        view: The session, finished.
        summary: Its evaluations; accuracies are test accuracies in percent.
        group: novice, medium or expert.
        hidden: Whether test results are hidden until the study is closed.
    """
    if hidden:
        accuracy = "the evaluations are done"
    elif summary.mean is None:
        accuracy = "no test accuracy, because no evaluation is complete"
    elif summary.sd is None:
        accuracy = f"test accuracy {summary.mean:.1f} %"
    else:
        accuracy = f"test accuracy {summary.mean:.1f} ± {summary.sd:.1f} %"
    minutes = ((view.finished_at or view.deadline) - view.started_at - view.given_back).total_seconds() / 60
    trials = f"{len(view.trials)} {'trial' if len(view.trials) == 1 else 'trials'}"
    lines = [f"*{view.participant}* ({group}): {accuracy}", f"{trials} in {minutes:.1f} minutes"]
    details = [f"{summary.complete} of {summary.total} evaluations complete"]
    if summary.diverged:
        details.append(f"{summary.diverged} diverged")
    if summary.failed:
        details.append(f"{summary.failed} failed")
    if summary.cancelled:
        details.append(f"{summary.cancelled} cancelled")
    if view.choice is not None:
        by = "by the clock" if view.choice.chosen_by is Chooser.CLOCK else "by the participant"
        which = f"trial {view.choice.trial_number}" if view.choice.trial_number is not None else "new values"
        details.append(f"final choice: {which}, made {by}: {view.choice.configuration.summary()}")
    return Message(
        text=f"{view.participant} has finished: {accuracy}, {trials} in {minutes:.1f} minutes.",
        blocks=(header(f"{view.participant} has finished"), section("\n".join(lines)), context(" · ".join(details))),
    )


def results_deleted() -> Message:
    """What replaces the results of a participant who has left and whose data is deleted."""
    text = "A participant’s results were here. They have left the study, and their data is deleted."
    return Message(text=text, blocks=(section(text),))

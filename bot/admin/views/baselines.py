"""The post about a baseline that has ended."""

import statistics
from collections.abc import Sequence

from bot.slack.block_kit import Message, context, header, section
from storage.schema.states import Searcher
from storage.transitions.baselines import BaselineStatus


def baseline_ended(status: BaselineStatus) -> Message:
    """A baseline has run to its end.

    Args:
        status: The status of a baseline that is over. Its accuracies are validation accuracies in percent.
    """
    if status.searcher is Searcher.RANDOM:
        headline = f"Random search {status.code} is done"
        what, measured = f"{status.wanted:,} configurations drawn at random", f"{status.complete:,} complete"
        details = "The others diverged or failed." if status.complete < status.wanted else ""
    else:
        headline = f"TPE {status.code} is done"
        what, measured = f"{status.wanted:,} artificial participants", f"{status.complete:,} with a final choice"
        details = "These are the validation accuracies of their final choices. The evaluations run in idle slots."
    text = f"{what}, {measured}: {mean_and_deviation(status.accuracies)}."
    blocks = (header(headline), section(text), *([context(details)] if details else []))
    return Message(text=f"{headline}: {text}", blocks=blocks)


def mean_and_deviation(accuracies: Sequence[float]) -> str:
    """Mean and sample standard deviation, written as in the paper's figure 1: ``accuracy 41.8 ± 24.3 %``."""
    if not accuracies:
        return "no accuracy"
    spread = f" ± {statistics.stdev(accuracies):.1f}" if len(accuracies) > 1 else ""
    return f"accuracy {statistics.fmean(accuracies):.1f}{spread} %"

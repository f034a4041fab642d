"""What researchers read. Participants appear by their code only."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from bot.blocks import clock_time
from storage.history import SessionLine, Status
from storage.states import SessionState, TrialState

State = TypeVar("State", bound=StrEnum)

HELP = "`/study status` – who is tuning now, and how far the study is."


_MOST_NAMED_IN_LINE = 30


def status(status: Status, slots_ready: int, slots: int) -> str:
    """The study at a glance.

    Args:
        status: The counts.
        slots_ready: Slots whose worker is up.
        slots: All slots.
    """
    return "\n".join([*counts(status, slots_ready, slots), *map(line, status.running)])


def counts(status: Status, slots_ready: int, slots: int) -> list[str]:
    """How many there are of everything, in lines."""
    evaluations = status.evaluations
    done = sum(count for state, count in evaluations.items() if state.is_finished)
    lines = [
        f"*{status.study}* is {status.state}. {slots_ready} of {slots} slots are ready.",
        f"Participants: {_counts(status.participants)}.",
        f"Sessions: {_counts(status.sessions)}.",
        f"Trials: {_counts(status.trials)}.",
        f"Evaluations: {done} of {sum(evaluations.values())} done, {evaluations[TrialState.FAILED]} failed.",
    ]
    if status.waiting_in_line:
        more = len(status.waiting_in_line) - _MOST_NAMED_IN_LINE
        named = ", ".join(status.waiting_in_line[:_MOST_NAMED_IN_LINE])
        lines.append(f"In line: {named}{f' and {more} more' if more > 0 else ''}.")
    return lines


def line(session: SessionLine) -> str:
    """One session that is not finished, in a line."""
    best = session.best_validation_accuracy
    so_far = f"{session.tries} {'try' if session.tries == 1 else 'tries'}"
    so_far += f", best {best:.1f} %" if best is not None else ""
    until = "choosing" if session.state is SessionState.CHOOSING else f"until {clock_time(session.deadline)}"
    return f"• {session.participant}: {until}, {so_far}"


def _counts(counts: Mapping[State, int]) -> str:
    present = [f"{count} {state}" for state, count in counts.items() if count]
    return ", ".join(present) or "none yet"

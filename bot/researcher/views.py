"""What researchers read. Participants appear by their code only."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from bot.blocks import clock_time
from storage.history import SessionLine, Status
from storage.states import SessionState, TrialState

State = TypeVar("State", bound=StrEnum)

HELP = "`/study status` – who is tuning now, and how far the study is."


def status(status: Status, slots_ready: int, slots: int) -> str:
    """The study at a glance.

    Args:
        status: The counts.
        slots_ready: Slots whose worker is up.
        slots: All slots.
    """
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
        lines.append(f"In line: {', '.join(status.waiting_in_line)}.")
    lines += [_line(session) for session in status.running]
    return "\n".join(lines)


def _line(session: SessionLine) -> str:
    best = session.best_validation_accuracy
    so_far = f"{session.tries} tries" + (f", best {best:.1f} %" if best is not None else "")
    until = "choosing" if session.state is SessionState.CHOOSING else f"until {clock_time(session.deadline)}"
    return f"• {session.participant}: {until}, {so_far}"


def _counts(counts: Mapping[State, int]) -> str:
    present = [f"{count} {state}" for state, count in counts.items() if count]
    return ", ".join(present) or "none yet"

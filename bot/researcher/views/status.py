"""The study's status: who is tuning, who is in the queue, how much is done, how far the searchers are."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from slack_sdk.models.blocks import Block

from bot.researcher.views.pages import Page, Place, Subject, pages, within
from bot.slack.block_kit import clock_time, duration, escape, percent, section, sections
from storage.queries.baseline_status import BaselineStatus
from storage.queries.history import SessionLine, Status
from storage.schema.states import Searcher, SessionState, StudyState, TrialState

State = TypeVar("State", bound=StrEnum)

_MOST_NAMED_IN_QUEUE = 30
_MOST_BASELINES = 10
_SESSIONS_ON_PAGE = 30

SEARCHERS: Mapping[Searcher, str] = {Searcher.RANDOM: "random search", Searcher.TPE: "TPE"}

_STATES: Mapping[StudyState, str] = {StudyState.PREPARED: "not open yet"}


def status_page(status: Status, slots_ready: int, slots: int, now: datetime, number: int = 1) -> Page:
    """The page with the study's status.

    Args:
        status: The counts.
        slots_ready: Slots whose worker is up.
        slots: All slots.
        now: The time.
        number: The page; the sessions of a large study need several.
    """
    of = pages(len(status.running), _SESSIONS_ON_PAGE)
    number = within(number, of)
    first = (number - 1) * _SESSIONS_ON_PAGE
    shown = [line(each, now) for each in status.running[first : first + _SESSIONS_ON_PAGE]]
    blocks: list[Block] = [section("\n".join(counts(status, slots_ready, slots)))]
    blocks += sections(shown or ["Nobody is tuning at the moment."])
    return Page(Place(Subject.STATUS, number), of, "The study", tuple(blocks))


def counts(status: Status, slots_ready: int, slots: int) -> list[str]:
    """The counts of participants, sessions, trials and evaluations, and the running searchers, in lines."""
    evaluations = status.evaluations
    done = sum(count for state, count in evaluations.items() if state.is_finished)
    cancelled = evaluations[TrialState.CANCELLED]
    state = _STATES.get(status.state, str(status.state))
    lines = [
        f"*{escape(status.study)}* is {state}. {slots_ready} of {slots} slots are ready.",
        f"Participants: {_counts(status.participants)}.",
        f"Sessions: {_counts(status.sessions)}.",
        f"Trials: {_counts(status.trials)}; {status.trials_last_hour} were submitted in the last hour.",
        f"Evaluations: {done} of {sum(evaluations.values())} done, {evaluations[TrialState.FAILED]} failed"
        + (f", {cancelled} cancelled." if cancelled else "."),
    ]
    if status.in_queue:
        more = len(status.in_queue) - _MOST_NAMED_IN_QUEUE
        named = ", ".join(status.in_queue[:_MOST_NAMED_IN_QUEUE])
        lines.append(f"In the queue: {named}{f' and {more} more' if more > 0 else ''}.")
    running = [baseline for baseline in status.baselines if not baseline.is_over]
    lines += [baseline_line(baseline) for baseline in running[:_MOST_BASELINES]]
    return lines


def baseline_line(baseline: BaselineStatus) -> str:
    """How far a baseline is, in a line."""
    what = "trials" if baseline.searcher is Searcher.RANDOM else "artificial participants"
    budget = f" of {baseline.tries} {'trial' if baseline.tries == 1 else 'trials'} each" if baseline.tries else ""
    done = f"{baseline.done} of {baseline.wanted} {what}{budget} have ended, {baseline.complete} complete"
    running = f", {baseline.running} running" if baseline.running else ""
    stopped = "; stopped" if baseline.stopped else ""
    return f"Baseline {baseline.code} ({SEARCHERS[baseline.searcher]}): {done}{running}{stopped}."


def line(session: SessionLine, now: datetime | None = None) -> str:
    """One session that is not finished, in a line; with the time left if ``now`` is given."""
    best = session.best_validation_accuracy
    so_far = f"{session.tries} {'trial' if session.tries == 1 else 'trials'}"
    so_far += f", best {percent(best)}" if best is not None else ""
    if session.state is SessionState.CHOOSING:
        return f"• {session.participant}: choosing, {so_far}"
    left = f" ({duration(session.deadline - now)} left)" if now is not None else ""
    return f"• {session.participant}: until {clock_time(session.deadline)}{left}, {so_far}"


def _counts(counts: Mapping[State, int]) -> str:
    present = [f"{count} {state}" for state, count in counts.items() if count]
    return ", ".join(present) or "none yet"

"""The daily digest: how far the study is, and its figures so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from slack_sdk.models.blocks import Block

from bot.admin.alert_kinds import title_of
from bot.admin.views.baselines import mean_and_deviation
from bot.admin.views.controls import IN_DIGEST, Controls, controls_row
from bot.slack.block_kit import Message, context, header, moment, section
from storage.queries.baseline_status import BaselineStatus
from storage.queries.history import Status
from storage.schema.states import ParticipantState, Searcher, TrialState
from storage.schema.tables import Alert

State = TypeVar("State", bound=StrEnum)

_MOST_NAMED = 40
_MOST_BASELINES = 10
_MOST_ALERTS = 15


_SHOWN = "*Final accuracies so far* (test, mean ± sd over participants)"
_HIDDEN = "*Evaluated so far* (test results are hidden until the study is closed)"


@dataclass(frozen=True)
class Finished:
    """A participant whose session ended.

    Attributes:
        evaluated: Whether all evaluations have ended.
        mean: Of the test accuracies in percent, once all evaluations have ended; none while results are hidden.
    """

    code: str
    group: str
    evaluated: bool
    mean: float | None


@dataclass(frozen=True)
class GroupFigures:
    """A group so far.

    Attributes:
        evaluated: How many have finished and are evaluated.
        accuracies: Their final accuracies in percent, each the mean of one participant's evaluations; none while
            results are hidden.
    """

    group: str
    evaluated: int
    accuracies: tuple[float, ...]


@dataclass(frozen=True)
class Digest:
    """The content of a digest: about one day, or about several if the bot was away.

    Attributes:
        since, until: The time that it covers.
        status: The study as it is now.
        finished: The participants whose session ended in that time, in that order.
        joined: How many people described their experience in that time.
        submitted: How many trials people submitted in that time.
        groups: Every group, from the least to the most experience.
        alerts: The alerts that nobody has acknowledged.
        hidden: Whether test results are hidden until the study is closed.
        changed_at: When it was brought up to date, after a button under it was pressed; none before that.
    """

    since: datetime
    until: datetime
    status: Status
    finished: tuple[Finished, ...]
    joined: int
    submitted: int
    groups: tuple[GroupFigures, ...]
    alerts: tuple[Alert, ...]
    hidden: bool = False
    changed_at: datetime | None = None

    @property
    def controls(self) -> Controls:
        """What can be done now."""
        return Controls(self.status.state, self.status.evaluations[TrialState.FAILED])


def digest_post(digest: Digest) -> Message:
    """The digest as a post."""
    status = digest.status
    blocks: list[Block] = [
        header(f"{status.study}: the day’s digest"),
        context(_period(digest)),
        section("\n".join(_day(digest))),
        section("\n".join(_progress(status))),
        section("\n".join([_HIDDEN if digest.hidden else _SHOWN, *_groups(digest.groups)])),
    ]
    if status.baselines:
        blocks.append(section("\n".join(["*Searchers*", *_baselines(status.baselines)])))
    if digest.alerts:
        blocks.append(section("\n".join(["*Not acknowledged*", *_alerts(digest.alerts)])))
    return Message(
        text=f"{status.study}, the day’s digest: {len(digest.finished)} finished, {digest.submitted} trials submitted.",
        blocks=(*blocks, *controls_row(digest.controls, IN_DIGEST)),
    )


def _period(digest: Digest) -> str:
    changed = f" · brought up to date {moment(digest.changed_at)}" if digest.changed_at is not None else ""
    return f"From {moment(digest.since)} to {moment(digest.until)}{changed}"


def _day(digest: Digest) -> list[str]:
    lines = [f"*{_of(digest.finished)} finished*, {digest.joined} joined, {digest.submitted:,} trials were submitted."]
    lines += [f"• {person.code} ({person.group}): {_result(person)}" for person in digest.finished[:_MOST_NAMED]]
    if len(digest.finished) > _MOST_NAMED:
        lines.append(f"• and {len(digest.finished) - _MOST_NAMED} more")
    return lines


def _result(person: Finished) -> str:
    if person.mean is not None:
        return f"test accuracy {person.mean:.1f} %"
    return "evaluated" if person.evaluated else "not evaluated yet"


def _of(finished: Sequence[Finished]) -> str:
    return "1 participant has" if len(finished) == 1 else f"{len(finished)} participants have"


def _progress(status: Status) -> list[str]:
    people = {state: count for state, count in status.participants.items() if state is not ParticipantState.WITHDRAWN}
    done = sum(count for state, count in status.evaluations.items() if state.is_finished)
    left = sum(status.evaluations.values()) - done
    failed, cancelled = status.evaluations[TrialState.FAILED], status.evaluations[TrialState.CANCELLED]
    ended = [f"{done:,} done", f"{left:,} left"]
    ended += [f"{count:,} {word}" for count, word in ((failed, "failed"), (cancelled, "cancelled")) if count]
    return [
        f"*So far* (the study is {status.state})",
        f"Participants: {sum(people.values()):,}. Left the study: {status.participants[ParticipantState.WITHDRAWN]:,}. "
        f"In a session now: {len(status.running):,}. In the queue: {len(status.in_queue):,}.",
        f"Trials: {_counts(status.trials)}.",
        f"Evaluations: {', '.join(ended)}.",
    ]


def _groups(groups: Sequence[GroupFigures]) -> list[str]:
    return [
        f"• {group.group}: {group.evaluated} finished"
        + (f", {mean_and_deviation(group.accuracies)}" if group.accuracies else "")
        for group in groups
    ]


def _baselines(baselines: Sequence[BaselineStatus]) -> list[str]:
    lines = []
    for baseline in baselines[-_MOST_BASELINES:]:
        what = "configurations" if baseline.searcher is Searcher.RANDOM else "artificial participants"
        state = "stopped" if baseline.stopped else "done" if baseline.is_over else "running"
        measured = f", {mean_and_deviation(baseline.accuracies)}" if baseline.accuracies else ""
        lines.append(f"• {baseline.code}: {baseline.done:,} of {baseline.wanted:,} {what}, {state}{measured}")
    return lines


def _alerts(alerts: Sequence[Alert]) -> list[str]:
    lines = [
        f"• {title_of(alert.kind)}"
        + (f", {alert.count:,} times" if alert.count > 1 else "")
        + f", last {moment(alert.last_at)}"
        for alert in alerts[:_MOST_ALERTS]
    ]
    if len(alerts) > _MOST_ALERTS:
        lines.append(f"• and {len(alerts) - _MOST_ALERTS} more")
    return lines


def _counts(counts: Mapping[State, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "none yet"

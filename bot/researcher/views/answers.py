"""What researchers are told in a line or a few: what was done, what can be done, what was not understood."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, stdev

from bot.researcher.views.pages import said
from bot.researcher.views.status import baseline_line, sections
from bot.slack.block_kit import Message, clock_time, context, escape, shorten
from bot.study.researcher_actions import Invitation
from storage.queries.baseline_status import BaselineStatus
from storage.schema.states import Searcher

_QUOTED = 60
_MOST_BASELINES = 40

_GIVES_WAY = "They fill idle slots and give way to people. `/study baseline` tells how far it is."

_INVITED = {
    Invitation.WRITTEN: "✅ I have written to {people}.",
    Invitation.ALREADY: "Takes part already: {people}.",
    Invitation.LEFT: "Has left the study, and was not written to: {people}. They may come back by writing to me.",
    Invitation.BOT: "Is a bot, and was not written to: {people}.",
    Invitation.GONE: "Has a deactivated account: {people}.",
    Invitation.UNKNOWN: "Is nobody in this workspace whom I can write to: {people}.",
}


@dataclass(frozen=True)
class Usage:
    """How a command is written, and what it does in a few words."""

    written: str
    does: str


def help_with(usages: Sequence[Usage]) -> Message:
    """All that ``/study`` can do."""
    lines = [f"`/study {each.written}` – {each.does}" for each in usages]
    return Message(text="What /study can do.", blocks=tuple(sections(lines)))


def not_known(word: str, near: Usage | None) -> Message:
    """A command that there is not, and the one that may have been meant."""
    text = f"I do not know “{escape(shorten(word, _QUOTED))}”. "
    if near is None:
        return said(f"{text}`/study help` names all commands.")
    return said(f"{text}Did you mean `/study {near.written}` – {near.does}?")


def misspelt(problem: str, usages: Sequence[Usage]) -> Message:
    """A command that is known, and how it is written."""
    written = " or ".join(f"`/study {each.written}`" for each in usages)
    return said(f"{escape(problem)} Write {written}.")


def not_for_you(text: str, more: str = "") -> Message:
    """Said to somebody who is no researcher."""
    return said(text, *([context(escape(more))] if more else []))


def nothing_done() -> Message:
    """*No* was pressed."""
    return said("Nothing was changed.")


def invited(outcomes: Iterable[tuple[str, Invitation]], others: Sequence[str]) -> Message:
    """Whom invitations reached.

    Args:
        outcomes: What came of it, by Slack user.
        others: Words that name nobody.
    """
    lines = []
    found = list(outcomes)
    for outcome, text in _INVITED.items():
        people = [f"<@{user}>" for user, each in found if each is outcome]
        lines += [text.format(people=", ".join(people[first : first + 50])) for first in range(0, len(people), 50)]
    if others:
        named = ", ".join(f"“{escape(shorten(each, _QUOTED))}”" for each in others[:20])
        lines.append(f"Names nobody: {named}. Write people as @name.")
    return Message(text="Invitations", blocks=tuple(sections(lines)))


def extended(code: str, length: str, until: datetime, *, choosing: bool) -> Message:
    """Somebody was given more time."""
    what = "to choose" if choosing else "to tune"
    return said(f"✅ {code} has {length} more {what}, until {clock_time(until)}, and is told.")


def reviewed(retried: int, added: int) -> Message:
    """Evaluations were put in line again."""
    if not retried and not added:
        return said("There is nothing to do: no evaluation has failed, and none is missing.")
    parts = []
    if retried:
        parts.append(f"Failed evaluations that run again: {retried}.")
    if added:
        parts.append(f"Missing evaluations that were added: {added}.")
    return said(f"✅ {' '.join(parts)}")


def random_begun(code: str, count: int) -> Message:
    """A random search began."""
    drawn = "setting was" if count == 1 else "settings were"
    return said(f"✅ Baseline {code}: {count:,} {drawn} drawn at random. {_GIVES_WAY}")


def tpe_begun(code: str, count: int, tries: int | None, minutes: float) -> Message:
    """Artificial participants began."""
    budget = f"{minutes:g} minutes of training"
    if tries is not None:
        budget += f", and {tries} {'try' if tries == 1 else 'tries'} at most,"
    who = "artificial participant has" if count == 1 else "artificial participants have"
    return said(f"✅ Baseline {code}: {count:,} {who} {budget} each, and a final choice at the end. {_GIVES_WAY}")


def baselines_stopped(codes: Sequence[str]) -> Message:
    """Searchers were stopped."""
    return said(f"✅ Stopped: {', '.join(codes)}. What they have done is kept.")


def baselines(statuses: Sequence[BaselineStatus]) -> Message:
    """How far the searchers are."""
    if not statuses:
        return said(
            "No searcher has taken part yet: `/study baseline random 320` or `/study baseline tpe 31` starts one."
        )
    lines = [f"{baseline_line(each)}{_accuracies(each)}" for each in statuses[-_MOST_BASELINES:]]
    return Message(text="The study's baselines", blocks=tuple(sections(lines)))


def _accuracies(status: BaselineStatus) -> str:
    if not status.accuracies:
        return ""
    what = "Validation" if status.searcher is Searcher.RANDOM else "Best validation"
    spread = f" ± {stdev(status.accuracies):.1f}" if len(status.accuracies) > 1 else ""
    return f" {what} accuracy {fmean(status.accuracies):.1f}{spread} %."


def sending(what: str) -> Message:
    """Something that takes a while was begun."""
    return said(f"⏳ {what} is being made, and comes to you as a direct message.")


def sent(what: str) -> Message:
    """A file was sent."""
    return said(f"✅ {what} is in your direct messages with me.")


def not_sent(what: str, why: str) -> Message:
    """A file could not be sent."""
    return said(f"⚠️ {what} could not be sent: {escape(shorten(why, 500))}")

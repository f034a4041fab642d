"""Short answers to researchers: what was done, what can be done, what the bot did not understand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, stdev

from bot.researcher.views.status import baseline_line
from bot.slack.block_kit import Message, as_much_as_fits, clock_time, context, escape, sections, shorten, text_message
from bot.study.reach import Unreachable
from storage.queries.baseline_status import BaselineStatus
from storage.schema.states import Searcher

_QUOTED = 60
_PROBLEM = 300

_GIVES_WAY = "It uses idle slots only: people's trials go first. `/study baseline` shows how far it is."


_NOT_TOLD: Mapping[Unreachable, str] = {
    Unreachable.DEACTIVATED: "Their account is deactivated, so I cannot tell them.",
    Unreachable.OTHER_ORGANISATION: "They are in no channel with me any more, so I cannot tell them.",
    Unreachable.NOT_VISIBLE: "I am not allowed to see them any more, so I cannot tell them.",
}


def told(unreachable: Unreachable | None) -> str:
    """Whether a participant is told of something, in a sentence."""
    if unreachable is None:
        return "I tell them."
    return _NOT_TOLD.get(unreachable, "I cannot write to them any more, so they are not told.")


@dataclass(frozen=True)
class Usage:
    """How a command is written, and what it does in a few words."""

    syntax: str
    effect: str


def help_with(usages: Sequence[Usage]) -> Message:
    """All that ``/study`` can do."""
    lines = [f"`/study {usage.syntax}` – {usage.effect}" for usage in usages]
    return Message(text="What /study can do.", blocks=tuple(sections(lines)))


def not_known(word: str, near: Usage | None) -> Message:
    """A command that does not exist, and the one that may have been meant."""
    text = f"I do not know “{escape(shorten(word, _QUOTED))}”. "
    if near is None:
        return text_message(f"{text}`/study help` lists all commands.")
    return text_message(f"{text}Did you mean `/study {near.syntax}` – {near.effect}?")


def misspelt(problem: str, usages: Sequence[Usage]) -> Message:
    """A command that exists but is not written correctly, and how it is written."""
    written = " or ".join(f"`/study {usage.syntax}`" for usage in usages)
    return text_message(f"{escape(shorten(problem, _PROBLEM))} Write {written}.")


def not_for_you(text: str, more: str = "") -> Message:
    """The answer to somebody who is not a researcher."""
    return text_message(text, *([context(escape(more))] if more else []))


def nothing_done() -> Message:
    """The answer when *no* was pressed."""
    return text_message("Nothing was changed.")


def extended(code: str, length: str, until: datetime, unreachable: Unreachable | None, *, choosing: bool) -> Message:
    """A participant was given more time."""
    what = "to choose" if choosing else "to tune"
    return text_message(f"✅ {code} has {length} more {what}, until {clock_time(until)}. {told(unreachable)}")


def reviewed(retried: int, added: int) -> Message:
    """Evaluations were put in the queue."""
    if not retried and not added:
        return text_message("There is nothing to do: no evaluation has failed, and none is missing.")
    parts = []
    if retried:
        parts.append(f"Failed evaluations that run again: {retried}.")
    if added:
        parts.append(f"Missing evaluations that were added: {added}.")
    return text_message(f"✅ {' '.join(parts)}")


def random_begun(code: str, count: int) -> Message:
    """A random search has started."""
    drawn = "configuration was" if count == 1 else "configurations were"
    return text_message(f"✅ Baseline {code}: {count:,} {drawn} drawn at random. {_GIVES_WAY}")


def tpe_begun(code: str, count: int, tries: int | None, minutes: float) -> Message:
    """Artificial participants have started."""
    budget = f"{minutes:g} minutes of training"
    if tries is not None:
        budget += f" and at most {tries} {'trial' if tries == 1 else 'trials'}"
    who = "artificial participant" if count == 1 else "artificial participants"
    return text_message(
        f"✅ Baseline {code}: {count:,} {who}. Each has {budget}, and makes a final choice at the end. {_GIVES_WAY}"
    )


def baselines_stopped(codes: Sequence[str]) -> Message:
    """Searchers were stopped."""
    return text_message(f"✅ Stopped: {', '.join(codes)}. Their trials are kept.")


def baselines(statuses: Sequence[BaselineStatus]) -> Message:
    """How far the searchers are."""
    if not statuses:
        return text_message(
            "No searcher has run yet. `/study baseline random 320` or `/study baseline tpe 31` starts one."
        )
    lines = [f"{baseline_line(each)}{_accuracies(each)}" for each in statuses]

    def with_newest(count: int) -> Message:
        older = [f"There are {len(lines) - count} older ones."] if count < len(lines) else []
        return Message(text="The study's baselines", blocks=tuple(sections([*older, *lines[len(lines) - count :]])))

    return as_much_as_fits(len(lines), with_newest)


def _accuracies(status: BaselineStatus) -> str:
    if not status.accuracies:
        return ""
    what = "Validation" if status.searcher is Searcher.RANDOM else "Best validation"
    spread = f" ± {stdev(status.accuracies):.1f}" if len(status.accuracies) > 1 else ""
    return f" {what} accuracy {fmean(status.accuracies):.1f}{spread} %."


def results_hidden(command: str) -> Message:
    """The report is not made while the study goes on; what can be read, and what to do.

    Args:
        command: What to type to look all the same, after ``/study``.
    """
    return text_message(
        "Results are hidden until the study is closed, so that nobody’s decisions follow from them. "
        "`/study status` and `/study participants` show counts, states, times and validation accuracies. "
        f"`/study {escape(shorten(command, 2 * _QUOTED))}` shows results now: it asks first, it is recorded, and the "
        "final report lists it."
    )


def sending(what: str) -> Message:
    """Something that takes a while has started."""
    return text_message(f"⏳ {what} is being made. I send it to you as a direct message.")


def sent(what: str) -> Message:
    """A file was sent."""
    return text_message(f"✅ {what} is in your direct messages with me.")


def not_shown(what: str, files: Sequence[str]) -> Message:
    """Slack has accepted files, but does not show all of them."""
    return text_message(
        f"⚠️ {what}: Slack has accepted all files, but it does not show {_named(files)} yet. Look into your direct "
        "messages with me in a few minutes. If it is not there then, type the command again."
    )


def plots_not_shown(files: Sequence[str]) -> str:
    """Slack has accepted loss plots, but does not show all of them."""
    return (
        f"⚠️ Slack has accepted the loss plots, but it does not show {_named(files)} yet. Look into your direct "
        "messages with me in a few minutes. If they are not there then, press the button again."
    )


def _named(files: Sequence[str]) -> str:
    return ", ".join(f"“{escape(shorten(each, _QUOTED))}”" for each in files)


def not_sent(what: str, why: str) -> Message:
    """A file could not be sent."""
    return text_message(f"⚠️ {what} could not be sent: {escape(shorten(why, 500))}")

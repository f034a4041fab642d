"""Posts about the bot's start and the events of the study: it opened or closed, somebody left, a baseline started."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from slack_sdk.models.blocks import Block

from bot.admin.views.controls import Controls, controls_row
from bot.slack.block_kit import Message, context, duration, escape, header, moment, section, shorten
from storage.schema.states import Searcher, StudyState

_REASON_CHARACTERS = 500
_MOST_CODES = 20

_STATES = {
    StudyState.PREPARED: "has not opened yet: `/study open` opens it",
    StudyState.OPEN: "is open",
    StudyState.PAUSED: "is paused",
    StudyState.CLOSED: "is closed: evaluations that are left still run",
}


@dataclass(frozen=True)
class Signed:
    """Who did something, under their name in the event log, and when."""

    actor: str
    at: datetime

    def __str__(self) -> str:
        return f"By {self.actor}, {moment(self.at)}"


@dataclass(frozen=True)
class Start:
    """The newest start of the bot.

    Attributes:
        at: When it was.
        restarts: How often the bot has started again.
        since: Since when they are counted, after “since”.
        given_back: The time that participants (codes) got back for the time before this start.
    """

    at: datetime
    restarts: int
    since: str
    given_back: tuple[tuple[str, timedelta], ...]


def bot_started(name: str, state: StudyState, rules_hash: str, slots: int, start: Start) -> Message:
    """The bot runs. The post stays the same after each start, and only its text changes."""
    text = f"I have started, with {slots} {'slot' if slots == 1 else 'slots'}. *{escape(name)}* {_STATES[state]}."
    facts = [f"Newest start: {moment(start.at)}", f"Rules version {rules_hash[:8]}"]
    if start.restarts:
        times = "once" if start.restarts == 1 else f"{start.restarts:,} times"
        facts.insert(1, f"Started again {times} since {start.since}")
    blocks: list[Block] = [section(text), context(" · ".join(facts))]
    if start.given_back:
        each = [f"{code} was given back {duration(length)}" for code, length in start.given_back[:_MOST_CODES]]
        more = len(start.given_back) - len(each)
        blocks.append(context(f"I was away: {', '.join(each)}{f', and {more} more' if more else ''}."))
    return Message(text=text, blocks=tuple(blocks))


def study_opened(
    name: str, rules_hash: str, signed: Signed, controls: Controls | None = None, *, commitment: str | None = None
) -> Message:
    """The study has opened; with the buttons for what can be done now.

    Args:
        name: The study's name.
        rules_hash: The version of its rules.
        signed: Who opened it, and when.
        controls: What can be done now.
        commitment: SHA-256 of the secret that assignments follow from; none if nothing is assigned.
    """
    text = f"People can join. The rules are fixed: version `{rules_hash}`."
    if commitment is not None:
        text += (
            " The order in which people are assigned follows from a secret, which is published when the study is "
            f"closed. Its SHA-256 is `{commitment}`."
        )
    return _headline(f"{name} is open", section(text), signed, controls)


def study_paused(name: str, signed: Signed, controls: Controls | None = None) -> Message:
    """The study has been paused."""
    text = section("Nobody new can join, and no session can start. Running sessions, trials and evaluations go on.")
    return _headline(f"{name} is paused", text, signed, controls)


def study_resumed(name: str, signed: Signed, controls: Controls | None = None) -> Message:
    """A pause is over."""
    return _headline(f"{name} goes on", section("People can join again, and sessions can start."), signed, controls)


def study_amended(name: str, amendment: str, reason: str, rules_hash: str, signed: Signed) -> Message:
    """The rules changed while the study was open."""
    why = escape(shorten(reason, _REASON_CHARACTERS))
    text = section(f"*{escape(shorten(amendment, 150))}*: {why}\nThe rules are version `{rules_hash}` from now on.")
    return _headline(f"The rules of {name} have changed", text, signed, None)


def study_closed(name: str, evaluations_left: int, signed: Signed, *, secret: str | None = None) -> Message:
    """The study is over.

    Args:
        name: The study's name.
        evaluations_left: How many evaluations have not ended.
        signed: Who closed it, and when.
        secret: What assignments followed from; none if nothing was assigned by a secret.
    """
    left = "All evaluations have ended. The full report follows."
    if evaluations_left:
        still = "evaluation is" if evaluations_left == 1 else "evaluations are"
        left = f"{evaluations_left:,} {still} left. The full report follows when they have ended."
    text = f"Nobody can take part any more. The links between codes and Slack users are deleted. {left}"
    if secret is not None:
        text += (
            f"\n\nThe secret that the assignment of people followed from is `{secret}`. "
            "`blackmagic assignments` computes all assignments again from it."
        )
    return _headline(f"{name} is closed", section(text), signed, None)


def participant_left(code: str, signed: Signed, *, data_deleted: bool) -> Message:
    """A participant has withdrawn, or a researcher has taken them out."""
    left = f"{code} has left the study"
    if signed.actor != code:
        left = f"{code} was taken out of the study by {signed.actor}"
    link = "The link between the code and the Slack user is deleted"
    what = f"{link}, and so is their data." if data_deleted else f"{link}. Their data is kept under the code."
    return _line(f"👋 {left}. {what}", signed)


def session_cancelled(code: str, signed: Signed) -> Message:
    """A researcher ended a session."""
    return _line(f"{signed.actor} ended the session of {code} without a final choice.", signed)


def evaluations_cancelled(code: str, count: int, signed: Signed) -> Message:
    """A researcher cancelled a participant's evaluations."""
    what = "1 evaluation" if count == 1 else f"{count:,} evaluations"
    return _line(f"{signed.actor} cancelled {what} of {code} that had not ended.", signed)


def session_empty(code: str, signed: Signed) -> Message:
    """A participant's time is over, and they submitted nothing."""
    return _line(f"The session of {code} has ended without a trial, so there is nothing to evaluate.", signed)


def time_extended(code: str, length: timedelta, signed: Signed) -> Message:
    """A researcher gave a participant more time."""
    return _line(f"{signed.actor} gave {code} {duration(length)} more.", signed)


def baseline_started(code: str, searcher: Searcher, wanted: int, tries: int | None, signed: Signed) -> Message:
    """A baseline has started."""
    if searcher is Searcher.RANDOM:
        what = f"Random search {code} has started: {wanted:,} configurations"
    else:
        budget = f" with at most {tries:,} trials each" if tries else ""
        what = f"TPE {code} has started: {wanted:,} artificial participants{budget}"
    return _line(f"{what}, in idle slots.", signed)


def baseline_stopped(code: str, signed: Signed) -> Message:
    """A researcher stopped a baseline."""
    return _line(f"{signed.actor} stopped the baseline {code}. Its trials are kept.", signed)


def stopped(why: str) -> Message:
    """The bot has stopped by itself."""
    text = f"⚠️ I have stopped. {escape(shorten(why, _REASON_CHARACTERS))}"
    return Message(text=text, blocks=(section(text),))


def alone_again() -> Message:
    """The other bot, about which there was an alert, is gone."""
    text = "✅ The other bot is gone. All that people do comes to me again."
    return Message(text=text, blocks=(section(text),))


def _headline(title: str, text: Block, signed: Signed, controls: Controls | None) -> Message:
    row = controls_row(controls) if controls is not None else []
    return Message(text=f"{title}.", blocks=(header(title), text, context(str(signed)), *row))


def _line(text: str, signed: Signed) -> Message:
    return Message(text=text, blocks=(section(text), context(moment(signed.at))))

"""What the report channel reads about the course of the study: that it opened, paused, changed, ended, who left."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from slack_sdk.models.blocks import Block

from bot.admin.views.controls import Controls, controls_row
from bot.slack.block_kit import Message, context, duration, escape, header, moment, section, shorten
from storage.schema.states import Searcher

_REASON_CHARACTERS = 500


@dataclass(frozen=True)
class Signed:
    """Who did something, by the name that the event log knows them by, and when."""

    actor: str
    at: datetime

    def __str__(self) -> str:
        return f"By {self.actor}, {moment(self.at)}"


def study_opened(name: str, rules_hash: str, signed: Signed, controls: Controls | None = None) -> Message:
    """People are let in; with the buttons for what can be done now."""
    said = section(f"People are let in, and the rules are fixed: version `{rules_hash}`.")
    return _headline(f"{name} is open", said, signed, controls)


def study_paused(name: str, signed: Signed, controls: Controls | None = None) -> Message:
    """Nobody new is let in."""
    said = section("Nobody new is let in, and no session begins. Sessions, trials and evaluations go on.")
    return _headline(f"{name} is paused", said, signed, controls)


def study_resumed(name: str, signed: Signed, controls: Controls | None = None) -> Message:
    """A pause is over."""
    return _headline(f"{name} goes on", section("People are let in again, and sessions begin."), signed, controls)


def study_amended(name: str, amendment: str, reason: str, rules_hash: str, signed: Signed) -> Message:
    """The rules changed while the study was open."""
    why = escape(shorten(reason, _REASON_CHARACTERS))
    said = section(f"*{escape(shorten(amendment, 150))}*: {why}\nThe rules are version `{rules_hash}` from now on.")
    return _headline(f"The rules of {name} have changed", said, signed, None)


def study_closed(name: str, evaluations_left: int, signed: Signed) -> Message:
    """The study is over."""
    left = "All evaluations have ended: the full report follows."
    if evaluations_left:
        still = "evaluation is" if evaluations_left == 1 else "evaluations are"
        left = f"{evaluations_left:,} {still} left, and still run: the full report follows them."
    said = section(f"Nobody can take part any more, and the links between codes and Slack users are deleted. {left}")
    return _headline(f"{name} is closed", said, signed, None)


def participant_left(code: str, signed: Signed, *, data_deleted: bool) -> Message:
    """Somebody has withdrawn, or was taken out by a researcher."""
    who = f"{code} has left the study" if signed.actor == code else f"{code} has left the study, by {signed.actor}"
    what = ", and so is everything that they did" if data_deleted else "; what they did is kept under the code"
    return _line(f"👋 {who}. The link to who they are is deleted{what}.", signed)


def session_cancelled(code: str, signed: Signed) -> Message:
    """A researcher ended a session."""
    return _line(f"The session of {code} was ended by {signed.actor}, without a final choice.", signed)


def session_empty(code: str, signed: Signed) -> Message:
    """A participant's time went by without a submission."""
    return _line(f"{code} is through without having submitted anything, so there is nothing to evaluate.", signed)


def time_extended(code: str, length: timedelta, signed: Signed) -> Message:
    """A researcher gave somebody more time."""
    return _line(f"{code} was given {duration(length)} more by {signed.actor}.", signed)


def baseline_started(code: str, searcher: Searcher, wanted: int, tries: int | None, signed: Signed) -> Message:
    """A searcher begins."""
    if searcher is Searcher.RANDOM:
        what = f"Random search {code} begins: {wanted:,} settings"
    else:
        budget = f" with {tries:,} tries each" if tries else ""
        what = f"TPE {code} begins: {wanted:,} artificial participants{budget}"
    return _line(f"{what}, in idle slots.", signed)


def baseline_stopped(code: str, signed: Signed) -> Message:
    """A researcher stopped a searcher."""
    return _line(f"The baseline {code} was stopped by {signed.actor}. What it has done is kept.", signed)


def _headline(title: str, said: Block, signed: Signed, controls: Controls | None) -> Message:
    row = controls_row(controls) if controls is not None else []
    return Message(text=f"{title}.", blocks=(header(title), said, context(str(signed)), *row))


def _line(text: str, signed: Signed) -> Message:
    return Message(text=text, blocks=(section(text), context(moment(signed.at))))

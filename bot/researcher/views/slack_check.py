"""``/study check``: what the checks found, the numbers to be read, and what follows from what a researcher read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any, Self

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement
from slack_sdk.models.views import View

from bot.checks.findings import Finding, Verdict
from bot.live.choice import Setting, live_form
from bot.live.forms import LiveForm
from bot.slack.block_kit import (
    Message,
    actions,
    as_much_as_fits,
    button,
    escape,
    modal,
    paragraphs,
    section,
    shorten,
    text_message,
)
from bot.study.outdated import reading_button, reading_form
from storage.schema.tables import SlackCheck

READ, NONE_READ = "slack_check_read", "slack_check_none"
"""The buttons under the question; each carries :class:`Shown`."""

FORM = "slack_check"

_MOST_SAID = 500
"""Characters of what is said about one thing: Slack's own words in it may be long."""
_TYPED = "typed"
_LONGEST_ANSWER = 20


class Way(StrEnum):
    """A way in which a number is shown; each is a column of :class:`~storage.schema.tables.SlackCheck`."""

    CHART_BY_UPDATE = "chart_by_update"
    PICTURE_POSTED = "picture_posted"
    PICTURE_BY_UPDATE = "picture_by_update"
    PICTURE_BY_UPDATE_WITH_FILE_IDS = "picture_by_update_with_file_ids"


_WAYS: Mapping[Way, str] = {
    Way.CHART_BY_UPDATE: "a line chart that an update brings",
    Way.PICTURE_POSTED: "a picture that is posted",
    Way.PICTURE_BY_UPDATE: "a picture that an update brings",
    Way.PICTURE_BY_UPDATE_WITH_FILE_IDS: "the same, with its file named in the update",
}


class Outcome(StrEnum):
    """What became of a number.

    Attributes:
        SHOWN: Slack accepted it.
        REFUSED: Slack refused it, so nobody can see it.
        FAILED: It could not be sent, for a reason that may pass.
    """

    SHOWN = "shown"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Attempt:
    """One number, and where it is.

    Attributes:
        way: How it is shown.
        number: The number.
        outcome: What became of it.
        ts: The message; empty if there is none.
        file_id: The picture's file; empty if there is none.
    """

    way: Way
    number: int
    outcome: Outcome
    ts: str = ""
    file_id: str = ""


@dataclass(frozen=True)
class Shown:
    """All numbers of one check. A button carries them, so that they outlive a restart of the bot."""

    attempts: tuple[Attempt, ...]

    def __str__(self) -> str:
        return json.dumps([astuple(attempt) for attempt in self.attempts], separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what a button carries.

        Raises:
            Refused: It cannot be read.
        """
        with reading_button():
            return cls(
                tuple(
                    Attempt(Way(way), int(number), Outcome(outcome), str(ts), str(file_id))
                    for way, number, outcome, ts, file_id in json.loads(text)
                )
            )

    def seen(self, typed: Mapping[Way, str]) -> dict[Way, bool | None]:
        """What a researcher saw: true for the right number, false for none or a wrong one, and for what Slack refused.

        Args:
            typed: What the researcher typed. What failed for a reason that may pass is ``None``, whatever they typed.
        """
        return {
            attempt.way: None
            if attempt.outcome is Outcome.FAILED
            else attempt.outcome is Outcome.SHOWN and typed.get(attempt.way, "").strip() == str(attempt.number)
            for attempt in self.attempts
        }


# The checks


def checking() -> Message:
    """The checks have begun."""
    return text_message("⏳ I am checking the connection to Slack. This takes some seconds.")


def found(findings: Sequence[Finding]) -> Message:
    """What the checks found, a line each, and that numbers follow."""
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    heads = {0: "Nothing is wrong so far.", 1: "One thing is wrong."}
    head = heads.get(wrong, f"{wrong} things are wrong.")
    rest = "The rest only eyes can tell. Please look into your direct messages with me: I send you four numbers."

    def with_first(count: int) -> Message:
        lines = [_line(finding) for finding in findings[:count]]
        if count < len(findings):
            lines.append(f"… and {len(findings) - count} more: `blackmagic doctor --slack` says all.")
        return Message(text=head, blocks=(section(f"*{head}*"), *paragraphs("\n".join(lines)), section(rest)))

    return as_much_as_fits(len(findings), with_first)


def _line(finding: Finding) -> str:
    said = ", not checked" if finding.verdict is Verdict.NOT_CHECKED else ""
    return f"{finding.verdict.sign} *{escape(finding.check)}*{said}: {escape(shorten(finding.text, _MOST_SAID))}"


def cannot_write(why: str) -> Message:
    """The numbers cannot be shown, because the bot cannot write to the researcher."""
    return text_message(f"⚠️ I cannot write to you, so I cannot show you the numbers: {escape(why)}.")


# The numbers


def begun() -> Message:
    """The numbers are coming."""
    return text_message("⏳ I am about to show you four numbers, each in another way. This takes some seconds.")


@dataclass(frozen=True)
class Place:
    """Which of the numbers it is, from 1, and how many there are."""

    number: int
    of: int


def number_message(place: Place, *blocks: Block) -> Message:
    """One of the numbers, or the message before the number is in it. Its words do not say the number."""
    return text_message(f"Number {place.number} of {place.of}", *blocks)


def not_shown(place: Place) -> Message:
    """In place of a number that could not be shown."""
    return text_message(f"Number {place.number} of {place.of} could not be shown.")


def which_numbers(shown: Shown) -> Message:
    """Asks which of the numbers can be seen."""
    text = (
        "Which numbers do you see in the messages above? Please look at them in the Slack app that participants will "
        "use. What you tell me decides how loss plots are shown."
    )
    return text_message(
        text,
        actions(
            [button("Type the numbers", READ, shown, style="primary"), button("I see none", NONE_READ, shown)],
            "numbers",
        ),
    )


def form(shown: Shown, channel: str, question_ts: str) -> View:
    """The form for the numbers.

    Args:
        shown: The numbers.
        channel, question_ts: Where the question is.
    """
    fields: list[Block] = [
        InputBlock(
            label=f"Number {place}",
            block_id=str(attempt.way),
            element=PlainTextInputElement(action_id=_TYPED, max_length=_LONGEST_ANSWER),
            optional=True,
        )
        for place, attempt in enumerate(shown.attempts, 1)
        if attempt.outcome is Outcome.SHOWN
    ]
    return modal(
        "The numbers you see",
        [section("Leave empty what you cannot see."), *fields],
        callback_id=FORM,
        submit="Send",
        private_metadata=json.dumps({"shown": str(shown), "channel": channel, "question": question_ts}),
    )


@dataclass(frozen=True)
class Answer:
    """What a researcher answered: the numbers that were shown, where the question is, and what was typed."""

    shown: Shown
    channel: str
    question_ts: str
    typed: Mapping[Way, str]

    @classmethod
    def read(cls, view: Mapping[str, Any]) -> Self:
        """Read a form that was sent.

        Raises:
            Refused: It cannot be read.
        """
        with reading_form():
            carried, values = json.loads(view["private_metadata"]), view["state"]["values"]
            typed = {Way(block_id): state[_TYPED].get("value") or "" for block_id, state in values.items()}
            return cls(Shown.read(carried["shown"]), str(carried["channel"]), str(carried["question"]), typed)


# What follows


def nothing_shown() -> Message:
    """None of the numbers could be shown, for reasons that may pass."""
    return text_message(
        "I could not show you any number: Slack does not answer. Please type `/study check` again later."
    )


def concluded(check: SlackCheck, setting: Setting) -> Message:
    """What the researcher saw, and the form in which live plots are shown because of it."""
    signs = {True: "✓", False: "✗", None: "–"}
    lines = [f"{signs[getattr(check, way)]} {text}" for way, text in _WAYS.items()]
    follows = _follows(check, setting)
    return Message(
        text=f"Thank you. {follows}",
        blocks=(section("Thank you. You see in this workspace:"), section("\n".join(lines)), section(follows)),
    )


_FORMS: Mapping[LiveForm, str] = {
    "chart": "So live plots are Slack's own line charts.",
    "picture": "So live plots are pictures, and each update brings a new one.",
    "repost": "So live plots are pictures that are posted anew from time to time.",
}


def _follows(check: SlackCheck, setting: Setting) -> str:
    said = [_FORMS[live_form(setting, check)]]
    if setting == "chart" and check.chart_by_update is False:
        said = [
            "⚠️ study.toml asks for line charts, which you do not see. Set live_plots to “auto” there, and restart me."
        ]
    if setting == "picture" and live_form(setting, check) != "picture":
        said.append("(study.toml asks for pictures that updates bring, which you do not see.)")
    if check.picture_posted is False:
        said.append(
            "⚠️ Participants would not see the loss plots of their results, which are posted as pictures: check the "
            "scopes files:read and files:write, and whether the workspace allows apps to share files."
        )
    return " ".join(said)


def left_unchecked(check: SlackCheck | None, team_id: str, setting: Setting) -> str:
    """What is not known to work before a study opens, in a sentence; empty if all of it was seen.

    A picture that an update brings counts only where the setting asks for it: Slack is known to break those, and
    charts need none.

    Args:
        check: The newest check.
        team_id: The workspace.
        setting: What ``study.toml`` asks for.
    """
    two_minutes = "`/study check` takes two minutes."
    if check is None:
        return f"⚠️ Nobody has checked yet which plots people see in this workspace: {two_minutes}"
    if check.team_id != team_id:
        return f"⚠️ Which plots people see was checked in another workspace, and not in this one: {two_minutes}"
    needed = {
        "line charts": setting == "repost" or check.chart_by_update,
        "pictures that are posted": check.picture_posted,
        "pictures that updates bring": setting != "picture" or live_form(setting, check) == "picture",
    }
    unseen = [what for what, seen in needed.items() if not seen]
    return f"⚠️ The last check did not see {' and '.join(unseen)}: {two_minutes}" if unseen else ""

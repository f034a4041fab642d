"""Measures what is made from the settings, before the first participant meets a message that Slack refuses."""

import json
from collections.abc import Sequence
from itertools import product

from bot.participant.views import onboarding
from bot.settings.settings import Settings, SettingsError
from bot.slack.block_kit import MESSAGE_BLOCKS, MESSAGE_CHARACTERS, Message, characters
from training.tasks import TaskFacts

VIEW_BYTES = 250_000
"""Bytes of JSON that Slack accepts as one modal."""

_ADDRESS = "https://hooks.slack.com/actions/" + "x" * 200
"""About as long as the address that the background form carries."""


_DONE = "✅ " + "x" * 100
"""About as long as what stands in the place of a button that was pressed."""


def check_lengths(settings: Settings, facts: Sequence[TaskFacts]) -> None:
    """Check that Slack accepts what participants read before they start.

    Args:
        settings: The study's settings.
        facts: What participants may know of the study's tasks.

    Raises:
        SettingsError: A text is too long. It names the length and the limit.
    """
    consent = f"The consent text ({settings.folder / settings.study.consent})"
    shorten = "Shorten it, or put the details on a page of your own and link to it."
    for done in ("", _DONE):
        _check_message(consent, onboarding.greeting(settings.consent_text, done), shorten)
        limits = [settings.condition(arm).limit_minutes for arm in (None, *settings.arm_names)]
        for each, limit_minutes in product(facts, limits):
            briefing = onboarding.briefing(each, limit_minutes, done)
            _check_message("The description of the task", briefing, "Use smaller numbers in study.toml.")
    form = onboarding.background_form(settings.questions, _ADDRESS)
    size = len(json.dumps(form.to_dict()).encode())
    if size > VIEW_BYTES:
        raise SettingsError(
            f"study.toml: questions: they are too long for one Slack form. It would have {size:,} bytes, and "
            f"{VIEW_BYTES:,} are allowed. Ask fewer questions, or offer fewer choices."
        )


def _check_message(what: str, message: Message, advice: str) -> None:
    """Check one message.

    Args:
        what: What the message shows, as the subject of a sentence.
        message: The message.
        advice: What to do when it is too long.
    """
    count = characters(message)
    if count > MESSAGE_CHARACTERS:
        raise SettingsError(
            f"{what} is too long for one Slack message. With what stands around it, it has {count:,} characters, and "
            f"{MESSAGE_CHARACTERS:,} are allowed. {advice}"
        )
    if len(message.blocks) > MESSAGE_BLOCKS:
        raise SettingsError(
            f"{what} has too many parts for one Slack message: {len(message.blocks)} blocks, and {MESSAGE_BLOCKS} are "
            f"allowed. {advice}"
        )

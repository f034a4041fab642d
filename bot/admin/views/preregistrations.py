"""The post about the preregistration."""

from bot.slack.block_kit import Message, escape, text_message

COMMENT = (
    "The preregistration: hypothesis, primary test, number of people, rules, consent text and code, as they were when "
    "the study opened. Upload both files to a registry such as OSF (https://osf.io) before the first participant."
)
"""What stands above the files."""


def no_files(error: str) -> Message:
    """Slack does not accept the files.

    Args:
        error: Slack's error.
    """
    return text_message(
        f"The preregistration is kept, but Slack does not accept its files (“{escape(error)}”). `blackmagic export` "
        "has them: preregistration.md and preregistration.json in the bundle."
    )

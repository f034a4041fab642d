"""The full report in a few lines, above its files."""

from collections.abc import Sequence

from bot.slack.block_kit import Message, context, escape, header, paragraphs, shorten

_MOST_LINES = 45
_LINE_CHARACTERS = 400


def final_report(headline: str, lines: Sequence[str], *, no_files: str = "") -> Message:
    """What the study came to.

    Args:
        headline: One line.
        lines: Sentences without markup.
        no_files: Why Slack does not take the files; empty where it does.
    """
    note = "The figures, the page and all tables are below."
    if no_files:
        note = f"Slack does not take the files (“{escape(no_files)}”): `blackmagic report` writes them into a folder."
    shown = [f"• {escape(shorten(each, _LINE_CHARACTERS))}" for each in lines[:_MOST_LINES]]
    said = paragraphs("\n\n".join(shown))
    return Message(text=f"The full report. {headline}", blocks=(header(headline), *said, context(note)))

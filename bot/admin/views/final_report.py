"""The summary of the full report, above its files."""

from collections.abc import Sequence

from bot.slack.block_kit import Message, as_much_as_fits, context, escape, header, paragraphs, shorten

_LINE_CHARACTERS = 400


def final_report(headline: str, lines: Sequence[str], *, no_files: str = "", missing: Sequence[str] = ()) -> Message:
    """The results of the study.

    Args:
        headline: One line.
        lines: Sentences without markup.
        no_files: Slack's error if it does not accept the files; empty if it does.
        missing: The names of the files that Slack accepted and does not show.
    """
    note = "The figures, the page and all tables are below."
    if no_files:
        note = f"Slack does not accept the files (“{escape(no_files)}”). `blackmagic report` writes them into a folder."
    elif missing:
        note = f"Slack has accepted the files, but it does not show {', '.join(missing)}. `/study report` sends them."
    said = [f"• {escape(shorten(line, _LINE_CHARACTERS))}" for line in lines]

    def with_first(count: int) -> Message:
        more = len(said) - count
        shown = [*said[:count], *([f"• … and {more} more, which the page has."] if more else [])]
        body = paragraphs("\n\n".join(shown))
        return Message(text=f"The full report. {headline}", blocks=(header(headline), *body, context(note)))

    return as_much_as_fits(len(said), with_first)

"""Everything that a participant can be shown, on one page: ``python -m tests.bot.everything_said --out said.md``.

The bot is driven through every state, refusal and mistake; messages that depend on time and chance are drawn in all
their states; and sentences of the code that were not met on the way come last. Each text is on the page once.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import yaml

from bot.settings.settings import Settings
from tests.bot.said.drawn import draw
from tests.bot.said.driven import drive
from tests.bot.said.page import Page
from tests.bot.said.written import add_sentences
from tests.bot.study_file import ROOT, write_study


def everything() -> Page:
    """Collect it. This takes some minutes on a slow machine."""
    page = Page("Everything that a participant can read")
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    shown, command = manifest["display_information"], manifest["features"]["slash_commands"][0]
    page.add("The app in Slack", shown["name"], shown["description"], manifest["features"]["bot_user"]["display_name"])
    page.add("The command that Slack offers", f"{command['command']} {command['usage_hint']}", command["description"])
    with tempfile.TemporaryDirectory() as folder:
        draw(page, Settings.load(write_study(Path(folder))))
    drive(page)
    add_sentences(page)
    return page


def main() -> None:
    """Print the page, or write it into a file."""
    parser = argparse.ArgumentParser(description="Everything that a participant can be shown, on one page (Markdown).")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file; by default the page is printed")
    given = parser.parse_args()
    text = everything().markdown()
    if given.out is None:
        sys.stdout.write(text)
    else:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

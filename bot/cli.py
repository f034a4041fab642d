"""The command ``blackmagic``."""

import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.demo import demo
from bot.commands.trial import trial

app = typer.Typer(
    help="Measures what human skill is worth in deep learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(trial)
app.command()(demo)

StudyFile = Annotated[Path, typer.Option("--study", help="The rules of the study.")]


@app.command()
def run(study: StudyFile = Path("study.toml")) -> None:
    """Run the study in a Slack workspace, with SLACK_BOT_TOKEN and SLACK_APP_TOKEN, until Ctrl-C."""
    from bot.app import Bot
    from bot.settings import Credentials, Settings, SettingsError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        bot = Bot(Settings.load(study), Credentials.from_environment())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: bot.stop())
        bot.start()
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    try:
        bot.wait()
    finally:
        bot.close()


def main() -> None:
    """Run the command line."""
    app()

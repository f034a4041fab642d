"""The command ``blackmagic``."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bot.commands import data
from bot.commands.amend import amend
from bot.commands.bundle import export, import_
from bot.commands.demo import demo
from bot.commands.doctor import doctor
from bot.commands.replay import replay
from bot.commands.report import report
from bot.commands.study_file import DEFAULT, StudyFile
from bot.commands.trial import trial

app = typer.Typer(
    help="Measures what human skill is worth in deep learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(trial)
app.command()(replay)
app.command()(doctor)
app.command()(demo)
app.command()(amend)
app.command()(report)
app.command()(export)
app.command("import")(import_)
app.add_typer(data.app, name="data")


@app.command()
def run(study: StudyFile = DEFAULT) -> None:
    """Run the study in a Slack workspace, with SLACK_BOT_TOKEN and SLACK_APP_TOKEN, until Ctrl-C."""
    from bot.app import Bot
    from bot.settings.settings import Credentials, Settings, SettingsError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    try:
        with _quietly():
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


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep libraries from logging what is about to be said in one sentence: that Slack refuses a token, say."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def main() -> None:
    """Run the command line."""
    app()

"""The command ``blackmagic``."""

import logging
import signal
import sys

import typer

from bot.commands import data
from bot.commands.amend import amend
from bot.commands.bundle import export, import_
from bot.commands.demo import demo
from bot.commands.doctor import doctor
from bot.commands.init import init
from bot.commands.quiet import quietly
from bot.commands.replay import replay
from bot.commands.report import report
from bot.commands.study_file import DEFAULT, USAGE, StudyFile, load_settings
from bot.commands.trial import trial

_NOT_ALONE = 3
"""The exit code of a bot that does not run, or runs no more, because another bot does."""

app = typer.Typer(
    help="Measures what human skill is worth in deep learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(init)


@app.command()
def run(study: StudyFile = DEFAULT) -> None:
    """Run the study in a Slack workspace, with SLACK_BOT_TOKEN and SLACK_APP_TOKEN, until Ctrl-C."""
    from bot.app import Bot
    from bot.runner.one_bot import AlreadyRunning
    from bot.settings.settings import Credentials, SettingsError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    try:
        with quietly():
            bot = Bot(load_settings(study), Credentials.from_environment())
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: bot.stop())
            bot.start()
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        raise typer.Exit(_NOT_ALONE) from None
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None
    try:
        bot.wait()
    finally:
        bot.close()
    if bot.stopped_because:
        print(bot.stopped_because, file=sys.stderr)
        raise typer.Exit(_NOT_ALONE)


app.command()(amend)
app.command()(report)
app.command()(export)
app.command("import")(import_)
app.command()(trial)
app.command()(replay)
app.command()(doctor)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line."""
    app()

"""The command ``blackmagic``."""

import sys
from typing import Annotated

import typer

from bot.commands.amend import amend
from bot.commands.assignments import assignments
from bot.commands.bundle import export, import_
from bot.commands.demo import demo
from bot.commands.doctor import doctor
from bot.commands.health import health
from bot.commands.init import init
from bot.commands.plan import EXAMPLES, plan
from bot.commands.report import report
from bot.commands.study_file import DEFAULT, USAGE, StudyFile, load_settings
from bot.commands.training import data
from bot.commands.training.pilot import pilot
from bot.commands.training.replay import replay
from bot.commands.training.trial import trial
from bot.process.log_format import LogFormat, start_log
from bot.process.quiet import quietly
from bot.process.stopping import StopSignals, end_within, ended

_NOT_ALONE = 3
"""The exit code of a bot that does not run, or runs no more, because another bot does."""

_START_AGAIN = 4
"""The exit code of a bot that is to be started again: Slack could not be reached, or a part of the bot had stopped."""

_CLOSING_SECONDS = 75.0
"""How long closing may take. It takes less than a minute, and systemd kills a process after 90 seconds."""

app = typer.Typer(
    help="Measures what human skill is worth in deep learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(init)


@app.command()
def run(
    study: StudyFile = DEFAULT,
    log_format: Annotated[LogFormat, typer.Option(help="How each event is logged: a line of text, or of JSON.")] = (
        LogFormat.TEXT
    ),
) -> None:
    """Run the study in a Slack workspace, with SLACK_BOT_TOKEN and SLACK_APP_TOKEN, until Ctrl-C."""
    from bot.app import Bot, SlackAway
    from bot.process import systemd
    from bot.runner.one_bot import AlreadyRunning
    from bot.settings.settings import Credentials, SettingsError

    start_log(log_format)
    signals = StopSignals()
    try:
        with quietly():
            bot = Bot(load_settings(study), Credentials.from_environment())
            signals.starting(bot.stop)
            bot.start()
            signals.started()
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        raise typer.Exit(_NOT_ALONE) from None
    except SlackAway as error:
        print(error, file=sys.stderr)
        raise typer.Exit(_START_AGAIN) from None
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None
    systemd.notify("READY=1")
    try:
        bot.wait()
    finally:
        systemd.notify("STOPPING=1")
        end_within(_CLOSING_SECONDS)
        bot.close()
    if bot.stopped_because:
        print(bot.stopped_because, file=sys.stderr)
        raise typer.Exit(_START_AGAIN if bot.may_start_again else _NOT_ALONE)
    ended()


app.command()(amend)
app.command()(pilot)
app.command(epilog=EXAMPLES)(plan)
app.command()(assignments)
app.command()(report)
app.command()(export)
app.command("import")(import_)
app.command()(trial)
app.command()(replay)
app.command()(doctor)
app.command()(health)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line."""
    app()

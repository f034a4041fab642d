"""``blackmagic run`` with something missing or wrong: one sentence on stderr that says what to do, and an exit code."""

import os
import signal

import pytest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from typer.testing import CliRunner

from bot.cli import app
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.settings.settings import Settings
from storage.locks import locked


@pytest.fixture(scope="module")
def workspace():
    with LocalWorkspace() as workspace:
        yield workspace


@pytest.fixture(autouse=True)
def keep_signals():
    """The command handles signals while it runs; afterwards they are as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def complaint(workspace, study, *, code=2, **environment):
    """What the command says on stderr, in one line, before it ends with this exit code."""
    tokens = {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
    }
    ran = CliRunner(env={**tokens, **environment}).invoke(app, ["run", "--study", str(study)])
    assert ran.exit_code == code, ran.output
    assert ran.stdout == ""
    (line,) = ran.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SLACK_BOT_TOKEN": None}, "SLACK_BOT_TOKEN is not set: copy it from your Slack app's page"),
        ({"SLACK_APP_TOKEN": "xoxb-local"}, "SLACK_APP_TOKEN must begin with xapp-"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack refuses SLACK_BOT_TOKEN (invalid_auth)"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "Slack refuses SLACK_APP_TOKEN (invalid_auth)"),
    ],
)
def test_a_token_that_cannot_be_used_is_named(workspace, study_file, tmp_path, environment, said):
    study = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
    told = complaint(workspace, study, **environment)
    assert said in told
    assert "-wrong" not in told


def test_without_slack_the_exit_code_says_that_another_start_may_succeed(workspace, study_file, tmp_path):
    study = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
    told = complaint(workspace, study, code=4, SLACK_API_URL="http://127.0.0.1:9/api/")
    assert "Cannot reach Slack at http://127.0.0.1:9/api/" in told


def test_without_slack_at_the_moment_of_connecting_too(workspace, study_file, tmp_path, monkeypatch):
    study = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")

    def away(_):
        raise OSError("Slack is away")

    monkeypatch.setattr(SocketModeHandler, "connect", away)
    assert "Slack is away" in complaint(workspace, study, code=4)
    with locked(f"sqlite:///{tmp_path / 'study.db'}"):  # everything was closed
        pass


def test_a_study_file_that_is_not_there_is_named(workspace, tmp_path):
    told = complaint(workspace, tmp_path / "nothing.toml")
    assert f"Cannot read {tmp_path / 'nothing.toml'}" in told


def test_a_study_file_with_a_mistake_is_named_with_the_place(workspace, study_file, tmp_path):
    told = complaint(workspace, study_file(tmp_path, limit_minutes=-5))
    assert "time.limit_minutes" in told


def test_a_second_bot_on_a_database_says_who_uses_it_and_what_to_do(house, study_file, tmp_path):
    told = complaint(house.workspace, house.study, code=3)
    database = Settings.load(house.study).machine.database
    assert told.startswith(f"Only one bot may use the database {database}, and process {os.getpid()} on ")
    assert "has used it since 20" in told
    assert "stop that process first, or name another database in study.toml (machine.database)" in told


def test_a_second_bot_with_a_slack_app_says_who_uses_it_and_what_to_do(house, study_file, tmp_path):
    study = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'other.db'}")
    told = complaint(house.workspace, study, code=3)
    assert told.startswith(f"Only one bot may use a Slack app, and process {os.getpid()} on ")
    assert f"(for the database {Settings.load(house.study).machine.database})" in told
    assert "the tokens of another Slack app" in told
    with locked(f"sqlite:///{tmp_path / 'other.db'}"):  # the database that it did not use is free
        pass

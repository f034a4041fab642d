"""``blackmagic run`` with something missing or wrong: one sentence on stderr that says what to do, and exit code 2."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.sandbox.server.local_workspace import LocalWorkspace

BLACKMAGIC = Path(sys.executable).with_name("blackmagic")


@pytest.fixture(scope="module")
def workspace():
    with LocalWorkspace() as workspace:
        yield workspace


def run(workspace, study, **environment):
    """Run the command to its end."""
    tokens = {
        "SLACK_BOT_TOKEN": workspace.bot_token,
        "SLACK_APP_TOKEN": workspace.app_token,
        "SLACK_API_URL": workspace.api_url,
    }
    given = {name: value for name, value in {**os.environ, **tokens, **environment}.items() if value is not None}
    return subprocess.run(
        [BLACKMAGIC, "run", "--study", study], env=given, capture_output=True, text=True, timeout=120, check=False
    )


LOGGED = re.compile(r"\d{4}-\d\d-\d\d .*|The server responded with: .*")
"""A line of the log, which goes to stderr too."""


def complaint(ran):
    """What stands on stderr beside the log."""
    assert ran.returncode == 2, ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    lines = [line for line in ran.stderr.splitlines() if not LOGGED.fullmatch(line)]
    assert len(lines) == 1, ran.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SLACK_BOT_TOKEN": None}, "SLACK_BOT_TOKEN is not set: copy it from your Slack app's page"),
        ({"SLACK_APP_TOKEN": "xoxb-local"}, "SLACK_APP_TOKEN must begin with xapp-"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack refuses SLACK_BOT_TOKEN (invalid_auth)"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "Slack refuses SLACK_APP_TOKEN (invalid_auth)"),
        ({"SLACK_API_URL": "http://127.0.0.1:9/api/"}, "Cannot reach Slack at http://127.0.0.1:9/api/"),
    ],
)
def test_a_token_or_an_address_that_cannot_be_used_is_named(workspace, study_file, tmp_path, environment, said):
    study = study_file(tmp_path, database=f"sqlite:///{tmp_path / 'study.db'}")
    told = complaint(run(workspace, study, **environment))
    assert said in told
    assert "-wrong" not in told


def test_a_study_file_that_is_not_there_is_named(workspace, tmp_path):
    told = complaint(run(workspace, tmp_path / "nothing.toml"))
    assert f"Cannot read {tmp_path / 'nothing.toml'}" in told


def test_a_study_file_with_a_mistake_is_named_with_the_place(workspace, study_file, tmp_path):
    told = complaint(run(workspace, study_file(tmp_path, limit_minutes=-5)))
    assert "time.limit_minutes" in told

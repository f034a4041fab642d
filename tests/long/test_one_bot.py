"""Two bots, each a process of its own: the second one does not start, and starts at once when the first was killed."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.locks import locked
from tests.storage.postgresql import PostgreSQL, end_sessions

BLACKMAGIC = Path(sys.executable).with_name("blackmagic")
PATIENCE = 120.0


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request, tmp_path, open_alone):
    with ExitStack() as stack:
        given = {}
        if request.param == "postgresql":
            given["database"] = stack.enter_context(PostgreSQL()).new()
        yield stack.enter_context(open_alone(tmp_path, start=False, slots=1, **given))


@dataclass
class Started:
    """``blackmagic run`` as a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self):
        """What it has said when it has ended."""
        self.process.wait(PATIENCE)
        return self.log.read_text().splitlines()


@pytest.fixture
def start(house, tmp_path):
    """Start a bot, as on the same machine or as on another one: only the database is the same."""
    tokens = {
        "SLACK_BOT_TOKEN": house.workspace.bot_token,
        "SLACK_APP_TOKEN": house.workspace.app_token,
        "SLACK_API_URL": house.workspace.api_url,
    }
    started = []

    def start_it(**environment):
        log = tmp_path / f"log-{len(started)}.txt"
        with log.open("wb") as stderr:
            command = [BLACKMAGIC, "run", "--study", house.study]
            process = subprocess.Popen(command, env={**os.environ, **tokens, **environment}, stderr=stderr)
        started.append(Started(process, log))
        return started[-1]

    yield start_it
    for each in started:
        each.process.kill()
        each.process.wait()


def test_the_second_bot_does_not_start_and_starts_at_once_when_the_first_was_killed(house, start, tmp_path):
    first = start()
    house.workspace.wait_for_app(PATIENCE)
    second = start(TMPDIR=str(tmp_path))
    (said,) = second.said()
    assert second.process.returncode == 3
    assert f"process {first.process.pid} on " in said

    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    start()
    house.workspace.wait_for_app(PATIENCE)
    person = house.newcomer("Comes early")
    person.open_messages()
    person.wait_for("has not opened yet", PATIENCE)


def test_a_bot_that_has_lost_its_database_to_another_stops_and_says_so(house, start, tmp_path):
    url = house.store.engine.url.render_as_string(hide_password=False)
    bot = start()
    house.workspace.wait_for_app(PATIENCE)
    with ExitStack() as stack:
        if house.store.engine.dialect.name == "postgresql":
            end_sessions(url)
        else:
            (tmp_path / "study.db.lock").unlink()
        stack.enter_context(locked(url))
        said = bot.said()
    assert bot.process.returncode == 3
    assert f"process {os.getpid()} on " in said[-1]
    assert "this bot has stopped so that only one bot uses it" in said[-1]

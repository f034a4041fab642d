"""Two bots, each a process of its own: the second one does not start, and starts at once when the first was killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.locks import locked
from tests.bot.researcher.asking import answer, ask
from tests.bot.study_file import write_study
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

    def start_it(study=house.study, **environment):
        log = tmp_path / f"log-{len(started)}.txt"
        with log.open("wb") as stderr:
            command = [BLACKMAGIC, "run", "--study", study]
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


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_two_bots_with_one_slack_app_on_two_machines_both_tell_their_admins(house, start, tmp_path):
    """Each has a database of its own, so nothing but Slack can tell them of one another."""
    first = start()
    house.workspace.wait_for_app(PATIENCE)
    researcher = house.workspace.person("Researcher")
    answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
    person = house.newcomer("Talks")
    person.say("hello")
    person.wait_for("I agree", PATIENCE)
    (tmp_path / "elsewhere").mkdir()
    given = {"report_channel": house.reports, "researchers": [house.workspace.person("Researcher").id]}
    study = write_study(tmp_path / "elsewhere", database=f"sqlite:///{tmp_path / 'elsewhere' / 'study.db'}", **given)
    second = start(study, TMPDIR=str(tmp_path))
    person.wait_until(lambda: house.workspace.connections == 2, PATIENCE)
    begun = time.monotonic()

    def told():
        person.say("hello?")
        time.sleep(1)
        return len([each for each in house.admin.messages(house.reports) if "Another bot uses" in each.text]) == 2

    person.wait_until(told, PATIENCE)
    print(f"both bots have told their admins after {time.monotonic() - begun:.0f} s")
    for bot in (first, second):
        assert "another program is connected as the same Slack app" in bot.log.read_text()
    second.process.send_signal(signal.SIGTERM)
    second.process.wait(PATIENCE)
    house.admin.wait_for("The other bot is gone", PATIENCE, channel=house.reports)

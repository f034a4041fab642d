"""The bot as a process: it is suspended, asked for its health, watched by systemd, and stopped by signals."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from storage import events
from storage.schema.states import EventKind, SessionState
from tests.bot.conftest import PATIENCE
from tests.bot.researcher.asking import answer, ask
from tests.long.test_killed_bot import BLACKMAGIC, run

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def running(open_house, tmp_path, monkeypatch):
    """A bot in a process of its own, with somebody who tunes, and what it tells systemd."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    house = open_house(start=False, slots=1, limit_minutes=0.6, warnings_minutes=[0.05])
    with ExitStack() as stack:
        systemd = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        process = stack.enter_context(run(house, tmp_path))
        researcher = house.workspace.person("Researcher")
        answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
        yield house, process, systemd


def health(house):
    done = subprocess.run([BLACKMAGIC, "health", "--study", house.study, "--json"], capture_output=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_a_process_that_was_suspended_beyond_a_deadline_gives_the_time_back(running):
    house, process, _ = running
    person = house.seated("Is interrupted")
    deadline = house.session(person).deadline
    time.sleep(5)
    process.send_signal(signal.SIGSTOP)
    stopped_at = datetime.now(UTC)
    time.sleep((deadline - stopped_at).total_seconds() + 5)
    stopped_for = datetime.now(UTC) - stopped_at
    process.send_signal(signal.SIGCONT)
    person.wait_for("Sorry, you lost time through our fault", PATIENCE)
    session = house.session(person)
    assert session.state is SessionState.ACTIVE
    assert stopped_for <= session.given_back + timedelta(seconds=1) <= stopped_for + timedelta(seconds=20)
    (given,) = events.read(house.store, kind=EventKind.TIME_GIVEN_BACK)
    assert given.details["why"] == "the bot was suspended"
    person.wait_for("Your time is up", PATIENCE)


def test_the_bot_tells_systemd_and_health_how_it_is_and_is_stopped_by_signals(running, tmp_path):
    house, process, systemd = running
    said = []
    threading.Thread(target=lambda: said.extend(iter(lambda: systemd.recv(100), b"STOPPING=1")), daemon=True).start()
    house.seated("Tunes")
    until = time.monotonic() + 2 * PATIENCE
    while "slots" not in (answer := health(house))[1]:
        assert time.monotonic() < until, answer
    code, found = answer
    assert code == 0
    wanted = {"healthy": True, "sessions": 1, "slots": 1, "troubles": [], "slack": "connected", "stopped": False}
    assert found == {**found, **wanted}

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)  # changes nothing
    assert process.wait(PATIENCE) == 0
    assert {b"READY=1", b"WATCHDOG=1"} <= set(said)
    code, found = health(house)
    assert (code, found["healthy"], found["stopped"]) == (1, False, True)
    assert events.read(house.store, limit=1)[0].kind is EventKind.BOT_STOPPED


def test_a_bot_that_is_stopped_while_it_starts_ends_at_once_and_leaves_the_database(open_house, tmp_path):
    house = open_house(start=False, slots=1)
    environment = {
        **os.environ,
        "SLACK_BOT_TOKEN": house.workspace.bot_token,
        "SLACK_APP_TOKEN": house.workspace.app_token,
        "SLACK_API_URL": house.workspace.api_url,
    }
    with subprocess.Popen([BLACKMAGIC, "run", "--study", house.study], env=environment) as process:
        house.admin.wait_until(lambda: house.workspace.traffic("auth.test"), PATIENCE)  # it is starting
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    with ExitStack() as stack:
        stack.enter_context(run(house, tmp_path))

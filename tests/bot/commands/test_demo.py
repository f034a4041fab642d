"""The demonstration is the whole study: simulated participants of different skill, real networks, real results."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.commands.simulated.participants import SimulatedParticipant
from bot.commands.simulated.tuning import Attempt, Experience, Skill, next_attempt
from bot.sandbox.client.person import Person, WorkspaceError
from bot.sandbox.client.screen import Message, View
from bot.sandbox.server.local_workspace import LocalWorkspace
from storage.schema.states import TrialState
from tests.bot.conftest import PATIENCE, House
from tests.bot.few_digits import NAME, TASK, write_digits

ROOT = Path(__file__).parents[3]
DEMO = (sys.executable, "-c", "from bot.cli import main; main()", "demo")


@pytest.fixture
def small_study(tmp_path: Path, study_file: Callable[..., Path]) -> Path:
    """The study's own rules, with a smaller task and fewer evaluations."""
    study = study_file(tmp_path, task=NAME, evaluation_seeds=[1, 2])
    study.write_text(study.read_text(encoding="utf-8") + TASK, encoding="utf-8")
    write_digits(tmp_path / "data" / "digits")
    return study


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """What keeps the demonstration's database in the test's folder."""
    return {**os.environ, "TMPDIR": str(tmp_path)}


@pytest.fixture
def used_port() -> Iterator[int]:
    """A port at which something listens already."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.long
def test_a_used_port_is_passed_over_and_ctrl_c_leaves_no_process_behind(small_study, environment, used_port):
    options = ("--participants", "1", "--port", str(used_port), "--study", str(small_study))
    with subprocess.Popen(
        [*DEMO, *options], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        told = ""
        for line in running.stdout:
            told += line
            if "submits trial 1" in line:
                break
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does, to all processes
        told += running.stdout.read()  # to its end: nobody writes any more
        assert running.wait(PATIENCE) == 0
    assert f"Port {used_port} is in use" in told
    assert f"http://127.0.0.1:{used_port} " not in told
    assert "Traceback" not in told
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_a_port_that_may_not_be_used_is_named(monkeypatch):
    def refuse(self: LocalWorkspace) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(LocalWorkspace, "start", refuse)
    result = CliRunner().invoke(app, ["demo", "--port", "80"])
    assert result.exit_code == 2
    assert "Port 80 cannot be used (Permission denied). Name another with --port." in result.stderr


class Unlucky(Person):
    """Somebody on a slow machine: every first press is refused, and every first form closes before it is sent."""

    def __init__(self, url: str, user: str) -> None:
        super().__init__(url, user)
        self.refused: set[str] = set()

    def press(
        self, shown: Message | View, label_or_action_id: str, choice: str | None = None, *, confirm: bool = True
    ) -> None:
        if label_or_action_id not in self.refused:
            self.refused.add(label_or_action_id)
            raise WorkspaceError("This element is not there any more: what it stood in was changed.")
        super().press(shown, label_or_action_id, choice, confirm=confirm)

    def submit(self, view: View | None = None) -> Mapping[str, str]:
        view = view or self.modal()
        assert view is not None
        if view.title not in self.refused:
            self.refused.add(view.title)
            self.close(everything=True)
        return super().submit(view)


@pytest.mark.long
def test_a_participant_presses_again_what_was_refused_and_fills_in_again_what_closed(house: House):
    newcomer = house.newcomer("Unlucky")
    person = Unlucky(newcomer.url, newcomer.id)
    lines: list[str] = []
    participant = SimulatedParticipant(person, Skill.NOVICE, tries=1, seed=1, tell=lines.append)
    participant.start()
    participant.join(4 * PATIENCE)
    assert not participant.is_alive(), lines
    assert participant.error is None
    assert {"I agree", "Tell us about you", "About you", "Start", "New configuration"} <= person.refused
    assert {"Cancel", "Finish", "Your final choice", "Final configuration"} <= person.refused
    session = house.session(person)
    assert [trial.state for trial in session.trials] == [TrialState.CANCELLED]
    assert session.choice is not None


def attempts(skill: Skill, tries: int) -> list[Attempt]:
    """What somebody of this skill tries, if every trial reaches 50 %."""
    experience, chance, made = Experience(), random.Random(1), []
    for _ in range(tries):
        made.append(next_attempt(skill, experience, tries, chance))
        experience = experience.with_result(made[-1], 50.0)
    return made


@pytest.mark.parametrize("tries", [1, 2, 4, 7])
def test_a_novice_gives_up_exactly_one_attempt_and_nobody_else_does(tries):
    given_up = {skill: [each for each in attempts(skill, tries) if each.given_up] for skill in Skill}
    assert len(given_up[Skill.NOVICE]) == 1
    assert given_up[Skill.NOVICE][0].values["Epochs"] == "1000"
    assert given_up[Skill.MEDIUM] == given_up[Skill.EXPERT] == []

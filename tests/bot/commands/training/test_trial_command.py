"""``blackmagic trial`` as a person and a script see it."""

import json
import math
import signal
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.commands.training.trial import trial

PROGRAM = "import typer; from bot.commands.training.trial import trial; typer.run(trial)"
ANNOUNCED = """
from training import loop
train = loop.train

def announced(*given):
    print("training", flush=True)
    return train(*given)

loop.train = announced
"""
QUICK = ("epochs=2", "batch_size=400", "loss=cross_entropy", "optimizer=adam", "learning_rate=3e-4")


def told(*settings: str, more: tuple[str, ...] = ("--json",)) -> tuple[int, str, str]:
    """Run the command here; returns exit code, standard output and standard error."""
    app = typer.Typer()
    app.command()(trial)
    options = [part for setting in settings for part in ("--set", setting)]
    result = CliRunner().invoke(app, [*options, *more])
    return result.exit_code, result.stdout, result.stderr


def last_line(output: str) -> dict[str, Any]:
    """The last line of standard output, read strictly: JSON knows no NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1], parse_constant=refuse)
    return found


def test_it_trains_and_says_so_in_one_line_of_json() -> None:
    code, output, shown = told(*QUICK)
    found = last_line(output)
    assert code == 0
    assert found["state"] == "complete"
    assert 0 <= found["validation_accuracy"] <= 100
    assert len(found["epoch_losses"]) == 2
    assert found["configuration"]["learning_rate"] == 0.0003
    assert found["configuration"]["epsilon"] == 0.00001, "Table 1's, not PyTorch's"
    assert (found["task"], found["seed"], found["environment"]["threads"]) == ("digits-squeezenet", 10, 1)
    assert found["seconds"] > 0
    assert found["images_per_second"] > 0
    assert "epoch" in shown, "the progress bar goes to the standard error"


@pytest.mark.long
def test_it_gives_the_same_losses_to_the_last_bit_in_another_process() -> None:
    _, output, _ = told(*QUICK)
    options = [part for setting in QUICK for part in ("--set", setting)]
    other = subprocess.run(
        [sys.executable, "-c", PROGRAM, *options, "--json"], capture_output=True, check=True, text=True
    )
    here, there = last_line(output), last_line(other.stdout)
    assert here["epoch_losses"] == there["epoch_losses"]
    assert here["validation_accuracy"] == there["validation_accuracy"]


def test_without_json_it_ends_with_a_table() -> None:
    code, output, _ = told("epochs=1", "batch_size=700", "loss=nll", "optimizer=sgd", more=())
    assert code == 0
    assert "Validation accuracy" in output
    assert "{" not in output


def test_a_diverged_trial_has_null_where_json_has_no_number() -> None:
    code, output, _ = told("epochs=3", "batch_size=100", "loss=mse", "optimizer=sgd", "learning_rate=100")
    found = last_line(output)
    assert code == 0
    assert found["state"] == "diverged"
    assert found["validation_accuracy"] is None
    assert found["epoch_losses"][-1] is None
    assert all(math.isfinite(loss) for loss in found["epoch_losses"][:-1])


def test_every_wrong_setting_gets_one_sentence_of_its_own() -> None:
    code, output, shown = told("epochs=0", "batch_size=5000", "optimizer=adamw", "lr=1", "momentum")
    assert code == 2
    assert output == ""
    lines = shown.strip().splitlines()
    assert len(lines) == 6
    for name, sentence in (
        ("epochs", "1 or more"),
        ("batch_size", "about 1,400 images"),
        ("optimizer", "adam, adadelta, adagrad"),
        ("loss", "cross_entropy, l1, mse, nll"),
        ("lr", "there is no hyperparameter"),
        ("momentum", "NAME=VALUE"),
    ):
        assert any(line.startswith(f"--set {name}") and sentence in line for line in lines), name


def test_an_unknown_task_is_answered_with_the_names_there_are() -> None:
    code, _, shown = told(*QUICK, more=("--task", "mnist"))
    assert code == 2
    assert shown.startswith("There is no task 'mnist'. Choose one of: digits-squeezenet, mnist-squeezenet, ")


def test_a_setting_given_twice_is_refused() -> None:
    code, _, shown = told(*QUICK, "epochs=3")
    assert code == 2
    assert "epochs is set twice" in shown


@pytest.mark.long
def test_ctrl_c_ends_it_with_one_sentence() -> None:
    options = [part for setting in (*QUICK[1:], "epochs=1000") for part in ("--set", setting)]
    running = subprocess.Popen(
        [sys.executable, "-c", ANNOUNCED + PROGRAM, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As on a terminal: what runs in the background of a shell is started with Ctrl-C switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "training\n"
    running.send_signal(signal.SIGINT)
    _, shown = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "The trial was interrupted: nothing was kept." in shown
    assert "Traceback" not in shown

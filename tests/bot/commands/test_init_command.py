"""``blackmagic init`` asks what the app is to be called, and writes the name into the manifest."""

import pytest
import yaml
from typer.testing import CliRunner

from bot.cli import app
from bot.commands import init
from bot.sandbox.validation.manifest import Manifest
from tests.bot.said.judgement import give_aways


def run(folder, *options, **given):
    return CliRunner().invoke(app, ["init", str(folder), *options], **given)


def names(folder):
    """The names of the app and of its bot, as YAML has them."""
    content = yaml.safe_load((folder / "manifest.yml").read_text(encoding="utf-8"))
    return content["display_information"]["name"], content["features"]["bot_user"]["display_name"]


@pytest.mark.parametrize("name", ["Learning Lab", "Lab: 7 # “netze”", 'The "Lab"', "yes", "42", "Übung"])
def test_the_name_is_written_into_the_manifest(tmp_path, name):
    assert run(tmp_path, "--app-name", name).exit_code == 0
    assert names(tmp_path) == (name, name)
    assert Manifest.read(tmp_path / "manifest.yml").app_name == name


def test_without_a_terminal_the_app_has_a_name_that_says_nothing(tmp_path):
    done = run(tmp_path, input="Never read\n")
    assert done.exit_code == 0
    assert names(tmp_path) == ("Tuning Study", "Tuning Study")
    described = yaml.safe_load((tmp_path / "manifest.yml").read_text(encoding="utf-8"))["display_information"]
    assert give_aways(f"{described['name']}. {described['description']}") == []


def test_somebody_at_a_terminal_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(init, "_is_terminal", lambda: True)
    done = run(tmp_path / "one", input="My Lab\n")
    assert "It should not say what the study wants to find out." in done.stdout
    assert names(tmp_path / "one") == ("My Lab", "My Lab")
    assert run(tmp_path / "two", input="\n").exit_code == 0
    assert names(tmp_path / "two") == ("Tuning Study", "Tuning Study")
    assert "What is the app to be called?" not in run(tmp_path / "one").stdout, "it has a name"


@pytest.mark.parametrize("name", ["", "  ", "x" * 36, "two\nlines"])
def test_a_name_that_slack_does_not_take_is_refused(tmp_path, name):
    done = run(tmp_path / "lab", "--app-name", name)
    assert done.exit_code == 2
    assert "1 to 35 characters, in one line. Nothing was written." in done.stderr
    assert not (tmp_path / "lab").exists()


def test_a_manifest_that_is_there_keeps_its_name(tmp_path):
    run(tmp_path, "--app-name", "First")
    done = run(tmp_path, "--app-name", "Second")
    assert names(tmp_path) == ("First", "First")
    assert "and not “Second”" in done.stdout

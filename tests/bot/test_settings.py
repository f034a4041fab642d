"""``study.toml`` and the environment are checked before anything starts, and a mistake is named in a sentence."""

from pathlib import Path

import pytest

from bot.settings import Credentials, Settings, SettingsError

ROOT = Path(__file__).parents[2]


def changed(folder: Path, before: str, after: str) -> Path:
    """The repository's study with one change."""
    text = (ROOT / "study.toml").read_text(encoding="utf-8")
    assert before in text
    (folder / "consent.md").write_text("Please agree.", encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return path


def test_the_study_of_the_repository_has_the_papers_values():
    settings = Settings.load(ROOT / "study.toml")
    assert settings.time.limit_minutes == 120
    assert settings.training.seed == 10
    assert len(settings.training.evaluation_seeds) == 10
    assert "18 or older" in settings.consent_text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("limit_minutes = 120", "limit_minutes = 0", "time.limit_minutes: Input should be greater than 0"),
        ("limit_minutes = 120", 'limit_minutes = "long"', "time.limit_minutes: Input should be a valid number"),
        ("limit_minutes = 120", "", "time.limit_minutes: Field required"),
        ("grace_minutes = 10", "grace_minutes = 10\ngreace = 1", "time.greace: Extra inputs are not permitted"),
        ("[1, 2, 3", "[1, 1, 3", "evaluation_seeds must differ from one another"),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "[]", "training.evaluation_seeds"),
        ("seed = 10", "seed = -1", "training.seed"),
        ("medium_up_to_months = 9", "medium_up_to_months = 0", "medium_up_to_months must be more than"),
        ('kind = "number"\n', 'kind = "text"\n', "questions.0.kind"),
        ('kind = "number"\n', 'kind = "choice"\n', "question programming_years: a choice needs choices"),
        ("slots = 2", "slots = 0", "machine.slots"),
        ('name = "Black Magic"', 'name = ""', "study.name"),
        ("[machine]", "[machine", "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, before, after, said):
    with pytest.raises(SettingsError) as told:
        Settings.load(changed(tmp_path, before, after))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"Cannot read .*study\.toml: No such file.*--study"):
        Settings.load(tmp_path / "study.toml")


def test_a_consent_text_that_is_missing_or_empty_is_named(tmp_path):
    path = changed(tmp_path, "consent.md", "other.md")
    with pytest.raises(SettingsError, match=r"Cannot read .*other\.md"):
        Settings.load(path)
    (tmp_path / "other.md").write_text(" \n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"other\.md is empty"):
        Settings.load(path)


def test_where_the_study_runs_is_no_rule(tmp_path):
    ours = Settings.load(changed(tmp_path, "slots = 2", "slots = 2"))
    moved = Settings.load(changed(tmp_path, "slots = 2", "slots = 8"))
    shorter = Settings.load(changed(tmp_path, "limit_minutes = 120", "limit_minutes = 60"))
    assert ours.rules_hash() == moved.rules_hash() != shorter.rules_hash()


@pytest.mark.parametrize(
    ("months", "group"), [(0, "novice"), (0.5, "medium"), (9, "medium"), (9.1, "expert"), (100, "expert")]
)
def test_groups_are_those_of_the_paper(months, group):
    assert Settings.load(ROOT / "study.toml").groups.group(months) == group


TOKENS = {"SLACK_BOT_TOKEN": "xoxb-local", "SLACK_APP_TOKEN": "xapp-local"}


def test_tokens_come_from_the_environment_and_are_never_shown():
    credentials = Credentials.from_environment({**TOKENS, "SLACK_API_URL": "http://127.0.0.1:8090/api"})
    assert (credentials.bot_token, credentials.app_token) == ("xoxb-local", "xapp-local")
    assert credentials.api_url == "http://127.0.0.1:8090/api/"
    assert "local" not in repr(credentials)


def test_slack_is_the_workspace_unless_another_is_named():
    assert Credentials.from_environment(TOKENS).api_url == "https://slack.com/api/"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SLACK_BOT_TOKEN", "", "SLACK_BOT_TOKEN is not set"),
        ("SLACK_APP_TOKEN", "  ", "SLACK_APP_TOKEN is not set"),
        ("SLACK_BOT_TOKEN", "xapp-secret", "SLACK_BOT_TOKEN must begin with xoxb-"),
        ("SLACK_APP_TOKEN", "hello-secret", "SLACK_APP_TOKEN must begin with xapp-"),
    ],
)
def test_a_token_that_cannot_be_right_is_named_but_not_shown(name, value, said):
    with pytest.raises(SettingsError) as told:
        Credentials.from_environment({**TOKENS, name: value})
    assert said in str(told.value)
    assert "secret" not in str(told.value)

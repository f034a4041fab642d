"""``study.toml`` and the environment are checked before the bot starts, and a mistake is reported in a sentence."""

import json
from datetime import date
from pathlib import Path

import pytest

from bot.settings.settings import Credentials, Settings, SettingsError
from bot.study.registration import registration
from storage.refusals import Refused
from training.bounds import Bounds

ROOT = Path(__file__).parents[3]


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
    assert settings.groups.novice_up_to_months == 0
    assert settings.groups.medium_up_to_months == 9
    assert settings.analysis.thresholds == (25, 50)
    assert "18 or older" in settings.consent_text


def test_the_digest_has_a_time_of_day_where_the_study_is():
    slack = Settings.load(ROOT / "study.toml").slack
    assert (slack.digest_at.hour, slack.zone.key) == (18, "Europe/Amsterdam")


def test_researchers_are_people_and_user_groups(tmp_path):
    named = changed(tmp_path, "researchers = []", 'researchers = ["U0123456789", "S0123456789", "W0123456789"]')
    slack = Settings.load(named).slack
    assert slack.people == {"U0123456789", "W0123456789"}
    assert slack.groups == ("S0123456789",)


def test_several_tasks_are_named_in_a_list_and_one_as_ever(tmp_path):
    one = Settings.load(changed(tmp_path, "slots = 2", "slots = 2"))
    listed = Settings.load(changed(tmp_path, 'task = "mnist-squeezenet"', 'task = ["mnist-squeezenet"]'))
    both = 'task = ["digits-squeezenet", "imagenette-squeezenet"]'
    two = Settings.load(changed(tmp_path, 'task = "mnist-squeezenet"', both))
    assert [each.name for each in two.study_tasks()] == ["digits-squeezenet", "imagenette-squeezenet"]
    assert one.rules_hash() == listed.rules_hash() != two.rules_hash()


def test_a_task_that_is_not_there_is_named(tmp_path):
    settings = Settings.load(changed(tmp_path, 'task = "mnist-squeezenet"', 'task = ["mnist-squeezenet", "cats"]'))
    with pytest.raises(SettingsError, match=r"study\.task: There is no task 'cats'\. Choose one of: digits-squeezenet"):
        settings.study_tasks()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("limit_minutes = 120", "limit_minutes = 0", "time.limit_minutes: Input should be greater than 0"),
        ("limit_minutes = 120", 'limit_minutes = "long"', "time.limit_minutes: Input should be a valid number"),
        ("limit_minutes = 120", "", "time.limit_minutes: Field required"),
        ("grace_minutes = 10", "grace_minutes = 10\ngreace = 1", "time.greace: Extra inputs are not permitted"),
        ("[1, 2, 3", "[1, 1, 3", "evaluation_seeds must differ from one another"),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 11]", "[]", "training.evaluation_seeds"),
        ("\nseed = 10", "\nseed = -1", "training.seed"),
        ("medium_up_to_months = 9", "medium_up_to_months = 0", "medium_up_to_months must be more than"),
        ('kind = "number"\n', 'kind = "text"\n', "questions.0.kind"),
        ('kind = "number"\n', 'kind = "choice"\n', "question programming_years: a choice needs choices"),
        ("slots = 2", "slots = 0", "machine.slots"),
        ('name = "Black Magic"', 'name = ""', "study.name"),
        (
            'withdrawn_data = "delete"',
            'withdrawn_data = "sell"',
            "study.withdrawn_data: Input should be 'keep'",
        ),
        ('task = "mnist-squeezenet"', "task = []", "study.task"),
        ('task = "mnist-squeezenet"', 'task = ["x", "x"]', "the tasks must differ from one another"),
        ("thresholds = [25, 50]", "thresholds = [50, 25]", "thresholds must differ from one another and ascend"),
        ("thresholds = [25, 50]", "thresholds = [25, 101]", "analysis.thresholds.1"),
        ("alpha = 0.05", "alpha = 1.5", "analysis.alpha"),
        ('primary_test = "spearman"', 'primary_test = "luck"', "analysis.primary_test: Input should be 'spearman'"),
        ('interim = "hidden"', 'interim = "sometimes"', "analysis.interim: Input should be 'hidden' or 'shown'"),
        ("target_participants = 31", "target_participants = 0", "analysis.target_participants"),
        (
            "researchers = []",
            'researchers = ["@someone"]',
            "“@someone” is not a Slack ID: a person's ID begins",
        ),
        ("researchers = []", 'researchers = ["C0123456789"]', "“C0123456789” is not a Slack ID"),
        ('report_channel = ""', 'report_channel = "#reports"', "“#reports” is not a channel's ID"),
        ('digest_at = "18:00"', 'digest_at = "25:00"', "slack.digest_at"),
        ('digest_at = "18:00"', 'digest_at = "18:00+02:00"', "digest_at must be a time of day such as “18:00”"),
        ("Europe/Amsterdam", "Europe/Amsterdm", "“Europe/Amsterdm” is not a time zone: name one such as"),
        ("Europe/Amsterdam", "../etc/passwd", "“../etc/passwd” is not a time zone"),
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


@pytest.mark.parametrize(("data", "said"), [("keep", "is kept under the code"), ("delete", "you entered and trained")])
def test_the_consent_text_says_what_becomes_of_the_data_of_those_who_leave(tmp_path, data, said):
    path = changed(tmp_path, 'withdrawn_data = "delete"', f'withdrawn_data = "{data}"')
    (tmp_path / "consent.md").write_text("First.\n• {withdrawn_data}\nLast.", encoding="utf-8")
    text = Settings.load(path).consent_text
    assert text.startswith("First.\n• If you leave the study, ")
    assert text.endswith("\nLast.")
    assert said in text
    (tmp_path / "consent.md").write_text("Of something else.", encoding="utf-8")
    text = Settings.load(path).consent_text
    assert text.startswith("Of something else.\n\nIf you leave the study, ")
    assert said in text
    assert "a code that is made from your Slack account with a secret key" in text


def test_data_of_those_who_leave_are_deleted_unless_the_study_file_says_otherwise(tmp_path):
    assert Settings.load(ROOT / "study.toml").study.delete_withdrawn
    silent = Settings.load(changed(tmp_path, 'withdrawn_data = "delete"', ""))
    assert silent.study.delete_withdrawn
    assert silent.rules_hash() == Settings.load(changed(tmp_path, "slots = 2", "slots = 3")).rules_hash()


def test_the_most_steps_are_a_rule_unless_they_are_as_ever(tmp_path):
    ours = Settings.load(changed(tmp_path, "slots = 2", "slots = 2"))
    before = Settings.load(changed(tmp_path, "most_steps = 1_000_000", ""))
    fewer = Settings.load(changed(tmp_path, "most_steps = 1_000_000", "most_steps = 5_000"))
    assert ours.rules_hash() == before.rules_hash() != fewer.rules_hash()
    assert (before.form.most_steps, fewer.form.most_steps) == (1_000_000, 5_000)


def test_the_bounds_of_the_form_are_a_rule_and_narrow_ones_are_that_of_earlier_versions(tmp_path):
    usual = Settings.load(changed(tmp_path, "slots = 2", "slots = 2"))
    unsaid = Settings.load(changed(tmp_path, 'bounds = "optimizer"', ""))
    narrow = Settings.load(changed(tmp_path, 'bounds = "optimizer"', 'bounds = "narrow"'))
    assert (usual.form.bounds, unsaid.form.bounds, narrow.form.bounds) == (
        Bounds.OPTIMIZER,
        Bounds.OPTIMIZER,
        Bounds.NARROW,
    )
    assert usual.rules_hash() == unsaid.rules_hash() != narrow.rules_hash()
    assert json.loads(usual.rules())["form"] == {"bounds": "optimizer", "most_steps": 1_000_000}
    assert "form" not in json.loads(narrow.rules())


def test_a_study_that_opened_before_there_were_other_bounds_keeps_its_rules(tmp_path):
    earlier = Settings.load(changed(tmp_path, 'bounds = "optimizer"', 'bounds = "narrow"')).rules()
    unsaid = Settings.load(changed(tmp_path, 'bounds = "optimizer"', ""))
    assert unsaid.for_opened(earlier).form.bounds is Bounds.NARROW
    assert unsaid.for_opened(earlier).rules() == earlier
    said = Settings.load(changed(tmp_path, "slots = 2", "slots = 2"))
    assert said.for_opened(earlier) == said
    assert unsaid.for_opened(said.rules()) == unsaid


def test_a_study_file_without_an_analysis_plan_has_the_rules_that_it_had_and_names_what_is_missing(tmp_path):
    path = changed(tmp_path, "slots = 2", "slots = 2")
    text = path.read_text(encoding="utf-8")
    first, last = text.index("interim = "), text.index("# What the background form asks")
    path.write_text(text[:first] + text[last:], encoding="utf-8")
    settings = Settings.load(path)
    assert json.loads(settings.rules())["analysis"] == {"thresholds": [25.0, 50.0]}
    assert settings.analysis.plan.blanks == (
        "analysis.hypothesis",
        "analysis.target_participants",
        "analysis.stopping_rule",
        "analysis.exclusion_rules",
    )
    with pytest.raises(Refused, match=r"`analysis\.hypothesis`, .* are still to be written in study\.toml"):
        registration(settings, date(2030, 3, 1))


def test_the_study_of_the_repository_can_be_registered():
    settings = Settings.load(ROOT / "study.toml")
    assert settings.analysis.plan.blanks == ()
    made = registration(settings, date(2030, 3, 1))
    assert (made.plan.target_participants, made.plan.primary_test, made.plan.interim) == (31, "spearman", "hidden")
    assert made.consent_hash == settings.consent_hash()


def test_the_memory_of_a_worker_is_in_gibibytes_and_no_rule(tmp_path):
    ours = Settings.load(changed(tmp_path, "slots = 2", "slots = 2"))
    limited = Settings.load(changed(tmp_path, "worker_memory = 0 ", "worker_memory = 1.5 "))
    assert (ours.machine.worker_memory_bytes, limited.machine.worker_memory_bytes) == (None, 3 * 2**29)
    assert ours.rules_hash() == limited.rules_hash()


def test_where_the_study_runs_is_no_rule(tmp_path):
    ours = Settings.load(changed(tmp_path, "slots = 2", "slots = 2"))
    moved = Settings.load(changed(tmp_path, "slots = 2", "slots = 8"))
    shorter = Settings.load(changed(tmp_path, "limit_minutes = 120", "limit_minutes = 60"))
    told = Settings.load(changed(tmp_path, "Europe/Amsterdam", "Asia/Tokyo"))
    assert ours.rules_hash() == moved.rules_hash() == told.rules_hash() != shorter.rules_hash()


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

"""``blackmagic doctor --slack`` says line by line what is missing before a study can run in a workspace."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.web import WebClient
from typer.testing import CliRunner

from bot.checks.connection import Greeting
from bot.checks.slack_checks import check_slack
from bot.cli import app
from bot.participant.views.onboarding import greeting
from bot.sandbox.server.local_workspace import PEOPLE, LocalWorkspace
from bot.sandbox.state.people import Kind
from bot.sandbox.state.records import ChannelPlan
from bot.sandbox.validation.strictness import SLACK_LIMITS, Rules
from bot.settings.settings import SlackSection
from tests.bot.study_file import ROOT

MANIFEST = (ROOT / "manifest.yml").read_text(encoding="utf-8")
RULES = Rules(ping_seconds=0.1)
BOT, APP = "xoxb-7-secret", "xapp-7-secret"
RESEARCHER, GROUP_OF_RESEARCHERS, GROUP_OF_ADMINS = "U00000003", "S00000001", "S00000002"


@pytest.fixture
def doctor(study_file, tmp_path):
    """Open a workspace with something wrong in it, and run the command there."""
    with ExitStack() as stack:

        class Doctor:
            workspace: LocalWorkspace

            def open(self, rules=RULES, manifest=MANIFEST, **more):
                path = tmp_path / "manifest.yml"
                path.write_text(manifest, encoding="utf-8")
                workspace = LocalWorkspace(rules=rules, manifest=path, bot_token=BOT, app_token=APP, **more)
                self.workspace = stack.enter_context(workspace)

            def run(self, *options, environment=None, **study):
                given = {"report_channel": "C00000001", "researchers": [RESEARCHER, GROUP_OF_RESEARCHERS], **study}
                tokens = {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "SLACK_API_URL": self.workspace.api_url}
                file = study_file(tmp_path, **given)
                typed = ["doctor", "--slack", "--study", str(file), *options]
                runner = CliRunner(env={**tokens, **(environment or {})})
                with ThreadPoolExecutor(1) as own_thread:  # a browser of another test may have a loop in this one
                    ran = own_thread.submit(runner.invoke, app, typed).result()
                assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.output
                assert "secret" not in ran.output
                return ran

        yield Doctor()


def without(scope):
    lines = MANIFEST.splitlines()
    left = [line for line in lines if not line.strip().startswith(f"- {scope}")]
    assert len(left) == len(lines) - 1
    return "\n".join(left)


def switched(setting, to):
    assert f"{setting}: {'false' if to else 'true'}" in MANIFEST
    return MANIFEST.replace(f"{setting}: {str(not to).lower()}", f"{setting}: {str(to).lower()}")


def test_where_all_is_well_every_line_says_so_and_nobody_notices(doctor):
    doctor.open()
    ran = doctor.run()
    assert ran.exit_code == 0, ran.output
    *lines, rest = ran.stdout.splitlines()
    assert all(line.startswith("✓ ") for line in lines), ran.output
    assert rest == "The rest only eyes can tell: start the bot, and type /study check in Slack."
    assert [line.split(":")[0].removeprefix("✓ ") for line in lines] == [
        "Bot token",
        "App token",
        "Slack",
        "Workspace",
        "Scopes",
        "Clock",
        "Socket Mode",
        "Connections",
        "Report channel",
        f"Researcher {RESEARCHER}",
        f"User group {GROUP_OF_RESEARCHERS}",
        "Direct messages",
        "Charts",
        "Consent text",
        "One app",
    ]
    assert ran.stderr == ""
    called = {each.name for each in doctor.workspace.traffic() if each.kind == "call"}
    assert not called & {"chat.postMessage", "chat.postEphemeral", "chat.update"}
    assert doctor.workspace._parts.workspace.scheduled == {}
    assert doctor.workspace.person("Researcher").messages() == ()
    assert doctor.workspace.person("Admin").messages("C00000001") == ()


def test_json_says_the_same(doctor):
    doctor.open(manifest=without("files:read"))
    lines = doctor.run().stdout.splitlines()
    ran = doctor.run("--json")
    assert ran.exit_code == 1
    told = json.loads(ran.stdout)
    assert told["well"] is False
    signs = {"fine": "✓ {check}: ", "wrong": "✗ {check}: ", "not checked": "– {check}, not checked: "}
    assert [signs[each["verdict"]].format(**each) + each["text"] for each in told["findings"]] == lines
    doctor.open()
    assert json.loads(doctor.run("--json").stdout)["well"] is True


OTHERS = [each for each in PEOPLE if each.role != "admin"]


@pytest.mark.parametrize(
    ("opened", "given", "said"),
    [
        (
            {},
            {"environment": {"SLACK_BOT_TOKEN": "xoxb-wrong-secret"}},
            "✗ Slack: Slack refuses SLACK_BOT_TOKEN: copy it",
        ),
        ({}, {"environment": {"SLACK_BOT_TOKEN": APP}}, "✗ Bot token: SLACK_BOT_TOKEN must begin with xoxb-: copy it"),
        ({}, {"environment": {"SLACK_BOT_TOKEN": ""}}, "✗ Bot token: SLACK_BOT_TOKEN is not set: copy it"),
        (
            {},
            {"environment": {"SLACK_APP_TOKEN": "xapp-wrong-secret"}},
            "✗ Socket Mode: Slack refuses SLACK_APP_TOKEN: copy it",
        ),
        ({}, {"environment": {"SLACK_APP_TOKEN": BOT}}, "✗ App token: SLACK_APP_TOKEN must begin with xapp-: copy it"),
        ({"manifest": without("files:read")}, {}, "✗ Scopes: The bot token lacks files:read. On your app's page"),
        (
            {"manifest": without("usergroups:read")},
            {},
            "✗ User group S00000001: The bot token may not read user groups",
        ),
        ({"manifest": without("im:write")}, {}, "✗ Researcher U00000003: The bot token may not open conversations"),
        ({"manifest": without("chat:write")}, {}, "✗ Report channel: C00000001: The bot token may not write"),
        ({"rules": replace(RULES, clock_ahead_seconds=90)}, {}, "✗ Clock: This machine's clock is 90 s behind Slack's"),
        ({"rules": replace(RULES, clock_ahead_seconds=-3700)}, {}, "✗ Clock: This machine's clock is 3,700 s ahead of"),
        (
            {"manifest": switched("socket_mode_enabled", False)},
            {},
            "✗ Socket Mode: It is off: turn it on on your app's",
        ),
        ({}, {"report_channel": "C99999999"}, "✗ Report channel: C99999999: Slack knows no such channel, or it is"),
        (
            {"channels": [ChannelPlan("reports", with_app=False)]},
            {},
            "✗ Report channel: C00000001: The bot is not in it: write `/invite @` with the name of the app in it.",
        ),
        (
            {"channels": [ChannelPlan("reports", with_app=False, private=True)]},
            {},
            "✗ Report channel: C00000001: Slack knows no such channel, or it is private and the bot is not in it",
        ),
        ({}, {"researchers": []}, "✗ Researchers: study.toml names none, so nobody can open the study."),
        ({}, {"researchers": ["U99999999"]}, "✗ Researcher U99999999: Slack knows nobody with this ID"),
        ({}, {"researchers": ["S99999999"]}, "✗ User group S99999999: Slack knows no user group with this ID"),
        ({"people": OTHERS}, {"researchers": [GROUP_OF_ADMINS]}, "✗ User group S00000002: Nobody is in it"),
        (
            {"manifest": switched("messages_tab_enabled", False)},
            {},
            "✗ Direct messages: The app's Messages tab is off: on your app's page, App Home, turn it on",
        ),
        ({"rules": replace(RULES, refuse_charts=True)}, {}, "✗ Charts: Slack refuses line charts in this workspace."),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(doctor, opened, given, said):
    doctor.open(**opened)
    ran = doctor.run(**given)
    assert ran.exit_code == 1, ran.output
    assert any(line.startswith(said) for line in ran.stdout.splitlines()), ran.output
    assert "eyes" not in ran.stdout
    assert doctor.workspace._parts.workspace.scheduled == {}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Kind.BOT, "✗ Researcher {}: This is a bot: name a person in study.toml."),
        (Kind.DEACTIVATED, "✗ Researcher {}: Their account is deactivated: take them out of study.toml."),
        (Kind.STRANGER, "✗ Researcher {}: They belong to another organisation: name somebody of this workspace"),
        (Kind.HIDDEN, "✗ Researcher {}: The bot may not see them: name somebody else in study.toml."),
        (Kind.GUEST, "✓ Researcher {}: They are here, and the bot can write to them."),
    ],
)
def test_a_researcher_is_somebody_to_whom_the_bot_can_write(doctor, kind, said):
    doctor.open()
    user = doctor.workspace.add_person("Is named in study.toml", kind=kind).id
    ran = doctor.run(researchers=[user, RESEARCHER])
    assert ran.exit_code == int(said.startswith("✗"))
    assert said.format(user) in ran.stdout
    assert f"✓ Researcher {RESEARCHER}: " in ran.stdout
    assert "✓ Direct messages: The bot may write to people." in ran.stdout


def test_a_channel_in_which_the_bot_may_not_write_is_named_with_slacks_reason(doctor):
    doctor.open()
    doctor.workspace.refuse("chat.scheduleMessage", "restricted_action", channel="C00000001")
    ran = doctor.run()
    assert ran.exit_code == 1
    expected = "✗ Report channel: C00000001: The bot may not write there. (Slack answers “restricted_action”.)"
    assert expected in ran.stdout
    assert "✓ Charts: " in ran.stdout


def test_a_test_message_that_could_not_be_deleted_is_confessed(doctor):
    doctor.open()
    doctor.workspace.refuse("chat.deleteScheduledMessage", "internal_error", channel="C00000001")
    ran = doctor.run()
    assert ran.exit_code == 1
    expected = (
        "✗ Report channel: C00000001: A test message could not be deleted (Slack answers “internal_error”): it will"
    )
    assert expected in ran.stdout


def test_what_depends_on_something_that_is_wrong_is_not_checked(doctor):
    doctor.open()
    lines = doctor.run(environment={"SLACK_BOT_TOKEN": "xoxb-wrong-secret"}).stdout.splitlines()
    why = "not checked: there is no usable bot token."
    for check in ("Workspace", "Scopes", "Clock", "Report channel", "Researchers", "Direct messages", "Charts"):
        assert f"– {check}, {why}" in lines
    assert "✓ Socket Mode: The app can connect." in lines
    lines = doctor.run(environment={"SLACK_APP_TOKEN": ""}).stdout.splitlines()
    assert "– Socket Mode, not checked: there is no usable app-level token." in lines
    assert "– Connections, not checked: the app is not connected." in lines
    assert "✓ Report channel: The bot may write into C00000001." in lines


def test_slack_that_cannot_be_reached_is_said_once(doctor):
    doctor.open()
    ran = doctor.run(environment={"SLACK_API_URL": "http://127.0.0.1:9/"})
    assert ran.exit_code == 1
    lines = ran.stdout.splitlines()
    assert "✗ Slack: It cannot be reached at http://127.0.0.1:9/" in ran.stdout
    assert sum(line.startswith("✗") for line in lines) == 1
    assert "– Socket Mode, not checked: Slack cannot be reached." in lines
    assert ran.stderr == ""


def test_another_bot_with_the_same_tokens_is_noticed(doctor):
    doctor.open()
    web = WebClient(base_url=doctor.workspace.api_url)
    other = SocketModeClient(APP, web_client=web, auto_reconnect_enabled=False)
    try:
        other.connect()
        doctor.workspace.wait_for_app()
        ran = doctor.run()
    finally:
        other.close()
    assert ran.exit_code == 1
    assert "✓ Socket Mode: The app can connect." in ran.stdout
    assert "✗ Connections: The app has 1 other connection: a bot runs with these tokens already." in ran.stdout


def test_where_slack_allows_no_further_connection_that_is_said(doctor):
    doctor.open(rules=replace(RULES, max_connections=0))
    ran = doctor.run()
    assert ran.exit_code == 1
    assert "✗ Socket Mode: The app has as many connections as Slack allows (10)" in ran.stdout


def test_what_slack_limits_is_not_checked_and_not_wrong(doctor):
    doctor.open(rules=replace(RULES, limits={**SLACK_LIMITS, "apps.connections.open": 1}))
    doctor.run()
    ran = doctor.run()
    assert ran.exit_code == 0, ran.output
    assert "– Socket Mode, not checked: Slack lets the app connect only so often. Check again in " in ran.stdout


def test_a_clock_that_is_off_by_little_is_fine(doctor):
    doctor.open(rules=replace(RULES, clock_ahead_seconds=3))
    assert "✓ Clock: This machine's clock and Slack's agree within 5 s." in doctor.run().stdout


def test_a_study_without_a_report_channel_is_told_what_it_misses(doctor):
    doctor.open()
    ran = doctor.run(report_channel="")
    assert ran.exit_code == 0
    assert "– Report channel, not checked: study.toml names none, so nobody will be told what happens" in ran.stdout
    assert "✓ Charts: Slack accepts line charts." in ran.stdout  # tried in the researcher's conversation


def test_a_study_that_uses_no_charts_needs_none(doctor):
    doctor.open(rules=replace(RULES, refuse_charts=True))
    ran = doctor.run(live_plots="repost")
    assert ran.exit_code == 0
    assert '– Charts, not checked: live_plots = "repost" in study.toml needs none.' in ran.stdout


@pytest.mark.parametrize(
    ("words", "fits"),
    [(1_000, True), (3_000, False), (60_000, False)],  # within Slack's limits, beyond its characters, beyond its blocks
)
def test_whether_the_consent_text_fits_slack_itself_says(doctor, tmp_path, words, fits):
    doctor.open()
    (tmp_path / "long.md").write_text("\n\n".join(["word " * 500] * (words // 500)), encoding="utf-8")
    ran = doctor.run(consent="long.md")
    assert ran.exit_code == int(not fits)
    said = "✓ Consent text: It fits into one Slack message."
    if not fits:
        said = "✗ Consent text: Slack refuses the message with it as too long. Shorten it, or put the details on a page"
    assert said in ran.stdout
    assert doctor.workspace._parts.workspace.scheduled == {}


def test_what_is_left_to_fill_in_in_the_consent_text_is_named(doctor, tmp_path):
    doctor.open()
    (tmp_path / "unfinished.md").write_text("Approved under [approval number]. Ask [name].", encoding="utf-8")
    ran = doctor.run(consent="unfinished.md")
    assert ran.exit_code == 1
    assert "✗ Consent text: The consent text (unfinished.md) has places that are left to fill in: " in ran.stdout
    assert "[approval number], [name]. Fill them in" in ran.stdout


def test_scopes_that_the_bot_needs_not_are_named(doctor):
    doctor.open(manifest=MANIFEST.replace("      - commands", "      - users:read\n      - commands"))
    ran = doctor.run()
    assert ran.exit_code == 0
    assert "It may also do what it need not: users:read." in ran.stdout


def test_tokens_of_two_apps_are_noticed(doctor):
    doctor.open()
    bot = WebClient(BOT, base_url=doctor.workspace.api_url)
    settings = SlackSection(researchers=(RESEARCHER,), report_channel="C00000001")
    found = list(
        check_slack(settings, bot, lambda: Greeting("A99999999", 1), greeting("Please read."), own_connections=1)
    )
    assert [str(each) for each in found if each.check == "One app"] == [
        "✗ One app: The bot token belongs to the app A00000001, and the app-level token to A99999999: the bot would "
        "hear nothing. Copy both from the page of one app."
    ]


def test_settings_that_cannot_be_used_are_one_line(doctor):
    doctor.open()
    ran = doctor.run(researchers=["Ada"])
    assert ran.exit_code == 2
    assert ran.stdout == ""
    (line,) = ran.stderr.splitlines()
    assert "“Ada” is not a Slack ID" in line


@pytest.mark.parametrize("options", [["--json"], ["--slack", "--determinism"]])
def test_options_that_do_not_go_together_are_refused(options, tmp_path):
    ran = CliRunner().invoke(app, ["doctor", *options, "--study", str(tmp_path / "study.toml")])
    assert ran.exit_code == 2
    assert ran.stderr == "--slack goes without --determinism, and --json only with --slack.\n"

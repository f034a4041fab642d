"""A file counts as sent when Slack shows it in the conversation, and not when Slack has accepted it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from bot.slack import uploads
from bot.slack.client import PacedClient, Slack
from bot.slack.rate_limiter import RateLimiter
from bot.slack.uploads import File
from tests.bot.researcher.asking import PATIENCE, ask, look, text_of

ALT_TEXT = "Line chart of the training loss over ten epochs: it falls from 2.3 to 0.4."
FILES = [File("figure-1.png", b"\x89PNG\r\n and more", ALT_TEXT), File("table-1.csv", b"a,b\n1,2\n")]
NEVER = 3600.0

Open = Callable[[float], tuple[LocalWorkspace, Slack]]


@pytest.fixture
def opened() -> Iterator[Open]:
    """A workspace that shows files after so many seconds, and the bot's calls to it."""
    with ExitStack() as stack:

        def open_it(sharing_seconds: float) -> tuple[LocalWorkspace, Slack]:
            rules = Rules(limits=None, file_processing_seconds=0.05, file_sharing_seconds=sharing_seconds)
            workspace = stack.enter_context(LocalWorkspace(rules=rules))
            limiter = RateLimiter()
            stack.callback(limiter.close)
            return workspace, Slack(PacedClient(workspace.bot_token, workspace.api_url, limiter))

        yield open_it


def described(slack, file_id):
    return slack.client.files_info(file=file_id)["file"]


def test_files_are_shown_a_while_after_slack_has_accepted_them(opened):
    workspace, slack = opened(0.8)
    person = workspace.person("Researcher")
    sent = uploads.send(slack, person.direct_channel, FILES, "Here they are.")
    assert list(sent.values()) == ["figure-1.png", "table-1.csv"]
    assert uploads.not_shown(slack, person.direct_channel, sent) == ()
    message = person.wait_for("Here they are.")
    assert [each["name"] for each in message.files] == ["figure-1.png", "table-1.csv"]


def test_a_picture_says_in_its_title_what_it_shows_because_with_alt_txt_it_may_never_be_shown(opened):
    workspace, slack = opened(0.05)
    sent = uploads.send(slack, workspace.person("Researcher").direct_channel, FILES, "Here they are.")
    picture, table = (described(slack, each) for each in sent)
    assert (picture["title"], picture["alt_txt"]) == (ALT_TEXT, "")
    assert (table["title"], table["alt_txt"]) == ("table-1.csv", "")


def test_files_that_slack_does_not_show_in_time_are_named(opened, monkeypatch):
    monkeypatch.setattr(uploads, "SHARED_WITHIN", 0.6)
    workspace, slack = opened(NEVER)
    channel = workspace.person("Researcher").direct_channel
    sent = uploads.send(slack, channel, FILES, "Here they are.")
    assert uploads.not_shown(slack, channel, sent) == ("figure-1.png", "table-1.csv")


def test_of_several_files_only_those_are_named_that_are_not_shown(opened, monkeypatch):
    monkeypatch.setattr(uploads, "SHARED_WITHIN", 0.6)
    workspace, slack = opened(0.2)
    channel = workspace.person("Researcher").direct_channel
    sent = uploads.send(slack, channel, FILES, "Here they are.")
    first, _ = sent
    slack.client.files_delete(file=first)  # before it is shown
    assert uploads.not_shown(slack, channel, sent) == ("figure-1.png",)


def test_while_slack_does_not_tell_whether_files_are_shown_it_is_asked_again(opened):
    workspace, slack = opened(0.05)
    channel = workspace.person("Researcher").direct_channel
    sent = uploads.send(slack, channel, FILES, "Here they are.")
    workspace.refuse("files.info", "internal_error")
    asked, pause = len(workspace.traffic("files.info")), slack.client.limiter.pause

    def until_asked(seconds: float) -> bool:
        if len(workspace.traffic("files.info")) > asked:
            workspace.refuse("files.info", "")
        return pause(seconds)

    slack.client.limiter.pause = until_asked
    assert uploads.not_shown(slack, channel, sent) == ()
    assert "internal_error" in {each.status for each in workspace.traffic("files.info")}


@pytest.mark.long
def test_a_researcher_is_told_what_slack_does_not_show_and_what_to_do(open_house, rules, monkeypatch):
    monkeypatch.setattr(uploads, "SHARED_WITHIN", 0.6)
    house = open_house(rules(file_sharing_seconds=NEVER), slots=1)
    researcher = house.workspace.person("Researcher")
    assert "The open data without test results (the study is not closed) is being made" in text_of(
        ask(researcher, "export")
    )
    told = researcher.wait_for(
        "⚠️ The open data without test results (the study is not closed): Slack has accepted all files, but it does",
        PATIENCE,
    )
    assert "“black-magic.zip” yet" in told.text
    assert "If it is not there then, type the command again." in told.text
    assert not told.ephemeral

    house.wait_for_machines()
    person = house.seated("Is drawn")
    house.trained(person)
    code = house.participant(person).code
    researcher.press(look(researcher, f"participant {code}", f"Participant {code}"), "Send me these loss plots")
    shown = researcher.wait_until(
        lambda: (view := researcher.modal()) and "does not show" in view.text_of_everything and view, PATIENCE
    )
    assert f"“{code}-trial-1.png” yet" in shown.text_of_everything
    assert "✅" not in shown.text_of_everything

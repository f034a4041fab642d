"""Researchers are named one by one or as a user group. If Slack does not tell its members, none of them is allowed."""

import pytest
from slack_sdk.errors import SlackApiError

from bot.researcher.context import NOT_FOR_YOU
from bot.researcher.permissions import AGAIN_SECONDS, REMEMBERED_SECONDS, GroupUnknown, Permissions
from bot.sandbox.state.people import GROUPS
from bot.settings.settings import SlackSection
from tests.bot.researcher.asking import PATIENCE, ask, text_of

RESEARCHERS = next(group for group, role in GROUPS.items() if role == "researcher")


def test_the_members_of_a_group_are_researchers_and_the_others_are_told_why_not(open_house):
    house = open_house(researchers=[RESEARCHERS, "S99999999"])
    researcher = house.workspace.person("Researcher")
    assert "slots are ready" in text_of(ask(researcher, "status"))
    researcher.open_home()
    researcher.wait_for_home("The study", PATIENCE)
    researcher.say("hello")
    researcher.wait_for("Would you like to see what it is about?", PATIENCE)
    stranger = house.newcomer("Is in no group")
    told = text_of(ask(stranger, "status"))
    assert told.startswith(NOT_FOR_YOU)
    assert "I cannot read who is in the researchers' user group S99999999: Slack answers “no_such_subteam”." in told
    stranger.open_home()
    stranger.wait_for("I agree", PATIENCE)
    assert "The study" not in stranger.wait_for_home("", PATIENCE).text_of_everything.splitlines()


class Workspace:
    """Tells who is in a group as often as it is asked, or refuses to."""

    def __init__(self):
        self.members, self.error, self.asked = {"U1"}, "", 0

    def group_members(self, group):
        self.asked += 1
        if self.error:
            raise SlackApiError("no", {"error": self.error})
        return frozenset(self.members)


@pytest.fixture
def workspace():
    return Workspace()


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def access(workspace, clock):
    return Permissions(SlackSection(researchers=("S1", "UNAMED")), workspace, lambda: clock[0])


def test_a_group_is_asked_for_once_in_some_minutes(access, workspace, clock):
    assert access.known == {"UNAMED"}
    assert [access.allows(user) for user in ("U1", "U2", "UNAMED")] == [True, False, True]
    assert access.known == {"UNAMED", "U1"}
    workspace.members = {"U2"}
    clock[0] = REMEMBERED_SECONDS - 1
    assert access.allows("U1")
    assert workspace.asked == 1
    clock[0] = REMEMBERED_SECONDS
    assert not access.allows("U1")
    assert access.allows("U2")
    assert workspace.asked == 2


def test_once_slack_does_not_tell_any_more_nobody_in_the_group_is_let_in(access, workspace, clock):
    assert access.allows("U1")
    workspace.error, clock[0] = "missing_scope", REMEMBERED_SECONDS
    for _ in range(3):
        with pytest.raises(GroupUnknown, match="Slack answers “missing_scope”"):
            access.allows("U1")
    assert not access.includes("U1")
    assert access.allows("UNAMED")
    assert access.known == {"UNAMED"}
    assert workspace.asked == 2
    workspace.error, clock[0] = "", REMEMBERED_SECONDS + AGAIN_SECONDS
    assert access.allows("U1")


def test_a_researcher_named_in_the_settings_is_allowed_without_asking_slack(workspace):
    assert Permissions(SlackSection(researchers=("UNAMED",)), workspace).allows("UNAMED")
    assert workspace.asked == 0

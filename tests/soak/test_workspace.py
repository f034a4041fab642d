"""The workspace in a process of its own lets the harness act for its people."""

from bot.sandbox.client.person import Person
from tests.soak.workspace import WorkspaceProcess


def test_people_of_the_workspaces_process_can_be_acted_for():
    with WorkspaceProcess() as workspace:
        person = Person(workspace.url, workspace.join("Somebody"))
        person.say("hello")
        assert [each.text for each in person.messages()] == ["hello"]
        assert workspace.connections() == 0

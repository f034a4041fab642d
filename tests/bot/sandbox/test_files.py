"""Uploads as Slack takes them: three steps, then a while in which nothing may use the file."""

import pytest
from PIL import Image
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client.person import WorkspaceError
from bot.sandbox.validation.strictness import Rules
from tests.bot.sandbox.conftest import wait_until


@pytest.fixture(scope="module")
def png(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "trial-1.png"
    Image.new("RGB", (8, 6), "navy").save(path)
    return path.read_bytes()


def upload(client, content, name="trial-1.png"):
    return client.files_upload_v2(content=content, filename=name)["files"][0]["id"]


def picture(file_id, alt_text="The loss falls"):
    return [{"type": "image", "block_id": f"picture-{file_id}", "alt_text": alt_text, "slack_file": {"id": file_id}}]


def processed(client, file_id):
    wait_until(lambda: client.files_info(file=file_id)["file"]["mimetype"])


def test_a_file_cannot_be_shown_before_it_is_processed(stage, png):
    workspace = stage.workspace(Rules(file_processing_seconds=3600.0))
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    person = workspace.person("First participant")
    file_id = upload(client, png)
    assert client.files_info(file=file_id)["file"]["mimetype"] == ""
    with pytest.raises(SlackApiError, match="invalid_blocks") as refusal:
        client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    assert refusal.value.response["response_metadata"]["messages"] == [
        "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"
    ]


def test_a_file_is_shown_once_it_is_processed(client, person, png):
    file_id = upload(client, png)
    processed(client, file_id)
    client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    message = person.wait_for("The loss falls")
    assert person.pictures(message) == (png,)
    assert "trial-1.png" in message.text_of_everything


def test_a_deleted_file_is_gone(workspace, client, person, png):
    file_id = upload(client, png)
    processed(client, file_id)
    client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    client.files_delete(file=file_id)
    assert file_id not in workspace.file_ids()
    assert person.pictures(person.wait_for("The plot")) == ()
    for again in (client.files_delete, client.files_info):
        with pytest.raises(SlackApiError, match="file_not_found"):
            again(file=file_id)
    with pytest.raises(WorkspaceError, match="deleted"):
        person.download(f"/files/{file_id}/trial-1.png")


def test_what_is_no_picture_cannot_be_shown_as_one(client, person):
    file_id = upload(client, b"a,b\n1,2\n", "results.csv")
    processed(client, file_id)
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        client.chat_postMessage(channel=person.id, text="A table", blocks=picture(file_id))


def test_a_file_can_be_shared_in_a_conversation(client, person):
    client.files_upload_v2(
        channel=person.direct_channel, content=b"a,b\n1,2\n", filename="results.csv", initial_comment="The export"
    )
    message = person.wait_for("results.csv")
    assert message.text == "The export"
    assert person.download(message.files[0]["url"]) == b"a,b\n1,2\n"


def test_a_file_is_shared_in_a_conversation_by_its_own_id_and_not_by_a_persons(client, person, png):
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        client.files_upload_v2(channel=person.id, content=png, filename="x.png")


def test_an_upload_that_was_not_completed_is_no_file(client, png):
    answer = client.files_getUploadURLExternal(filename="x.png", length=len(png))
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": answer["file_id"]}])


def test_a_workspace_without_files_says_which_scope_is_missing(stage, png):
    workspace = stage.workspace(Rules(refuse_files=True))
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    with pytest.raises(SlackApiError, match="missing_scope") as refusal:
        upload(client, png)
    assert refusal.value.response["needed"] == "files:write"


def test_a_full_workspace_takes_no_more(stage, png):
    workspace = stage.workspace(Rules(file_storage_bytes=len(png) + 10))
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    upload(client, png)
    with pytest.raises(SlackApiError, match="storage_limit_reached"):
        upload(client, png)

"""Uploads as Slack takes them: three steps, a while in which nothing may use the file, and who sees it then."""

import json
import urllib.request

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


def ready(client, content):
    """Upload a picture, and wait until it is processed."""
    file_id = upload(client, content)
    processed(client, file_id)
    return file_id


def address(person, file_id):
    """Where this person's client looks for a file."""
    return f"/ui/{person.id}/files/{file_id}/trial-1.png"


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
    file_id = ready(client, png)
    client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    message = person.wait_for("The loss falls")
    assert person.pictures(message) == (png,)
    assert "trial-1.png" in message.text_of_everything


def test_a_deleted_file_is_gone(workspace, client, person, png):
    file_id = ready(client, png)
    client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    client.files_delete(file=file_id)
    assert file_id not in workspace.file_ids()
    assert person.pictures(person.wait_for("The plot")) == ()
    for again in (client.files_delete, client.files_info):
        with pytest.raises(SlackApiError, match="file_not_found"):
            again(file=file_id)
    with pytest.raises(WorkspaceError, match="no such file"):
        person.download(address(person, file_id))


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


def test_a_file_is_shared_a_while_after_its_upload_was_completed(stage, png):
    workspace = stage.workspace(Rules(file_sharing_seconds=3600.0))
    client, person = WebClient(token=workspace.bot_token, base_url=workspace.api_url), workspace.people[0]
    answer = client.files_upload_v2(channel=f"D{person.id[1:]}", content=png, filename="trial-1.png")
    file = client.files_info(file=answer["file"]["id"])["file"]
    assert (file["shares"], file["ims"]) == ({}, [])
    assert workspace.person(person.id).messages() == ()


def test_where_a_file_is_shared_stands_in_its_shares(workspace, client, person, png):
    reports = workspace.channel_id("study-reports")
    root = client.chat_postMessage(channel=person.id, text="Your session")["ts"]
    answer = client.files_upload_v2(channel=person.direct_channel, thread_ts=root, content=png, filename="trial-1.png")
    file_id = answer["file"]["id"]
    wait_until(lambda: client.files_info(file=file_id)["file"]["shares"])
    file = client.files_info(file=file_id)["file"]
    (share,) = file["shares"]["private"][person.direct_channel]
    (message,) = person.thread(root)
    assert (share["ts"], share["thread_ts"]) == (message.ts, root)
    assert (file["ims"], file["channels"], file["is_public"]) == ([person.direct_channel], [], False)

    file_id = client.files_upload_v2(channel=reports, content=png, filename="trial-1.png")["file"]["id"]
    wait_until(lambda: client.files_info(file=file_id)["file"]["shares"])
    file = client.files_info(file=file_id)["file"]
    assert [share["channel_name"] for share in file["shares"]["public"][reports]] == ["study-reports"]
    assert (file["channels"], file["is_public"]) == ([reports], True)


def test_a_file_with_alt_txt_is_silently_not_shared(workspace, client, person, png):
    uploads = [{"content": png, "filename": f"{words or 'none'}.png", "alt_txt": words} for words in ("The loss", None)]
    for upload in uploads:
        answer = client.files_upload_v2(channel=person.direct_channel, initial_comment="The plot", **upload)
        assert answer["ok"]
    message = person.wait_for("The plot")
    assert [file["name"] for file in message.files] == ["none.png"]
    assert len(person.messages()) == 1
    assert "not shared" in [each.status for each in workspace.traffic("files.completeUploadExternal")]


def test_a_workspace_may_share_files_with_alt_txt(stage, png):
    workspace = stage.workspace(Rules(file_sharing_seconds=0.0, alt_txt_shares=True))
    client, person = WebClient(token=workspace.bot_token, base_url=workspace.api_url), workspace.people[0]
    client.files_upload_v2(channel=f"D{person.id[1:]}", content=png, filename="trial-1.png", alt_txt="The loss")
    assert workspace.person(person.id).wait_for("trial-1.png")


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


# Who sees a file


def test_a_file_that_an_update_brings_in_is_a_broken_image_to_readers(client, person, png):
    file_id = ready(client, png)
    sent = client.chat_postMessage(channel=person.id, text="Trial 1 trains")
    answer = client.chat_update(channel=sent["channel"], ts=sent["ts"], text="Trial 1", blocks=picture(file_id))
    assert answer["ok"]  # nothing is refused: only a person's eyes can tell
    message = person.message(sent["ts"])
    assert (message.broken_images, message.image_urls, person.pictures(message)) == (1, (), ())
    assert "The loss falls" in message.text_of_everything
    with pytest.raises(WorkspaceError, match="no message showed it"):
        person.download(address(person, file_id))


def test_a_file_that_a_post_showed_may_be_brought_into_another_message(client, person, png):
    file_id = ready(client, png)
    sent = client.chat_postMessage(channel=person.id, text="Trial 1 trains")
    client.chat_postMessage(channel=person.id, text="The plot", thread_ts=sent["ts"], blocks=picture(file_id))
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="Trial 1", blocks=picture(file_id))
    message = person.message(sent["ts"])
    assert (message.broken_images, person.pictures(message)) == (0, (png,))


def test_a_file_is_private_again_when_the_message_that_showed_it_is_deleted(client, person, png):
    file_id = ready(client, png)
    shown = client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    sent = client.chat_postMessage(channel=person.id, text="Trial 1 trains")
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="Trial 1", blocks=picture(file_id))
    client.chat_delete(channel=shown["channel"], ts=shown["ts"])
    assert person.message(sent["ts"]).broken_images == 1


def test_a_file_is_seen_by_those_alone_to_whom_it_was_shown(workspace, client, person, png):
    file_id, other = ready(client, png), workspace.person("Second participant")
    client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    sent = client.chat_postMessage(channel=other.id, text="Trial 1 trains")
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="Trial 1", blocks=picture(file_id))
    assert person.wait_for("The plot").broken_images == 0
    assert other.message(sent["ts"]).broken_images == 1
    with pytest.raises(WorkspaceError, match="no message showed it"):
        other.download(address(other, file_id))


@pytest.mark.parametrize("posted", [True, False], ids=["posted", "updated"])
def test_a_picture_inside_another_block_is_shown_or_broken_as_any(client, person, png, posted):
    file_id = ready(client, png)
    image = {"type": "image", "alt_text": "The loss falls", "slack_file": {"id": file_id}}
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Trial 1"}, "accessory": image},
        {"type": "context", "elements": [image]},
        {"type": "container", "title": {"type": "plain_text", "text": "Plots"}, "child_blocks": [image]},
    ]
    ts = client.chat_postMessage(channel=person.id, text="Trial 1", blocks=blocks if posted else None)["ts"]
    if not posted:
        client.chat_update(channel=person.direct_channel, ts=ts, text="Trial 1", blocks=blocks)
    assert person.message(ts).broken_images == (0 if posted else 3)


def test_an_ephemeral_message_shows_nobody_a_new_file(workspace, client, png):
    file_id, admin = ready(client, png), workspace.person("Admin")
    reports = workspace.channel_id("study-reports")
    client.chat_postEphemeral(channel=reports, user=admin.id, text="For you", blocks=picture(file_id))
    assert admin.last_ephemeral(reports).broken_images == 1


def test_a_home_tab_shows_only_files_that_a_message_showed(client, person, png):
    file_id = ready(client, png)
    client.views_publish(user_id=person.id, view={"type": "home", "blocks": picture(file_id)})
    assert person.home().broken_images == 1
    client.chat_postMessage(channel=person.id, text="The plot", blocks=picture(file_id))
    assert person.home().broken_images == 0


@pytest.mark.parametrize(
    ("rules", "broken"),
    [({}, 1), ({"update_shows_new_files": True}, 0), ({"file_ids_show": True}, 0)],
    ids=["as Slack", "updates show files", "file_ids show files"],
)
def test_a_workspace_can_be_kinder_to_updates(stage, png, rules, broken):
    workspace = stage.workspace(Rules(file_processing_seconds=0.0, **rules))
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    person = workspace.person("First participant")
    for given in (list, json.dumps):
        file_id = ready(client, png)
        sent = client.chat_postMessage(channel=person.id, text="Trial 1 trains")
        more = {"file_ids": given([file_id])}
        client.chat_update(channel=sent["channel"], ts=sent["ts"], text="Trial 1", blocks=picture(file_id), **more)
        assert person.message(sent["ts"]).broken_images == broken


def test_the_apps_own_way_to_a_file_asks_for_its_token(workspace, client, png):
    url = client.files_info(file=ready(client, png))["file"]["url_private"]
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {workspace.bot_token}"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == png
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url)

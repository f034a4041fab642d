"""What people and the app say to each other, through Bolt and the SDK's own Socket Mode client."""

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client.person import WorkspaceError


def button(label="Go", action_id="go", **more):
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "action_id": action_id, "text": text, "value": "17"} | more


def row(*elements):
    return [{"type": "actions", "block_id": "row", "elements": list(elements)}]


@pytest.fixture(scope="module")
def heard(workspace):
    """What the app of this module got, by listener; the app acknowledges and answers."""
    heard = {}
    app = App(client=WebClient(token=workspace.bot_token, base_url=workspace.api_url))

    @app.message("hello")
    def greet(message, say):
        say(text=f"Hello <@{message['user']}>", thread_ts=message.get("thread_ts"))

    @app.event({"type": "message", "subtype": "message_changed"})
    def edited(event):
        heard.setdefault("edited", []).append(event)

    @app.event({"type": "message", "subtype": "message_deleted"})
    def deleted(event):
        heard.setdefault("deleted", []).append(event)

    @app.event("message")
    def anything_else(event):
        heard.setdefault("message", []).append(event)

    @app.event("app_home_opened")
    def home(event, client):
        text = {"type": "mrkdwn", "text": f"Your home, <@{event['user']}>"}
        view = {"type": "home", "blocks": [{"type": "section", "text": text}, *row(button())]}
        client.views_publish(user_id=event["user"], view=view)

    @app.action("go")
    def pressed(ack, body, respond):
        heard.setdefault("go", []).append(body)
        ack()
        if "response_url" in body:
            respond(text="done", replace_original=True)

    @app.action("burn")
    def burnt(ack, respond):
        ack()
        respond(delete_original=True)

    @app.action("pick")
    def picked(ack, body):
        heard.setdefault("pick", []).append(body)
        ack()

    @app.action("silent")
    def never_acknowledged():
        """Bolt does not acknowledge for a listener that does not ask to."""

    @app.command("/study")
    def study(ack, body, respond):
        heard.setdefault("study", []).append(body)
        if body["text"] == "slow":
            return
        ack("one moment")
        respond(text="here it is", response_type="in_channel")

    handler = SocketModeHandler(app, workspace.app_token)
    handler.connect()
    workspace.wait_for_app()
    yield heard
    handler.close()


def last(heard, name, person):
    """What the app got from this person last."""
    return [each for each in heard[name] if person.id in str(each)][-1]


def test_a_message_gets_a_reply(heard, person):
    person.say("hello there")
    answer = person.wait_for("Hello")
    assert answer.text == f"Hello <@{person.id}>"
    assert answer.bot


def test_a_reply_in_a_thread_stays_in_the_thread(heard, person, client):
    root = client.chat_postMessage(channel=person.id, text="the root")["ts"]
    person.say("hello from the thread", thread_ts=root)
    person.wait_until(lambda: len(person.thread(root)) == 2)
    assert person.message(root).reply_count == 2
    replies = client.conversations_replies(channel=person.direct_channel, ts=root)["messages"]
    assert [each["text"] for each in replies][:2] == ["the root", "hello from the thread"]


def test_a_person_edits_and_deletes_and_the_app_hears_of_it(heard, person):
    ts = person.say("frist & last")
    person.edit(ts, "first")
    person.wait_until(lambda: person.id in str(heard.get("edited")))
    event = last(heard, "edited", person)
    assert event["message"]["text"] == "first"
    assert event["previous_message"]["text"] == "frist &amp; last"
    person.delete(ts)
    person.say("anything")
    person.wait_until(lambda: person.id in str(heard.get("deleted")))
    assert last(heard, "deleted", person)["deleted_ts"] == ts
    assert [each.text for each in person.messages()] == ["anything"]


def test_a_message_in_a_conversation_carries_what_slack_sends(heard, person):
    person.say("1 < 2")
    person.wait_until(lambda: person.id in str(heard.get("message")) or None)
    event = last(heard, "message", person)
    assert event["text"] == "1 &lt; 2"
    assert event["channel_type"] == "im"
    assert event["client_msg_id"]
    assert event["channel"] == person.direct_channel


def test_a_press_reaches_the_app_with_everything_slack_sends(heard, workspace, person, client):
    client.chat_postMessage(channel=person.id, text="Ready?", blocks=row(button()))
    message = person.wait_for("Go")
    person.press(message, "Go")
    person.wait_until(lambda: person.message(message.ts).text == "done")
    body = last(heard, "go", person)
    assert body["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": False,
    }
    assert body["message"]["blocks"][0]["block_id"] == "row"
    assert body["state"] == {"values": {}}
    (action,) = body["actions"]
    assert (action["value"], action["text"]["text"], action["block_id"]) == ("17", "Go", "row")
    assert action["action_ts"]
    assert body["response_url"].startswith(workspace.url)


def test_an_answer_to_a_press_can_take_the_message_away(heard, person, client):
    client.chat_postMessage(channel=person.id, text="Read once", blocks=row(button("Burn", "burn")))
    message = person.wait_for("Read once")
    person.press(message, "Burn")
    person.wait_until(lambda: person.message(message.ts) is None)


def test_a_press_that_is_not_confirmed_is_not_sent(heard, person, client):
    plain = {"type": "plain_text", "text": "Sure?"}
    confirm = {"title": plain, "text": plain, "confirm": plain, "deny": plain}
    client.chat_postMessage(channel=person.id, text="Ready?", blocks=row(button(confirm=confirm)))
    person.press(person.wait_for("Go"), "Go", confirm=False)
    assert person.id not in str(heard.get("go"))


def test_a_press_that_nobody_acknowledges_is_told_to_the_person(heard, impatient, person, client):
    client.chat_postMessage(channel=person.id, text="Ready?", blocks=row(button("Wait", "silent")))
    with pytest.raises(WorkspaceError, match="did not acknowledge in time"):
        person.press(person.wait_for("Wait"), "Wait")


def test_a_button_that_was_taken_away_cannot_be_pressed(heard, person, client):
    sent = client.chat_postMessage(channel=person.id, text="Ready?", blocks=row(button()))
    seen = person.wait_for("Go")
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="Too late", blocks=[])
    with pytest.raises(WorkspaceError, match="not there any more"):
        person.press(seen, "Go")


def test_a_choice_in_a_message_is_part_of_the_state(heard, person, client):
    options = [{"text": {"type": "plain_text", "text": text}, "value": text.lower()} for text in ("Adam", "SGD")]
    select = {"type": "static_select", "action_id": "pick", "options": options}
    client.chat_postMessage(channel=person.id, text="Which?", blocks=row(select))
    person.press(person.wait_for("Which?"), "pick", "SGD")
    body = last(heard, "pick", person)
    assert body["actions"][0]["selected_option"]["value"] == "sgd"
    assert body["state"]["values"]["row"]["pick"]["selected_option"]["value"] == "sgd"


def test_a_command_is_answered_at_once_and_later(heard, workspace, person):
    other = workspace.people[0]
    person.command("/study", f"invite @{other.name} now")
    assert person.wait_for("one moment").ephemeral
    assert not person.wait_for("here it is").ephemeral
    body = last(heard, "study", person)
    assert body["text"] == f"invite <@{other.id}|first.participant> now"
    assert body["user_id"] == person.id
    assert body["trigger_id"]


def test_a_command_that_nobody_acknowledges_fails_as_on_slack(heard, impatient, person):
    with pytest.raises(WorkspaceError, match='/study failed with the error "operation_timeout"'):
        person.command("/study", "slow")


def test_the_home_tab_is_published_when_it_is_opened(heard, person):
    assert person.home() is None
    person.open_home()
    home = person.wait_for_home("Your home")
    person.press(home, "Go")
    body = last(heard, "go", person)
    assert body["container"] == {"type": "view", "view_id": home.id}
    assert body["view"]["type"] == "home"
    assert "response_url" not in body


def test_a_note_for_one_person_is_seen_by_nobody_else(heard, workspace, client):
    admin, researcher = workspace.person("Admin"), workspace.person("Researcher")
    reports = workspace.channel_id("study-reports")
    client.chat_postEphemeral(channel=reports, user=admin.id, text="only for you", blocks=row(button()))
    note = admin.last_ephemeral(reports)
    assert note.text == "only for you"
    assert researcher.messages(reports) == ()
    with pytest.raises(SlackApiError, match="message_not_found"):
        client.chat_update(channel=reports, ts=note.ts, text="changed")
    admin.press(note, "Go")
    admin.wait_until(lambda: admin.last_ephemeral(reports).text == "done" or None)
    body = last(heard, "go", admin)
    assert "message" not in body
    assert body["container"]["is_ephemeral"]


def test_two_people_do_not_see_each_others_messages(workspace, person, client):
    other = workspace.person("Second participant")
    client.chat_postMessage(channel=person.id, text="for one")
    assert [each.text for each in person.messages()] == ["for one"]
    assert other.messages() == ()
    with pytest.raises(WorkspaceError, match="not in it"):
        other.messages(person.direct_channel)


def test_an_update_with_text_alone_takes_the_blocks_away_and_is_marked_as_edited(person, client):
    sent = client.chat_postMessage(channel=person.id, text="one", blocks=row(button()))
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="two", blocks=row(button()))
    message = person.message(sent["ts"])
    assert (message.text, message.buttons, message.edited) == ("two", ("Go",), False)
    client.chat_update(channel=sent["channel"], ts=sent["ts"], text="three")
    message = person.message(sent["ts"])
    assert (message.text, message.blocks, message.edited) == ("three", (), True)


def test_unread_messages_are_counted_until_they_are_read(person, client):
    client.chat_postMessage(channel=person.id, text="one")
    client.chat_postMessage(channel=person.id, text="two")
    assert person.conversations()[0].unread == 2
    person.read()
    assert person.conversations()[0].unread == 0


def test_a_deleted_message_stays_as_a_trace_over_its_replies(person, client):
    sent = client.chat_postMessage(channel=person.id, text="secret")
    client.chat_postMessage(channel=person.id, text="reply", thread_ts=sent["ts"])
    client.chat_delete(channel=sent["channel"], ts=sent["ts"])
    assert [each.text for each in person.messages()] == ["This message was deleted.", "reply"]

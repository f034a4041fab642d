"""The three characters that Slack escapes in what it sends back to the app."""

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError


def section(text):
    return {"type": "section", "block_id": "words", "text": {"type": "mrkdwn", "text": text}}


def plain(text):
    return {"type": "plain_text", "text": text}


def choices(*texts):
    options = [{"text": plain(text), "value": str(number)} for number, text in enumerate(texts)]
    return {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {"type": "button", "action_id": "press", "text": plain("Go & see")},
            {"type": "static_select", "action_id": "pick", "options": options},
        ],
    }


@pytest.fixture(scope="module")
def pressed(workspace):
    """The presses that reached the app, which sends every message back as it came."""
    bodies = []
    app = App(client=WebClient(token=workspace.bot_token, base_url=workspace.api_url))

    @app.action("press")
    @app.action("pick")
    def acted(ack, body):
        ack()
        bodies.append(body)

    handler = SocketModeHandler(app, workspace.app_token)
    handler.connect()
    workspace.wait_for_app()
    yield bodies
    handler.close()


def test_what_comes_back_is_escaped_and_what_people_read_is_not(pressed, client, person):
    words = "1 < 2 & 3 > 2, &lt;b&gt;, <https://example.org/?a=1&b=2|a & b>, <@U1>, <!date^1^{time}|then>"
    back = (
        "1 &lt; 2 &amp; 3 &gt; 2, &lt;b&gt;, <https://example.org/?a=1&amp;b=2|a &amp; b>, <@U1>, <!date^1^{time}|then>"
    )
    blocks = [section(words), choices("<3", "4 & 5")]
    answer = client.chat_postMessage(channel=person.id, text=words, blocks=blocks)
    assert (answer["message"]["text"], answer["message"]["blocks"][0]["text"]["text"]) == (back, back)
    message = person.message(answer["ts"])
    assert (message.text, message.buttons) == (words, ("Go & see",))

    person.press(message, "Go & see")
    assert pressed[-1]["message"]["blocks"][0]["text"]["text"] == back
    assert pressed[-1]["actions"][0]["text"]["text"] == "Go &amp; see"
    person.press(message, "pick", "<3")
    assert pressed[-1]["actions"][0]["selected_option"]["text"]["text"] == "&lt;3"
    assert pressed[-1]["state"]["values"]["row"]["pick"]["selected_option"]["text"]["text"] == "&lt;3"

    for page in (
        client.conversations_history(channel=person.direct_channel),
        client.conversations_replies(channel=person.direct_channel, ts=answer["ts"]),
    ):
        assert page["messages"][0]["text"] == back


def test_blocks_that_are_sent_back_as_they_came_may_have_grown_too_long(client, person):
    sent = client.chat_postMessage(channel=person.id, text="x", blocks=[section("&" * 3000)])
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        client.chat_update(channel=sent["channel"], ts=sent["ts"], text="x", blocks=sent["message"]["blocks"])


def test_what_came_back_once_does_not_grow_again(client, person):
    sent = client.chat_postMessage(channel=person.id, text="A & B", blocks=[section("A & B")])
    message = sent["message"]
    again = client.chat_update(channel=sent["channel"], ts=sent["ts"], text=message["text"], blocks=message["blocks"])[
        "message"
    ]
    assert (again["text"], again["blocks"]) == (message["text"], message["blocks"])

"""Messages that Slack would refuse are refused, in Slack's words and with the place of the mistake."""

import math

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.validation.strictness import Rules
from tests.bot.sandbox.conftest import wait_until


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text="x", **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}} | more


def button(**more):
    return {"type": "button", "action_id": "a", "text": plain("Go")} | more


def select(number=1, **more):
    options = [{"text": plain(f"Option {index}"), "value": str(index)} for index in range(number)]
    return {"type": "static_select", "action_id": "s", "options": options} | more


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def chart(values=(1.0, 0.5), **more):
    categories = [str(index + 1) for index in range(len(values))]
    data = [{"label": label, "value": value} for label, value in zip(categories, values, strict=True)]
    line = {"type": "line", "series": [{"name": "Loss", "data": data}], "axis_config": {"categories": categories}}
    return {"type": "data_visualization", "title": "Loss after each epoch", "chart": line} | more


def table(rows=2, columns=2):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "1"}] * columns] * rows}


GOOD = {
    "everything a study bot shows": [
        {"type": "header", "text": plain("Trial 4")},
        section("*Running*", accessory=button()),
        {"type": "section", "fields": [plain("Epochs"), plain("3")]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "3 of 9"}]},
        {"type": "divider"},
        actions(button(style="primary", value="4"), select(100)),
        {"type": "image", "image_url": "https://example.org/x.png", "alt_text": "x"},
        {"type": "markdown", "text": "**bold**"},
        table(),
        chart(),
        {"type": "input", "label": plain("Comment"), "element": {"type": "plain_text_input", "action_id": "c"}},
    ],
    "as many as there may be": [section("x" * 100)] * 50,
    "as long as there may be": [section("x" * 3000)] * 3,
}

BAD = {
    "too many blocks": ([section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "a long section": ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "an empty section": ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "a long header": ([{"type": "header", "text": plain("x" * 151)}], "less than 151 characters"),
    "mrkdwn in a header": ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported type: mrkdwn"),
    "too many fields": ([{"type": "section", "fields": [plain("x")] * 11}], "no more than 10 items allowed"),
    "too much in a context": ([{"type": "context", "elements": [plain("x")] * 11}], "no more than 10 items allowed"),
    "an unknown block": ([{"type": "modal"}], "unsupported type: modal [json-pointer:/blocks/0/type]"),
    "a block of modals": ([{"type": "alert", "text": plain("x")}], "unsupported type: alert"),
    "a long label": ([actions(button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text"),
    "a long value": ([actions(button(value="x" * 2001))], "/blocks/0/elements/0/value"),
    "the same action twice": ([actions(button(), button())], "`action_id` a already exists"),
    "the same block twice": ([section(block_id="b"), section(block_id="b")], "`block_id` b already exists"),
    "too many buttons": ([actions(*[button(action_id=str(n)) for n in range(26)])], "no more than 25 items allowed"),
    "too many options": ([actions(select(101))], "no more than 100 items allowed"),
    "no options": ([actions(select(0))], "no less than 1 item allowed"),
    "an initial option that is none": (
        [actions(select(2, initial_option={"text": plain("Option 7"), "value": "7"}))],
        "initial_option must exactly match",
    ),
    "an unknown style": ([actions(button(style="warning"))], "must be one of: primary, danger"),
    "a field that is no field": ([section(colour="red")], "invalid additional property: colour"),
    "a button with a misspelt field": ([actions(button(label="x"))], "invalid additional property: label"),
    "an input among the buttons": ([actions({"type": "plain_text_input", "action_id": "a"})], "unsupported type"),
    "a picture without words": ([{"type": "image", "image_url": "https://example.org/x.png"}], "/blocks/0/alt_text"),
    "a picture from nowhere": ([{"type": "image", "alt_text": "x"}], "exactly one of `image_url` and `slack_file`"),
    "a file that is not there": (
        [{"type": "image", "alt_text": "x", "slack_file": {"id": "F1"}}],
        "invalid slack file",
    ),
    "two tables": ([table(), table()], "no more than 1 table block allowed"),
    "a wide table": ([table(columns=21)], "no more than 20 items allowed"),
    "a long table": ([table(rows=101)], "no more than 100 items allowed"),
    "three charts": ([chart()] * 3, "no more than 2 data_visualization blocks allowed"),
    "a long chart": ([chart(values=[1.0] * 21)], "no more than 20 items allowed"),
    "a chart with a long title": ([chart(title="x" * 51)], "less than 51 characters"),
    "a chart of words": ([chart(values=["high"])], "must be a finite number"),
    "not even a list": ({"type": "section"}, "must be an array"),
}


@pytest.mark.parametrize("name", GOOD)
def test_slack_takes(name, client, person):
    client.chat_postMessage(channel=person.id, text="x", blocks=GOOD[name])
    shown = person.messages()[-1].blocks
    assert [each["type"] for each in shown] == [each["type"] for each in GOOD[name]]
    assert len({each["block_id"] for each in shown}) == len(shown)


@pytest.mark.parametrize("name", BAD)
def test_slack_refuses(name, client, person):
    blocks, message = BAD[name]
    with pytest.raises(SlackApiError, match="invalid_blocks") as refusal:
        client.api_call("chat.postMessage", json={"channel": person.id, "text": "x", "blocks": blocks})
    assert message in " ".join(refusal.value.response["response_metadata"]["messages"])
    assert person.messages() == ()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_none_is_not_even_json(value, client, person):
    with pytest.raises(SlackApiError, match="invalid_json"):
        client.chat_postMessage(channel=person.id, text="x", blocks=[chart(values=(1.0, value))])


def test_a_workspace_without_charts_refuses_them(stage):
    workspace = stage.workspace(Rules(refuse_charts=True))
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        client.chat_postMessage(channel=workspace.people[0].id, text="x", blocks=[chart()])


def test_texts_have_limits_too(client, person):
    with pytest.raises(SlackApiError, match="no_text"):
        client.api_call("chat.postMessage", json={"channel": person.id})
    ts = client.chat_postMessage(channel=person.id, text="x" * 40_000)["ts"]
    with pytest.raises(SlackApiError, match="msg_too_long"):
        client.chat_update(channel=person.direct_channel, ts=ts, text="x" * 4_001)
    client.chat_update(channel=person.direct_channel, ts=ts, text="x" * 4_000)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        client.chat_update(channel=person.direct_channel, ts=ts, text="é" * 2_001)  # 4,002 bytes


def test_text_and_blocks_have_a_limit_together_however_they_come(stage):
    long = {"text": "x" * 3000, "blocks": [section("x" * 3000)] * 3}
    workspace = stage.workspace(Rules(limits=None))
    client, person = WebClient(token=workspace.bot_token, base_url=workspace.api_url), workspace.people[0]
    ts = client.chat_postMessage(channel=person.id, text="x")["ts"]
    answers = []

    def register(app):
        @app.command("/study")
        def study(ack, respond):
            ack()
            answers.append(respond(**long))

    stage.app(workspace, register)
    channel = workspace.person(person.id).direct_channel
    for call in (
        lambda: client.chat_postMessage(channel=channel, **long),
        lambda: client.chat_update(channel=channel, ts=ts, **long),
        lambda: client.chat_postEphemeral(channel=channel, user=person.id, **long),
    ):
        with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
            call()
    workspace.person(person.id).command("/study")
    wait_until(lambda: answers)
    assert (answers[0].status_code, "msg_blocks_too_long" in answers[0].body) == (400, True)
    client.chat_postMessage(channel=channel, text="x" * 2000, blocks=long["blocks"])


def test_a_large_table_is_not_too_long(client, person):
    client.chat_postMessage(channel=person.id, text="x", blocks=[table(rows=100, columns=20)])
    assert person.wait_for("1").blocks[0]["type"] == "table"

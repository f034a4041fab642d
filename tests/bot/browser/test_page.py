"""The local workspace's page, in a real browser, before a real Bolt app."""

import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from bot.sandbox.client.person import Person
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.state.people import Kind

if TYPE_CHECKING:
    from tests.bot.browser.conftest import Received

pytestmark = pytest.mark.timeout(300)

PATIENCE = 20.0


def say(page: Page, text: str) -> None:
    page.get_by_role("combobox", name="Message").first.fill(text)
    page.keyboard.press("Enter")


def open_form(page: Page) -> None:
    say(page, "hello")
    page.get_by_role("button", name="New configuration").click()
    expect(page.get_by_role("heading", name="New configuration")).to_be_visible()


def test_what_a_person_writes_is_answered_and_never_parsed_as_html(page: Page, received: "Received") -> None:
    say(page, "<img src=x onerror=alert(1)> & *bold*")

    answer = page.get_by_role("article").filter(has_text="Your session")
    expect(answer).to_contain_text("<b>not bold</b>")
    expect(answer.locator("strong", has_text="session")).to_be_visible()
    expect(page.get_by_role("article").filter(has_text="<img src=x onerror=alert(1)> & bold")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("You said:")


def test_an_update_of_the_form_keeps_what_is_typed_and_where_the_caret_is(page: Page, received: "Received") -> None:
    open_form(page)
    rate = page.get_by_label("Learning rate")
    page.get_by_label("Optimizer").select_option(label="SGD")
    rate.click()
    page.keyboard.type("0.05", delay=60)
    page.keyboard.press("ArrowLeft")

    expect(page.get_by_label("Momentum")).to_be_visible()
    page.keyboard.type("2")

    expect(rate).to_have_value("0.025")
    expect(rate).to_be_focused()


def test_errors_stand_at_their_fields_until_the_form_is_right(page: Page, received: "Received") -> None:
    open_form(page)
    train = page.get_by_role("button", name="Train")
    train.click()
    expect(page.get_by_text("Please complete this required field.")).to_have_count(2)

    page.get_by_label("Optimizer").select_option(label="Adam")
    page.get_by_label("Learning rate").fill("much")
    page.get_by_label("Epochs").fill("20")
    train.click()
    expect(page.get_by_text("“much” is not a number.")).to_be_visible()
    expect(page.get_by_label("Learning rate")).to_be_focused()

    page.get_by_label("Learning rate").fill("0.1")
    train.click()
    expect(page.get_by_role("heading", name="New configuration")).to_be_hidden()
    assert received.submitted[0]["rate"]["rate"]["value"] == "0.1"
    assert received.submitted[0]["epochs"]["epochs"]["value"] == "20"


def test_a_number_field_says_why_it_takes_no_scientific_notation(page: Page, received: "Received") -> None:
    open_form(page)
    epochs = page.get_by_label("Epochs")
    epochs.fill("")
    epochs.press_sequentially("1e")

    expect(epochs).to_have_value("1")
    expect(page.get_by_text("Only digits: this is a whole number.")).to_be_visible()
    epochs.press_sequentially("2")
    expect(epochs).to_have_value("12")
    expect(page.get_by_text("Only digits: this is a whole number.")).to_be_hidden()


def test_esc_closes_the_form_and_gives_the_focus_back(page: Page, received: "Received") -> None:
    open_form(page)

    page.keyboard.press("Escape")

    expect(page.get_by_role("heading", name="New configuration")).to_be_hidden()
    expect(page.get_by_role("button", name="New configuration")).to_be_focused()


def test_a_button_with_a_question_is_pressed_only_after_the_answer(page: Page, received: "Received") -> None:
    say(page, "hello")
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alertdialog")).to_be_hidden()
    assert received.pressed == []

    page.get_by_role("button", name="Finish").click()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("alertdialog")).to_be_hidden()
    received.finished.wait(PATIENCE)
    assert received.pressed == ["finish"]


def test_a_press_that_nobody_acknowledges_is_told(page: Page, client: WebClient, person: Person) -> None:
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    button = {"type": "button", "action_id": "nobody", "text": {"type": "plain_text", "text": "Press me"}}
    client.chat_postMessage(channel=channel, text="A button", blocks=[{"type": "actions", "elements": [button]}])

    page.get_by_role("button", name="Press me").click()

    expect(page.get_by_role("alert").filter(has_text="try again")).to_be_visible()


def test_a_thread_is_written_in_and_follows_live_pictures(page: Page, client: WebClient, person: Person) -> None:
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    root = client.chat_postMessage(channel=channel, text="Your session")["ts"]
    trial = client.chat_postMessage(channel=channel, thread_ts=root, text="Trial 1 runs")["ts"]
    page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_text("Trial 1 runs")).to_be_visible()

    for frame in (1, 2):
        shown = [_picture(page, client, frame)]
        # An update alone would show nobody the file.
        client.chat_postMessage(channel=channel, text="A new frame", blocks=shown)
        client.chat_update(channel=channel, ts=trial, text="Trial 1 runs", blocks=shown)
        picture = thread.get_by_alt_text(f"Frame {frame}")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(thread.get_by_role("img")).to_have_count(1)

    thread.get_by_role("combobox").fill("thank you")
    page.keyboard.press("Enter")
    expect(thread.get_by_role("article").filter(has_text="thank you")).to_be_visible()
    expect(page.get_by_role("button", name="2 replies")).to_be_visible()


def test_a_picture_that_an_update_brings_in_is_a_broken_image(page: Page, client: WebClient, person: Person) -> None:
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    trial = client.chat_postMessage(channel=channel, text="Trial 1 trains")["ts"]
    shown = _picture(page, client, 1)
    small = {"type": "context", "elements": [{key: shown[key] for key in ("type", "slack_file", "alt_text")}]}
    client.chat_update(channel=channel, ts=trial, text="Trial 1 trains", blocks=[shown, small])

    message = page.get_by_role("article").filter(has_text="Frame 1")
    expect(message.get_by_role("img", name="Broken image")).to_have_count(2)
    expect(message.locator("img")).to_have_count(0)

    client.chat_postMessage(channel=channel, text="The plot", blocks=[shown])
    page.reload()
    expect(page.get_by_role("button", name="Frame 1")).to_have_count(2)
    expect(page.get_by_role("img", name="Broken image")).to_have_count(0)


def test_a_picture_whose_file_was_deleted_is_a_broken_image(page: Page, client: WebClient, person: Person) -> None:
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    shown = _picture(page, client, 1)
    client.chat_postMessage(channel=channel, text="The plot", blocks=[shown])
    expect(page.get_by_alt_text("Frame 1")).to_be_visible()
    client.files_delete(file=shown["slack_file"]["id"])
    page.reload()
    expect(page.get_by_role("img", name="Broken image")).to_be_visible()


def _picture(page: Page, client: WebClient, number: int) -> dict[str, Any]:
    figure = Figure(figsize=(2, 1), facecolor=("red", "green")[number % 2])
    content = io.BytesIO()
    figure.savefig(content, format="png")
    file = client.files_upload_v2(file=content.getvalue(), filename=f"frame-{number}.png")["file"]["id"]
    while not client.files_info(file=file)["file"].get("mimetype"):
        page.wait_for_timeout(100)
    block_id = f"picture-{number}"
    return {"type": "image", "block_id": block_id, "slack_file": {"id": file}, "alt_text": f"Frame {number}"}


def test_what_only_one_person_sees_is_gone_after_a_reload_and_a_thread_keeps_its_own(
    page: Page, client: WebClient, person: Person
) -> None:
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    root = client.chat_postMessage(channel=channel, text="Your session")["ts"]
    client.chat_postMessage(channel=channel, thread_ts=root, text="Trial 1")
    client.chat_postEphemeral(channel=channel, user=person.id, text="Stopped already")
    client.chat_postEphemeral(channel=channel, user=person.id, thread_ts=root, text="Nothing to cancel")
    conversation = page.get_by_role("region", name="Messages")
    expect(conversation.get_by_text("Stopped already")).to_be_visible()
    expect(conversation.get_by_text("Nothing to cancel")).to_have_count(0)
    page.get_by_role("button", name="1 reply").click()
    expect(page.get_by_role("complementary", name="Thread").get_by_text("Nothing to cancel")).to_be_visible()

    page.reload()
    expect(page.get_by_role("complementary", name="Thread").get_by_text("Trial 1")).to_be_visible()
    expect(page.get_by_text("Stopped already")).to_have_count(0)
    expect(page.get_by_text("Nothing to cancel")).to_have_count(0)


def test_a_reply_in_a_thread_marks_the_conversation_only_when_it_is_broadcast(
    page: Page, client: WebClient, person: Person
) -> None:
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    root = client.chat_postMessage(channel=channel, text="Your session")["ts"]
    expect(page.get_by_role("article")).to_contain_text("Your session")
    page.get_by_role("link", name="Home").click()
    client.chat_postMessage(channel=channel, thread_ts=root, text="Trial 1 trains")
    client.chat_update(channel=channel, ts=root, text="Your session: 91%")
    client.chat_postMessage(channel=channel, thread_ts=root, text="Your time is up", reply_broadcast=True)

    expect(page.get_by_label("unread")).to_have_text("1")
    expect(page).to_have_title(re.compile(r"^\(1\) "))


def test_a_link_opens_as_its_person_and_a_new_person_can_join(page: Page, workspace: LocalWorkspace) -> None:
    page.get_by_role("button", name="Looking as").click()
    page.get_by_role("button", name="Join as a new person").click()
    page.get_by_label("Name of the new person").fill("Third participant")
    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="Looking as Third participant")).to_be_visible()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_role("button", name="Looking as Third participant")).to_be_visible()


def test_one_can_look_as_people_who_can_use_the_workspace_and_as_nobody_else(
    page: Page, workspace: LocalWorkspace
) -> None:
    for kind in Kind:
        workspace.add_person(f"Is {kind}", kind=kind)
    page.get_by_role("button", name="Looking as").click()
    people = page.get_by_role("dialog", name="Look as another person")
    for kind in (Kind.GUEST, Kind.EXTERNAL):
        expect(people.get_by_role("link", name=f"Is {kind}", exact=True)).to_be_visible()
    for kind in (Kind.BOT, Kind.DEACTIVATED, Kind.STRANGER, Kind.HIDDEN):
        expect(people.get_by_role("link", name=f"Is {kind}", exact=True)).to_have_count(0)

    people.get_by_role("link", name="Is guest", exact=True).click()
    expect(page.get_by_role("button", name="Looking as Is guest")).to_be_visible()
    workspace.deactivate("Is guest")
    expect(page.get_by_role("button", name="Looking as First participant")).to_be_visible()


def test_a_narrow_window_shows_everything_within_its_width(page: Page, received: "Received") -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    open_form(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.keyboard.press("Escape")

    page.get_by_role("button", name="People and conversations").click()

    expect(page.get_by_role("link", name="Home")).to_be_in_viewport()


def test_a_reply_that_is_broadcast_stands_in_both_places_and_opens_its_thread(
    page: Page, client: WebClient, person: Person
) -> None:
    channel = client.conversations_open(users=person.id)["channel"]["id"]
    root = client.chat_postMessage(channel=channel, text="Your *session*")["ts"]
    conversation = page.get_by_role("region", name="Messages")
    expect(conversation.get_by_text("Your session")).to_be_visible()
    client.chat_postMessage(channel=channel, thread_ts=root, text="Trial 1 trains")
    client.chat_postMessage(channel=channel, thread_ts=root, text="Your time is up", reply_broadcast=True)

    told = conversation.get_by_role("article").filter(has_text="Your time is up")
    expect(told).to_contain_text("replied to a thread: Your session")
    expect(conversation.get_by_text("Trial 1 trains")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("Local app: Your time is up")
    told.get_by_role("button", name="Your session").click()

    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_role("article")).to_have_count(3)
    expect(thread.get_by_role("article").last).to_contain_text("Also sent to the conversation")

"""Modals by Slack's rules: opening, filling in, errors at fields, updates that keep what was typed, the stack."""

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client.person import WorkspaceError


def plain(text):
    return {"type": "plain_text", "text": text}


def options(*texts):
    return [{"text": plain(text), "value": text.lower()} for text in texts]


def text_input(block_id="rate", label="Learning rate", *, dispatch=False, **element):
    element = {"type": "plain_text_input", "action_id": "value"} | element
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element,
        "dispatch_action": dispatch,
    }


def modal(*blocks, title="Configuration", **more):
    return {
        "type": "modal",
        "callback_id": "configuration",
        "title": plain(title),
        "submit": plain("Train"),
        "close": plain("Cancel"),
        "blocks": list(blocks),
    } | more


SELECT = {
    "type": "input",
    "block_id": "optimizer",
    "label": plain("Optimizer"),
    "dispatch_action": True,
    "element": {"type": "static_select", "action_id": "choose", "options": options("Adam", "SGD")},
}
OPEN_ROW = {"type": "actions", "elements": [{"type": "button", "action_id": "open", "text": plain("Open")}]}
PUSH_ROW = {"type": "actions", "elements": [{"type": "button", "action_id": "push", "text": plain("More")}]}


class Desk:
    """An app whose modal and answers a test decides."""

    def __init__(self, client):
        self.client = client
        self.view = modal(text_input())
        self.answer = {}
        self.submitted = []
        self.triggers = []
        self.views = []
        self.closed = []
        self.refusals = []

    def register(self, app):
        @app.action("open")
        def opened(ack, body):
            ack()
            self.triggers.append(body["trigger_id"])
            self.views.append(self.client.views_open(trigger_id=body["trigger_id"], view=self.view)["view"])

        @app.action("push")
        def pushed(ack, body):
            ack()
            view = modal(PUSH_ROW, title=f"Number {len(self.views) + 1}", notify_on_close=True)
            try:
                self.views.append(self.client.views_push(trigger_id=body["trigger_id"], view=view)["view"])
            except SlackApiError as refusal:
                self.refusals.append(refusal.response["error"])

        @app.action("choose")
        def chosen(ack, body):
            ack()
            self.views.append(body["view"])

        @app.view("configuration")
        def submitted(ack, body):
            self.submitted.append(body)
            if self.answer is not None:
                ack(**self.answer)

        @app.view_closed("configuration")
        def closed(ack, body):
            ack()
            self.closed.append(body)

    def open_for(self, person):
        self.client.chat_postMessage(channel=person.id, text="Tune", blocks=[OPEN_ROW])
        person.press(person.wait_for("Tune"), "Open")
        return person.wait_for_modal("configuration")


@pytest.fixture(scope="module")
def running(workspace):
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    desk, app = Desk(client), App(client=client)
    desk.register(app)
    handler = SocketModeHandler(app, workspace.app_token)
    handler.connect()
    workspace.wait_for_app()
    yield desk
    handler.close()


@pytest.fixture
def desk(running):
    fresh = Desk(running.client)
    running.__dict__.update(fresh.__dict__)
    return running


def test_a_form_is_refused_at_its_fields_corrected_and_taken(desk, person):
    desk.open_for(person)
    person.fill({"Learning rate": "fast"})
    desk.answer = {"response_action": "errors", "errors": {"rate": "Please enter a number."}}
    assert person.submit() == {"rate": "Please enter a number."}
    assert person.modal().field("Learning rate").error == "Please enter a number."
    desk.answer = {}
    person.fill({"Learning rate": "0.1"})
    assert person.submit() == {}
    assert person.modal() is None
    view = desk.submitted[-1]["view"]
    assert view["state"]["values"]["rate"]["value"] == {"type": "plain_text_input", "value": "0.1"}
    assert desk.submitted[-1]["response_urls"] == []


def test_a_required_field_is_asked_for_before_the_app_hears_of_it(desk, person):
    desk.open_for(person)
    assert person.submit() == {"rate": "Please complete this required field."}
    assert desk.submitted == []


def test_initial_values_are_in_the_state_at_once_and_an_empty_optional_text_is_null(desk, person):
    select = SELECT | {"element": SELECT["element"] | {"initial_option": options("SGD")[0]}}
    comment = text_input("comment", "Comment") | {"optional": True}
    boxes = {"type": "checkboxes", "action_id": "agree", "options": options("Yes")}
    desk.view = modal(
        select, comment, {"type": "input", "block_id": "b", "label": plain("B"), "element": boxes, "optional": True}
    )
    desk.open_for(person)
    assert person.submit() == {}
    values = desk.submitted[-1]["view"]["state"]["values"]
    assert values["optimizer"]["choose"]["selected_option"]["value"] == "sgd"
    assert values["comment"]["value"]["value"] is None
    assert values["b"]["agree"]["selected_options"] == []


def test_every_kind_of_field_can_be_filled_in(desk, person):
    def field(block_id, **element):
        return {
            "type": "input",
            "block_id": block_id,
            "label": plain(block_id),
            "element": {"action_id": "a"} | element,
        }

    desk.view = modal(
        SELECT,
        field("radio", type="radio_buttons", options=options("One", "Two")),
        field("boxes", type="checkboxes", options=options("Red", "Green", "Blue")),
        field("number", type="number_input", is_decimal_allowed=True, min_value="0"),
        field("who", type="users_select"),
        field("day", type="datepicker"),
    )
    desk.open_for(person)
    entered = {"radio": "Two", "boxes": ["Red", "Blue"], "number": 0.5, "who": person.id, "day": "2026-02-03"}
    view = person.fill({"Optimizer": "Adam"} | entered)
    assert view.field("boxes").value == ("Red", "Blue")
    assert person.submit() == {}
    values = desk.submitted[-1]["view"]["state"]["values"]
    assert values["radio"]["a"]["selected_option"]["value"] == "two"
    assert [each["value"] for each in values["boxes"]["a"]["selected_options"]] == ["red", "blue"]
    assert values["number"]["a"] == {"type": "number_input", "value": "0.5"}
    assert values["who"]["a"]["selected_user"] == person.id
    assert values["day"]["a"]["selected_date"] == "2026-02-03"


def test_scientific_notation_cannot_be_typed_into_a_number_field(desk, person):
    number = {"type": "number_input", "action_id": "n", "is_decimal_allowed": True, "max_value": "10"}
    desk.view = modal({"type": "input", "block_id": "n", "label": plain("Rate"), "element": number})
    desk.open_for(person)
    with pytest.raises(WorkspaceError, match="1e-4"):
        person.fill(n="1e-4")
    person.fill(n="11")
    assert person.submit() == {"n": "Please enter a number of at most 10."}


def test_only_an_input_that_dispatches_tells_the_app_while_it_is_filled_in(desk, person):
    desk.view = modal(text_input(), SELECT)
    desk.open_for(person)
    person.fill({"Learning rate": "0.5"})
    assert len(desk.views) == 1
    person.fill(Optimizer="SGD")
    assert len(desk.views) == 2
    assert desk.views[-1]["state"]["values"]["rate"]["value"]["value"] == "0.5"


def test_an_update_keeps_what_was_typed_under_the_same_ids_and_forgets_it_under_new_ones(desk, person):
    view = desk.open_for(person)
    person.fill({"Learning rate": "0.5"})
    desk.client.views_update(view_id=view.id, view=modal(text_input(initial_value="9"), SELECT))
    assert person.modal().field("Learning rate").value == "0.5"
    desk.client.views_update(view_id=view.id, view=modal(text_input("rate-2", initial_value="9")))
    assert person.modal().field("Learning rate").value == "9"
    assert person.submit() == {}
    assert list(desk.submitted[-1]["view"]["state"]["values"]) == ["rate-2"]


def test_an_update_of_an_older_version_is_refused(desk, person):
    view = desk.open_for(person)
    desk.client.views_update(view_id=view.id, hash=view.hash, view=modal(text_input()))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        desk.client.views_update(view_id=view.id, hash=view.hash, view=modal(text_input()))


def test_a_closed_modal_cannot_be_updated(desk, person):
    view = desk.open_for(person)
    person.close()
    with pytest.raises(SlackApiError, match="not_found"):
        desk.client.views_update(view_id=view.id, view=modal(text_input()))


def test_a_trigger_opens_one_modal(desk, person):
    desk.open_for(person)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        desk.client.views_open(trigger_id=desk.triggers[-1], view=desk.view)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        desk.client.views_open(trigger_id="1.2.3", view=desk.view)


def test_three_modals_stack_and_closing_tells_the_app(desk, person):
    desk.view = modal(PUSH_ROW)
    desk.open_for(person)
    for number in (2, 3):
        person.press(person.modal(), "More")
        person.wait_for_modal(f"Number {number}")
    assert len(person.views()) == 3
    person.press(person.modal(), "More")
    person.wait_until(lambda: desk.refusals)
    assert desk.refusals == ["push_limit_reached"]
    assert len(person.views()) == 3
    person.close()
    assert person.modal().title == "Number 2"
    assert desk.closed[-1]["view"]["title"]["text"] == "Number 3"
    assert desk.closed[-1]["is_cleared"] is False


def test_a_submission_can_be_answered_with_another_view(desk, person):
    desk.open_for(person)
    person.fill({"Learning rate": "1"})
    desk.answer = {"response_action": "update", "view": modal(text_input("sure", "Are you sure?"), title="Really?")}
    assert person.submit() == {}
    assert person.modal().title == "Really?"
    person.fill({"Are you sure?": "yes"})
    desk.answer = {"response_action": "push", "view": modal(text_input("why", "Why?"), title="And why?")}
    assert person.submit() == {}
    assert [each.title for each in person.views()] == ["Really?", "And why?"]
    person.fill({"Why?": "because"})
    desk.answer = {"response_action": "clear"}
    assert person.submit() == {}
    assert person.views() == ()


def test_a_submission_that_is_not_acknowledged_leaves_the_form_as_it_is(desk, impatient, person):
    desk.open_for(person)
    person.fill({"Learning rate": "1"})
    desk.answer = None
    with pytest.raises(WorkspaceError, match="We had some trouble connecting"):
        person.submit()
    assert person.modal().field("Learning rate").value == "1"


def test_an_error_at_something_that_is_no_input_is_a_mistake_of_the_app(desk, workspace, person):
    desk.open_for(person)
    person.fill({"Learning rate": "1"})
    desk.answer = {"response_action": "errors", "errors": {"elsewhere": "No."}}
    with pytest.raises(WorkspaceError, match="We had some trouble connecting"):
        person.submit()
    assert any("elsewhere" in entry.detail for entry in workspace.traffic("configuration"))


def test_what_a_modal_may_not_contain_is_named_with_its_place(desk, person):
    desk.open_for(person)
    for view, message in (
        (
            modal(text_input(), title="A title of more than 24 letters"),
            "less than 25 characters [json-pointer:/view/title",
        ),
        (modal(text_input(), text_input()), "`block_id` rate already exists"),
        (modal(text_input(), submit=None), "missing required field: submit"),
        (modal({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}), "unsupported type: table"),
        (modal(text_input(), private_metadata="x" * 3001), "less than 3001 characters"),
        (modal(*[{"type": "divider"}] * 101), "no more than 100 items allowed"),
        (modal(text_input(initial_value="x" * 3001)), "/view/blocks/0/element/initial_value"),
    ):
        with pytest.raises(SlackApiError, match="invalid_arguments") as refusal:
            desk.client.views_open(trigger_id="any", view=view)
        assert message in " ".join(refusal.value.response["response_metadata"]["messages"])
    text = {"type": "section", "text": {"type": "mrkdwn", "text": "ä" * 2999}}
    with pytest.raises(SlackApiError, match="view_too_large"):
        desk.client.views_open(trigger_id="any", view=modal(*[text] * 60))

"""A message whose step is done is written anew from our own texts: what Slack sends back of it is escaped."""

import pytest

CONSENT = "R&D asks: is 1 < 2 & 2 > 1?\n\nSee <https://example.org/?a=1&b=2|the page>. {withdrawn_data}"
PATIENCE = 60.0


@pytest.fixture
def house(open_house, tmp_path):
    house = open_house(start=False, slots=1)
    (tmp_path / "consent.md").write_text(CONSENT, encoding="utf-8")
    house.open()
    return house


def texts(message):
    return [block["text"]["text"] for block in message.blocks if block["type"] == "section"]


def test_the_consent_text_stays_as_it_was_when_somebody_has_agreed(house):
    person = house.newcomer("Agrees")
    person.open_messages()
    greeting = person.wait_for("I agree", PATIENCE)
    person.press(greeting, "I agree")
    person.wait_until(lambda: "You agreed to take part" in person.message(greeting.ts).text_of_everything, PATIENCE)
    agreed = person.message(greeting.ts)
    assert agreed.buttons == ()
    assert texts(agreed) == texts(greeting)


def test_the_task_stays_as_it_was_when_somebody_has_started(house):
    person = house.described("Starts")
    task = person.wait_for("Your task", PATIENCE)
    person.press(task, "Start")
    person.wait_until(lambda: "You have started" in person.message(task.ts).text_of_everything, PATIENCE)
    started = person.message(task.ts)
    assert started.buttons == ("What do the settings do?",)
    assert texts(started) == texts(task)


def test_another_message_with_start_says_what_has_happened(house):
    person = house.described("Asks first")
    person.say("start")
    offered = person.wait_for("This is your next step.", PATIENCE)
    person.press(offered, "Start")
    person.wait_until(lambda: "You have started" in person.message(offered.ts).text_of_everything, PATIENCE)
    assert person.message(offered.ts).buttons == ("What do the settings do?",)

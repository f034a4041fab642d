"""One person who presses or writes without end holds up nobody else. The workspace has Slack's own limits here."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from bot.sandbox.validation.strictness import Rules
from bot.slack.error_reporting import TOO_MANY
from bot.slack.rate_limiter import RateLimiter
from storage.schema.tables import Notice
from storage.transitions import participants
from tests.bot.conftest import PATIENCE

SLOW = Rules(ack_seconds=20.0, trigger_seconds=20.0, ping_seconds=0.1)
"""Slack's limits. Only a machine that does many things at once has more time to acknowledge."""


@pytest.fixture
def crowded(open_house):
    """A house with Slack's limits, and somebody in it who is impatient."""
    house = open_house(SLOW, start=False)
    house.open(limiter=RateLimiter())
    return house, house.agree("Is impatient")


@pytest.mark.long
def test_who_writes_sixty_messages_waits_for_them_alone(crowded):
    house, impatient = crowded
    newcomer = house.newcomer("Wants to take part")
    newcomer.open_home()
    asked = newcomer.wait_for("I agree", PATIENCE)
    begin = max(each.ts for each in impatient.messages())
    for number in range(60):
        impatient.say(f"hello {number}")
    newcomer.press(asked, "I agree")
    newcomer.wait_for("Tell us about you", PATIENCE)
    # Slack takes one message a second after the first five, so the answers tell how long the newcomer has waited.
    assert len([each for each in impatient.messages() if each.bot and each.ts > begin]) < 15
    impatient.wait_for(TOO_MANY, PATIENCE)


@pytest.mark.long
def test_who_presses_a_hundred_times_leaves_forms_for_the_others(crowded):
    house, impatient = crowded
    waiting = house.agree("Has a form to open")
    asked = waiting.wait_for("Tell us about you", PATIENCE)
    button = impatient.wait_for("Tell us about you", PATIENCE)
    for _ in range(115):
        impatient.press(button, "Tell us about you")
    waiting.press(asked, "Tell us about you")
    waiting.wait_for_modal("About you", PATIENCE)
    impatient.wait_for(TOO_MANY, PATIENCE)


@pytest.mark.long
def test_while_slack_takes_no_messages_forms_open(crowded):
    house, _ = crowded
    waiting = house.agree("Has a form to open")
    asked = waiting.wait_for("Tell us about you", PATIENCE)
    writers = [_agreed(house, f"Writes {number}") for number in range(40)]
    house.running._limiter.slow_down("chat.postMessage", 3600)
    for writer in writers:
        writer.say("hello")
    waiting.press(asked, "Tell us about you")
    waiting.wait_for_modal("About you", PATIENCE)


def _agreed(house, name):
    """Somebody who has agreed; what was said on the way is left out, because Slack's limits would make it slow."""
    person = house.newcomer(name)
    now = datetime.now(UTC)
    participant = participants.invite(house.store, slack_user=person.id, slack_channel=person.direct_channel, now=now)
    participants.consent(house.store, participant.id, consent_hash="", now=now)
    with house.store.write() as transaction:
        transaction.execute(delete(Notice))
    return person

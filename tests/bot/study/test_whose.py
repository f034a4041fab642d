"""Nobody can act on another person's session, not even with a button from it."""

import pytest

from bot.participant.form_state import FormMemory, Purpose
from bot.participant.views.configuration_form import configuration_form


@pytest.fixture
def owner(house):
    return house.seated("Owns the session")


@pytest.fixture
def stranger(house):
    return house.described("Comes by")


@pytest.mark.parametrize("button", ["New configuration", "History", "Finish"])
def test_the_buttons_of_another_persons_session_do_nothing(house, owner, stranger, repost, button):
    before = house.session(owner)
    stranger.press(repost(house, stranger, house.root(owner)), button)
    house.told(stranger, "somebody else's session, so nothing was changed")
    assert stranger.modal() is None
    assert house.session(owner) == before


def test_another_persons_trial_cannot_be_cancelled_or_copied(house, owner, stranger, repost):
    running = house.training(owner)
    stranger.press(repost(house, stranger, running), "Cancel")
    house.told(stranger, "somebody else's session")
    assert house.session(owner).unfinished.cancel_requested_at is None

    owner.press(running, "Cancel")
    ended = house.trial(owner, 1, "· cancelled", button="Tune from here")
    told = house.told(stranger, "somebody else's session")
    stranger.press(repost(house, stranger, ended), "Tune from here")
    house.told(stranger, "somebody else's session", after=told.ts)
    assert stranger.modal() is None


@pytest.mark.parametrize("names", [lambda session: session.button_value, lambda session: str(session.id)])
def test_a_form_for_another_persons_session_is_not_taken(house, owner, stranger, monkeypatch, names):
    """Even where a form that names another session is open, what it submits is refused."""
    forged = configuration_form(FormMemory.new(Purpose.TRY, names(house.session(owner)), None))
    monkeypatch.setattr("bot.participant.views.onboarding.guide", lambda *_, **__: forged)
    stranger.press(stranger.wait_for("Your task"), "What do the settings do?")
    stranger.wait_for_modal("New configuration")
    house.fill(stranger, {"Epochs": "1", "Batch size": "512", "Loss function": "L1 loss", "Optimizer": "SGD"})
    stranger.submit()
    assert "somebody else's session" in stranger.wait_for_modal("Not submitted").text_of_everything
    assert house.session(owner).trials == ()


def test_somebody_who_takes_no_part_is_told_where_to_begin(house, owner, repost):
    passer_by = house.newcomer("Passes by")
    passer_by.press(repost(house, passer_by, house.root(owner)), "Finish")
    house.told(passer_by, "somebody else's session")

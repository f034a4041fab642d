"""What a participant sees of their trials in the browser, who looks elsewhere while they train."""

import re

import pytest
from playwright.sync_api import Locator, expect

from bot.app import Bot
from reports.figures.loss_plot import LossCurves, draw, loss_curves_of
from storage.queries import history
from storage.schema.states import JobKind
from storage.transitions import participants
from tests.bot.browser.visitor import Arrive, OpenStudy, Shoot, Visitor
from tests.chromium import PATIENCE_MS

pytestmark = pytest.mark.timeout(300)

VALUES = {"Batch size": "64", "Loss function": "Cross entropy", "Learning rate": "0.01"}


@pytest.mark.long
def test_after_every_trial_the_right_curve_is_seen_no_image_is_broken_and_one_message_is_unread(
    arrive: Arrive, study: OpenStudy, shoot: Shoot
) -> None:
    visitor = arrive("Looks at the plots")
    visitor.enter()
    visitor.press("Not now", visitor.form)
    home = visitor.page.locator("#home")

    for number, (epochs, rate, words) in enumerate(
        (("3", "0.01", "validation accuracy"), ("1000", "0.01", "cancelled"), ("3", "100", "diverged")), start=1
    ):
        visitor.go("Home")
        visitor.press("New configuration", visitor.shows(home))
        visitor.shows(visitor.form.get_by_role("heading", name="New configuration"))
        if number == 1:
            visitor.choose_optimizer("SGD", own_setting="Momentum")
        visitor.fill({**VALUES, "Epochs": epochs, "Learning rate": rate})
        visitor.send("Train")
        if words == "cancelled":
            visitor.go("Tuning Study")
            visitor.open_thread()
            visitor.see_charts_change(number, times=1)
            shoot(visitor, "live-charts")
            visitor.go("Home")
            visitor.press("Cancel", home)
            visitor.press("Cancel the trial", visitor.page.get_by_role("alertdialog"))
        visitor.shows(visitor.page.get_by_label("1 unread"))
        expect(visitor.page).to_have_title(re.compile(r"^\(1\) "))

        visitor.go("Tuning Study")
        result = visitor.conversation.get_by_role("article").filter(has_text=f"Trial {number} ·")
        visitor.shows(result.locator("strong").filter(has_text=words))
        _is_the_curve_of(visitor.shows(result.locator("img")), _curves(study.bot, visitor, number))
        visitor.open_thread()
        visitor.shows(visitor.thread.get_by_text(f"Trial {number} has ended. Its result is below."))
        expect(visitor.broken_images).to_have_count(0)
        shoot(visitor, f"result-{number}")


@pytest.mark.long
def test_the_present_plot_of_a_running_trial_is_posted_where_somebody_asks_for_it(arrive: Arrive, shoot: Shoot) -> None:
    visitor = arrive("Wants a picture")
    visitor.enter()
    visitor.choose_optimizer("SGD", own_setting="Momentum")
    visitor.fill({**VALUES, "Epochs": "1000"})
    visitor.send("Train")
    visitor.open_thread()
    visitor.see_charts_change(1, times=1)
    visitor.press("Show as picture", visitor.thread)

    posted = visitor.thread.get_by_role("article").filter(has_text="its losses until now")
    visitor.shows(posted.locator("img"))
    shoot(visitor, "shown-as-picture")
    expect(visitor.broken_images).to_have_count(0)
    visitor.cancel(1)
    visitor.shows(visitor.plot(1))
    expect(posted).to_have_count(0, timeout=PATIENCE_MS)


def _curves(bot: Bot, visitor: Visitor, number: int) -> LossCurves:
    """The losses of a trial, as they are stored."""
    user = visitor.page.url.partition("#")[2].partition("/")[0]
    participant = participants.by_slack_user(bot.store, user)
    assert participant is not None
    session = history.session_of_participant(bot.store, participant.id)
    assert session is not None
    trial = session.trials[number - 1]
    images = bot.study.facts_of(participant.id).training_images
    curves = loss_curves_of(
        history.epochs_of(bot.store, JobKind.TRIAL, trial.id),
        epochs_planned=trial.configuration.epochs,
        batches_per_epoch=-(-images // trial.configuration.batch_size),
    )
    assert curves is not None
    return curves


def _is_the_curve_of(picture: Locator, curves: LossCurves) -> None:
    """The picture is that of these curves, byte for byte, and the browser can draw it."""
    assert picture.get_attribute("alt") == curves.alt_text
    picture.evaluate("image => image.decode()")
    seen = picture.evaluate("async image => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]")
    assert bytes(seen) == draw(curves)

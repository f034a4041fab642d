"""The whole bot, used by nothing but its page: what a participant sees and does, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.bot.browser.visitor import Arrive, Shoot
from tests.chromium import PATIENCE_MS

pytestmark = pytest.mark.timeout(300)

GOOD = {"Batch size": "64", "Loss function": "Cross entropy", "Learning rate": "4e-4"}
REASON = "It worked on my own photographs."


@pytest.mark.long
def test_two_people_take_part_at_once_and_neither_sees_anything_of_the_other(arrive: Arrive, shoot: Shoot) -> None:
    first = arrive("First participant")
    first.shows(first.conversation.get_by_role("button", name="I agree"))
    shoot(first, "1-consent")
    first.enter()

    # A mistake in the form, mended; what was right stays.
    first.fill({**GOOD, "Optimizer": "SGD", "Epochs": "twelve", "Epochs: why?": "Other"})
    first.shows(first.input("Momentum"))
    first.shows(first.input("Epochs: your reason")).fill(REASON)
    first.press("Train", first.form)
    first.shows(first.error_at("Epochs"))
    expect(first.input("Epochs")).to_be_focused()
    expect(first.form.locator(".field-error")).to_have_count(1)
    shoot(first, "2-mistake")
    first.fill({"Epochs": "1000"})
    expect(first.error_at("Epochs")).to_be_hidden()

    # Another optimizer has other settings; what was typed stays.
    first.choose_optimizer("Adam", own_setting="Beta1")
    expect(first.input("Momentum")).to_be_hidden()
    typed = {"Epochs": "1000", "Batch size": "64", "Learning rate": "4e-4", "Epochs: your reason": REASON}
    for label, value in typed.items():
        expect(first.input(label)).to_have_value(value)
    shoot(first, "3-other-optimizer")
    first.send("Train")

    # The plot follows the training.
    first.open_thread()
    first.see_charts_change(1, times=2)
    first.shows(first.charts(1).filter(has_text=re.compile(r"Batch losses, epoch \d+ of 1000")))
    shoot(first, "4-training")

    # Meanwhile somebody else takes part.
    second = arrive("Second participant")
    second.enter()
    second.choose_optimizer("RMSprop", own_setting="Alpha")
    second.fill({"Epochs": "2", "Batch size": "500", "Loss function": "Mean squared error", "Learning rate": "0.001"})
    second.send("Train")
    second.open_thread()
    second.shows(second.trial(1).get_by_text("validation accuracy"))
    second.shows(second.plot(1))
    shoot(second, "5-second-participant")
    of_the_second, of_the_first = second.everything, first.everything
    for mine in ("Adam", "1000", REASON, "First participant"):
        assert mine in of_the_first
        assert mine not in of_the_second
    for mine in ("RMSprop", "mean squared error", "Second participant"):
        assert mine in of_the_second
        assert mine not in of_the_first
    expect(second.thread.get_by_role("article")).to_have_count(3)  # the root, the trial, its result

    # Cancelled, and tuned from there: the form comes filled in.
    first.cancel(1)
    first.shows(first.trial(1).get_by_text("cancelled"))
    first.press("Tune from here", first.trial(1))
    first.shows(first.form.get_by_role("heading", name="New configuration"))
    for label, value in {"Epochs": "1000", "Batch size": "64", "Learning rate": "0.0004"}.items():
        expect(first.input(label)).to_have_value(value)
    expect(first.input("Beta1")).to_have_value("0.9")
    first.fill({"Epochs": "3"})
    first.send("Train")
    first.shows(first.trial(2).get_by_text("validation accuracy"))
    expect(first.plot(2)).to_have_attribute("alt", re.compile("epoch 3 of 3"), timeout=PATIENCE_MS)
    shoot(first, "6-result")

    for visitor in (first, second):
        visitor.press("Finish", visitor.root)
        visitor.shows(visitor.form.get_by_role("heading", name="Your final choice"))
        visitor.input("Final configuration").select_option(index=1)  # the first is the placeholder
        visitor.send("Choose and finish")
        visitor.shows(visitor.conversation.get_by_text("Thank you for taking part!").last)
        expect(visitor.root.get_by_role("button", name="Finish")).to_have_count(0, timeout=PATIENCE_MS)
    shoot(first, "7-finished")
    assert "RMSprop" not in first.everything
    assert REASON not in second.everything


@pytest.mark.long
def test_on_a_phone_the_form_and_the_plot_fit_the_screen(arrive: Arrive, shoot: Shoot) -> None:
    visitor = arrive(
        "Visitor with a phone", viewport={"width": 360, "height": 740}, color_scheme="dark", has_touch=True
    )
    visitor.enter()
    visitor.choose_optimizer("SGD", own_setting="Momentum")
    visitor.fill({"Epochs": "2", **GOOD, "Learning rate": "0.01"})
    shoot(visitor, "8-phone-form")
    visitor.send("Train")
    visitor.open_thread()
    visitor.shows(visitor.trial(1).get_by_text("validation accuracy"))
    picture = visitor.shows(visitor.plot(1))
    picture.scroll_into_view_if_needed()

    frame = picture.bounding_box()
    assert frame is not None
    assert frame["width"] >= 240  # its text is made for some 300
    assert frame["x"] + frame["width"] <= 360
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 360
    shoot(visitor, "9-phone-plot")


def test_who_uses_nothing_but_the_keyboard_goes_through_the_whole_study(arrive: Arrive) -> None:
    visitor = arrive("Visitor with a keyboard")
    keys = visitor.page.keyboard

    def use(button: str) -> None:
        visitor.tab_to(visitor.shows(visitor.conversation.get_by_role("button", name=button).last))
        keys.press("Enter")

    use("I agree")
    use("Tell us about you")
    expect(visitor.input("Months of deep-learning experience")).to_be_focused()
    for text in ("14", "Master's degree", "6", "20"):
        keys.type(text)
        keys.press("Tab")
    for _ in range(3):
        keys.press("ArrowDown")
    expect(visitor.form.get_by_label("4", exact=True)).to_be_checked()
    keys.press("Enter")
    expect(visitor.form).to_be_hidden(timeout=PATIENCE_MS)
    use("Start")

    expect(visitor.input("Epochs")).to_be_focused(timeout=PATIENCE_MS)
    keys.type("2")
    values = {
        "Batch size": "128", "Loss function": "Cross entropy", "Optimizer": "Adam", "Learning rate": "1e-3"
    }  # fmt: skip
    for label, value in values.items():
        keys.press("Tab")
        keys.press("Tab")  # past the reason for the field before
        expect(visitor.input(label)).to_be_focused()
        keys.type(value)
    visitor.shows(visitor.input("Beta1"))
    keys.press("Enter")
    expect(visitor.form).to_be_hidden(timeout=PATIENCE_MS)

    visitor.tab_to(visitor.shows(visitor.root.get_by_role("button", name="2 replies")))
    keys.press("Enter")
    visitor.shows(visitor.trial(1).get_by_text("validation accuracy"))
    expect(visitor.thread.get_by_role("combobox")).to_be_focused()
    history = visitor.trial(1).get_by_role("button", name="History")
    visitor.tab_to(history, backwards=True)
    keys.press("Enter")
    visitor.shows(visitor.form.get_by_role("heading", name="Your trials"))
    keys.press("Escape")
    expect(visitor.form).to_be_hidden()
    expect(history).to_be_focused()

    keys.press("Tab")
    keys.press("Enter")
    visitor.shows(visitor.form.get_by_role("heading", name="Your final choice"))
    expect(visitor.input("Final configuration")).to_be_focused()
    keys.type("1")
    visitor.tab_to(visitor.form.get_by_role("button", name="Choose and finish"))
    keys.press("Enter")
    visitor.shows(visitor.conversation.get_by_text("Thank you for taking part!").last)

"""The workspace around the study: unread marks, slash commands, what only one sees, the traffic, light and dark."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.bot.browser.visitor import Arrive, Shoot
from tests.chromium import PATIENCE_MS

pytestmark = pytest.mark.timeout(300)

DESKTOP: dict[str, Any] = {}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}

FAINT = (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")
"""Finds the words on the screen whose contrast with what is behind them is less than WCAG's AA asks for."""


def test_what_came_while_somebody_looked_elsewhere_is_marked_until_it_is_read(arrive: Arrive, shoot: Shoot) -> None:
    visitor = arrive("Looks elsewhere")
    visitor.shows(visitor.conversation.get_by_role("button", name="I agree"))
    visitor.go("Home")
    visitor.press("I agree", visitor.shows(visitor.page.locator("#home")))
    visitor.shows(visitor.form.get_by_role("heading", name="About you"))
    visitor.press("Later", visitor.form)

    visitor.shows(visitor.page.get_by_label("1 unread"))
    expect(visitor.page).to_have_title(re.compile(r"^\(1\) "))
    shoot(visitor, "a-unread")
    visitor.go("Tuning Study")
    visitor.shows(visitor.conversation.get_by_role("button", name="Tell us about you"))
    expect(visitor.page.get_by_label("1 unread")).to_have_count(0)
    expect(visitor.page).to_have_title(re.compile(r"^Tuning Study"))


def test_a_slash_command_completes_and_its_answer_is_for_one_person_only(arrive: Arrive, shoot: Shoot) -> None:
    researcher, admin = arrive("Researcher"), arrive("Admin")
    for each in (researcher, admin):
        each.go("study-reports")
        each.shows(each.page.get_by_role("heading", name="# study-reports"))
    field = researcher.page.get_by_role("combobox", name="Message")
    field.focus()
    researcher.page.keyboard.type("/st")
    researcher.shows(researcher.page.get_by_role("option", name="/study"))
    shoot(researcher, "b-slash-command")
    researcher.page.keyboard.press("Tab")
    expect(field).to_have_value("/study ")
    researcher.page.keyboard.type("status")
    researcher.page.keyboard.press("Enter")

    answer = researcher.conversation.get_by_role("article").filter(has_text="Only visible to you")
    expect(answer.last).to_contain_text("of 2 slots are ready", timeout=PATIENCE_MS)
    expect(field).to_have_value("")
    shoot(researcher, "c-only-visible-to-you")
    assert "slots are ready" not in admin.everything
    expect(admin.page.get_by_text("/study status")).to_have_count(0)

    researcher.write("/stduy status")
    researcher.shows(researcher.page.get_by_role("alert").filter(has_text="/stduy is not a command that the app knows"))
    expect(field).to_have_value("/stduy status")  # to be mended


def test_a_slash_command_cannot_be_typed_in_a_thread(arrive: Arrive) -> None:
    visitor = arrive("Writes in a thread")
    visitor.conversation.get_by_role("article").first.hover()
    visitor.conversation.get_by_role("button", name="Reply in thread").first.click()
    field = visitor.shows(visitor.thread).get_by_role("combobox", name="Reply")
    field.focus()
    visitor.page.keyboard.type("/st")
    expect(visitor.page.get_by_role("option")).to_have_count(0)
    visitor.page.keyboard.type("udy status")
    visitor.page.keyboard.press("Enter")
    visitor.shows(visitor.page.get_by_role("alert").filter(has_text="/study is not supported in threads. Sorry!"))
    expect(field).to_have_value("/study status")  # to be written in the conversation


def test_a_participant_who_types_the_researchers_command_is_told_where_to_go(arrive: Arrive) -> None:
    visitor = arrive("Is curious")
    visitor.shows(visitor.conversation.get_by_role("button", name="I agree"))
    visitor.write("/study status")
    visitor.shows(visitor.conversation.get_by_text("is for the researchers who run the study"))
    assert "slots" not in visitor.everything


def test_the_traffic_tells_calls_envelopes_and_how_fast_they_were_acknowledged(arrive: Arrive, shoot: Shoot) -> None:
    developer = arrive("Develops a bot")
    developer.shows(developer.conversation.get_by_role("button", name="I agree"))
    toggle = developer.page.get_by_role("button", name="Traffic", exact=True)
    toggle.click()
    traffic = developer.shows(developer.page.get_by_role("region", name="Traffic"))
    developer.write("hello")
    rows = traffic.locator("tbody tr")
    for told in (("call", "chat.postMessage", "ok"), ("envelope", "message", "sent"), ("ack", "message", "ok")):
        row = rows
        for cell in told:
            row = row.filter(has=developer.page.get_by_text(cell, exact=True))
        developer.shows(row.last)
    expect(traffic).to_contain_text(re.compile(r"\d+ acknowledged, median (< 1|\d+) ms, slowest \d+ ms\."))
    shoot(developer, "d-traffic")

    traffic.get_by_label("Filter the traffic").fill("chat.post")
    expect(rows.filter(has_text="envelope")).to_have_count(0)
    rows.first.get_by_text("chat.postMessage").click()
    expect(rows.first.locator("pre")).to_have_text(re.compile(r"^\d+\.\d{6}$"))  # which message it became
    traffic.get_by_label("Filter the traffic").press("Escape")
    expect(traffic).to_be_hidden()
    expect(toggle).to_be_focused()
    assert developer.conversation.evaluate("at => at.scrollHeight - at.scrollTop - at.clientHeight") < 2


@pytest.fixture(scope="module")
def tried() -> list[str]:
    """Who has tried something already: it takes a minute, and everybody may look at it."""
    return []


@pytest.fixture
def with_a_trial(arrive: Arrive, tried: list[str]) -> str:
    """Somebody who has a trial that was measured, and one that was cancelled."""
    if not tried:
        visitor = arrive("Has tried something")
        visitor.enter()
        visitor.choose_optimizer("Adam", own_setting="Beta1")
        values = {"Epochs": "2", "Batch size": "64", "Loss function": "Cross entropy", "Beta1": "0.8"}
        visitor.fill({**values, "Epochs: why?": "It is just a guess."})
        visitor.send("Train")
        visitor.open_thread()
        visitor.shows(visitor.trial(1).get_by_text("validation accuracy"))
        visitor.press("Tune from here", visitor.trial(1))
        visitor.shows(visitor.form)
        visitor.fill({"Epochs": "1000"})
        visitor.send("Train")
        visitor.see_charts_change(2, times=1)
        visitor.cancel(2)
        visitor.shows(visitor.trial(2).get_by_role("button", name="Tune from here"))
        visitor.leave()
        tried.append(visitor.name)
    return tried[0]


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_word_can_be_read_by_day_and_by_night_on_a_desk_and_on_a_phone(
    arrive: Arrive, shoot: Shoot, with_a_trial: str, size: dict[str, Any], scheme: str
) -> None:
    visitor = arrive(with_a_trial, color_scheme=scheme, **size)
    name = f"{'phone' if size else 'desk'}-{scheme}"

    def look(at: str) -> None:
        visitor.page.wait_for_function("[...document.images].every((image) => image.complete)")
        shoot(visitor, f"{name}-{at}")
        assert visitor.page.evaluate(FAINT) == [], at
        width = visitor.page.viewport_size
        assert width is not None
        assert visitor.page.evaluate("document.documentElement.scrollWidth") == width["width"], at

    visitor.shows(visitor.root)
    visitor.write("history")
    visitor.shows(visitor.conversation.get_by_role("table").last)
    look("1-history")
    visitor.write("adam lr 3e-4, batch huge, momentum 0.9")
    visitor.shows(visitor.conversation.get_by_role("button", name="Open the form, filled in").last)
    look("2-one-line")
    visitor.press("Open the form, filled in")
    visitor.shows(visitor.form)
    visitor.fill({"Epochs": "many"})
    visitor.press("Train", visitor.form)
    visitor.shows(visitor.error_at("Epochs"))
    look("3-mistake")
    visitor.press("Not now", visitor.form)
    visitor.open_thread()
    visitor.shows(visitor.plot(2)).scroll_into_view_if_needed()
    look("4-thread")
    visitor.press("History", visitor.trial(2))
    visitor.shows(visitor.form.get_by_role("heading", name="Your trials"))
    look("5-trials")
    visitor.press("Close", visitor.form)
    visitor.page.get_by_role("button", name="Close the thread").click()
    visitor.go("Home")
    visitor.shows(visitor.page.locator("#home").get_by_role("button").first)
    look("6-home")
    if size:
        visitor.page.get_by_role("button", name="People and conversations").click()
    visitor.page.get_by_role("button", name="Looking as").click()
    visitor.shows(visitor.page.get_by_role("dialog", name="Look as another person"))
    look("7-people")
    visitor.page.get_by_role("dialog", name="Look as another person").press("Escape")
    visitor.page.get_by_role("button", name="Traffic", exact=True).click()
    visitor.shows(visitor.page.get_by_role("region", name="Traffic").locator("tbody tr").first)
    look("8-traffic")


@pytest.mark.long
def test_the_check_for_faint_words_finds_them(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        "<body style='background: #fff'><p style='color: #767676'>clear</p><p style='color: #888'>faint</p>"
        "<div style='background: #000'><p style='color: #555'>dark</p><h1 style='color: #767676'>large</h1></div>"
    )
    found = page.evaluate(FAINT)
    page.close()
    assert found == ["faint: 3.5", "dark: 2.8"]

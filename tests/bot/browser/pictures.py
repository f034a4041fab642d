"""Makes the README's pictures: ``python -m tests.bot.browser.pictures``.

The study is run for real, by one visitor in a browser, so the pictures show what a participant sees.
"""

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.bot.browser.visitor import ROOT, OpenStudy, Visitor, open_study
from tests.chromium import launch

MOST_BYTES = 200_000
"""Of a picture: a README should be there at once."""

TOO_FAST = {
    "Epochs": "10",
    "Batch size": "64",
    "Loss function": "Cross entropy",
    "Optimizer": "SGD",
    "Learning rate": "0.1",
}
WORKED_WELL = "It is the value that has worked well for me in the past."
GOOD = {**TOO_FAST, "Optimizer": "Adam", "Learning rate": "4e-4"}


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description="Makes the README's pictures from a real run of the study.")
    parser.add_argument("--to", type=Path, default=ROOT / "docs", help="the folder they are written to")
    folder: Path = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, open_study(Path(data)) as study, sync_playwright() as playwright:
        browser = launch(playwright)
        visitor = arrive(browser, study)
        keep(photograph_form(visitor), folder / "form.png")
        keep(photograph_thread(visitor), folder / "thread.png")
        keep(photograph_home(visitor), folder / "home.png")
        browser.close()


def arrive(browser: Browser, study: OpenStudy) -> Visitor:
    """Somebody with a sharp screen."""
    visitor = Visitor.arrive(
        browser, study.workspace, "First participant", device_scale_factor=1.5, viewport={"width": 1240, "height": 1040}
    )
    visitor.enter()
    return visitor


def photograph_form(visitor: Visitor) -> bytes:
    """The form with Adam's settings, and a mistake at one of them."""
    visitor.choose_optimizer("Adam", own_setting="Beta1")
    visitor.fill({**GOOD, "Optimizer: why?": WORKED_WELL, "Learning rate": "4e-4 or so"})
    visitor.press("Train", visitor.form)
    visitor.shows(visitor.error_at("Learning rate"))
    visitor.input("Optimizer").evaluate("field => field.closest('.field').scrollIntoView()")
    visitor.form.evaluate("form => { form.style.borderRadius = 0; }")  # what lies behind it would show at its corners
    picture = photograph(visitor.page, visitor.form)
    visitor.form.evaluate("form => { form.style.borderRadius = ''; }")
    return picture


def photograph_thread(visitor: Visitor) -> bytes:
    """A session with a trial that was cancelled, and one that learned."""
    visitor.choose_optimizer("SGD", own_setting="Momentum")
    visitor.fill(
        {
            **TOO_FAST,
            "Epochs": "30",
            "Optimizer: why?": "Say why, if you like",
            "Learning rate: why?": "It is just a guess.",
        }
    )
    visitor.send("Train")
    visitor.open_thread()
    visitor.see_charts_change(1, times=2)
    visitor.cancel(1)
    visitor.press("Tune from here", visitor.trial(1))
    visitor.shows(visitor.form)
    visitor.choose_optimizer("Adam", own_setting="Beta1")
    visitor.fill({**GOOD, "Learning rate: why?": WORKED_WELL})
    visitor.send("Train")
    visitor.shows(visitor.trial(2).get_by_text("validation accuracy"))
    visitor.shows(visitor.plot(2).and_(visitor.page.get_by_alt_text("epoch 10 of 10")))
    visitor.thread.get_by_role("region").evaluate("replies => { replies.scrollTop = replies.scrollHeight; }")
    visitor.page.mouse.move(0, 0)
    visitor.page.evaluate("document.activeElement.blur()")
    return photograph(visitor.page)


def photograph_home(visitor: Visitor) -> bytes:
    """The Home tab in the middle of a session."""
    visitor.page.set_viewport_size({"width": 1240, "height": 560})
    visitor.page.get_by_role("link", name="Home").click()
    visitor.shows(visitor.page.locator("#home").get_by_role("button").first)
    return photograph(visitor.page)


def photograph(page: Page, part: Locator | None = None) -> bytes:
    """What is on the screen, once its pictures are there and nothing moves."""
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.wait_for_timeout(1500)  # a plot is faded in
    return part.screenshot(animations="disabled") if part else page.screenshot(animations="disabled")


def keep(png: bytes, path: Path) -> None:
    """Write a picture in as many colours as fit into ``MOST_BYTES``.

    Raises:
        ValueError: None fit.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 32):
        small = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() <= MOST_BYTES:
            path.write_bytes(small.getvalue())
            print(f"{path}: {picture.width}×{picture.height}, {colours} colours, {small.tell() // 1000} kB")
            return
    raise ValueError(f"{path.name} does not fit into {MOST_BYTES} bytes.")


if __name__ == "__main__":
    main()

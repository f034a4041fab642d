"""The real bot in a local workspace, and people who take part in the study by nothing but the page in a browser."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from bot.app import Bot
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from bot.settings.settings import Credentials, Settings
from tests.bot.study_file import finished_consent
from tests.chromium import PATIENCE_MS

ROOT = Path(__file__).parents[3]

_MOST_TABS = 80

_SESSION = re.compile(r"Your session (runs until|is over)|Time is up")
"""What the root message of a session says. (The consent text speaks of a session, too.)"""

BACKGROUND: Mapping[str, str] = {
    "Months of deep-learning experience": "14",
    "Highest education": "Master's degree",
    "Years of programming experience": "6",
    "Months of machine-learning experience, deep learning aside": "20",
    "How skilled are you at training neural networks?": "4",
}


@dataclass(frozen=True)
class OpenStudy:
    """A workspace, and the bot that runs the study in it."""

    workspace: LocalWorkspace
    bot: Bot


@contextmanager
def open_study(folder: Path, rules: Rules | None = None, **changes: Any) -> Iterator[OpenStudy]:
    """Run the repository's study with real workers.

    Args:
        folder: For ``study.toml`` and the database.
        rules: The workspace's; by default Slack's own.
        changes: Other values for keys of ``study.toml``.
    """
    (folder / "consent.md").write_text(finished_consent(), encoding="utf-8")
    with LocalWorkspace(rules=rules, manifest=ROOT / "manifest.yml") as workspace:
        given = {
            "report_channel": workspace.channel_id("study-reports"),
            "researchers": [workspace.person("Researcher").id],
            "database": f"sqlite:///{folder / 'study.db'}",
            "evaluation_seeds": [1],
            "task": "digits-squeezenet",
            **changes,
        }
        text = (ROOT / "study.toml").read_text(encoding="utf-8")
        for key, value in given.items():
            line = f"{key} = {json.dumps(value)}".replace("\\", r"\\")
            text, found = re.subn(rf"(?m)^{key} = .*$", line, text, count=1)
            if not found:
                raise KeyError(f"study.toml has no {key}.")
        (folder / "study.toml").write_text(text, encoding="utf-8")
        credentials = Credentials(workspace.bot_token, workspace.app_token, workspace.api_url)
        bot = Bot(Settings.load(folder / "study.toml"), credentials, open_now=True)
        try:
            bot.start()
            workspace.wait_for_app()
            yield OpenStudy(workspace, bot)
        finally:
            bot.close()


@dataclass
class Visitor:
    """Somebody at a browser of their own, who sees the page as one person of the workspace.

    Attributes:
        name: Who they are in the workspace.
        page: What they look at.
        failures: Errors of the page's scripts.
    """

    name: str
    page: Page
    context: BrowserContext
    failures: list[str] = field(default_factory=list)

    @classmethod
    def arrive(cls, browser: Browser, workspace: LocalWorkspace, name: str, **looks: Any) -> "Visitor":
        """Open the page as this person, who joins the workspace if nobody there has the name.

        Args:
            browser: Where a context of its own is opened.
            workspace: Where to.
            name: Whose page it is.
            looks: Of the browser's context, such as ``viewport`` or ``color_scheme``.
        """
        known = {member.name: member.id for member in workspace.people}
        user = known.get(name) or workspace.add_person(name).id
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **looks})
        visitor = cls(name, context.new_page(), context)
        visitor.page.set_default_timeout(PATIENCE_MS)
        visitor.page.on("pageerror", lambda error: visitor.failures.append(str(error)))
        visitor.page.goto(f"{workspace.page_url}#{user}")
        return visitor

    def leave(self) -> None:
        """Close the browser's context."""
        self.context.close()

    # What is on the screen

    @property
    def conversation(self) -> Locator:
        return self.page.get_by_role("region", name="Messages")

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    @property
    def form(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def root(self) -> Locator:
        """The root message of the session."""
        return self.conversation.get_by_role("article").filter(has_text=_SESSION).first

    @property
    def everything(self) -> str:
        """Every word on the screen, and of the pictures there."""
        words = self.page.evaluate("document.body.innerText")
        pictures = self.page.evaluate("[...document.images].map((image) => `${image.alt} ${image.src}`)")
        return "\n".join([words, *pictures])

    def input(self, label: str) -> Locator:
        """The field of the open form with this label."""
        return self.form.get_by_label(_exactly(label))

    def error_at(self, label: str) -> Locator:
        """The sentence that says what is wrong with a field."""
        return self.form.locator(".field").filter(has=self.page.get_by_label(_exactly(label))).locator(".field-error")

    def trial(self, number: int) -> Locator:
        """A trial's message in the open thread."""
        title = re.compile(rf"Trial {number}\b")
        return self.thread.get_by_role("article").filter(has=self.page.locator("strong", has_text=title))

    def charts(self, number: int) -> Locator:
        """The charts of a trial's losses, while it runs."""
        return self.trial(number).get_by_role("figure")

    def plot(self, number: int) -> Locator:
        """The picture of a trial's losses, in its result; a broken image is none."""
        return self.trial(number).locator("img")

    @property
    def broken_images(self) -> Locator:
        """What stands where a picture should be that the visitor cannot see."""
        return self.page.get_by_role("img", name="Broken image")

    # What they do

    def press(self, button: str, within: Locator | None = None) -> None:
        """Press a button: the last one of this name, which is the newest."""
        (within or self.conversation).get_by_role("button", name=button, exact=True).last.click()

    def fill(self, values: Mapping[str, str]) -> None:
        """Fill in fields of the open form by their labels."""
        for label, value in values.items():
            choice = self.form.get_by_role("radiogroup", name=label)
            if choice.count():
                choice.get_by_label(value, exact=True).check()
                continue
            control = self.input(label)
            if control.evaluate("control => control.tagName") == "SELECT":
                control.select_option(label=value)
            else:
                control.fill(value)

    def send(self, button: str) -> None:
        """Submit the open form, and see it go."""
        self.press(button, self.form)
        expect(self.form).to_be_hidden(timeout=PATIENCE_MS)

    def shows(self, wanted: Locator) -> Locator:
        """Wait until something is on the screen."""
        expect(wanted).to_be_visible(timeout=PATIENCE_MS)
        return wanted

    def enter(self, background: Mapping[str, str] = BACKGROUND) -> None:
        """Consent, tell of the own experience, and press *Start*: the form for a configuration is open then."""
        self.press("I agree")
        self.press("Tell us about you")
        self.shows(self.form.get_by_role("heading", name="About you"))
        self.fill(background)
        self.send("Send")
        self.press("Start")
        self.shows(self.form.get_by_role("heading", name="New configuration"))

    def choose_optimizer(self, optimizer: str, own_setting: str) -> None:
        """Choose an optimizer, and wait for a setting that only it has."""
        self.fill({"Optimizer": optimizer})
        self.shows(self.input(own_setting))

    def write(self, text: str) -> None:
        """Write something in the conversation."""
        self.page.get_by_role("combobox", name="Message").first.fill(text)
        self.page.keyboard.press("Enter")

    def go(self, place: str) -> None:
        """Go to a conversation, or Home."""
        menu = self.page.get_by_role("button", name="People and conversations")
        if menu.is_visible() and menu.get_attribute("aria-expanded") == "false":  # on a phone the menu holds the link
            menu.click()
        self.page.get_by_role("link", name=place).click()

    def tab_to(self, wanted: Locator, *, backwards: bool = False) -> None:
        """Press Tab until something is focused.

        Raises:
            AssertionError: It is not within reach of the keyboard.
        """
        for _ in range(_MOST_TABS):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        raise AssertionError(f"The Tab key does not lead to {wanted}.")

    def open_thread(self) -> None:
        """Open the session's thread beside the conversation."""
        if not self.thread.is_visible():
            self.root.get_by_role("button", name=re.compile(r"repl(y|ies)")).click()
            self.shows(self.thread)

    def cancel(self, number: int) -> None:
        """Cancel a trial, and confirm it."""
        self.press("Cancel", self.trial(number))
        self.press("Cancel the trial", self.page.get_by_role("alertdialog"))

    def see_charts_change(self, number: int, times: int) -> None:
        """Wait until the chart of a running trial's batch losses was another one so many times."""
        line = self.charts(number).locator("polyline").first
        for _ in range(times):
            points = str(line.get_attribute("points"))
            expect(line).not_to_have_attribute("points", points, timeout=PATIENCE_MS)


Arrive = Callable[..., Visitor]
"""Lets somebody with a name open the page; keywords are the looks of their browser."""

Shoot = Callable[[Visitor, str], None]
"""Keeps a screenshot under a name."""


def _exactly(label: str) -> re.Pattern[str]:
    """A label, with or without the page's remark that its field may stay empty."""
    return re.compile(rf"^{re.escape(label)}( \(optional\))?$")

"""The whole bot in a local workspace with Slack's limits, and people who take part in the study by hand.

Tests that disturb nobody share one bot; others open their own.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.app import Bot
from bot.process.log_format import JsonLines, TextLines
from bot.sandbox.client.person import Entered, Person
from bot.sandbox.client.screen import Message, View
from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from bot.settings.settings import Credentials, Settings
from bot.slack.rate_limiter import SLACK_LIMITS as PACED
from bot.slack.rate_limiter import Limit, RateLimiter
from storage.database import Store
from storage.queries import history
from storage.queries.history import SessionView
from storage.schema.tables import Participant
from storage.transitions import participants
from tests.bot.rules import HURRIED, RULES
from tests.bot.study.witnesses import Log, Witness
from tests.bot.study_file import ROOT, write_study
from tests.storage.databases import make_sqlite
from tests.storage.reading import unfinished_sessions
from tests.warm_workers import SLOTS, WarmWorkers
from training.hyperparameters import HYPERPARAMETERS, LABELS, Configuration, Optimizer
from training.tasks import DIGITS_SQUEEZENET
from training.workers import Workers

PATIENCE = 60.0
"""Seconds after which something that should have come is taken not to come; on a busy machine it takes a few."""

BACKGROUND: Mapping[str, Entered] = {
    "Months of deep-learning experience": "3,5",
    "Highest education": "Doctorate",
    "Years of programming experience": "10",
    "Months of machine-learning experience, deep learning aside": "2",
    "How skilled are you at training neural networks?": "2",
}

QUICK: Mapping[str, Entered] = {
    "Epochs": "1",
    "Batch size": "512",
    "Loss function": "Cross entropy",
    "Optimizer": "SGD",
    "Learning rate": "0.01",
}
"""A configuration that has trained in a moment."""

QUICK_VALUES = {"epochs": 1, "batch_size": 512, "loss": "cross_entropy", "optimizer": "sgd", "learning_rate": 0.01}
"""The same as a program enters it."""

LONG: Mapping[str, Entered] = {**QUICK, "Epochs": "1000", "Batch size": "64"}
"""A configuration that trains until somebody stops it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share a house one after the other, so that its machines are warmed up once."""
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(Path(__file__).parent)]
    ours = sorted((items[place] for place in places), key=lambda item: "house" not in getattr(item, "fixturenames", ()))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@dataclass
class House:
    """A workspace, the bot in it, and what people do there.

    ``workers`` are those that the bot was given; ``None`` where it started its own.
    """

    workspace: LocalWorkspace
    study: Path
    log: "Log"
    warm_workers: WarmWorkers
    bot: Bot | None = None
    workers: Workers | None = None

    @property
    def reports(self) -> str:
        return self.workspace.channel_id("study-reports")

    @property
    def admin(self) -> Person:
        return self.workspace.person("Admin")

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.workspace.bot_token, self.workspace.app_token, self.workspace.api_url)

    @property
    def running(self) -> Bot:
        assert self.bot is not None, "the bot does not run"
        return self.bot

    @cached_property
    def store(self) -> Store:
        """What the bot keeps, read beside it."""
        return Store(Settings.load(self.study).machine.database)

    def open(self, workers: Workers | None = None, *, open_now: bool = True, limiter: RateLimiter | None = None) -> Bot:
        """Start the bot, and open the study unless a researcher is to. Without a limiter, it may be in a hurry."""
        assert self.bot is None, "the bot runs already"
        if limiter is None:
            limits = {**PACED, **{method: Limit(calls) for method, calls in HURRIED.items()}}
            limiter = RateLimiter(limits, per_channel=Limit(30, seconds=3))
        settings = Settings.load(self.study)
        self.workers = workers or self._borrowed(settings)
        self.bot = Bot(settings, self.credentials, self.workers, limiter=limiter, open_now=open_now)
        self.bot.start()
        self.workspace.wait_for_app()
        return self.bot

    def _borrowed(self, settings: Settings) -> Workers | None:
        """Warm workers where they do; else none, and the bot starts workers of its own."""
        machine = settings.machine
        known = settings.study.task == (DIGITS_SQUEEZENET.name,) and settings.training.threads_per_slot == 1
        return self.warm_workers.borrow(machine.slots, "few") if known and machine.slots <= SLOTS else None

    def close(self) -> None:
        """Stop the bot, if it runs."""
        if self.bot is not None:
            self.bot.close()
            self.bot = None

    def wait_for_machines(self) -> None:
        """Wait until every slot is warm."""
        slots = self.running.settings.machine.slots
        self.admin.wait_until(lambda: self.running.jobs.slots_ready == slots, PATIENCE)

    def end_sessions(self) -> None:
        """Free every seat: participants who still tune end with some values."""
        study = self.running.study
        for session in unfinished_sessions(self.store):
            identity = participants.identity_of(self.store, session.participant_id)
            if identity is not None:
                study.choose(identity.slack_user, session.id, Configuration.create(QUICK_VALUES))

    # What is kept

    def participant(self, person: Person) -> Participant:
        found = participants.by_slack_user(self.store, person.id)
        assert found is not None, f"{person} is no participant"
        return found

    def session(self, person: Person) -> SessionView:
        found = history.session_of_participant(self.store, self.participant(person).id)
        assert found is not None, f"{person} has no session"
        return found

    # The way in

    def newcomer(self, name: str) -> Person:
        return self.workspace.add_person(name)

    def agree(self, name: str) -> Person:
        """Somebody who has read the consent text and agreed."""
        person = self.newcomer(name)
        person.open_home()
        person.press(person.wait_for("I agree", PATIENCE), "I agree")
        person.wait_for("Tell us about you", PATIENCE)
        return person

    def described(self, name: str) -> Person:
        """Somebody who may press Start."""
        person = self.agree(name)
        person.press(person.wait_for("Tell us about you", PATIENCE), "Tell us about you")
        person.wait_for_modal("About you", PATIENCE)
        person.fill(BACKGROUND)
        assert person.submit() == {}
        person.wait_for("Your task", PATIENCE)
        return person

    def seated(self, name: str) -> Person:
        """Somebody whose time runs and who has the form before them."""
        person = self.described(name)
        person.press(person.wait_for("Your task", PATIENCE), "Start")
        person.wait_for_modal("New configuration", PATIENCE)
        return person

    # Tuning

    def root(self, person: Person) -> Message:
        """The root message of the person's session."""
        return person.wait_for(lambda message: "Your session" in message.text and message.thread_ts is None, PATIENCE)

    def form(self, person: Person) -> View:
        """The form for a new configuration: the one that is open, or a new one."""
        modal = person.modal()
        if modal is None:
            offered = person.wait_for(lambda message: "New configuration" in message.buttons, PATIENCE)
            person.press(offered, "New configuration")
            modal = person.wait_for_modal("New configuration", PATIENCE)
        return modal

    def fill(self, person: Person, values: Mapping[str, Entered]) -> View:
        """Fill in the form that is open: the optimizer first, and the rest once its fields are there."""
        if "Optimizer" in values:
            person.fill({"Optimizer": values["Optimizer"]})
            self.wait_for_fields(person, str(values["Optimizer"]))
        return person.fill({label: value for label, value in values.items() if label != "Optimizer"})

    def wait_for_fields(self, person: Person, optimizer: str) -> View:
        """Wait until the form shows the settings that this optimizer uses."""
        chosen = next(each for each in Optimizer if LABELS[each] == optimizer)
        wanted = [each.label for each in HYPERPARAMETERS if each.used_by(chosen)]

        def redrawn() -> View | None:
            form = person.modal()
            shown = [each.label for each in form.fields if not _is_reason(each.label)] if form else []
            return form if shown == wanted else None

        return person.wait_until(redrawn, PATIENCE, lambda: f"the settings of {optimizer}")

    def give_reason(self, person: Person, label: str, reason: str, words: str = "") -> None:
        """Say why a value was chosen; *Other* asks for words."""
        person.fill({f"{label}: why?": reason})
        if words:
            own = f"{label}: your reason"
            person.wait_until(
                lambda: own in [each.label for each in person.wait_for_modal().fields], PATIENCE, lambda: own
            )
            person.fill({own: words})

    def submit(self, person: Person, values: Mapping[str, Entered] = QUICK, **changes: Entered) -> Message:
        """Submit a configuration, and get the message about its trial."""
        self.form(person)
        self.fill(person, {**values, **{name.replace("_", " ").capitalize(): each for name, each in changes.items()}})
        assert person.submit() == {}
        return self.trial(person, self.session(person).trials[-1].number)

    def trial(self, person: Person, number: int, words: str = "", *, button: str | None = None) -> Message:
        """The message about a trial, once it has these words, and this button."""

        def fits(message: Message) -> bool:
            mine = message.text.startswith(f"Trial {number} · ") and words in message.text
            return mine and (button is None or button in message.buttons)

        return person.wait_for(fits, PATIENCE)

    def trained(self, person: Person, values: Mapping[str, Entered] = QUICK, **changes: Entered) -> Message:
        """Submit a configuration and wait for its result."""
        self.submit(person, values, **changes)
        return self.trial(person, self.session(person).trials[-1].number, "validation accuracy")

    def training(self, person: Person) -> Message:
        """Submit a configuration that trains for long, and wait until it does."""
        self.submit(person, LONG)
        return self.trial(person, self.session(person).trials[-1].number, "training, epoch", button="Cancel")

    def finish(self, person: Person) -> Message:
        """End the session with the best trial."""
        person.press(self.root(person), "Finish")
        self.choose_best(person)
        assert person.submit() == {}
        return person.wait_for("Your final choice is recorded:", PATIENCE)

    def choose_best(self, person: Person) -> View:
        """Choose the first trial that the form for the final choice offers, which is the best."""
        form = person.wait_for_modal("Your final choice", PATIENCE)
        return person.fill({"Final configuration": form.field("Final configuration").options[0]})

    def told(self, person: Person, words: str, *, after: str = "") -> Message:
        """Wait for an answer to this person, which stays when Slack reloads."""
        return person.wait_for(lambda message: not message.ephemeral and words in message.text, PATIENCE, after=after)

    @property
    def pictures(self) -> list[str]:
        """The files of the app in the workspace, oldest first, but for those in the report channel."""
        posted = {file["id"] for each in self.admin.messages(self.reports) for file in each.files}
        return [each for each in self.workspace.file_ids() if each not in posted]

    def reported(self, words: str) -> Message:
        """Wait for something in the report channel."""
        return self.admin.wait_for(words, PATIENCE, channel=self.reports)


def _is_reason(label: str) -> bool:
    return label.endswith((": why?", ": your reason"))


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A command sets up the log of its process. Here it is as it was, after each test."""
    root = logging.getLogger()
    level = root.level
    yield
    for started in [each for each in root.handlers if isinstance(each.formatter, TextLines | JsonLines)]:
        root.removeHandler(started)
        root.setLevel(level)


@contextmanager
def opened(
    folder: Path, warm_workers: WarmWorkers, rules: Rules = RULES, *, start: bool = True, **changes: Any
) -> Iterator[House]:
    """A workspace with the repository's manifest and a bot; both are closed afterwards.

    Args:
        folder: Where ``study.toml`` and the database are.
        warm_workers: Lend the bot its workers.
        rules: The workspace's.
        start: Whether the bot is started.
        changes: Values of ``study.toml`` by key.
    """
    rules = replace(rules, ping_seconds=0.1)
    with LocalWorkspace(rules=rules, manifest=ROOT / "manifest.yml") as workspace, Log() as log:
        given = {
            "report_channel": workspace.channel_id("study-reports"),
            "researchers": [workspace.person("Researcher").id],
            "database": f"sqlite:///{folder / 'study.db'}",
            "evaluation_seeds": [1],
            **changes,
        }
        house = House(workspace, write_study(folder, **given), log, warm_workers)
        if not (folder / "study.db").exists():
            make_sqlite(folder / "study.db")
        try:
            if start:
                house.open()
            yield house
        finally:
            house.close()
            house.store.close()


OpenHouse = Callable[..., House]


class SharedHouse:
    """The house of all tests that do not disturb one another. The first of them opens it."""

    def __init__(self, folders: pytest.TempPathFactory, warm_workers: WarmWorkers) -> None:
        self._folders = folders
        self._warm_workers = warm_workers
        self._stack = ExitStack()
        self._house: House | None = None

    def open(self) -> House:
        if self._house is None:
            self._house = self._stack.enter_context(opened(self._folders.mktemp("house"), self._warm_workers))
        return self._house

    def close(self) -> None:
        self._house = None
        self._stack.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, warm_workers: WarmWorkers) -> Iterator[SharedHouse]:
    shared = SharedHouse(tmp_path_factory, warm_workers)
    yield shared
    shared.close()


@pytest.fixture
def house(shared: SharedHouse) -> Iterator[House]:
    """A house with two seats; every test brings people of its own, whose sessions end with it."""
    house = shared.open()
    yield house
    house.end_sessions()


@pytest.fixture(scope="session")
def open_alone(warm_workers: WarmWorkers) -> Callable[..., AbstractContextManager[House]]:
    """Open a house whose study has other values."""

    def open_it(folder: Path, rules: Rules = RULES, *, start: bool = True, **changes: Any) -> Any:
        return opened(folder, warm_workers, rules, start=start, **changes)

    return open_it


@pytest.fixture
def open_house(tmp_path: Path, open_alone: Callable[..., AbstractContextManager[House]]) -> Iterator[OpenHouse]:
    """The same for one test."""
    with ExitStack() as stack:

        def open_it(rules: Rules = RULES, *, start: bool = True, **changes: Any) -> House:
            return stack.enter_context(open_alone(tmp_path, rules, start=start, **changes))

        yield open_it


@dataclass(frozen=True)
class RanOut:
    """What a participant saw when the time was up. Messages are as they were then."""

    house: House
    person: Person
    root: Message
    complete: Message
    running: Message
    warnings: tuple[Message, ...]
    up: Message


@pytest.fixture(scope="session")
def run_out() -> Callable[[House], RanOut]:
    """Let somebody's time run out while their second trial trains."""

    def play(house: House) -> RanOut:
        house.wait_for_machines()  # they would take the participant's time
        person = house.seated("Runs out of time")
        root = house.root(person)
        complete = house.trained(person)
        running = house.training(person)
        up = person.wait_for("Your time is up", PATIENCE)
        warnings = tuple(each for each in person.messages() if "minutes left" in each.text)
        return RanOut(house, person, root, complete, running, warnings, up)

    return play


@pytest.fixture(scope="session")
def study_file() -> Callable[..., Path]:
    return write_study


@pytest.fixture(scope="session")
def watch() -> Callable[[Person], Witness]:
    """Let somebody read along with a person from now on."""

    def begin(person: Person) -> Witness:
        witness = Witness(person)
        witness.start()
        return witness

    return begin


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """Do things at the same moment, each in its own thread; returns what they returned or raised."""

    def race(*deeds: Callable[[], Any]) -> list[Any]:
        start = Barrier(len(deeds))

        def run(do: Callable[[], Any]) -> Any:
            start.wait()
            try:
                return do()
            except Exception as error:  # noqa: BLE001 (the test looks at it)
                return error

        with ThreadPoolExecutor(len(deeds)) as pool:
            return list(pool.map(run, deeds))

    return race


@pytest.fixture(scope="session")
def repost() -> Callable[..., Message]:
    """Show somebody a message as it was: an old screen, a phone that was offline, or another person's message."""

    def post(house: House, person: Person, message: Message, thread_ts: str | None = None) -> Message:
        client = WebClient(token=house.workspace.bot_token, base_url=house.workspace.api_url)
        client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=5))
        blocks = [block for block in message.blocks if block["type"] != "image"]
        posted = client.chat_postMessage(
            channel=person.direct_channel, text=message.text, blocks=blocks, thread_ts=thread_ts
        )
        found = person.message(str(posted["ts"]))
        assert found is not None
        return found

    return post


@pytest.fixture(scope="session")
def rules() -> Callable[..., Rules]:
    """The workspace's rules, but for some."""
    return partial(replace, RULES)

"""What all tests share: warm workers, a browser, databases that do not wait for the disk, and no test skipped in CI."""

import os

# Several processes test at once: threads of numpy and torch that wait for one another would take their processors.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# ruff: noqa: E402
import sqlite3
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Error, sync_playwright
from sqlalchemy import Engine, event, inspect

from storage.database import Store
from storage.schema import codes
from tests.chromium import launch
from tests.storage.databases import migrated
from tests.warm_workers import WarmWorkers

DRAW = codes.draw
"""How codes are drawn."""

# How long an example takes tells of the machine, not of the code.
settings.register_profile("any machine", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def warm_workers() -> Iterator[WarmWorkers]:
    """Worker processes for every test that borrows some; the first borrower starts them."""
    workers = WarmWorkers()
    yield workers
    workers.close()


@pytest.fixture(scope="session", autouse=True)
def sqlite_without_fsync() -> Iterator[None]:
    """A commit on SQLite waits for the disk: 10 ms and more. The data of a test may be lost when the machine stops."""

    def set_pragma(connection: Any, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", set_pragma)
    yield
    event.remove(Engine, "connect", set_pragma)


@pytest.fixture(scope="session", autouse=True)
def migrations_run_once() -> Iterator[None]:
    """The migrations take 0.4 s. A new SQLite database gets a copy of what they made of the first one."""
    migrate = Store.migrate

    def copy_or_migrate(self: Store, to: str = "head") -> None:
        if to != "head" or not self.is_sqlite or inspect(self.engine).get_table_names():
            migrate(self, to)
            return
        with closing(sqlite3.connect(migrated())) as source, self.engine.connect() as connection:
            source.backup(cast("sqlite3.Connection", connection.connection.dbapi_connection))

    migrated()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "migrate", copy_or_migrate)
        yield


def counted(taken: Collection[str], unlike: Collection[str] = ()) -> str:
    """The next code, as if codes were numbers of people: P001, P002, …"""
    return f"P{len(taken) + 1:03}"


@pytest.fixture(scope="session", autouse=True)
def codes_that_count_up() -> Iterator[None]:
    """Codes are drawn at random. Tests name people by codes that they know before: P001 was invited first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codes, "draw", counted)
        yield


@pytest.fixture
def drawn_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what depends on it that codes are drawn at random, as in a real study."""
    monkeypatch.setattr(codes, "draw", DRAW)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is in tests/long takes long."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent / "long"):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Playwright allows one in a process."""
    with sync_playwright() as playwright:
        try:
            started = launch(playwright)
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"There is no browser: install Chromium, or name one in BLACKMAGIC_CHROMIUM. ({error.name})")
        yield started
        started.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI runs, a test that is skipped has failed: a part is missing that should have been installed."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped in CI: {report.longrepr}"
    return report

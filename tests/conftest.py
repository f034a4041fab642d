"""What all tests share: warm workers, databases that do not wait for the disk, and that nothing is skipped in CI."""

import os
import sqlite3
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.warm_workers import WarmWorkers


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI runs, a test that is skipped has failed: a part is missing that should have been installed."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped in CI: {report.longrepr}"
    return report

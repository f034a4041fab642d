"""What all tests share: warm workers, and that nothing is skipped where CI runs."""

import os
from collections.abc import Generator, Iterator

import pytest

from tests.warm_workers import WarmWorkers


@pytest.fixture(scope="session")
def warm_workers() -> Iterator[WarmWorkers]:
    """Worker processes for every test that borrows some; the first borrower starts them."""
    workers = WarmWorkers()
    yield workers
    workers.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI runs, a test that is skipped has failed: a part is missing that should have been installed."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped in CI: {report.longrepr}"
    return report

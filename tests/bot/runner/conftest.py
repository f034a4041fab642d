"""Workers, tasks and records, as the tests of training use them, and a study that runs without Slack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.runner.running_study import Running
from tests.training.conftest import (
    configuration,
    digits,
    few,
    few_task,
    hanging_task,
    imagenette_folder,
    prepared,
    record,
    small_imagenette,
    wait_until,
)
from tests.warm_workers import WarmWorkers

__all__ = [
    "configuration",
    "digits",
    "few",
    "few_task",
    "hanging_task",
    "imagenette_folder",
    "prepared",
    "record",
    "running",
    "small_imagenette",
    "wait_until",
]


@pytest.fixture
def running(tmp_path: Path, warm_workers: WarmWorkers) -> Iterator[Running]:
    study = Running(tmp_path, warm_workers)
    yield study
    study.store.close()

"""Pools of workers that train nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.training.workers.test_workers import Pool
from training.tasks import DIGITS_SQUEEZENET
from training.workers import LocalWorkers


@pytest.fixture
def pretend() -> Iterator[Callable[..., Pool]]:
    """Makes pools of workers that train nothing. They are not started."""
    pools: list[LocalWorkers] = []

    def make(slots: int = 1, **options: Any) -> Pool:
        workers = LocalWorkers([DIGITS_SQUEEZENET], slots, **options)
        workers.program = ("tests.training.workers.pretend_worker",)
        pools.append(workers)
        return Pool(workers)

    yield make
    for each in pools:
        each.close()


@pytest.fixture
def ready(pretend: Callable[..., Pool]) -> Callable[..., Pool]:
    """Makes pools of workers that train nothing, and waits until all of them are ready."""

    def make(slots: int = 1, **options: Any) -> Pool:
        pool = pretend(slots=slots, **options)
        pool.workers.start()
        pool.until_ready(slots)
        return pool

    return make

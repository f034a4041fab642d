"""Databases with simulated studies in them, and what the report makes of them."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import follow_up, importance
from reports.compute import compute
from reports.data.load import load
from reports.data.study_data import StudyData
from reports.results.study_results import StudyResults
from reports.statistics import resampling
from storage.database import Store
from tests.reports.simulated_study import simulate

Simulated = Callable[..., StudyData]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "study.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.scrub()
    store.close()
    return path


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path / "study.db")
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    yield store
    store.close()


@pytest.fixture
def simulated(store: Store) -> Simulated:
    """A simulated study with these options, as the report reads it."""

    def simulated(**options: Any) -> StudyData:
        return load(store, simulate(store, **options))

    return simulated


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few resamples, simulated studies and trees, for tests that do not depend on how many there are."""
    monkeypatch.setattr(resampling, "resamples", lambda _: 199)
    monkeypatch.setattr(follow_up, "STUDIES", 50)
    monkeypatch.setattr(importance, "TREES", 4)


@pytest.fixture(scope="session")
def ordinary(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> tuple[StudyData, StudyResults]:
    """A study like the paper's, with both searchers, computed without a single warning."""
    path = tmp_path_factory.mktemp("ordinary") / "study.db"
    shutil.copy(empty_database, path)
    store = Store(f"sqlite:///{path}")
    data = load(store, simulate(store, random_settings=120, tpe=6, withdrawn=2, unfinished=1, empty=1, cancelled=1))
    store.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return data, compute(data)

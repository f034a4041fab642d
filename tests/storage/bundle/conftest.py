"""A study with everything in it, made once on each kind of database. Tests export it, and leave it as it is."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from storage.database import Store
from tests.storage.bundle.bundles import full_study
from tests.storage.conftest import Lab
from tests.storage.databases import BOTH
from tests.storage.postgresql import PostgreSQL


@pytest.fixture(scope="session")
def full_study_on(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Lab]]:
    """The study on ``sqlite`` or on ``postgresql``."""
    with ExitStack() as stack:

        @cache
        def made(kind: str) -> Lab:
            if kind == "sqlite":
                url = f"sqlite:///{shutil.copy(migrated, tmp_path_factory.mktemp('full') / 'study.db')}"
            else:
                server: PostgreSQL = request.getfixturevalue("postgresql")
                url = server.new()
            lab = Lab(Store(url))
            stack.callback(lab.store.close)
            lab.open()
            full_study(lab)
            return lab

        yield made


@pytest.fixture(params=BOTH)
def full_lab(full_study_on: Callable[[str], Lab], request: pytest.FixtureRequest) -> Lab:
    return full_study_on(request.param)


@pytest.fixture
def full_sqlite_lab(full_study_on: Callable[[str], Lab]) -> Lab:
    return full_study_on("sqlite")

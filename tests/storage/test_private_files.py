"""Only their owner may read the database, the open data and reports; an existing file that others may read is found."""

import stat

import pytest
from sqlalchemy import make_url

from reports.write import write_report
from storage.bundle import export_bundle
from storage.database import Store
from storage.private_files import exposed, warning
from tests.reports.simulated_study import simulate


@pytest.fixture
def made(tmp_path):
    """A database in a new folder, with a report and open data beside it."""
    folder = tmp_path / "new" / "study"
    store = Store(f"sqlite:///{folder / 'study.db'}")
    store.migrate()
    simulate(store, participants=4, trials=12)
    write_report(store, folder / "report", only="figure-3")
    export_bundle(store, folder / "study.zip")
    yield tmp_path / "new", store
    store.close()


def test_what_is_made_is_for_its_owner_alone(made):
    folder, _ = made
    found = {str(each.relative_to(folder)): stat.S_IMODE(each.stat().st_mode) for each in folder.rglob("*")}
    for name in ("study/study.db", "study/study.db-wal", "study/study.db-shm", "study/study.zip", "study/report"):
        assert name in found
    assert any(name.startswith("study/report/") for name in found)
    for name, mode in found.items():
        assert mode == (0o700 if (folder / name).is_dir() else 0o600), name
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_old_file_that_others_may_read_is_found(made):
    folder, store = made
    path = folder / "study" / "study.db"
    assert exposed(store.engine.url) == []
    for each in ("study.db", "study.db-wal"):
        path.with_name(each).chmod(0o644)
    found = exposed(store.engine.url)
    assert [each.name for each in found] == ["study.db", "study.db-wal"]
    assert f"chmod 600 {path}" in warning(found)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql+psycopg://ada@localhost/study"])
def test_a_database_without_files_has_none_to_be_read(url):
    assert exposed(make_url(url)) == []

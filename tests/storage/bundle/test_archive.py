"""Zip files that are broken, enormous or strange."""

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from storage.bundle import BundleRefused, export_bundle, import_bundle
from storage.refusals import Refused
from tests.storage.bundle.bundles import PEOPLE, files, zipped

CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"


def refused(store, path: Path) -> str:
    with pytest.raises(BundleRefused) as error:
        import_bundle(store, path)
    return str(error.value)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return zipped(tmp_path / "theirs.zip", files())


def test_what_is_no_zip_file_is_refused(sqlite_store, tmp_path):
    for content in (b"", b"code,months\n", b"PK\x03\x04", b"\0" * 5000):
        (tmp_path / "no.zip").write_bytes(content)
        assert refused(sqlite_store, tmp_path / "no.zip") == "no.zip is not a zip file, or is damaged."


def test_a_bundle_cut_anywhere_is_refused(sqlite_store, bundle):
    whole = bundle.read_bytes()
    for length in range(0, len(whole), 37):
        bundle.write_bytes(whole[:length])
        assert refused(sqlite_store, bundle)


def test_a_bundle_with_one_byte_changed_never_breaks_the_program(sqlite_store, bundle):
    whole = bundle.read_bytes()
    for place in range(0, len(whole), 11):
        bundle.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(BundleRefused, Refused):  # a byte that nobody needs lets one in, and its name is taken then
            import_bundle(sqlite_store, bundle)


def test_a_damaged_table_is_named(sqlite_store, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_STORED) as archive:
        for name, content in files().items():
            archive.writestr(name, content)
    whole = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(whole.replace(b"P2,1,10,32", b"P2,1,10,33", 1))
    assert refused(sqlite_store, tmp_path / "x.zip") == "trials.csv is damaged: it cannot be unpacked."


def test_an_encrypted_table_is_named(sqlite_store, bundle):
    content = bytearray(bundle.read_bytes())
    for mark, flags in ((LOCAL, 6), (CENTRAL, 8)):
        place = content.find(mark)
        while place >= 0:
            content[place + flags] |= 1
            place = content.find(mark, place + 4)
    bundle.write_bytes(content)
    assert "participants.csv is encrypted, or packed in a way that is not known here." in refused(sqlite_store, bundle)


def test_an_endless_line_is_not_read_to_its_end(sqlite_store, tmp_path):
    path = zipped(tmp_path / "bomb.zip", files(participants=PEOPLE + "P3," + "1" * 2**25))
    assert path.stat().st_size < 2**18
    assert refused(sqlite_store, path) == "participants.csv does not look like a table: line 4 has no end."


def test_a_cell_of_endless_lines_is_not_read_to_its_end(sqlite_store, tmp_path):
    path = zipped(tmp_path / "bomb.zip", files(participants=PEOPLE + 'P3,"' + ("1" * 999 + "\n") * 20_000))
    assert "participants.csv is not a table of comma-separated values after line" in refused(sqlite_store, path)


def test_more_than_can_be_read_is_refused_unread(sqlite_store, bundle, monkeypatch):
    monkeypatch.setattr("storage.bundle.archive.MOST_BYTES", 100)
    assert refused(sqlite_store, bundle).startswith("theirs.zip is larger than ")
    monkeypatch.undo()
    monkeypatch.setattr("storage.bundle.archive.MOST_FILES", 2)
    assert refused(sqlite_store, bundle) == "theirs.zip holds 3 files; 2 is the most."
    monkeypatch.undo()
    monkeypatch.setattr("storage.bundle.archive.MOST_TEXT", 3)
    assert refused(sqlite_store, zipped(bundle, files(study_toml="a = 1"))).startswith("study.toml is too large")


def test_a_size_that_is_a_lie_gets_nothing_more_in(sqlite_store, tmp_path):
    path = zipped(tmp_path / "bomb.zip", files(participants=PEOPLE + "P3,1\n" * 10**6))
    content = bytearray(path.read_bytes())
    place = content.find(CENTRAL)
    content[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    assert "participants.csv" in refused(sqlite_store, path)


def test_a_table_of_too_many_rows_is_refused(sqlite_store, tmp_path):
    facts = "environment,name,value\n" + "".join(f"{number},a,1\n" for number in range(1, 20_002))
    path = zipped(tmp_path / "x.zip", files(environments=facts))
    assert refused(sqlite_store, path) == "environments.csv has more than 20,000 rows."


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_table_that_is_there_twice_is_refused(sqlite_store, bundle):
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("trials.csv", "x")
    assert refused(sqlite_store, bundle) == "trials.csv is in the bundle twice."


def test_the_same_study_gives_the_same_file_at_any_time(full_sqlite_lab, tmp_path):
    for name in ("one.zip", "two.zip"):
        export_bundle(full_sqlite_lab.store, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None

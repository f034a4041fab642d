"""How much of people's background is in a bundle, and how far that tells them apart."""

import csv
import io

import pytest

from storage.bundle import export_bundle, import_bundle
from storage.bundle.writing.background import EDUCATION_BANDS, alike_by_set
from storage.database import Store
from storage.schema.states import Background
from storage.schema.tables import Participant
from tests.reports.simulated_study import simulate
from tests.storage.bundle.bundles import unpacked

EDUCATIONS = ("high_school", "bachelor", "master_enrolled", "master", "doctorate")


def participants(path):
    """The people of a bundle, with the columns that the table has."""
    content = unpacked(path)["participants.csv"].decode()
    return [row for row in csv.DictReader(io.StringIO(content)) if row["kind"] == "person"]


def of(rows, column):
    return {row[column] for row in rows if row.get(column)}


@pytest.fixture
def study(sqlite_store):
    """A simulated study of 34 people."""
    simulate(sqlite_store, participants=34, trials=120, withdrawn=0)
    return sqlite_store


def test_the_usual_bundle_has_months_and_bands_of_education_and_no_other_answers(study, tmp_path):
    written = export_bundle(study, tmp_path / "bundle.zip")
    rows = participants(tmp_path / "bundle.zip")
    assert written.background is Background.STANDARD
    assert len(of(rows, "months")) > 10
    assert of(rows, "education") == {"before_master", "master_or_more"}
    assert not any(column.startswith("answer_") for column in rows[0])


def test_each_other_level_has_what_it_says(study, tmp_path):
    export_bundle(study, tmp_path / "full.zip", background=Background.FULL)
    rows = participants(tmp_path / "full.zip")
    assert of(rows, "education") <= set(EDUCATIONS)
    assert any(column.startswith("answer_") for column in rows[0])

    export_bundle(study, tmp_path / "banded.zip", background=Background.BANDED)
    rows = participants(tmp_path / "banded.zip")
    assert of(rows, "months") == set()
    assert of(rows, "group") == {"novice", "medium", "expert"}
    assert of(rows, "education") == {"before_master", "master_or_more"}

    export_bundle(study, tmp_path / "none.zip", background=Background.NONE)
    rows = participants(tmp_path / "none.zip")
    assert [of(rows, column) for column in ("months", "group", "education")] == [set()] * 3


def test_it_is_told_how_far_each_set_tells_people_apart(study, tmp_path):
    written = export_bundle(study, tmp_path / "bundle.zip")
    found = {each.columns: each for each in written.alike}
    everything = found["months, education and all other answers"]
    banded = found["group instead of months, education in bands"]
    assert (everything.people, everything.smallest) == (34, 1)
    assert everything.unique > found["months, education in bands"].unique >= banded.unique
    assert found["group alone"].smallest >= banded.smallest
    told = written.told()
    assert told[0] == "Of people's background it has: months, education in bands."
    assert f"• {everything.columns}: k = 1, {everything.unique} of 34 unique" in told
    book = unpacked(tmp_path / "bundle.zip")["codebook.md"].decode()
    assert f"Here: {found['months, education in bands']}" in book
    assert "not anonymous for everybody" in book


def test_a_group_of_people_who_are_alike_is_counted_as_one_counts():
    def person(months, education, **answers):
        return Participant(months=months, education=education, answers=answers, block_group="novice")

    people = [
        *(person(0, "bachelor", age="20") for _ in range(3)),
        person(0, "master", age="20"),
        person(0, "doctorate", age="20"),
        Participant(months=None, education=None, answers={}),  # told nothing
        Participant(months=None, baseline_id=1),
    ]
    found = {each.columns: each for each in alike_by_set(people, Background.FULL)}
    assert str(found["months, education and all other answers"]) == (
        "months, education and all other answers: k = 1, 2 of 5 unique"
    )
    assert str(found["months, education in bands"]) == "months, education in bands: k = 2, 0 of 5 unique"
    assert "months alone" not in found  # the same for everybody
    assert alike_by_set([], Background.FULL)[0].smallest == 0


@pytest.mark.parametrize("background", [Background.STANDARD, Background.BANDED, Background.NONE])
def test_what_was_left_out_stays_left_out_however_it_is_exported_again(study, make_url, tmp_path, background):
    export_bundle(study, tmp_path / "first.zip", background=background)
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "first.zip")
    again = export_bundle(other, tmp_path / "again.zip", background=Background.FULL)
    other.close()
    assert again.background is background

    def without_codes(path):
        return sorted(tuple(value for name, value in row.items() if name != "code") for row in participants(path))

    assert without_codes(tmp_path / "again.zip") == without_codes(tmp_path / "first.zip")


def test_every_answer_of_the_form_has_a_band():
    assert set(EDUCATIONS) <= set(EDUCATION_BANDS)
    assert {EDUCATION_BANDS[each] for each in EDUCATIONS} <= set(EDUCATION_BANDS)

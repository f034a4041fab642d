"""A bundle carries what was registered and what deviated, so that a report from it says the same."""

import json
import zipfile
from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from reports.analysis.deviations import deviations
from reports.data.load import load
from storage import events
from storage.bundle import BundleRefused, export_bundle, import_bundle
from storage.database import Store
from storage.registration.document import Registration
from storage.schema.states import EventKind, StudyState
from storage.schema.tables import Participant, Preregistration, Session, Study
from storage.transitions.looks import record_look
from tests.reports.simulated_study import OPENED, simulate
from tests.storage.bundle.bundles import files, unpacked, zipped

NOW = datetime(2030, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def study(sqlite_store):
    """A study that is registered and goes on; somebody looked, one person was given time, and one had left before."""
    number = simulate(sqlite_store, participants=4, trials=20, epochs=1, withdrawn=1, state=StudyState.OPEN)
    with sqlite_store.write() as transaction:
        row = transaction.need(Study, number)
        made = Registration.now(
            study=row.name, rules=row.rules, rules_hash=row.rules_hash, consent="Ask @ada\n@bob too.",
            day=date(2030, 3, 1),
        )  # fmt: skip
        transaction.add(Preregistration(study_id=number, at=OPENED, document=made.to_json()))
        session = transaction.exec(select(Session)).first()
        session.extended_seconds = 600.0
        code = transaction.need(Participant, session.participant_id).code
        again = {
            "kind": EventKind.LET_IN_AGAIN,
            "subject": f"participant:{session.participant_id}",
            "participant": code,
        }
        events.record(transaction, at=OPENED, actor="researcher-1", **again)
    assert record_look(sqlite_store, number, what="report figure-4", actor="researcher-2", now=NOW)
    return number


def test_a_report_from_a_bundle_knows_the_same_registration_and_deviations(sqlite_store, study, make_url, tmp_path):
    export_bundle(sqlite_store, tmp_path / "first.zip")
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "first.zip")
    ours, theirs = load(sqlite_store, study), load(other)
    assert theirs.looks == ours.looks
    assert [each.what for each in theirs.looks] == ["report figure-4"]
    assert theirs.registration.consent == "Ask @…\n@… too."
    assert (theirs.registration.plan, theirs.registration.code_hash) == (
        ours.registration.plan,
        ours.registration.code_hash,
    )
    assert deviations(theirs) == deviations(ours)
    assert {each.kind for each in deviations(ours)} == {
        "time_extended",
        "consent_changed",
        "people_came_back",
        "interim_looks",
        "people_withdrew",
    }
    export_bundle(other, tmp_path / "second.zip")
    other.close()
    first, second = (unpacked(tmp_path / name) for name in ("first.zip", "second.zip"))
    for name in ("preregistration.json", "preregistration.md", "looks.csv"):
        assert second[name] == first[name]
    assert b"@ada" not in b"".join(first.values())


def test_while_a_study_hides_its_results_a_bundle_has_none(sqlite_store, study, make_url, tmp_path):
    export_bundle(sqlite_store, tmp_path / "hidden.zip", test_results=False)
    found = unpacked(tmp_path / "hidden.zip")
    assert len(found["evaluations.csv"].splitlines()) == 1
    assert len(found["trials.csv"].splitlines()) > 10
    assert "so test results are not in it" in found["codebook.md"].decode()
    assert "so test results are not in it" not in unpacked_whole(sqlite_store, tmp_path)["codebook.md"].decode()
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "hidden.zip")
    assert all(not row.evaluations for row in load(other).participants)
    other.close()


def unpacked_whole(store, folder):
    export_bundle(store, folder / "whole.zip")
    return unpacked(folder / "whole.zip")


def test_a_bundle_of_the_version_before_has_neither(sqlite_store, study, make_url, tmp_path):
    export_bundle(sqlite_store, tmp_path / "new.zip")
    new = {"looks.csv", "preregistration.json", "preregistration.md"}
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        for name, content in unpacked(tmp_path / "new.zip").items():
            if name not in new:
                archive.writestr(name, content.replace(b"\n3,", b"\n2,") if name == "study.csv" else content)
    other = Store(make_url("sqlite"))
    found = import_bundle(other, tmp_path / "old.zip")
    assert "There is no looks.csv: nobody looked." in found.assumed
    data = load(other)
    assert (data.registration, data.looks) == (None, ())
    other.close()


@pytest.mark.parametrize("content", ["[]", "{", '{"study": "\\ud800"}'])
def test_a_preregistration_that_is_none_is_refused(sqlite_store, tmp_path, content):
    with pytest.raises(BundleRefused, match=r"preregistration\.json.*cannot be read"):
        import_bundle(sqlite_store, zipped(tmp_path / "x.zip", {**files(), "preregistration.json": content}))


def test_a_preregistration_of_any_content_is_kept(sqlite_store, tmp_path):
    content = json.dumps({"study": 3, "analysis": [], "rules": {"a": [None, {"b": None}]}})
    found = import_bundle(sqlite_store, zipped(tmp_path / "x.zip", {**files(), "preregistration.json": content}))
    export_bundle(sqlite_store, tmp_path / "again.zip", name=found.study)
    assert "preregistration.md" in unpacked(tmp_path / "again.zip")

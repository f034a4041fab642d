"""A study as a bundle, and that bundle as a study again."""

import csv
import io
from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from reports.data.load import load
from storage import events
from storage.bundle import BundleRefused, export_bundle, import_bundle
from storage.bundle.cells import Column, Kind
from storage.database import Store
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import Background, EventKind, JobKind, StudyState, Suggestion, TrialState
from storage.schema.tables import Epoch, Evaluation, Participant, Session, Study, Trial
from storage.transitions import studies
from storage.transitions.assignment import assignments
from tests.reports.simulated_study import simulate
from tests.storage.bundle.bundles import files, unpacked, zipped


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


ENDED = {
    "sessions.csv": ("state", "finished_seconds", "ended_as"),
    "trials.csv": ("state",),
    "evaluations.csv": ("state",),
    "codebook.csv": (),
}
"""What import changes of what has not ended."""


def test_bundle_import_export_gives_the_same_bytes(full_lab, make_url, tmp_path):
    """But for what had not ended, when the bundle is made in the middle of a study."""
    export_bundle(full_lab.store, tmp_path / "first.zip", background=Background.FULL)
    for before, after in (("first.zip", "second.zip"), ("second.zip", "third.zip")):
        other = Store(make_url("postgresql" if full_lab.store.is_sqlite else "sqlite"))
        import_bundle(other, tmp_path / before)
        export_bundle(other, tmp_path / after, background=Background.FULL)
        other.close()
    first, second = (unpacked(tmp_path / name) for name in ("first.zip", "second.zip"))
    unfinished = 0
    for name, content in first.items():
        if name in ENDED:
            for one, again in zip(rows(content), rows(second[name]), strict=True):
                changed = {column for column in one if one[column] != again[column]}
                assert changed <= set(ENDED[name])
                assert not changed or one["state"] in {"active", "choosing", "waiting", "running"}
                unfinished += bool(changed)
        elif name != "croissant.json":  # it has the sums of the files
            assert second[name].decode() == content.decode(), name
    assert unfinished >= 5
    assert (tmp_path / "third.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_every_table_has_every_row(full_lab, tmp_path):
    written = export_bundle(full_lab.store, tmp_path / "bundle.zip")
    found = unpacked(tmp_path / "bundle.zip")
    assert {name: len(rows(found[f"{name}.csv"])) for name in written.rows} == dict(written.rows)
    with full_lab.store.read() as transaction:
        assert written.rows["trials"] == len(transaction.exec(select(Trial)).all())
        assert written.rows["epochs"] == len(transaction.exec(select(Epoch)).all())
    states = {each["state"] for each in rows(found["trials.csv"])}
    assert states == {str(each) for each in TrialState}, "the study of this test has every one"
    assert {each["state"] for each in rows(found["sessions.csv"])} == {"active", "choosing", "finished"}
    ends = {each["ended_as"] for each in rows(found["sessions.csv"])} - {""}
    assert ends == {"chosen", "clock", "empty", "withdrawn", "cancelled"}
    assert {each["kind"] for each in rows(found["participants.csv"])} == {"person", "random", "tpe"}
    assert rows(found["amendments.csv"])[0]["day"] == "2030-03-03"
    assert "processor: Some CPU @ 2.20GHz" in found["environment.txt"].decode()


def test_what_is_imported_is_what_was_there(full_lab, make_url, tmp_path):
    export_bundle(full_lab.store, tmp_path / "bundle.zip", background=Background.FULL)
    other = Store(make_url("sqlite"))
    found = import_bundle(other, tmp_path / "bundle.zip")
    assert found.study == "skill"
    assert found.assumed == (
        f"{_unfinished(full_lab.store)} sessions, trials and evaluations together had not ended when the bundle was "
        "made: taken for cancelled.",
    )
    with other.read() as transaction:
        study = transaction.get(Study, found.study_id)
        assert (study.state, study.current, study.opened_at.isoformat()) == (
            StudyState.CLOSED,
            None,
            "2030-03-01T00:00:00+00:00",
        )
    ours, theirs = (history.sessions(store, 1)[0] for store in (full_lab.store, other))
    assert [each.configuration for each in theirs.trials] == [each.configuration for each in ours.trials]
    assert [each.validation_accuracy for each in theirs.trials] == [each.validation_accuracy for each in ours.trials]
    assert theirs.trials[0].comments["epochs"].text == "=cmd|' /C calc'!A0"
    for trial, same in zip(ours.trials, theirs.trials, strict=True):
        seconds = round((trial.submitted_at - ours.started_at).total_seconds())
        assert same.submitted_at - theirs.started_at == timedelta(seconds=seconds)
        epochs, again = (
            history.epochs_of(store, JobKind.TRIAL, each.id) for store, each in ((full_lab.store, trial), (other, same))
        )
        for epoch, copy in zip(epochs, again, strict=True):
            np.testing.assert_array_equal(copy.batch_losses.view("u4"), epoch.batch_losses.view("u4"))
            assert repr(copy.training_loss) == repr(epoch.training_loss)
    assert [each.kind for each in events.read(other)] == [EventKind.STUDY_IMPORTED]
    other.close()


def _unfinished(store):
    with store.read() as transaction:
        return sum(
            not row.state.is_finished
            for table in (Session, Trial, Evaluation)
            for row in transaction.exec(select(table)).all()
        )


@pytest.mark.usefixtures("drawn_codes")
def test_a_report_reads_the_same_from_a_bundle_and_from_the_database(sqlite_store, make_url, tmp_path):
    study = simulate(
        sqlite_store, participants=14, trials=150, random_settings=20, tpe=3, withdrawn=2, empty=1,
        cancelled=1, tasks=("one", "two"),
    )  # fmt: skip
    export_bundle(sqlite_store, tmp_path / "bundle.zip", background=Background.FULL)
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "bundle.zip")
    ours, theirs = load(sqlite_store, study), load(other)
    other.close()
    for each in fields(ours):
        if each.name == "participants":
            numbers = [[replace(row, code="") for row in data.participants] for data in (ours, theirs)]
            assert numbers[0] == numbers[1]
        elif each.name != "trials":
            assert getattr(theirs, each.name) == getattr(ours, each.name)
    for each in fields(ours.trials):
        np.testing.assert_array_equal(getattr(theirs.trials, each.name), getattr(ours.trials, each.name))


def test_batch_losses_can_be_left_out(full_lab, make_url, tmp_path):
    export_bundle(full_lab.store, tmp_path / "small.zip", batch_losses=False)
    assert {each["batch_losses"] for each in rows(unpacked(tmp_path / "small.zip")["epochs.csv"])} == {""}
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "small.zip")
    export_bundle(other, tmp_path / "again.zip", batch_losses=False)
    other.close()
    again = unpacked(tmp_path / "again.zip")
    assert again["epochs.csv"] == unpacked(tmp_path / "small.zip")["epochs.csv"]


def test_a_study_in_which_nothing_happened_goes_both_ways(empty_lab, make_url, tmp_path):
    empty_lab.prepare()
    export_bundle(empty_lab.store, tmp_path / "first.zip")
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "first.zip")
    export_bundle(other, tmp_path / "second.zip")
    other.close()
    assert (tmp_path / "second.zip").read_bytes() == (tmp_path / "first.zip").read_bytes()


def test_the_study_is_the_newest_unless_one_is_named(empty_lab, tmp_path):
    with pytest.raises(Refused) as refused:
        export_bundle(empty_lab.store, tmp_path / "bundle.zip")
    assert refused.value.reason is Reason.NO_STUDY
    empty_lab.prepare()
    with pytest.raises(Refused, match="no study “other”") as refused:
        export_bundle(empty_lab.store, tmp_path / "bundle.zip", name="other")
    assert refused.value.reason is Reason.UNKNOWN
    assert list(tmp_path.glob("*.zip*")) == list(tmp_path.glob(".*part")) == [], "and nothing was left behind"
    assert export_bundle(empty_lab.store, tmp_path / "bundle.zip", name="skill").study == "skill"


def test_an_export_that_breaks_off_leaves_the_old_bundle(lab, tmp_path):
    path = tmp_path / "bundle.zip"
    path.write_bytes(b"the old one")

    def break_off(name: str) -> None:
        if name == "epochs.csv":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_bundle(lab.store, path, progress=break_off)
    assert path.read_bytes() == b"the old one"
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []


@given(st.floats())
def test_floats_read_back_to_the_last_bit(value: float) -> None:
    column = Column("loss", Kind.LOSS, "")
    assert repr(column.read(column.write(value))) == repr(value)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_texts_read_back_and_are_no_formulas(text: str) -> None:
    column = Column("text", Kind.TEXT, "")
    cell = column.write(text)
    assert (column.read(cell) or "") == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


ARMS = '{"arms": [{"name": "control"}, {"name": "hints", "suggestions": true}], "study": {"task": "digits"}}'


def test_arms_what_became_of_suggestions_and_the_secret_come_back(lab_of, make_url, sqlite_store, tmp_path):
    lab = lab_of(sqlite_store)
    lab.arms = ("control", "hints")
    session = lab.begin(lab.described())
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    lab.described()
    with lab.store.write() as transaction:
        study = transaction.get(Study, 1)
        study.rules = ARMS
        transaction.get(Trial, 1).suggestion = Suggestion.TAKEN
    secret = studies.close_study(lab.store, actor="researcher-1", now=lab.now).assignment_secret
    given = assignments(lab.store, 1)
    export_bundle(lab.store, tmp_path / "bundle.zip")
    other = Store(make_url("sqlite"))
    found = import_bundle(other, tmp_path / "bundle.zip")
    with other.read() as transaction:
        assert transaction.get(Study, found.study_id).assignment_secret == secret
        assert transaction.exec(select(Session.arm)).all() == [session.arm]
        assert transaction.exec(select(Trial.suggestion)).all() == [Suggestion.TAKEN]
        assert sorted(transaction.exec(select(Participant.arm)).all()) == sorted(each.option for each in given)
    assert [row.arm for row in load(other).participants] == [row.arm for row in load(lab.store).participants]
    other.close()


def test_a_bundle_of_a_version_without_arms_can_be_read(lab_of, make_url, sqlite_store, tmp_path):
    """It has none of these columns, and its format is the one before."""
    lab = lab_of(sqlite_store)
    session = lab.seated()
    lab.tried(session, 50.0)
    lab.choose(session, 1)
    export_bundle(lab.store, tmp_path / "new.zip")
    content = unpacked(tmp_path / "new.zip")
    gone = {"study.csv": "assignment_secret", "participants.csv": "arm", "sessions.csv": "arm"}
    gone["trials.csv"] = "suggestion"
    for name, column in gone.items():
        old = [{key: value for key, value in row.items() if key != column} for row in rows(content[name])]
        if name == "study.csv":
            old[0]["format"] = "2"
        text = io.StringIO()
        writer = csv.DictWriter(text, list(old[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(old)
        content[name] = text.getvalue().encode()
    other = Store(make_url("sqlite"))
    import_bundle(other, zipped(tmp_path / "old.zip", content))
    ours, theirs = load(lab.store), load(other)
    assert [(row.months, row.task, row.arm) for row in theirs.participants] == [(6.0, "digits", None)]
    assert theirs.trials.suggestions == ours.trials.suggestions == (None,)
    assert theirs.assignment is None
    other.close()


@pytest.mark.parametrize("secret", ["abc", "Z" * 64])
def test_what_is_no_secret_is_refused(sqlite_store, tmp_path, secret):
    study = f"format,name,rules_hash,rules,assignment_secret\n3,x,h,{{}},{secret}\n"
    with pytest.raises(BundleRefused, match="is no secret of 64 hexadecimal digits"):
        import_bundle(sqlite_store, zipped(tmp_path / "bundle.zip", files(study=study)))

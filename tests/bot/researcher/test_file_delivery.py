"""Researchers get files (open data, the report), start baselines, and run evaluations again."""

import io
import re
import zipfile
from datetime import UTC, datetime

import pytest
from sqlmodel import delete, select

from bot.runner import report_files
from bot.runner.subprocess_job import NotMade
from storage import events
from storage.database import Store
from storage.schema.states import EventKind, TrialState
from storage.schema.tables import Epoch, Evaluation
from storage.transitions import evaluations, studies
from tests.bot.researcher.asking import PATIENCE, ask, look, text_of


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    """Test results are shown, as after the study; ``test_results_hidden`` tests what is hidden before."""
    monkeypatch.setattr("bot.researcher.file_delivery.hides_results", lambda _: False)


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


@pytest.mark.long
def test_the_open_data_comes_as_a_file_that_names_nobody(house, researcher):
    house.wait_for_machines()
    person = house.seated("Is in the open data")
    house.trained(person)
    told = ask(researcher, "export")
    assert "The open data is being made" in text_of(told)
    sent = researcher.wait_for("The open data (“Black Magic”)", PATIENCE)
    assert [file["name"] for file in sent.files] == ["black-magic.zip"]
    assert "Of people's background it has: months, education in bands." in sent.text_of_everything
    assert "• group instead of months, education in bands: k = " in sent.text_of_everything
    researcher.wait_for("The open data is in your direct messages with me.", PATIENCE)
    bundle = zipfile.ZipFile(io.BytesIO(researcher.download(sent.files[0]["url"])))
    content = b"".join(bundle.read(name) for name in bundle.namelist())
    assert not re.search(rf"\b{house.participant(person).code}\b".encode(), content), "people have other codes there"
    assert re.search(rb"^P\d{4},", content, re.MULTILINE)
    assert person.id.encode() not in content
    assert researcher.id.encode() not in content


def test_another_level_of_background_is_asked_for_by_its_word(house, researcher):
    assert "“some” is not one of `full`, `standard`, `banded`, `none`." in text_of(ask(researcher, "export some"))
    asked = ask(researcher, "export none")
    researcher.wait_for("Of people's background it has nothing.", PATIENCE)
    researcher.wait_for("The open data is in your direct messages with me.", PATIENCE, after=asked.ts)


@pytest.mark.long
def test_the_report_comes_as_a_page_and_an_archive_and_one_figure_as_its_files(house, researcher):
    ask(researcher, "report")
    ask(researcher, "export")
    researcher.wait_for("Something else is being made at the moment.", PATIENCE)
    sent = researcher.wait_for("The report (“Black Magic”)", 4 * PATIENCE)
    assert [file["name"] for file in sent.files] == ["report.html", "black-magic-report.zip"]
    page = researcher.download(sent.files[0]["url"]).decode()
    assert "Black Magic" in page
    assert researcher.id not in page
    archive = zipfile.ZipFile(io.BytesIO(researcher.download(sent.files[1]["url"])))
    assert {"report.html", "results.json", "figures/figure-4.png", "tables/counts.csv"} <= set(archive.namelist())
    ask(researcher, "report figure 4")
    sent = researcher.wait_for("“figure-4” of the report (“", 4 * PATIENCE)
    assert {"figure-4.png", "figure-4.pdf"} <= {file["name"] for file in sent.files}


@pytest.mark.long
def test_of_the_report_all_tables_are_an_archive_and_a_part_that_there_is_not_is_named(tmp_path):
    database = f"sqlite:///{tmp_path / 'study.db'}"
    store = Store(database)
    store.migrate()
    studies.prepare_study(store, name="Empty", rules="{}", rules_hash="0", now=datetime.now(UTC))
    store.close()
    (archive,) = report_files.report(database, "Empty", tmp_path / "report", "empty", "tables")
    assert archive.path.name == "empty-tables.zip"
    names = zipfile.ZipFile(archive.path).namelist()
    assert "tables/counts.csv" in names
    assert all(name.startswith("tables/") for name in names)
    with pytest.raises(NotMade, match=r"The report has no “figure-404”\. It has "):
        report_files.report(database, "Empty", tmp_path / "report", "empty", "figure-404")


@pytest.mark.long
def test_where_slack_takes_no_files_that_is_said(open_house, rules):
    house = open_house(rules(refuse_files=True))
    researcher = house.workspace.person("Researcher")
    ask(researcher, "export")
    researcher.wait_for("The open data could not be sent: Slack answers “missing_scope”.", PATIENCE)
    house.wait_for_machines()
    person = house.seated("Cannot be drawn")
    house.trained(person)
    code = house.participant(person).code
    shown = look(researcher, f"participant {code}", f"Participant {code}")
    researcher.press(shown, "Send me these loss plots")
    researcher.wait_until(
        lambda: (view := researcher.modal()) and "Slack answers “missing_scope”." in view.text_of_everything, PATIENCE
    )


def test_searchers_are_started_watched_and_stopped(house, researcher):
    house.wait_for_machines()
    assert "No searcher has run yet" in text_of(ask(researcher, "baseline"))
    begun = text_of(ask(researcher, "baseline random 3"))
    assert "✅ Baseline R1: 3 configurations were drawn at random." in begun
    assert "there can be one of random search at a time" in text_of(ask(researcher, "baseline random 3"))
    begun = text_of(ask(researcher, "baseline tpe 2 tries 1"))
    assert "✅ Baseline T1: 2 artificial participants. Each has 120 minutes of training and at most 1 trial, " in begun
    watched = text_of(ask(researcher, "baseline"))
    assert "Baseline R1 (random search): " in watched
    assert "of 3 trials have ended" in watched
    assert "Baseline T1 (TPE): " in watched
    assert "of 2 artificial participants of 1 trial each have ended" in watched
    stopped = text_of(ask(researcher, "baseline stop"))
    assert "✅ Stopped: R1, T1. Their trials are kept." in stopped
    assert "; stopped." in text_of(ask(researcher, "baseline"))
    for kind in (EventKind.BASELINE_STARTED, EventKind.BASELINE_STOPPED):
        assert {each.actor for each in events.read(house.store, kind=kind)} == {"researcher-1"}


def test_evaluations_that_failed_or_are_missing_run_again(house, researcher):
    house.wait_for_machines()
    assert "There is nothing to do: no evaluation has failed" in text_of(ask(researcher, "evaluate"))
    person = house.seated("Is evaluated")
    house.trained(person)
    house.finish(person)
    house.reported(f"*{house.participant(person).code}*")
    choice = house.session(person).choice.id
    before = evaluations.evaluation_summary(house.store, choice).accuracies
    with house.store.write() as transaction:
        (failed,) = transaction.exec(select(Evaluation).where(Evaluation.final_choice_id == choice)).all()
        failed.state, failed.test_accuracy, failed.reason = TrialState.FAILED, None, "It was not your fault."
    assert "Failed evaluations that run again: 1." in text_of(ask(researcher, "evaluate"))
    researcher.wait_until(lambda: evaluations.evaluation_summary(house.store, choice).all_done, PATIENCE)
    assert evaluations.evaluation_summary(house.store, choice).accuracies == before  # the same seed, the same bits
    with house.store.write() as transaction:
        (missing,) = transaction.exec(select(Evaluation).where(Evaluation.final_choice_id == choice)).all()
        transaction.exec(delete(Epoch).where(Epoch.evaluation_id == missing.id))
        transaction.delete(missing)
    assert "Missing evaluations that were added: 1." in text_of(ask(researcher, "evaluate"))
    researcher.wait_until(lambda: evaluations.evaluation_summary(house.store, choice).all_done, PATIENCE)
    assert evaluations.evaluation_summary(house.store, choice).accuracies == before

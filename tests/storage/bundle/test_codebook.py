"""What a bundle says about itself: the codebook, and Croissant metadata that its reference implementation reads."""

import csv
import io
import logging
import tomllib
import zipfile

import pytest

from storage.bundle import export_bundle, import_bundle
from storage.bundle.codebook import TABLES
from storage.bundle.writing.readable import codebook_markdown
from storage.database import Store
from storage.schema.states import Background
from tests.reports.simulated_study import simulate
from tests.storage.bundle.bundles import files, unpacked, zipped
from training.bounds import Bounds
from training.hyperparameters import HYPERPARAMETERS


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.fixture
def bundle(sqlite_store, tmp_path):
    simulate(sqlite_store, participants=5, trials=40, random_settings=10, tpe=1, epochs=2, withdrawn=1)
    export_bundle(sqlite_store, tmp_path / "bundle.zip", background=Background.FULL)
    return tmp_path / "bundle.zip"


def test_the_codebook_names_every_column_of_every_table(bundle):
    found = unpacked(bundle)
    told: dict[str, list[str]] = {}
    for each in rows(found["codebook.csv"]):
        told.setdefault(each["file"], []).append(each["column"])
        assert each["meaning"].endswith((".", "?")) or each["column"].startswith("answer_")
        assert each["kind"]
        assert each["required_for_import"] in {"yes", "no", "with the table"}
    tables = {name: content for name, content in found.items() if name.endswith(".csv") and name != "codebook.csv"}
    assert told == {name: content.decode().splitlines()[0].split(",") for name, content in tables.items()}
    for name, columns in told.items():
        section = found["codebook.md"].decode().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert [f"| `{column}`" in section for column in columns] == [True] * len(columns)


def test_the_codebook_tells_the_bounds_that_the_forms_have(bundle):
    told = {(each["file"], each["column"]): each for each in rows(unpacked(bundle)["codebook.csv"])}
    for each in HYPERPARAMETERS:
        column = told["trials.csv", each.name]
        assert column["range"] == (", ".join(each.choices) if each.choices else each.accepted(Bounds.OPTIMIZER))
        assert column["required_for_import"] == ("yes" if each.mandatory else "no")


def test_what_the_codebook_calls_required_is_enough_and_all_of_it_is_needed(sqlite_store, make_url, tmp_path):
    required = {
        table.file: [column.name for column in table.columns if column.required] for table in TABLES if table.required
    }
    least = files()
    assert {name: str(content).splitlines()[0].split(",") for name, content in least.items()} == required
    import_bundle(sqlite_store, zipped(tmp_path / "least.zip", least))
    assert "`trials.csv`: `participant`, `number`, `epochs`" in codebook_markdown("x", TABLES)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
def test_mlcroissant_reads_every_record(bundle, tmp_path, caplog):
    import mlcroissant

    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "data")
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(str(tmp_path / "data" / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == set()
    assert len(dataset.metadata.ctx.issues.warnings) == 1, "the license: it is for those who publish to choose"
    found = unpacked(bundle)
    records = {each.name: list(dataset.records(each.uuid)) for each in dataset.metadata.record_sets}
    for record_set in dataset.metadata.record_sets:
        told = rows(found[f"{record_set.name}.csv"])
        assert len(records[record_set.name]) == len(told) > 0
        assert [each.name for each in record_set.fields] == list(told[0])
    accuracies = [each["trials/validation_accuracy"] for each in records["trials"]]
    expected = [each["validation_accuracy"] for each in rows(found["trials.csv"])]
    assert [None if each is None else repr(float(each)) for each in accuracies] == [each or None for each in expected]


def test_the_rules_can_be_read_as_toml(bundle):
    rules = tomllib.loads(unpacked(bundle)["study.toml"].decode())
    assert rules["groups"] == {"novice_up_to_months": 0.0, "medium_up_to_months": 9.0}
    assert rules["questions"][1]["choices"][0] == "1 – not at all"


def test_answers_to_questions_of_other_rules_have_columns_too(full_sqlite_lab, make_url, tmp_path):
    export_bundle(full_sqlite_lab.store, tmp_path / "bundle.zip", background=Background.FULL)
    people = rows(unpacked(tmp_path / "bundle.zip")["participants.csv"])
    assert {name: value for name, value in people[0].items() if name.startswith("answer_")} == {
        "answer_age": "30",
        "answer_gear": "'=1+1",
        "answer_share": "0.1",
        "answer_who": "'@…",
    }
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "bundle.zip")
    other.close()

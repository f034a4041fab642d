"""Nobody's Slack ID, and no name that can be found, gets out with a bundle; nor when they took part."""

import csv
import io
import json
import re

import pytest

from storage.bundle import export_bundle, import_bundle
from storage.bundle.writing.texts import Redaction
from storage.database import Store
from storage.queries import people
from storage.schema.states import Background
from storage.schema.tables import Study
from storage.transitions import studies
from tests.storage.bundle.bundles import IDS, NAMES, unpacked
from tests.storage.conftest import NINE

TIMES = {
    f"{name}_seconds"
    for name in ("deadline", "grace_ends", "finished", "submitted", "started", "ended", "cancel_requested", "chosen")
}
"""The columns with times since the start of a session."""

SOMETHING_ELSE = (
    "CPU@2.20GHz",
    "accuracy @ 0.5",
    "learning rate 1e-3, WEIGHTS too high",
    "CLASSIFICATION of 10 classes",
    "AVX512, NVIDIA A100-SXM4-80GB",
)


def test_no_slack_id_and_no_name_is_in_any_byte(full_sqlite_lab, tmp_path):
    users = {f"U{number:04}" for number in range(1, full_sqlite_lab.invited + 1)}
    export_bundle(full_sqlite_lab.store, tmp_path / "bundle.zip", background=Background.FULL)
    for name, content in unpacked(tmp_path / "bundle.zip").items():
        text = content.decode()
        assert [each for each in (*IDS, *NAMES, *users) if each.casefold() in text.casefold()] == [], name
    assert "@… told me, and @… too" in unpacked(tmp_path / "bundle.zip")["trials.csv"].decode()


def test_texts_lose_people_and_nothing_else():
    redact = Redaction(["U0007"])
    for text in SOMETHING_ELSE:
        assert redact(text) == text
    for text, left in {
        "ask <@U05ABCDEF|ada> in <#C05ABCDEF|general>": "ask @… in @…",
        "<!subteam^S05ABCDE12> knows": "@… knows",
        "u0007 said": "@… said",
        "U05ABCDEF12 and WABCDEFGHI": "@… and @…",
        "write to ada.l+x@cs.example.org.": "write to @….",
        "@ada: no": "@…: no",
        "a\0b\r\nc\rd": "a\ufffdb\nc\nd",
    }.items():
        assert redact(text) == left
        assert redact(redact(text)) == left, "twice is the same as once"


def test_only_the_days_of_the_study_itself_are_told(full_sqlite_lab, tmp_path):
    export_bundle(full_sqlite_lab.store, tmp_path / "bundle.zip", background=Background.FULL)
    found = unpacked(tmp_path / "bundle.zip")
    for name, content in found.items():
        days = set(re.findall(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", content.decode())) - {
            "2030-03-31"
        }  # the codebook's example
        assert days <= (
            {"2030-03-01"} if name == "study.csv" else {"2030-03-03"} if name == "amendments.csv" else set()
        )
        assert re.findall(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", content.decode()) == [], name


def test_of_deleted_data_and_of_those_who_never_agreed_there_is_a_code_alone(full_sqlite_lab, tmp_path):
    export_bundle(full_sqlite_lab.store, tmp_path / "bundle.zip", background=Background.FULL)
    found = unpacked(tmp_path / "bundle.zip")
    people = {each["code"]: each for each in csv.DictReader(io.StringIO(found["participants.csv"].decode()))}
    told = ("months", "education", "group")
    withdrawn = [each for each in people.values() if each["state"] == "withdrawn"]
    assert sorted("".join(each[name] for name in told) == "" for each in withdrawn) == [False, True]
    (deleted,) = (each["code"] for each in withdrawn if not each["months"])
    (invited,) = (each["code"] for each in people.values() if each["state"] == "invited")
    assert not any(people[invited][name] for name in (*told, "task"))
    for name in ("sessions.csv", "trials.csv", "evaluations.csv", "epochs.csv", "final_choices.csv"):
        assert not re.search(rf"^(?:{deleted}|{invited}),", found[name].decode(), re.MULTILINE)


@pytest.mark.usefixtures("drawn_codes")
def test_nobody_has_their_code_of_the_database_nor_their_place_in_it(make_url, lab_of, tmp_path):
    lab = lab_of(Store(make_url("sqlite")))
    lab.seats = 99
    for number in range(12):
        session = lab.seated()
        lab.tried(session, float(number))
    ours = [each.code for each in people.people(lab.store, 1)]
    with lab.store.write() as transaction:
        transaction.get(Study, 1).rules = json.dumps({"note": f"as {ours[0]} asked"})
    bundles = [exported(lab.store, tmp_path / f"{number}.zip") for number in range(2)]
    for bundle in bundles:
        told = " ".join(bundle.values())
        assert [code for code in ours if code in told] == []
        assert "as @… asked" in bundle["study.csv"]
    codes, accuracies = zip(*(in_order(each) for each in bundles), strict=True)
    assert not set(codes[0]) & set(codes[1])
    assert list(codes[0]) == sorted(codes[0])
    assert sorted(accuracies[0]) == sorted(accuracies[1]) == [float(number) for number in range(12)]
    assert accuracies[0] != accuracies[1]
    lab.store.close()


def exported(store, path):
    export_bundle(store, path, background=Background.FULL)
    return {name: content.decode() for name, content in unpacked(path).items() if name.endswith(".csv")}


def in_order(bundle):
    found = list(csv.DictReader(io.StringIO(bundle["trials.csv"])))
    return [each["participant"] for each in found], [float(each["validation_accuracy"]) for each in found]


def test_times_are_whole_seconds(full_sqlite_lab, tmp_path):
    export_bundle(full_sqlite_lab.store, tmp_path / "bundle.zip", background=Background.FULL)
    found = unpacked(tmp_path / "bundle.zip")
    for name in ("sessions.csv", "trials.csv", "final_choices.csv"):
        for row in csv.DictReader(io.StringIO(found[name].decode())):
            times = {key: row[key] for key in row if key.endswith("_seconds") and key in TIMES and row[key]}
            assert [each for each in times.values() if not float(each).is_integer()] == [], (name, times)


@pytest.mark.parametrize("rules", ['{"study": {"name": "x, says <@U05PLANTED1>"}}', 'name = "see <@U05PLANTED1>"'])
def test_rules_that_name_somebody_lose_the_name(sqlite_store, make_url, tmp_path, rules):
    studies.prepare_study(sqlite_store, name="skill", rules=rules, rules_hash="r", now=NINE)
    export_bundle(sqlite_store, tmp_path / "bundle.zip", background=Background.FULL)
    assert not any(b"U05PLANTED1" in each for each in unpacked(tmp_path / "bundle.zip").values())
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "bundle.zip")
    other.close()

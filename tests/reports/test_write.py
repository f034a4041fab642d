"""A report on disk: whole, the same every time, replaced file by file, and without anybody's identity."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image
from sqlmodel import select

from reports.compute import compute
from reports.data.load import load
from reports.data.study_data import StudyData
from reports.figures import style
from reports.figures.catalogue import plates
from reports.naming import slug
from reports.pack import pack
from reports.results.as_json import to_json
from reports.results.study_results import StudyResults
from reports.summary import short
from reports.tables.catalogue import sheets
from reports.write import Report, UnknownPart, write_report, write_results
from storage.database import Store
from storage.refusals import Refused
from storage.schema.comments import Comment
from storage.schema.tables import Baseline, Identity, Participant, Researcher, TrialComment
from tests.reports.conftest import Simulated
from tests.reports.simulated_study import simulate

WRITTEN = date(2031, 5, 17)


@pytest.fixture(scope="session")
def results(ordinary: tuple[StudyData, StudyResults]) -> StudyResults:
    return ordinary[1]


@pytest.fixture(scope="module")
def written(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return write_results(results, tmp_path_factory.mktemp("report"), written=WRITTEN)


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_there_and_is_listed(written: Report, results: StudyResults) -> None:
    names = set(files_in(written.folder))
    figures = {f"figures/{name}.{kind}" for name in plates(results) for kind in ("png", "svg", "pdf")}
    tables = {f"tables/{name}.csv" for name in sheets(results)}
    assert names == {"report.html", "results.json"} | figures | tables
    assert {str(each.path.relative_to(written.folder)) for each in written.files} == names
    assert [each.path.name for each in written.files[:2]] == ["report.html", "results.json"]
    assert all(each.title and each.alt for each in written.files)
    assert (written.folder / "results.json").read_text() == to_json(results)
    with Image.open(written.folder / "figures" / "figure-4.png") as picture:
        assert picture.width == 990


def test_tables_hold_the_numbers_in_full(written: Report, results: StudyResults) -> None:
    with (written.folder / "tables" / "figure-4.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    points = results.tasks[0].final.default.points
    assert [row["code"] for row in rows] == [point.code for point in points]
    assert [float(row["accuracy"]) for row in rows] == pytest.approx([point.accuracy for point in points], rel=1e-11)
    for sheet in sheets(results).values():
        assert len({column.name for column in sheet.headings}) == len(sheet.headings), sheet.name
        assert all(len(row) == len(sheet.headings) for row in sheet.rows), sheet.name
        assert sheet.rows, sheet.name


@pytest.mark.parametrize("name", ["figure-4", "figure-9", "machines-difference", "table-2"])
def test_the_same_results_give_the_same_bytes(
    name: str, written: Report, results: StudyResults, tmp_path: Path
) -> None:
    write_results(results, tmp_path, only=name)
    again, before = files_in(tmp_path), files_in(written.folder)
    assert again == {path: before[path] for path in again}


def test_a_report_is_packed_whole_or_in_part(written: Report, tmp_path: Path) -> None:
    whole, tables = pack(written, tmp_path / "whole.zip"), pack(written, tmp_path / "tables.zip", folder="tables")
    in_folder = files_in(written.folder)
    for archive, expected in (
        (whole, in_folder),
        (tables, {name: content for name, content in in_folder.items() if name.startswith("tables/")}),
    ):
        with ZipFile(archive) as packed:
            assert {name: packed.read(name) for name in packed.namelist()} == expected


def test_a_name_becomes_a_part_of_file_names() -> None:
    assert slug("Black Magic, 2nd run!") == "black-magic-2nd-run"
    assert slug("???") == "study"


@pytest.mark.long
@pytest.mark.usefixtures("quick")
def test_from_a_database_with_progress(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "encode", lambda _figure, kind: b'<svg width="1pt" height="1pt"></svg>')
    simulate(store, participants=6, trials=60, random_settings=20)
    told: list[tuple[float, str]] = []
    report = write_report(store, tmp_path / "new" / "folder", progress=lambda share, what: told.append((share, what)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], told[-1]) == (0.0, (1.0, "done"))
    assert {"reading the study", "computing final accuracies", "drawing figure-4"} <= {what for _, what in told}
    assert report.results == compute(load(store))
    assert datetime.now(UTC).date().isoformat() in (report.folder / "report.html").read_text()


def test_one_figure_alone(results: StudyResults, tmp_path: Path) -> None:
    report = write_results(results, tmp_path, only="figure-4")
    assert set(files_in(tmp_path)) == {f"figures/figure-4.{kind}" for kind in ("png", "svg", "pdf")} | {
        "tables/figure-4.csv"
    }
    assert report.files[0].alt.startswith("Scatter plot of 31 people")
    with pytest.raises(UnknownPart, match=r"The report has no “figure-44”\. It has .*figure-3, figure-4, figure-5"):
        write_results(results, tmp_path, only="figure-44")


@pytest.mark.usefixtures("quick")
def test_one_figure_of_each_task(simulated: Simulated, tmp_path: Path) -> None:
    found = compute(simulated(participants=6, trials=30, tasks=("a", "b")))
    write_results(found, tmp_path, only="figure-3")
    assert {name for name in files_in(tmp_path) if name.endswith("png")} == {
        "figures/figure-3-a.png",
        "figures/figure-3-b.png",
    }


@pytest.mark.usefixtures("quick")
def test_what_an_earlier_report_had_and_this_one_has_not_is_gone(simulated: Simulated, tmp_path: Path) -> None:
    earlier = ("figures/figure-6-other-reading.svg", "figures/figure-6.svg", "tables/figure-4.csv")
    ours = ("figures/our-own.svg", "tables/figure-4-checked.csv", "notes.txt")
    for name in (*earlier, *ours):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("from before")
    write_results(compute(simulated(participants=0, trials=0)), tmp_path)
    now = files_in(tmp_path)
    assert earlier[0] not in now
    assert now[earlier[1]].startswith(b"<?xml")
    assert earlier[2] not in now, "nobody has a final accuracy"
    assert all(now[name] == b"from before" for name in ours), "they are not the report's"
    assert not [name for name in now if name.endswith(".part")]


def test_without_a_study_it_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="There is no study"):
        write_report(store, tmp_path / "report")
    assert not (tmp_path / "report").exists()


@pytest.mark.long
@pytest.mark.usefixtures("quick")
def test_nobody_is_named(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = style.encode  # what a figure says can be read in its SVG, and in no other of its files
    monkeypatch.setattr(style, "encode", lambda figure, kind: encode(figure, kind) if kind == "svg" else b"")
    simulate(store, participants=4, trials=40, random_settings=10, tpe=1)
    secrets = (b"U0SECRET01", b"D0SECRET01", b"U0RESEARCH", b"Ada Lovelace")
    with store.write() as transaction:
        person = transaction.exec(select(Participant).where(Participant.code == "P001")).one()
        person.answers = {**person.answers, "name": "Ada Lovelace <@U0SECRET01>"}
        transaction.add(Identity(participant_id=person.id, slack_user="U0SECRET01", slack_channel="D0SECRET01"))
        transaction.add(Researcher(slack_user="U0RESEARCH"))
        for comment in transaction.exec(select(TrialComment)):
            comment.comment, comment.text = Comment.OTHER, "as <@U0SECRET01> (Ada Lovelace) said"
        for baseline in transaction.exec(select(Baseline)):
            baseline.started_by = "U0RESEARCH"
    report = write_report(store, tmp_path / "report")
    for name, content in files_in(report.folder).items():
        for secret in secrets:
            assert secret not in content, name
    said = short(report.results)
    for secret in secrets:
        assert secret.decode() not in " ".join([said.headline, *said.lines])


def test_the_short_version_has_the_headlines_and_three_figures(results: StudyResults) -> None:
    said = short(results)
    assert said.headline.startswith("Simulated: 31 people, ")
    text = "\n".join(said.lines)
    assert said.lines[0].startswith("31 people finished (")
    for part in (
        "Final accuracy ",
        "ρ = ",
        "Levene’s test: novice and medium p",
        "Tries until half have reached 25 %: novice ",
        "Mean tries of those who reached it: ",
        "random search",
        "TPE",
    ):
        assert part in text.replace("\N{NO-BREAK SPACE}", " "), part
    assert [figure.name for figure in said.figures] == ["figure-4", "figure-7", "machines-tries"]
    assert not any("  " in line or line.endswith(" .") for line in said.lines)


@pytest.mark.usefixtures("quick")
def test_the_short_version_of_nothing(simulated: Simulated) -> None:
    said = short(compute(simulated(participants=0, trials=0)))
    assert said.headline == "Simulated: no people, no trials"
    assert said.lines[0].startswith("No people finished")
    assert said.figures == ()

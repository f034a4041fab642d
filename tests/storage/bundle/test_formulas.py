"""No cell of a bundle is a formula, whether a spreadsheet splits at commas or at semicolons; import undoes that."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlmodel import select

from storage.bundle import export_bundle, import_bundle
from storage.bundle.cells import Column, Kind
from storage.bundle.codebook import answer_columns, with_answers
from storage.bundle.formulas import guard, renewed, unguard
from storage.bundle.writing.readable import codebook_csv
from storage.database import Store
from storage.schema.states import Background
from storage.schema.tables import Study, TrialComment
from tests.storage.bundle.bundles import TRIALS, files, unpacked, zipped

PIECES = ("=", "+", "-", "@", "\t", "\r", "\n", ";", ",", "'", '"', " ", "a", "1", "＝", "=cmd|' /C calc'!A0", ";=1+1")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
)
FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")


def cells(line: str, separator: str) -> list[str]:
    """The cells of a line as a spreadsheet splits it: it sees quotation marks at the beginning of a cell alone."""
    return [cell for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator) for cell in row]


@given(TEXTS)
@example("a;'=b")
@example("\n=")
@example("'\t")
@example(';";"=x')
def test_a_text_reads_back_exactly_and_is_no_formula(text):
    assert unguard(guard(text)) == text
    column = Column("text", Kind.TEXT, "")
    assert (column.read(column.write(text)) or "") == text
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(["P001", 1, column.write(text)])
    assert not FORMULA.match(cells(written.getvalue(), ",")[-1])
    for separator in ";\t":
        for cell in cells(written.getvalue(), separator):
            assert not FORMULA.match(cell.lstrip(" \"'")) or cell.lstrip(' "').startswith("'")


def guarded_before(text: str) -> str:
    """As a bundle of format 1 has a text."""
    return f"'{text}" if re.match(r"'*[=+\-@\t\r\n＝＋－＠]", text) else text


@given(TEXTS)
@example("a;'=b")
@example("' =b")
@example("''=b")
def test_a_text_of_format_1_reads_back_exactly(text):
    assert renewed(guarded_before(text)) == guard(text)


@pytest.mark.parametrize(("written_as", "read"), [(1, "a;'=b"), (2, "a;=b")])
def test_a_bundle_is_read_as_it_was_written(make_url, tmp_path, written_as, read):
    heading, *rows = TRIALS.splitlines()
    trials = "\n".join([f"{heading},comment_epochs,text_epochs", *(f"{row},other,a;'=b" for row in rows)])
    study = f"""format,name,rules_hash,rules\n{written_as},x;'=y,h,{{}}\n"""
    store = Store(make_url("sqlite"))
    import_bundle(store, zipped(tmp_path / "bundle.zip", files(study=study, trials=trials)))
    with store.read() as transaction:
        assert set(transaction.exec(select(TrialComment.text))) == {read}
        assert transaction.exec(select(Study.name)).one() == read.replace("a;", "x;").replace("b", "y")
    store.close()


def test_words_stay_as_they_are():
    for text in ("a-b; c", "it's = so", "one\n\ntwo", "x; y", "1e-3; 1e-4", "a - b", '"so"; it said'):
        assert guard(text) == text
    assert guard("a\n- b") == "a\n'- b"
    assert guard("so;=HYPERLINK(1)") == "so;'=HYPERLINK(1)"


def test_the_codebook_holds_no_formula():
    questions = [
        {"name": "gear", "label": "=HYPERLINK(1)"},
        {"name": "skill", "label": "a;=1", "choices": ["=1", "-2"]},
    ]
    told = codebook_csv(with_answers(answer_columns({"questions": questions})))
    for separator in (",", ";", "\t"):
        assert [each for each in cells(told, separator) if FORMULA.match(each)] == []
    assert "'=HYPERLINK(1)" in told


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_table_of_a_study_holds_a_formula(full_sqlite_lab, make_url, tmp_path, separator):
    export_bundle(full_sqlite_lab.store, tmp_path / "bundle.zip", background=Background.FULL)
    for name, content in unpacked(tmp_path / "bundle.zip").items():
        if name.endswith(".csv"):
            found = [each for each in cells(content.decode(), separator) if FORMULA.match(each)]
            assert [
                each for each in found if not re.fullmatch(r"-?(?:[0-9.e+-]+|inf)(?:,.*)?", each, re.DOTALL)
            ] == [], name
    other = Store(make_url("sqlite"))
    import_bundle(other, tmp_path / "bundle.zip")
    other.close()

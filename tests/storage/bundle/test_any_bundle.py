"""Whatever is in a bundle: it is imported, or refused in sentences with nothing changed; never a traceback."""

import os
import random
from collections.abc import Iterator

import pytest
from sqlalchemy import func
from sqlmodel import select

from storage.bundle import BundleRefused, import_bundle
from storage.bundle.codebook import TABLES
from storage.bundle.table import Table
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import ParticipantState, SessionState, TrialState
from storage.schema.tables import Study
from tests.storage.bundle.bundles import EVALUATIONS, PEOPLE, TRIALS, zipped

CELLS = (
    "", " ", "0", "1", "2", "-1", "1e300", "1e999", "-inf", "nan", "inf", "0x1", "1_0", "١", "9" * 30, "1.5", "yes",
    "no", "P1", "P2", "p1", "R1", "T1", "USLACKBOT1", "sgd", "nll", "adam", "other", "guess", "person", "random",
    "tpe", "=1+1", "{}", "[", '"', '"\\ud800"', '"\\u0000"', "1e400", "\0", "é", "\U0001f600", "\ufeff",
    "x" * 301, "A" * 20_000,
    "2030-01-01", "9999-12-31", "0001-01-01", "2030-02-30", "AAAA", "AAAAAA==", "+", "';=", "\x1b[31m", "\u202e",
    *(str(each) for kind in (ParticipantState, SessionState, TrialState) for each in kind),
)  # fmt: skip
RULES = (
    "", "a", "[study]\nname=1", '[study]\nname="x\\u0000"', '[time]\nlimit_minutes=1e308', "[training]\nseed=1e30",
    "[training]\nseed=" + "9" * 5000, "a=" + "[" * 5000, '[study]\nname="' + "n" * 500 + '"', "d=1979-05-27T07:32:00Z",
    "[[questions]]\nname=1", '[[questions]]\nname="a"\nchoices=["1"]', "f=inf", "time=3", "questions=4",
    "questions=[[1]]",
)  # fmt: skip


def table(draw: random.Random, kind: Table) -> str:
    """A table with the columns that it needs and some others, and rows of which most cells are right."""
    columns = [each.name for each in kind.columns if each.required or draw.random() < 0.3]
    if draw.random() < 0.05:
        columns.append(draw.choice(CELLS))
    lines = [",".join(_quoted(each) for each in columns)]
    for _ in range(draw.randint(0, 4)):
        cells = [draw.choice(CELLS) for _ in columns]
        lines.append(",".join(_quoted(each) for each in cells[: draw.choice([len(cells)] * 9 + [1])]))
    return draw.choice(["\n"] * 9 + ["\r\n"]).join(lines) + draw.choice(["", "\n"])


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell


def bundles(seed: int, count: int) -> Iterator[dict[str, str | bytes]]:
    """Bundles that are right but for some of their tables."""
    draw = random.Random(seed)
    for _ in range(count):
        found: dict[str, str | bytes] = {
            "participants.csv": PEOPLE, "trials.csv": TRIALS, "evaluations.csv": EVALUATIONS
        }  # fmt: skip
        for kind in draw.sample(TABLES, draw.randint(0, 2)):
            found[kind.file] = table(draw, kind)
        for name in draw.sample(sorted(found), draw.randint(0, 1)):
            found[name] = mutated(draw, found[name])
        if draw.random() < 0.2:
            found["study.toml"] = draw.choice(RULES)
        if draw.random() < 0.05:
            found.pop(draw.choice(sorted(found)))
        yield found


def mutated(draw: random.Random, content: str | bytes) -> str | bytes:
    """One cell, or one byte, is another one."""
    text = content if isinstance(content, str) else content.decode()
    if draw.random() < 0.2:
        raw = bytearray(text.encode())
        if raw:
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        return bytes(raw)
    lines = text.split("\n")
    row = draw.randrange(len(lines))
    cells = lines[row].split(",")
    cells[draw.randrange(len(cells))] = _quoted(draw.choice(CELLS))
    lines[row] = ",".join(cells)
    return "\n".join(lines)


def studies_in(store: Store) -> int:
    with store.read() as transaction:
        return transaction.exec(select(func.count()).select_from(Study)).one()


def check(store: Store, path, seed: int, count: int) -> None:
    store.migrate()
    imported = 0
    for number, content in enumerate(bundles(seed, count)):
        bundle = zipped(path / "any.zip", content)
        try:
            imported += is_imported(store, bundle, imported)
        except Exception as error:
            error.add_note(f"Bundle {number} of the seed {seed}.")
            raise
        bundle.unlink()
    assert imported


def is_imported(store: Store, bundle, before: int) -> bool:
    """Whether it is. If not, that was said in sentences, and there are as many studies as before."""
    try:
        import_bundle(store, bundle)
    except Refused:  # of the same name as one before
        return False
    except BundleRefused as refused:
        said = str(refused)
        assert said.endswith((".", "?"))
        assert all(each.isprintable() for each in said.split("\n"))
        assert studies_in(store) == before
        return False
    return True


@pytest.mark.long
def test_a_few_hundred_bundles(sqlite_store, tmp_path):
    check(sqlite_store, tmp_path, 1, 200)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_ten_thousand_bundles(sqlite_store, tmp_path):
    check(sqlite_store, tmp_path, int.from_bytes(os.urandom(4)), 10_000)


@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_a_thousand_bundles_on_postgresql(store, tmp_path):
    check(store, tmp_path, int.from_bytes(os.urandom(4)), 1_000)

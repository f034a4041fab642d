"""What a small file can cost: memory and time stay in proportion to what a study can be."""

import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.bundle import BundleRefused, import_bundle
from storage.bundle.writing.texts import HIDDEN, Redaction
from tests.storage.bundle.bundles import EVALUATIONS, PEOPLE, TRIALS, files, zipped

MOST = 64 * 2**20
"""Bytes that an import may need more than that of a bundle with nothing in it."""

PROGRAM = """
import sys
from pathlib import Path
from storage.bundle import BundleRefused, import_bundle
from storage.database import Store
try:
    import_bundle(Store(f"sqlite:///{sys.argv[2]}"), Path(sys.argv[1]))
    print("imported")
except BundleRefused as refused:
    print(str(refused)[:300])
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) * 1024)
"""


def cost(path: Path) -> tuple[str, int]:
    """What an import says, and the most memory that its process had, in bytes."""
    command = [sys.executable, "-c", PROGRAM, str(path), str(path.with_suffix(".db"))]
    said, _, memory = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().rpartition("\n")
    )
    return said, int(memory)


EPOCHS = "participant,trial,seed,epoch,batch_losses\n"
ENVIRONMENTS = "environment,name,value\n"
AMENDMENTS = "name,reason,day,old_rules_hash,old_rules,rules_hash,rules\n"
MANY_TRIALS = (
    TRIALS.partition("\n")[0] + "\n" + "".join(f"P1,{number},5,64,nll,sgd,20\n" for number in range(1, 20_001))
)

COSTLY: dict[str, Callable[[], dict[str, str | bytes]]] = {
    "a cell of large characters": lambda: files(participants=PEOPLE + "P3," + "\U0001f600" * 2**23),
    "a cell of many lines": lambda: files(participants=PEOPLE + 'P3,"' + "1\n" * 2**24),
    "a row of many cells": lambda: files(participants=PEOPLE + '"a\n",' * 2**23),
    "a heading of many columns": lambda: files(participants="code,months," + ",".join(map(str, range(2**20)))),
    "a heading of one long name": lambda: files(participants="code,months," + "x" * 2**24),
    "a row of commas": lambda: files(trials=TRIALS + "," * 2**24),
    "long epochs": lambda: files(
        epochs=EPOCHS + "".join(f"P1,1,,{number},{'A' * (4 * 2**20)}\n" for number in range(1, 9))
    ),
    "as much as an epoch can have": lambda: files(
        epochs=EPOCHS + "".join(f"P1,1,,{number},{'AAAA' * 600_000}\n" for number in range(1, 25))
    ),
    "late epochs of many trials": lambda: files(
        trials=MANY_TRIALS,
        evaluations=EVALUATIONS.partition("\n")[0] + "\n",
        epochs=EPOCHS + "".join(f"P1,{number},,100000,\n" for number in range(1, 20_001)),
    ),
    "long rules": lambda: files(
        amendments=AMENDMENTS + "".join(f"{number},b,2030-01-01,x,{'y' * 2**18},y,z\n" for number in range(150))
    ),
    "long facts": lambda: files(environments=ENVIRONMENTS + f"1,a,{'1' * 10_000}\n" * 4000),
    "many studies": lambda: files(study="format,name,rules_hash,rules\n" + f"1,x,{'h' * 9000},{{}}\n" * 5000),
    "deep rules": lambda: files(study="format,name,rules_hash,rules\n1,x,h," + "[" * 200_000 + "\n"),
    "long texts": lambda: files(
        participants="code,months,education\n" + "".join(f"P{number},1,{'é' * 9_999}\n" for number in range(1, 1500))
    ),
    "many answers": lambda: files(
        participants="code,months," + ",".join(f"answer_{number}" for number in range(250)) + "\n"
        + "".join(f"P{number},1," + ",".join(["1" * 1000] * 250) + "\n" for number in range(1, 200)),
        trials=TRIALS, evaluations=EVALUATIONS,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def nothing(tmp_path_factory) -> int:
    """The memory that an import of a small bundle needs."""
    said, memory = cost(zipped(tmp_path_factory.mktemp("small") / "small.zip", files()))
    assert said == "imported"
    return memory


@pytest.mark.long
@pytest.mark.parametrize("what", COSTLY)
def test_no_small_bundle_takes_much_memory(tmp_path, nothing, what):
    path = zipped(tmp_path / "bomb.zip", COSTLY[what]())
    said, memory = cost(path)
    print(f"{what}: {path.stat().st_size / 2**10:,.0f} KiB, {(memory - nothing) / 2**20:,.0f} MiB more: {said!r}")
    assert memory - nothing < MOST
    assert said == "imported" or said.partition(" ")[0].endswith((".csv", ".csv,"))


def test_a_bundle_that_is_mostly_air_is_refused(sqlite_store, tmp_path):
    path = zipped(tmp_path / "bomb.zip", files(participants=PEOPLE + "P3," + "1" * 2**27))
    with pytest.raises(BundleRefused, match="more than 100 times as large when it is unpacked"):
        import_bundle(sqlite_store, path)


@pytest.mark.parametrize("large", [False, True])
def test_a_list_of_many_files_is_not_read(sqlite_store, tmp_path, large, monkeypatch):
    """In the usual form, and in that for more than 4 GiB."""
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(70_000 if large else 30_000):
            archive.writestr(str(number), b"")
    assert (b"PK\x06\x06" in path.read_bytes()) == large
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(BundleRefused, match=r"many\.zip holds too many files; 1000 is the most"):
        import_bundle(sqlite_store, path)


def test_an_end_that_lies_about_the_list_is_refused(sqlite_store, tmp_path):
    path = zipped(tmp_path / "lie.zip", files())
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, content.rfind(b"PK\x05\x06") + 12, 2**31)
    path.write_bytes(content)
    with pytest.raises(BundleRefused):
        import_bundle(sqlite_store, path)


PIECES = (
    "<@",
    "<!",
    "<#",
    "|",
    ">",
    "@",
    ".",
    "a",
    "U0",
    "A",
    "1",
    "-",
    "+",
    "subteam^",
    "W",
    "_",
    " ",
    "é",
    "\n",
    '"',
)


@pytest.mark.parametrize(
    "piece",
    [*PIECES, "a.", "a@", "<@A|", "<#A|b", "a@b.1", "U0A", "@a.", "<!subteam^", "a@b.c1.", "A-", "ABCDEFGHI", "1@1."],
)
def test_a_long_text_ends(piece):
    """Where the work grew as the square of the length, this would take the better part of an hour."""
    text = piece * (1_000_000 // len(piece))
    left = Redaction(["U05ABCDEF"])(text)
    assert left == text or HIDDEN in left


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_whatever_is_around_them_people_are_taken_out(text):
    redact = Redaction(["U05ABCDEF"])
    assert "U05ABCDEF" not in redact(text + " <@U05ABCDEF|ada> ")
    assert "ada@lab.example.org" not in redact(text + " ada@lab.example.org")

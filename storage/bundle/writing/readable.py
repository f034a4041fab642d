"""The files of a bundle that are for reading: the codebook, the rules as TOML, what was trained on."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import tomli_w

from storage.bundle.cells import Column, Kind
from storage.bundle.codebook import FORMAT
from storage.bundle.formulas import guard
from storage.bundle.table import Table
from storage.study_rules import without_nothing

_ABOUT = """\
What people of different experience did when they tuned the same network by hand: every setting that they tried, why
they chose each value, what came of it, and how well the settings that they ended with do on the test images. The paper
of this kind of study is *Black Magic in Deep Learning: How Human Skill Impacts Network Training*
(<https://arxiv.org/abs/2008.05981>).

## How the tables are written

- CSV in UTF-8, separated by commas, with a heading; lines end with a line feed. A text may have several lines.
- An empty cell is a missing value; the tables below say what it means. Numbers have a decimal point, and read back as
  the same number to the last bit. A loss may be `inf`, `-inf` or `nan`.
- Accuracies are in percent, times in seconds.
- What a spreadsheet would take for a formula in a text (`=`, `+`, `-` or `@` at its beginning, or after a semicolon, a
  tab or a line break in it) has a `'` before it. Import takes it away.

## How people are protected

- Participants have codes, which are drawn anew for each bundle, and rows are in the order of these codes. Who was whom
  is in no file, and neither is the log of what happened when.
- Times are counted from the start of each participant's own session, in whole seconds, and only the study's own days
  are dates. Nothing tells when somebody took part.
- In texts that people typed, mentions, e-mail addresses and everything that looks like a Slack ID are replaced by `@…`
  (and so is a word of nine capitals or more that begins with U or W). A name that somebody typed cannot be found by a
  program: read the columns `text_…` before you publish them.
- Who knows somebody's background may find them by it, so these data are not anonymous for everybody. {alike}
- Somebody who was invited and did not take part has a row with a code and nothing else. Of participants who withdrew,
  a bundle has what the rules say: everything, or a row with a code.

## Import

`blackmagic import FILE.zip --database URL` checks everything, and reads all or nothing. A bundle of your own needs only
what is marked *required* below: zip the tables, alone or in one folder. The least is

{least}

Other columns and tables may be left out, and each says what is assumed then. A column that is not named here is
refused, but for those of `participants.csv` that begin with `answer_`. What had not ended (sessions, trials,
evaluations) is imported as cancelled. Without `study.csv`, the rules are those of
`study.toml`, if it is there. `preregistration.json` is what was registered before the study opened, and
`preregistration.md` says it for a reader; only the first is read. `codebook.csv`, `codebook.md`, `croissant.json` and
`environment.txt` are not read.
"""


_NOTHING = "Here nothing of it is told."


def codebook_csv(tables: Sequence[Table]) -> str:
    """Every column of every table, as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "column", "meaning", "kind", "unit", "range", "required_for_import", "empty_cell"))
    for table in tables:
        for each in table.columns:
            required = "yes" if table.required and each.required else "with the table" if each.required else "no"
            empty = each.empty if each.empty is not None else "Not allowed."
            cells = (table.file, each.name, each.meaning, each.kind, each.unit, each.range, required, empty)
            writer.writerow(map(guard, cells))
    return text.getvalue()


_WITHHELD = """\
**The study was not closed when this bundle was made, so test results are not in it:** `evaluations.csv` has no rows,
and `epochs.csv` has none of evaluations.
"""


def codebook_markdown(study: str, tables: Sequence[Table], alike: str = "", *, withheld: bool = False) -> str:
    """The same for a reader, with how the bundle was made and what import needs.

    Args:
        alike: What is told of people's background, and how far it tells them apart; empty if nothing is.
        withheld: Whether test results are left out, because the study goes on.
    """
    least = "\n".join(
        f"- `{table.file}`: " + ", ".join(f"`{each.name}`" for each in table.columns if each.required)
        for table in tables
        if table.required
    )
    told = f"Here: {alike} (k is the size of the smallest group of people who are alike)." if alike else _NOTHING
    about = _ABOUT.format(least=least, alike=told)
    withheld_here = [_WITHHELD] if withheld else []
    parts = [f"# The data of the study “{study}”\n", *withheld_here, about, *(_section(each) for each in tables)]
    return "\n".join(parts)


def _section(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key)
    lines = [f"## {table.file}\n", f"{table.meaning} No two rows have the same {key}.\n"]
    if table.absent:
        lines.append(f"A bundle without it: {table.absent[0].lower()}{table.absent[1:]}\n")
    lines += ["| column | meaning | values | empty cell |", "|---|---|---|---|"]
    lines += [
        f"| {_name(each)} | {_cell(each.meaning)} | {_cell(_values(each))} | {_cell(_empty(each))} |"
        for each in table.columns
    ]
    return "\n".join(lines) + "\n"


def _name(column: Column) -> str:
    return f"`{column.name}`" + (", *required*" if column.required else "")


def _values(column: Column) -> str:
    if column.kind is Kind.CHOICE:
        return column.range
    unit = f" ({column.unit})" if column.unit else ""
    return f"{column.kind}{unit}" + (f": {column.range}" if column.range else "")


def _empty(column: Column) -> str:
    return column.empty if column.empty is not None else "not allowed"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def study_toml(study: str, rules: Mapping[str, Any]) -> str:
    """The rules as they would stand in a study file."""
    head = "# The rules of the study “{}”: what its study.toml said, but for where it ran.\n\n"
    return head.format(" ".join(study.split())) + tomli_w.dumps(without_nothing(rules), multiline_strings=False)


def environment_text(environments: Mapping[str, int], runs: Mapping[int, int]) -> str:
    """What was trained on.

    Args:
        environments: Numbers by environment, which is an object in JSON.
        runs: How many trials and evaluations each has.
    """
    lines = [f"What the trials and evaluations were trained on. (Format of the bundle: {FORMAT}.)"]
    for text, number in environments.items():
        count = runs.get(number, 0)
        lines += ["", f"Environment {number}: {count} {'run' if count == 1 else 'runs'}"]
        lines += [f"  {name}: {'–' if value is None else value}" for name, value in sorted(json.loads(text).items())]
    if not environments:
        lines += ["", "Nothing is known."]
    return "\n".join(lines) + "\n"

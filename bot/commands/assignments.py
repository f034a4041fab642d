"""``blackmagic assignments``: check who was assigned what against the secret that was published at closing."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.database import REFUSED, Unusable, told
from bot.commands.study_source import study_source
from storage.allocation import Assigned, Stratum, commitment_of, counts_disagree, disagreements, is_secret
from storage.database import Store
from storage.refusals import Reason, Refused
from storage.schema.tables import Study
from storage.study_rules import assigns, parse_rules
from storage.transitions import studies
from storage.transitions.assignment import assignments as assignments_of
from storage.transitions.assignment import counts, published_secret

_HEADINGS = ("sequence", "number", "option")
_MOST_SHOWN = 20


def assignments(
    study: Annotated[Path | None, typer.Option(metavar="STUDY.TOML", help="Whose study.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Another database, such as sqlite:///study.db.")
    ] = None,
    bundle: Annotated[Path | None, typer.Option(metavar="FILE.zip", help="A bundle, instead of a database.")] = None,
    name: Annotated[str | None, typer.Option(help="Which study of the database; the newest, unless named.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Write the list of assignments there.")] = None,
    listed: Annotated[
        Path | None, typer.Option("--list", metavar="FILE.csv", help="Check such a list, without a study.")
    ] = None,
    secret: Annotated[str | None, typer.Option(metavar="SECRET", help="The published secret, beside --list.")] = None,
) -> None:
    """Compute the assignment of tasks and arms again from the secret, and say whether it was followed."""
    with told(nothing="Nothing was written."):
        if (listed is None) != (secret is None):
            raise Unusable("Give --list and --secret together.")
        if listed is not None and secret is not None:
            if not is_secret(secret):
                raise Unusable("A secret has 64 hexadecimal digits in lower case.")
            found = _read(listed)
            _verdict(secret, disagreements(found, secret), f"The {len(found)} assignments are those of the secret.")
            return
        with study_source(study, database, bundle, name) as (store, study_id):
            _check_study(store, _study(store, study_id), out)


def _study(store: Store, study_id: int | None) -> Study:
    found = studies.newest_study(store) if study_id is None else studies.get(store, study_id)
    if found is None:
        raise Refused(Reason.NO_STUDY, "There is no study in this database yet.")
    return found


def _check_study(store: Store, study: Study, out: Path | None) -> None:
    """Check a study, and write its list of assignments.

    Raises:
        Refused: It is not closed (``STUDY_OPEN``), or nothing was assigned by a secret (``UNKNOWN``).
    """
    if not study.state.is_finished:
        raise Refused(Reason.STUDY_OPEN, f"The study “{study.name}” is not closed, so its secret is not published yet.")
    secret = published_secret(study)
    if secret is None or not assigns(parse_rules(study.rules)):
        raise Refused(Reason.UNKNOWN, f"In the study “{study.name}”, nothing was assigned by a secret.")
    found = assignments_of(store, study.id)
    if found:
        if out is not None:
            _write(out, found)
        _verdict(secret, disagreements(found, secret), f"The {len(found)} assignments are those of the secret.")
        return
    counted = counts(store, study.id)  # a bundle does not tell in which order people came
    if out is not None or not counted.by_sequence:
        raise Refused(Reason.UNKNOWN, "It is not known in which order people came, or who was in which group.")
    people = sum(sum(each.values()) for each in counted.by_sequence.values())
    agreed = (
        f"How often each task and arm was assigned follows from the secret ({people} assignments). A bundle does not "
        "tell in which order people came, so no more can be checked."
    )
    _verdict(secret, counts_disagree(counted.by_sequence, secret, unknown=counted.unknown), agreed)


def _verdict(secret: str, problems: Sequence[str], agreed: str) -> None:
    print(f"Secret: {secret}\nIts SHA-256, which was known before: {commitment_of(secret)}")
    if not problems:
        print(agreed)
        return
    for sentence in problems[:_MOST_SHOWN]:
        print(sentence, file=sys.stderr)
    if len(problems) > _MOST_SHOWN:
        print(f"… and {len(problems) - _MOST_SHOWN} more.", file=sys.stderr)
    raise typer.Exit(REFUSED)


def _write(path: Path, found: Sequence[Assigned]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADINGS)
        writer.writerows((each.sequence, each.number, each.option) for each in found)


def _read(path: Path) -> list[Assigned]:
    """The lines of a list.

    Raises:
        Unusable: It is no such list.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            found = [Assigned(row["sequence"], int(row["number"]), row["option"]) for row in rows]
        for each in found:
            Stratum.read(each.sequence)
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise Unusable(f"{path} is no list of assignments: it has the columns {', '.join(_HEADINGS)}.") from error
    return found

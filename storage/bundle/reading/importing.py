"""A bundle as a study in the database: checked as a whole, imported as a whole or not at all."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import select

from storage import events
from storage.allocation import is_secret
from storage.bundle import codebook
from storage.bundle.archive import ArchiveReader, Unreadable
from storage.bundle.codebook import FORMAT, MOST_NAME, STUDY, TABLES
from storage.bundle.reading.context import Context
from storage.bundle.reading.participants import Members
from storage.bundle.reading.problems import BundleRefused, Problem, Problems, shown
from storage.bundle.reading.rows import TableReader
from storage.bundle.reading.runs import Runs
from storage.database import Store, Transaction
from storage.queries import current
from storage.refusals import Reason, Refused
from storage.registration.document import Registration
from storage.schema.columns import utc
from storage.schema.states import Actor, Background, EventKind, StudyState
from storage.schema.tables import Amendment, Preregistration, Study
from storage.study_rules import canonical, hash_of, parse_rules, without_nothing
from training.numbers import format_number

_RULES = "study.toml"
_PREREGISTRATION = "preregistration.json"
_LONG_AGO = date(2000, 1, 1)
"""When a study opened that does not say."""


@dataclass(frozen=True)
class Imported:
    """What was read.

    Attributes:
        study_id, study: The new study; it is closed.
        rows: How many rows each table had that was there.
        assumed: What was made of tables that were not there, and of what had not ended, and which values the study's
            form does not accept, in sentences.
    """

    study_id: int
    study: str
    rows: Mapping[str, int]
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    name: str
    opened_on: date | None
    closed_on: date | None
    rules: str
    rules_hash: str
    written_as: int
    background: Background = Background.FULL
    assignment_secret: str | None = None


def import_bundle(
    store: Store, path: Path, *, now: datetime | None = None, progress: Callable[[str], None] = lambda _: None
) -> Imported:
    """Read a bundle into a database, as a closed study. The tables are brought to this version first.

    Args:
        now: The time of the import, for the event log; the present when it is not given.
        progress: Told the name of each table as it is begun.

    Raises:
        BundleRefused: Something is wrong with the bundle; it says what and where. Nothing was changed.
        Refused: There is a study of that name (``NAME_TAKEN``), or one that is not closed (``STUDY_OPEN``).
        OSError: The file cannot be read.
    """
    now = utc(now or datetime.now(UTC))
    problems = Problems()
    with ArchiveReader(path) as archive:
        _check_files(archive, problems)
        problems.refuse()
        header = _header(archive, problems, path.stem)
        problems.refuse()
        store.migrate()
        try:
            with store.write() as transaction:
                return _import(transaction, archive, problems, header, now, progress)
        except (IntegrityError, DataError) as error:
            sentence = f"contradicts itself, and was not imported: {shown(str(error.orig))}."
            raise BundleRefused([*problems.found, Problem(path.name, sentence)]) from error


def _import(
    transaction: Transaction,
    archive: ArchiveReader,
    problems: Problems,
    header: _Header,
    now: datetime,
    progress: Callable[[str], None],
) -> Imported:
    _need_room(transaction, header.name)
    start = datetime.combine(header.opened_on or _LONG_AGO, time(), UTC)
    rules = parse_rules(header.rules)
    context = Context(transaction, archive, problems, start, rules, header.written_as, progress, header.background)
    study = {
        "name": header.name,
        "state": StudyState.CLOSED,
        "current": None,
        "rules": header.rules,
        "rules_hash": header.rules_hash,
        "background": header.background,
        "prepared_at": start,
        "opened_at": start if header.opened_on else None,
        "closed_at": datetime.combine(header.closed_on, time(), UTC) if header.closed_on else None,
        "assignment_secret": header.assignment_secret,
    }
    context.study_id = context.insert_numbered(Study, [study])[0]
    members = Members(context)
    members.read()
    runs = Runs(context, members)
    runs.read()
    members.settle()
    _read_amendments(context)
    _read_looks(context)
    _read_preregistration(context)
    problems.refuse()
    events.record(
        transaction,
        at=now,
        actor=Actor.RESEARCHER,
        kind=EventKind.STUDY_IMPORTED,
        subject=f"study:{context.study_id}",
        participants=context.rows.get(codebook.PARTICIPANTS.name),
        trials=context.rows.get(codebook.TRIALS.name),
    )
    return Imported(
        context.study_id, header.name, context.rows, (*_assumed(archive), *_ended(context), *_beyond(context))
    )


def _check_files(archive: ArchiveReader, problems: Problems) -> None:
    """Every table that is needed is there, and every table that is there is known."""
    known = {each.file for each in TABLES} | {"codebook.csv"}
    for table in TABLES:
        if table.required and table.file not in archive:
            problems.add(table.file, "is missing, and is required.")
    for name in archive.names:
        if name.lower().endswith(".csv") and name not in known:
            problems.add(name, f"is not known here. The tables are: {', '.join(sorted(known))}.")


def _assumed(archive: ArchiveReader) -> tuple[str, ...]:
    return tuple(
        f"There is no {each.file}: {each.absent[0].lower()}{each.absent[1:]}"
        for each in TABLES
        if each.absent and each.file not in archive
    )


def _ended(context: Context) -> tuple[str, ...]:
    if not context.ended:
        return ()
    how_many = (
        "One session, trial or evaluation"
        if context.ended == 1
        else (f"{context.ended:,} sessions, trials and evaluations together")
    )
    return (f"{how_many} had not ended when the bundle was made: taken for cancelled.",)


def _beyond(context: Context) -> Iterator[str]:
    """Which values the study's form does not accept: with others, people may have entered anything."""
    for file, count in context.rows_beyond.items():
        if count:
            values = "; ".join(
                f"{name} ({len(found):,}, such as {format_number(max(found, key=abs))})"
                for (where, name), found in context.beyond.items()
                if where == file
            )
            rows = "1 row has" if count == 1 else f"{count:,} rows have"
            yield f"{file}: {rows} values that the study's form does not accept, kept as they are: {values}."


def _header(archive: ArchiveReader, problems: Problems, otherwise: str) -> _Header:
    """The study's name, days and rules: as its table says, else its rules, else the bundle's own name."""
    shown = _shown_rules(archive, problems)
    if STUDY.file not in archive:
        rules = canonical(shown)
        section = shown.get("study")
        named = section.get("name") if isinstance(section, Mapping) else None
        name = named if isinstance(named, str) and named else otherwise
        if len(name) > MOST_NAME or not name.isprintable():
            said = f"names the study in more than {MOST_NAME} characters, or in some that cannot be printed."
            problems.add(_RULES if named else "The bundle", said)
        return _Header(name, None, None, rules, hash_of(rules), FORMAT)
    found = list(islice(TableReader(archive, STUDY, problems).rows(), 2))
    problems.refuse()
    if len(found) != 1:
        problems.add(STUDY.file, f"has {'more than one row' if found else 'no rows'}; a bundle holds one study.")
        problems.refuse()
    written_as = found[0]["format"]
    row = next(TableReader(archive, STUDY, problems, written_as=written_as).rows())
    problems.refuse()
    if written_as > FORMAT:
        problems.add(STUDY.file, f"{written_as} is newer than this program: update Black Magic.", 2, "format")
    if not row["name"].isprintable():
        problems.add(STUDY.file, "has characters that cannot be printed.", 2, "name")
    rules = row["rules"] or ""
    if _RULES in archive and without_nothing(parse_rules(rules)) != shown:
        problems.add(_RULES, f"says other rules than {STUDY.file}: change both, or leave one of the two files out.")
    background = Background(row["background"] or Background.FULL)
    if (secret := row["assignment_secret"]) is not None and not is_secret(secret):
        problems.add(STUDY.file, "is no secret of 64 hexadecimal digits.", 2, "assignment_secret")
    return _Header(
        row["name"], row["opened_on"], row["closed_on"], rules, row["rules_hash"], written_as, background, secret
    )


def _shown_rules(archive: ArchiveReader, problems: Problems) -> dict[str, Any]:
    if _RULES not in archive:
        return {}
    try:
        return tomllib.loads(archive.text(_RULES))
    except Unreadable as error:
        problems.add(_RULES, str(error))
        return {}
    except (ValueError, RecursionError) as error:
        problems.add(_RULES, f"is not valid TOML: {shown(str(error))}.")
        return {}


def _need_room(transaction: Transaction, name: str) -> None:
    if transaction.exec(select(Study).where(Study.name == name)).first() is not None:
        raise Refused(
            Reason.NAME_TAKEN,
            f"This database has a study “{name}” already. Nothing was changed: import into a new database.",
        )
    running = current.find(transaction)
    if running is not None:
        raise Refused(
            Reason.STUDY_OPEN,
            f"This database belongs to the study “{running.name}”, which is not closed. Nothing was changed: import "
            "into a new database.",
        )


def _read_amendments(context: Context) -> None:
    names: set[str] = set()
    rows: list[dict[str, Any]] = []
    for row in context.table(codebook.AMENDMENTS):
        if row.wrong:
            continue
        name = row["name"]
        if name in names:
            context.problem(codebook.AMENDMENTS, f"“{shown(name)}” is there twice.", row, "name")
        names.add(name)
        rows.append(
            {
                "study_id": context.study_id,
                "name": name,
                "reason": row["reason"] or "",
                "at": datetime.combine(row["day"], time(), UTC),
                "old_rules_hash": row["old_rules_hash"],
                "old_rules": row["old_rules"] or "",
                "rules_hash": row["rules_hash"],
                "rules": row["rules"] or "",
            }
        )
        if context.is_full(rows):
            context.insert(Amendment, rows)
            rows = []
    context.insert(Amendment, rows)


def _read_looks(context: Context) -> None:
    """Looks at results are events: the report reads them in the event log."""
    for row in context.table(codebook.LOOKS):
        if row.wrong or context.problems:
            continue
        events.record(
            context.transaction,
            at=datetime.combine(row["day"], time(), UTC),
            actor=row["who"],
            kind=EventKind.INTERIM_LOOK,
            subject=f"study:{context.study_id}",
            what=row["what"] or "",
        )


def _read_preregistration(context: Context) -> None:
    if _PREREGISTRATION not in context.archive:
        return
    try:
        document = context.archive.text(_PREREGISTRATION)
        Registration.read(document)
    except Unreadable as error:
        context.problems.add(_PREREGISTRATION, str(error))
    except ValueError as error:
        context.problems.add(_PREREGISTRATION, f"cannot be read: {shown(str(error))}.")
    else:
        row = {"study_id": context.study_id, "at": context.start, "document": document}
        context.insert(Preregistration, [row])

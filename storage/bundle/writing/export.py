"""A study as a bundle of tables under codes, from the database into one zip file."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy import select as sa_select
from sqlmodel import col, select

from storage.bundle import codebook
from storage.bundle.archive import ArchiveWriter
from storage.bundle.codebook import ANSWER, FORMAT, PERSON, answer_columns, with_answers
from storage.bundle.table import Table
from storage.bundle.writing.background import Alike, alike_by_set, in_bundle, told_of
from storage.bundle.writing.croissant import croissant
from storage.bundle.writing.readable import codebook_csv, codebook_markdown, environment_text, study_toml
from storage.bundle.writing.texts import Redaction
from storage.database import Store, Transaction
from storage.private_files import make_anew
from storage.queries import current
from storage.queries.results import let_in_again, looks_in
from storage.refusals import Reason, Refused
from storage.registration.document import Registration, as_document
from storage.registration.markdown import markdown
from storage.schema import codes
from storage.schema.states import Background
from storage.schema.tables import (
    Amendment,
    Baseline,
    Epoch,
    Evaluation,
    FinalChoice,
    Identity,
    Participant,
    Preregistration,
    Researcher,
    Session,
    Study,
    Trial,
    TrialComment,
)
from storage.study_rules import assigns, parse_rules
from storage.transitions.assignment import published_secret
from training.hyperparameters import HYPERPARAMETERS

_AT_ONCE = 500
"""How many rows are in memory at a time."""

_CONFIGURATION = tuple(each.name for each in HYPERPARAMETERS)
_RUN = ("state", "reason", "attempts", "seconds", "images_per_second", "environment")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        study: The name of the study.
        rows: How many rows there are, by table, in the order of the codebook.
        size: The size of the zip file in bytes.
        background: How much of what people told of themselves is in it.
        alike: How far each set of background columns tells people apart.
    """

    study: str
    rows: Mapping[str, int]
    size: int
    background: Background
    alike: tuple[Alike, ...]

    def told(self) -> tuple[str, ...]:
        """What the bundle tells of people and how far that tells them apart, in lines; counts only, no codes."""
        has = in_bundle(self.alike, self.background)
        first = f"Of people's background it has: {has.columns}." if has else "Of people's background it has nothing."
        if not any(each.people for each in self.alike):
            return (first,)
        measured = (
            "How far each set of columns tells people apart (k: how many are in the smallest group of people alike):"
        )
        return (first, measured, *(f"• {each}" for each in self.alike))


def export_bundle(
    store: Store,
    path: Path,
    *,
    name: str | None = None,
    background: Background = Background.STANDARD,
    batch_losses: bool = True,
    test_results: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write a study as a bundle of tables, with codes instead of people.

    People have other codes in it than in the database, drawn anew for each bundle, and rows are in the order of these
    codes. But for this, the file is the same to the last byte for the same study.

    Nothing is changed in the database. A file of that name is replaced when the bundle is whole, and not before.

    Args:
        name: The study's name; without it the current study, or the newest.
        background: How much of what people told of themselves is in it; no more than the database has.
        batch_losses: Whether the loss of every batch is in it: most of its size.
        test_results: Whether evaluations of final choices are in it. A study that goes on may hide them.
        progress: Told the name of each file as it is begun.

    Raises:
        Refused: There is no such study (``UNKNOWN``), or none at all (``NO_STUDY``).
        OSError: The file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with store.read() as transaction:
            study = _find(transaction, name)
            background = background.no_more_than(study.background)
            people = transaction.exec(select(Participant).where(Participant.study_id == study.id))
            alike = alike_by_set(people, study.background)
            make_anew(unfinished)
            redact = Redaction([*_slack_ids(transaction), *_codes_of_people(transaction)])
            with ArchiveWriter(unfinished, redact) as archive:
                export = _Export(transaction, study, archive, redact, background, batch_losses, test_results, progress)
                export.write(in_bundle(alike, background))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    rows = {each.name: each.rows for each in archive.written if each.name.endswith(".csv")}
    counts = {each.name: rows[each.file] for each in codebook.TABLES}
    return Exported(study.name, counts, path.stat().st_size, background, alike)


def _find(transaction: Transaction, name: str | None) -> Study:
    if name is None:
        return current.need_newest(transaction)
    study = transaction.exec(select(Study).where(Study.name == name)).first()
    if study is None:
        raise Refused(Reason.UNKNOWN, f"There is no study “{name}” in this database.")
    return study


def _slack_ids(transaction: Transaction) -> list[str]:
    """All Slack IDs in the database, so that they can be found in what people wrote."""
    known = [*transaction.exec(select(Researcher.slack_user))]
    for user, channel in transaction.exec(select(Identity.slack_user, Identity.slack_channel)):
        known += [user, channel]
    return known


def _codes_of_people(transaction: Transaction) -> list[str]:
    """The codes that people have in the database: a researcher may have named one in a reason."""
    people = select(Participant.code).where(col(Participant.baseline_id).is_(None))
    return [code for code in transaction.exec(people) if codes.is_drawn(code)]


class _Export:
    def __init__(
        self,
        transaction: Transaction,
        study: Study,
        archive: ArchiveWriter,
        redact: Redaction,
        background: Background,
        batch_losses: bool,
        test_results: bool,
        progress: Callable[[str], None],
    ) -> None:
        self.transaction, self.study, self.archive, self.redact = transaction, study, archive, redact
        self.background, self.batch_losses, self.test_results = background, batch_losses, test_results
        self.progress = progress
        self.code_of = _new_codes(transaction, study)
        self.name, self.rules = redact(study.name), parse_rules(redact(study.rules))
        self.environments: dict[str, int] = {}
        self.trained: dict[int, int] = {}  # how many runs each environment has

    def write(self, alike: Alike | None) -> None:
        """Write all files.

        Args:
            alike: How far what the bundle tells of people tells them apart; none if it tells nothing.
        """
        answers = {
            name
            for given in self.transaction.exec(select(Participant.answers).where(Participant.study_id == self.study.id))
            for name, answer in (given or {}).items()
            if answer is not None and answer != ""
        }
        tables = with_answers(answer_columns(self.rules, answers) if self.background.has_answers else ())
        sources: Mapping[str, Callable[[], Iterator[Mapping[str, Any]]]] = {
            "study": self._study,
            "participants": self._participants,
            "baselines": self._baselines,
            "sessions": self._sessions,
            "trials": self._trials,
            "final_choices": self._final_choices,
            "evaluations": self._evaluations,
            "epochs": self._epochs,
            "amendments": self._amendments,
            "looks": self._looks,
            "environments": self._environments,
        }
        for table in tables:
            self._table(table, sources[table.name]())
        self.archive.text("study.toml", study_toml(self.name, self.rules))
        if document := self._preregistration():
            self.archive.text("preregistration.json", document)
            self.archive.text("preregistration.md", markdown(Registration.read(document)))
        self.archive.text("environment.txt", environment_text(self.environments, self.trained))
        self.archive.text("codebook.csv", codebook_csv(tables))
        told = "" if alike is None else str(alike)
        codebook = codebook_markdown(self.name, tables, told, withheld=not self.test_results)
        self.archive.text("codebook.md", codebook)
        self.progress("croissant.json")
        self.archive.text(
            "croissant.json", croissant(self.name, tables, self.archive.written, published=self.study.closed_at)
        )

    def _table(self, table: Table, rows: Iterator[Mapping[str, Any]]) -> None:
        self.progress(table.file)
        with self.archive.table(table) as writer:
            for row in rows:
                writer.write(row)

    def _study(self) -> Iterator[Mapping[str, Any]]:
        opened, closed = self.study.opened_at, self.study.closed_at
        yield {
            "format": FORMAT,
            "name": self.study.name,
            "opened_on": opened.date() if opened else None,
            "closed_on": closed.date() if closed else None,
            "rules_hash": self.study.rules_hash,
            "rules": self.study.rules,
            "background": self.background,
            "assignment_secret": published_secret(self.study) if assigns(self.rules) else None,
        }

    def _participants(self) -> Iterator[Mapping[str, Any]]:
        baselines = {
            each.id: each for each in self.transaction.exec(select(Baseline).where(Baseline.study_id == self.study.id))
        }
        again = let_in_again(self.transaction)
        for participant, code in self.code_of.items():
            each = self.transaction.need(Participant, participant)
            baseline = baselines[each.baseline_id] if each.baseline_id is not None else None
            told = told_of(each, Background.FULL if baseline else self.background, self.study.background)
            yield {
                "code": code,
                "months": told.months,
                "kind": PERSON if baseline is None else baseline.searcher,
                "baseline": None if baseline is None else baseline.code,
                "state": each.state,
                "consented": None if baseline else each.consented_at is not None,
                "consent_sha256": each.consent_hash,
                "let_in_again": None if baseline else f"participant:{participant}" in again,
                "described": None if baseline else each.described_at is not None,
                "education": told.education,
                "task": each.task,
                "group": told.group,
                "arm": each.arm,
                **{ANSWER + name: _plain(answer) for name, answer in (told.answers or {}).items()},
            }

    def _baselines(self) -> Iterator[Mapping[str, Any]]:
        query = select(Baseline).where(Baseline.study_id == self.study.id).order_by(col(Baseline.id))
        for each in self.transaction.exec(query):
            yield each.model_dump() | {"stopped": each.stopped_at is not None}

    def _sessions(self) -> Iterator[Mapping[str, Any]]:
        for code, session in self._owned_sessions():
            yield {
                "participant": code,
                "task": session.task,
                "seed": session.seed,
                "state": session.state,
                "limit_seconds": session.limit_seconds,
                "deadline_seconds": _since(session.started_at, session.deadline),
                "grace_ends_seconds": _since(session.started_at, session.grace_ends_at),
                "finished_seconds": _since(session.started_at, session.finished_at),
                "ended_as": session.ended_as,
                "given_back_seconds": session.given_back_seconds,
                "extended_seconds": session.extended_seconds,
                "arm": session.arm,
            }

    def _owned_sessions(self) -> Iterator[tuple[str, Session]]:
        for participant, code in self.code_of.items():
            query = select(Session).where(Session.participant_id == participant).order_by(col(Session.id))
            for session in self.transaction.exec(query):
                yield code, session

    def _trials(self) -> Iterator[Mapping[str, Any]]:
        own = ("id", "number", "validation_accuracy", "drawn", "suggestion", *_CONFIGURATION, *_RUN)
        times = ("submitted_at", "started_at", "ended_at", "cancel_requested_at")
        columns = [getattr(Trial, name) for name in (*own, *times)]
        for code, session in self._owned_sessions():
            query = sa_select(*columns).where(col(Trial.session_id) == session.id).order_by(col(Trial.number))
            for part in self.transaction.execute(query.execution_options(yield_per=_AT_ONCE)).partitions():
                comments = self._comments([row.id for row in part])
                for row in part:
                    yield {
                        **row._asdict(),
                        "participant": code,
                        "environment": self._environment(row),
                        **{
                            name.replace("_at", "_seconds"): _since(session.started_at, getattr(row, name))
                            for name in times
                        },
                        **comments.get(row.id, {}),
                    }

    def _comments(self, trials: list[int]) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        query = select(
            TrialComment.trial_id, TrialComment.hyperparameter, TrialComment.comment, TrialComment.text
        ).where(col(TrialComment.trial_id).in_(trials))
        for trial, name, comment, text in self.transaction.exec(query):
            found.setdefault(trial, {}).update({f"comment_{name}": comment, f"text_{name}": text or None})
        return found

    def _final_choices(self) -> Iterator[Mapping[str, Any]]:
        for code, session in self._owned_sessions():
            query = (
                select(Trial.number, FinalChoice)
                .select_from(FinalChoice)
                .outerjoin(Trial, col(FinalChoice.trial_id) == col(Trial.id))
                .where(FinalChoice.session_id == session.id)
            )
            for number, choice in self.transaction.exec(query):
                yield choice.values(choice.configuration) | {
                    "participant": code,
                    "trial": number,
                    "chosen_by": choice.chosen_by,
                    "chosen_seconds": _since(session.started_at, choice.chosen_at),
                }

    def _evaluations(self) -> Iterator[Mapping[str, Any]]:
        if not self.test_results:
            return
        columns = [getattr(Evaluation, name) for name in ("seed", "test_accuracy", *_RUN)]
        for code, session in self._owned_sessions():
            query = sa_select(*columns).join(FinalChoice).where(col(FinalChoice.session_id) == session.id)
            for row in self.transaction.execute(query.order_by(col(Evaluation.id))):
                yield {**row._asdict(), "participant": code, "environment": self._environment(row)}

    def _environment(self, row: Row[Any]) -> int | None:
        if not row.environment:
            return None
        text = self.redact(json.dumps(row.environment, sort_keys=True, ensure_ascii=False))
        number = self.environments.setdefault(text, len(self.environments) + 1)
        self.trained[number] = self.trained.get(number, 0) + 1
        return number

    def _epochs(self) -> Iterator[Mapping[str, Any]]:
        """Session by session, so that the order comes from the indexes and nothing large is sorted."""
        owners = [(code, session.id) for code, session in self._owned_sessions()]
        for code, session in owners:
            of_trials = (
                select(Trial.number, *self._epoch_columns())
                .select_from(Trial)
                .join(Epoch, col(Epoch.trial_id) == col(Trial.id))
                .where(col(Trial.session_id) == session)
                .order_by(col(Trial.number), col(Epoch.number))
            )
            yield from self._epochs_of(code, "trial", of_trials)
        for code, session in owners if self.test_results else ():
            of_evaluations = (
                select(Evaluation.seed, *self._epoch_columns())
                .select_from(Evaluation)
                .join(FinalChoice)
                .join(Epoch, col(Epoch.evaluation_id) == col(Evaluation.id))
                .where(col(FinalChoice.session_id) == session)
                .order_by(col(Evaluation.id), col(Epoch.number))
            )
            yield from self._epochs_of(code, "seed", of_evaluations)

    def _epoch_columns(self) -> list[Any]:
        shown = ["number", "training_loss", "validation_accuracy", "seconds"]
        return [getattr(Epoch, name) for name in ([*shown, "batch_losses"] if self.batch_losses else shown)]

    def _epochs_of(self, code: str, run: str, query: Any) -> Iterator[Mapping[str, Any]]:
        for row in self.transaction.execute(query.execution_options(yield_per=_AT_ONCE)):
            yield {
                "participant": code,
                run: row[0],
                "epoch": row[1],
                "training_loss": row[2],
                "validation_accuracy": row[3],
                "seconds": row[4],
                "batch_losses": row[5] if self.batch_losses else None,
            }

    def _amendments(self) -> Iterator[Mapping[str, Any]]:
        query = select(Amendment).where(Amendment.study_id == self.study.id).order_by(col(Amendment.id))
        for each in self.transaction.exec(query):
            yield each.model_dump() | {
                "day": each.at.date(),
                "old_rules": each.old_rules or None,
                "rules": each.rules,
            }

    def _looks(self) -> Iterator[Mapping[str, Any]]:
        for number, each in enumerate(looks_in(self.transaction, self.study.id), start=1):
            yield {"number": number, "day": date.fromisoformat(each.day), "who": each.who, "what": each.what or None}

    def _preregistration(self) -> str:
        """The preregistration, with every text redacted; empty if there is none."""
        row = self.transaction.get(Preregistration, self.study.id)
        return "" if row is None else as_document(_redacted(json.loads(row.document), self.redact))

    def _environments(self) -> Iterator[Mapping[str, Any]]:
        for text, number in self.environments.items():
            for name, value in json.loads(text).items():
                yield {"environment": number, "name": name, "value": json.dumps(value, ensure_ascii=False)}


def _redacted(value: Any, redact: Redaction) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(name): _redacted(each, redact) for name, each in value.items()}
    return [_redacted(each, redact) for each in value] if isinstance(value, list) else value


def _new_codes(transaction: Transaction, study: Study) -> dict[int, str]:
    """New codes of the people of a study, by participant, in the order of these codes; then artificial ones' own."""
    query = select(Participant.id, Participant.code, Participant.baseline_id).where(Participant.study_id == study.id)
    drawn: dict[int, str] = {}
    artificial: dict[int, str] = {}
    everybody = transaction.exec(query.order_by(col(Participant.id))).all()
    ours = [code for _, code, _ in everybody if codes.is_drawn(code)]
    for number, code, baseline in everybody:
        if baseline is None:
            drawn[number] = codes.draw(drawn.values(), unlike=ours)
        else:
            artificial[number] = code
    return dict(sorted(drawn.items(), key=lambda each: each[1])) | artificial


def _since(start: datetime, moment: datetime | None) -> float | None:
    """Whole seconds: to the millisecond, they would be those of messages in somebody's conversation."""
    return None if moment is None else float(round((moment - start).total_seconds()))


def _plain(answer: Any) -> str | int | float | None:
    if answer is None or answer == "":
        return None
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return answer if isinstance(answer, str | int | float) else json.dumps(answer, sort_keys=True, ensure_ascii=False)

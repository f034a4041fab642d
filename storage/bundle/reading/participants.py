"""Reads the participants of a bundle, their baselines and their sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import update

from storage import events
from storage.bundle.codebook import (
    ANSWER,
    BASELINES,
    PARTICIPANTS,
    PERSON,
    SESSIONS,
)
from storage.bundle.reading.context import Context
from storage.bundle.reading.rows import Row
from storage.bundle.table import Table
from storage.schema.states import Actor, EventKind, ParticipantState, Searcher, SessionEnd, SessionState, TrialState
from storage.schema.tables import Baseline, Participant, Session
from training.hyperparameters import Configuration

_PAPERS_MINUTES = 120
_UNKNOWN_TASK = "unknown"
_LETTERS: Mapping[Searcher, str] = {Searcher.RANDOM: "R", Searcher.TPE: "T"}


@dataclass(slots=True)
class Part:
    """A participant's session while it is read.

    Attributes:
        trials: Keys in the database, by the number of the trial; 0 for a trial that is refused.
        evaluations: Keys in the database, by the seed; 0 for one that is refused.
        best: The accuracy, number and values of the complete trial with the best validation accuracy.
        last: The number and values of the last trial.
    """

    id: int
    ended_at: datetime
    finished: bool
    settled: bool
    trials: dict[int, int] = field(default_factory=dict)
    unfinished: bool = False
    best: tuple[float, int, Configuration] | None = None
    last: tuple[int, Configuration] | None = None
    choice: int | None = None
    evaluations: dict[int, int] = field(default_factory=dict)

    def add(self, number: int, state: TrialState, accuracy: float | None, configuration: Configuration | None) -> None:
        """Note a trial that was read; its number in the database comes later."""
        self.trials[number] = 0
        if configuration is None:
            return
        if self.last is None or number > self.last[0]:
            self.last = (number, configuration)
        if state is TrialState.COMPLETE and accuracy is not None:
            better = self.best is None or (accuracy, -number) > (self.best[0], -self.best[1])
            self.best = (accuracy, number, configuration) if better else self.best


@dataclass(slots=True)
class Member:
    """A participant while the bundle is read."""

    code: str
    row: int
    searcher: Searcher | None
    state: ParticipantState
    task: str | None
    baseline: str | None
    arm: str | None = None
    let_in_again: bool = False
    id: int = 0
    part: Part | None = None


class Members:
    """Reads participants.csv, baselines.csv and sessions.csv."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._members: dict[str, Member] = {}
        self._baselines: dict[str, tuple[int, Searcher]] = {}
        self._own_baselines = not context.has(BASELINES)

    def read(self) -> None:
        """Read the three tables."""
        self._read_baselines()
        self._read_participants()
        self._read_sessions()

    def member(self, table: Table, row: Row) -> Member | None:
        """Whose row it is; ``None`` when that is nobody, which is noted."""
        code = row["participant"]
        if code is None:
            return None
        found = self._members.get(code.casefold())
        if found is None or found.code != code:
            self._context.missing(PARTICIPANTS, table, f"“{code}” is not in {PARTICIPANTS.file}.", row, "participant")
            return None
        return found

    def part(self, table: Table, row: Row) -> tuple[Member, Part] | None:
        """Whose row it is, and in which session; one is made where the bundle tells of none."""
        member = self.member(table, row)
        if member is None:
            return None
        if member.part is None:
            if self._context.has(SESSIONS):
                said = f"{member.code} has no session in {SESSIONS.file}."
                self._context.missing(SESSIONS, table, said, row, "participant")
                member.part = Part(0, self._context.start, finished=True, settled=True)
            else:
                member.part = self._add_session(member, {})
        return member, member.part

    def settle(self) -> None:
        """Say of sessions that left it open how they ended, and of made-up baselines how large they are."""
        if self._context.problems:
            return
        transaction = self._context.transaction
        for member in self._members.values():
            if member.part is not None and not member.part.settled and member.part.choice is not None:
                chosen = update(Session).where(Session.id == member.part.id)  # type: ignore[arg-type]
                transaction.execute(chosen.values(ended_as=SessionEnd.CHOSEN))
        if self._own_baselines:
            for code, (number, searcher) in self._baselines.items():
                of_it = [each for each in self._members.values() if each.baseline == code]
                parts = [each.part for each in of_it if each.part is not None]
                drawn = sum(len(each.trials) for each in parts)
                wanted = drawn if searcher is Searcher.RANDOM else len(of_it)
                sized = update(Baseline).where(Baseline.id == number)  # type: ignore[arg-type]
                transaction.execute(sized.values(wanted=max(wanted, 1)))

    # --- baselines

    def _read_baselines(self) -> None:
        for row in self._context.table(BASELINES):
            code = row["code"]
            if code is None:
                continue
            if code in self._baselines:
                self._context.problem(BASELINES, f"“{code}” is there twice.", row, "code")
                continue
            searcher = Searcher(row["searcher"] or Searcher.RANDOM)
            values = {name: row[name] for name in ("task", "wanted", "tries", "seconds", "seed")}
            self._add_baseline(code, searcher, values, stopped=bool(row["stopped"]))

    def _add_baseline(self, code: str, searcher: Searcher, values: Mapping[str, Any], *, stopped: bool = False) -> None:
        start = self._context.start
        row = {
            **values,
            "study_id": self._context.study_id,
            "searcher": searcher,
            "code": code,
            "started_at": start,
            "started_by": str(Actor.RESEARCHER),
            "stopped_at": start if stopped else None,
        }
        self._baselines[code] = (self._context.insert_numbered(Baseline, [row])[0], searcher)

    def _baseline(self, row: Row, searcher: Searcher) -> str | None:
        """The code of an artificial participant's baseline; ``None`` when it cannot be, which is noted."""
        code: str | None = row["baseline"]
        if self._own_baselines:
            code = code or f"{_LETTERS[searcher]}1"
            if code not in self._baselines:
                task = row["task"] or _UNKNOWN_TASK
                values = {"task": task, "wanted": 1, "tries": None, "seconds": None, "seed": 0}
                self._add_baseline(code, searcher, values)
        if code not in self._baselines:
            said = f"“{code}” is not in {BASELINES.file}." if code else "is empty, and it is an artificial participant."
            self._context.missing(BASELINES, PARTICIPANTS, said, row, "baseline")
            return None
        if self._baselines[code][1] is not searcher:
            said = f"“{code}” is a baseline of {self._baselines[code][1]}, and the participant is of {searcher}."
            self._context.problem(PARTICIPANTS, said, row, "baseline")
            return None
        return code

    # --- participants

    def _read_participants(self) -> None:
        waiting: list[tuple[Member, dict[str, Any]]] = []
        for row in self._context.table(PARTICIPANTS):
            code = row["code"]
            if code is None:
                continue
            known = self._members.get(code.casefold())
            if known is not None:
                self._context.problem(PARTICIPANTS, f"“{code}” is in row {known.row} already.", row, "code")
                continue
            member = self._member(row)
            self._members[code.casefold()] = member
            waiting.append((member, self._participant(member, row)))
            if self._context.is_full(waiting):
                self._write_participants(waiting)
                waiting = []
        self._write_participants(waiting)

    def _write_participants(self, waiting: Sequence[tuple[Member, Mapping[str, Any]]]) -> None:
        numbers = self._context.insert_numbered(Participant, [values for _, values in waiting])
        for (member, _), number in zip(waiting, numbers, strict=True):
            member.id = number
            if member.let_in_again:  # an event: the report reads it in the event log
                events.record(
                    self._context.transaction,
                    at=self._context.start,
                    actor=Actor.RESEARCHER,
                    kind=EventKind.LET_IN_AGAIN,
                    subject=f"participant:{number}",
                    participant=member.code,
                )

    def _member(self, row: Row) -> Member:
        kind, months = row["kind"] or PERSON, row["months"]
        searcher = None if kind == PERSON else Searcher(kind)
        if searcher is not None or months is not None or "months" in row.wrong:
            otherwise = ParticipantState.DESCRIBED
        else:
            otherwise = ParticipantState.INVITED
        state = ParticipantState(row["state"] or otherwise)
        baseline = None
        if searcher is not None:
            baseline = self._baseline(row, searcher)
            if months is not None:
                self._context.problem(PARTICIPANTS, "is not empty, and it is an artificial participant.", row, "months")
        else:
            if row["baseline"] is not None:
                self._context.problem(PARTICIPANTS, "is not empty, and it is a person.", row, "baseline")
            needs_months = state is ParticipantState.DESCRIBED and self._context.background.has_months
            if needs_months and months is None and "months" not in row.wrong:
                self._context.problem(PARTICIPANTS, "is empty, and the person has described themselves.", row, "months")
        return Member(
            row["code"],
            row.number,
            searcher,
            state,
            row["task"],
            baseline,
            row["arm"],
            row["let_in_again"] is True and searcher is None,
        )

    def _participant(self, member: Member, row: Row) -> dict[str, Any]:
        start = self._context.start
        withdrawn = member.state is ParticipantState.WITHDRAWN
        described = member.state is ParticipantState.DESCRIBED or (withdrawn and row["months"] is not None)
        far = {
            "consented": member.searcher is None and member.state is not ParticipantState.INVITED,
            "described": member.searcher is None and described,
        }
        far |= {name: row[name] for name in far if row[name] is not None}
        return {
            "study_id": self._context.study_id,
            "code": member.code,
            "state": member.state,
            "invited_at": start,
            "consented_at": start if far["consented"] else None,
            "consent_hash": row["consent_sha256"],
            "described_at": start if far["described"] else None,
            "months": row["months"],
            "education": row["education"],
            "answers": {
                name.removeprefix(ANSWER): value
                for name, value in row.values.items()
                if name.startswith(ANSWER) and value is not None
            },
            "withdrawn_at": start if withdrawn else None,
            "task": member.task,
            "block_group": row["group"],
            "arm": member.arm,
            "baseline_id": self._baselines[member.baseline][0] if member.baseline else None,
        }

    # --- sessions

    def _read_sessions(self) -> None:
        for row in self._context.table(SESSIONS):
            member = self.member(SESSIONS, row)
            if member is None:
                continue
            if member.part is not None:
                self._context.problem(SESSIONS, f"{member.code} has a session already.", row, "participant")
                continue
            self._check_session(row)
            member.part = self._add_session(member, row.values)

    def _check_session(self, row: Row) -> None:
        state = SessionState(row["state"] or SessionState.FINISHED)
        if state is SessionState.CHOOSING and row["grace_ends_seconds"] is None:
            self._context.problem(SESSIONS, "is empty, and the final choice is open.", row, "grace_ends_seconds")
        for column in ("finished_seconds", "ended_as"):
            if not state.is_finished and row[column] is not None:
                self._context.problem(SESSIONS, f"is not empty, and the session is {state}.", row, column)

    def _add_session(self, member: Member, given: Mapping[str, Any]) -> Part:
        """A session as far as it is told; the rest as the codebook says."""
        context = self._context
        if member.searcher is None and member.state in (ParticipantState.INVITED, ParticipantState.CONSENTED):
            said = f"{member.code} has a session and is only {member.state}: are the months of experience missing?"
            context.problems.add(PARTICIPANTS.file, said, member.row, "months")
        told = SessionState(given.get("state") or SessionState.FINISHED)
        context.ended += not told.is_finished
        limit = _or(given.get("limit_seconds"), 60 * context.rule("time", "limit_minutes", _PAPERS_MINUTES))
        deadline = context.moment(_or(given.get("deadline_seconds"), limit))
        finished = context.moment(given.get("finished_seconds")) or deadline
        # Nothing goes on in a study that is imported: what had not ended would take a seat here, and be trained.
        ended_as = given.get("ended_as") or (SessionEnd.EMPTY if told.is_finished else SessionEnd.CANCELLED)
        values = {
            "participant_id": member.id,
            "task": given.get("task") or member.task or _UNKNOWN_TASK,
            "seed": int(_or(given.get("seed"), context.rule("training", "seed", 0))),
            "state": SessionState.FINISHED,
            "started_at": context.start,
            "limit_seconds": limit,
            "deadline": deadline,
            "grace_ends_at": context.moment(given.get("grace_ends_seconds")),
            "finished_at": finished,
            "ended_as": SessionEnd(ended_as),
            "given_back_seconds": _or(given.get("given_back_seconds"), 0.0),
            "extended_seconds": _or(given.get("extended_seconds"), 0.0),
            "arm": given.get("arm") or member.arm,
        }
        number = context.insert_numbered(Session, [values])[0]
        settled = not told.is_finished or given.get("ended_as") is not None
        return Part(number, finished or context.start, told.is_finished, settled)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value

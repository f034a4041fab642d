"""A participant is assigned a task and an arm, when they have told their experience."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select

from storage.allocation import Assigned, Stratum, allocated, commitment_of, sequences_of
from storage.database import Store, Transaction
from storage.refusals import Reason, Refused
from storage.schema.assignment_table import Assignment
from storage.schema.tables import Amendment, Participant, Study
from storage.study_rules import arms_of, parse_rules, tasks_of


def assign(
    transaction: Transaction,
    participant: Participant,
    *,
    group: str,
    tasks: Sequence[str],
    arms: Sequence[str],
    block_seed: int | None,
) -> None:
    """Within a transaction: give the participant the next task of their group, and the next arm within both.

    The order follows from the study's secret (:mod:`storage.allocation`). A study that opened before studies had a
    secret goes on as it began: its order follows from ``block_seed``.

    Args:
        group: The group in which the rules put the participant.
        tasks, arms: The names of the study's tasks and arms, always in the same order; there may be no arms.
        block_seed: The seed of the order in a study without a secret.

    Raises:
        ValueError: There are arms, and the study has no secret.
    """
    secret = transaction.need(Study, participant.study_id).assignment_secret
    if secret is None:
        if arms:
            raise ValueError("A study without a secret cannot assign arms.")
        participant.task = _in_blocks(transaction, participant, tasks, group, block_seed or 0)
    else:
        of_tasks, _ = sequences_of(group, tasks, arms, "")
        participant.task = tasks[0] if of_tasks is None else _next(transaction, participant, of_tasks, secret)
        _, of_arms = sequences_of(group, tasks, arms, participant.task)
        participant.arm = None if of_arms is None else _next(transaction, participant, of_arms, secret)
    participant.block_group = group


def assignments(store: Store, study_id: int) -> list[Assigned]:
    """All assignments of a study, sequence by sequence in the order of their numbers. No line says whose it is."""
    query = select(Assignment.sequence, Assignment.number, Assignment.option).where(Assignment.study_id == study_id)
    with store.read() as transaction:
        rows = transaction.exec(query.order_by(col(Assignment.sequence), col(Assignment.number))).all()
    return [Assigned(*row) for row in rows]


@dataclass(frozen=True)
class Counts:
    """How many people of each stratum were assigned what.

    Attributes:
        by_sequence: The number of people by sequence and option.
        unknown: How many more were assigned something, whose group is not known.
    """

    by_sequence: Mapping[str, Mapping[str, int]]
    unknown: int


def counts(store: Store, study_id: int) -> Counts:
    """Count the assignments of a study by the people who have them, as in a bundle, which has no list of them.

    Raises:
        Refused: The tasks were amended, so it is not known from which sequence each person's came (``UNKNOWN``).
    """
    with store.read() as transaction:
        rules = parse_rules(transaction.need(Study, study_id).rules)
        tasks, arms = tasks_of(rules), arms_of(rules)
        amended = transaction.exec(select(Amendment.old_rules).where(Amendment.study_id == study_id))
        if any(tasks_of(parse_rules(old)) != tasks for old in amended):
            raise Refused(Reason.UNKNOWN, "The tasks were amended, so it is not known what was drawn from which.")
        query = select(Participant.block_group, Participant.task, Participant.arm).where(
            Participant.study_id == study_id, col(Participant.baseline_id).is_(None), col(Participant.task).is_not(None)
        )
        found: dict[str, Counter[str]] = defaultdict(Counter)
        unknown = 0
        for group, task, arm in transaction.exec(query):
            if group is None or task is None:
                unknown += 1
                continue
            for stratum, option in zip(sequences_of(group, tasks, arms, task), (task, arm), strict=True):
                if stratum is not None and option is not None:
                    found[stratum.sequence][option] += 1
        return Counts(found, unknown)


def commitment(study: Study) -> str | None:
    """SHA-256 of the study's secret, which may be published at once; ``None`` for a study without a secret."""
    return None if study.assignment_secret is None else commitment_of(study.assignment_secret)


def published_secret(study: Study) -> str | None:
    """The study's secret if it is closed; ``None`` before, and for a study without a secret."""
    return study.assignment_secret if study.state.is_finished else None


def _next(transaction: Transaction, participant: Participant, stratum: Stratum, secret: str) -> str:
    before = select(func.count()).where(
        col(Assignment.study_id) == participant.study_id, col(Assignment.sequence) == stratum.sequence
    )
    number = 1 + transaction.exec(before).one()
    option = allocated(secret, stratum, number)
    transaction.add(
        Assignment(
            study_id=participant.study_id,
            participant_id=participant.id,
            sequence=stratum.sequence,
            number=number,
            option=option,
        )
    )
    transaction.flush()
    return option


def _in_blocks(
    transaction: Transaction, participant: Participant, tasks: Sequence[str], group: str, block_seed: int
) -> str:
    before = select(func.count()).where(
        col(Participant.study_id) == participant.study_id, col(Participant.block_group) == group
    )
    block, position = divmod(transaction.exec(before).one(), len(tasks))
    order = list(tasks)
    random.Random(f"{block_seed}:{group}:{block}").shuffle(order)  # noqa: S311 (repeatable, not secret)
    return order[position]

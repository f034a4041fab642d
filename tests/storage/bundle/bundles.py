"""Bundles for the tests: a study with everything in it, zip files made by hand, and what is in a bundle."""

import math
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from storage import researchers
from storage.schema.comments import Comment, Remark
from storage.schema.states import TrialState
from storage.transitions import baselines, choices, jobs, participants, sessions, studies, trials
from storage.transitions.jobs import Ending, Job, PartialEpoch

IDS = ("U05PLANTED1", "W0PLANTEDXY", "D05PLANTED1", "U0RESEARCH1")
"""Slack IDs that a study with everything in it knows or was told."""

NAMES = ("Lovelace", "lab.example")

PEOPLE = "code,months\nP1,0\nP2,24.5\n"
TRIALS = (
    "participant,number,epochs,batch_size,loss,optimizer,validation_accuracy\n"
    "P1,1,5,64,nll,sgd,20.5\nP1,2,5,64,nll,sgd,31\nP2,1,10,32,cross_entropy,adam,55.25\nP2,2,10,32,cross_entropy,adam,\n"
)
EVALUATIONS = "participant,seed,test_accuracy\nP1,1,30\nP1,2,29.5\nP2,1,60\n"


def files(**changes: str | bytes | None) -> dict[str, str | bytes]:
    """The least that can be imported, with some files changed, added, or (None) left out.

    ``study_toml`` is study.toml; the others are tables.
    """
    known: dict[str, str | bytes | None] = {"participants": PEOPLE, "trials": TRIALS, "evaluations": EVALUATIONS}
    found = {**known, **changes}
    return {
        name.replace("_toml", ".toml") if name.endswith("_toml") else f"{name}.csv": content
        for name, content in found.items()
        if content is not None
    }


def zipped(path: Path, content: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in content.items():
            archive.writestr(name, each)
    return path


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def full_study(lab: Any) -> None:
    """Every kind of row, in every state that it can be in, with texts that must not get out as they are."""
    lab.seats = 50
    user = researchers.actor_of(lab.store, "U0RESEARCH1")
    researchers.note_command(lab.store, actor=user, text="invite U05PLANTED1", now=lab.now)
    first = _planted(lab)
    _trained(lab, first)
    lab.choose(first, 1)
    _evaluated(lab)
    studies.amend_study(
        lab.store,
        name="longer",
        reason='=HYPERLINK("x"), said <@U05PLANTED1|ada.lovelace>',
        rules='{"questions": [], "study": {"name": "skill"}}',
        rules_hash="b" * 64,
        actor=user,
        now=lab.later(days=2, seconds=1.25),
    )
    kept, deleted = lab.seated(), lab.seated()
    for session in (kept, deleted):
        lab.tried(session, 20.0)
    lab.withdraw(kept)
    lab.withdraw(deleted, delete_data=True)
    lab.invite()
    participants.consent(lab.store, lab.invite().id, consent_hash="c", now=lab.now)
    lab.described()
    by_clock, choosing = lab.seated(), lab.seated()
    for session in (by_clock, choosing):
        lab.tried(session, 33.0)
    lab.later(hours=3)
    lab.expire(by_clock)
    lab.later(hours=1)
    choices.choose_by_clock(lab.store, by_clock.id, seeds=lab.seeds, now=lab.now)
    lab.expire(choosing)
    cancelled, empty, running, waiting = (lab.seated() for _ in range(4))
    lab.submit(cancelled)
    sessions.cancel_session(lab.store, cancelled.id, actor=user, now=lab.later(minutes=5, microseconds=7))
    lab.later(hours=3)
    sessions.expire(lab.store, empty.id, grace=timedelta(minutes=1), now=lab.now)
    lab.later(minutes=2)
    choices.choose_by_clock(lab.store, empty.id, seeds=lab.seeds, now=lab.now)
    sessions.extend_by_researcher(lab.store, running.id, timedelta(hours=9), actor=user, now=lab.now)
    lab.give_back(waiting, hours=9)
    lab.submit(running, epochs=9)
    lab.later(seconds=0.1)
    lab.claim()
    stopping = lab.submit(waiting)
    trials.cancel(lab.store, stopping.id, now=lab.later(seconds=1))
    _searched(lab)
    lab.submit(waiting)


def _planted(lab: Any) -> Any:
    """Somebody whose Slack user and whose words are easy to find again, in a session."""
    somebody = participants.invite(lab.store, slack_user="U05PLANTED1", slack_channel="D05PLANTED1", now=lab.now)
    participants.consent(lab.store, somebody.id, consent_hash="c", now=lab.now)
    participants.describe(
        lab.store,
        somebody.id,
        months=7.25,
        education="Masters, “enrolled”\nor so <@W0PLANTEDXY>",
        answers={"age": 30, "gear": "=1+1", "share": 0.1, "none": "", "who": "ada@lab.example.org"},
        tasks=lab.tasks,
        group="medium",
        block_seed=5,
        now=lab.now,
    )
    session = lab.begin(somebody)
    words = (
        "=cmd|' /C calc'!A0",
        "'=quoted",
        "<@U05PLANTED1> told me, and <@W0PLANTEDXY|ada.lovelace> too",
        'a "word", a line\nand another',
        "mail ada@lab.example.org or @ada.lovelace or u05planted1 in D05PLANTED1",
        "－１ 🙂 ünï, W0PLANTEDXY",
    )
    trials.submit(
        lab.store,
        session.id,
        configuration=_configuration(learning_rate=0.1 + 0.2, optimizer="adam", epsilon=1e-7),
        comments={
            name: Remark(Comment.OTHER, text)
            for name, text in zip(("epochs", "batch_size", "loss", "optimizer", "beta1", "beta2"), words, strict=True)
        }
        | {"learning_rate": Remark(Comment.PAST)},
        now=lab.later(seconds=12.345678),
    )
    return session


def _configuration(**values: Any) -> Any:
    from tests.storage.conftest import configuration

    return configuration(**values)


def _trained(lab: Any, session: Any) -> None:
    """The planted trial complete, then one that diverges, one that fails, one that is cancelled."""
    environment = {"device": "cuda:0", "processor": "Some CPU @ 2.20GHz", "cuda": None, "threads": 2, "fast": True}
    job = lab.claim()
    _epochs(lab, job)
    lab.later(minutes=1)
    ending = Ending(TrialState.COMPLETE, 100 / 3, seconds=61.5, images_per_second=1e3 / 7, environment=environment)
    jobs.finish(lab.store, job, ending, now=lab.now)
    for state, reason in (
        (TrialState.DIVERGED, None),
        (TrialState.FAILED, "It broke; tell <@U05PLANTED1>."),
        (TrialState.CANCELLED, None),
    ):
        lab.submit(session, learning_rate=50)
        job = lab.claim()
        jobs.record_epoch(
            lab.store, job, epoch=1, batch_losses=[math.inf, -math.inf, math.nan], training_loss=math.nan,
            validation_accuracy=10.0, seconds=0.5,
        )  # fmt: skip
        partial = PartialEpoch(2, [1.5], 0.25)
        jobs.finish(
            lab.store, job, Ending(state, reason=reason, seconds=1.0, partial=partial), now=lab.later(seconds=9)
        )


def _epochs(lab: Any, job: Job) -> None:
    rng = np.random.default_rng(3)
    for epoch, loss in enumerate((math.inf, 1 / 3, 5e-324), start=1):
        jobs.record_epoch(
            lab.store,
            job,
            epoch=epoch,
            batch_losses=rng.standard_normal(7).astype(np.float32),
            training_loss=loss,
            validation_accuracy=None if epoch == 1 else 10.0 * epoch,
            seconds=1 / 7,
        )


def _evaluated(lab: Any) -> None:
    """Of the evaluations, most complete with epochs, one diverged, one failed; one waits."""
    for place in range(len(lab.seeds) - 1):
        job = lab.claim()
        _epochs(lab, job)
        if place < 7:
            ending = Ending(TrialState.COMPLETE, accuracy=50 + place / 3, seconds=2.0, environment={"device": "cpu"})
        else:
            ending = Ending(TrialState.DIVERGED if place == 7 else TrialState.FAILED)
        jobs.finish(lab.store, job, ending, now=lab.later(seconds=2))


def _searched(lab: Any) -> None:
    lab.start_random(3)
    tpe = lab.start_tpe()
    member = lab.member(tpe)
    baselines.submit(lab.store, member.id, _configuration(), now=lab.now)
    while (job := jobs.claim(lab.store, now=lab.now, slot=0)) is not None and job.participant != member_code(tpe):
        accuracy = 40.0
        jobs.finish(lab.store, job, Ending(TrialState.COMPLETE, accuracy=accuracy, seconds=3.0), now=lab.now)
    assert job is not None
    jobs.finish(lab.store, job, Ending(TrialState.COMPLETE, accuracy=44.0, seconds=3.0), now=lab.later(seconds=3))
    baselines.choose(lab.store, member.id, seeds=lab.seeds, now=lab.now)
    baselines.stop(lab.store, actor="researcher-1", now=lab.now)


def member_code(baseline: Any) -> str:
    return f"{baseline.code}-01"

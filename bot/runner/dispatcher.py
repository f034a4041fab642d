"""Gives waiting jobs to workers, and passes the workers' reports to storage and to the :class:`JobListener`.

One thread does all of it, so no job is given out twice. ``storage`` decides which job is next and how a job may end.
This loop decides which slot runs a job, and whether a slot's results are comparable with the others.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.exc import OperationalError

from bot.runner.running_jobs import RunningJob, RunningJobs
from bot.slack.lasting_thread import LastingThread
from storage.database import Store
from storage.refusals import Refused
from storage.schema.states import JobKind, TrialState
from storage.transitions import jobs, trials
from storage.transitions.jobs import Job, PartialEpoch
from training.trial import BatchLosses, Ending, Environment, EpochEnd, Outcome, Part, TrialRequest
from training.workers import Failed, Lost, Ready, Resumed, Started, Suspended, WorkerEvent, Workers

log = logging.getLogger(__name__)

_LISTEN_SECONDS = 0.05
"""How long the loop waits for a worker's event before it looks for waiting jobs."""

_RETRY_SECONDS = 1.0
"""The time between two attempts to write into a database that refuses it, for example because the disk is full."""


class JobListener(Protocol):
    """Receives the events of jobs, on the thread of the loop. Its methods must not wait for anything."""

    def job_moved(self, job: Job) -> None:
        """The job started or made progress."""

    def job_ended(self, job: Job) -> None:
        """The job has ended, in any final state."""

    def job_lost(self, job: Job) -> None:
        """The job's worker was lost; it runs again."""

    def job_failed(self, job: Job, failed: Failed) -> None:
        """The job ended with an error."""

    def slot_failed(self, slot: int, reason: str) -> None:
        """A slot cannot be used, or its idle worker was lost. Called once, until the slot is ready again."""

    def loop_failed(self, error: Exception) -> None:
        """The loop met an unexpected error, and goes on."""


class Dispatcher:
    """The loop between storage and workers.

    Args:
        store: The database, where jobs wait.
        workers: Run the jobs.
        running: The jobs that run. The dispatcher fills it.
        listener: Receives the events of jobs.
        now: The time, aware.
        mixed_devices: Whether slots may be used although their results differ in the last bits.

    Attributes:
        thread: The thread of the loop. It may be started again when it has died.
        turns: How often the loop has begun again. It does so many times a second, unless the database keeps it waiting.
    """

    def __init__(
        self,
        store: Store,
        workers: Workers,
        running: RunningJobs,
        listener: JobListener,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        mixed_devices: bool = False,
    ) -> None:
        self._store = store
        self._workers = workers
        self._listener = listener
        self._now = now
        self._running = running
        self._reported_slots: set[int] = set()
        self._mixed_devices = mixed_devices
        self._reference: Environment | None = None
        self._event: WorkerEvent | None = None  # the event that is being handled, until that is done
        self._in_trouble = False
        self._closing = threading.Event()
        self.thread = LastingThread("jobs", self._loop)
        self.turns = 0

    def start(self) -> None:
        """Start the workers and the loop."""
        latest = trials.latest_environment(self._store)
        self._reference = None if latest is None else Environment(**latest)
        self._workers.start()
        self._running.wake_dispatcher()
        self.thread.start()

    def close(self, within: float | None = None) -> None:
        """Stop the loop, in at most so many seconds, and the workers.

        Running jobs stay so in the database, and run again at the next start.
        """
        self._closing.set()
        if self.thread.is_alive():
            self.thread.join(within)
        self._workers.close()

    def _loop(self) -> None:
        while not self._closing.is_set():
            self.turns += 1
            try:
                self._turn()
                self._in_trouble = False
            except OperationalError as error:
                # The disk is full, or the database is away. Nothing may be lost, so the same event is tried again.
                self._report_once(error)
                self._running.wake_dispatcher()
                self._closing.wait(_RETRY_SECONDS)
            except Exception as error:  # the study must go on, and somebody must be told
                log.exception("the jobs loop met an error")
                self._give_up()
                self._listener.loop_failed(error)
                self._closing.wait(_RETRY_SECONDS)

    def _turn(self) -> None:
        """Handle one event, and give out jobs if the dispatcher was woken. An event stays until it is stored."""
        if self._event is None:
            self._event = self._workers.next_event(_LISTEN_SECONDS)
        if self._event is not None:
            self._handle(self._event)
            self._event = None
        if self._running.take_wake_up():
            self._assign()

    def _give_up(self) -> None:
        """Drop an event that cannot be handled. The job that it is about is spoilt: it runs again when it has ended.

        An event that ends a job is handled once more, as the end of a spoilt job. If that fails too, its slot is free,
        and the job waits for the next start of the bot.
        """
        event, self._event = self._event, None
        running = self._running.get(event.job or "") if event is not None else None
        if event is None or running is None:
            return
        ends = isinstance(event.message, Outcome | Failed | Lost)
        if running.is_spoilt and ends:
            log.error("%s runs again at the next start of the bot", running.job.key)
            self._running.remove(running)
            return
        running.is_spoilt = True
        if ends:
            self._event = event
        else:
            self._workers.stop(running.job.key)

    def _report_once(self, error: OperationalError) -> None:
        if not self._in_trouble:
            log.error("the database cannot be written; workers' reports are kept and wait: %s", error)
            self._listener.loop_failed(error)
        self._in_trouble = True

    def _assign(self) -> None:
        """Give waiting jobs to slots. Only a person's trial may suspend a job: an evaluation or a searcher's job."""
        busy: dict[int, list[RunningJob]] = {slot: [] for slot in self._running.ready}
        for running in self._running.all():
            if running.slot in busy:
                busy[running.slot].append(running)
        idle = [slot for slot, in_slot in busy.items() if not in_slot]
        suspendable = [slot for slot, in_slot in busy.items() if len(in_slot) == 1 and in_slot[0].gives_way]
        suspendable.sort(key=lambda slot: not busy[slot][0].job.of_searcher)  # people's evaluations are suspended last
        for slot in idle + suspendable:
            kinds = (JobKind.TRIAL, JobKind.EVALUATION) if slot in idle else (JobKind.TRIAL,)
            job = jobs.claim(self._store, now=self._now(), slot=slot, kinds=kinds)
            if job is None:
                if slot in idle:
                    return  # no job waits
                continue
            self._running.add(RunningJob(job, slot))
            part = Part.TRIAL if job.kind is JobKind.TRIAL else Part.EVALUATION
            self._workers.submit(slot, job.key, TrialRequest(job.task, job.configuration, job.seed, part))
            if self._is_unwanted(job):  # it was cancelled before its worker knew of it
                self._workers.stop(job.key)
            self._listener.job_moved(job)

    def _is_unwanted(self, job: Job) -> bool:
        if job.kind is not JobKind.TRIAL:
            return False
        try:
            return trials.get(self._store, job.id).cancel_requested_at is not None
        except Refused:  # its participant has left the study, and the trial was deleted
            return True

    def _handle(self, event: WorkerEvent) -> None:
        if isinstance(event.message, Ready):
            self._add_slot(event.slot, event.message)
            return
        if event.job is None:
            self._lose_slot(event)
            return
        running = self._running.get(event.job)
        if running is None:
            return
        if running.is_spoilt:
            self._end_spoilt(running, event)
            return
        match event.message:
            case BatchLosses():
                self._add_losses(running, event.message)
                self._notify(self._listener.job_moved, running.job)
            case EpochEnd():
                self._end_epoch(running, event.message)
                self._notify(self._listener.job_moved, running.job)
            case Outcome():
                self._end(running, _ending(event.message, _partial(running)))
            case Failed():
                log.error("%s failed in slot %s: %s", running.job.key, event.slot, event.message.detail)
                self._end(running, _failure(event.message, _partial(running)))
                self._notify(self._listener.job_failed, running.job, event.message)
            case Lost():
                self._running.ready.discard(event.slot)
                self._lose(running)
            case Started() | Resumed():
                with self._running.lock:
                    running.begin()
                self._notify(self._listener.job_moved, running.job)
            case Suspended():
                with self._running.lock:
                    running.pause()
                self._notify(self._listener.job_moved, running.job)

    def _end_spoilt(self, running: RunningJob, event: WorkerEvent) -> None:
        """Let a spoilt job that has ended run again. Until then, its events do not count."""
        if isinstance(event.message, Lost):
            self._running.ready.discard(event.slot)
        if isinstance(event.message, Outcome | Failed | Lost):
            self._lose(running)
            self._running.wake_dispatcher()

    def _notify(self, tell: Callable[..., None], *about: object) -> None:
        """Tell the listener. What it is told is stored, so an error of its own spoils nothing."""
        try:
            tell(*about)
        except Exception as error:  # the study must go on, and somebody must be told
            log.exception("an event of a job had no effect")
            self._listener.loop_failed(error)

    def _add_slot(self, slot: int, ready: Ready) -> None:
        """Use a slot that is ready, if its results are the same as those of the other slots, bit for bit."""
        environment = ready.environment
        self._reference = self._reference or environment
        differences = self._reference.differences(environment)
        if differences and not self._mixed_devices:
            self._report_slot(
                slot,
                f"Slot {slot} is not used, because its trials would not be comparable with the study's other trials "
                f"({'; '.join(differences)}). Name equal devices in machine.devices, or set machine.mixed_devices.",
            )
            return
        self._reported_slots.discard(slot)
        if ready.memory is not None:
            self._running.memory = max(ready.memory, self._running.memory or 0)
        self._running.ready.add(slot)
        self._running.wake_dispatcher()

    def _lose_slot(self, event: WorkerEvent) -> None:
        """Report an idle worker that is gone, or a worker that cannot start."""
        self._running.ready.discard(event.slot)
        if isinstance(event.message, Failed):
            log.error("the worker of slot %s cannot start: %s", event.slot, event.message.detail)
            reason = f"The worker of slot {event.slot} cannot start, and tries again. The log says why."
            self._report_slot(event.slot, reason)
        elif isinstance(event.message, Lost):
            self._report_slot(event.slot, event.message.reason)

    def _report_slot(self, slot: int, reason: str) -> None:
        if slot not in self._reported_slots:
            self._reported_slots.add(slot)
            self._listener.slot_failed(slot, reason)

    def _add_losses(self, running: RunningJob, message: BatchLosses) -> None:
        with self._running.lock:
            if message.epoch != running.epoch:
                running.epoch, running.batch_losses = message.epoch, []
            running.batch_losses.extend(message.losses)

    def _end_epoch(self, running: RunningJob, message: EpochEnd) -> None:
        jobs.record_epoch(
            self._store,
            running.job,
            epoch=message.epoch,
            batch_losses=running.batch_losses,
            training_loss=message.training_loss,
            validation_accuracy=message.accuracy,
            seconds=message.seconds,
        )
        with self._running.lock:
            running.epoch_losses.append(message.training_loss)

    def _end(self, running: RunningJob, ending: jobs.Ending) -> None:
        try:
            jobs.finish(self._store, running.job, ending, now=self._now())
        except Refused as refused:  # the job was cancelled or deleted, so its result is not needed
            log.info("%s: %s", running.job.key, refused)
            self._running.remove(running)
            return
        self._running.remove(running)
        self._notify(self._listener.job_ended, running.job)

    def _lose(self, running: RunningJob) -> None:
        how = "could not be stored" if running.is_spoilt else "was lost with its worker"
        log.warning("%s in slot %s %s, and runs again", running.job.key, running.slot, how)
        try:
            run = jobs.lost(self._store, running.job, now=self._now())
        except Refused as refused:
            log.info("%s: %s", running.job.key, refused)
            self._running.remove(running)
            return
        self._running.remove(running)
        self._notify(self._listener.job_lost, running.job)
        if run.state.is_finished:
            self._notify(self._listener.job_ended, running.job)


def _partial(running: RunningJob) -> PartialEpoch | None:
    """The epoch in which a run ended, if it ended within an epoch."""
    if running.epoch == len(running.epoch_losses) or not running.batch_losses:
        return None
    return PartialEpoch(running.epoch, tuple(running.batch_losses))


_STATES = {
    Ending.COMPLETE: TrialState.COMPLETE,
    Ending.DIVERGED: TrialState.DIVERGED,
    Ending.STOPPED: TrialState.CANCELLED,
}


def _ending(outcome: Outcome, partial: PartialEpoch | None) -> jobs.Ending:
    state = _STATES[outcome.ending]
    return jobs.Ending(
        state=state,
        accuracy=outcome.accuracy if state is TrialState.COMPLETE else None,
        seconds=outcome.seconds,
        images_per_second=outcome.images_per_second,
        environment={} if outcome.environment is None else asdict(outcome.environment),
        partial=partial,
    )


def _failure(failed: Failed, partial: PartialEpoch | None) -> jobs.Ending:
    return jobs.Ending(
        state=TrialState.FAILED,
        reason=failed.reason,
        partial=partial,
        our_fault=failed.fault == "ours",
    )

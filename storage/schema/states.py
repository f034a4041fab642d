"""The states that things go through, and who may act: the study's vocabulary."""

from enum import StrEnum


class StudyState(StrEnum):
    """Where a study is.

    Attributes:
        PREPARED: Not open yet: its rules may still change, and nobody can take part.
        OPEN: People are invited and sessions begin.
        PAUSED: No new sessions and no new participants; what runs goes on.
        CLOSED: Over for good; evaluations that wait still run.
    """

    PREPARED = "prepared"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"

    @property
    def is_finished(self) -> bool:
        """Whether nothing can begin in it any more."""
        return self is StudyState.CLOSED


class ParticipantState(StrEnum):
    """How far a participant has come.

    Attributes:
        INVITED: Known by a code, has agreed to nothing yet.
        CONSENTED: Has read and accepted the consent text.
        DESCRIBED: Has given experience and education, which are locked from then on.
        WITHDRAWN: Has left the study; the link to the Slack user is gone.
    """

    INVITED = "invited"
    CONSENTED = "consented"
    DESCRIBED = "described"
    WITHDRAWN = "withdrawn"


class SessionState(StrEnum):
    """Where a participant's timed part is.

    Attributes:
        ACTIVE: The clock runs; trials can be submitted. Holds a seat.
        CHOOSING: Time is up, the final choice is not made yet.
        FINISHED: Over, with a final choice or without one.
    """

    ACTIVE = "active"
    CHOOSING = "choosing"
    FINISHED = "finished"

    @property
    def is_finished(self) -> bool:
        """Whether the session is over."""
        return self is SessionState.FINISHED


class SessionEnd(StrEnum):
    """How a session ended.

    Attributes:
        CHOSEN: Its participant, or its searcher, made the final choice.
        CLOCK: The clock chose, after an unanswered grace period.
        EMPTY: Nothing was ever submitted, so there was nothing to choose.
        WITHDRAWN: Its participant left the study.
        CANCELLED: A researcher ended it, without a final choice.
    """

    CHOSEN = "chosen"
    CLOCK = "clock"
    EMPTY = "empty"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Searcher(StrEnum):
    """A program that takes part like a participant: random search, or Optuna's tree-structured Parzen estimator."""

    RANDOM = "random"
    TPE = "tpe"


class TrialState(StrEnum):
    """Where a trial, or an evaluation, is.

    Attributes:
        WAITING: Submitted, no slot has taken it yet (or the one that had lost it).
        RUNNING: A slot trains it.
        COMPLETE: Trained to the last epoch and measured.
        CANCELLED: Stopped before its end, by its participant or because the session ended.
        DIVERGED: Its loss became infinite or not a number.
        FAILED: It could not be trained; ``reason`` says why.
    """

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """Whether the state is final."""
        return self not in (TrialState.WAITING, TrialState.RUNNING)


class Chooser(StrEnum):
    """Who made a final choice: the participant, the clock after an unanswered grace period, or a searcher."""

    PARTICIPANT = "participant"
    CLOCK = "clock"
    SEARCHER = "searcher"


class JobKind(StrEnum):
    """What a slot can be given to train."""

    TRIAL = "trial"
    EVALUATION = "evaluation"


class Actor(StrEnum):
    """Who did something, where it was no participant (those appear under their code).

    Whoever runs the study in Slack appears as ``researcher-1``, ``admin-2``, …: see :mod:`storage.researchers`.
    """

    ADMIN = "admin"
    BOT = "bot"
    CLOCK = "clock"
    RESEARCHER = "researcher"
    SEARCHER = "searcher"
    WORKER = "worker"


class EventKind(StrEnum):
    """What the event log tells; the names say what happened to the event's subject."""

    STUDY_PREPARED = "study_prepared"
    STUDY_OPENED = "study_opened"
    STUDY_AMENDED = "study_amended"
    STUDY_PAUSED = "study_paused"
    STUDY_RESUMED = "study_resumed"
    STUDY_CLOSED = "study_closed"
    STUDY_IMPORTED = "study_imported"
    INVITED = "invited"
    CONSENTED = "consented"
    DESCRIBED = "described"
    WITHDRAWN = "withdrawn"
    IDENTITY_FORGOTTEN = "identity_forgotten"
    DATA_DELETED = "data_deleted"
    TASK_ASSIGNED = "task_assigned"
    LINED_UP = "lined_up"
    LEFT_LINE = "left_line"
    CALLED = "called"
    SESSION_BEGUN = "session_begun"
    SESSION_EXPIRED = "session_expired"
    SESSION_FINISHED = "session_finished"
    SESSION_CANCELLED = "session_cancelled"
    SESSION_WARNED = "session_warned"
    TIME_GIVEN_BACK = "time_given_back"
    TIME_EXTENDED = "time_extended"
    TRIAL_SUBMITTED = "trial_submitted"
    CANCEL_REQUESTED = "cancel_requested"
    CLAIMED = "claimed"
    STARTED = "started"
    ENDED = "ended"
    LOST = "lost"
    RETRIED = "retried"
    EVALUATIONS_ADDED = "evaluations_added"
    RECONCILED = "reconciled"
    BASELINE_STARTED = "baseline_started"
    BASELINE_STOPPED = "baseline_stopped"
    COMMANDED = "commanded"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"


class NoticeKind(StrEnum):
    """What a participant is to be told.

    Attributes:
        GREETING: What the study is about, with *I agree*.
        BACKGROUND: The questions about their experience.
        BRIEFING: The task, with *Start*.
        IN_QUEUE: Every seat is taken; details: ``position`` from 1, ``late`` (they came too late for a call).
        CALLED: A seat is kept for them.
        WARNING: Details: ``minutes`` that are left.
        TIME_IS_UP: The final choice is open; details: ``stopped``, the number of the trial that was stopped.
        THANKS: The session has ended with a final choice, or with nothing.
        TIME_GIVEN_BACK: Details: ``seconds``.
        TIME_EXTENDED: Details: ``seconds``.
        SESSION_CANCELLED: A researcher ended the session; details: ``stopped`` as above.
    """

    GREETING = "greeting"
    BACKGROUND = "background"
    BRIEFING = "briefing"
    IN_QUEUE = "in_queue"
    CALLED = "called"
    WARNING = "warning"
    TIME_IS_UP = "time_is_up"
    THANKS = "thanks"
    TIME_GIVEN_BACK = "time_given_back"
    TIME_EXTENDED = "time_extended"
    SESSION_CANCELLED = "session_cancelled"

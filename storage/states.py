"""The states that things go through, and who may act: the study's vocabulary."""

from enum import StrEnum


class StudyState(StrEnum):
    """Where a study is.

    Attributes:
        OPEN: People are invited and sessions begin.
        PAUSED: No new sessions and no new participants; what runs goes on.
        CLOSED: Over for good; evaluations that wait still run.
    """

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
    """Who made a final choice: the participant, or the clock after an unanswered grace period."""

    PARTICIPANT = "participant"
    CLOCK = "clock"


class JobKind(StrEnum):
    """What a slot can be given to train."""

    TRIAL = "trial"
    EVALUATION = "evaluation"


class Actor(StrEnum):
    """Who did something, where it was no participant (those appear under their code)."""

    BOT = "bot"
    CLOCK = "clock"
    RESEARCHER = "researcher"
    WORKER = "worker"


class EventKind(StrEnum):
    """What the event log tells; the names say what happened to the event's subject."""

    STUDY_OPENED = "study_opened"
    STUDY_PAUSED = "study_paused"
    STUDY_RESUMED = "study_resumed"
    STUDY_CLOSED = "study_closed"
    INVITED = "invited"
    CONSENTED = "consented"
    DESCRIBED = "described"
    WITHDRAWN = "withdrawn"
    IDENTITY_FORGOTTEN = "identity_forgotten"
    LINED_UP = "lined_up"
    LEFT_LINE = "left_line"
    CALLED = "called"
    SESSION_BEGUN = "session_begun"
    SESSION_EXPIRED = "session_expired"
    SESSION_FINISHED = "session_finished"
    TIME_GIVEN_BACK = "time_given_back"
    TRIAL_SUBMITTED = "trial_submitted"
    CANCEL_REQUESTED = "cancel_requested"
    CLAIMED = "claimed"
    STARTED = "started"
    ENDED = "ended"
    LOST = "lost"
    RETRIED = "retried"
    RECONCILED = "reconciled"

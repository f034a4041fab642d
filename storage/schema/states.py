"""The vocabulary of a study: states, kinds of events and notices, and who acts."""

from enum import StrEnum


class StudyState(StrEnum):
    """How far a study is.

    Attributes:
        PREPARED: It is not open yet. Its rules may still change, and nobody can take part.
        OPEN: People are invited, and sessions begin.
        PAUSED: No session begins, and nobody new takes part. What runs goes on.
        CLOSED: It is over for good. Evaluations that wait still run.
    """

    PREPARED = "prepared"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"

    @property
    def is_finished(self) -> bool:
        """Whether the study is over."""
        return self is StudyState.CLOSED


class Background(StrEnum):
    """How much of what people told of themselves is in a study's data, from all of it to nothing.

    A database in which a study took place has all of it. An export may leave some of it out, and a study that was
    imported says so.

    Attributes:
        FULL: Months of deep-learning experience, education, and all answers, as they were told.
        STANDARD: Months as they were told, education in bands, no other answers.
        BANDED: The group (novice, medium, expert) instead of months, education in bands, no other answers.
        NONE: Neither months nor group, no education, no answers.
    """

    FULL = "full"
    STANDARD = "standard"
    BANDED = "banded"
    NONE = "none"

    @property
    def has_months(self) -> bool:
        """Whether the data tell months of experience."""
        return self in (Background.FULL, Background.STANDARD)

    @property
    def has_answers(self) -> bool:
        """Whether the data tell the answers to the study's own questions."""
        return self is Background.FULL

    def no_more_than(self, other: "Background") -> "Background":
        """The one of both that tells less."""
        order = list(Background)
        return max(self, other, key=order.index)


class ParticipantState(StrEnum):
    """How far a participant has come.

    Attributes:
        INVITED: They have a code, and have not agreed to anything yet.
        CONSENTED: They have accepted the consent text.
        DESCRIBED: They have told their experience and education, which are locked from then on.
        WITHDRAWN: They have left the study. The link to the Slack user is deleted.
    """

    INVITED = "invited"
    CONSENTED = "consented"
    DESCRIBED = "described"
    WITHDRAWN = "withdrawn"


class SessionState(StrEnum):
    """How far a session is.

    Attributes:
        ACTIVE: The clock runs, and trials can be submitted. The session takes a seat.
        CHOOSING: The time is up, and the final choice is not made yet.
        FINISHED: It is over, with a final choice or without one.
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
        CLOCK: The clock made the final choice, because the participant did not in the grace period.
        EMPTY: There is no final choice: nothing could be chosen, or it is the session of random search.
        WITHDRAWN: Its participant left the study.
        CANCELLED: A researcher ended it, without a final choice.
    """

    CHOSEN = "chosen"
    CLOCK = "clock"
    EMPTY = "empty"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Suggestion(StrEnum):
    """What became of suggested values that the form for a configuration showed.

    Attributes:
        SHOWN: The participant did not take them over.
        TAKEN: The participant took them over. They may have changed them afterwards.
    """

    SHOWN = "shown"
    TAKEN = "taken"


class Searcher(StrEnum):
    """A program that takes part like a participant: random search, or Optuna's tree-structured Parzen estimator."""

    RANDOM = "random"
    TPE = "tpe"


class TrialState(StrEnum):
    """How far a trial, or an evaluation, is.

    Attributes:
        WAITING: It was submitted, and no slot has it.
        RUNNING: A slot has it.
        COMPLETE: It was trained to the last epoch and measured.
        CANCELLED: It was stopped before its end, by its participant or because the session ended.
        DIVERGED: Its loss became infinite or not a number.
        FAILED: It could not be trained. ``reason`` says why.
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
    """Who made a final choice: the participant, the clock at the end of the grace period, or a searcher."""

    PARTICIPANT = "participant"
    CLOCK = "clock"
    SEARCHER = "searcher"


class JobKind(StrEnum):
    """What a slot can train."""

    TRIAL = "trial"
    EVALUATION = "evaluation"


class Actor(StrEnum):
    """Who did something, other than a participant. (The event log calls a participant by their code.)

    Somebody who runs the study in Slack is ``researcher-1``, ``admin-2``, …: see :mod:`storage.researchers`.
    """

    ADMIN = "admin"
    BOT = "bot"
    CLOCK = "clock"
    RESEARCHER = "researcher"
    SEARCHER = "searcher"
    WORKER = "worker"


class EventKind(StrEnum):
    """What happened to the subject of an event.

    Attributes:
        LET_IN_AGAIN: A researcher let somebody in who had left this study. The participant is the new one.
        LINED_UP: The participant joined the queue.
        RECONCILED: The bot has started, and has set right what was under way when it was last alive; details:
            ``crashed`` (whether it had not been stopped), ``down_seconds``, ``restarted`` trials and evaluations,
            ``sessions`` that got time back.
        BOT_STOPPED: The bot was stopped.
        CLOCK_SET: The machine's clock was set while the bot ran, and the moments of what is under way were moved with
            it; details: ``seconds`` (negative: set back), ``sessions``.
        INTERIM_LOOK: Somebody read test results before the study was closed; details: ``what``.
    """

    STUDY_PREPARED = "study_prepared"
    STUDY_OPENED = "study_opened"
    STUDY_AMENDED = "study_amended"
    STUDY_PAUSED = "study_paused"
    STUDY_RESUMED = "study_resumed"
    STUDY_CLOSED = "study_closed"
    STUDY_IMPORTED = "study_imported"
    INTERIM_LOOK = "interim_look"
    INVITED = "invited"
    LET_IN_AGAIN = "let_in_again"
    CONSENTED = "consented"
    DESCRIBED = "described"
    WITHDRAWN = "withdrawn"
    IDENTITY_FORGOTTEN = "identity_forgotten"
    DATA_DELETED = "data_deleted"
    TASK_ASSIGNED = "task_assigned"
    ARM_ASSIGNED = "arm_assigned"
    LINED_UP = "lined_up"
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
    ENDED = "ended"
    LOST = "lost"
    RETRIED = "retried"
    EVALUATIONS_ADDED = "evaluations_added"
    EVALUATIONS_CANCELLED = "evaluations_cancelled"
    RECONCILED = "reconciled"
    BOT_STOPPED = "bot_stopped"
    CLOCK_SET = "clock_set"
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
        IN_QUEUE: They are in the queue; details: ``position`` from 1, ``late`` (whether they came too late for a call).
        CALLED: A seat is kept for them.
        TRIAL_ENDED: A trial has ended; details: ``trial``, its id.
        WARNING: Time runs out; details: ``minutes`` before the deadline at which the warning was due.
        TIME_IS_UP: The final choice is open; details: ``stopped``, the number of the trial that was stopped.
        THANKS: The session has ended, with a final choice or because there was nothing to choose.
        TIME_GIVEN_BACK: They get time back that was lost through our fault; details: ``seconds``.
        TIME_EXTENDED: A researcher gave them more time; details: ``seconds``.
        SESSION_CANCELLED: A researcher ended the session; details: ``stopped`` as above.
    """

    GREETING = "greeting"
    BACKGROUND = "background"
    BRIEFING = "briefing"
    IN_QUEUE = "in_queue"
    CALLED = "called"
    TRIAL_ENDED = "trial_ended"
    WARNING = "warning"
    TIME_IS_UP = "time_is_up"
    THANKS = "thanks"
    TIME_GIVEN_BACK = "time_given_back"
    TIME_EXTENDED = "time_extended"
    SESSION_CANCELLED = "session_cancelled"

"""How a transition refuses what it is asked for."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a transition was refused, for the program."""

    UNKNOWN = "unknown"
    NO_STUDY = "no_study"
    RULES_DIFFER = "rules_differ"
    STUDY_NOT_OPEN = "study_not_open"
    STUDY_PAUSED = "study_paused"
    STUDY_CLOSED = "study_closed"
    STUDY_OPEN = "study_open"
    NOT_READY = "not_ready"
    STILL_RUNNING = "still_running"
    NOTHING_TO_AMEND = "nothing_to_amend"
    NAME_TAKEN = "name_taken"
    NOT_A_PERSON = "not_a_person"
    NOT_CONSENTED = "not_consented"
    ALREADY_CONSENTED = "already_consented"
    NOT_DESCRIBED = "not_described"
    LOCKED = "locked"
    WITHDRAWN = "withdrawn"
    LEFT_BEFORE = "left_before"
    NO_SEAT = "no_seat"
    SESSION_RUNNING = "session_running"
    HAD_SESSION = "had_session"
    SESSION_OVER = "session_over"
    TIME_IS_UP = "time_is_up"
    NOT_YET = "not_yet"
    TRIAL_UNFINISHED = "trial_unfinished"
    TRIAL_FINISHED = "trial_finished"
    ALREADY_STOPPING = "already_stopping"
    NO_SUCH_TRIAL = "no_such_trial"
    NOT_COMPLETE = "not_complete"
    NOT_RUNNING = "not_running"
    BASELINE_RUNNING = "baseline_running"
    NO_BASELINE = "no_baseline"
    RESULTS_HIDDEN = "results_hidden"
    PLAN_INCOMPLETE = "plan_incomplete"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"


class Refused(Exception):
    """The rules of the study do not allow a transition now. Nothing was changed.

    ``str(refused)`` is a few sentences for the person who asked.

    Attributes:
        reason: The same for the program.
    """

    def __init__(self, reason: Reason, sentence: str) -> None:
        self.reason = reason
        super().__init__(sentence)

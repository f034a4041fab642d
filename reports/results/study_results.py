"""The results of a study: of each task, and of all together.

*People* are those who are analysed: they finished a session with a final choice and did not withdraw.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.results.arms import ArmRule, Arms, AssignmentLine
from reports.results.further import Components, FollowUp, Importance, Machines, Regressions, SearchBehaviour
from reports.results.measures import Correlation, NotComputable, Reading
from reports.results.paper import (
    AccuracyAfterTries,
    Box,
    Comments,
    DefaultStart,
    Experience,
    FinalAccuracies,
    RandomSettings,
    Threshold,
)
from reports.results.registration import RegisteredAnalysis


@dataclass(frozen=True)
class GroupRule:
    """A group of people by months of deep-learning experience: above ``above`` and up to ``up_to`` (None: no end)."""

    name: str
    above: float | None
    up_to: float | None


@dataclass(frozen=True)
class AmendmentLine:
    """A change of the rules after the study opened, and the day of it (ISO).

    Attributes:
        changes: A line for each value that differs: ``time.limit_minutes: 120 → 90``.
    """

    name: str
    reason: str
    day: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MoreTime:
    """How many people a researcher gave more time, and the most minutes that one of them got."""

    people: int
    most_minutes: float


@dataclass(frozen=True)
class StudyHeader:
    """Which study, and by what rules.

    Attributes:
        opened: The day it opened (ISO); None when it has not yet.
        is_interim: Whether it has opened and is not closed.
        tasks: Their names, sorted. (Researchers may read them; participants may not.)
        limit_minutes: A session's time by the rules.
        limits_minutes: The different times that people's sessions had, ascending, without what was added later.
        more_time: Who was given more.
        evaluation_seeds: What each final choice is trained with.
        thresholds: Accuracies of figure 6, in percent.
        versions: Of what computed this: Python, NumPy, SciPy, scikit-learn.
        seed: What every resampling here follows from.
        left_out: What these data do not have of people's background, and what cannot be computed without it, in
            sentences; empty where they have everything.
        arms: The randomised conditions, in the order of the rules; empty for a study without.
        assignment: What the assignment of tasks and arms followed from; None if nothing was assigned by a secret.
    """

    name: str
    opened: str | None
    is_interim: bool
    rules_hash: str
    tasks: tuple[str, ...]
    limit_minutes: float
    limits_minutes: tuple[float, ...]
    more_time: MoreTime
    evaluation_seeds: tuple[int, ...]
    thresholds: tuple[float, ...]
    groups: tuple[GroupRule, ...]
    amendments: tuple[AmendmentLine, ...]
    versions: Mapping[str, str]
    seed: int
    left_out: str = ""
    arms: tuple[ArmRule, ...] = ()
    assignment: AssignmentLine | None = None


@dataclass(frozen=True)
class Counts:
    """How many there are.

    Attributes:
        invited, consented, described, began: People who came at least so far, also those who withdrew later.
        analysed: People with a finished session and a final choice, who did not withdraw.
        by_group: Of the analysed.
        unfinished: People who are in a session now.
        withdrawn: People who left; none of their numbers is in any figure.
        cancelled: People whose session a researcher ended without a final choice.
        empty: People who never submitted anything.
        chosen_by_clock: Of the analysed, those who let the time run out, so that the best trial was chosen for them.
        submitted: Trials of the analysed people: the paper's 463.
        different: Different configurations among them.
        trials: Of the analysed people, by state; every state is named.
        seconds_trained: In those trials, altogether.
        evaluations: Of the analysed people, by state.
        searcher_trials: By searcher (``random``, ``tpe``), then by state.
        artificial_participants: By searcher.
    """

    invited: int
    consented: int
    described: int
    began: int
    analysed: int
    by_group: Mapping[str, int]
    unfinished: int
    withdrawn: int
    cancelled: int
    empty: int
    chosen_by_clock: int
    submitted: int
    different: int
    trials: Mapping[str, int]
    seconds_trained: float
    evaluations: Mapping[str, int]
    searcher_trials: Mapping[str, Mapping[str, int]]
    artificial_participants: Mapping[str, int]


@dataclass(frozen=True)
class TaskResults:
    """Everything about one task; with one task in the study, about the study.

    Attributes:
        final: Figures 4 and 5, table 2: an evaluation that diverged or failed counts as 0 % (default), or is left out.
        random_settings: Figure 1: a setting that diverged or failed counts as 0 % (default), or is left out.
        thresholds: Figure 6: every submission is a try (default), or only complete ones are.
        importance: Of all trials (default), or of random settings only.
        arms: Like ``final``: an evaluation that diverged or failed counts as 0 % (default), or is left out.
    """

    task: str
    counts: Counts
    random_settings: Reading[RandomSettings | NotComputable]
    experience: Experience | NotComputable
    final: Reading[FinalAccuracies]
    thresholds: Reading[tuple[Threshold, ...]]
    after_tries: AccuracyAfterTries
    default_start: DefaultStart
    comments: Comments
    regressions: Regressions
    search: SearchBehaviour
    machines: Machines
    importance: Reading[Importance | NotComputable]
    components: Components | NotComputable
    follow_up: FollowUp | NotComputable
    arms: Reading[Arms | NotComputable]


@dataclass(frozen=True)
class Pooled:
    """All tasks of a study with several, with the task as a factor.

    Attributes:
        experience: Of months and final accuracies as ranked within their task; permutations stay within tasks.
        boxes: Final accuracy minus the mean of the task's people, by group, in percentage points.
        regressions: With a coefficient for each task but the first.
        n: People.
        arms: Like ``boxes``, by arm.
    """

    experience: Correlation | NotComputable
    boxes: Mapping[str, Box | NotComputable]
    regressions: Regressions
    n: int
    arms: Arms | NotComputable


@dataclass(frozen=True)
class StudyResults:
    """The whole report.

    Attributes:
        registered: What was registered, its primary test, and what deviated. All else is exploratory.
        counts: Over all tasks, with those who have none yet.
        tasks: By task name; a study without sessions has its rules' tasks here, and nothing computable in them.
        pooled: Of several tasks.
    """

    study: StudyHeader
    registered: RegisteredAnalysis
    counts: Counts
    tasks: tuple[TaskResults, ...]
    pooled: Pooled | NotComputable

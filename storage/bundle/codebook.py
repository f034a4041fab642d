"""The tables and columns of a bundle as data: export, import, codebook and Croissant metadata use them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from storage.bundle.cells import Column, Kind
from storage.bundle.shared_columns import ARM, LONGEST, PARTICIPANT, RUN, STATE, TASK, percent, since, words
from storage.bundle.table import Table
from storage.schema.comments import COMMENT_TEXTS, MOST_CHARACTERS, Comment
from storage.schema.states import (
    Background,
    Chooser,
    ParticipantState,
    Searcher,
    SessionEnd,
    SessionState,
    Suggestion,
)
from training.bounds import Bounds
from training.hyperparameters import HYPERPARAMETERS, Hyperparameter, format_value
from training.numbers import LARGEST_COUNT

FORMAT = 3
"""The version of the tables. A bundle says in which version it was written; import reads all of them."""

ANSWER = "answer_"
"""The names of columns for the study's own background questions begin with this."""

PERSON = "person"

MOST_NAME = 200
"""Characters of a study's name. (A study file may have 80.)"""


def _hyperparameter(each: Hyperparameter) -> Column:
    kind = {"choice": Kind.CHOICE, "integer": Kind.INTEGER, "real": Kind.REAL}[each.kind]
    used = "" if len(each.optimizers) == 6 else f" Used by {', '.join(sorted(each.optimizers))}; ignored with others."
    empty = None if each.mandatory else f"The default, {format_value(each.default or 0)}."
    return Column(
        each.name,
        kind,
        f"{each.label}.{used} {each.help}",
        choices=each.choices,
        required=each.mandatory,
        empty=empty,
        bounds="" if each.choices else each.accepted(Bounds.OPTIMIZER),
    )


CONFIGURATION: tuple[Column, ...] = tuple(_hyperparameter(each) for each in HYPERPARAMETERS)
"""The 15 hyperparameters, in the paper's order."""

COMMENTS: tuple[Column, ...] = tuple(
    column
    for each in HYPERPARAMETERS
    for column in (
        Column(
            f"comment_{each.name}",
            Kind.CHOICE,
            f"Why this value of {each.name} was chosen: "
            + "; ".join(f"{comment} – “{text}”" for comment, text in COMMENT_TEXTS.items())
            + " (in own words).",
            choices=words(Comment),
            empty="No comment was given.",
        ),
        Column(
            f"text_{each.name}",
            Kind.TEXT,
            f"The own words about {each.name}. People, addresses and Slack IDs in them are replaced by “@…”.",
            longest=MOST_CHARACTERS,
            empty="The comment is not “other”.",
        ),
    )
)

STUDY = Table(
    "study",
    "The study: one row.",
    (
        Column("format", Kind.INTEGER, "The version of these tables.", low=1, required=True),
        Column("name", Kind.TEXT, "The study's name.", required=True, longest=MOST_NAME),
        Column("opened_on", Kind.DAY, "The day it opened (UTC).", empty="It has not opened."),
        Column("closed_on", Kind.DAY, "The day it was closed (UTC).", empty="It was not closed yet."),
        Column("rules_hash", Kind.TEXT, "SHA-256 of the rules, as it is kept with the study.", required=True),
        Column(
            "rules",
            Kind.RULES,
            "The rules as canonical JSON: what study.toml says as TOML.",
            required=True,
            empty="None.",
        ),
        Column(
            "background",
            Kind.CHOICE,
            "How much of what people told of themselves is here: full (all of it), standard (months as they were told, "
            "education in bands, no other answers), banded (the group instead of months, education in bands, no other "
            "answers), none (nothing).",
            choices=words(Background),
            empty="All of it.",
        ),
        Column(
            "assignment_secret",
            Kind.TEXT,
            "What the assignment of tasks and arms followed from; `blackmagic assignments` computes it again.",
            longest=64,
            empty="Nothing was assigned by a secret, or the study is not closed yet.",
        ),
    ),
    key=("name",),
    absent="Named as in study.toml, else as the file; the rules are those of study.toml, or none are known and a "
    "report takes the paper's.",
)

PARTICIPANTS = Table(
    "participants",
    "A person who was invited, or an artificial participant.",
    (
        Column("code", Kind.CODE, "What the participant is called everywhere.", required=True),
        Column(
            "months",
            Kind.REAL,
            "Deep-learning experience, as told before the start.",
            unit="months",
            low=0,
            required=True,
            empty="Not told, deleted on withdrawal, left out of these data, or an artificial participant.",
        ),
        Column(
            "kind",
            Kind.CHOICE,
            "A person, or the program that took part: random search, or the tree-structured Parzen estimator.",
            choices=(PERSON, *words(Searcher)),
            empty="A person.",
        ),
        Column(
            "baseline",
            Kind.CODE,
            "The baseline that an artificial participant belongs to.",
            empty="A person; of an artificial participant: a baseline of its own kind.",
            refers=("baselines", "code"),
        ),
        Column(
            "state",
            Kind.CHOICE,
            "How far the participant came. Withdrawn means that they left the study. What they did is kept or deleted, "
            "as the rules and the consent text say.",
            choices=words(ParticipantState),
            empty="Described with months, else invited; an artificial one is described.",
        ),
        Column(
            "consented", Kind.FLAG, "Whether the person agreed to take part.", empty="As the state says; or artificial."
        ),
        Column(
            "consent_sha256", Kind.TEXT, "SHA-256 of the consent text that the person agreed to.", empty="Not known."
        ),
        Column(
            "let_in_again",
            Kind.FLAG,
            "Whether the person had left the study, and a researcher let them in again.",
            empty="No.",
        ),
        Column(
            "described",
            Kind.FLAG,
            "Whether the person told their experience.",
            empty="As the state says; or artificial.",
        ),
        Column(
            "education",
            Kind.TEXT,
            "The highest education. In bands: before_master (school, bachelor, or enrolled for a master) or "
            "master_or_more (master, doctorate).",
            empty="Not told, or left out of these data.",
        ),
        replace(TASK, meaning="The task that was assigned: the name of a data set with a network."),
        Column(
            "group",
            Kind.TEXT,
            "By months of experience and the rules, when they were told: novice, medium or expert. A report makes its "
            "groups from the months, where there are months.",
            empty="No months were told, or left out of these data.",
        ),
        ARM,
    ),
    key=("code",),
    required=True,
)

BASELINES = Table(
    "baselines",
    "A program's part in the study.",
    (
        Column("code", Kind.CODE, "What it is called.", required=True),
        Column("searcher", Kind.CHOICE, "Which program.", choices=words(Searcher), required=True),
        replace(TASK, required=True, empty=None),
        Column(
            "wanted",
            Kind.INTEGER,
            "How many settings random search draws, or how many artificial participants there are to be.",
            low=1,
            required=True,
        ),
        Column("tries", Kind.INTEGER, "Each artificial participant's budget of trials.", low=1, empty="No such limit."),
        Column("seconds", Kind.REAL, "Each one's budget of training.", unit="s", low=0, empty="No such limit."),
        Column("seed", Kind.INTEGER, "What all its draws follow from.", required=True),
        Column("stopped", Kind.FLAG, "Whether a researcher stopped it.", empty="No."),
    ),
    key=("code",),
    absent="Artificial participants are put together by their kind.",
)

SESSIONS = Table(
    "sessions",
    "A participant's timed part; everybody has one at most.",
    (
        PARTICIPANT,
        replace(TASK, empty="As in participants.csv."),
        Column(
            "seed", Kind.INTEGER, "What all trials of the session are trained with.", empty="As in the rules, else 0."
        ),
        Column(
            "state",
            Kind.CHOICE,
            "Where it is. Import takes one that is not finished for cancelled.",
            choices=words(SessionState),
            empty="Finished.",
        ),
        Column(
            "limit_seconds",
            Kind.REAL,
            "How long it was to last.",
            unit="s",
            low=0,
            high=LONGEST,
            bounds="up to 30 years",
            empty="As in the rules, else the paper's two hours.",
        ),
        since("deadline_seconds", "When the time was up: the limit and what was added to it", "The limit."),
        since("grace_ends_seconds", "Until when the final choice could be made", "The time never ran out."),
        since("finished_seconds", "When it was over", "Not finished; of a finished one: its deadline."),
        Column(
            "ended_as",
            Kind.CHOICE,
            "How it ended: chosen (a final choice was made), clock (it was made for a participant who did not answer), "
            "empty (no final choice: nothing was submitted, or it is random search's), withdrawn, or cancelled by a "
            "researcher.",
            choices=words(SessionEnd),
            empty="Not finished; of a finished one: chosen with a final choice, else empty.",
        ),
        Column(
            "given_back_seconds",
            Kind.REAL,
            "Time given back because a machine had failed.",
            unit="s",
            low=0,
            empty="None.",
        ),
        Column("extended_seconds", Kind.REAL, "Time that a researcher gave.", unit="s", low=0, empty="None."),
        replace(ARM, empty="As in participants.csv."),
    ),
    key=("participant",),
    absent="Everybody with trials has had one, which is finished.",
)

TRIALS = Table(
    "trials",
    "A configuration, trained once on the training split and measured on the validation split.",
    (
        PARTICIPANT,
        Column("number", Kind.INTEGER, "From 1, in the order of submission.", low=1, high=1_000_000, required=True),
        *CONFIGURATION,
        replace(STATE),
        percent("validation_accuracy", "Measured after the last epoch.", "It is not complete.", required=True),
        since("submitted_seconds", "When it was submitted", "Not known: as if at the start."),
        since("started_seconds", "When a slot last took it to train it", "No slot did, or not known."),
        since("ended_seconds", "When it ended", "It did not, or not known."),
        since("cancel_requested_seconds", "When it was asked to stop", "It was not."),
        Column(
            "drawn", Kind.FLAG, "Whether random search drew it, in advance.", empty="Yes for random search, else no."
        ),
        Column(
            "suggestion",
            Kind.CHOICE,
            "Whether the form showed suggested values: shown, or taken over (and perhaps changed).",
            choices=words(Suggestion),
            empty="The form suggested nothing.",
        ),
        *RUN,
        *COMMENTS,
    ),
    key=("participant", "number"),
    required=True,
    most=200_000,
)

FINAL_CHOICES = Table(
    "final_choices",
    "The configuration that a session ended with.",
    (
        PARTICIPANT,
        Column(
            "trial", Kind.INTEGER, "The number of the trial that it is.", low=1, empty="It is not one of the trials."
        ),
        Column(
            "chosen_by", Kind.CHOICE, "Who made it.", choices=words(Chooser), empty="The participant, or its program."
        ),
        since("chosen_seconds", "When it was made", "At the end of the session."),
        *(replace(each, required=False, empty="As the trial's.") for each in CONFIGURATION),
    ),
    key=("participant",),
    absent="Everybody with evaluations chose their complete trial of the best validation accuracy, of equal ones the "
    "earlier; without a complete one, the last.",
)

EVALUATIONS = Table(
    "evaluations",
    "A final choice, trained on training and validation images together and measured on the test split.",
    (
        PARTICIPANT,
        Column("seed", Kind.INTEGER, "What it is trained with.", required=True),
        percent("test_accuracy", "Measured after the last epoch.", "It is not complete.", required=True),
        STATE,
        *RUN,
    ),
    key=("participant", "seed"),
    required=True,
    most=200_000,
)

EPOCHS = Table(
    "epochs",
    "An epoch of a trial or of an evaluation.",
    (
        PARTICIPANT,
        Column("trial", Kind.INTEGER, "The trial's number.", low=1, required=True, empty="An evaluation's epoch."),
        Column("seed", Kind.INTEGER, "The evaluation's seed.", required=True, empty="A trial's epoch."),
        Column("epoch", Kind.INTEGER, "From 1.", low=1, high=LARGEST_COUNT, required=True),
        Column(
            "training_loss",
            Kind.LOSS,
            "The mean over its images.",
            empty="The run ended within the epoch.",
        ),
        percent("validation_accuracy", "Measured after the epoch.", "Of an evaluation, or the run ended within it."),
        Column("seconds", Kind.REAL, "How long it took.", unit="s", low=0, empty="Not known."),
        Column(
            "batch_losses",
            Kind.SERIES,
            "The loss of every batch, in the order of training: numpy.frombuffer(base64.b64decode(cell), '<f4'). It "
            "may hold infinities and NaN.",
            empty="Not kept.",
        ),
    ),
    key=("participant", "trial", "seed", "epoch"),
    absent="No epochs are known.",
    most=10_000_000,
)

AMENDMENTS = Table(
    "amendments",
    "A change of the rules after the study had opened.",
    (
        Column("name", Kind.TEXT, "What it is called.", required=True, longest=1000),
        Column("reason", Kind.TEXT, "Why it was made.", required=True, empty="None was given."),
        Column("day", Kind.DAY, "When (UTC).", required=True),
        Column("old_rules_hash", Kind.TEXT, "SHA-256 of the rules before.", required=True),
        Column("old_rules", Kind.RULES, "The rules before, as canonical JSON.", required=True, empty="Not kept."),
        Column("rules_hash", Kind.TEXT, "SHA-256 of the rules from then on.", required=True),
        Column("rules", Kind.RULES, "The rules from then on, as canonical JSON.", required=True, empty="None."),
    ),
    key=("name",),
    absent="There were none.",
)

LOOKS = Table(
    "looks",
    "Somebody who runs the study read test results before it was closed.",
    (
        Column("number", Kind.INTEGER, "From 1, in the order of time.", low=1, required=True),
        Column("day", Kind.DAY, "When (UTC).", required=True),
        Column("who", Kind.TEXT, "Who: a role and a number, such as researcher-1.", required=True, longest=60),
        Column(
            "what",
            Kind.TEXT,
            "What they read: the report, a part of it, or an export.",
            longest=200,
            empty="Not known.",
        ),
    ),
    key=("number",),
    absent="Nobody looked.",
)

ENVIRONMENTS = Table(
    "environments",
    "One fact about what trials and evaluations were trained on; environment.txt says the same for a reader.",
    (
        Column("environment", Kind.INTEGER, "Its number.", low=1, required=True),
        Column("name", Kind.TEXT, "Of the fact: device, processor, threads, a version.", required=True, longest=60),
        Column("value", Kind.TEXT, "Of the fact, as JSON.", required=True, longest=300),
    ),
    key=("environment", "name"),
    absent="Nothing is known.",
)

TABLES: tuple[Table, ...] = (
    STUDY,
    PARTICIPANTS,
    BASELINES,
    SESSIONS,
    TRIALS,
    FINAL_CHOICES,
    EVALUATIONS,
    EPOCHS,
    AMENDMENTS,
    LOOKS,
    ENVIRONMENTS,
)
"""All tables, in the order of the codebook."""


def answer_columns(rules: Mapping[str, Any], names: Iterable[str] = ()) -> tuple[Column, ...]:
    """The columns of a study's own background questions: those that its rules ask, then others, by name.

    Args:
        rules: The rules, as a mapping; what is not understood in them is passed over.
        names: Of answers that may come from other rules.
    """
    columns: dict[str, Column] = {}
    questions = rules.get("questions")
    for each in questions if isinstance(questions, Sequence) else ():
        if isinstance(each, Mapping) and isinstance(name := each.get("name"), str):
            columns[name] = _answer(name, str(each.get("label", name)), each.get("choices"))
    for name in sorted(set(names) - columns.keys()):
        columns[name] = _answer(name, "A question that the rules do not have any more.", None)
    return tuple(columns.values())


def _answer(name: str, label: str, choices: Any) -> Column:
    if isinstance(choices, Sequence) and choices:
        words = tuple(str(each) for each in choices)
        return Column(ANSWER + name, Kind.TEXT, label, choices=words, empty="Not answered.")
    return Column(ANSWER + name, Kind.ANSWER, label, empty="Not answered.")


def with_answers(columns: Sequence[Column]) -> tuple[Table, ...]:
    """All tables, with these columns at the end of participants.csv."""
    participants = replace(PARTICIPANTS, columns=(*PARTICIPANTS.columns, *columns))
    return tuple(participants if each is PARTICIPANTS else each for each in TABLES)

"""The numbers of a pilot."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.results.measures import Estimate, NotComputable


@dataclass(frozen=True)
class PilotRun:
    """One trial of a pilot.

    Attributes:
        setting: The place of its configuration, from 0.
        seed: Of its weights, the order of its images and dropout.
        accuracy: On the validation split, in percent; 0 where training diverged, as in the report.
        epochs: Those that it trained to their end.
        seconds: That it took.
    """

    setting: int
    seed: int
    accuracy: float
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Finding:
    """One thing that a fit task needs.

    Attributes:
        name: What was looked at.
        found: What the pilot found, in words.
        wanted: What a fit task has.
        fit: Whether it has it.
        why: What follows for the study where it has not.
    """

    name: str
    found: str
    wanted: str
    fit: bool
    why: str


@dataclass(frozen=True)
class Pilot:
    """What a pilot found. Accuracies are those on the validation split: nothing is looked up on the test split.

    Attributes:
        task: Its name.
        settings: What was trained, as :meth:`~training.hyperparameters.Configuration.as_dict` gives it.
        seeds: That each setting was trained with.
        epochs: Of every trial.
        accuracies: In percent: a row for each setting, a column for each seed.
        best: The largest mean of a setting, in percent.
        guessing: Up to this accuracy, in percent, a network may only guess.
        between_settings, between_seeds: Standard deviations in points: of what settings differ by, seeds aside, and of
            what the seeds of one setting differ by.
        agreement: The intraclass correlation of single seeds, ICC(1): what share of the variance between trials is the
            settings'. It is how well one seed tells what another one will give.
        dead: The share of trials (0 to 1) that diverged or do no better than guessing.
        good: How many settings come half the way from guessing to the best accuracy of all, with some seed.
        fickle: Of these, the share that do no better than guessing with another seed.
        seconds_per_epoch: The median of the trials that trained for an epoch at least.
        tries: How many trials like the median one fit into the time limit.
        standard_error: Of a test accuracy of 50 %, in points: what the size of the test split leaves to chance.
        findings: What a fit task needs, one by one.
    """

    task: str
    settings: tuple[Mapping[str, object], ...]
    seeds: tuple[int, ...]
    epochs: int
    accuracies: tuple[tuple[float, ...], ...]
    best: float
    guessing: float
    between_settings: float
    between_seeds: float
    agreement: Estimate | NotComputable
    dead: float
    good: int
    fickle: float | NotComputable
    seconds_per_epoch: float | NotComputable
    tries: float | NotComputable
    standard_error: float
    findings: tuple[Finding, ...]

    @property
    def is_fit(self) -> bool:
        """Whether the task is fit to measure skill."""
        return all(each.fit for each in self.findings)

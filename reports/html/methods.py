"""The page's text on how its numbers were computed: rules, definitions, methods, versions."""

from collections.abc import Iterator

from reports.results.arms import ArmRule
from reports.results.measures import Reading
from reports.results.rounding import DIGITS
from reports.results.study_results import GroupRule, StudyHeader, StudyResults, TaskResults
from reports.statistics.resampling import FEWEST_RESAMPLES, LEVEL, MOST_RESAMPLES
from reports.wording import counted, listed, number, typographic, whole

_NAMES = {"python": "Python", "numpy": "NumPy", "scipy": "SciPy", "optuna": "Optuna"}


def methods(results: StudyResults) -> tuple[str, ...]:
    """Paragraphs on the study and on its statistics."""
    study = results.study
    return (
        f"Everybody tuned 15 hyperparameters of the same network for at most {_time(study)}, with the same "
        "initial weights and the same order of images. Each final choice was trained on training and "
        f"validation images together, once with each of {counted(len(study.evaluation_seeds), 'seed')} "
        f"({_seeds(study)}), and measured on the test images: their mean is the person’s final accuracy. "
        f"People are grouped by months of deep-learning experience: {listed(_group(each) for each in study.groups)}.",
        *_assignment(study),
        f"Confidence intervals ({number(100 * LEVEL, 0)} %) are bootstrap intervals (BCa, or percentile where BCa is "
        f"not defined) of {number(FEWEST_RESAMPLES, 0)} to {number(MOST_RESAMPLES, 0)} resamples, of shares Wilson’s. "
        "Correlations are Spearman’s rank correlations, with p by the t approximation; tests between groups are "
        "Levene’s, Mann–Whitney’s and Kruskal–Wallis’s. Beside each p-value stands one by permutation, and pairs are "
        "corrected by Holm’s method. Regressions are least squares with HC3 errors. Importance is fANOVA (Hutter et "
        f"al., 2014). All random numbers follow from the seed {study.seed}, "
        f"and all results are rounded to {DIGITS} significant digits. Computed by {_versions(study)}.",
        "The idea, the design and figures 1 to 9 are those of Anand, Wang, Loog and van Gemert, Black Magic in Deep "
        "Learning (2020), arXiv:2008.05981; figures S1 and further ones are not in that paper.",
        *([typographic(study.left_out)] if study.left_out else []),
    )


def _limit(study: StudyHeader) -> str:
    """The time limit, or those of the arms."""
    limits = {arm.name: whole(arm.limit_minutes) for arm in study.arms}
    if len(set(limits.values())) < 2:
        return next(iter(limits.values()), whole(study.limit_minutes))
    return listed(f"{minutes} ({name})" for name, minutes in limits.items())


def _assignment(study: StudyHeader) -> Iterator[str]:
    """A paragraph on who was assigned what, in a study that assigns something."""
    if study.arms:
        told = "; ".join(f"{arm.name}: {_arm(arm)}" for arm in study.arms)
        yield (
            f"People were assigned at random to {counted(len(study.arms), 'arm')}, within groups and tasks. {told}. "
            "Where a figure, table or test does not name the arms, they are together in it."
        )
    if study.assignment is not None:
        of = "a task and an arm" if study.arms and len(study.tasks) > 1 else "an arm" if study.arms else "a task"
        known = (
            f"The secret is {study.assignment.secret}; “blackmagic assignments” computes all assignments again from it."
            if study.assignment.secret is not None
            else "The secret is published when the study is closed."
        )
        yield (
            f"Who was given {of} followed from permuted blocks of varying size, whose order follows from a secret by "
            f"HMAC-SHA256. SHA-256 of the secret: {study.assignment.commitment}. {known}"
        )


def _arm(arm: ArmRule) -> str:
    what = [
        "presets shown" if arm.presets else "no presets shown",
        *(["validation accuracy shown after each epoch"] if arm.epoch_accuracies else []),
        *(["values suggested by TPE"] if arm.suggestions else []),
        f"{whole(arm.limit_minutes)} minutes",
    ]
    return ", ".join(what)


def readings(task: TaskResults) -> Iterator[tuple[str, str, str]]:
    """The definitions that the paper leaves open: the subject, the paper's reading, the other reading."""
    found: tuple[tuple[str, Reading[object]], ...] = (
        ("Random settings (figure 1)", task.random_settings),  # type: ignore[assignment]
        ("Final accuracy (figures 4 and 5)", task.final),
        ("Levene’s test (table 2)", task.final.default.levene),
        ("Tries (figure 6)", task.thresholds),
        ("Best so far (figure 7)", task.after_tries.best),
        ("Comments (figure 9)", task.comments.groups),
        ("Exploration", task.search.groups),
        ("Equal time", task.machines.by_time),
        ("Importance", task.importance),
    )
    for about, reading in found:
        yield about, typographic(reading.definition), typographic(reading.otherwise)


def _time(study: StudyHeader) -> str:
    """The time that people had, with what researchers gave."""
    differ = len({arm.limit_minutes for arm in study.arms}) > 1
    limits = _limit(study) if differ else " or ".join(whole(each) for each in study.limits_minutes)
    limits += " minutes"
    given = study.more_time
    if not given.people:
        return limits
    were = "person was" if given.people == 1 else "people were"
    most = f"{number(given.most_minutes, 1)} minutes" + ("" if given.people == 1 else " at most")
    return f"{limits} (but {given.people} {were} given more time: {most})"


def _seeds(study: StudyHeader) -> str:
    return ", ".join(str(seed) for seed in study.evaluation_seeds)


def _group(group: GroupRule) -> str:
    if group.above is None:
        end = "none" if group.up_to == 0 else f"up to {whole(group.up_to or 0)}"
    elif group.up_to is None:
        end = f"more than {whole(group.above)}"
    else:
        end = f"above {whole(group.above)}, up to {whole(group.up_to)}"
    return f"{group.name} ({end})"


def _versions(study: StudyHeader) -> str:
    return listed(f"{_NAMES.get(name, name)} {version}" for name, version in study.versions.items())

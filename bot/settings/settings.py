"""Reads and checks ``study.toml`` and the environment, once, before the bot starts."""

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.settings.arms import ArmSection, Condition, check_differences, check_names
from bot.settings.consent import as_read, blanks_in
from bot.settings.tasks import TaskSection
from storage.registration.plan import ALPHA, AnalysisPlan, Interim, PrimaryTest
from storage.study_rules import Group, QuestionKind, bounds_of, group_of, parse_rules
from training.bounds import Bounds
from training.tasks import Task, Tasks, UnknownTask, built_in


class SettingsError(Exception):
    """The bot cannot start with these settings; ``str(error)`` says why and what to do."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


_Seed = Annotated[int, Field(ge=0, lt=2**31)]


class StudySection(_Section):
    """The study's name, tasks and consent text. Several tasks are assigned to participants in balanced blocks.

    Attributes:
        block_seed: The seed of the order in those blocks, in a study that opened before studies had a secret. It has no
            meaning for others.
    """

    name: str = Field(min_length=1, max_length=80)
    task: Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1, max_length=20)]
    block_seed: _Seed | None = None
    consent: Path
    withdrawn_data: Literal["keep", "delete"] = "delete"

    @field_validator("task")
    @classmethod
    def _tasks_differ(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(tasks)) != len(tasks):
            raise ValueError("the tasks must differ from one another")
        return tasks

    @property
    def delete_withdrawn(self) -> bool:
        """Whether a participant's data is deleted when they leave the study."""
        return self.withdrawn_data == "delete"


class TimeSection(_Section):
    """The time limit, the warnings before its end, and the time for the final choice after it, in minutes."""

    limit_minutes: PositiveFloat
    warnings_minutes: tuple[PositiveFloat, ...]
    grace_minutes: PositiveFloat


class TrainingSection(_Section):
    """The seeds of trials and evaluations, and the threads of a slot."""

    seed: _Seed
    evaluation_seeds: tuple[_Seed, ...] = Field(min_length=1)
    threads_per_slot: PositiveInt

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.evaluation_seeds)) != len(self.evaluation_seeds):
            raise ValueError("evaluation_seeds must differ from one another")
        return self


class FormSection(_Section):
    """What the form for a configuration accepts.

    Attributes:
        bounds: Which numbers it accepts: whatever the optimizer takes, as in the original study, or narrow bounds.
        most_steps: The most steps of one training (epochs times batches). By default as many as a batch size of 1 made
            in two hours in the original study, so more than anybody there could try.
    """

    bounds: Bounds = Bounds.OPTIMIZER
    most_steps: PositiveInt = 1_000_000


class GroupsSection(_Section):
    """Groups of participants by months of deep-learning experience (the paper's section 3)."""

    novice_up_to_months: Annotated[float, Field(ge=0)]
    medium_up_to_months: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.medium_up_to_months <= self.novice_up_to_months:
            raise ValueError("medium_up_to_months must be more than novice_up_to_months")
        return self

    def group(self, months: float) -> Group:
        """The group of a participant with this many months of deep-learning experience."""
        return group_of(
            months, novice_up_to_months=self.novice_up_to_months, medium_up_to_months=self.medium_up_to_months
        )


_LONGEST_PLAN = 2_000
"""Characters of one text of the analysis plan."""

_PlanText = Annotated[str, Field(max_length=_LONGEST_PLAN)]


class AnalysisSection(_Section):
    """Settings of the report, and the analysis plan, which is registered when the study opens.

    Attributes:
        thresholds: Validation accuracies in percent.
        interim: Whether test results can be read before the study is closed.
        hypothesis, primary_test, alpha, target_participants, stopping_rule, exclusion_rules: See
            :class:`storage.registration.plan.AnalysisPlan`. The study does not open while one of them is empty.
    """

    thresholds: tuple[Annotated[float, Field(gt=0, le=100)], ...] = Field(min_length=1, max_length=10)
    interim: Interim = "hidden"
    hypothesis: _PlanText = ""
    primary_test: PrimaryTest = "spearman"
    alpha: Annotated[float, Field(gt=0, lt=1)] = ALPHA
    target_participants: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    stopping_rule: _PlanText = ""
    exclusion_rules: Annotated[tuple[_PlanText, ...], Field(max_length=20)] = ()

    @field_validator("thresholds")
    @classmethod
    def _ascending(cls, thresholds: tuple[float, ...]) -> tuple[float, ...]:
        if list(thresholds) != sorted(set(thresholds)):
            raise ValueError("thresholds must differ from one another and ascend")
        return thresholds

    @property
    def plan(self) -> AnalysisPlan:
        """The analysis plan."""
        return AnalysisPlan.read(self.model_dump())


class Question(_Section):
    """An extra question of the background form."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    label: Annotated[str, Field(min_length=1, max_length=150)]
    kind: QuestionKind
    choices: tuple[Annotated[str, Field(min_length=1, max_length=75)], ...] = Field((), max_length=100)

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"question {self.name}: a choice needs choices, and nothing else has them")
        return self


class SlackSection(_Section):
    """Who may do what, and where and when reports are posted.

    Attributes:
        researchers: Slack's IDs of people (``U…``, ``W…``) and of user groups (``S…``).
        report_channel: Slack's ID of the channel; empty for none.
        digest_at: The time of day of the daily digest, in ``time_zone``.
        live_plots: The form in which a running trial's losses are shown; ``auto`` is the best one that the workspace
            shows.
    """

    researchers: tuple[str, ...] = ()
    report_channel: str = ""
    digest_at: time = time(18)
    time_zone: str = "UTC"
    live_plots: Literal["auto", "chart", "picture", "repost"] = "auto"

    @field_validator("researchers")
    @classmethod
    def _are_ids(cls, researchers: tuple[str, ...]) -> tuple[str, ...]:
        for each in researchers:
            if each[:1] not in {"U", "W", "S"} or not _is_id(each):
                raise ValueError(
                    f"“{each}” is not a Slack ID: a person's ID begins with U or W, a user group's with S, "
                    "and “Copy member ID” in a person's profile copies it"
                )
        return researchers

    @field_validator("report_channel")
    @classmethod
    def _is_channel(cls, channel: str) -> str:
        if channel and (channel[0] not in "CG" or not _is_id(channel)):
            raise ValueError(
                f"“{channel}” is not a channel's ID: it begins with C and is at the end of “View channel details”"
            )
        return channel

    @field_validator("digest_at")
    @classmethod
    def _is_local(cls, at: time) -> time:
        if at.tzinfo is not None:
            raise ValueError("digest_at must be a time of day such as “18:00”; time_zone is a setting of its own")
        return at

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            raise ValueError(f"“{name}” is not a time zone: name one such as “Europe/Amsterdam”") from None
        return name

    @property
    def people(self) -> frozenset[str]:
        """The researchers who are named one by one."""
        return frozenset(each for each in self.researchers if not each.startswith("S"))

    @property
    def groups(self) -> tuple[str, ...]:
        """The user groups whose members are researchers."""
        return tuple(each for each in self.researchers if each.startswith("S"))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the study's days."""
        return ZoneInfo(self.time_zone)


class MachineSection(_Section):
    """Where trials run and results are kept. ``worker_memory`` is in GiB."""

    slots: Annotated[int, Field(ge=1, le=256)]
    database: str
    data: Path = Path("data")
    devices: tuple[Annotated[str, Field(pattern=r"^(cpu|cuda:\d+)$")], ...] = ()
    mixed_devices: bool = False
    worker_memory: Annotated[float, Field(ge=0)] = 0.0

    @property
    def worker_memory_bytes(self) -> int | None:
        """The bytes that each worker may take; none for an equal share of the machine's."""
        return int(self.worker_memory * 2**30) or None


class Settings(_Section):
    """``study.toml``, checked."""

    study: StudySection
    time: TimeSection
    training: TrainingSection
    form: FormSection = FormSection()
    groups: GroupsSection
    analysis: AnalysisSection
    questions: tuple[Question, ...] = Field((), max_length=20)
    tasks: tuple[TaskSection, ...] = ()
    arms: tuple[ArmSection, ...] = Field((), max_length=6)
    slack: SlackSection = SlackSection()
    machine: MachineSection
    consent_text: str = Field("", exclude=True)
    folder: Path = Field(Path(), exclude=True)

    @field_validator("arms")
    @classmethod
    def _arms_are_named(cls, arms: tuple[ArmSection, ...]) -> tuple[ArmSection, ...]:
        check_names(arms)
        return arms

    @model_validator(mode="after")
    def _arms_differ(self) -> Self:
        check_differences(self.arms, self.time.limit_minutes)
        return self

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The names of the arms, in the order of ``study.toml``; none for a study without arms."""
        return tuple(arm.name for arm in self.arms)

    def condition(self, arm: str | None) -> Condition:
        """What holds for the participants of an arm; for somebody without an arm, the rules of the study."""
        limit = self.time.limit_minutes
        return next((each.condition(limit) for each in self.arms if each.name == arm), Condition(limit))

    def all_tasks(self) -> Tasks:
        """The built-in tasks and the study's own.

        Raises:
            SettingsError: Two tasks have one name.
        """
        data = self.folder / self.machine.data
        try:
            return built_in(data).with_more(each.task(data) for each in self.tasks)
        except ValueError as error:
            raise SettingsError(f"study.toml: tasks: {error}") from error

    def study_tasks(self) -> tuple[Task, ...]:
        """The tasks of this study, in the order in which ``study.toml`` names them.

        Raises:
            SettingsError: There is no such task, or two have one name.
        """
        known = self.all_tasks()
        try:
            return tuple(known[name] for name in self.study.task)
        except UnknownTask as error:
            raise SettingsError(f"study.toml: study.task: {error}") from error

    def rules(self) -> str:
        """The rules, which must not change while the study runs, as JSON: all but ``slack`` and ``machine``.

        A narrow form is said by saying nothing, as studies did that opened before there was another one. So are parts
        of the analysis plan that are at their default.
        """
        rules = self.model_dump(mode="json", exclude={"slack", "machine", "arms"})
        if self.arms:
            rules["arms"] = [arm.model_dump(mode="json", exclude_none=True) for arm in self.arms]
        if self.study.block_seed is None:
            del rules["study"]["block_seed"]
        rules["analysis"] = self.analysis.model_dump(mode="json", exclude_defaults=True)
        if self.form.bounds is Bounds.NARROW:
            del rules["form"]["bounds"]
            if self.form.most_steps == FormSection().most_steps:
                del rules["form"]
        rules["tasks"] = [each for each in rules["tasks"] if each["name"] in self.study.task]
        if len(self.study.task) == 1:
            rules["study"]["task"] = self.study.task[0]
        return json.dumps(rules, sort_keys=True, indent=1)

    def for_opened(self, rules: str) -> Self:
        """These settings for a study that has opened. The study file of an earlier version says nothing of bounds.

        Args:
            rules: The rules with which the study has opened, as it keeps them.
        """
        if "bounds" in self.form.model_fields_set or bounds_of(parse_rules(rules)) is not Bounds.NARROW:
            return self
        return self.model_copy(update={"form": self.form.model_copy(update={"bounds": Bounds.NARROW})})

    def rules_hash(self) -> str:
        """SHA-256 of :meth:`rules`, in hexadecimal."""
        return hashlib.sha256(self.rules().encode()).hexdigest()

    def consent_hash(self) -> str:
        """SHA-256 of the consent text as participants read it, in hexadecimal: kept with every consent."""
        return hashlib.sha256(self.consent_text.encode()).hexdigest()

    def consent_lacks(self) -> str:
        """What is left to fill in in the consent text, and what to do, in sentences; empty when nothing is left."""
        blanks = blanks_in(self.consent_text)
        if not blanks:
            return ""
        return (
            f"The consent text ({self.study.consent}) has places that are left to fill in: {', '.join(blanks)}. "
            "Fill them in, or take out what does not apply, and start the bot again. The study cannot open before."
        )

    def with_task(self, name: str) -> Self:
        """The same study with this one task."""
        return self.model_copy(update={"study": self.study.model_copy(update={"task": (name,)})})

    def seeds_lack(self) -> str:
        """Why the seeds cannot stay as they are, and what to do, in sentences; empty when they can."""
        shared = self.training.seed
        if shared not in self.training.evaluation_seeds:
            return ""
        return (
            f"training.evaluation_seeds has {shared}, the seed that everybody tunes with: a choice fitted to a seed "
            "must not be measured with it. Put another seed there, and start the bot again. The study cannot open "
            "before."
        )

    def lacks_to_open(self) -> str:
        """What keeps the study from opening, and what to do, in sentences; empty when it can open."""
        return " ".join(each for each in (self.consent_lacks(), self.seeds_lack()) if each)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read ``study.toml`` and the consent text that it names (relative to it).

        Raises:
            SettingsError: A file cannot be read, or a value cannot be used.
        """
        try:
            with path.open("rb") as file:
                content = tomllib.load(file)
            settings = cls.model_validate(content)
            consent = (path.parent / settings.study.consent).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                f"Cannot read {error.filename or path}: {error.strerror}. "
                "Give the path of your study file with --study, and keep the consent text beside it."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} is not valid TOML: {error}.") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise SettingsError(f"{path}: {where}: {first['msg']}. Correct it and start again.") from error
        if not consent:
            raise SettingsError(f"{path.parent / settings.study.consent} is empty: write the consent text there.")
        text = as_read(consent, settings.study.withdrawn_data)
        return settings.model_copy(update={"consent_text": text, "folder": path.parent})


def _is_id(text: str) -> bool:
    return len(text) > 1 and text.isascii() and text.isalnum() and text.isupper()


@dataclass(frozen=True)
class TokenKind:
    """One of the two tokens of the Slack app.

    Attributes:
        variable: The name of its environment variable.
        prefix: How it begins.
        where: The place on the app's page from which it is copied.
    """

    variable: str
    prefix: str
    where: str

    def read(self, environment: Mapping[str, str]) -> str:
        """The token in the environment.

        Raises:
            SettingsError: It is missing or is of the wrong kind. The token itself is never shown.
        """
        token = environment.get(self.variable, "").strip()
        if not token:
            raise SettingsError(f"{self.variable} is not set: copy it from your Slack app's page, {self.where}.")
        if not token.startswith(self.prefix):
            raise SettingsError(
                f"{self.variable} must begin with {self.prefix}: copy it from your Slack app's page, {self.where}."
            )
        return token


BOT_TOKEN = TokenKind("SLACK_BOT_TOKEN", "xoxb-", "OAuth & Permissions")
APP_TOKEN = TokenKind("SLACK_APP_TOKEN", "xapp-", "Basic Information, App-Level Tokens (scope connections:write)")


def api_url_in(environment: Mapping[str, str]) -> str:
    """The address of Slack's Web API: ``SLACK_API_URL``, or Slack's own; it ends in a slash."""
    return environment.get("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/"


@dataclass(frozen=True)
class Credentials:
    """The two tokens of the Slack app, and the address of Slack's Web API."""

    bot_token: str
    app_token: str
    api_url: str

    def __repr__(self) -> str:
        return f"Credentials(api_url={self.api_url!r})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read ``SLACK_BOT_TOKEN``, ``SLACK_APP_TOKEN`` and, if set, ``SLACK_API_URL``.

        Raises:
            SettingsError: A token is missing or is of the wrong kind. The token itself is never shown.
        """
        return cls(BOT_TOKEN.read(environment), APP_TOKEN.read(environment), api_url_in(environment))

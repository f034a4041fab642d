"""``study.toml`` and the environment, read and checked once, before anything starts."""

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from training.files import ImageFolder
from training.tasks import IMAGENET, Task, TaskFacts, Tasks, UnknownTask, built_in


class SettingsError(Exception):
    """The bot cannot start with these settings; ``str(error)`` is one sentence that says why and what to do."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudySection(_Section):
    """What the study is about."""

    name: str = Field(min_length=1, max_length=80)
    task: str
    consent: Path


class TimeSection(_Section):
    """The time limit, in minutes."""

    limit_minutes: PositiveFloat
    warnings_minutes: tuple[PositiveFloat, ...]
    grace_minutes: PositiveFloat


class TrainingSection(_Section):
    """What every trial and every evaluation has in common."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    evaluation_seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(min_length=1)
    threads_per_slot: PositiveInt

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.evaluation_seeds)) != len(self.evaluation_seeds):
            raise ValueError("evaluation_seeds must differ from one another")
        return self


class GroupsSection(_Section):
    """Groups of participants by months of deep-learning experience (the paper's section 3)."""

    novice_up_to_months: Annotated[float, Field(ge=0)]
    medium_up_to_months: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.medium_up_to_months <= self.novice_up_to_months:
            raise ValueError("medium_up_to_months must be more than novice_up_to_months")
        return self

    def group(self, months: float) -> Literal["novice", "medium", "expert"]:
        """The group of a participant with this many months of deep-learning experience."""
        if months <= self.novice_up_to_months:
            return "novice"
        return "medium" if months <= self.medium_up_to_months else "expert"


class Question(_Section):
    """An extra question of the background form."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    label: Annotated[str, Field(min_length=1, max_length=150)]
    kind: Literal["number", "choice"]
    choices: tuple[Annotated[str, Field(min_length=1, max_length=75)], ...] = Field((), max_length=100)

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"question {self.name}: a choice needs choices, and nothing else has them")
        return self


_FolderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")]


class TaskSection(_Section):
    """A task of the study's own: a folder with one folder of images per class, under ``machine.data``."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,60}$")]
    folder: _FolderName
    images: PositiveInt
    classes: Annotated[int, Field(ge=2, le=65_535)]
    image_size: Annotated[int, Field(ge=8, le=1024)]
    network: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = "squeezenet1_1"
    validation_images: PositiveInt
    test_images: PositiveInt
    split_seed: Annotated[int, Field(ge=0, lt=2**31)] = 10
    normalisation: Literal["imagenet", "own"] = "imagenet"

    @model_validator(mode="after")
    def _splits_fit(self) -> Self:
        if self.training_images < self.classes:
            raise ValueError(
                f"task {self.name}: {self.images} images are too few for {self.validation_images} to validate on, "
                f"{self.test_images} to test on and one of each class to train on"
            )
        if min(self.validation_images, self.test_images) < self.classes:
            raise ValueError(f"task {self.name}: each split needs an image of every class")
        return self

    @property
    def training_images(self) -> int:
        """What the other splits leave."""
        return self.images - self.validation_images - self.test_images

    def task(self, data: Path) -> Task:
        """The task, with its files under this folder."""
        return Task(
            name=self.name,
            facts=TaskFacts(
                classes=self.classes,
                training_images=self.training_images,
                validation_images=self.validation_images,
                test_images=self.test_images,
                image_size=self.image_size,
            ),
            network=self.network,
            source=ImageFolder(
                folder=data / self.folder,
                cache=data / "cache",
                size=self.image_size,
                images=self.images,
                classes=self.classes,
                validation_images=self.validation_images,
                test_images=self.test_images,
                split_seed=self.split_seed,
            ),
            normalisation=IMAGENET if self.normalisation == "imagenet" else None,
        )


class SlackSection(_Section):
    """Who may do what, and where reports go."""

    researchers: tuple[str, ...] = ()
    report_channel: str = ""


class MachineSection(_Section):
    """Where trials run and results are kept."""

    slots: Annotated[int, Field(ge=1, le=256)]
    database: str
    data: Path = Path("data")
    devices: tuple[Annotated[str, Field(pattern=r"^(cpu|cuda:\d+)$")], ...] = ()
    mixed_devices: bool = False


class Settings(_Section):
    """``study.toml``, checked."""

    study: StudySection
    time: TimeSection
    training: TrainingSection
    groups: GroupsSection
    questions: tuple[Question, ...] = Field((), max_length=20)
    tasks: tuple[TaskSection, ...] = ()
    slack: SlackSection = SlackSection()
    machine: MachineSection
    consent_text: str = Field("", exclude=True)
    folder: Path = Field(Path(), exclude=True)

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

    def task(self) -> Task:
        """The task of this study.

        Raises:
            SettingsError: There is no such task, or two have one name.
        """
        try:
            return self.all_tasks()[self.study.task]
        except UnknownTask as error:
            raise SettingsError(f"study.toml: study.task: {error}") from error

    def rules(self) -> str:
        """What must not change while the study runs, as canonical JSON: all but where it runs."""
        rules = self.model_dump(mode="json", exclude={"slack", "machine"})
        rules["tasks"] = [each for each in rules["tasks"] if each["name"] == self.study.task]
        return json.dumps(rules, sort_keys=True, indent=1)

    def rules_hash(self) -> str:
        """SHA-256 of :meth:`rules`, in hexadecimal."""
        return hashlib.sha256(self.rules().encode()).hexdigest()

    def consent_hash(self) -> str:
        """SHA-256 of the consent text, in hexadecimal: kept with every consent."""
        return hashlib.sha256(self.consent_text.encode()).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read ``study.toml`` and the consent text that it names (relative to it).

        Raises:
            SettingsError: When a file cannot be read, or a value cannot be used.
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
        return settings.model_copy(update={"consent_text": consent, "folder": path.parent})


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
            SettingsError: When a token is missing or is of the wrong kind. The token itself is never shown.
        """
        for name, prefix, where in (
            ("SLACK_BOT_TOKEN", "xoxb-", "OAuth & Permissions"),
            ("SLACK_APP_TOKEN", "xapp-", "Basic Information, App-Level Tokens (scope connections:write)"),
        ):
            token = environment.get(name, "").strip()
            if not token:
                raise SettingsError(f"{name} is not set: copy it from your Slack app's page, {where}.")
            if not token.startswith(prefix):
                raise SettingsError(f"{name} must begin with {prefix}: copy it from your Slack app's page, {where}.")
        return cls(
            bot_token=environment["SLACK_BOT_TOKEN"].strip(),
            app_token=environment["SLACK_APP_TOKEN"].strip(),
            api_url=environment.get("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
        )

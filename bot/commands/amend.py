"""``blackmagic amend``: put a change of the rules of a study that has opened on record, by name and with the reason."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.commands.study_file import DEFAULT, USAGE, StudyFile, read_settings
from bot.settings.settings import Settings, SettingsError
from storage.database import Store, UnknownSchema
from storage.locks import Taken, locked
from storage.queries import people
from storage.refusals import Refused
from storage.schema.states import Actor, StudyState
from storage.schema.tables import Amendment, Study
from storage.study_rules import arms_of, changes, in_json, values_of
from storage.transitions import studies

_NOT_ASKED_FOR = 1

_NEVER = {
    "study.name": "a study keeps its name",
    "study.withdrawn_data": "participants have agreed to what becomes of the data of those who leave",
}
"""Rules that no amendment may change, and why."""


class NotAmended(Exception):
    """The rules stay as they are; ``str(error)`` says why and what to do."""


def amend(
    name: Annotated[str, typer.Argument(help="A name for the amendment, used once in a study.")],
    because: Annotated[str, typer.Option("--because", help="Why the rules are changed. The reason is kept with them.")],
    study: StudyFile = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put changed rules of a study that has opened on record. The bot must be stopped, and takes them at its start."""
    settings = read_settings(study)
    if not name.strip() or not because.strip():
        print("An amendment needs a name, and a reason: --because “…”.", file=sys.stderr)
        raise typer.Exit(USAGE)
    try:
        settings.study_tasks()
        with locked(settings.machine.database):  # no bot starts meanwhile
            amendment = _amend(settings, name.strip(), because.strip(), ask=not yes)
    except Taken as taken:
        print(
            f"The bot runs on this database ({taken.holder}). Stop it, amend the rules, and start it again.",
            file=sys.stderr,
        )
        raise typer.Exit(USAGE) from None
    except (NotAmended, SettingsError, Refused, UnknownSchema) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except (SQLAlchemyError, ImportError, OSError) as error:
        first_line = str(error).splitlines()[0]
        print(f"Cannot use the database named in study.toml (machine.database): {first_line}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    print(f"Amendment “{amendment.name}” is on record (rules version {amendment.rules_hash[:8]}). Start the bot again.")


def _amend(settings: Settings, name: str, reason: str, *, ask: bool) -> Amendment:
    """Put the change on record.

    Raises:
        NotAmended: The rules cannot be changed to these.
        Refused: The name is used already.
        typer.Exit: The person who was asked said no.
    """
    store = Store(settings.machine.database)
    store.migrate()
    try:
        named = studies.study_named(store, settings.study.name)
        settings = settings if named is None else settings.for_opened(named.rules)
        kept = _kept(store, settings)
        for line in changes(json.loads(kept.rules), json.loads(settings.rules())):
            print(line)
        if ask and not typer.confirm(f"Put this on record as “{name}”?", err=True):
            print("Nothing was changed.", file=sys.stderr)
            raise typer.Exit(_NOT_ASKED_FOR)
        return studies.amend_study(
            store,
            name=name,
            reason=reason,
            rules=settings.rules(),
            rules_hash=settings.rules_hash(),
            actor=Actor.RESEARCHER,
            now=datetime.now(UTC),
        )
    finally:
        store.close()


def _kept(store: Store, settings: Settings) -> Study:
    """The study as it is kept, if its rules can be changed to these.

    Raises:
        NotAmended: They cannot.
    """
    kept = studies.study_named(store, settings.study.name)
    if kept is None:
        raise NotAmended(
            f"The database {settings.machine.database} has no study “{settings.study.name}”. Check study.name, which "
            "no amendment can change, and machine.database."
        )
    if kept.rules_hash == settings.rules_hash():
        raise NotAmended(f"These are the rules of the study “{kept.name}” already: there is nothing to amend.")
    if kept.state is StudyState.PREPARED:
        raise NotAmended(
            f"The study “{kept.name}” has not opened yet, so its rules need no amendment: just start the bot again."
        )
    old, new = dict(values_of("", json.loads(kept.rules))), dict(values_of("", json.loads(settings.rules())))
    for place, why in _NEVER.items():
        if old.get(place) != new.get(place):
            raise NotAmended(f"{place} cannot be amended: {why}. Put {in_json(old.get(place))} back.")
    if (before := arms_of(json.loads(kept.rules))) != settings.arm_names:
        raise NotAmended(
            "arms: people are assigned to them from the first one on, so none can be added, renamed or taken away. "
            + (f"Let them be {', '.join(before)}, in this order." if before else "Take them out again.")
        )
    if (lacks := settings.seeds_lack()) and not _shares_seed(json.loads(kept.rules)):
        raise NotAmended(lacks)
    given = {each.task for each in people.people(store, kept.id) if each.task}
    if gone := sorted(given - set(settings.study.task)):
        raise NotAmended(
            f"study.task: participants were given {', '.join(gone)}, so it must stay among the tasks. Add others to it."
        )
    return kept


def _shares_seed(rules: dict[str, Any]) -> bool:
    """Whether people are measured with the seed that they tune with: a study that opened so may go on."""
    return rules["training"]["seed"] in rules["training"]["evaluation_seeds"]

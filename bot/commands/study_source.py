"""Where a command reads a study from: the database of a study file, another database, or a bundle."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bot.commands.database import Unusable, opened, shown, study_base
from bot.commands.study_file import DEFAULT, read_settings
from storage.bundle import import_bundle
from storage.database import Store
from storage.transitions import studies


@contextmanager
def study_source(
    study: Path | None, database: str | None, bundle: Path | None, name: str | None
) -> Iterator[tuple[Store, int | None]]:
    """The database, and which study of it; of a bundle, one that is there only for as long as it is needed.

    Args:
        study: The study file.
        database: The URL of a database, instead of a study file.
        bundle: A bundle, instead of both.
        name: The study of the database; without it that of the study file, or the newest.

    Raises:
        Unusable: There is no such study, or more than one source.
    """
    if sum(each is not None for each in (study, database, bundle)) > 1:
        raise Unusable("Give one of --study, --database and --bundle.")
    if bundle is not None:
        if name is not None:
            raise Unusable("A bundle holds one study, so --name says nothing beside --bundle.")
        with TemporaryDirectory(prefix="blackmagic-") as folder, opened(f"sqlite:///{folder}/bundle.db") as store:
            with Console(stderr=True).status(f"Reading {bundle.name} …"):
                found = import_bundle(store, bundle)
            for sentence in found.assumed:
                print(sentence, file=sys.stderr)
            yield store, found.study_id
        return
    if database is None:
        settings = read_settings(study or DEFAULT)
        database, name = settings.machine.database, name or settings.study.name
    with study_base(database) as store:
        chosen = None if name is None else studies.study_named(store, name)
        if name is not None and chosen is None:
            raise Unusable(f"There is no study “{name}” in {shown(database)}.")
        yield store, None if chosen is None else chosen.id

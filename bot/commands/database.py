"""What commands that read a database have in common: opening it, and saying what went wrong."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from sqlalchemy import URL, inspect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.commands.study_file import USAGE
from storage.bundle import BundleRefused
from storage.database import Store, UnknownSchema
from storage.locks import Taken, locked
from storage.refusals import Refused

REFUSED = 1
INTERRUPTED = 130


class Unusable(Exception):
    """What was typed cannot be used; ``str(error)`` says why."""


@contextmanager
def told(*, nothing: str) -> Iterator[None]:
    """Say what went wrong in a sentence, and leave with the code that says how.

    Args:
        nothing: What did not happen: “Nothing was written.”
    """
    try:
        yield
    except BundleRefused as refused:
        print(f"{refused}\n{nothing}", file=sys.stderr)
        raise typer.Exit(REFUSED) from None
    except Taken as taken:
        print(
            f"A bot uses this database ({taken.holder}). Stop it first, or name another one.\n{nothing}",
            file=sys.stderr,
        )
        raise typer.Exit(REFUSED) from None
    except (Refused, UnknownSchema) as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(REFUSED) from None
    except Unusable as error:
        print(error, file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except OSError as error:
        print(f"{error.filename or 'The file'} cannot be used: {error.strerror or error}.", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except SQLAlchemyError as error:
        print(f"The database cannot be used: {str(error).splitlines()[0]}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        print(f"Interrupted. {nothing}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """A database, closed afterwards.

    Raises:
        Unusable: The URL cannot be read, or needs a package that is not installed.
    """
    _parsed(url)
    try:
        store = Store(url)
    except ImportError as error:
        raise Unusable(f"{url.partition(':')[0]} needs a package that is not installed: {error.name}.") from error
    try:
        yield store
    finally:
        store.close()


@contextmanager
def study_base(url: str) -> Iterator[Store]:
    """A database that has a study's tables, brought to this version. No new database is made.

    A bot may use the database meanwhile, unless its tables have to be changed.

    Raises:
        Unusable: The database holds no study.
        Taken: Its tables are of an older version, and a bot uses them.
    """
    if missing_file(url) is not None:
        raise Unusable(f"There is no study in {shown(url)}.")
    with opened(url) as store:
        if not inspect(store.engine).has_table("study"):
            raise Unusable(f"There is no study in {shown(url)}.")
        if not store.is_current():
            with locked(url):
                store.migrate()
        yield store


def missing_file(url: str) -> Path | None:
    """The SQLite file of this URL if it does not exist yet; ``None`` if it does, or for another database."""
    parsed = _parsed(url)
    file = parsed.database
    if parsed.get_backend_name() != "sqlite" or not file or file == ":memory:":
        return None
    return None if Path(file).exists() else Path(file)


def shown(url: str) -> str:
    """The database as it may be printed: without its password."""
    return _parsed(url).render_as_string(hide_password=True)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise Unusable(f"“{url}” is not the URL of a database. Write it like sqlite:///study.db.") from error
